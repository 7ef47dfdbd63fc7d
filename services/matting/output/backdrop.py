"""Backgrounds of a composite."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from shared.operation import Progress
from shared.video.frames.cover import cover
from shared.video.stills.opaque_picture import opaque_picture

Rgb = NDArray[np.uint8]

GREEN = (120, 255, 155)
"""The green of RVM's own composites."""
_SQUARES_IN_HEIGHT = 24
_LIGHT, _DARK = 204, 153


def _plain(color: tuple[int, ...], width: int, height: int) -> Rgb:
    return np.full((height, width, 3), color, np.uint8)


def _checkerboard(width: int, height: int) -> Rgb:
    side = max(height // _SQUARES_IN_HEIGHT, 2)
    odd = (np.arange(height)[:, None] // side + np.arange(width)[None, :] // side) % 2
    return np.repeat(np.where(odd, _DARK, _LIGHT).astype(np.uint8)[..., None], 3, axis=2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Backdrop:
    """A background of composites, as a row of BACKDROPS."""

    name: str
    label: str
    """Label in a form."""
    description: str
    draw: Callable[[int, int], Rgb] | None = None
    """Draws the background, given its width and height; None: composites are transparent."""
    composite: bool = True
    """Whether there is a composite."""


BACKDROPS = {
    row.name: row
    for row in (
        Backdrop(name="green", label="Green", description="a green screen", draw=partial(_plain, GREEN)),
        Backdrop(name="checkerboard", label="Checkerboard", description="gray squares", draw=_checkerboard),
        Backdrop(name="transparency", label="Transparent", description="none, in ProRes 4444 with transparency"),
        Backdrop(name="none", label="No composite", description="no composite", composite=False),
    )
}
"""Name -> background, in the order of the API reference."""
COLOUR = r"#[0-9a-fA-F]{6}"


def backdrop(name: str) -> Backdrop:
    """Return the background called `name`, which may be a colour such as `#203040`."""
    if name in BACKDROPS:
        return BACKDROPS[name]
    color = tuple(int(name[at : at + 2], 16) for at in (1, 3, 5))
    return Backdrop(name=name, label="Colour", description="a colour", draw=partial(_plain, color))


def picture_backdrop(path: Path, width: int, height: int, progress: Progress) -> Rgb:
    """Read a background picture, scaled and cropped to `width` x `height`.

    Returns (height, width, 3). Transparent parts are put on black, with a warning.
    """
    return np.asarray(cover(opaque_picture(path, progress), width, height), np.uint8)
