"""Scanner: measures the frames of a video in one pass, and stores their thumbnails."""

from array import array
from collections.abc import Callable, Sequence
from contextlib import closing
from fractions import Fraction
from pathlib import Path
from typing import Literal, Protocol

import numpy as np

from services.keyframes.analysis.frame_measures import ScanArrays, differences, measured_pairs
from services.keyframes.analysis.frame_quality import FrameQuality
from services.keyframes.analysis.key_spacing import share_to_decode
from services.keyframes.analysis.packet_prescan import Span, quiet_spans
from services.keyframes.analysis.readable_frames import ReadableFrames
from services.keyframes.analysis.scan import Scan
from services.keyframes.analysis.small_frame import SmallFrame
from services.keyframes.analysis.thumbnail_film import ThumbnailFile
from shared.operation import Progress
from shared.video import Frame, Timeline, VideoInfo, opencv_on_one_thread, read_frames, timeline
from shared.video.threads.prefetch import Prefetcher

_MIN_DECODED_TWICE = 0.25
"""Minimum share of frames to decode twice at which likely keyframes are kept. They then need no second decoding. For a smaller share, the
second decoding is faster: kept frames have to be deblocked, which takes 22 % of the decoding time in H.264."""


class FrameHolder(Protocol):
    """Collector of frames that may be needed in full size after the scan."""

    most: int
    """Maximum number of frames that may be needed."""

    def restart(self) -> None:
        """Forget all frames, because the scan begins anew."""

    def add(self, frame: Frame, number: int, quality: FrameQuality, pixel_change: float) -> None:
        """Add the next scanned frame.

        `number`: number of the frame. `pixel_change`: change from the previous frame, 0 to 255.
        """

    def finish(self, frames: int) -> None:
        """Finish the collection after the last scanned frame.

        `frames`: number of frames of the video.
        """


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

    `skip_unreferenced`: whether to skip frames that no other frame refers to and whose packet sizes are usual. This halves the work. Frame
    numbers then come from the packets; if the packets do not match the decoded frames, every frame is read. Damaged parts are left out.
    `skip_quiet`: whether to read only the keyframes in `quiet_spans`. `all_measures`: whether to measure changes of content and of
    histograms too, a quarter of the work. `watch`: called with every frame; only used if no frames are skipped. `holder`: gets the scanned
    frames in full quality, if that saves work. Raises the errors of `read_frames`.
    """
    line = timeline(video) if skip_unreferenced or skip_quiet else None
    with opencv_on_one_thread():
        if line is not None:
            quiet = quiet_spans(video, line, thumbnails) if skip_quiet else []
            pays = holder is not None and share_to_decode(line, holder.most) >= _MIN_DECODED_TWICE
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
    with ThumbnailFile(thumbnails) as file, closing(measured_pairs(readable, info, all_measures, holder is not None)) as pairs:
        measures = ScanArrays(file)
        for before, now in pairs:
            if watch:
                watch(now.small)
            lost = _lost_frames(pts, now.pts) if now.pts in readable.begins else []
            if before and lost:
                measures.hold(before, len(pts) - 1, len(pts) + len(lost))
            pts.extend(lost)
            key.extend(0 for _ in lost)
            changes = differences(before, now)
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
    """Estimate the times of frames lost after `pts` and before `behind`.

    `behind`: time of the next readable frame.
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
    with ThumbnailFile(thumbnails) as file, closing(measured_pairs(readable, info, all_measures, holder is not None)) as pairs:
        measures = ScanArrays(file)
        for before, now in pairs:
            last, number = number, int(np.searchsorted(line.pts, now.pts))
            if number == len(line.pts) or line.pts[number] != now.pts:
                return None
            if before and number in span_starts:
                measures.hold(before, span_starts[number], number)
            elif before and now.pts in readable.begins:
                measures.hold(before, last, number)
            changes = differences(before, now)
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
    """Return an iterable over a video's readable frames."""

    def open_at(place: Fraction | None) -> Prefetcher[Frame]:
        return read_frames(video, start=place, from_key=place is not None, opaque=True, skip=skip, keys_only=keys_only)

    keys = [] if line is None else [int(pts) * line.time_base for pts in line.pts[line.key]]
    return ReadableFrames(open_at, keys, info.duration_s)
