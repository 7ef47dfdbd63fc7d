"""Reading of one frame of a video, selected by its number."""

import os
from fractions import Fraction
from itertools import islice
from pathlib import Path

from PIL import Image

from shared.errors import Invalid
from shared.file_calls import FrameRequest, PictureSize
from shared.media.types import is_image
from shared.video.frames.frame import Frame
from shared.video.limits import Limits
from shared.video.reading.animated_webp import is_animation
from shared.video.reading.open_input import file_head
from shared.video.reading.reader import read_frames
from shared.video.reading.times.timeline import timeline
from shared.video.stills.image import upright_image


def numbered_frame(request: FrameRequest, _progress: object) -> PictureSize:
    """Write the requested frame of a video as PNG.

    Returns its width and height. Runs in a worker process. Frames count from 0 in the order of presentation; a still image is frame 0. The
    picture is upright, has the clip's full size, and is tone-mapped where the clip has high dynamic range. Raises Invalid, naming the last
    frame, for a number that the clip does not have.
    """
    limits = Limits.current()
    path, number = request.path, request.number
    head = file_head(path, limits)
    if is_image(head) and not is_animation(head):
        if number:
            raise _missing(number, 1, "n")
        picture = upright_image(path, limits)
    else:
        picture = Image.fromarray(frame_by_number(path, number, limits).rgb())
    picture.save(Path(request.output), "PNG", compress_level=1)
    return PictureSize(width=picture.width, height=picture.height)


def frame_by_number(path: str | os.PathLike[str], number: int, limits: Limits | None = None, *, field: str = "n") -> Frame:
    """Read frame `number` of a video, upright and in 8 bits.

    Frames count from 0 in the order of presentation. Reads from the keyframe before it where the packets' times name the frames. Raises
    Invalid, naming the last frame and `field`, for a number that the video does not have, and what `read_frames` raises.
    """
    times = timeline(path, limits=limits)
    if times is None:
        with read_frames(path, to_sdr8=True, opaque=True, limits=limits) as frames:
            last, count = next(frames), 1
            for frame in islice(frames, number):
                last, count = frame, count + 1
        if count <= number:
            raise _missing(number, count, field)
        return last
    if number >= len(times.pts):
        raise _missing(number, len(times.pts), field)
    start = Fraction(int(times.pts[number])) * times.time_base
    with read_frames(path, start=start, shown_at_start=True, to_sdr8=True, opaque=True, limits=limits, prefetch=1) as frames:
        return next(frames)


def _missing(number: int, count: int, field: str) -> Invalid:
    detail = f"there is no frame {number}; the last one is {count - 1}"
    return Invalid.field(field, detail, f"{detail.capitalize()}.")
