"""Reading of the user's clean plate."""

from pathlib import Path

import numpy as np

from services.matting.backends.backend import Rgb
from shared.errors import Invalid
from shared.video import list_pictures
from shared.video.frames.scaling import scaled

_SAME_SHAPE = 0.03  # largest relative difference of two aspect ratios that count as equal


def plate_picture(path: Path, width: int, height: int) -> Rgb:
    """Read a plate, scaled to `width` x `height`.

    Returns (height, width, 3). Raises Invalid for a picture of another shape.
    """
    picture = np.asarray(list_pictures([path])[0].image())
    high, wide = picture.shape[:2]
    if abs(wide * height / (high * width) - 1) > _SAME_SHAPE:
        detail = f"the plate ({wide}x{high}) has another aspect ratio than the video ({width}x{height})"
        raise Invalid.field("inputs.plate", detail, f"{detail.capitalize()}.")
    return scaled(picture, (width, height))
