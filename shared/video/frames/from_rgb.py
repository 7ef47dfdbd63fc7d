"""Conversion of RGB arrays to YUV pictures with a frame's colour tags."""

import av
import numpy as np
from numpy.typing import NDArray

from shared.video.frames.color import apply_tags, matrix_or_guess, sws_matrix
from shared.video.frames.frame import EXACT_SCALING, Frame


def color_picture(rgb: NDArray[np.uint8], frame: Frame, pixel_format: str = "yuv420p") -> av.VideoFrame:
    """Convert an RGB array to a YUV picture with the colour tags of `frame`.

    `rgb`: uint8 (height, width, 3), full range. The matrix and range of `frame` are used.
    """
    color = frame.color
    picture = frame.reformatters.reformatter.reformat(
        av.VideoFrame.from_ndarray(rgb, format="rgb24"),
        format=pixel_format,
        dst_colorspace=sws_matrix(matrix_or_guess(color, frame.width, frame.height)),
        src_color_range=2,
        dst_color_range=2 if color.range == "pc" else 1,
        interpolation=EXACT_SCALING,
        threads=1,
    )
    apply_tags(picture, color)
    return picture
