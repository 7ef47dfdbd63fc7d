"""Short animated previews of videos, for pages that list many videos."""

import os
from fractions import Fraction
from itertools import chain

from shared.video.frames.display import has_alpha
from shared.video.limits import Limits
from shared.video.reading.reader import read_frames
from shared.video.seconds import Seconds
from shared.video.writing.writer import VideoWriter


def preview(
    source: str | os.PathLike[str],
    output: str | os.PathLike[str],
    *,
    width: int = 320,
    per_second: Seconds = 8,
    start: Seconds | None = None,
    duration: Seconds | None = 3,
    quality: int = 60,
    limits: Limits | None = None,
) -> int:
    """Write an animated WebP of a video part.

    Returns the number of frames. `width` in pixels; `per_second` frames a second of `duration` seconds from `start` on. The picture is
    upright, in the right shape, tone-mapped, and keeps its transparency. Each frame is shown as long as in the video. Errors are those of
    `read_frames`, and ValueError if the part holds no frame. On failure no file is left.
    """
    if width < 1:
        raise ValueError(f"{width = } must be positive")
    count = 0
    with read_frames(source, start=start, duration=duration, per_second=per_second, limits=limits, prefetch=2, to_sdr8=True) as frames:
        first = next(frames, None)
        if first is None:
            raise ValueError(f"no frame of the video lies within {duration} s after {start or 0} s")
        pixel_format = "yuva420p" if has_alpha(first.picture.format.name) else "yuv420p"
        height = max(round(first.height * width / first.width), 1)
        with VideoWriter(
            output,
            width=width,
            height=height,
            frame_rate=Fraction(per_second).limit_denominator(1000),
            time_base=first.time_base,
            pixel_format=pixel_format,
            quality=quality,
        ) as writer:
            for frame in chain([first], frames):
                writer.write(frame.picture, frame.pts - first.pts)
                count += 1
    return count
