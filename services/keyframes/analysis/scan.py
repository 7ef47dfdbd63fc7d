"""Scan: measurement of a video's frames in one pass.

The detectors and the choice of keyframes use these measures.
"""

from array import array
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from services.keyframes.analysis.comparison.content_change import ContentPlanes, content_change, content_planes
from services.keyframes.analysis.comparison.histogram_change import histogram_change
from services.keyframes.analysis.comparison.pixel_change import pixel_change
from services.keyframes.analysis.frame_quality import FrameQuality, frame_quality
from services.keyframes.analysis.key_spacing import share_before_choices
from services.keyframes.analysis.packet_prescan import Span, quiet_spans
from services.keyframes.analysis.readable_frames import ReadableFrames, ReadablePart
from services.keyframes.analysis.small_frame import SmallFrame, shrink, small_size
from services.keyframes.analysis.thumbnail_film import Planes, ThumbnailFile, ThumbnailFilm, thumbnail
from shared.operation import Progress
from shared.video import Frame, Timeline, VideoInfo, map_beside_decoding, opencv_on_one_thread, read_frames, timeline
from shared.video.threads.prefetch import Prefetcher

Floats = NDArray[np.float32]
_HELD = 4  # frames at each end of a quiet span that get copied measures, because detectors compare a cut with 4 neighbours on each side

_DEBLOCKING = 0.25
"""Share of frames to decode again above which the scan holds likely keyframes. Held frames have to be deblocked, which takes 22 % of
decoding in H.264."""


class FrameHolder(Protocol):
    """Collector of frames that may be needed in full size after the scan."""

    most: int
    """Most frames that may be needed."""

    def restart(self) -> None:
        """Forget all frames, because the scan begins anew."""

    def add(self, frame: Frame, number: int, quality: FrameQuality, pixel_change: float) -> None:
        """Add the next scanned frame.

        `number`: of the frame. `pixel_change`: since the previous frame, 0 to 255.
        """

    def finish(self, frames: int) -> None:
        """Finish the collection after the last scanned frame.

        `frames`: number of frames of the video.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class Scan:
    """Measurements of a video's scanned frames.

    The video has n frames, of which k were scanned; k = n unless frames were skipped. `film.frames` holds the numbers of the scanned
    frames. A frame takes a few dozen bytes.
    """

    pts: NDArray[np.int64]
    """(n,): presentation times of all frames in units of `time_base`. They count from the start of the file's timeline."""
    time_base: Fraction
    end: Fraction
    """Time at which the last frame ends, in seconds."""
    pixel_change: Floats
    """(k,): mean change of luma since the previous frame, 0 to 255. It is 0 at the first frame."""
    content_change: Floats
    """(k,): change of colours and edges since the previous frame, 0 to 255. Colours are hue, saturation and brightness. It is 0 at the
    first frame.

    (0,) if it was not measured."""
    histogram_change: Floats
    """(k,): change of the brightness histogram since the previous frame, 0 to 1. It is 0 at the first frame. (0,) if it was not
    measured."""
    sharpness: Floats
    """(k,): `FrameQuality.sharpness`."""
    exposure: Floats
    """(k,): `FrameQuality.exposure`."""
    layout: NDArray[np.uint8]
    """(k, 48): `FrameQuality.layout`."""
    film: ThumbnailFilm
    """Thumbnails of the scanned frames, readable as long as the thumbnail file exists."""
    key: NDArray[np.bool_] | None = None
    """(n,): whether decoding can begin at each frame. None if unknown."""
    readable: tuple[ReadablePart, ...] = ()
    """Parts of a damaged video that were read; empty for a whole one. If its end cannot be read, the video counts as ending before."""

    def spread(self, values: Floats) -> Floats:
        """Extend values of scanned frames (k,) to all frames (n,).

        Skipped frames get 0.
        """
        if len(values) == len(self.pts):
            return values
        spread = np.zeros(len(self.pts), np.float32)
        spread[self.film.frames] = values
        return spread

    def frames_since_key(self) -> NDArray[np.int64]:
        """Count the frames to decode before each frame, (n,).

        Zeros if the keyframes are unknown.
        """
        if self.key is None:
            return np.zeros(len(self.pts), np.int64)
        numbers = np.arange(len(self.key))
        since: NDArray[np.int64] = numbers - np.maximum.accumulate(np.where(self.key, numbers, 0))
        return since

    def exact_time(self, frame: int) -> Fraction:
        """Return the exact time of frame `frame` in seconds."""
        return int(self.pts[frame]) * self.time_base

    @property
    def frame_rate(self) -> float:
        """Typical number of frames per second."""
        step = float(np.median(np.diff(self.pts)) * self.time_base) if len(self.pts) > 1 else 0.0
        return 1 / step if step > 0 else 25.0

    @property
    def times(self) -> Sequence[float]:
        """Times of all frames in seconds."""
        # Unlike a list, it takes 8 bytes per frame. Floats hold the products exactly, so that only the division rounds.
        return array("d", self.pts * float(self.time_base.numerator) / self.time_base.denominator)


@dataclass(frozen=True, slots=True)
class _FrameMeasures:
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
class _Changes:
    """Differences of a frame from the previous frame."""

    pixels: float = 0.0
    content: float = 0.0
    histogram: float = 0.0


def scan_video(
    video: Path,
    info: VideoInfo,
    thumbnails: Path,
    progress: Progress,
    *,
    skip_unreferenced: bool = False,
    skip_quiet: bool = False,
    all_measures: bool = True,
    watch: Callable[[SmallFrame], None] | None = None,
    holder: FrameHolder | None = None,
) -> Scan:
    """Measure the frames of a video and store their thumbnails.

    `skip_unreferenced`: skip frames that no other frame refers to, where packet sizes are as usual. This halves the work. Frame numbers
    then come from the packets; if the packets do not match the decoded frames, every frame is read. Damaged parts are left out.
    `skip_quiet`: in `quiet_spans`, read only the keyframes. `all_measures`: also measure changes of content and of histograms, a
    quarter of the work. `watch`: called with every frame; only used if no frames are skipped. `holder`: gets the scanned frames in full
    quality, if that saves work. Raises what `read_frames` raises.
    """
    line = timeline(video) if skip_unreferenced or skip_quiet else None
    with opencv_on_one_thread():
        if line is not None:
            quiet = quiet_spans(video, line, thumbnails) if skip_quiet else []
            pays = holder is not None and share_before_choices(line, holder.most) >= _DEBLOCKING
            scan = _scan_selected(video, info, thumbnails, progress, line, quiet, all_measures, holder if pays else None)
            if scan is not None:
                return scan
            if holder:
                holder.restart()
        return _scan_all(video, info, thumbnails, progress, all_measures, watch, holder)


def _scan_all(
    video: Path,
    info: VideoInfo,
    thumbnails: Path,
    progress: Progress,
    all_measures: bool,
    watch: Callable[[SmallFrame], None] | None,
    holder: FrameHolder | None,
) -> Scan:
    """Decode and measure every frame."""
    pts, key = array("q"), array("b")
    readable = _readable(video, info, "none", [], None)
    with ThumbnailFile(thumbnails) as file, closing(_measured_pairs(readable, info, all_measures, holder is not None)) as pairs:
        measures = _Measures(file)
        for before, now in pairs:
            if watch:
                watch(now.small)
            lost = _lost_frames(pts, now.pts) if now.pts in readable.begins else []
            if before and lost:
                measures.hold(before, len(pts) - 1, len(pts) + len(lost))
            pts.extend(lost)
            key.extend(0 for _ in lost)
            changes = _changes(before, now)
            measures.add(now, len(pts), changes)
            if holder and now.frame:
                holder.add(now.frame, len(pts), now.quality, changes.pixels)
            pts.append(now.pts)
            key.append(now.key)
            progress(min(len(pts), info.frames), info.frames)
        if holder:
            holder.finish(len(pts))
        progress(1, 1)
        return measures.scan(np.array(pts, np.int64), np.array(key, bool), measures.end, readable)


def _lost_frames(pts: Sequence[int], behind: int) -> list[int]:
    """Estimate the times of lost frames.

    They lie between the last of `pts` and time `behind`.
    """
    if len(pts) < 2:
        return []
    step = (pts[-1] - pts[0]) / (len(pts) - 1)
    count = max(round((behind - pts[-1]) / step) - 1, 0)
    return [round(pts[-1] + (behind - pts[-1]) * (number + 1) / (count + 1)) for number in range(count)]


def _scan_selected(
    video: Path,
    info: VideoInfo,
    thumbnails: Path,
    progress: Progress,
    line: Timeline,
    quiet: Sequence[Span],
    all_measures: bool,
    holder: FrameHolder | None,
) -> Scan | None:
    """Decode and measure the frames that are not skipped.

    Skipped are frames that no other frame refers to, and the frames inside the spans of `quiet`. Returns None if the decoded frames do not
    match the packets in `line`.
    """
    keys_only = [(int(line.pts[first]), int(line.pts[second])) for first, second in quiet]
    span_starts = {second: first for first, second in quiet}
    readable, number = _readable(video, info, "steady" if holder else "rough", keys_only, line), 0
    with ThumbnailFile(thumbnails) as file, closing(_measured_pairs(readable, info, all_measures, holder is not None)) as pairs:
        measures = _Measures(file)
        for before, now in pairs:
            last, number = number, int(np.searchsorted(line.pts, now.pts))
            if number == len(line.pts) or line.pts[number] != now.pts:
                return None
            if before and number in span_starts:
                measures.hold(before, span_starts[number], number)
            elif before and now.pts in readable.begins:
                measures.hold(before, last, number)
            changes = _changes(before, now)
            measures.add(now, number, changes)
            if holder and now.frame:
                holder.add(now.frame, number, now.quality, changes.pixels)
            progress(min(number + 1, len(line.pts)), len(line.pts))
        if holder:
            holder.finish(len(line.pts))
        progress(1, 1)
        if not readable.ended:
            return measures.scan(line.pts[: number + 1], line.key[: number + 1], measures.end, readable)
        return measures.scan(line.pts, line.key, max(measures.end, line.end), readable)


def _readable(
    video: Path, info: VideoInfo, skip: Literal["none", "steady", "rough"], keys_only: list[tuple[int, int]], line: Timeline | None
) -> ReadableFrames:
    """Return an iterator over a video's readable frames."""

    def open_at(place: Fraction | None) -> Prefetcher[Frame]:
        return read_frames(video, start=place, from_key=place is not None, opaque=True, skip=skip, keys_only=keys_only)

    keys = [] if line is None else [int(pts) * line.time_base for pts in line.pts[line.key]]
    return ReadableFrames(open_at, keys, info.duration_s)


class _Measures:
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

    def add(self, frame: _FrameMeasures, number: int, changes: _Changes, *, held: bool = False) -> None:
        self._file.add(frame.thumbnail, number, held=held)
        self._pixels.append(changes.pixels)
        if frame.content is not None:
            self._content.append(changes.content)
            self._histogram.append(changes.histogram)
        self._sharpness.append(frame.quality.sharpness)
        self._exposure.append(frame.quality.exposure)
        self._layout.extend(frame.quality.layout)
        self._last_pts, self._last_duration, self._time_base = frame.pts, frame.duration, frame.time_base

    def hold(self, frame: _FrameMeasures, first: int, second: int) -> None:
        """Copy the measurements of `frame`, number `first`, to skipped frames before `second`."""
        for number in _held_frames(first, second):
            self.add(frame, number, _Changes(), held=True)

    def scan(self, pts: NDArray[np.int64], key: NDArray[np.bool_], end: Fraction, frames: ReadableFrames) -> Scan:
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


def _changes(before: _FrameMeasures | None, now: _FrameMeasures) -> _Changes:
    """Measure a frame's differences from the previous frame.

    The first frame, whose `before` is None, has no changes.
    """
    if before is None:
        return _Changes()
    if before.content is None or now.content is None:
        return _Changes(pixels=pixel_change(before.small, now.small))
    return _Changes(
        pixels=pixel_change(before.small, now.small),
        content=content_change(before.content, now.content),
        histogram=histogram_change(before.small, now.small),
    )


def _measured_pairs(
    readable: ReadableFrames, info: VideoInfo, all_measures: bool, with_frames: bool
) -> Generator[tuple[_FrameMeasures | None, _FrameMeasures], None, None]:
    """Measure each frame and yield it with the previous frame.

    The first frame has None as its previous frame. Frames are measured on all cores. `with_frames`: also return the decoded frames.
    """
    size = small_size(info.width, info.height)

    def measure(frame: Frame) -> _FrameMeasures:
        small = shrink(frame, size)
        return _FrameMeasures(
            pts=frame.pts,
            duration=frame.duration,
            time_base=frame.time_base,
            small=small,
            thumbnail=thumbnail(small),
            content=content_planes(small) if all_measures else None,
            quality=frame_quality(small),
            key=bool(frame.picture.key_frame),
            frame=frame if with_frames and not frame.deinterlaced else None,  # neighbours may be skipped here
        )

    with closing(iter(readable)) as frames:
        yield from _with_previous(map_beside_decoding(measure, frames))


def _with_previous(frames: Iterable[_FrameMeasures]) -> Iterator[tuple[_FrameMeasures | None, _FrameMeasures]]:
    previous: _FrameMeasures | None = None
    for frame in frames:
        yield previous, frame
        previous = frame
