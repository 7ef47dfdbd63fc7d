"""Picture files: their names, and how they are encoded."""

import re
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from services.aesthetics.params import PictureParams
from shared.errors import OperationFailed, TooLarge
from shared.media.picture_zip import MOST_PICTURE_BYTES
from shared.media.types import picture_type
from shared.video import Picture

_HEAD_BYTES = 32
_MOST_PIXELS = {"jpg": 65_500, "webp": 16_383}
"""Pixels of the longer side that a format can hold."""


def file_of(picture: Picture, params: PictureParams) -> bytes:
    """A picture file in the format asked for: as it is, where it is upright and in that format already, or else encoded anew.

    PNG and WebP keep its transparency, JPEG shows it on white. Files beyond MOST_PICTURE_BYTES, whatever lies in them behind the picture,
    are not read whole. Raises BrokenMedia, TooLarge.
    """
    whole = picture.entry is not None or picture.source.stat().st_size <= MOST_PICTURE_BYTES
    data = picture.data() if whole else b""
    kind = picture_type(data[:_HEAD_BYTES])
    if kind is not None and kind.suffix == f".{params.format}" and picture.stored_upright():
        return data
    with picture.image(alpha=params.format != "jpg") as image:
        return encoded(np.asarray(image), params)


def encoded(picture: NDArray[np.uint8], params: PictureParams) -> bytes:
    """A picture (height, width, 3 or 4), R, G, B and alpha, as a file in the format asked for; TooLarge where that cannot hold it."""
    most = _MOST_PIXELS.get(params.format)
    height, width, channels = picture.shape
    if most is not None and max(height, width) > most:
        raise TooLarge(f"A picture of {width}x{height} does not fit into {params.format}: choose `format` png.")
    options = {
        "jpg": [cv2.IMWRITE_JPEG_QUALITY, params.quality, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444],
        "webp": [cv2.IMWRITE_WEBP_QUALITY, params.quality],
        "png": [cv2.IMWRITE_PNG_COMPRESSION, 3],
    }[params.format]
    order = cv2.COLOR_RGBA2BGRA if channels == 4 else cv2.COLOR_RGB2BGR
    done, data = cv2.imencode(f".{params.format}", cv2.cvtColor(picture, order), options)
    if not done:
        raise OperationFailed(f"A picture of {width}x{height} could not be encoded as {params.format}.")
    return data.tobytes()


class Names:
    """Names for pictures, each once: of their source, in plain letters, and their time."""

    def __init__(self, params: PictureParams):
        self._suffix = params.format
        self._taken: set[str] = set()

    def of(self, source: Path | str, time_s: float | None = None) -> str:
        """A name such as `clip-0012.345s.jpg`, or `photo.jpg` where there is no time; numbered where it is taken."""
        plain = re.sub(r"[^A-Za-z0-9_-]+", "-", Path(source).stem).strip("-")[:80] or "picture"
        stem = plain if time_s is None else f"{plain}-{time_s:08.3f}s"
        name, number = f"{stem}.{self._suffix}", 2
        while name in self._taken:
            name, number = f"{stem}-{number}.{self._suffix}", number + 1
        self._taken.add(name)
        return name
