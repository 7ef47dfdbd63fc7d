"""Frames of a composite, or of the subject with alpha, computed in parallel."""

from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack, closing
from dataclasses import replace
from itertools import chain

import av
import cv2
import numpy as np

from services.background.clip.planes import Plane
from services.background.composing.layer_reader import LayerReader, TimedLayers
from services.background.mixing.compositor import (
    Compositor,
    FrameMeasurements,
    Layers,
    Look,
    MeasurementSmoother,
    SteadyMeasurements,
)
from services.background.mixing.grain import Grain, grain_of
from services.background.mixing.over_operator import chroma_alpha
from shared.video import map_ordered
from shared.video.clip.rewrite import Times
from shared.video.frames.color import apply_tags, matrix_or_guess
from shared.video.frames.planes import picture_from

_WORKERS = 2


class CompositeFrames:
    """Frames of one composite, computed in parallel.

    `look(matrix)`: returns the mixing options for a colour matrix. `match_grain`: whether to give the background the grain of the clip.
    """

    def __init__(self, reader: LayerReader, look: Callable[[str], Look], *, match_grain: bool) -> None:
        self._reader, self._look, self._match_grain = reader, look, match_grain
        self.grain_levels = 0.0
        """Grain given to the background: standard deviation, of 255 levels."""

    def composites(self) -> Generator[tuple[Times, av.VideoFrame], None, None]:
        """Yield the composite's frames with their times."""
        with ExitStack() as stack:
            frames = stack.enter_context(closing(self._reader.read()))
            first = next(frames, None)
            if first is None:
                return
            grain = self._grain(first.layers) if self._match_grain else None
            compositor = Compositor(self._look(matrix_or_guess(first.color, *self._reader.size)), grain)
            steady = MeasurementSmoother()

            def measured(frame: TimedLayers) -> tuple[TimedLayers, FrameMeasurements]:
                clean = replace(frame.layers, alpha=compositor.cleaned(frame.layers.alpha))
                return replace(frame, layers=clean), compositor.measure(clean)

            def composed(job: tuple[TimedLayers, SteadyMeasurements]) -> tuple[Times, av.VideoFrame]:
                frame, measurements = job
                picture = picture_from(compositor.compose(frame.layers, measurements), *self._reader.size, "yuv420p")
                apply_tags(picture, frame.color.model_copy(update={"range": "tv"}))
                return frame.times, picture

            measured_frames = map_ordered(measured, chain((first,), frames), workers=_WORKERS, ahead=1)
            ready = ((frame, steady(measurements)) for frame, measurements in measured_frames)
            del first  # a frame must not stay in memory until the end
            yield from map_ordered(composed, ready, workers=_WORKERS, ahead=1)

    def subjects(self) -> Generator[tuple[Times, av.VideoFrame, Plane], None, None]:
        """Yield frames of the subject alone, with their times and alpha planes."""
        with closing(self._reader.read()) as frames:

            def cut_out(job: tuple[TimedLayers, Compositor]) -> tuple[Times, av.VideoFrame, Plane]:
                frame, compositor = job
                alpha = compositor.cleaned(frame.layers.alpha)
                planes = compositor.subject(replace(frame.layers, alpha=alpha), (alpha, chroma_alpha(alpha)))
                picture = picture_from(planes, *self._reader.size, "yuv420p")
                apply_tags(picture, frame.color.model_copy(update={"range": "tv"}))
                return frame.times, picture, alpha

            def with_compositor() -> Iterator[tuple[TimedLayers, Compositor]]:
                compositor: Compositor | None = None
                for frame in frames:
                    compositor = compositor or Compositor(self._look(matrix_or_guess(frame.color, *self._reader.size)))
                    yield frame, compositor

            yield from map_ordered(cut_out, with_compositor(), workers=_WORKERS, ahead=1)

    def _grain(self, layers: Layers) -> Grain:
        """Return the grain to add to the background, measured on one frame."""
        inside = cv2.erode(layers.alpha, np.ones((5, 5), np.uint8)) > 250
        subject = grain_of(layers.frame[0], inside if inside.sum() > 2000 else None)
        background = grain_of(layers.background[0])
        self.grain_levels = float(np.sqrt(max(subject * subject - background * background, 0.0)))
        return Grain(*self._reader.size, self.grain_levels)
