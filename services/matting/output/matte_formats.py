"""Table of the file formats of a matte."""

from collections.abc import Callable
from dataclasses import dataclass

import av
import numpy as np
from numpy.typing import NDArray

from services.matting.output.pictures import gray_picture, gray_png
from shared.video.clip.clip_file import Format


@dataclass(frozen=True, slots=True, kw_only=True)
class MatteFormat:
    """A file format of a matte, as a row of MATTE_FORMATS."""

    name: str
    label: str
    """Label in a form."""
    description: str
    file: Format
    """Format of the output file."""
    transparent: str = ""
    """Pixel format of a file that holds the subject's colours and its transparency. Empty: the file holds the matte alone."""
    picture: Callable[[NDArray[np.float32]], av.VideoFrame] = gray_picture
    """Makes a picture for a file that holds the matte alone."""


MATTE_FORMATS = {
    row.name: row
    for row in (
        MatteFormat(name="gray", label="Gray video", description="gray video (H.264), white is the subject", file="h264"),
        MatteFormat(
            name="prores",
            label="ProRes 4444",
            description="the subject with its transparency, in ProRes 4444",
            file="prores",
            transparent="yuva444p10le",
        ),
        MatteFormat(
            name="vp9",
            label="WebM with alpha",
            description="the subject with its transparency, in WebM (VP9)",
            file="vp9",
            transparent="yuva420p",
        ),
        MatteFormat(name="png", label="PNG pictures", description="gray pictures in a zip file", file="png", picture=gray_png),
    )
}
"""Name -> format, in the order of the API reference."""
