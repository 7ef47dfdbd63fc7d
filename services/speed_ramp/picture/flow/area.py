"""Division of full-size planes into strips and areas.

A strip is a band of rows; an area holds selected columns of a strip. A small pixel is a pixel of the motion field.
"""

import math
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from services.speed_ramp.picture.flow.vectors import ALIGNED, Field

_ROWS = 60  # approximate height of a strip in samples: lower strips cost more calls, higher ones do not fit the processor's cache

Picture = NDArray[Any]


@dataclass(frozen=True, slots=True)
class Raster:
    """Size of planes, and their scale relative to the motion field.

    `size`: (height, width) of the planes in samples. `scale`: samples per small pixel, (down, across).
    """

    size: tuple[int, int]
    scale: tuple[float, float]

    @property
    def margin(self) -> int:
        """Margin for upsampling an area, in pixels of the motion field.

        It is at least one pixel, and covers whole samples.
        """
        return next(count for count in (1, 2, ALIGNED) if all((count * by).is_integer() for by in self.scale))

    def padded(self, field: Field) -> Field:
        """Pad a motion field by the margin.

        Edge pixels are repeated.
        """
        margin = self.margin
        return np.asarray(cv2.copyMakeBorder(field, margin, margin, margin, margin, cv2.BORDER_REPLICATE), np.float32)

    def places(self, shape: tuple[int, ...]) -> Field:
        """Return the plane coordinates of a padded field's pixels.

        x and y for each pixel; `shape`: the field's.
        """
        axes = (np.arange(-self.margin, length + self.margin, dtype=np.float32) for length in shape[:2])
        y, x = ((axis + np.float32(0.5)) * np.float32(scale) - np.float32(0.5) for axis, scale in zip(axes, self.scale, strict=True))
        return np.asarray(cv2.merge(np.broadcast_arrays(x, y[:, None])), np.float32)

    def scaled(self, vectors: Field) -> Field:
        """Scale padded motion vectors from field pixels to plane samples."""
        across = np.tile(np.array(self.scale[::-1], np.float32), vectors.shape[1])
        return (vectors.reshape(len(vectors), -1) * across).reshape(vectors.shape)

    @property
    def step(self) -> int:
        """Height of a strip, in pixels of the motion field.

        A strip covers whole samples.
        """
        return max(round(_ROWS / self.scale[0] / ALIGNED), 1) * ALIGNED

    @property
    def strips(self) -> int:
        """Number of strips that cover a plane."""
        return math.ceil(self.size[0] / self.scale[0] / self.step)

    def blocks(self, visible: NDArray[np.bool_] | None) -> NDArray[np.bool_]:
        """Return a mask of the blocks that contain or touch a `visible` pixel.

        `visible`: None for all blocks. Returns bool (strips, columns of ALIGNED small pixels).
        """
        wide = math.ceil(self.size[1] / self.scale[1] / ALIGNED)
        if visible is None:
            return np.ones((self.strips, wide), np.bool_)
        # An enlarged pixel reaches half a pixel further.
        around = cv2.dilate(visible.view(np.uint8), np.ones((3, 3), np.uint8))[:, : wide * ALIGNED]
        strips = np.maximum.reduceat(around, np.arange(self.strips) * self.step)
        blocks: NDArray[np.bool_] = strips.reshape(self.strips, wide, ALIGNED).max(axis=2) > 0
        return blocks

    def areas(self, blocks: NDArray[np.bool_]) -> list["Area | None"]:
        """Join the marked blocks of each strip to one area.

        Returns None for a strip without marked blocks.
        """
        areas: list[Area | None] = []
        for strip, changes in enumerate(np.diff(blocks, prepend=False, append=False, axis=1)):
            ends = (np.flatnonzero(changes) * ALIGNED).tolist()
            areas.append(Area(self, strip * self.step, list(zip(ends[::2], ends[1::2], strict=True))) if ends else None)
        return areas


class Area:
    """Selected columns of a strip, joined into one picture.

    The columns between them are left out.
    """

    def __init__(self, raster: Raster, top: int, runs: list[tuple[int, int]]) -> None:
        (height, width), (down, across), margin = raster.size, raster.scale, raster.margin
        bottom = top + raster.step
        self._scale, self._top, self._left = raster.scale, round(margin * down), round(margin * across)
        self._rows = slice(round(top * down), min(round(bottom * down), height))
        self._runs = [slice(round(start * across), min(round(stop * across), width)) for start, stop in runs]
        # Padded fields start a margin earlier.
        self._around = [(slice(top, bottom + 2 * margin), slice(start, stop + 2 * margin)) for start, stop in runs]

    def of(self, plane: Picture) -> Picture:
        """Copy the area out of a plane."""
        return _joined([plane[self._rows, run] for run in self._runs])

    def put(self, picture: Picture, plane: Picture) -> None:
        """Write `picture` to the area of a plane."""
        start = 0
        for run in self._runs:
            stop = start + run.stop - run.start
            plane[self._rows, run] = picture[:, start:stop]
            start = stop

    def enlarged(self, field: Field) -> Field:
        """Upsample the area's part of a padded field."""
        small = [field[around] for around in self._around]
        large = cv2.resize(_joined(small), None, fx=self._scale[1], fy=self._scale[0], interpolation=cv2.INTER_LINEAR)
        large, start, parts = large[self._top : self._top + self._rows.stop - self._rows.start], self._left, []
        for part, run in zip(small, self._runs, strict=True):
            parts.append(large[:, start : start + run.stop - run.start])
            start += round(part.shape[1] * self._scale[1])
        return _joined(parts)


def _joined(parts: list[Picture]) -> Picture:
    """Join pictures horizontally."""
    return parts[0] if len(parts) == 1 else cv2.hconcat(parts)
