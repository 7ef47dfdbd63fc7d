"""Table of the pictures that a comparison shows of each result."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from shared.video import Frame

Rgb = NDArray[np.uint8]
Alpha = NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownPicture:
    """A picture of a result, as a row of SHOWN_PICTURES."""

    name: str
    label: str
    """Label in a form."""
    description: str
    draw: Callable[[Alpha, Frame], Rgb]
    """Returns the picture, given the matte and the frame of the composite. The matte is (h, w) 0..1."""


def _gray(alpha: Alpha, _composite: Frame) -> Rgb:
    return np.repeat(np.rint(alpha * 255).astype(np.uint8)[..., None], 3, axis=2)


SHOWN_PICTURES = {
    row.name: row
    for row in (
        ShownPicture(
            name="composite",
            label="Over a checkerboard",
            description="the subject over a checkerboard",
            draw=lambda _alpha, composite: composite.rgb(),
        ),
        ShownPicture(name="matte", label="Matte", description="the matte", draw=_gray),
    )
}
"""Name -> picture, in the order of the API reference."""
