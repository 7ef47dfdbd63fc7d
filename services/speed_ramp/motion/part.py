"""Errors for a part of the source that contains nothing."""

from shared.errors import Invalid
from shared.video import VideoInfo


def check_start(info: VideoInfo, start: float) -> None:
    """Raise Invalid if `start` (seconds) is not before the end of the video."""
    if start and start >= info.duration_s:
        detail = f"The video is {info.duration_s:.2f} s long, so nothing is left of it from {start:g} s on"
        raise Invalid(f"{detail}. Choose an earlier start.", errors=[{"field": "params.start", "detail": detail}])


def no_frames(start: float) -> Invalid:
    """Return the error for a part from `start` (seconds) on that contains no frame."""
    return Invalid(f"No frame of the video begins in the part that starts at {start:g} s. Choose another start or a longer duration.")
