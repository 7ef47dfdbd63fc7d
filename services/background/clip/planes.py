"""Conversion of frames to Y, U and V planes.

The planes have 8 bits, 4:2:0 chroma and limited range.
"""

from fractions import Fraction

import av
import cv2
import numpy as np
from av.video.reformatter import ColorRange
from numpy.typing import NDArray

from shared.media_info import ColorInfo
from shared.video.frames.color import apply_tags, matrix_or_guess, sws_matrix
from shared.video.frames.frame import EXACT_SCALING, Frame
from shared.video.frames.planes import picture_from, planes_of
from shared.video.frames.scaling import scaled

Plane = NDArray[np.uint8]
Planes = tuple[Plane, Plane, Plane]


def planes_420(frame: Frame) -> Planes:
    """Return a frame as 4:2:0 planes, uint8 in limited range.

    Chroma planes have half the width and height, rounded up. The colour matrix stays the frame's.
    """
    picture = frame.picture
    if picture.format.name != "yuv420p" or frame.color.range == "pc":
        matrix = sws_matrix(matrix_or_guess(frame.color, frame.width, frame.height))
        picture = frame.reformatters.reformatter.reformat(
            picture,
            format="yuv420p",
            src_colorspace=matrix,
            dst_colorspace=matrix,
            src_color_range=ColorRange.JPEG if frame.color.range == "pc" else ColorRange.MPEG,
            dst_color_range=ColorRange.MPEG,
            interpolation=EXACT_SCALING,
            threads=1,
        )
    luma, u, v = planes_of(picture)[:3]
    return luma, u, v


def alpha_of(frame: Frame, size: tuple[int, int]) -> Plane:
    """Convert a matte's frame to an alpha plane.

    The result is uint8 (height, width) from 0 to 255, scaled to `size` (width, height).
    """
    return scaled(frame.matte(), size)


def rgb_of(planes: Planes, color: ColorInfo) -> NDArray[np.uint8]:
    """Convert limited-range planes to RGB.

    Returns uint8 (height, width, 3). The colour matrix is that of `color`, or a guess if `color` has none.
    """
    height, width = planes[0].shape
    picture: av.VideoFrame = picture_from(planes, width, height, "yuv420p")
    tags = color.model_copy(update={"range": "tv", "matrix": matrix_or_guess(color, width, height)})
    apply_tags(picture, tags)
    return Frame(0, Fraction(1, 1), 1, 0, picture).rgb()


def background_of(matte: Plane, grow: int) -> Plane:
    """Return a mask of the background: pixels farther than `grow` pixels from the subject.

    Returns uint8: 255 where no pixel of the subject lies within `grow` pixels, else 0.
    """
    subject = (matte > 2).astype(np.uint8)
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * grow + 1, 2 * grow + 1))
    return np.where(cv2.dilate(subject, kernel) > 0, 0, 255).astype(np.uint8)
