"""Encoding and naming of picture files."""

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from services.aesthetics.reading.picture_formats import PICTURE_FORMATS, PictureParams
from shared.errors import OperationFailed, TooLarge
from shared.media.names import plain_stem
from shared.media.types import HEAD_BYTES, picture_type
from shared.media.zip_files.picture_zip import MOST_PICTURE_BYTES
from shared.video import Picture


def file_of(picture: Picture, params: PictureParams) -> bytes:
    """Return the contents of a picture's file, converted to the format of `params`.

    A file that is upright and in that format already is copied; others, and files larger than MOST_PICTURE_BYTES, are encoded anew. PNG and
    WebP keep transparency, JPEG shows it on white. Raises BrokenMedia and TooLarge.
    """
    readable = picture.entry is not None or picture.source.stat().st_size <= MOST_PICTURE_BYTES
    data = picture.data() if readable else b""
    kind = picture_type(data[:HEAD_BYTES])
    if kind is not None and kind.suffix == f".{params.format}" and picture.stored_upright():
        return data
    with picture.image(alpha=params.format != "jpg") as image:
        return encoded(np.asarray(image), params)


def encoded(picture: NDArray[np.uint8], params: PictureParams) -> bytes:
    """Encode the pixels `picture` in the format of `params`.

    `picture`: (height, width, 3 or 4) uint8 in the order R, G, B, A. Raises TooLarge if the format cannot hold a picture of this size,
    OperationFailed if it cannot be encoded.
    """
    row = PICTURE_FORMATS[params.format]
    height, width, channels = picture.shape
    if row.max_side is not None and max(height, width) > row.max_side:
        raise TooLarge(
            f"A picture of {width}x{height} is too large for {row.name}, which allows {row.max_side} pixels per side: choose `format` png."
        )
    order = cv2.COLOR_RGBA2BGRA if channels == 4 else cv2.COLOR_RGB2BGR
    succeeded, data = cv2.imencode(f".{row.name}", cv2.cvtColor(picture, order), row.options(params.quality))
    if not succeeded:
        raise OperationFailed(f"A picture of {width}x{height} could not be encoded as {row.name}.")
    return data.tobytes()


class PictureNames:
    """Generator of unique file names for pictures.

    A name consists of the source's name, the time and the suffix `suffix`. The source's name keeps letters of all scripts, digits and
    pictographs; other characters become hyphens.
    """

    def __init__(self, suffix: str) -> None:
        self._suffix = suffix
        self._names: set[str] = set()

    def of(self, source: Path | str, time_s: float | None = None) -> str:
        """Return a unique name such as `clip-0012.345s.jpg`.

        Without a time, the name is such as `photo.jpg`. A name that is taken already gets a number.
        """
        plain = plain_stem(Path(source).stem, default="picture")
        stem = plain if time_s is None else f"{plain}-{time_s:08.3f}s"
        name, number = f"{stem}.{self._suffix}", 2
        while name.casefold() in self._names:  # some file systems ignore case
            name, number = f"{stem}-{number}.{self._suffix}", number + 1
        self._names.add(name.casefold())
        return name
