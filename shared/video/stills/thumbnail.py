"""Thumbnails of videos, pictures and zip files of pictures."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from shared.file_calls import PictureSize, ThumbnailRequest
from shared.media.types import is_image, is_zip
from shared.video.frames.scaling import scaled
from shared.video.limits import Limits
from shared.video.reading.animated_webp import is_animation
from shared.video.reading.open_input import file_head
from shared.video.reading.reader import read_frames
from shared.video.stills.image import list_pictures, upright_image

_LOOK_AT_S = 3  # seconds from the start of a video in which the frame with the most contrast is chosen


def thumbnail(request: ThumbnailRequest, _progress: object) -> PictureSize:
    """Write a thumbnail of a media file.

    Returns the thumbnail's width and height. Runs in a worker process. `output` becomes a JPEG of `width` pixels, upright and in the right
    shape. A zip file shows its first picture. A video shows a frame of its first seconds with much contrast: neither a black lead-in nor a
    flash.
    """
    limits = Limits.current()
    path, width = request.path, request.width
    head = file_head(path, limits)
    if is_image(head) and not is_animation(head):
        rgb = np.asarray(upright_image(path, limits))
    elif is_zip(head):
        rgb = np.asarray(list_pictures([Path(path)], limits=limits)[0].image())
    else:
        rgb = _frame(path, limits)
    height = max(round(rgb.shape[0] * width / rgb.shape[1]), 1)
    small = scaled(rgb, (width, height))
    Image.fromarray(small).save(Path(request.output), "JPEG", quality=85)
    return PictureSize(width=width, height=height)


def _frame(path: str, limits: Limits) -> NDArray[np.uint8]:
    best, score = None, -1.0
    with read_frames(path, opaque=True, duration=_LOOK_AT_S, every=10, skip="nonref", limits=limits, prefetch=2, to_sdr8=True) as frames:
        for frame in frames:
            contrast = float(np.std(frame.small_luma(64, 36)))
            if contrast > 1.25 * score:
                best, score = frame, contrast
    if best is None:
        with read_frames(path, opaque=True, limits=limits, prefetch=1, to_sdr8=True) as frames:
            best = next(frames)
    return best.rgb()
