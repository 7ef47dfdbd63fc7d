"""Veils, which are made in small planes and laid over full-size pictures."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from services.effects.scene.pixels import Levels, Planes
from services.effects.scene.warp import enlarged, rectangle

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Veil:
    """A layer that hides part of a picture and adds light to it."""

    veil: Floats
    """(height, width): share of the picture that the veil hides, 0 to 1."""
    light: Floats
    """(height, width, planes): value above black that the veil adds."""


def lay_over(out: Planes, planes: Planes, over: Veil, levels: Levels) -> None:
    """Lay a veil over a picture and write the result to `out`.

    `planes`: the picture. `over`: the veil.
    """
    top = np.iinfo(planes[0].dtype).max
    area = rectangle(over.veil > 0.5 / top)
    for number, (target, plane) in enumerate(zip(out, planes, strict=True)):
        np.copyto(target, plane)
        if area is None:
            continue
        rows, columns = enlarged(area, over.veil.shape, plane.shape)
        source, view = plane[rows, columns], target[rows, columns]
        veil = over.veil[area]
        rest = np.rint((1 - veil) * top).astype(plane.dtype)
        added = np.clip(np.rint(levels.floor[number] * veil + over.light[:, :, number][area]), 0, top).astype(plane.dtype)
        rest, added = (cv2.resize(small, source.shape[::-1], interpolation=cv2.INTER_LINEAR) for small in (rest, added))
        cv2.multiply(source, rest, dst=view, scale=1 / top)
        cv2.add(view, added, dst=view)
