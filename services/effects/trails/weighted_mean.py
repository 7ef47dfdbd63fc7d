"""Weighted means of many full-size pictures, as `normal` trails are.

A plane is processed in strips of lines that fit into the processor's cache: the frame's strip as float32, the strip of every ghost mixed
into it, and one rounding at the end. `cv2.accumulateWeighted` and `cv2.accumulateProduct` mix a layer in one call, without the GIL.
Updating a running trail (that at t from that at t - spacing) would take fewer steps, but it would read and write 16-bit sums in place of
8-bit layers, and resample the trail with every motion of the camera.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from services.effects.scene.pixels import Planes
from services.effects.scene.warp import FEATHER, Plane, Weights, enlarged, moved_piece, rectangle
from services.effects.trails.tint import Tint
from shared.motion.camera import Matrix, scale_matrix

_STRIP = 128 * 1024
"""Samples of a strip: half a megabyte of float32 sums leaves room for ghosts in a core's cache."""


@dataclass(frozen=True, slots=True, eq=False)
class Whole:
    """A ghost that is a whole picture: `planes` moved by `shift` (right, down) in pixels of the first plane, with a `weight`."""

    planes: Planes
    shift: tuple[float, float]
    weight: float


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """A ghost of which a part shows: `planes` moved by `matrix` (3, 3), and its `share` of each pixel, uint8 0 to 255, of any size."""

    planes: Planes
    matrix: Matrix
    share: NDArray[np.uint8]


def mix_whole(out: Planes, frame: Planes, ghosts: Sequence[Whole], weight: float) -> None:
    """Write the weighted mean of a frame with `weight` and its ghosts to `out`; all planes have the same shapes.

    Ghosts are moved by whole pixels. Interpolating them blurs as much as it aligns (on real pictures panned by fractions of a pixel:
    54.9 dB against 55.4; 51.9 against 51.8; 57.3 against 57.2). A moved ghost fades out towards the edges of its picture; beyond them
    the others share its weight.
    """
    for number, (target, own) in enumerate(zip(out, frame, strict=True)):
        layers = [layer for ghost in ghosts if (layer := _layer(ghost, number)) is not None]
        sums = np.cumsum([weight, *(layer.weight for layer in layers)])
        strip = np.empty(max(_STRIP, own.shape[1]), np.float32)
        for columns in _blocks(layers, own.shape[1]):
            lines = len(strip) // (columns.stop - columns.start)
            for top in range(0, len(own), lines):
                here = own[top : top + lines, columns]
                mixed = _piece_of(strip, here.shape)
                np.copyto(mixed, here)
                for layer, weights in zip(layers, sums[1:], strict=True):
                    layer.mix(mixed, top, columns.start, float(layer.weight / weights))
                _round(mixed, target[top : top + lines, columns], 1.0)


def mix_parts(out: Planes, frame: Planes, ghosts: Sequence[Part], *, tint: Tint | None = None) -> None:
    """Write the frame and its ghosts to `out`: each pixel is made of the ghosts' shares and, for the rest of 255, of the frame.

    The shares, all of one size, are enlarged to each plane; `shares_of` makes shares that never exceed 255 together. One ghost's piece
    exists at a time. Strips in the cache with all ghosts would take 5 % less time, but as many pieces in memory as there are ghosts.
    """
    for target, own in zip(out, frame, strict=True):
        np.copyto(target, own)
    shown = [(ghost, area) for ghost in ghosts if (area := rectangle(ghost.share > 0)) is not None]
    if not shown:
        return
    sides = [[(area[side].start, area[side].stop) for _, area in shown] for side in (0, 1)]
    around = tuple(slice(min(start for start, _ in side), max(stop for _, stop in side)) for side in sides)
    places = [enlarged((around[0], around[1]), ghosts[0].share.shape, plane.shape) for plane in frame]
    sums = [
        (np.zeros(own[place].shape, np.float32), np.full(own[place].shape, 255, own.dtype))
        for own, place in zip(frame, places, strict=True)
    ]
    for ghost, area in shown:
        piece = _piece(ghost, area, [plane.shape for plane in frame], tint)
        for number, ((mixed, rest), (rows, columns)) in enumerate(zip(sums, places, strict=True)):
            here = piece.place(number, rows.start, columns.start)
            cv2.accumulateProduct(piece.planes[number], piece.shares[number], mixed[here])
            cv2.subtract(rest[here], piece.shares[number], dst=rest[here])
        del piece  # frees its memory before the next one is made
    for target, own, place, (mixed, rest) in zip(out, frame, places, sums, strict=True):
        cv2.accumulateProduct(own[place], rest, mixed)
        _round(mixed, target[place], 1 / 255)


def mixing_bytes(samples: float, itemsize: int) -> float:
    """Return the peak memory of `mix_parts` beyond its pictures, for pictures with `samples` samples of `itemsize` bytes each.

    That is: the sums in float32, the rest of 255, and a piece with its shares and two temporary copies.
    """
    return (4 + 5 * itemsize) * samples


def shares_of(weights: Sequence[Weights], rest: Weights | float) -> list[NDArray[np.uint8]]:
    """Turn weights of ghosts, float32 of one shape, into shares of 255 of a mean in which the frame has the weight `rest`.

    Shares are rounded down, and their sum stays below 255 by half a level per ghost: enlarging them may round each up by that much.
    """
    total = np.sum(weights, axis=0, dtype=np.float32)
    factor = np.minimum(255 / (total + rest), (255 - len(weights) / 2) / np.maximum(total, np.float32(1e-6)))
    return [(weight * factor).astype(np.uint8) for weight in weights]


@dataclass(frozen=True, slots=True, eq=False)
class _Axis:
    """One axis of a plane moved by `shift` pixels: the weight of each line (or column), and the range whose weight is 1.

    Weights fall towards an edge that has come into view.
    """

    shift: int
    weights: Weights
    full: slice

    def pieces(self, start: int, stop: int) -> Iterator[tuple[slice, slice, Weights | None]]:
        """Yield the pieces of the moved plane between `start` and `stop`.

        Each is its range counted from `start`, its range in the source, and its weights; None where all are 1.
        """
        first, last = max(start, self.shift), min(stop, len(self.weights) + self.shift)
        ends = [first, *(min(max(end, first), last) for end in (self.full.start, self.full.stop)), last]
        for begin, end in pairwise(ends):
            if begin < end:
                faded = None if self.full.start <= begin < self.full.stop else self.weights[begin:end]
                yield slice(begin - start, end - start), slice(begin - self.shift, end - self.shift), faded


@dataclass(frozen=True, slots=True, eq=False)
class _Layer:
    """A plane moved by whole pixels."""

    source: Plane
    weight: float
    across: _Axis
    down: _Axis

    def mix(self, mixed: NDArray[np.float32], top: int, left: int, part: float) -> None:
        """Mix the layer, by `part` and less towards its edges, into the piece `mixed` of the plane whose corner is at (left, top)."""
        for rows, own_rows, lines in self.down.pieces(top, top + len(mixed)):
            for columns, own_columns, ramp in self.across.pieces(left, left + mixed.shape[1]):
                moved, view = self.source[own_rows, own_columns], mixed[rows, columns]
                if lines is None and ramp is None:
                    cv2.accumulateWeighted(moved, view, part)
                    continue
                share = np.float32(part) if lines is None else lines[:, None] * np.float32(part)
                off = moved - view
                off *= share if ramp is None else share * ramp
                view += off


def _blocks(layers: Sequence[_Layer], width: int) -> Iterator[slice]:
    """Split the columns of a plane into blocks: the few at each side where a layer fades, and those between."""
    first = max((layer.across.full.start for layer in layers), default=0)
    last = max(min((layer.across.full.stop for layer in layers), default=width), first)
    for begin, end in pairwise((0, first, last, width)):
        if begin < end:
            yield slice(begin, end)


def _layer(ghost: Whole, number: int) -> _Layer | None:
    """Return plane `number` of a ghost as a layer, moved by whole pixels; None if it is out of view."""
    plane, (height, width) = ghost.planes[number], ghost.planes[0].shape
    across, down = round(ghost.shift[0] * plane.shape[1] / width), round(ghost.shift[1] * plane.shape[0] / height)
    if abs(across) >= plane.shape[1] or abs(down) >= plane.shape[0]:
        return None
    max_fade = max(round(FEATHER * min(plane.shape)), 1)
    return _Layer(plane, ghost.weight, _axis(across, plane.shape[1], max_fade), _axis(down, plane.shape[0], max_fade))


def _axis(shift: int, length: int, max_fade: int) -> _Axis:
    """Return the weights of `length` lines moved by `shift`, rising from an edge that has come into view.

    They rise over four times the shift, at most over `max_fade` lines: an edge that has moved little is hidden by a short fade.
    """
    at = np.arange(length) + 0.5 - shift
    risen = at if shift > 0 else length - at if shift < 0 else np.full(length, 1.0)
    weights = np.clip(risen / min(max(4 * abs(shift), 1), max_fade), 0, 1).astype(np.float32)
    full = np.flatnonzero(weights >= 1)
    return _Axis(shift, weights, slice(int(full[0]), int(full[-1]) + 1) if len(full) else slice(0, 0))


@dataclass(frozen=True, slots=True, eq=False)
class _Piece:
    """The visible piece of a ghost: for each plane its place, its pixels and its shares."""

    rows: list[slice]
    columns: list[slice]
    planes: Planes
    shares: Planes

    def place(self, number: int, top: int, left: int) -> tuple[slice, slice]:
        """Return the rows and columns of the piece in plane `number`, counted from (left, top)."""
        rows, columns = self.rows[number], self.columns[number]
        return slice(rows.start - top, rows.stop - top), slice(columns.start - left, columns.stop - left)


def _piece(ghost: Part, area: tuple[slice, slice], shapes: list[tuple[int, ...]], tint: Tint | None) -> _Piece:
    """Return the piece of a ghost in the rectangle `area` of its shares, for planes of `shapes`."""
    places = [enlarged(area, ghost.share.shape, shape) for shape in shapes]
    moved, shares = [], []
    for (rows, columns), shape, source in zip(places, shapes, ghost.planes, strict=True):
        size = columns.stop - columns.start, rows.stop - rows.start
        own = scale_matrix(ghost.matrix, shape[1] / shapes[0][1], shape[0] / shapes[0][0])
        moved.append(moved_piece(source, np.array([[1, 0, -columns.start], [0, 1, -rows.start], [0, 0, 1]]) @ own, size))
        # Enlarging the piece alone shifts its border by at most half a small pixel, where the share is close to 0.
        shares.append(cv2.resize(ghost.share[area], size, interpolation=cv2.INTER_LINEAR).astype(source.dtype, copy=False))
    planes = tint.of_planes(tuple(moved)) if tint else tuple(moved)
    return _Piece([rows for rows, _ in places], [columns for _, columns in places], planes, tuple(shares))


def _piece_of(strip: NDArray[Any], shape: tuple[int, ...]) -> NDArray[Any]:
    """Return the start of a strip's memory as an array of a smaller shape."""
    return strip.reshape(-1)[: shape[0] * shape[1]].reshape(shape)


def _round(mixed: NDArray[np.float32], target: Plane, scale: float) -> None:
    if target.dtype == np.uint8:
        cv2.convertScaleAbs(mixed, dst=target, alpha=scale)
    else:
        np.copyto(target, np.rint(mixed * np.float32(scale)), casting="unsafe")
