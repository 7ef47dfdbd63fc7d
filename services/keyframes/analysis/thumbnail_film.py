"""Film of thumbnails: all scanned frames at 32x18 pixels, in a file.

Even a video of hours takes little memory. Any thumbnail can be read again without decoding the video.
"""

from array import array
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

import cv2
import numpy as np
from numpy.typing import NDArray

from services.keyframes.analysis.small_frame import SmallFrame, shrink
from shared.video import Frame

WIDTH, HEIGHT = 32, 18
BYTES = 3 * WIDTH * HEIGHT

Planes = NDArray[np.uint8]
_LOOKED_AT = 200  # minimum number of thumbnails in which black bars are searched for; a shorter film is searched as a whole
_BLACK = 26  # brightest level of a black bar: black is 16, and pixels at its edge hold some of the picture


def thumbnail(small: SmallFrame) -> Planes:
    """Shrink a small frame to a 32x18 thumbnail.

    Returns (3, HEIGHT, WIDTH) uint8: Y, U, V. The aspect ratio is not kept.
    """
    return np.stack([_shrink(plane) for plane in (small.y, small.u, small.v)])


def frame_thumbnail(frame: Frame) -> Planes:
    """Shrink a decoded frame to a 32x18 thumbnail.

    Returns (3, HEIGHT, WIDTH) uint8: Y, U, V.
    """
    return thumbnail(shrink(frame, (2 * WIDTH, 2 * HEIGHT)))


def _shrink(plane: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.asarray(cv2.resize(plane, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA), np.uint8)


class StoredPlanes:
    """Thumbnails stored in a file and read slice by slice.

    The file is not memory-mapped, because a mapped file counts in full towards the memory limit of a worker.
    """

    def __init__(self, path: Path, count: int):
        self._path, self._count = path, count

    def __getitem__(self, places: slice) -> Planes:
        start, stop, _ = places.indices(self._count)
        count = max(stop - start, 0)
        return np.fromfile(self._path, np.uint8, count * BYTES, offset=start * BYTES).reshape(count, 3, HEIGHT, WIDTH)


@dataclass(frozen=True, slots=True)
class ThumbnailFilm:
    """Thumbnails of a video's n scanned frames.

    `planes`: (n, 3, HEIGHT, WIDTH) uint8, to be sliced. `frames`: (n,) frame numbers, rising. A *place* is an index into `planes` and
    `frames`. `rows`, `columns`: the picture inside the black bars, as the first row and the row after the last.
    """

    planes: Planes | StoredPlanes
    frames: NDArray[np.int64]
    rows: tuple[int, int] = (0, HEIGHT)
    columns: tuple[int, int] = (0, WIDTH)
    plane_numbers: NDArray[np.int64] | None = None
    """Index of each of the film's thumbnails in `planes`, (n,). None if all thumbnails of `planes` belong to the film."""

    held: NDArray[np.bool_] | None = None
    """Whether each thumbnail is a copy of the previous thumbnail, (n,). A copy stands for a frame that was skipped. None if there is
    no copy."""

    def __len__(self) -> int:
        return len(self.frames)

    @property
    def picture_box(self) -> tuple[float, float, float, float]:
        """Part of a frame that surely lies inside the black bars.

        Top, bottom, left and right as shares of height and width, 0 to 1.
        The outermost pixels of the picture are left out beside a bar, because they may hold some of it.
        """
        (top, bottom), (left, right) = self.rows, self.columns
        top, left = top + (top > 0), left + (left > 0)
        bottom, right = bottom - (bottom < HEIGHT), right - (right < WIDTH)
        return top / HEIGHT, bottom / HEIGHT, left / WIDTH, right / WIDTH

    def block(self, start: int, stop: int) -> Planes:
        """Read thumbnails `start` to `stop` - 1, without black bars.

        Returns (m, 3, HEIGHT, WIDTH) uint8.
        """
        start, stop = max(start, 0), min(stop, len(self))
        if self.plane_numbers is None or start >= stop:
            planes: Planes = self.planes[start:stop]
        else:
            places = self.plane_numbers[start:stop]
            planes = self.planes[int(places[0]) : int(places[-1]) + 1][places - places[0]]
        if not len(planes) or (self.rows, self.columns) == ((0, HEIGHT), (0, WIDTH)):
            return planes
        part = np.ascontiguousarray(planes[:, :, slice(*self.rows), slice(*self.columns)])
        return np.stack([[_shrink(plane) for plane in frame] for frame in part])

    def at(self, place: int) -> Planes:
        """Read the thumbnail at index `place`, without black bars.

        Returns (3, HEIGHT, WIDTH) uint8.
        """
        planes: Planes = self.block(place, place + 1)[0]
        return planes

    def without(self, places: Iterable[int]) -> "ThumbnailFilm":
        """Return the film without the thumbnails at `places`."""
        survivors = np.setdiff1d(np.arange(len(self)), np.fromiter(places, np.int64))
        return replace(
            self,
            frames=self.frames[survivors],
            plane_numbers=survivors if self.plane_numbers is None else self.plane_numbers[survivors],
            held=None if self.held is None else self.held[survivors],
        )

    def without_bars(self) -> "ThumbnailFilm":
        """Return the film with its black bars cropped.

        Bars are rows and columns at the edges that stay black.
        """
        step = len(self) // _LOOKED_AT
        # Reading all thumbnails at once is quicker than one by one.
        luma = (
            self.planes[: len(self)][:, 0] if step <= 1 else [self.planes[place : place + 1][0, 0] for place in range(0, len(self), step)]
        )
        brightest = np.percentile(luma, 95, axis=0) if len(luma) else np.full((HEIGHT, WIDTH), 255)
        rows, columns = np.flatnonzero(brightest.max(axis=1) > _BLACK), np.flatnonzero(brightest.max(axis=0) > _BLACK)
        if len(rows) < HEIGHT // 3 or len(columns) < WIDTH // 3:
            return self
        return replace(self, rows=(int(rows[0]), int(rows[-1]) + 1), columns=(int(columns[0]), int(columns[-1]) + 1))


class ThumbnailFile:
    """File to which thumbnails are written.

    Use it as a context manager. Of the thumbnails, only the frame numbers and copy marks stay in memory.
    """

    def __init__(self, path: Path):
        self._path = path
        self._file: BinaryIO = path.open("wb")
        self._frames, self._held = array("q"), array("b")

    def add(self, planes: Planes, frame: int, *, held: bool = False) -> None:
        """Append `planes`, the thumbnail of frame number `frame`.

        `held`: whether `planes` is a copy of another thumbnail, because the scan skipped the frame.
        """
        self._file.write(planes.tobytes())
        self._frames.append(frame)
        self._held.append(held)

    def __enter__(self) -> "ThumbnailFile":
        return self

    def __exit__(self, *error: object) -> None:
        self._file.close()

    def film(self) -> ThumbnailFilm:
        """Return a film of all thumbnails added so far.

        The film is readable as long as the file exists.
        """
        self._file.flush()
        held = np.array(self._held, dtype=bool)
        return ThumbnailFilm(StoredPlanes(self._path, len(self._frames)), np.array(self._frames), held=held if held.any() else None)


def film_of(thumbnails: Iterable[Planes]) -> ThumbnailFilm:
    """Create an in-memory film from consecutive thumbnails."""
    planes = np.stack(list(thumbnails))
    return ThumbnailFilm(planes, np.arange(len(planes)))
