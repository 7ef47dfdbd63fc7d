"""Output size: even, with square pixels, in the source's aspect ratio."""

from fractions import Fraction

from shared.memory_need import FrameSize
from shared.video import Limits, VideoInfo


def output_size(info: VideoInfo | FrameSize, *, width: int | None, height: int | None, max_edge: int | None) -> tuple[int, int]:
    """Return the output's width and height.

    `width` and `height` are reached exactly, or form a box to fit into if both are given. `max_edge` limits the longer side and never
    enlarges. Without any of them the size stays. Raises TooLarge above the server's limit.
    """
    if max_edge is not None:
        scale = min(Fraction(max_edge, max(info.width, info.height)), Fraction(1))
        size = (info.width, info.height) if scale == 1 else (even(info.width * scale), even(info.height * scale))
    elif width is None and height is None:
        size = (info.width, info.height)
    else:
        scales = [Fraction(length, side) for length, side in ((width, info.width), (height, info.height)) if length is not None]
        size = (even(info.width * min(scales)), even(info.height * min(scales)))
    Limits.current().check_size(*size)
    return size


def even(side: Fraction) -> int:
    """Return the even number nearest to `side`, at least 2."""
    return max(2 * round(side / 2), 2)
