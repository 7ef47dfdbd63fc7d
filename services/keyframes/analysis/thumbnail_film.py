"""Frames so small that a film of hours fits into a file, in which any of them can be looked at again."""

from array import array
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO

import cv2
import numpy as np
from numpy.typing import NDArray

from services.keyframes.analysis.small_frame import Small, shrink
from shared.video import Frame

WIDTH, HEIGHT = 32, 18
BYTES = 3 * WIDTH * HEIGHT

Planes = NDArray[np.uint8]


def tiny(small: Small) -> Planes:
    """A frame as (3, HEIGHT, WIDTH): Y, U, V, averaged, whatever its shape was."""
    return np.stack([cv2.resize(plane, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA) for plane in (small.y, small.u, small.v)])


def tiny_frame(frame: Frame) -> Planes:
    """A frame that nothing but this is wanted of, as `tiny` has it."""
    return tiny(shrink(frame, (2 * WIDTH, 2 * HEIGHT)))


@dataclass(frozen=True, slots=True)
class TinyFilm:
    """The frames that were looked at. `planes`: (n, 3, HEIGHT, WIDTH) uint8, an array or a file, to be sliced; `frames`: (n,) their
    numbers, rising.

    `rows`, `columns`: first of, and first after, the part of the picture that is not black bars.
    """

    planes: Any
    frames: NDArray[np.int64]
    rows: tuple[int, int] = (0, HEIGHT)
    columns: tuple[int, int] = (0, WIDTH)

    def __len__(self) -> int:
        return len(self.frames)

    def block(self, start: int, stop: int) -> Planes:
        """The frames `start` to `stop` (places in the film, not numbers) as (m, 3, HEIGHT, WIDTH), without bars."""
        planes = np.asarray(self.planes[max(start, 0) : stop])
        if not len(planes) or (self.rows, self.columns) == ((0, HEIGHT), (0, WIDTH)):
            return planes
        part = np.ascontiguousarray(planes[:, :, slice(*self.rows), slice(*self.columns)])
        return np.stack([[cv2.resize(plane, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA) for plane in frame] for frame in part])

    def at(self, place: int) -> Planes:
        """One frame (3, HEIGHT, WIDTH), without bars."""
        return self.block(place, place + 1)[0]

    def without_bars(self) -> "TinyFilm":
        """This film without rows and columns at its edges that are black throughout."""
        luma = [self.planes[place : place + 1][0, 0] for place in range(0, len(self), max(len(self) // 200, 1))]
        seen = np.percentile(luma, 95, axis=0) if luma else np.full((HEIGHT, WIDTH), 255)
        # Black is 16; what is next to it may be partly of the picture.
        rows, columns = np.flatnonzero(seen.max(axis=1) > 26), np.flatnonzero(seen.max(axis=0) > 26)
        if len(rows) < HEIGHT // 3 or len(columns) < WIDTH // 3:
            return self
        return replace(self, rows=(int(rows[0]), int(rows[-1]) + 1), columns=(int(columns[0]), int(columns[-1]) + 1))


class TinyFile:
    """A file that tiny frames are added to, used as a context manager; memory does not grow with it."""

    def __init__(self, path: Path):
        self._path = path
        self._file: BinaryIO = path.open("wb")
        self._frames = array("q")

    def add(self, planes: Planes, frame: int) -> None:
        """Add the tiny frame of frame number `frame`."""
        self._file.write(planes.tobytes())
        self._frames.append(frame)

    def __enter__(self) -> "TinyFile":
        return self

    def __exit__(self, *error: object) -> None:
        self._file.close()

    def film(self) -> TinyFilm:
        """What was added."""
        self._file.flush()
        return TinyFilm(_Stored(self._path, len(self._frames)), np.array(self._frames))


class _Stored:
    """Planes in a file, read as they are asked for: a mapping of the file would count as memory in full."""

    def __init__(self, path: Path, count: int):
        self._path, self._count = path, count

    def __getitem__(self, places: slice) -> Planes:
        start, stop, _ = places.indices(self._count)
        count = max(stop - start, 0)
        return np.fromfile(self._path, np.uint8, count * BYTES, offset=start * BYTES).reshape(count, 3, HEIGHT, WIDTH)


def film_of(pictures: Iterable[Planes]) -> TinyFilm:
    """A film from tiny frames that follow each other."""
    planes = np.stack(list(pictures))
    return TinyFilm(planes, np.arange(len(planes)))
