"""Recognition of videos with transparent pictures."""

import os

import av
import numpy as np

from shared.video.frames.display import has_alpha
from shared.video.reading.gif_steps import clears_pictures


def may_be_transparent(picture: av.VideoFrame, container: str, path: str | os.PathLike[str]) -> bool:
    """Return whether the pictures of a video may have transparent parts.

    `picture`: the first one. FFmpeg decodes each GIF with alpha; a GIF is opaque if its first picture is, and no picture is cleared.
    """
    if container != "gif" or not has_alpha(picture.format.name):
        return has_alpha(picture.format.name)
    alpha = picture.reformat(format="rgba").to_ndarray()[..., 3]
    return bool(np.any(alpha != 255)) or clears_pictures(path)
