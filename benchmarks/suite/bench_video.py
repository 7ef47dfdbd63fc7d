"""Speed of the media layer, compared with the ffmpeg program.

    python -m benchmarks.suite.bench_video [clip.mp4] [--seconds 8] [--rounds 3] [--tables compare sampling cores memory]

Measures processor and wall time of reading, and of reading and writing unchanged frames: the steps of all operations, not whole jobs.
Without a clip, the clips are those of `benchmarks.material.clips.CLIP_KINDS`, and one of 2160p with noise and motion. The media layer and
ffmpeg decode in software on all cores, and encode with libx264 and the same options. Jobs run in turns, and medians count.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from fractions import Fraction
from functools import partial
from pathlib import Path

from benchmarks.machine import console, machine
from benchmarks.material.clips import clips_of_kinds, ffmpeg
from benchmarks.turns import Job, costs_in_turns, median_cost, turns_table
from shared.video import VideoWriter, probe, probe_video, read_frames
from shared.video.writing.encoders import ENCODERS, encoder_options

QUALITY = 70
TABLES = ["compare", "sampling", "cores", "memory"]


def read_luma(path: Path) -> None:
    with read_frames(path) as frames:
        for frame in frames:
            frame.luma()


def read_small(path: Path) -> None:
    with read_frames(path) as frames:
        for frame in frames:
            frame.small_luma(320, 180)


def rewrite(path: Path, output: Path) -> None:
    info = probe(path)
    assert info.kind == "video"
    with read_frames(path) as frames:
        first = next(frames)
        with VideoWriter(
            output,
            width=info.width,
            height=info.height,
            frame_rate=info.rate,
            time_base=first.time_base,
            quality=QUALITY,
            encoder="libx264",
        ) as writer:
            writer.write(first.picture, first.pts, duration=first.duration)
            for frame in frames:
                writer.write(frame.picture, frame.pts, duration=frame.duration)


def transcode(path: Path, output: Path) -> None:
    encoder = next(encoder for encoder in ENCODERS if encoder.name == "libx264")
    options = [word for name, value in encoder_options(encoder, QUALITY, "yuv420p").items() for word in (f"-{name}", value)]
    ffmpeg("-i", str(path), "-an", "-c:v", "libx264", *options, "-pix_fmt", "yuv420p", "-movflags", "+faststart", str(output))


def generated(folder: Path, size: str, seconds: float) -> Path:
    path = folder / f"{size}.mp4"
    source = f"testsrc2=s={size}:r=30:d={seconds},noise=alls=12:allf=t"
    ffmpeg("-f", "lavfi", "-i", source, "-c:v", "libx264", "-preset", "veryfast", "-crf", "23", "-pix_fmt", "yuv420p", str(path))
    return path


def compared(path: Path, folder: Path) -> list[Job]:
    """List the jobs that read a clip, and those that also write it."""
    return [
        Job("ffmpeg, decoding to nothing", lambda: ffmpeg("-i", str(path), "-an", "-f", "null", "-")),
        Job("read_frames, luma", lambda: read_luma(path), "ffmpeg, decoding to nothing"),
        Job("read_frames, luma at 320x180", lambda: read_small(path), "ffmpeg, decoding to nothing"),
        Job("ffmpeg, transcode", lambda: transcode(path, folder / "a.mp4")),
        Job("read_frames to VideoWriter", lambda: rewrite(path, folder / "b.mp4"), "ffmpeg, transcode"),
    ]


def memory(folder: Path, long: Path) -> None:
    """Print the peak resident memory of reading and writing.

    It is measured for clips of three lengths and for a large clip.
    """
    say("\npeak resident memory (read -> write)")
    flat = {seconds: folder / f"{seconds}.mp4" for seconds in (20, 60, 180)}
    for seconds, path in flat.items():
        ffmpeg("-f", "lavfi", "-i", f"testsrc2=s=640x360:r=30:d={seconds}", "-c:v", "libx264", "-preset", "ultrafast", str(path))
    for title, path in [(f"640x360, {seconds} s", path) for seconds, path in flat.items()] + [(long.name, long)]:
        code = (
            "import sys; from pathlib import Path; from benchmarks.suite.bench_video import rewrite;"
            "rewrite(Path(sys.argv[1]), Path(sys.argv[2])); print(Path('/proc/self/status').read_text())"
        )
        command = [sys.executable, "-c", code, str(path), str(folder / "m.mp4")]
        status = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        peak = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM")) / 1024
        say(f"{title:24}{peak:8.0f} MB")


def sampling(folder: Path, rounds: int) -> None:
    """Print the time of sampling frames, in seconds per hour of video.

    The clips are two hours of 360p, with a keyframe every 2 s and every 10 s.
    """
    say(f"\nsampling, medians of {rounds} rounds in turns (wall and processor seconds per hour of video)")
    for gop in (60, 300):
        piece, long, short = (folder / f"{name}{gop}.mp4" for name in ("piece", "long", "short"))
        source = "testsrc2=s=640x360:r=30:d=60,noise=alls=8:allf=t"
        ffmpeg("-f", "lavfi", "-i", source, "-c:v", "libx264", "-preset", "veryfast", "-g", str(gop), "-pix_fmt", "yuv420p", str(piece))
        ffmpeg("-stream_loop", "119", "-i", str(piece), "-c", "copy", str(long))
        ffmpeg("-stream_loop", "2", "-i", str(piece), "-c", "copy", str(short))
        rows: list[tuple[str, Path, Callable[[Path], object]]] = [
            ("ffmpeg, fps=1", short, lambda path: ffmpeg("-i", str(path), "-vf", "fps=1", "-f", "null", "-")),
            ("every frame", short, read_luma),
            ("one a second", short, lambda path: sampled(path, 1)),
            ("one in ten seconds", long, lambda path: sampled(path, 0.1)),
            ("one a minute", long, lambda path: sampled(path, Fraction(1, 60))),
        ]
        costs = costs_in_turns([Job(title, partial(work, path)) for title, path, work in rows], rounds)
        for title, path, _ in rows:
            cost, hours = median_cost(costs[title]), probe_video(path).duration_s / 3600
            say(f"keyframes each {gop // 30:2} s   {title:20}{cost.wall_s / hours:8.1f}{cost.processor_s / hours:8.1f}")
        long.unlink()


def sampled(path: Path, per_second: Fraction | float) -> None:
    with read_frames(path, per_second=per_second) as frames:
        for frame in frames:
            frame.luma()


def cores(path: Path, folder: Path, rounds: int) -> None:
    """Print the time of reading and writing on one core and on all cores."""
    all_cores = sorted(os.sched_getaffinity(0))

    def on(count: int) -> None:
        os.sched_setaffinity(0, set(all_cores[:count]))
        # A new thread inherits the cores of the thread that starts it.
        worker = threading.Thread(target=lambda: rewrite(path, folder / "c.mp4"))
        worker.start()
        worker.join()
        os.sched_setaffinity(0, all_cores)

    jobs = [Job("1 core", lambda: on(1)), Job(f"{len(all_cores)} cores", lambda: on(len(all_cores)), "1 core")]
    console().print(turns_table("read_frames to VideoWriter, by cores", jobs, rounds))


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clip", nargs="?", type=Path)
    parser.add_argument("--seconds", type=float, default=8.0, help="length of the generated clips")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--tables", nargs="+", choices=TABLES, default=TABLES)
    options = parser.parse_args()
    out = console()
    out.print(machine())
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if options.clip is not None:
            clips = {options.clip.name: options.clip}
        else:
            clips = clips_of_kinds(folder, options.seconds) | {"2160p": generated(folder, "3840x2160", options.seconds / 4)}
        for kind, path in clips.items() if "compare" in options.tables else ():
            frames = probe_video(path).frames
            out.print(turns_table(f"{kind}, {frames} frames", compared(path, folder), options.rounds, frames=frames))
        if "sampling" in options.tables:
            sampling(folder, options.rounds)
        if "cores" in options.tables:
            cores(list(clips.values())[min(1, len(clips) - 1)], folder, options.rounds)
        if "memory" in options.tables:
            memory(folder, list(clips.values())[-1])


if __name__ == "__main__":
    main()
