"""Full-size planes put together from layers of motion.

Sums are kept in float32 and rounded once. The work goes tile by tile: a tile stays in the processor's cache, and in many a layer has no
weight, or nothing moves.
"""

import itertools
import threading
from collections.abc import Iterator
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from services.speed_ramp.flow_layers import Layer, Layers
from services.speed_ramp.flow_vectors import Field

_TILE = 128
_SAME = 0.06  # pixels: shorter vectors stand still; OpenCV itself looks at 32nds
_NOTHING = 1 / 1024  # a weight that cannot change a level of 8 bits


class Plane:
    """The same plane of both pictures, uint8 or uint16, (height, width) or (height, width, n), as channels."""

    def __init__(self, before: NDArray[Any], after: NDArray[Any]) -> None:
        self.dtype, self.shape = before.dtype, before.shape
        self.before, self.after = _channels(before), _channels(after)


class Room(threading.local):
    """Memory to work in, kept from picture to picture; one object serves several threads, each with its own.

    20 bytes a pixel of the largest plane; fresh memory each time would have to be mapped page by page.
    """

    def __init__(self) -> None:
        self._memory: Field = np.empty(0, np.float32)

    def cut(self, width: int, height: int, *parts: int) -> list[Field]:
        """Arrays of shape (height, width), or (height, width, n) where a part n is above 1; valid, unfilled, until the next call."""
        pixels = width * height
        if self._memory.size < pixels * sum(parts):
            self._memory = np.empty(pixels * sum(parts), np.float32)
        ends = np.cumsum((0, *parts)) * pixels
        pieces = [self._memory[start:end] for start, end in itertools.pairwise(ends)]
        return [piece.reshape((height, width) if n == 1 else (height, width, n)) for piece, n in zip(pieces, parts, strict=True)]


def compose(plane: Plane, layers: Layers, *, peak: int, room: Room, cubic: bool = True) -> NDArray[Any]:
    """The plane at the layers' moment, of the shape and type of its sources, no sample above `peak`.

    `cubic`: read the first layer so, which is sharper, by up to 0.5 dB, than linear interpolation. That does for chroma, and for the other
    layers, which fill in where the picture is torn between motions.
    """
    height, width = plane.shape[:2]
    enlarged, before, after, *totals = room.cut(width, height, 2, 1, 1, *(1 for _ in plane.before))
    for total in totals:
        total.fill(0)
    for index, layer in enumerate(layers.layers):
        _enlarge(layer, enlarged, before, after)
        interpolation = cv2.INTER_CUBIC if cubic and index == 0 else cv2.INTER_LINEAR
        for rows, columns in _tiles(width, height):
            weights = before[rows, columns], after[rows, columns]
            if max(cv2.norm(weight, cv2.NORM_INF) for weight in weights) < _NOTHING:
                continue
            vectors = None if layer.vectors is None else enlarged[rows, columns]
            moves = vectors is not None and cv2.norm(vectors, cv2.NORM_INF) > _SAME
            grid = _grid(rows, columns) if moves else None
            for channels, along, weight in zip((plane.before, plane.after), (-layers.t, 1 - layers.t), weights, strict=True):
                places = None if grid is None or vectors is None else cv2.scaleAdd(vectors, along, grid)
                for total, channel in zip(totals, channels, strict=True):
                    seen = channel[rows, columns] if places is None else _read(channel, places, interpolation)
                    cv2.accumulateProduct(seen.astype(np.float32), weight, total[rows, columns])
    done = [np.rint(np.clip(total, 0, peak, out=total), out=total).astype(plane.dtype) for total in totals]
    return done[0] if len(plane.shape) == 2 else np.dstack(done)


def _enlarge(layer: Layer, vectors: Field, before: Field, after: Field) -> None:
    """Fill full-size arrays from a layer."""
    height, width = before.shape
    cv2.resize(layer.weight_before, (width, height), dst=before, interpolation=cv2.INTER_LINEAR)
    cv2.resize(layer.weight_after, (width, height), dst=after, interpolation=cv2.INTER_LINEAR)
    if layer.vectors is not None:
        rows, columns = layer.vectors.shape[:2]
        scaled = layer.vectors * np.array((width / columns, height / rows), np.float32)
        cv2.resize(scaled, (width, height), dst=vectors, interpolation=cv2.INTER_LINEAR)


def _tiles(width: int, height: int) -> Iterator[tuple[slice, slice]]:
    for top in range(0, height, _TILE):
        for left in range(0, width, _TILE):
            yield slice(top, min(top + _TILE, height)), slice(left, min(left + _TILE, width))


def _channels(plane: NDArray[Any]) -> tuple[NDArray[Any], ...]:
    if plane.ndim == 2:
        return (np.ascontiguousarray(plane),)
    return tuple(np.ascontiguousarray(plane[..., index]) for index in range(plane.shape[2]))


def _grid(rows: slice, columns: slice) -> Field:
    grid = np.empty((rows.stop - rows.start, columns.stop - columns.start, 2), np.float32)
    grid[..., 0] = np.arange(columns.start, columns.stop, dtype=np.float32)
    grid[..., 1] = np.arange(rows.start, rows.stop, dtype=np.float32)[:, None]
    return grid


def _read(channel: NDArray[Any], places: Field, interpolation: int) -> NDArray[Any]:
    return cv2.remap(channel, places, None, interpolation, borderMode=cv2.BORDER_REPLICATE)
