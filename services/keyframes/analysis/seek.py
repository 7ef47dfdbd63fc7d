"""Decoding of single frames at given times."""

from collections.abc import Generator, Iterator, Sequence
from contextlib import ExitStack, closing
from fractions import Fraction
from pathlib import Path

import numpy as np

from shared.video import Frame, Timeline, read_frames, timeline


def frames_at(video: Path, times: Sequence[Fraction], *, to_sdr8: bool = False) -> Generator[Frame, None, None]:
    """Yield the frames at `times`.

    `times`: exact seconds, rising. The reader seeks only if a keyframe lies between two times, so no part of the video is decoded twice.
    Yields fewer frames if the video ends before the last time. `to_sdr8` converts HDR and deep colour to 8-bit SDR. Raises what
    `read_frames` raises.
    """
    line = timeline(video) if len(times) > 1 else None
    previous: Fraction | None = None
    with ExitStack() as stack:
        frames: Iterator[Frame] = iter(())
        for time in times:
            # Without a keyframe in between, seeking would decode everything since the last keyframe again.
            if previous is None or line is None or _has_keyframe(line, previous, time):
                stack.close()
                frames = iter(stack.enter_context(closing(read_frames(video, opaque=True, start=time, prefetch=1, to_sdr8=to_sdr8))))
            frame = next((frame for frame in frames if frame.time >= time), None)
            if frame is None:
                return
            yield frame
            previous = time


def _has_keyframe(line: Timeline, after: Fraction, until: Fraction) -> bool:
    """Return whether a keyframe lies between two times.

    `after` and `until` are in seconds; a keyframe at `after` does not count, one at `until` does.
    """
    first, last = np.searchsorted(line.pts, [int(after / line.time_base), int(until / line.time_base)], side="right")
    return bool(line.key[first:last].any())
