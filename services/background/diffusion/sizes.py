"""Sizes for diffusion models, and tiles of larger pictures."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

MULTIPLE = 8
"""Divisor of the width and height of painted pictures. A model works on an eighth of the picture's width and height (latents)."""
_MAX_AREA = 1.5
"""Largest area that a model paints well, relative to its training pictures."""
_OVERLAP = 0.25  # minimum share of a tile's side that the next tile overlaps


@dataclass(frozen=True, slots=True)
class Tile:
    """A rectangle of a picture, in pixels."""

    left: int
    top: int
    width: int
    height: int

    @property
    def place(self) -> tuple[slice, slice]:
        """The tile's rows and columns in the picture."""
        return slice(self.top, self.top + self.height), slice(self.left, self.left + self.width)


def painted_size(width: int, height: int, side: int) -> tuple[int, int]:
    """Return the size at which a model paints a picture.

    `side`: side in pixels of the squares that the model was trained on. Width and height of the result are multiples of 8, its area is at
    most 1.5 times the square's, and its shape is that of `width` x `height` up to rounding.
    """
    factor = min(math.sqrt(_MAX_AREA * side * side / (width * height)), 1.0)
    return _multiple(width * factor), _multiple(height * factor)


def tiles(width: int, height: int, side: int) -> list[Tile]:
    """Cover a picture with overlapping tiles.

    Tiles have at most `side` x `side` pixels. `width` and `height` of the picture are multiples of 8.
    """
    across, down = _starts(width, side), _starts(height, side)
    return [Tile(left, top, min(side, width), min(side, height)) for top in down for left in across]


def feather(tile: Tile, width: int, height: int) -> NDArray[np.float32]:
    """Return blending weights for a tile's pixels.

    `width`, `height`: size of the picture. Returns float32 (tile height, tile width): 1 in the middle, falling to almost 0 at edges that
    another tile overlaps.
    """
    across = _ramp(tile.width, before=tile.left > 0, after=tile.left + tile.width < width)
    down = _ramp(tile.height, before=tile.top > 0, after=tile.top + tile.height < height)
    return np.asarray(down[:, None] * across, np.float32)


def _multiple(length: float) -> int:
    return max(round(length / MULTIPLE), 1) * MULTIPLE


def _starts(length: int, side: int) -> list[int]:
    if length <= side:
        return [0]
    count = math.ceil((length - side) / (side * (1 - _OVERLAP))) + 1
    last = length - side
    return [round(number * last / (count - 1) / MULTIPLE) * MULTIPLE for number in range(count - 1)] + [last]


def _ramp(length: int, *, before: bool, after: bool) -> NDArray[np.float32]:
    reach = max(round(length * _OVERLAP), 1)
    rise = np.minimum((np.arange(length) + 1) / (reach + 1), 1)
    return ((rise if before else 1) * (rise[::-1] if after else 1) * np.ones(length)).astype(np.float32)
