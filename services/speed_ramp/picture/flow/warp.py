"""Composition of full-size planes from motion layers.

Works strip by strip: a layer's places and weights are enlarged for one strip at a time, which fits the processor's cache, so only the
result is as large as the picture. The bottom layer is read everywhere. Further layers are laid over it only in the columns where they are
visible, a tenth to a third of the picture; these columns are joined and handled as one picture.
"""

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from services.speed_ramp.picture.flow.area import Picture, Raster
from services.speed_ramp.picture.flow.layers import Layer, Layers
from services.speed_ramp.picture.flow.vectors import Field, sample

_INVISIBLE = 1 / 64  # opacity, 0 to 1, below which a layer is not drawn


class Planes:
    """Equally sized planes of both pictures.

    uint8 or uint16, (height, width), or (height, width, n) with interleaved samples. `scale`: samples per small pixel, (down, across). The
    attributes `before` and `after` have one array per channel: uint8, or float32 where samples have more than 8 bits.
    """

    def __init__(self, before: Sequence[Picture], after: Sequence[Picture], scale: tuple[float, float]) -> None:
        height, width = before[0].shape[:2]
        self.dtype, self.raster = before[0].dtype, Raster((height, width), scale)
        self.samples = [1 if plane.ndim == 2 else plane.shape[2] for plane in before]
        self.before, self.after = _channels(before), _channels(after)


def compose(planes: Planes, layers: Layers, *, peak: int, sharp: bool = True) -> list[Picture]:
    """Compose an interpolated picture from both pictures' `planes`, layer by layer.

    Planes have the shapes and type of their sources, with no sample above `peak`. `sharp`: read the bottom layer with cubic interpolation
    where there is fine detail, which gains up to 0.2 dB. Linear interpolation is as good elsewhere, for chroma, and for the other layers,
    which only fill the gaps between motions.
    """
    channels = [np.empty_like(plane) for plane in planes.before]
    painters = [_LayerPainter(layer, layers.t, planes, sharp=sharp) for layer in layers.layers]
    for strip in range(planes.raster.strips):
        for painter in painters:
            painter.draw(strip, channels)
    if planes.dtype != np.uint8:
        channels = [np.rint(np.clip(channel, 0, peak, out=channel), out=channel).astype(planes.dtype) for channel in channels]
    remaining = iter(channels)
    return [next(remaining) if count == 1 else np.dstack([next(remaining) for _ in range(count)]) for count in planes.samples]


class _LayerPainter:
    """Painter of one layer, strip by strip."""

    def __init__(self, layer: Layer, t: float, planes: Planes, *, sharp: bool) -> None:
        self._planes, self._t = planes, t
        raster = planes.raster
        visible = raster.blocks(None if layer.opacity is None else layer.opacity > _INVISIBLE)
        fine = np.zeros_like(visible) if layer.fine is None or not sharp else raster.blocks(layer.fine)
        smooth = _filled(visible & ~fine) if fine.any() else visible
        self._areas = (raster.areas(smooth), cv2.INTER_LINEAR), (raster.areas(fine), cv2.INTER_CUBIC)
        self._opacity = None if layer.opacity is None else raster.padded(layer.opacity)
        self._places: tuple[NDArray[Any], NDArray[Any]] | None = None
        if layer.vectors is not None and layer.after is not None:
            own = raster.places(layer.vectors.shape)
            vectors = raster.scaled(raster.padded(layer.vectors))
            self._places = cv2.scaleAdd(vectors, -t, own), cv2.scaleAdd(vectors, 1 - t, own)
            self._share = raster.padded(layer.after)

    def draw(self, strip: int, done: list[Picture]) -> None:
        """Draw the layer onto a strip of each channel in `done`."""
        for areas, interpolation in self._areas:
            area = areas[strip]
            if area is None:
                continue
            share, places = None, []
            if self._places is not None:
                places, share = [area.enlarged(field) for field in self._places], _both(area.enlarged(self._share))
            opacity = None if self._opacity is None else _both(area.enlarged(self._opacity))
            for before, after, channel in zip(self._planes.before, self._planes.after, done, strict=True):
                if self._places is None:
                    samples = [area.of(before), area.of(after)]
                else:
                    samples = [
                        sample(picture, at, interpolation=interpolation) for picture, at in zip((before, after), places, strict=True)
                    ]
                if opacity is not None:
                    samples = [part.astype(np.float32) for part in samples]  # float, so that the result is rounded once
                mixed: NDArray[Any]
                if share is None:
                    mixed = cv2.addWeighted(samples[0], 1 - self._t, samples[1], self._t, 0)
                else:
                    mixed = cv2.blendLinear(samples[0], samples[1], *share)
                if opacity is not None:
                    mixed = np.rint(cv2.blendLinear(area.of(channel).astype(np.float32), mixed, *opacity))
                area.put(mixed, channel)


def _filled(blocks: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Fill the gaps between the marked blocks of each strip.

    Reading more blocks costs less than copying several runs.
    """
    return np.maximum.accumulate(blocks, axis=1) & np.maximum.accumulate(blocks[:, ::-1], axis=1)[:, ::-1]


def _both(share: Field) -> tuple[Field, Field]:
    """Return the weights of two mixed pictures; `share` is the second's weight."""
    return 1 - share, share


def _channels(planes: Sequence[Picture]) -> list[Picture]:
    """Split planes into channels."""
    channels = (channel for plane in planes for channel in ([plane] if plane.ndim == 2 else np.moveaxis(plane, 2, 0)))
    return [np.ascontiguousarray(channel, np.uint8 if channel.dtype == np.uint8 else np.float32) for channel in channels]
