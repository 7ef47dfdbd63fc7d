"""Synchronised reading of two or more videos.

For example of a clip and its matte.
"""

import os
from collections import deque
from collections.abc import Iterator
from fractions import Fraction
from itertools import islice
from types import TracebackType
from typing import Literal, Self

from shared.video.frames.display import BLACK
from shared.video.frames.frame import Frame
from shared.video.limits import Limits
from shared.video.reading.reader import read_frames
from shared.video.reading.times.timeline import timeline
from shared.video.seconds import Seconds, to_fraction
from shared.video.threads.prefetch import Prefetcher

Align = Literal["first-frame", "timeline"]
End = Literal["hold", "shortest"]
# Largest difference, in seconds, between two files' times of the same frame. Some containers round times to milliseconds.
_ROUNDING_S = Fraction(1, 1000)
# Largest shift, in seconds, between the start of a clip and the start of a file made from it. If the clip's picture starts late, the file
# may start up to 20 ms earlier or later, to keep an even rate.
_MOST_MOVED_S = Fraction(1, 50) + 2 * _ROUNDING_S


def read_together(
    *paths: str | os.PathLike[str],
    start: Seconds | None = None,
    duration: Seconds | None = None,
    every: int = 1,
    per_second: Seconds | None = None,
    align: Align = "first-frame",
    end: End = "hold",
    limits: Limits | None = None,
    prefetch: int = 8,
    to_sdr8: bool = False,
    opaque: bool = False,
    background: str = BLACK,
) -> "MultiReader":
    """Read several videos in step, one tuple of frames at a time.

    Yields a tuple for each frame of the first video, with one frame of each video. The first video leads: `start`, `duration`, `every` and
    `per_second` apply to it, as in `read_frames`. The others contribute the frame shown at its time. Where their rate differs, frames
    repeat or are skipped. Each frame has its own size and its own `time`. Times within a millisecond count as equal, since some containers
    round to that.

    `opaque`: transparent parts of the first video are put on `background`, "#rrggbb"; the others keep their alpha.

    `align`: "first-frame" aligns the first frames of all videos, which is right for a matte made from the clip frame by frame; "timeline"
    compares the files' own times. `end`: when another video ends before the first, "hold" repeats its last frame and "shortest" stops. Use
    it as a context manager, or close it, to end early; all files are closed. Errors are those of `read_frames`, and end all readers.
    """
    if not paths:
        raise ValueError("give one video or more to read together")

    def opened(path: str | os.PathLike[str], first: Fraction | None, *, at_start: bool) -> "_Reader":
        options = (
            {} if at_start else {"duration": duration, "every": every, "per_second": per_second, "opaque": opaque, "background": background}
        )
        return _Reader(
            read_frames(path, start=first, limits=limits, prefetch=prefetch, to_sdr8=to_sdr8, shown_at_start=at_start, **options)  # type: ignore[arg-type]
        )

    def first_two(path: str | os.PathLike[str]) -> tuple[Fraction, Fraction]:
        """Return the times of the first two frames of the video at `path`."""
        reader = _Reader(read_frames(path, limits=limits, prefetch=2))
        try:
            return reader.first_two()
        finally:
            reader.close()

    first = None if start is None else to_fraction(start)
    whole = first is None and duration is None and every == 1 and per_second is None
    readers: list[_Reader] = []
    try:
        if first is None:
            for path in paths:
                readers.append(opened(path, None, at_start=bool(readers)))
        if len(paths) == 1 or align == "timeline":
            heads = [(Fraction(0), Fraction(0))] * len(paths)
        elif whole:
            heads = [reader.first_two() for reader in readers]
        else:
            heads = [first_two(path) for path in paths]
        begins = [_own_start(head, heads[0], paths[0], path, limits) for head, path in zip(heads, paths, strict=True)]
        if first is not None:
            for path, own in zip(paths, begins, strict=True):
                # The frame shown at `start` may have begun earlier.
                readers.append(opened(path, max(first - begins[0] + own, Fraction(0)), at_start=bool(readers)))
    except BaseException:
        for reader in readers:
            reader.close()
        raise
    followers = [_Follower(reader, begins[0] - own) for reader, own in zip(readers[1:], begins[1:], strict=True)]
    return MultiReader(readers[0], followers, end)


def _own_start(
    head: tuple[Fraction, Fraction],
    leader_head: tuple[Fraction, Fraction],
    leader: str | os.PathLike[str],
    path: str | os.PathLike[str],
    limits: Limits | None,
) -> Fraction:
    """Return the time in `path` at which the first frame of `leader` is shown.

    `path` is a video. `head`, `leader_head`: times of the first two frames of the video at `path`, and of the leading video.

    Usually that is the time of the first frame in `path`. The exception is a video that was made from a leader whose picture starts late:
    such a video holds or repeats its first frame from 0 on, and ends when the leader ends.
    """
    late = leader_head[0]
    if late <= 0 or head[0] != 0:
        return head[0]
    if abs(head[1] - leader_head[1]) <= _ROUNDING_S:
        return late
    own, others = timeline(path, limits=limits), timeline(leader, limits=limits)
    if own is None or others is None:
        return head[0]
    moved = own.end - others.end
    return late + moved if abs(moved) <= _MOST_MOVED_S and abs(moved) < abs(moved + late) else head[0]


class MultiReader:
    """An iterator over tuples of frames, one frame of each video; see `read_together`."""

    def __init__(self, leader: "_Reader", others: list["_Follower"], end: End):
        self._leader, self._others, self._end = leader, others, end

    def __iter__(self) -> Iterator[tuple[Frame, ...]]:
        return self

    def __next__(self) -> tuple[Frame, ...]:
        try:
            frame = next(self._leader)
            frames = [follower.at(frame) for follower in self._others]
            if self._end == "shortest" and any(follower.over_at(frame) for follower in self._others):
                raise StopIteration
        except BaseException:
            self.close()
            raise
        return frame, *frames

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """End all reading threads, and wait until they have closed their files."""
        self._leader.close()
        for follower in self._others:
            follower.close()


class _Reader:
    """An iterator over a video's frames that can look ahead at two frames.

    Looking ahead does not consume them.
    """

    def __init__(self, frames: Prefetcher[Frame]):
        self._frames = frames
        self._ahead: deque[Frame] = deque()

    def __iter__(self) -> Iterator[Frame]:
        return self

    def __next__(self) -> Frame:
        return self._ahead.popleft() if self._ahead else next(self._frames)

    def first_two(self) -> tuple[Fraction, Fraction]:
        """Return the times of the first two frames.

        A single frame's time is returned twice.
        """
        self._ahead.extend(islice(self._frames, 2))
        return self._ahead[0].time, self._ahead[-1].time

    def close(self) -> None:
        self._ahead.clear()
        self._frames.close()


class _Follower:
    """A reader of one video's frames at the times of another video, the leader."""

    def __init__(self, frames: _Reader, shift: Fraction):
        self._frames, self._shift = frames, shift
        self._current: Frame | None = None
        self._coming: Frame | None = None
        self.close = frames.close

    def at(self, leader: Frame) -> Frame:
        """Return the frame visible at the start of another video's frame `leader`.

        Before the video's start it is the first frame, after its end the last.
        """
        if self._current is None:
            self._current = next(self._frames)
            self._coming = next(self._frames, None)
        while self._coming is not None and self._begins(self._coming) <= leader.time + self._slack(leader, self._coming):
            self._current, self._coming = self._coming, next(self._frames, None)
        return self._current

    def over_at(self, leader: Frame) -> bool:
        """Return whether this reader's video ends before `leader`, a frame of the other video."""
        if self._coming is not None or self._current is None:
            return False
        ends = self._begins(self._current) + self._current.duration * self._current.time_base
        return leader.time + self._slack(leader, self._current) >= ends

    def _begins(self, frame: Frame) -> Fraction:
        return frame.time + self._shift

    @staticmethod
    def _slack(leader: Frame, frame: Frame) -> Fraction:
        rounding = max((leader.time_base + frame.time_base) / 2, _ROUNDING_S)
        return min(rounding, frame.duration * frame.time_base / 2)
