"""Image files of keyframes, full-size and as thumbnails."""

from pathlib import Path
from typing import Any, Literal

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

ImageFormat = Literal["jpeg", "png", "webp"]

SUFFIXES: dict[ImageFormat, str] = {"jpeg": ".jpg", "png": ".png", "webp": ".webp"}
_THUMBNAIL_QUALITY = 82


def write_image(rgb: NDArray[np.uint8], path: Path, image_format: ImageFormat, quality: int) -> None:
    """Write a picture as an image file.

    `rgb`: (h, w, 3) uint8. `quality`: 1 to 100, for JPEG and WebP.
    """
    options: dict[ImageFormat, dict[str, Any]] = {"jpeg": {"quality": quality, "subsampling": 0}, "webp": {"quality": quality}, "png": {}}
    Image.fromarray(rgb).save(path, image_format.upper(), **options[image_format])


def write_thumbnail(rgb: NDArray[np.uint8], path: Path, most_width: int) -> None:
    """Write a picture as a small JPEG.

    `rgb`: (h, w, 3) uint8. `most_width`: largest width in pixels.
    """
    width = min(most_width, rgb.shape[1])
    height = max(round(rgb.shape[0] * width / rgb.shape[1]), 1)
    small = cv2.resize(rgb, (width, height), interpolation=cv2.INTER_AREA)
    Image.fromarray(small).save(path, "JPEG", quality=_THUMBNAIL_QUALITY)
