"""Reading of the user's clean plate."""

from pathlib import Path

import numpy as np

from services.matting.backends.backend import Rgb
from services.matting.reading.aspect_ratios import ratio_problem
from shared.errors import Invalid
from shared.video import list_pictures
from shared.video.frames.scaling import scaled


def plate_picture(path: Path, width: int, height: int) -> Rgb:
    """Read a plate, scaled to `width` x `height`.

    Returns (height, width, 3). Raises Invalid for a picture of another aspect ratio.
    """
    picture = np.asarray(list_pictures([path])[0].image())
    high, wide = picture.shape[:2]
    problem = ratio_problem("the plate", (wide, high), (width, height))
    if problem:
        raise Invalid.field("inputs.plate", problem, f"{problem.capitalize()}.")
    return scaled(picture, (width, height))
