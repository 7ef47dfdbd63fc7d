"""Speed of whole operations, run in turns with ffmpeg.

    python -m benchmarks.suite.bench_operations [rounds, 3 by default] [seconds of each clip, 5 by default] [pictures] [renders]

The words choose tables: operations on pictures, and renders with sound; without them, all are printed. An operation runs as a worker runs
it, from file to file, after one run that does not count. Jobs run in turns; medians count. On a busy machine look at the ratio of
processor time. ffmpeg is the program of the package imageio-ffmpeg: it decodes to nothing, or transcodes with the encoder settings of the
suite and as many frames as the operation writes.

The clips are those of `benchmarks.material.clips.CLIP_KINDS`. Renders use 720p with 5.1 sound.
"""

import sys
import tempfile
from functools import partial
from pathlib import Path

from benchmarks.machine import console, machine
from benchmarks.material.clips import clips_of_kinds, ffmpeg, sample_clip, transcode
from benchmarks.speed_ramp.bench_speed_ramp import transcode as ramped_transcode
from benchmarks.turns import Job, turns_table
from services.effects.motion_trails import MotionTrailsParams, motion_trails
from services.speed_ramp.analyze import AnalyzeParams, analyze
from services.speed_ramp.curve.points import CurvePoint
from services.speed_ramp.render import RenderParams, render
from shared.video import probe_video
from shared.video.writing.encoders import choose_encoder, encoder_options

TABLES = ["pictures", "renders"]
LAYERS = 6


def main() -> None:
    """Print the tables."""
    numbers = [word for word in sys.argv[1:] if word not in TABLES]
    chosen = [word for word in sys.argv[1:] if word in TABLES] or TABLES
    rounds = int(numbers[0]) if numbers else 3
    seconds = numbers[1] if len(numbers) > 1 else "5"
    out = console()
    out.print(machine())
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for kind, clip in clips_of_kinds(folder, float(seconds)).items() if "pictures" in chosen else ():
            out.print(turns_table(f"{kind}, {seconds} s", pictures(clip, folder / "made.mp4"), rounds))
        if "renders" not in chosen:
            return
        sound = folder / "sound.mp4"
        ffmpeg("-t", seconds, "-i", str(sample_clip()), "-c", "copy", str(sound))
        out.print(turns_table(f"720p with 5.1 sound, {seconds} s", renders(sound, folder / "made.mp4"), rounds))


def pictures(clip: Path, target: Path) -> list[Job]:
    """List the jobs that are timed on a clip without sound."""
    params = MotionTrailsParams(ghost="glow", layers=LAYERS, spacing=5, decay=0.7)
    return [
        Job("ffmpeg, decoding", lambda: ffmpeg("-i", str(clip), "-f", "null", "-")),
        Job("speed-ramp.analyze", lambda: analyze(AnalyzeParams(), video=clip), "ffmpeg, decoding"),
        Job("ffmpeg, transcode", lambda: transcode(clip, target, "-movflags", "+faststart")),
        Job(f"ffmpeg, tmix of {LAYERS + 1} frames", lambda: mixed(clip, target), "ffmpeg, transcode"),
        Job(
            f"effects.motion-trails, glow, {LAYERS} ghosts",
            lambda: motion_trails(params, video=clip, matte=None, output=target),
            "ffmpeg, transcode",
        ),
    ]


def renders(clip: Path, target: Path) -> list[Job]:
    """List the render jobs that are timed on a clip with sound.

    Each is compared with an ffmpeg job that changes the speed of picture and sound evenly.
    """
    info = probe_video(clip)
    length = info.length_s
    curve = [CurvePoint(t=share * length, speed=speed) for share, speed in ((0, 2), (0.4, 0.5), (0.6, 0.5), (1, 2))]
    curve_params, default_params = RenderParams(curve=curve), RenderParams()
    jobs: list[Job] = []
    for name, params in (("curve given", curve_params), ("automatic curve", default_params)):
        even = length / render(params, video=clip, output=target).duration_s
        reference = f"ffmpeg, setpts and atempo {even:.2f}"
        jobs += [
            Job(reference, partial(ramped_transcode, clip, info, target, speed=even)),
            Job(f"speed-ramp.render, {name}", partial(render, params, video=clip, output=target), reference),
        ]
    return jobs


def mixed(clip: Path, target: Path) -> None:
    """Mix each frame with the preceding frames by ffmpeg's filter `tmix`."""
    encoder = choose_encoder("auto", ".mp4", "yuv420p")
    options = [word for name, value in encoder_options(encoder, 70, "yuv420p").items() for word in (f"-{name}", value)]
    weights = "0.1 0.1 0.2 0.3 0.5 0.7 1"
    video = ["-vf", f"tmix=frames={LAYERS + 1}:weights={weights}", "-pix_fmt", "yuv420p", "-c:v", encoder.name, *options]
    ffmpeg("-i", str(clip), *video, "-movflags", "+faststart", str(target))


if __name__ == "__main__":
    main()
