"""How far apart two frames are: whether they can be of the same shot, whatever moved between them."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from services.keyframes.analysis.thumbnail_film import HEIGHT, WIDTH, Planes

# Of 32x18 pixels: as far as a fast pan goes between two frames, and blocks that hold enough to be recognised.
_REACH_X, _REACH_Y = 7, 3
_BLOCK_H, _BLOCK_W = 6, 4
# Added to the contrast that changes are measured against, so that noise in a flat picture is none.
NOISE = 4.0
_AT_ONCE = 256  # pairs: what they need stays in the cache
_WIDTHS = 16, 8, 8  # levels of Y, U, V by which a pixel has to change to count in full

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Apart:
    """Frames compared: (n,) each, of n pairs, or one number of one. Everything is relative to the pictures' contrast, or a share, so that
    a dark film is like a light one."""

    still: Floats
    """Mean change of brightness at the same place."""
    moved: Floats
    """The same after each block has been looked for in the neighbourhood: what motion does not explain."""
    light: Floats
    """Share of the picture whose brightness is another one, 0 to 1."""
    color: Floats
    """Share of the picture whose colour is another one, 0 to 1."""

    @property
    def distance(self) -> Floats:
        """All of it in one number: 0 for the same picture, about 0.45 and more for two shots."""
        return self.moved + 0.5 * self.light + self.color


def apart(before: Planes, after: Planes) -> Apart:
    """Compare two tiny frames (3, 18, 32), or n pairs (n, 3, 18, 32): many at once take a tenth of the time each."""
    if before.ndim == 3:
        return Apart(*(values[0] for values in _apart(before[None], after[None])))
    parts = [_apart(before[start : start + _AT_ONCE], after[start : start + _AT_ONCE]) for start in range(0, len(before), _AT_ONCE)]
    return Apart(*(np.concatenate(values) for values in zip(*parts, strict=True))) if parts else Apart(*np.empty((4, 0)))


def _apart(before: Planes, after: Planes) -> tuple[Floats, Floats, Floats, Floats]:
    contrast = (before[:, 0].std(axis=(1, 2)) + after[:, 0].std(axis=(1, 2))) / 2 + NOISE
    still, moved = _block_change(before[:, 0], after[:, 0])
    light, first, second = (_shares(before[:, plane], after[:, plane], width) for plane, width in enumerate(_WIDTHS))
    return still / contrast, moved / contrast, light, (first + second) / 2


def _shares(before: Planes, after: Planes, width: int) -> Floats:
    """The share of pixels that would have to change to get from one histogram to the other, of n planes each. A change by fewer than
    `width` levels counts in proportion: what coding, exposure or a fade shift a little all over is not another picture."""
    count = len(before)
    so_far = np.zeros((count, 256 + 2 * width))
    so_far[:, width : 256 + width] = np.cumsum(histograms(after) - histograms(before), axis=1)
    return np.abs(so_far[:, width:] - so_far[:, :-width]).sum(axis=1) / width / 2 / before[0].size


def histograms(planes: Planes) -> NDArray[np.int64]:
    """(n, 256): how many samples of each level n planes have."""
    count = len(planes)
    levels = planes.reshape(count, -1) + 256 * np.arange(count)[:, None]
    return np.bincount(levels.ravel(), minlength=256 * count).reshape(count, 256)


def _block_change(before: Planes, after: Planes) -> tuple[Floats, Floats]:
    """Mean change of blocks of n planes of luma: at the same place, and at the place near it that fits best."""
    # The pairs along the last axis: whatever is done to a pixel is done to that of all pairs in one go.
    padded = np.pad(np.moveaxis(before, 0, -1), ((_REACH_Y, _REACH_Y), (_REACH_X, _REACH_X), (0, 0)), mode="edge").astype(np.int16)
    wanted = np.ascontiguousarray(np.moveaxis(after, 0, -1)).astype(np.int16)
    rows, columns, area = HEIGHT // _BLOCK_H, WIDTH // _BLOCK_W, _BLOCK_H * _BLOCK_W
    best: Any = None
    still: Any = None
    for y in range(2 * _REACH_Y + 1):
        for x in range(2 * _REACH_X + 1):
            change = np.abs(padded[y : y + HEIGHT, x : x + WIDTH] - wanted)
            # A block's sum is 24 * 255 at most.
            blocks = change.reshape(rows, _BLOCK_H, columns, _BLOCK_W, -1).sum(axis=(1, 3), dtype=np.int16)
            best = blocks if best is None else np.minimum(best, blocks)
            still = blocks if (y, x) == (_REACH_Y, _REACH_X) else still
    return still.mean(axis=(0, 1)) / area, best.mean(axis=(0, 1)) / area
