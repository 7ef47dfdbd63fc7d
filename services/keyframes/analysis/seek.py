"""Single frames of a video, decoded with as little work as possible."""

from collections.abc import Generator, Iterator, Sequence
from contextlib import ExitStack, closing
from fractions import Fraction
from pathlib import Path

import numpy as np

from shared.video import Frame, Timeline, read_frames, timeline


def frames_at(video: Path, times: Sequence[Fraction], *, to_sdr8: bool = False) -> Generator[Frame, None, None]:
    """Yield the frames at `times` (exact seconds, rising).

    The reader jumps only where a keyframe lies in between, so no part is decoded twice. Ends early if the video does. `to_sdr8`
    converts HDR and deep colour to 8-bit SDR. Raises what `read_frames` raises.
    """
    line = timeline(video) if len(times) > 1 else None
    previous: Fraction | None = None
    with ExitStack() as stack:
        frames: Iterator[Frame] = iter(())
        for time in times:
            # Without a keyframe in between, a new start would decode again everything since the last keyframe.
            if previous is None or line is None or _has_keyframe(line, previous, time):
                stack.close()
                frames = iter(stack.enter_context(closing(read_frames(video, start=time, prefetch=1, to_sdr8=to_sdr8))))
            frame = next((frame for frame in frames if frame.time >= time), None)
            if frame is None:
                return
            yield frame
            previous = time


def _has_keyframe(line: Timeline, after: Fraction, until: Fraction) -> bool:
    """Return whether a keyframe lies after `after` and not later than `until` (seconds)."""
    first, last = np.searchsorted(line.pts, [int(after / line.time_base), int(until / line.time_base)], side="right")
    return bool(line.key[first:last].any())
