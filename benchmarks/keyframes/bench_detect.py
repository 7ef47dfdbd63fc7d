"""Speed of `keyframes.detect`, compared with PySceneDetect's `detect-content`.

    python -m benchmarks.keyframes.bench_detect [rounds, 5 by default]

Ours writes keyframes, thumbnails, the gallery, cut lists and zip files; PySceneDetect only finds cuts, with its default settings. Both run
in turns, each in a warm process of its own, and the medians count. On a busy machine look at processor time. Needs PySceneDetect in
var/peers: `make bench-peers`.

The clips are made of a real one: 720p without B-frames (no frame can be skipped), 1080p with B-frames, and 720p with grain.
"""

import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.machine import PEERS, machine
from benchmarks.material.clips import ffmpeg, sample_clip

CLIPS = {
    "720p, no B-frames": ("null", ["-bf", "0"]),
    "1080p, B-frames": ("scale=1920:1080:flags=lanczos", []),
    "720p, grain": ("noise=alls=14:allf=t", []),
}
TIMER = """
import sys, time
def serve(work):
    work()
    for line in sys.stdin:
        wall, cpu = time.perf_counter(), time.process_time()
        work()
        print([time.perf_counter() - wall, time.process_time() - cpu], flush=True)
"""
OURS = """
import tempfile
from pathlib import Path
from services.keyframes.detect import DetectParams, detect
def work():
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        outputs = {"gallery": folder / "gallery.html", "keyframes": folder / "keyframes.zip", "files": folder / "files.zip"}
        detect(DetectParams(), video=Path(sys.argv[1]), outputs=outputs)
serve(work)
"""
PEER = """
sys.path.insert(0, sys.argv[2])
import scenedetect
def work():
    manager = scenedetect.SceneManager()
    manager.add_detector(scenedetect.ContentDetector())
    manager.detect_scenes(scenedetect.open_video(sys.argv[1]))
serve(work)
"""


class Program:
    """A warm process that runs one job per request."""

    def __init__(self, code: str, clip: Path):
        command = [sys.executable, "-c", TIMER + code, str(clip), str(PEERS)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def run(self) -> tuple[float, float]:
        """Run one job; return its wall and processor seconds."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write("go\n")
        self._process.stdin.flush()
        wall, cpu = json.loads(self._process.stdout.readline())
        return wall, cpu

    def close(self) -> None:
        self._process.communicate()


def main() -> None:
    """Print the table."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    table = Table(title=f"keyframes.detect against PySceneDetect's detect-content, medians of {rounds} rounds in turns; {machine()}")
    for head in ("clip", "ours, wall s", "ours, CPU s", "peer, wall s", "peer, CPU s", "as fast, wall", "as fast, CPU"):
        table.add_column(head, justify="right")
    if not (PEERS / "scenedetect").exists():
        Console().print("PySceneDetect is missing: make bench-peers")
        return
    with tempfile.TemporaryDirectory() as folder:
        for number, (name, (change, options)) in enumerate(CLIPS.items()):
            clip = Path(folder) / f"{number}.mp4"
            source = ["-stream_loop", "1", "-i", str(sample_clip()), "-vf", change, "-an"]
            coding = ["-c:v", "libx264", "-preset", "faster", "-crf", "20", *options, str(clip)]
            ffmpeg(*source, *coding)
            programs = [Program(OURS, clip), Program(PEER, clip)]
            runs = [[program.run() for program in programs] for _ in range(rounds)]
            for program in programs:
                program.close()
            ours, peer = (
                [statistics.median(run[program_number][figure] for run in runs) for figure in (0, 1)] for program_number in (0, 1)
            )
            ratios = [peer[figure] / ours[figure] for figure in (0, 1)]
            table.add_row(name, *(f"{seconds:.2f}" for seconds in (*ours, *peer)), *(f"{ratio:.2f}x" for ratio in ratios))
    Console(soft_wrap=True).print(table)


if __name__ == "__main__":
    main()
