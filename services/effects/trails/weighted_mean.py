"""Weighted means of many pictures in full size: what `normal` trails are.

A plane is worked through in strips of lines that stay in the processor's cache: the frame's as float32, every ghost's mixed into it as
they come from memory, and one rounding at the end. `cv2.accumulateWeighted` and `cv2.accumulateProduct` do a layer in one go, without
the GIL. A trail kept up from frame to frame (that at t from that at t - spacing) would take fewer steps, but wider ones: it reads and
writes sums of 16 bits where layers are read in 8, and would have to be moved, and blurred, with the camera again and again.
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
"""Samples of a strip: half a megabyte of sums, next to which a few strips of ghosts fit into a core's cache."""


@dataclass(frozen=True, slots=True, eq=False)
class Whole:
    """A ghost that is a whole picture: its `planes`, moved right and down by `shift` pixels of the first one, counting `weight`."""

    planes: Planes
    shift: tuple[float, float]
    weight: float


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """A ghost of which a part shows: its `planes`, moved by `matrix` (3, 3), in shares of 0 to 255, uint8 of any size."""

    planes: Planes
    matrix: Matrix
    share: NDArray[np.uint8]


def mix_whole(out: Planes, frame: Planes, ghosts: Sequence[Whole], weight: float) -> None:
    """Write to `out` the mean of a frame, which counts `weight`, and its ghosts; all of the same shapes.

    Ghosts are moved by whole pixels: interpolated ones, blurred by up to as much, come no closer to the frame (in a test on real pictures,
    panned by fractions of a pixel, 54.9 dB against 55.4; 51.9 against 51.8; 57.3 against 57.2). A moved ghost fades out towards the
    edges of its picture; where it has none, the others count more.
    """
    for number, (target, own) in enumerate(zip(out, frame, strict=True)):
        layers = [layer for ghost in ghosts if (layer := _layer(ghost, number)) is not None]
        so_far = np.cumsum([weight, *(layer.weight for layer in layers)])
        strip = np.empty(max(_STRIP, own.shape[1]), np.float32)
        for columns in _blocks(layers, own.shape[1]):
            lines = len(strip) // (columns.stop - columns.start)
            for top in range(0, len(own), lines):
                here = own[top : top + lines, columns]
                mixed = _piece_of(strip, here.shape)
                np.copyto(mixed, here)
                for layer, sum_ in zip(layers, so_far[1:], strict=True):
                    layer.mix(mixed, top, columns.start, float(layer.weight / sum_))
                _round(mixed, target[top : top + lines, columns], 1.0)


def mix_parts(out: Planes, frame: Planes, ghosts: Sequence[Part], *, tint: Tint | None = None) -> None:
    """Write to `out` the frame and what shows of its ghosts: each pixel's shares of the ghosts, and the frame for what is left of 255.

    Shares, all of one size, are enlarged to each plane's. Where they add up to more than 255, the picture would get brighter: see
    `shares_of`. Of the pieces of ghosts that show there is one at a time: strips that stay in the cache, each with all ghosts, would take
    a twentieth less time, and the memory of as many pieces as there are ghosts.
    """
    for target, own in zip(out, frame, strict=True):
        np.copyto(target, own)
    shown = [(ghost, found) for ghost in ghosts if (found := rectangle(ghost.share > 0)) is not None]
    if not shown:
        return
    sides = [[(found[side].start, found[side].stop) for _, found in shown] for side in (0, 1)]
    around = tuple(slice(min(start for start, _ in side), max(stop for _, stop in side)) for side in sides)
    places = [enlarged((around[0], around[1]), ghosts[0].share.shape, plane.shape) for plane in frame]
    sums = [
        (np.zeros(own[place].shape, np.float32), np.full(own[place].shape, 255, own.dtype))
        for own, place in zip(frame, places, strict=True)
    ]
    for ghost, found in shown:
        piece = _piece(ghost, found, [plane.shape for plane in frame], tint)
        for number, ((mixed, rest), (rows, columns)) in enumerate(zip(sums, places, strict=True)):
            here = piece.place(number, rows.start, columns.start)
            cv2.accumulateProduct(piece.planes[number], piece.shares[number], mixed[here])
            cv2.subtract(rest[here], piece.shares[number], dst=rest[here])
        del piece  # before the next one is made
    for target, own, place, (mixed, rest) in zip(out, frame, places, sums, strict=True):
        cv2.accumulateProduct(own[place], rest, mixed)
        _round(mixed, target[place], 1 / 255)


def mixing_bytes(samples: float, itemsize: int) -> float:
    """Most bytes that `mix_parts` takes beyond its pictures, which have so many samples of `itemsize` bytes: the sums in float32, what is
    left of 255, and a piece with its shares, on its way to where it goes in two more copies.
    """
    return (4 + 5 * itemsize) * samples


def shares_of(weights: Sequence[Weights], rest: Weights | float) -> list[NDArray[np.uint8]]:
    """Weights of ghosts, float32 of one shape, as shares of 255 of a mean in which the frame counts `rest`.

    Rounded down, and to a sum that stays below 255 by half a level for each of them, which enlarging them rounds by.
    """
    total = np.sum(weights, axis=0, dtype=np.float32)
    factor = np.minimum(255 / (total + rest), (255 - len(weights) / 2) / np.maximum(total, np.float32(1e-6)))
    return [(one * factor).astype(np.uint8) for one in weights]


@dataclass(frozen=True, slots=True, eq=False)
class _Along:
    """Lines (or columns) of a plane moved by `shift`: what each counts, less towards an edge that has come into view, and which in full."""

    shift: int
    counts: Weights
    full: slice

    def pieces(self, start: int, stop: int) -> Iterator[tuple[slice, slice, Weights | None]]:
        """Where the moved plane is between `start` and `stop`, counted from `start`, where that lies in its source, and what it counts
        there; None: in full.
        """
        first, last = max(start, self.shift), min(stop, len(self.counts) + self.shift)
        ends = [first, *(min(max(end, first), last) for end in (self.full.start, self.full.stop)), last]
        for begin, end in pairwise(ends):
            if begin < end:
                faded = None if self.full.start <= begin < self.full.stop else self.counts[begin:end]
                yield slice(begin - start, end - start), slice(begin - self.shift, end - self.shift), faded


@dataclass(frozen=True, slots=True, eq=False)
class _Layer:
    """A plane moved by whole pixels."""

    source: Plane
    weight: float
    across: _Along
    down: _Along

    def mix(self, mixed: NDArray[np.float32], top: int, left: int, part: float) -> None:
        """Mix `part` of it, less towards its edges, into what is `mixed` of the plane from a corner on."""
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
    """The columns of a plane in blocks: those at its sides where one of the layers fades, which are few, and those between."""
    first = max((layer.across.full.start for layer in layers), default=0)
    last = max(min((layer.across.full.stop for layer in layers), default=width), first)
    for begin, end in pairwise((0, first, last, width)):
        if begin < end:
            yield slice(begin, end)


def _layer(ghost: Whole, number: int) -> _Layer | None:
    """A ghost's plane `number`, moved to the nearest pixels; None if it is out of view."""
    plane, (height, width) = ghost.planes[number], ghost.planes[0].shape
    across, down = round(ghost.shift[0] * plane.shape[1] / width), round(ghost.shift[1] * plane.shape[0] / height)
    if abs(across) >= plane.shape[1] or abs(down) >= plane.shape[0]:
        return None
    most = max(round(FEATHER * min(plane.shape)), 1)
    return _Layer(plane, ghost.weight, _along(across, plane.shape[1], most), _along(down, plane.shape[0], most))


def _along(shift: int, length: int, most: int) -> _Along:
    """How `length` lines that have moved by `shift` count: from an edge that has come into view, more and more.

    Over four times the shift, `most` lines at the most: an edge that has moved by little needs little to go unseen.
    """
    at = np.arange(length) + 0.5 - shift
    risen = at if shift > 0 else length - at if shift < 0 else np.full(length, 1.0)
    counts = np.clip(risen / min(max(4 * abs(shift), 1), most), 0, 1).astype(np.float32)
    full = np.flatnonzero(counts >= 1)
    return _Along(shift, counts, slice(int(full[0]), int(full[-1]) + 1) if len(full) else slice(0, 0))


@dataclass(frozen=True, slots=True, eq=False)
class _Piece:
    """What shows of a ghost, plane by plane: the place, the picture and the shares there."""

    rows: list[slice]
    columns: list[slice]
    planes: Planes
    shares: Planes

    def place(self, number: int, top: int, left: int) -> tuple[slice, slice]:
        """Where it lies in plane `number`, counted from a corner."""
        rows, columns = self.rows[number], self.columns[number]
        return slice(rows.start - top, rows.stop - top), slice(columns.start - left, columns.stop - left)


def _piece(ghost: Part, found: tuple[slice, slice], shapes: list[tuple[int, ...]], tint: Tint | None) -> _Piece:
    """The piece of a ghost that the rectangle `found` of its shares shows."""
    places = [enlarged(found, ghost.share.shape, shape) for shape in shapes]
    moved, shares = [], []
    for (rows, columns), shape, source in zip(places, shapes, ghost.planes, strict=True):
        size = columns.stop - columns.start, rows.stop - rows.start
        own = scale_matrix(ghost.matrix, shape[1] / shapes[0][1], shape[0] / shapes[0][0])
        moved.append(moved_piece(source, np.array([[1, 0, -columns.start], [0, 1, -rows.start], [0, 0, 1]]) @ own, size))
        # Enlarging a piece moves its border by half a pixel of the small plane at most, where the share is next to nothing.
        shares.append(cv2.resize(ghost.share[found], size, interpolation=cv2.INTER_LINEAR).astype(source.dtype, copy=False))
    return _Piece(
        [one[0] for one in places], [one[1] for one in places], tint.of_planes(tuple(moved)) if tint else tuple(moved), tuple(shares)
    )


def _piece_of(strip: NDArray[Any], shape: tuple[int, ...]) -> NDArray[Any]:
    """The memory of a strip, as the start of a smaller one without gaps."""
    return strip.reshape(-1)[: shape[0] * shape[1]].reshape(shape)


def _round(mixed: NDArray[np.float32], target: Plane, scale: float) -> None:
    if target.dtype == np.uint8:
        cv2.convertScaleAbs(mixed, dst=target, alpha=scale)
    else:
        np.copyto(target, np.rint(mixed * np.float32(scale)), casting="unsafe")
