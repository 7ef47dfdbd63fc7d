"""Parts of planes, and what belongs to them in the small pictures."""

import math
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from services.speed_ramp.picture.flow.vectors import ALIGNED, Field

_ROWS = 60  # samples, about: lower strips cost more calls, higher ones leave the processor's cache

Picture = NDArray[Any]


@dataclass(frozen=True, slots=True)
class Raster:
    """How planes lie on the small pictures: their `size` in samples, and how many samples a small pixel is; both down, then across."""

    size: tuple[int, int]
    scale: tuple[float, float]

    @property
    def margin(self) -> int:
        """How many small pixels are needed around a part to enlarge it: one, or as few as are whole samples."""
        return next(count for count in (1, 2, ALIGNED) if all((count * by).is_integer() for by in self.scale))

    def padded(self, field: Field) -> Field:
        """A field of the small pictures that goes on in a margin around it."""
        return cv2.copyMakeBorder(field, *[self.margin] * 4, cv2.BORDER_REPLICATE)

    def places(self, shape: tuple[int, ...]) -> Field:
        """Where the pixels of a field of `shape` lie once it is padded, x and y in samples."""
        axes = (np.arange(-self.margin, length + self.margin, dtype=np.float32) for length in shape[:2])
        y, x = ((axis + np.float32(0.5)) * np.float32(scale) - np.float32(0.5) for axis, scale in zip(axes, self.scale, strict=True))
        return cv2.merge(np.broadcast_arrays(x, y[:, None]))

    def scaled(self, vectors: Field) -> Field:
        """A padded field of vectors in samples."""
        across = np.tile(np.float32(self.scale[::-1]), vectors.shape[1])
        return (vectors.reshape(len(vectors), -1) * across).reshape(vectors.shape)

    @property
    def step(self) -> int:
        """How many small pixels high a strip is: whole samples."""
        return max(round(_ROWS / self.scale[0] / ALIGNED), 1) * ALIGNED

    @property
    def strips(self) -> int:
        """How many strips there are."""
        return math.ceil(self.size[0] / self.scale[0] / self.step)

    def blocks(self, seen: NDArray[np.bool_] | None) -> NDArray[np.bool_]:
        """(strips, columns of ALIGNED small pixels): whether anything there, or next to it, is `seen`; all if it is None."""
        wide = math.ceil(self.size[1] / self.scale[1] / ALIGNED)
        if seen is None:
            return np.ones((self.strips, wide), np.bool_)
        # Enlarged, a pixel reaches half a pixel further.
        around = cv2.dilate(seen.view(np.uint8), np.ones((3, 3), np.uint8))[:, : wide * ALIGNED]
        strips = np.maximum.reduceat(around, np.arange(self.strips) * self.step)
        return strips.reshape(self.strips, wide, ALIGNED).max(axis=2) > 0

    def areas(self, blocks: NDArray[np.bool_]) -> list["Area | None"]:
        """For each strip the area of its `blocks`, if there are any."""
        found: list[Area | None] = []
        for strip, changes in enumerate(np.diff(blocks, prepend=False, append=False, axis=1)):
            ends = (np.flatnonzero(changes) * ALIGNED).tolist()
            found.append(Area(self, strip * self.step, list(zip(ends[::2], ends[1::2], strict=True))) if ends else None)
        return found


class Area:
    """A strip of planes, or some of its columns pushed together to one picture."""

    def __init__(self, raster: Raster, top: int, runs: list[tuple[int, int]]) -> None:
        (height, width), (down, across), margin = raster.size, raster.scale, raster.margin
        bottom = top + raster.step
        self._scale, self._top, self._left = raster.scale, round(margin * down), round(margin * across)
        self._rows = slice(round(top * down), min(round(bottom * down), height))
        self._runs = [slice(round(start * across), min(round(stop * across), width)) for start, stop in runs]
        # Padded fields start a margin earlier.
        self._around = [(slice(top, bottom + 2 * margin), slice(start, stop + 2 * margin)) for start, stop in runs]

    def of(self, plane: Picture) -> Picture:
        """What is there of a plane."""
        return _joined([plane[self._rows, run] for run in self._runs])

    def put(self, picture: Picture, plane: Picture) -> None:
        """Puts it there."""
        start = 0
        for run in self._runs:
            stop = start + run.stop - run.start
            plane[self._rows, run] = picture[:, start:stop]
            start = stop

    def enlarged(self, field: Field) -> Field:
        """What is there of a padded field, in samples."""
        small = [field[around] for around in self._around]
        large = cv2.resize(_joined(small), None, fx=self._scale[1], fy=self._scale[0], interpolation=cv2.INTER_LINEAR)
        large, start, parts = large[self._top : self._top + self._rows.stop - self._rows.start], self._left, []
        for part, run in zip(small, self._runs, strict=True):
            parts.append(large[:, start : start + run.stop - run.start])
            start += round(part.shape[1] * self._scale[1])
        return _joined(parts)


def _joined(parts: list[Picture]) -> Picture:
    return parts[0] if len(parts) == 1 else cv2.hconcat(parts)
