"""Painting of a picture's masked part, at any size.

The whole picture is painted first. For more detail, a large picture is then painted again tile by tile.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from services.background.diffusion.pipeline import Painting, Pipeline
from services.background.diffusion.sizes import MULTIPLE, feather, painted_size, tiles
from shared.operation import Progress
from shared.video.frames.scaling import scaled

RGB = NDArray[np.uint8]
Mask = NDArray[np.uint8]

_DETAIL_STRENGTH = 0.35  # strength, 0 to 1, of painting tiles again: how far they may differ from the enlarged picture
_ENLARGED = 1.2
"""Enlargement of the first painting above which the picture lacks detail. It is then painted again tile by tile."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Options for painting a picture.

    `side`: side in pixels of the squares that the model was trained on. `detail`: whether to paint tiles at full size too.
    """

    painting: Painting
    side: int
    detail: bool


def paint(pipeline: Pipeline, plan: Plan, picture: RGB, mask: Mask, progress: Progress, *, depth: NDArray[np.float32] | None = None) -> RGB:
    """Paint the masked part of a picture.

    `picture`: RGB, uint8 (height, width, 3). `mask`: uint8 (height, width), not 0 where to paint. `depth`: inverse depth from 0 to 1,
    float32 (height, width), that the painting follows. Pixels outside of the mask change slightly, because the model processes the whole
    picture. On a CPU the first step is timed, and a warning right after it states the expected time of all steps. An exception from
    `progress` ends the painting after the current step.
    """
    height, width = mask.shape
    small = painted_size(width, height, plan.side)
    full = -(-width // MULTIPLE) * MULTIPLE, -(-height // MULTIPLE) * MULTIPLE
    enlarged = plan.detail and max(full[0] / small[0], full[1] / small[1]) > _ENLARGED
    large_mask = _sized_mask(mask, full)
    parts = [tile for tile in tiles(*full, plan.side) if large_mask[tile.place].any()] if enlarged else []
    steps = _Steps(
        _step_count(plan.painting) + len(parts) * _step_count(_detailed(plan.painting, 0)), progress, timed=pipeline.device == "cpu"
    )
    control = None if depth is None else np.rint(depth * 255).astype(np.uint8)
    first_pass = pipeline.run(
        plan.painting, _sized(picture, small), _sized_mask(mask, small), _sized_control(control, small), steps, steps.begin
    )
    if not parts:
        return _sized(first_pass, (width, height))
    canvas = _over(_sized(picture, full), _sized(first_pass, full), large_mask).astype(np.float32)
    total = np.zeros((full[1], full[0], 1), np.float32)
    mixed = np.zeros_like(canvas)
    large_control = _sized_control(control, full)
    for number, tile in enumerate(parts):
        part = np.ascontiguousarray(canvas[tile.place]).astype(np.uint8)
        tile_control = None if large_control is None else np.ascontiguousarray(large_control[tile.place])
        detail = pipeline.run(_detailed(plan.painting, number + 1), part, np.ascontiguousarray(large_mask[tile.place]), tile_control, steps)
        weight = feather(tile, *full)[..., None]
        mixed[tile.place] += detail * weight
        total[tile.place] += weight
    blended = np.where(total > 0, mixed / np.maximum(total, 1e-6), canvas)
    return _sized(np.clip(np.rint(blended), 0, 255).astype(np.uint8), (width, height))


def kept_outside(original: RGB, painted: RGB, mask: Mask, feather_px: int) -> RGB:
    """Restore the original picture outside the mask.

    Pixels outside of `mask` are exactly those of `original`. Inside, the painting fades in over `feather_px` pixels.
    """
    inside = cv2.distanceTransform((mask > 0).astype(np.uint8), cv2.DIST_L2, 5)
    weight = np.clip(inside / max(feather_px, 1), 0, 1)[..., None]
    mixed = original + (painted.astype(np.float32) - original) * weight
    return np.where(mask[..., None] > 0, np.rint(mixed), original).astype(np.uint8)


class _Steps:
    """Counter of diffusion steps, which reports progress.

    Times the first step, from `begin` on, and then warns of the expected time. The time of the encoders before it does not count.
    """

    def __init__(self, total: int, progress: Progress, *, timed: bool, clock: Callable[[], float] = time.monotonic) -> None:
        self._total, self._progress, self._timed, self._clock = total, progress, timed, clock
        self._done = 0
        self._began: float | None = None

    def begin(self) -> None:
        """Start timing the first step."""
        self._began = self._clock()

    def __call__(self) -> None:
        self._done += 1
        if self._timed and self._done == 1 and self._began is not None:
            step_s = self._clock() - self._began
            total = _duration_text(step_s * self._total)
            self._progress.warn(
                f"One step on the CPU took {step_s:.1f} s: all {self._total} steps take about {total}. "
                "To make it faster, lower `steps` or `resolution`, or turn `detail` off."
            )
        self._progress(min(self._done, self._total), self._total)


def _duration_text(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} minutes"


def _step_count(painting: Painting) -> int:
    return max(min(int(painting.steps * painting.strength), painting.steps), 1)


def _detailed(painting: Painting, number: int) -> Painting:
    """Return the settings for adding detail to tile `number`."""
    # Low strength skips most steps; at least one has to remain.
    steps = max(painting.steps, int(np.ceil(1 / _DETAIL_STRENGTH)))
    return replace(painting, strength=_DETAIL_STRENGTH, steps=steps, seed=(painting.seed + number) % 2**32)


def _sized(picture: RGB, size: tuple[int, int]) -> RGB:
    if picture.shape[1::-1] == size:
        return picture
    smaller = size[0] <= picture.shape[1] and size[1] <= picture.shape[0]
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA if smaller else cv2.INTER_LANCZOS4), np.uint8)


def _sized_mask(mask: Mask, size: tuple[int, int]) -> Mask:
    return np.where(cv2.resize(mask, size, interpolation=cv2.INTER_AREA) > 0, 255, 0).astype(np.uint8)


def _sized_control(control: Mask | None, size: tuple[int, int]) -> Mask | None:
    return None if control is None else scaled(control, size)


def _over(original: RGB, painted: RGB, mask: Mask) -> RGB:
    return np.where(mask[..., None] > 0, painted, original).astype(np.uint8)
