"""Errors about a part of a video in which no frame begins."""

from shared.errors import Invalid
from shared.media_info import VideoInfo


def check_start(info: VideoInfo, start: float) -> None:
    """Raise Invalid if `start`, in seconds, is not before the end of the video."""
    if start and start >= info.length_s:
        detail = f"The video is only {info.length_s:.2f} s long, so it has no part that starts at {start:g} s"
        raise Invalid.field("params.start", detail, f"{detail}. Choose an earlier start.")


def no_frame(start: float) -> Invalid:
    """Return the error for a part of a video in which no frame begins.

    `start`: start of the part in seconds.
    """
    return Invalid.field(
        "params.start",
        "no frame of the video begins in this part",
        f"No frame of the video begins in the part from {start:g} s on. Choose another start or a longer duration.",
    )
