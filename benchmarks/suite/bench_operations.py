"""Speed of whole operations, run in turns with ffmpeg.

    python -m benchmarks.suite.bench_operations [rounds, 3 by default] [seconds of each clip, 5 by default] [pictures] [renders]

The words choose tables: operations on pictures, and renders with sound; without them, all are printed. An operation runs as a worker runs
it, from file to file, after one run that does not count. Jobs run in turns, and medians count. On a busy machine look at the ratio of
processor time. ffmpeg is the program of the package imageio-ffmpeg: it decodes to nothing, or transcodes with the encoder settings of the
suite and as many frames as the operation writes.

The clips are made of a real one: 720p without B-frames, 1080p with B-frames, and 720p with grain. Renders use 720p with 5.1 sound.
"""

import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.keyframes.bench_detect import CLIPS
from benchmarks.machine import machine
from benchmarks.material.clips import ffmpeg, sample_clip, transcode
from benchmarks.speed_ramp.bench_speed_ramp import transcode as ramped_transcode
from benchmarks.turns import processor_s
from services.effects.motion_trails import MotionTrailsParams, motion_trails
from services.speed_ramp.analyze import AnalyzeParams, analyze
from services.speed_ramp.curve.points import CurvePoint
from services.speed_ramp.render import RenderParams, render
from shared.video import probe_video
from shared.video.writing.encoders import choose_encoder, encoder_options

TABLES = ["pictures", "renders"]
Work = Callable[[], object]
LAYERS = 6


def main() -> None:
    """Print the tables."""
    numbers = [word for word in sys.argv[1:] if word not in TABLES]
    chosen = [word for word in sys.argv[1:] if word in TABLES] or TABLES
    rounds = int(numbers[0]) if numbers else 3
    seconds = numbers[1] if len(numbers) > 1 else "5"
    out = Console(soft_wrap=True)
    out.print(f"{machine()}; load {os.getloadavg()[0]:.0f}; medians of {rounds} rounds in turns")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for number, (kind, (change, options)) in enumerate(CLIPS.items() if "pictures" in chosen else ()):
            clip = folder / f"{number}.mp4"
            source = ["-t", seconds, "-i", str(sample_clip()), "-vf", change, "-an"]
            ffmpeg(*source, "-c:v", "libx264", "-preset", "faster", "-crf", "20", *options, str(clip))
            out.print(table(f"{kind}, {seconds} s", pictures(clip, folder / "made.mp4"), rounds))
        if "renders" not in chosen:
            return
        sound = folder / "sound.mp4"
        ffmpeg("-t", seconds, "-i", str(sample_clip()), "-c", "copy", str(sound))
        out.print(table(f"720p with 5.1 sound, {seconds} s", renders(sound, folder / "made.mp4"), rounds))


def pictures(clip: Path, target: Path) -> list[tuple[str, Work, str | None]]:
    """List the jobs that are timed on a clip without sound.

    Returns each job's name, its work, and the name of the job that it is compared with.
    """
    params = MotionTrailsParams(ghost="glow", layers=LAYERS, spacing=5, decay=0.7)
    return [
        ("ffmpeg, decoding", lambda: ffmpeg("-i", str(clip), "-f", "null", "-"), None),
        ("speed-ramp.analyze", lambda: analyze(AnalyzeParams(), video=clip), "ffmpeg, decoding"),
        ("ffmpeg, transcode", lambda: transcode(clip, target, "-movflags", "+faststart"), None),
        (f"ffmpeg, tmix of {LAYERS + 1} frames", lambda: mixed(clip, target), "ffmpeg, transcode"),
        (
            f"effects.motion-trails, glow, {LAYERS} ghosts",
            lambda: motion_trails(params, video=clip, matte=None, output=target),
            "ffmpeg, transcode",
        ),
    ]


def renders(clip: Path, target: Path) -> list[tuple[str, Work, str | None]]:
    """List the render jobs that are timed on a clip with sound.

    Each is compared with an ffmpeg job that changes the speed of picture and sound evenly.
    """
    info = probe_video(clip)
    length = info.length_s
    curve = [CurvePoint(t=share * length, speed=speed) for share, speed in ((0, 2), (0.4, 0.5), (0.6, 0.5), (1, 2))]
    curve_params, default_params = RenderParams(curve=curve), RenderParams()
    jobs: list[tuple[str, Work, str | None]] = []
    for name, params in (("curve given", curve_params), ("automatic curve", default_params)):
        even = length / render(params, video=clip, output=target).duration_s
        reference = f"ffmpeg, setpts and atempo {even:.2f}"
        jobs += [
            (reference, lambda speed=even: ramped_transcode(clip, info, target, speed=speed), None),  # type: ignore[misc]
            (f"speed-ramp.render, {name}", lambda params=params: render(params, video=clip, output=target), reference),  # type: ignore[misc]
        ]
    return jobs


def mixed(clip: Path, target: Path) -> None:
    """Mix each frame with the preceding frames by ffmpeg's filter `tmix`."""
    encoder = choose_encoder("auto", ".mp4", "yuv420p")
    options = [word for name, value in encoder_options(encoder, 70, "yuv420p").items() for word in (f"-{name}", value)]
    weights = "0.1 0.1 0.2 0.3 0.5 0.7 1"
    video = ["-vf", f"tmix=frames={LAYERS + 1}:weights={weights}", "-pix_fmt", "yuv420p", "-c:v", encoder.name, *options]
    ffmpeg("-i", str(clip), *video, "-movflags", "+faststart", str(target))


def table(title: str, jobs: list[tuple[str, Work, str | None]], rounds: int) -> Table:
    """Run jobs in turns; return a table of their medians."""
    costs: dict[str, list[tuple[float, float]]] = {name: [] for name, _, _ in jobs}
    for counted in range(rounds + 1):
        for name, work, _ in jobs:
            wall, cpu = time.perf_counter(), processor_s()
            work()
            if counted:
                costs[name].append((time.perf_counter() - wall, processor_s() - cpu))
    medians = {name: [statistics.median(column) for column in zip(*spent, strict=True)] for name, spent in costs.items()}
    printed_table = Table(title=title)
    printed_table.add_column("job", no_wrap=True)
    for head in ("wall s", "processor s", "of the reference, wall", "of the reference, processor"):
        printed_table.add_column(head, justify="right")
    for name, _, reference in jobs:
        ratios = (
            [f"{seconds_here / reference_s:.2f}x" for seconds_here, reference_s in zip(medians[name], medians[reference], strict=True)]
            if reference
            else ["", ""]
        )
        printed_table.add_row(name, *(f"{seconds:.2f}" for seconds in medians[name]), *ratios)
    return printed_table


if __name__ == "__main__":
    main()
