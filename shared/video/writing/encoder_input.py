"""Conversion of pictures to the format that an encoder accepts.

This covers size, pixel format, matrix and range, and even sizes where chroma is halved.
"""

from typing import Any

import av
import numpy as np
from av.video.reformatter import VideoReformatter
from numpy.typing import NDArray

from shared.media_info import ColorInfo
from shared.video.frames.color import apply_tags, matrix_or_guess, sws_matrix, tags_of
from shared.video.frames.frame import EXACT_SCALING
from shared.video.frames.planes import empty_picture, picture_from, planes_of, set_alpha


def coded_size(width: int, height: int, pixel_format: str) -> tuple[int, int]:
    """Return a picture's (width, height) as encoded, padded to even sides.

    Only sides along which the pixel format halves the chroma are padded.
    """
    layout = av.VideoFormat(pixel_format, 16, 16)
    across, down = (2 if layout.chroma_width() < 16 else 1), (2 if layout.chroma_height() < 16 else 1)
    return -(-width // across) * across, -(-height // down) * down


class PictureConverter:
    """A converter of pictures to an encoder's size, pixel format, colour matrix and range.

    `color`: the tags with that matrix and range. Pictures that fit are passed on unchanged.
    """

    def __init__(self, width: int, height: int, pixel_format: str):
        self.width, self.height = width, height
        self.coded_width, self.coded_height = coded_size(width, height, pixel_format)
        self.padded = (self.coded_width, self.coded_height) != (width, height)
        self.color = ColorInfo()
        self._pixel_format = pixel_format
        self._reformatter = VideoReformatter()

    def convert(self, picture: av.VideoFrame, alpha: NDArray[Any] | None = None) -> av.VideoFrame:
        """Convert a picture to the encoder's size and format, padding its edges.

        Padding repeats the last column on the right and the last row at the bottom. `alpha`: written over the alpha plane, as `set_alpha`
        takes it; `picture` itself does not change.
        """
        source = tags_of(picture, pixel_format=picture.format.name)
        rgb = picture.format.is_rgb
        matrix = matrix_or_guess(self.color, self.width, self.height)
        source_matrix = matrix if source.matrix is None or rgb else matrix_or_guess(source, picture.width, picture.height)
        span = self.color.range or "tv"
        source_span = "pc" if rgb else (source.range or span)
        same_shape = (picture.width, picture.height, picture.format.name) == (self.width, self.height, self._pixel_format)
        if not same_shape or sws_matrix(source_matrix) != sws_matrix(matrix) or source_span != span:
            converted = self._reformatter.reformat(
                picture,
                width=self.width,
                height=self.height,
                format=self._pixel_format,
                src_colorspace=sws_matrix(source_matrix),
                dst_colorspace=sws_matrix(matrix),
                src_color_range=2 if source_span == "pc" else 1,
                dst_color_range=2 if span == "pc" else 1,
                interpolation=EXACT_SCALING,
            )
        else:
            converted = picture
        if alpha is not None:
            if converted is picture:
                converted = picture_from(planes_of(picture), self.width, self.height, self._pixel_format)
                apply_tags(converted, source)
            set_alpha(converted, alpha)
        return self._pad(converted) if self.padded else converted

    def _pad(self, picture: av.VideoFrame) -> av.VideoFrame:
        padded = empty_picture(self.coded_width, self.coded_height, self._pixel_format)
        for target, plane in zip(planes_of(padded), planes_of(picture), strict=True):
            below, right = target.shape[0] - plane.shape[0], target.shape[1] - plane.shape[1]
            np.copyto(target, np.pad(plane, ((0, below), (0, right), *((0, 0),) * (plane.ndim - 2)), mode="edge"))
        return padded
