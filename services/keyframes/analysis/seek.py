"""Decoding of single frames at given times."""

from collections.abc import Generator, Sequence
from contextlib import closing
from fractions import Fraction
from pathlib import Path

from shared.video import Frame, read_frames


def frames_at(video: Path, times: Sequence[Fraction], *, to_sdr8: bool = False) -> Generator[Frame, None, None]:
    """Yield the frames at `times`.

    `times`: exact seconds, rising. Yields fewer frames if the video ends before the last time. `to_sdr8` converts HDR and deep colour to
    8-bit SDR. Raises what `read_frames` raises.
    """
    with closing(read_frames(video, at=times, opaque=True, prefetch=2, to_sdr8=to_sdr8)) as frames:
        yield from frames
