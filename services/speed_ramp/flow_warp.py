"""Full-size planes put together from layers of motion.

Everything is summed up in float32, with cubic interpolation, and rounded once: rounding in between costs 0.3 dB on quiet clips.
"""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from services.speed_ramp.flow_layers import Layers
from services.speed_ramp.flow_vectors import Field


class Plane:
    """The same plane of both pictures, uint8 or uint16, (height, width) or (height, width, n), as float32 channels."""

    def __init__(self, before: NDArray[Any], after: NDArray[Any]) -> None:
        self.dtype, self.shape = before.dtype, before.shape
        self.channels = tuple(zip(_channels(before), _channels(after), strict=True))


def compose(plane: Plane, layers: Layers, *, peak: int) -> NDArray[Any]:
    """The plane at the layers' moment, of the shape and type of its sources, no sample above `peak`."""
    height, width = plane.shape[:2]
    size, grid, t = (width, height), _grid(width, height), layers.t
    sums: list[Field] = [np.zeros((height, width), np.float32) for _ in plane.channels]
    for layer in layers.layers:
        sides = (0, -t, layer.weight_before), (1, 1 - t, layer.weight_after)
        vectors = None if layer.vectors is None else _enlarged(layer.vectors, width, height)
        for side, along, weight in sides:
            share = cv2.resize(weight, size, interpolation=cv2.INTER_LINEAR)
            places = None if vectors is None else cv2.scaleAdd(vectors, along, grid)
            for total, pair in zip(sums, plane.channels, strict=True):
                cv2.accumulateProduct(pair[side] if places is None else _read(pair[side], places), share, total)
    done = [np.rint(np.clip(total, 0, peak, out=total), out=total).astype(plane.dtype) for total in sums]
    return done[0] if len(plane.shape) == 2 else np.dstack(done)


def _channels(plane: NDArray[Any]) -> tuple[Field, ...]:
    if plane.ndim == 2:
        return (plane.astype(np.float32),)
    return tuple(plane[..., index].astype(np.float32) for index in range(plane.shape[2]))


def _grid(width: int, height: int) -> Field:
    grid = np.empty((height, width, 2), np.float32)
    grid[..., 0] = np.arange(width, dtype=np.float32)
    grid[..., 1] = np.arange(height, dtype=np.float32)[:, None]
    return grid


def _enlarged(vectors: Field, width: int, height: int) -> Field:
    rows, columns = vectors.shape[:2]
    scaled = vectors * np.array((width / columns, height / rows), np.float32)
    return cv2.resize(scaled, (width, height), interpolation=cv2.INTER_LINEAR)


def _read(channel: Field, places: Field) -> Field:
    return cv2.remap(channel, places, None, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
