"""Veils: ghost layers computed at reduced size for full-size pictures."""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from services.effects.scene.pixels import Levels, Planes
from services.effects.scene.warp import Area, enlarged, rectangle

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Veil:
    """A layer that dims part of a picture and adds light."""

    veil: Floats
    """Share of the picture that the veil hides, (height, width), 0 to 1."""
    light: tuple[Floats, ...]
    """Value above black that the veil adds to each plane, (height, width) each."""


def lay_over(out: Planes, picture: Planes, veil: Veil, area: Area, small_shape: tuple[int, ...], levels: Levels) -> None:
    """Write `picture` to `out`, with `veil` blended over it.

    The veil covers the rectangle `area` of small planes of `small_shape`. Outside `area`, `picture` is copied unchanged.
    """
    top = np.iinfo(picture[0].dtype).max
    depth = cv2.CV_8U if picture[0].dtype == np.uint8 else cv2.CV_16U
    inner = rectangle(veil.veil > 0.5 / top)
    if inner is None:
        for target, plane in zip(out, picture, strict=True):
            np.copyto(target, plane)
        return
    hidden = np.ascontiguousarray(veil.veil[inner])
    place = tuple(
        slice(outer.start + side.start, outer.start + min(side.stop, outer.stop - outer.start))
        for outer, side in zip(area, inner, strict=True)
    )
    rest = cv2.addWeighted(hidden, -top, hidden, 0, top, dtype=depth)
    # Planes of one size, as U and V, share the enlarged `rest`.
    enlarged_rest: dict[tuple[int, int], NDArray[Any]] = {}
    for number, (target, plane) in enumerate(zip(out, picture, strict=True)):
        rows, columns = enlarged((place[0], place[1]), small_shape, plane.shape)
        source, view = plane[rows, columns], target[rows, columns]
        _copy_around(target, plane, rows, columns)
        added = cv2.addWeighted(hidden, levels.floor[number], veil.light[number][inner], 1, 0, dtype=depth)
        size = source.shape[1], source.shape[0]
        if size not in enlarged_rest:
            enlarged_rest[size] = cv2.resize(rest, size, interpolation=cv2.INTER_LINEAR)
        cv2.multiply(source, enlarged_rest[size], dst=view, scale=1 / top)
        cv2.add(view, cv2.resize(added, size, interpolation=cv2.INTER_LINEAR), dst=view)


def _copy_around(target: NDArray[Any], plane: NDArray[Any], rows: slice, columns: slice) -> None:
    """Copy `plane` to `target`, except for the rectangle of `rows` and `columns`."""
    every = slice(None)
    outside = (
        (slice(0, rows.start), every),
        (slice(rows.stop, None), every),
        (rows, slice(0, columns.start)),
        (rows, slice(columns.stop, None)),
    )
    for part in outside:
        np.copyto(target[part], plane[part])
