"""Rendering of the subject over a moving background."""

from collections.abc import Generator, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from services.background.analysis.exposure import exposed
from services.background.clip.planes import Plane, Planes, alpha_of, planes_420
from services.background.mixing.compositor import Compositor, FrameMeasurements, Layers, Look, MeasurementSmoother, SteadyMeasurements
from services.background.mixing.grain import Grain, grain_of
from services.background.parallax.moving_plate import MovingPlate
from shared.media_info import ColorInfo
from shared.video import map_ordered, read_together
from shared.video.clip.part import ClipPart
from shared.video.clip.rewrite import Times
from shared.video.frames.color import apply_tags
from shared.video.frames.planes import picture_from

_WORKERS = 2


@dataclass(frozen=True, kw_only=True, eq=False)
class Stage:
    """Settings shared by all frames of a render.

    `exposure`: (frames,), factor on the plate's brightness in each frame. `size`: (width, height) of the result. `grain`: whether to add
    the clip's grain. `look.matrix`: the clip's colour matrix.
    """

    plate: MovingPlate
    exposure: NDArray[np.float64]
    look: Look
    grain: bool
    size: tuple[int, int]


@dataclass(frozen=True, slots=True, eq=False)
class _Source:
    """A source frame with its number, times, colour tags, planes and matte."""

    number: int
    times: Times
    color: ColorInfo
    planes: Planes
    alpha: Plane


@dataclass(frozen=True, slots=True, eq=False)
class _Staged:
    """The layers of a frame, with its times and colour tags."""

    times: Times
    color: ColorInfo
    layers: Layers


class Render:
    """Renderer of the subject over a moving background.

    `grain_levels`: standard deviation of the added grain in levels. It is measured on the first frame.
    """

    def __init__(self, stage: Stage, video: Path, alpha: Path, part: ClipPart) -> None:
        self._stage, self._video, self._alpha, self._part = stage, video, alpha, part
        self.grain_levels = 0.0

    def pictures(self) -> Generator[tuple[Times, av.VideoFrame], None, None]:
        """Yield the finished frames with the clip's times."""
        stage = self._stage
        with ExitStack() as stack:
            frames = stack.enter_context(closing(self._read()))
            first = next(frames, None)
            if first is None:
                return
            grain = self._measured_grain(first) if stage.grain else None
            compositor = Compositor(stage.look, grain)
            steady = MeasurementSmoother()

            def staged(frame: _Source) -> tuple[_Staged, FrameMeasurements]:
                layers = Layers(frame.number, frame.planes, compositor.cleaned(frame.alpha), self._background(frame.number))
                return _Staged(frame.times, frame.color, layers), compositor.measure(layers)

            def composed(job: tuple[_Staged, SteadyMeasurements]) -> tuple[Times, av.VideoFrame]:
                frame, steadied = job
                picture = picture_from(compositor.compose(frame.layers, steadied), *stage.size, "yuv420p")
                apply_tags(picture, frame.color)
                return frame.times, picture

            def every() -> Iterator[_Source]:
                yield first
                yield from frames

            steadied_frames = ((frame, steady(measures)) for frame, measures in map_ordered(staged, every(), workers=_WORKERS, ahead=1))
            yield from map_ordered(composed, steadied_frames, workers=_WORKERS, ahead=1)

    def _read(self) -> Generator[_Source, None, None]:
        """Yield the source frames in the size of the result."""
        part, size = self._part, self._stage.size
        with read_together(
            self._video, self._alpha, opaque=True, start=part.start or None, duration=part.duration, to_sdr8=True, prefetch=4
        ) as pairs:
            for number, (frame, matte) in enumerate(pairs):
                planes = _resized(planes_420(frame), size)
                tags = {"range": "tv"} | ({} if (frame.width, frame.height) == size else {"matrix": self._stage.look.matrix})
                yield _Source(number, Times.of(frame), frame.color.model_copy(update=tags), planes, alpha_of(matte, size))

    def _background(self, number: int) -> Planes:
        exposure = self._stage.exposure
        ratio = float(exposure[min(number, len(exposure) - 1)]) if len(exposure) else 1.0
        return exposed(self._stage.plate.at(number), ratio)

    def _measured_grain(self, frame: _Source) -> Grain:
        """Return the grain to add to the background, measured on one frame."""
        inside = cv2.erode(frame.alpha, np.ones((5, 5), np.uint8)) > 250
        clip = grain_of(frame.planes[0], np.asarray(inside, np.bool_) if inside.sum() > 2000 else None)
        plate = grain_of(self._background(frame.number)[0])
        self.grain_levels = float(np.sqrt(max(clip * clip - plate * plate, 0.0)))
        return Grain(*self._stage.size, self.grain_levels)


def _resized(planes: Planes, size: tuple[int, int]) -> Planes:
    half = (size[0] + 1) // 2, (size[1] + 1) // 2
    luma, u, v = (_plane(plane, target) for plane, target in zip(planes, (size, half, half), strict=True))
    return luma, u, v


def _plane(plane: Plane, size: tuple[int, int]) -> Plane:
    return plane if plane.shape[::-1] == size else np.asarray(cv2.resize(plane, size, interpolation=cv2.INTER_AREA), np.uint8)
