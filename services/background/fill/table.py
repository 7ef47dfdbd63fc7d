"""Table of hole-filling methods."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from numpy.typing import NDArray

from services.background.fill import lama, migan
from services.background.fill.lama import fill_lama
from services.background.fill.migan import fill_migan
from services.background.fill.opencv import fill_opencv
from services.background.fill.smooth import fill_smooth
from shared.choices import OneOf
from shared.operation import Progress

Fill = Callable[[NDArray[np.uint8], NDArray[np.uint8], Progress], NDArray[np.uint8]]


@dataclass(frozen=True, kw_only=True)
class Filling:
    """A hole-filling method, as a row of `FILLINGS`.

    `fill(picture, hole, progress)` takes RGB, uint8 (h, w, 3), and uint8 (h, w), 255 in holes; it returns the filled picture. `model`:
    catalog name of the model that it needs; empty if it needs none.
    """

    name: str
    label: str
    """Label in a form."""
    description: str
    fill: Fill
    model: str = ""


FILLINGS: tuple[Filling, ...] = (
    Filling(
        name="smooth",
        label="Soft colours",
        description="soft colours from around the hole",
        fill=lambda picture, hole, _: fill_smooth(picture, hole),
    ),
    Filling(
        name="opencv",
        label="Telea",
        description="Telea's method, slow on large holes",
        fill=lambda picture, hole, _: fill_opencv(picture, hole),
    ),
    Filling(name="migan", label="MI-GAN", description="a small generative network, MIT licence", fill=fill_migan, model=migan.MODEL),
    Filling(name="lama", label="LaMa", description="a network that repeats textures, Apache-2.0", fill=fill_lama, model=lama.MODEL),
)

BY_NAME = {filling.name: filling for filling in FILLINGS}

Inpaint = Annotated[str, OneOf(BY_NAME)]
