"""The ways to fill holes: one row each."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from services.background.fill import lama, migan
from services.background.fill.lama import fill_lama
from services.background.fill.migan import fill_migan
from services.background.fill.opencv import fill_opencv
from services.background.fill.smooth import fill_smooth
from shared.operation import Progress

Fill = Callable[[NDArray[np.uint8], NDArray[np.uint8], Progress], NDArray[np.uint8]]
Inpaint = Literal["smooth", "opencv", "migan", "lama"]


@dataclass(frozen=True, kw_only=True)
class Filling:
    """One way to fill holes. `fill(picture, hole, progress)`: RGB uint8 (h, w, 3) and uint8 (h, w), 255 where the hole is."""

    name: Inpaint
    about: str
    fill: Fill
    model: str = ""


FILLINGS: tuple[Filling, ...] = (
    Filling(name="smooth", about="soft colours from around the hole", fill=lambda picture, hole, _: fill_smooth(picture, hole)),
    Filling(name="opencv", about="Telea's method, slow on large holes", fill=lambda picture, hole, _: fill_opencv(picture, hole)),
    Filling(name="migan", about="a small generative network, MIT licence", fill=fill_migan, model=migan.MODEL),
    Filling(name="lama", about="a network that repeats textures, Apache-2.0", fill=fill_lama, model=lama.MODEL),
)


def filling(name: Inpaint) -> Filling:
    """Return the row of that name."""
    return next(row for row in FILLINGS if row.name == name)


def described() -> str:
    """Return one sentence that lists all ways."""
    return "; ".join(f"`{row.name}`: {row.about}" for row in FILLINGS)
