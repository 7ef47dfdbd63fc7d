"""Conversion of pictures to another size or pixel format."""

import av

from shared.media_info import ColorInfo
from shared.video import Frame
from shared.video.frames.color import BT709, apply_tags, matrix_or_guess, sws_matrix
from shared.video.frames.frame import EXACT_SCALING

_FULL, _LIMITED = 2, 1
"""swscale's numbers for full and limited range."""


def resized(frame: Frame, size: tuple[int, int], pixel_format: str) -> av.VideoFrame:
    """Return a frame's picture in another size and pixel format.

    `size`: (width, height). The colour matrix is tagged, because players guess the matrix of an untagged picture from its size, which has
    changed.
    """
    if (frame.width, frame.height) == size:
        return frame.picture
    color = frame.color
    return _converted(frame, size, pixel_format, color.model_copy(update={"matrix": _matrix(frame)}))


def for_browsers(frame: Frame, size: tuple[int, int]) -> av.VideoFrame:
    """Return a frame's picture at `size`, in colours that all browsers show alike.

    `size`: (width, height). The picture is yuv420p in limited range, with the matrix of BT.709.
    """
    return _converted(frame, size, "yuv420p", BT709)


def _converted(frame: Frame, size: tuple[int, int], pixel_format: str, color: ColorInfo) -> av.VideoFrame:
    picture = frame.reformatters.reformatter.reformat(
        frame.picture,
        width=size[0],
        height=size[1],
        format=pixel_format,
        src_colorspace=sws_matrix(_matrix(frame)),
        dst_colorspace=sws_matrix(color.matrix or _matrix(frame)),
        src_color_range=_FULL if frame.color.range == "pc" else _LIMITED,
        dst_color_range=_FULL if color.range == "pc" else _LIMITED,
        interpolation=EXACT_SCALING,
        threads=1,
    )
    if picture is frame.picture:  # nothing to convert; tags are set on a copy, because pictures are shared
        return picture
    apply_tags(picture, color)
    return picture


def _matrix(frame: Frame) -> str:
    return matrix_or_guess(frame.color, frame.width, frame.height)
