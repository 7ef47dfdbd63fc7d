"""Measurements of single frames, and the arrays that collect them for a scan."""

from array import array
from collections.abc import Generator, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from services.keyframes.analysis.comparison.content_change import ContentPlanes, content_change, content_planes
from services.keyframes.analysis.comparison.histogram_change import histogram_change
from services.keyframes.analysis.comparison.pixel_change import pixel_change
from services.keyframes.analysis.frame_quality import FrameQuality, frame_quality
from services.keyframes.analysis.readable_frames import ReadableFrames
from services.keyframes.analysis.scan import Scan
from services.keyframes.analysis.small_frame import SmallFrame, shrink, small_size
from services.keyframes.analysis.thumbnail_film import Planes, ThumbnailFile, thumbnail
from shared.video import Frame, VideoInfo, map_beside_decoding

_HELD = 4  # number of frames at each end of a quiet span with copied measures: detectors compare a cut with 4 neighbours on each side


@dataclass(frozen=True, slots=True)
class FrameMeasures:
    """Measurements of a single frame."""

    pts: int
    duration: int
    time_base: Fraction
    small: SmallFrame
    thumbnail: Planes
    content: ContentPlanes | None
    quality: FrameQuality
    key: bool
    frame: Frame | None
    """The decoded frame, if it may be needed in full size."""


@dataclass(frozen=True, slots=True)
class FrameDifferences:
    """Differences of a frame from the previous frame."""

    pixels: float = 0.0
    content: float = 0.0
    histogram: float = 0.0


class ScanArrays:
    """Collector of frame measurements in compact arrays."""

    def __init__(self, file: ThumbnailFile):
        self._file = file
        self._pixels, self._content, self._histogram = array("f"), array("f"), array("f")
        self._sharpness, self._exposure, self._layout = array("f"), array("f"), bytearray()
        self._last_pts = self._last_duration = 0
        self._time_base = Fraction(1)

    @property
    def end(self) -> Fraction:
        """Time at which the last frame ends, in seconds."""
        return (self._last_pts + self._last_duration) * self._time_base

    def add(self, frame: FrameMeasures, number: int, changes: FrameDifferences, *, held: bool = False) -> None:
        """Add the measurements of frame `number`.

        `held`: whether the measurements are copies, because the scan skipped the frame.
        """
        self._file.add(frame.thumbnail, number, held=held)
        self._pixels.append(changes.pixels)
        if frame.content is not None:
            self._content.append(changes.content)
            self._histogram.append(changes.histogram)
        self._sharpness.append(frame.quality.sharpness)
        self._exposure.append(frame.quality.exposure)
        self._layout.extend(frame.quality.layout)
        self._last_pts, self._last_duration, self._time_base = frame.pts, frame.duration, frame.time_base

    def hold(self, frame: FrameMeasures, first: int, second: int) -> None:
        """Add copies of a frame's measurements for skipped frames.

        `first`: number of `frame`. `second`: number of the next decoded frame. Only the skipped frames next to these two get copies.
        """
        for number in _held_frames(first, second):
            self.add(frame, number, FrameDifferences(), held=True)

    def scan(self, pts: NDArray[np.int64], key: NDArray[np.bool_], end: Fraction, frames: ReadableFrames) -> Scan:
        """Return the scan of all frames added so far."""
        return Scan(
            pts=pts,
            time_base=self._time_base,
            end=end,
            pixel_change=np.array(self._pixels, dtype=np.float32),
            content_change=np.array(self._content, dtype=np.float32),
            histogram_change=np.array(self._histogram, dtype=np.float32),
            sharpness=np.array(self._sharpness, dtype=np.float32),
            exposure=np.array(self._exposure, dtype=np.float32),
            layout=np.frombuffer(self._layout, dtype=np.uint8).reshape(-1, 48),
            film=self._file.film(),
            key=key,
            readable=tuple(frames.parts) if frames.damaged else (),
        )


def _held_frames(first: int, second: int) -> list[int]:
    """List the skipped frames that get copies of the measurements of frame `first`.

    These are the first and the last few frames between the frames `first` and `second`.
    """
    return [number for number in range(first + 1, second) if number <= first + _HELD or number >= second - _HELD]


def differences(before: FrameMeasures | None, now: FrameMeasures) -> FrameDifferences:
    """Measure a frame's differences from the previous frame.

    The first frame, whose `before` is None, has no changes.
    """
    if before is None:
        return FrameDifferences()
    if before.content is None or now.content is None:
        return FrameDifferences(pixels=pixel_change(before.small, now.small))
    return FrameDifferences(
        pixels=pixel_change(before.small, now.small),
        content=content_change(before.content, now.content),
        histogram=histogram_change(before.small, now.small),
    )


def measured_pairs(
    readable: ReadableFrames, info: VideoInfo, all_measures: bool, with_frames: bool
) -> Generator[tuple[FrameMeasures | None, FrameMeasures], None, None]:
    """Measure each frame and yield it with the previous frame.

    The first frame has None as its previous frame. Frames are measured on all cores. `with_frames`: whether to return the decoded frames
    too.
    """
    size = small_size(info.width, info.height)

    def measure(frame: Frame) -> FrameMeasures:
        small = shrink(frame, size)
        return FrameMeasures(
            pts=frame.pts,
            duration=frame.duration,
            time_base=frame.time_base,
            small=small,
            thumbnail=thumbnail(small),
            content=content_planes(small) if all_measures else None,
            quality=frame_quality(small),
            key=bool(frame.picture.key_frame),
            frame=frame if with_frames and not frame.deinterlaced else None,  # deinterlacing uses neighbours, which may be skipped here
        )

    with closing(iter(readable)) as frames:
        yield from _with_previous(map_beside_decoding(measure, frames))


def _with_previous(frames: Iterable[FrameMeasures]) -> Iterator[tuple[FrameMeasures | None, FrameMeasures]]:
    previous: FrameMeasures | None = None
    for frame in frames:
        yield previous, frame
        previous = frame
