"""Full-size planes put together from layers of motion.

The work goes strip by strip, and nothing but the result is ever as large as the picture: where a layer looks, and what that counts, is
enlarged for the strip, which stays in the processor's cache. The first layer is looked up everywhere. Each further one is laid over it,
only in those columns of the strip where it counts, a tenth to a third of the picture: they are pushed together and treated as one picture.
"""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from services.speed_ramp.picture.flow.area import Picture, Raster
from services.speed_ramp.picture.flow.layers import Layer, Layers
from services.speed_ramp.picture.flow.vectors import Field

_NOTHING = 1 / 64  # an opacity that changes next to nothing


class Planes:
    """The same planes of both pictures, all of one size: uint8 or uint16, (height, width), or (height, width, n) with samples interleaved.

    `scale`: how many of their samples, down and across, one pixel of the small pictures stands for.
    `before`, `after`: one array for each channel, uint8, or float32 where there are more bits.
    """

    def __init__(self, before: Sequence[Picture], after: Sequence[Picture], scale: tuple[float, float]) -> None:
        height, width = before[0].shape[:2]
        self.dtype, self.raster = before[0].dtype, Raster((height, width), scale)
        self.samples = [1 if plane.ndim == 2 else plane.shape[2] for plane in before]
        self.before, self.after = _channels(before), _channels(after)


def compose(planes: Planes, layers: Layers, *, peak: int, sharp: bool = True) -> list[Picture]:
    """The planes at the layers' moment, of the shapes and type of their sources, no sample above `peak`.

    `sharp`: read the first layer cubically where there is fine detail, which gains up to 0.2 dB. Elsewhere linear interpolation is as good,
    and so it is for chroma and the other layers, which fill in where the picture is torn between motions.
    """
    done = [np.empty_like(plane) for plane in planes.before]
    sights = [_Sight(layer, layers.t, planes, sharp=sharp) for layer in layers.layers]
    for strip in range(planes.raster.strips):
        for sight in sights:
            sight.show(strip, done)
    if planes.dtype != np.uint8:
        done = [np.rint(np.clip(made, 0, peak, out=made), out=made).astype(planes.dtype) for made in done]
    channels = iter(done)
    return [next(channels) if count == 1 else np.dstack([next(channels) for _ in range(count)]) for count in planes.samples]


class _Sight:
    """What a layer shows of planes."""

    def __init__(self, layer: Layer, t: float, planes: Planes, *, sharp: bool) -> None:
        self._planes, self._t = planes, t
        raster = planes.raster
        seen = raster.blocks(None if layer.opacity is None else layer.opacity > _NOTHING)
        fine = np.zeros_like(seen) if layer.fine is None or not sharp else raster.blocks(layer.fine)
        smooth = _filled(seen & ~fine) if fine.any() else seen
        self._areas = (raster.areas(smooth), cv2.INTER_LINEAR), (raster.areas(fine), cv2.INTER_CUBIC)
        self._opacity = None if layer.opacity is None else raster.padded(layer.opacity)
        self._places: tuple[Field, Field] | None = None
        if layer.vectors is not None and layer.after is not None:
            own = raster.places(layer.vectors.shape)
            vectors = raster.scaled(raster.padded(layer.vectors))
            self._places = cv2.scaleAdd(vectors, -t, own), cv2.scaleAdd(vectors, 1 - t, own)
            self._share = raster.padded(layer.after)

    def show(self, strip: int, done: list[Picture]) -> None:
        """Lays it over a strip of what is done of each channel."""
        for areas, interpolation in self._areas:
            area = areas[strip]
            if area is None:
                continue
            share, places = None, []
            if self._places is not None:
                places, share = [area.enlarged(places) for places in self._places], _both(area.enlarged(self._share))
            opacity = None if self._opacity is None else _both(area.enlarged(self._opacity))
            for before, after, made in zip(self._planes.before, self._planes.after, done, strict=True):
                if self._places is None:
                    looks = [area.of(before), area.of(after)]
                else:
                    looks = [
                        cv2.remap(picture, at, None, interpolation, borderMode=cv2.BORDER_REPLICATE)
                        for picture, at in zip((before, after), places, strict=True)
                    ]
                if opacity is not None:
                    looks = [look.astype(np.float32) for look in looks]  # so that what is laid over is rounded once
                seen = cv2.addWeighted(looks[0], 1 - self._t, looks[1], self._t, 0) if share is None else cv2.blendLinear(*looks, *share)
                if opacity is not None:
                    seen = np.rint(cv2.blendLinear(area.of(made).astype(np.float32), seen, *opacity))
                area.put(seen, made)


def _filled(blocks: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """True from the first to the last in each strip: one run is not copied, which costs more than to look twice."""
    return np.maximum.accumulate(blocks, axis=1) & np.maximum.accumulate(blocks[:, ::-1], axis=1)[:, ::-1]


def _both(share: Field) -> tuple[Field, Field]:
    return 1 - share, share


def _channels(planes: Sequence[Picture]) -> list[Picture]:
    channels = (channel for plane in planes for channel in ([plane] if plane.ndim == 2 else np.moveaxis(plane, 2, 0)))
    return [np.ascontiguousarray(channel, np.uint8 if channel.dtype == np.uint8 else np.float32) for channel in channels]
