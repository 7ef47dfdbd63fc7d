"""Grid of named pictures."""

import math
from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

Rgb = NDArray[np.uint8]

_MAX_WIDTH, _MAX_HEIGHT = 3840, 2160
_CAPTION_SHARE, _MIN_CAPTION = 16, 18


class Grid:
    """Grid layout of `count` pictures of `width` x `height`.

    Tiles are scaled down if the whole would be larger than 4K.
    """

    def __init__(self, count: int, width: int, height: int) -> None:
        self.columns = min(count, 2 if count <= 4 else 3)
        rows = math.ceil(count / self.columns)
        factor = min(1.0, _MAX_WIDTH / (self.columns * width), _MAX_HEIGHT / (rows * height))
        self._tile = _even(width * factor), _even(height * factor)
        self._caption = _even(max(self._tile[1] / _CAPTION_SHARE, _MIN_CAPTION))
        self.width, self.height = self.columns * self._tile[0], rows * (self._tile[1] + self._caption)

    def draw(self, pictures: Sequence[Rgb], names: Sequence[str]) -> Rgb:
        """Draw pictures into the grid, each with its name above.

        `pictures`: each (h, w, 3). Returns (height, width, 3).
        """
        sheet = np.zeros((self.height, self.width, 3), np.uint8)
        wide, high = self._tile
        for number, (picture, name) in enumerate(zip(pictures, names, strict=True)):
            left, top = number % self.columns * wide, number // self.columns * (high + self._caption)
            bottom = top + self._caption
            scale = self._caption / 30
            place = (left + self._caption // 3, bottom - self._caption // 4)
            cv2.putText(sheet, name, place, cv2.FONT_HERSHEY_SIMPLEX, scale, (240, 240, 240), max(round(2 * scale), 1), cv2.LINE_AA)
            sheet[bottom : bottom + high, left : left + wide] = cv2.resize(picture, self._tile, interpolation=cv2.INTER_AREA)
        return sheet


def _even(value: float) -> int:
    return max(2 * round(value / 2), 2)
