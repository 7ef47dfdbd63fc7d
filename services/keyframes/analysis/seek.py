"""Chosen frames of a video, with as little decoding as they allow."""

from collections.abc import Generator, Iterator, Sequence
from contextlib import ExitStack, closing
from fractions import Fraction
from pathlib import Path

import numpy as np

from shared.video import Frame, Timeline, read_frames, timeline


def frames_at(video: Path, times: Sequence[Fraction], *, to_sdr8: bool = False) -> Generator[Frame, None, None]:
    """The frames of `video` at `times` (seconds, rising, exact); only what they need is decoded, once. Ends early where the video does."""
    line = timeline(video) if len(times) > 1 else None
    before: Fraction | None = None
    with ExitStack() as stack:
        frames: Iterator[Frame] = iter(())
        for time in times:
            # Without a keyframe in between, another start would decode all of it again, from the keyframe before.
            if before is None or line is None or _key_between(line, before, time):
                stack.close()
                frames = iter(stack.enter_context(closing(read_frames(video, start=time, prefetch=1, to_sdr8=to_sdr8))))
            found = next((frame for frame in frames if frame.time >= time), None)
            if found is None:
                return
            yield found
            before = time


def _key_between(line: Timeline, after: Fraction, until: Fraction) -> bool:
    first, last = np.searchsorted(line.pts, [int(after / line.time_base), int(until / line.time_base)], side="right")
    return bool(line.key[first:last].any())
