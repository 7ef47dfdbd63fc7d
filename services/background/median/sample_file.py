"""Temporary file of aligned samples, stored in bands of rows."""

import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np

from services.background.median.masked_median import Plane, Samples

BAND_ROWS = 16
"""Rows of luma in a band. A band of 200 samples at 1080p takes 6 MB."""


@dataclass(frozen=True, slots=True, eq=False)
class Band:
    """Rows `top` to `top + rows` of all samples.

    `samples`: uint8 (samples, rows * width).
    """

    top: int
    rows: int
    samples: Samples


class SampleFile:
    """Temporary file of up to `capacity` samples, read band by band.

    A sample is Y, U and V planes (4:2:0) of `width` x `height` pixels. `folder`: folder of the unnamed temporary file; None takes the
    system's. Use it as a context manager.
    """

    def __init__(self, width: int, height: int, capacity: int, *, folder: Path | None = None) -> None:
        chroma = (height + 1) // 2, (width + 1) // 2
        self.shapes = ((height, width), chroma, chroma)
        self.count = 0
        self._capacity = capacity
        self._file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 (closed in __exit__)
        sizes = [rows * columns * capacity for rows, columns in self.shapes]
        self._starts = (0, sizes[0], sizes[0] + sizes[1])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._file.close()

    def add(self, planes: tuple[Plane, Plane, Plane]) -> None:
        """Append a sample's uint8 planes; masked pixels are NO_SAMPLE."""
        if self.count == self._capacity:
            raise ValueError(f"the file holds {self._capacity} samples already")
        for number, plane in enumerate(planes):
            width = self.shapes[number][1]
            for top, rows in self._rows(number):
                offset = self._starts[number] + top * width * self._capacity + self.count * rows * width
                os.pwrite(self._file.fileno(), plane[top : top + rows].tobytes(), offset)
        self.count += 1

    def bands(self, number: int) -> Iterator[Band]:
        """Yield the bands of plane `number` from top to bottom.

        `number`: 0 is luma.
        """
        width = self.shapes[number][1]
        for top, rows in self._rows(number):
            data = os.pread(self._file.fileno(), self.count * rows * width, self._starts[number] + top * width * self._capacity)
            yield Band(top, rows, np.frombuffer(data, np.uint8).reshape(self.count, rows * width))

    def _rows(self, number: int) -> Iterator[tuple[int, int]]:
        height = self.shapes[number][0]
        step = BAND_ROWS if number == 0 else BAND_ROWS // 2
        for top in range(0, height, step):
            yield top, min(step, height - top)
