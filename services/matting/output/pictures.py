"""Output pictures, made from colours and a matte."""

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from shared.video import Frame
from shared.video.frames.color import BT709, apply_tags
from shared.video.frames.from_rgb import color_picture
from shared.video.frames.planes import empty_picture, planes_of

Rgb = NDArray[np.uint8]
Alpha = NDArray[np.float32]


def gray_picture(alpha: Alpha) -> av.VideoFrame:
    """Convert a matte to a limited-range gray picture for H.264.

    `alpha`: (h, w) 0..1. The picture is yuv420p, BT.709, black 16 and white 235.
    """
    height, width = alpha.shape
    picture = empty_picture(width, height, "yuv420p")
    luma, *chroma = planes_of(picture)
    np.copyto(luma, np.rint(alpha * np.float32(219) + np.float32(16)), casting="unsafe")
    for plane in chroma:
        plane.fill(128)
    apply_tags(picture, BT709)
    return picture


def gray_png(alpha: Alpha) -> av.VideoFrame:
    """Convert a matte to a full-range gray picture for PNG."""
    picture = empty_picture(alpha.shape[1], alpha.shape[0], "gray")
    np.copyto(planes_of(picture)[0], np.rint(alpha * np.float32(255)), casting="unsafe")
    picture.color_range = 2
    return picture


def over(foreground: Rgb, alpha: Alpha, behind: Rgb) -> Rgb:
    """Blend `foreground` over the background `behind` by the matte `alpha`."""
    return np.asarray(cv2.blendLinear(foreground, behind, alpha, 1 - alpha), np.uint8)


def premultiplied(foreground: Rgb, alpha: Alpha) -> Rgb:
    """Multiply colours by their matte."""
    return np.asarray(np.rint(foreground * alpha[..., None]), np.uint8)


def transparent_picture(rgb: Rgb, alpha: Alpha, frame: Frame, pixel_format: str) -> av.VideoFrame:
    """Create a picture with straight alpha.

    `pixel_format`: yuva444p10le for ProRes 4444, yuva420p for VP9.
    """
    opaque = color_picture(rgb, frame, pixel_format.replace("yuva", "yuv"))
    picture = empty_picture(rgb.shape[1], rgb.shape[0], pixel_format)
    *colors, transparency = planes_of(picture)
    for target, source in zip(colors, planes_of(opaque), strict=True):
        np.copyto(target, source)
    full = 1023 if "10le" in pixel_format else 255
    np.copyto(transparency, np.rint(alpha * np.float32(full)), casting="unsafe")
    apply_tags(picture, frame.color)
    return picture
