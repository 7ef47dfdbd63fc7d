"""Errors for a part of the source that contains no frame."""

from shared.errors import Invalid
from shared.video import VideoInfo


def check_start(info: VideoInfo, start: float) -> None:
    """Raise Invalid unless `start` lies before the end of the video.

    In seconds.
    """
    if start and start >= info.length_s:
        detail = f"The video is {info.length_s:.2f} s long, so nothing is left of it from {start:g} s on"
        raise Invalid(f"{detail}. Choose an earlier start.", errors=[{"field": "params.start", "detail": detail}])


def no_frames(start: float) -> Invalid:
    """Return the error for a part that contains no frame.

    `start`: second at which the part begins.
    """
    return Invalid(f"No frame of the video begins in the part that starts at {start:g} s. Choose another start or a longer duration.")
