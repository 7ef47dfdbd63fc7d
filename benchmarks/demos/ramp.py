"""Demo of a speed ramp over HTTP (`make demo`).

Starts the suite, ramps a real clip, checks and shows the result.
"""

import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from rich.console import Console

from benchmarks.material.clips import sample_clip
from shared.testing import RunningSuite, suite
from shared.video import Limits, ffmpeg_path, probe_video, read_frames
from shared.video.writing.encoders import choose_encoder, encoder_options

FOLDER = Path("demo")
PLOT_WIDTH, PLOT_HEIGHT = 72, 9
out = Console(highlight=False, soft_wrap=True)


def main() -> int:
    """Run the demo.

    Returns 0 only if the result file exists and passes the checks.
    """
    clip = Path(sys.argv[1]) if len(sys.argv) > 1 else sample_clip()
    if not clip.is_file():
        out.print(f"[red]No such file: {clip}[/]")
        return 2
    FOLDER.mkdir(exist_ok=True)
    result = FOLDER / f"{clip.stem}-ramped.mp4"
    out.print(f"clip     {clip.name}")
    with suite(FOLDER.absolute() / "var") as running:
        out.print(f"suite    {running.url}, up in {running.started_in_s:.1f} s")
        job = ramp(running, clip)
        if job["status"] != "succeeded":
            out.print(f"[red]failed: {job['error']['detail']}[/]")
            return 1
        with running.client.stream("GET", job["outputs"]["video"]["urls"]["content"]) as answer, result.open("wb") as file:
            for chunk in answer.iter_bytes():
                file.write(chunk)
    plot([(point["t"], point["speed"]) for point in job["result"]["curve"]])
    defect = check(result, job["result"])
    if defect:
        out.print(f"[red]The result is wrong: {defect}[/]")
        return 1
    figures(clip, job)
    for warning in job["warnings"]:
        out.print(f"note     {warning}")
    out.print(f"result   [bold]{result}[/] (checked: all frames decode, and the length equals the curve's integral)")
    return 0


def ramp(running: RunningSuite, clip: Path) -> dict[str, Any]:
    """Upload the clip, render it and return the finished job.

    Short clips are rendered twice, because the second job uses a warm worker, like most jobs.
    """
    media = running.upload(clip)
    facts = media["media"]
    out.print(f"         {facts['width']}x{facts['height']}, {facts['frame_rate']} fps, {facts['duration_s']:.2f} s, {facts['codec']}")
    job = running.wait(running.start("speed-ramp.render", {"video": media["id"]})["id"], timeout_s=3600)
    if job["status"] == "succeeded" and facts["duration_s"] < 60:
        job = running.wait(running.start("speed-ramp.render", {"video": media["id"]})["id"], timeout_s=3600)
    return job


def plot(curve: list[tuple[float, float]]) -> None:
    """Print the speed curve: time to the right, speed upwards."""
    end, top = curve[-1][0] or 1.0, max(speed for _, speed in curve)
    heights = []
    for column in range(PLOT_WIDTH):
        time = end * column / (PLOT_WIDTH - 1)
        after = next((i for i, (t, _) in enumerate(curve) if t >= time), len(curve) - 1)
        (t0, s0), (t1, s1) = curve[max(after - 1, 0)], curve[after]
        share = (time - t0) / (t1 - t0) if t1 > t0 else 0.0
        heights.append((s0 + share * (s1 - s0)) / top * PLOT_HEIGHT)
    out.print("\nspeed")
    for row in range(PLOT_HEIGHT, 0, -1):
        line = "".join("█" if height >= row else "▄" if height >= row - 0.5 else " " for height in heights)
        out.print(f"{top * row / PLOT_HEIGHT:5.2f}x ┤{line}")
    out.print(f"       └{'─' * PLOT_WIDTH}\n        0 s{f'{end:.2f} s of the source':>{PLOT_WIDTH - 3}}\n")


def check(path: Path, result: dict[str, Any]) -> str | None:
    """Decode every frame of the result; return the first fault, or None."""
    info = probe_video(path)
    frames = sum(1 for _ in read_frames(path, limits=Limits()))
    if frames != result["frames"]:
        return f"{frames} frames decode, {result['frames']} were reported"
    if abs(info.duration_s - result["duration_s"]) > 0.1:
        return f"it lasts {info.duration_s:.3f} s, the curve's integral is {result['duration_s']:.3f} s"
    return None


def figures(clip: Path, job: dict[str, Any]) -> None:
    """Print the job's speed and the speed of a plain ffmpeg transcode."""
    target = FOLDER / "floor.mp4"
    quality = job["params"]["quality"]
    settings = [
        word
        for name, value in encoder_options(choose_encoder("libx264", ".mp4", "yuv420p"), quality, "yuv420p").items()
        for word in (f"-{name}", value)
    ]
    command = [
        ffmpeg_path(),
        "-v",
        "error",
        "-y",
        "-i",
        str(clip),
        "-pix_fmt",
        "yuv420p",
        "-c:v",
        "libx264",
        *settings,
        "-c:a",
        "aac",
        str(target),
    ]
    began = time.perf_counter()
    subprocess.run(command, check=True)
    floor_s = time.perf_counter() - began
    target.unlink()
    metrics, result = job["metrics"], job["result"]
    floor_fps = probe_video(clip).frames / floor_s
    out.print(f"length   {result['source_duration_s']:.2f} s -> {result['duration_s']:.2f} s ({result['frames']} frames)")
    out.print(f"speed    {metrics['fps']:.0f} frames a second; {metrics['run_s']:.2f} s for the whole job with analysis and sound")
    out.print(f"floor    {floor_fps:.0f} frames a second for a plain ffmpeg transcode, {floor_fps / metrics['fps']:.2f}x the job's")
    out.print(f"memory   {metrics['peak_memory_bytes'] / 1e6:.0f} MB peak in the worker")


if __name__ == "__main__":
    sys.exit(main())
