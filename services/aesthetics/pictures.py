"""Picture files: their names, and how they are encoded."""

import re
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from services.aesthetics.params import PictureParams
from shared.errors import OperationFailed, TooLarge

_MOST_PIXELS = {"jpg": 65_500, "webp": 16_383}
"""Pixels of the longer side that a format can hold."""


def encoded(rgb: NDArray[np.uint8], params: PictureParams) -> bytes:
    """A picture (height, width, 3), R, G, B, as a file in the format asked for. Raises TooLarge where the format cannot hold it."""
    most = _MOST_PIXELS.get(params.format)
    if most is not None and max(rgb.shape[:2]) > most:
        raise TooLarge(f"A picture of {rgb.shape[1]}x{rgb.shape[0]} does not fit into {params.format}: choose `format` png.")
    options = {
        "jpg": [cv2.IMWRITE_JPEG_QUALITY, params.quality, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444],
        "webp": [cv2.IMWRITE_WEBP_QUALITY, params.quality],
        "png": [cv2.IMWRITE_PNG_COMPRESSION, 3],
    }[params.format]
    done, data = cv2.imencode(f".{params.format}", cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR), options)
    if not done:
        raise OperationFailed(f"A picture of {rgb.shape[1]}x{rgb.shape[0]} could not be encoded as {params.format}.")
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
