"""Full-size planes put together from layers of motion.

The work goes tile by tile, and nothing but the result is ever as large as the picture: a layer's vectors and weights are enlarged for the
tile, which stays in the processor's cache, and only where the layer counts. Sums are kept in float32 and rounded once.
"""

import math
from collections.abc import Iterator, Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from services.speed_ramp.flow_layers import Layer, Layers
from services.speed_ramp.flow_vectors import ALIGNED, Field

_TILE = 192  # samples of luma, about: smaller ones cost more calls, larger ones leave the cache
_SAME = 0.06  # pixels: shorter vectors stand still; OpenCV itself looks at 32nds
_NOTHING = 1 / 1024  # a weight that cannot change a level of 8 bits

Slices = tuple[slice, slice]


class Planes:
    """The same planes of both pictures, all of one size: uint8 or uint16, (height, width), or (height, width, n) with samples interleaved.

    `scale`: how many of their samples, down and across, one pixel of the small pictures stands for.
    """

    def __init__(self, before: Sequence[NDArray[Any]], after: Sequence[NDArray[Any]], scale: tuple[float, float]) -> None:
        self.dtype, self.size, self.scale = before[0].dtype, before[0].shape[:2], scale
        self.samples = [1 if plane.ndim == 2 else plane.shape[2] for plane in before]
        self.before, self.after = _channels(before), _channels(after)


def compose(planes: Planes, layers: Layers, *, peak: int, cubic: bool = True) -> list[NDArray[Any]]:
    """The planes at the layers' moment, of the shapes and type of their sources, no sample above `peak`.

    `cubic`: read the first layer so, which is sharper, by up to 0.5 dB, than linear interpolation. That does for chroma, and for the other
    layers, which fill in where the picture is torn between motions.
    """
    done = [np.empty(planes.size, planes.dtype) for _ in planes.before]
    for small, large in _tiles(planes, layers.layers[0].weight_before.shape):
        grid = _grid(*large)
        looks = [
            _Look(layer, small, large, planes.scale, grid, layers.t, cv2.INTER_CUBIC if cubic and index == 0 else cv2.INTER_LINEAR)
            for index, layer in enumerate(layers.layers)
            if max(cv2.norm(weight[small], cv2.NORM_INF) for weight in (layer.weight_before, layer.weight_after)) >= _NOTHING
        ]
        for before, after, made in zip(planes.before, planes.after, done, strict=True):
            tile = made[large]
            if len(looks) == 1 and planes.dtype == np.uint8:
                # Most tiles have one motion: their mean needs no sums, which is half of the work.
                cv2.blendLinear(*looks[0].seen(before, after), *looks[0].weights, dst=tile)
                continue
            total = np.zeros(tile.shape, np.float32)
            for look in looks:
                for seen, weight in zip(look.seen(before, after), look.weights, strict=True):
                    cv2.accumulateProduct(seen.astype(np.float32), weight, total)
            np.rint(np.clip(total, 0, peak, out=total), out=tile, casting="unsafe")
    channels = iter(done)
    return [next(channels) if count == 1 else np.dstack([next(channels) for _ in range(count)]) for count in planes.samples]


class _Look:
    """What a layer sees of both pictures in one tile, and what that counts."""

    def __init__(
        self, layer: Layer, small: Slices, large: Slices, scale: tuple[float, float], grid: Field, t: float, interpolation: int
    ) -> None:
        self._large, self._interpolation = large, interpolation
        self.weights = tuple(_enlarged(weight[small], small, large, scale) for weight in (layer.weight_before, layer.weight_after))
        self._places: tuple[Field, Field] | None = None
        if layer.vectors is not None and cv2.norm(layer.vectors[small], cv2.NORM_INF) * max(scale) > _SAME:
            vectors = _enlarged(cv2.multiply(layer.vectors[small], (scale[1], scale[0], 0, 0)), small, large, scale)
            self._places = cv2.scaleAdd(vectors, -t, grid), cv2.scaleAdd(vectors, 1 - t, grid)

    def seen(self, before: NDArray[Any], after: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
        """The tile as each picture shows it."""
        if self._places is None:
            return before[self._large], after[self._large]
        first, second = (
            cv2.remap(picture, places, None, self._interpolation, borderMode=cv2.BORDER_REPLICATE)
            for picture, places in zip((before, after), self._places, strict=True)
        )
        return first, second


def _tiles(planes: Planes, small: tuple[int, ...]) -> Iterator[tuple[Slices, Slices]]:
    """Tiles of the planes, each with the part of the small pictures that it is made from, and what is around that."""
    for down in _spans(planes.size[0], small[0], planes.scale[0]):
        for across in _spans(planes.size[1], small[1], planes.scale[1]):
            yield (down[0], across[0]), (down[1], across[1])


def _spans(length: int, small: int, scale: float) -> Iterator[tuple[slice, slice]]:
    # Whole pixels of the small pictures, of which ALIGNED are a whole number of samples.
    step = max(round(_TILE / scale / ALIGNED), 1) * ALIGNED
    for start in range(0, math.ceil(length / scale), step):
        around = slice(max(start - ALIGNED, 0), min(start + step + ALIGNED, small))
        yield around, slice(round(start * scale), min(round((start + step) * scale), length))


def _enlarged(part: Field, small: Slices, large: Slices, scale: tuple[float, float]) -> Field:
    """What stands for `large` in `part`, the `small` one of a field."""
    around = cv2.resize(part, None, fx=scale[1], fy=scale[0], interpolation=cv2.INTER_LINEAR)
    top, left = (big.start - round(little.start * by) for big, little, by in zip(large, small, scale, strict=True))
    return around[top : top + large[0].stop - large[0].start, left : left + large[1].stop - large[1].start]


def _channels(planes: Sequence[NDArray[Any]]) -> list[NDArray[Any]]:
    return [np.ascontiguousarray(channel) for plane in planes for channel in ([plane] if plane.ndim == 2 else np.moveaxis(plane, 2, 0))]


def _grid(rows: slice, columns: slice) -> Field:
    grid = np.empty((rows.stop - rows.start, columns.stop - columns.start, 2), np.float32)
    grid[..., 0] = np.arange(columns.start, columns.stop, dtype=np.float32)
    grid[..., 1] = np.arange(rows.start, rows.stop, dtype=np.float32)[:, None]
    return grid
