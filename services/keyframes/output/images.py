"""Keyframes as picture files, in full size and as thumbnails."""

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from services.keyframes.params import DetectParams

SUFFIXES = {"jpeg": ".jpg", "png": ".png", "webp": ".webp"}


def write_picture(rgb: NDArray[np.uint8], path: Path, params: DetectParams) -> None:
    """Write a picture in the format that is asked for."""
    options = {"jpeg": {"quality": params.quality, "subsampling": 0}, "webp": {"quality": params.quality}, "png": {}}[params.format]
    Image.fromarray(rgb).save(path, params.format.upper(), **options)


def write_thumbnail(rgb: NDArray[np.uint8], path: Path, params: DetectParams) -> None:
    """Write a picture as a small JPEG."""
    width = min(params.thumbnail_width, rgb.shape[1])
    height = max(round(rgb.shape[0] * width / rgb.shape[1]), 1)
    Image.fromarray(cv2.resize(rgb, (width, height), interpolation=cv2.INTER_AREA)).save(path, "JPEG", quality=82)
