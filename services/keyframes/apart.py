"""How far apart two frames are: whether they can be of the same shot, whatever moved between them."""

from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from services.keyframes.tiny import HEIGHT, WIDTH, Planes

# Of 32x18 pixels: as far as a fast pan goes between two frames, and blocks that hold enough to be recognised.
_REACH_X, _REACH_Y = 7, 3
_BLOCK_H, _BLOCK_W = 6, 4
# Added to the contrast that changes are measured against, so that noise in a flat picture is none.
NOISE = 4.0
_WIDTHS = 16, 8, 8  # levels of Y, U, V by which a pixel has to change to count in full


@dataclass(frozen=True, slots=True)
class Apart:
    """Two frames compared. Everything is relative to the pictures' contrast, or a share, so that a dark film is like a light one."""

    still: float
    """Mean change of brightness at the same place."""
    moved: float
    """The same after each block has been looked for in the neighbourhood: what motion does not explain."""
    light: float
    """Share of the picture whose brightness is another one, 0 to 1."""
    color: float
    """Share of the picture whose colour is another one, 0 to 1."""

    @property
    def distance(self) -> float:
        """All of it in one number: 0 for the same picture, about 0.45 and more for two shots."""
        return self.moved + 0.5 * self.light + self.color


def apart(before: Planes, after: Planes) -> Apart:
    """Compare two tiny frames (3, 18, 32)."""
    contrast = (float(before[0].std()) + float(after[0].std())) / 2 + NOISE
    still, moved = _block_change(before[0], after[0])
    light, first, second = (shares(plane_a, plane_b, width) for plane_a, plane_b, width in zip(before, after, _WIDTHS, strict=True))
    return Apart(still=still / contrast, moved=moved / contrast, light=light, color=(first + second) / 2)


def shares(before: NDArray[np.uint8], after: NDArray[np.uint8], width: int) -> float:
    """The share of pixels that would have to change to get from one histogram to the other. A change by fewer than `width` levels counts
    in proportion: what coding, exposure or a fade shift a little all over is not another picture."""
    change = np.bincount(after.ravel(), minlength=256) - np.bincount(before.ravel(), minlength=256)
    so_far = np.concatenate([np.zeros(width), np.cumsum(change), np.zeros(width)])
    return float(np.abs(so_far[width:] - so_far[:-width]).sum()) / width / 2 / before.size


def _block_change(before: NDArray[np.uint8], after: NDArray[np.uint8]) -> tuple[float, float]:
    """Mean change of blocks of luma: at the same place, and at the place near it that fits best."""
    padded = np.pad(before.astype(np.int16), ((_REACH_Y, _REACH_Y), (_REACH_X, _REACH_X)), mode="edge")
    shifted = sliding_window_view(padded, (HEIGHT, WIDTH))
    change = np.abs(shifted - after.astype(np.int16))
    rows, columns = HEIGHT // _BLOCK_H, WIDTH // _BLOCK_W
    blocks = change.reshape(-1, rows, _BLOCK_H, columns, _BLOCK_W).sum(axis=(2, 4), dtype=np.int32).reshape(-1, rows * columns)
    area = _BLOCK_H * _BLOCK_W
    return float(blocks[len(blocks) // 2].mean()) / area, float(blocks.min(axis=0).mean()) / area
