"""Errors and processor time of the keyer, compared with ffmpeg's `chromakey`.

    python -m benchmarks.matting.bench_chroma [frames of each clip]

The clips are rendered screens with a known alpha. `chromakey` runs with `yuv=1` and the screen's true colour in the clip's own matrix; its
`similarity` and `blend` are the best of a grid for each clip, by MAD. The keyer runs with its defaults, on other seeds than those of its
tuning. Errors are in the units of the literature (MAD times 1000, dtSSD times 100). The edges are the pixels within 3 pixels of an alpha
between 0.02 and 0.98.
"""

import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from benchmarks.machine import machine
from benchmarks.material.screen_clips import KINDS, Kind, ScreenFrame, render, scene_of, write_clip
from benchmarks.turns import cost_of, median_cost
from services.matting.chroma.keyer import Keyer
from services.matting.chroma.screen import find_screen
from services.matting.metrics.errors import dtssd, mad
from shared.video import ffmpeg_path, read_frames

out = Console(width=120, highlight=False)
SEEDS = (101, 102, 103)
TARGETS: dict[Kind, tuple[float, float, float]] = {
    "strands": (1.0, 0.7, 0.9),
    "motion blur": (0.75, np.inf, 0.9),
    "veil": (0.35, np.inf, 0.9),
}
"""Highest allowed ratios to chromakey: MAD, MAD in the edges, dtSSD."""
CPU_TARGET_S = 0.2
Alphas = Sequence[NDArray[np.float32]]


@dataclass(frozen=True)
class Errors:
    """Mean errors of a clip's mattes: MAD, MAD along edges, dtSSD."""

    mad: float
    edge_mad: float
    dtssd: float

    def over(self, reference: "Errors") -> tuple[float, float, float]:
        """Return each error divided by the same error of `reference`."""
        return self.mad / reference.mad, self.edge_mad / reference.edge_mad, self.dtssd / reference.dtssd


def main() -> None:
    """Print the tables."""
    frames = int(sys.argv[1]) if len(sys.argv) > 1 and sys.argv[1].isdigit() else 8
    out.print(f"{machine()}\n")
    with tempfile.TemporaryDirectory() as folder:
        out.print(errors_table(Path(folder), frames))
    out.print(speed_table())


def errors_table(folder: Path, frames: int) -> Table:
    """Compare the keyer's errors with `chromakey`'s, for every kind of clip and seed."""
    table = Table(title="Keyer and chromakey (best similarity and blend a clip), 960x540, H.264 4:2:0")
    for head in ("clip", "seed", "method", "MAD", "MAD in edges", "dtSSD", "ratios", "targets"):
        table.add_column(head, justify="left" if head in ("clip", "method") else "right")
    for kind in KINDS:
        for seed in SEEDS:
            truth = list(render(scene_of(kind, seed), frames))
            path = folder / "clip.mp4"
            write_clip(path, (frame.picture for frame in truth))
            peer, setting = best_chromakey(path, truth)
            ours = errors_of(keyed(path), truth)
            ratios = ours.over(peer)
            is_met = all(ratio <= target for ratio, target in zip(ratios, TARGETS[kind], strict=True))
            table.add_row(kind, str(seed), f"chromakey {setting}", *cells(peer), "", "")
            table.add_row("", "", "keyer", *cells(ours), " ".join(f"{ratio:.2f}" for ratio in ratios), "met" if is_met else "missed")
    return table


def cells(errors: Errors) -> tuple[str, str, str]:
    """Format errors as cells of the table."""
    return f"{errors.mad:.2f}", f"{errors.edge_mad:.1f}", f"{errors.dtssd:.2f}"


def keyed(path: Path) -> list[NDArray[np.float32]]:
    """Key a clip with the keyer's defaults; return its mattes."""
    with read_frames(path) as source:
        pictures = [frame.rgb() for frame in source]
    screen = find_screen(pictures[0])
    assert screen is not None
    keyer = Keyer(screen)
    return [keyer.key(picture).alpha for picture in pictures]


def best_chromakey(path: Path, truth: Sequence[ScreenFrame]) -> tuple[Errors, str]:
    """Find the best setting of `chromakey`; return its errors and the setting.

    The best setting is the one with the lowest MAD.
    """
    red, green, blue = np.median(truth[0].plate.reshape(-1, 3), axis=0)
    luma = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    values = (
        16 + luma * 219 / 255,
        128 + (blue - luma) / 1.8556 * 224 / 255,
        128 + (red - luma) / 1.5748 * 224 / 255,
    )
    colour = "0x" + "".join(f"{round(float(value)):02x}" for value in values)
    shape = truth[0].alpha.shape
    trials: list[tuple[float, float, float]] = []
    grid = [
        (similarity, blend) for similarity in (0.01, 0.02, 0.03, 0.04, 0.05, 0.07, 0.1) for blend in (0.02, 0.035, 0.06, 0.1, 0.15, 0.22)
    ]
    for similarity, blend in grid:
        alphas = chromakey(path, colour, similarity, blend, shape)
        trials.append((float(np.mean([mad(alpha, frame.alpha) for alpha, frame in zip(alphas, truth, strict=True)])), similarity, blend))
    _, similarity, blend = min(trials)
    return errors_of(chromakey(path, colour, similarity, blend, shape), truth), f"{similarity}:{blend}"


def chromakey(path: Path, colour: str, similarity: float, blend: float, shape: tuple[Any, ...]) -> list[NDArray[np.float32]]:
    """Key a clip with ffmpeg's `chromakey`; return its mattes."""
    chain = f"format=yuva444p,chromakey={colour}:{similarity}:{blend}:yuv=1,alphaextract,format=gray"
    command = [ffmpeg_path(), "-v", "error", "-i", str(path), "-vf", chain, "-f", "rawvideo", "-"]
    raw = subprocess.run(command, check=True, capture_output=True).stdout
    return [np.asarray(plane / 255, np.float32) for plane in np.frombuffer(raw, np.uint8).reshape(-1, *shape)]


def errors_of(alphas: Alphas, truth: Sequence[ScreenFrame]) -> Errors:
    """Return the mean errors of the mattes `alphas` against the true mattes."""
    true = [frame.alpha for frame in truth]
    pairs = list(zip(alphas, true, strict=True))
    return Errors(
        float(np.mean([mad(alpha, right) for alpha, right in pairs])),
        float(np.mean([np.abs(alpha - right)[edges(right)].mean() * 1e3 for alpha, right in pairs])),
        float(np.mean([dtssd(now[0], before[0], now[1], before[1]) for before, now in pairwise(pairs)])),
    )


def edges(alpha: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Mask the edges: pixels within 3 pixels of a semi-transparent pixel."""
    soft = ((alpha > 0.02) & (alpha < 0.98)).astype(np.uint8)
    return np.asarray(cv2.dilate(soft, np.ones((7, 7), np.uint8)) > 0)


def speed_table() -> Table:
    """Measure the keyer's processor time per 1080p frame.

    The first frame of each clip is left out.
    """
    table = Table(title=f"Inner step: processor seconds of the keyer a 1080p frame (target {CPU_TARGET_S})")
    for head in ("clip", "matte", "matte and foreground"):
        table.add_column(head, justify="left" if head == "clip" else "right")
    for kind in KINDS:
        pictures = [frame.picture for frame in render(scene_of(kind, SEEDS[0], 1920, 1080), 2)]
        cells = [f"{cpu_s(pictures, foreground):.3f}" for foreground in (False, True)]
        table.add_row(kind, *cells)
    return table


def cpu_s(pictures: Sequence[NDArray[np.uint8]], foreground: bool, times: int = 5) -> float:
    """Key `pictures` `times` times; return the median processor seconds per frame."""
    screen = find_screen(pictures[0])
    assert screen is not None
    keyer = Keyer(screen)
    keyer.key(pictures[0], foreground=foreground)
    costs = [cost_of(lambda: keyer.key(pictures[1], foreground=foreground)) for _ in range(times)]
    return median_cost(costs).processor_s


if __name__ == "__main__":
    main()
