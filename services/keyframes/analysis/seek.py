"""Decoding of single frames at given times."""

from bisect import bisect_right
from collections.abc import Generator, Sequence
from contextlib import closing
from fractions import Fraction
from pathlib import Path

from shared.errors import BrokenMedia
from shared.video import Frame, read_frames


def frames_at(video: Path, times: Sequence[Fraction], *, to_sdr8: bool = False) -> Generator[Frame, None, None]:
    """Yield the video frames at `times`.

    `times`: exact seconds, rising. Yields fewer frames if the video ends before the last time, and where it is damaged. `to_sdr8` converts
    HDR and deep colour to 8-bit SDR. Raises the errors of `read_frames`, but BrokenMedia only if no frame can be read.
    """
    place, has_frame = 0, False
    while place < len(times):
        begin = place
        try:
            with closing(read_frames(video, at=times[place:], opaque=True, prefetch=2, to_sdr8=to_sdr8)) as frames:
                for frame in frames:
                    has_frame = True
                    place = max(bisect_right(times, frame.time), place + 1)
                    yield frame
            return
        except BrokenMedia:
            # The time that could not be reached is left out; the next one may lie behind a keyframe.
            place += place == begin
            if place == len(times) and not has_frame:
                raise
