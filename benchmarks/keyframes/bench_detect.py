"""Speed of `keyframes.detect`, compared with PySceneDetect's `detect-content`.

    python -m benchmarks.keyframes.bench_detect [rounds, 5 by default] [seconds of each clip, 10 by default]

Ours writes keyframes, thumbnails, the gallery, cut lists and zip files; PySceneDetect only finds cuts, with its default settings. Both run
in turns, each in a warm process of its own, and the medians count. On a busy machine look at processor time. Needs PySceneDetect in
var/peers: `make bench-peers`.

The clips are those of `benchmarks.material.clips.CLIP_KINDS`.
"""

import sys
import tempfile
from pathlib import Path

from benchmarks.machine import PEERS, console, machine
from benchmarks.material.clips import clips_of_kinds
from benchmarks.turns import Job, turns_table
from benchmarks.warm_program import WarmProgram

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


def main() -> None:
    """Print a table for each kind of clip."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    seconds = float(sys.argv[2]) if len(sys.argv) > 2 else 10
    out = console()
    if not (PEERS / "scenedetect").exists():
        out.print("PySceneDetect is missing: make bench-peers")
        return
    out.print(machine())
    with tempfile.TemporaryDirectory() as folder:
        for kind, clip in clips_of_kinds(Path(folder), seconds).items():
            ours, peer = WarmProgram(OURS, clip), WarmProgram(PEER, clip, PEERS)
            jobs = [Job("PySceneDetect, detect-content", peer.run), Job("keyframes.detect", ours.run, "PySceneDetect, detect-content")]
            out.print(turns_table(f"{kind}, {seconds:g} s", jobs, rounds, as_fast=True))
            ours.close()
            peer.close()


if __name__ == "__main__":
    main()
