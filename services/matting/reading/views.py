"""Conversion of a clip's frames to views, the input of backends.

Views are scaled for inference, and mark cuts. They are computed ahead, in order.
"""

from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from services.matting.backends.backend import Mask, Setup, View
from shared.motion.camera import Camera
from shared.video import Frame, map_ordered, read_frames
from shared.video.clip.part import ClipPart
from shared.video.frames.scaling import scaled

_GRAY_LINES = 270
_WORKERS = 2


def views_of(video: Path, part: ClipPart, setup: Setup, masks: Mapping[int, Mapping[str, Mask]]) -> Iterator[View]:
    """Yield a view of each frame of the part.

    `masks`: the user's masks, by frame number within the part.
    """
    size = setup.width, setup.height
    camera = Camera("none", setup.frame_width, setup.frame_height)

    def converted(frame: Frame) -> tuple[Frame, NDArray[np.uint8], NDArray[np.uint8]]:
        return frame, scaled_rgb(frame, size), frame.small_luma(*gray_size(frame.width, frame.height))

    with (
        read_frames(video, opaque=True, start=part.start or None, duration=part.duration, to_sdr8=True) as frames,
        closing(map_ordered(converted, frames, workers=_WORKERS, ahead=1)) as pictures,
    ):
        for index, (frame, rgb, gray) in enumerate(pictures):
            cut = camera.step(scaled(gray, camera.size)).cut
            yield View(index, float(frame.time), rgb, gray, frame, cut, masks.get(index, {}))


def scaled_rgb(frame: Frame, size: tuple[int, int]) -> NDArray[np.uint8]:
    """Return a frame as an RGB picture, scaled to `size` (width, height).

    The result is (h, w, 3).
    """
    return scaled(frame.rgb(), size)


def gray_size(width: int, height: int) -> tuple[int, int]:
    """Return the (width, height) of `View.gray` for a frame of the given size.

    A frame whose shorter side has more than 270 pixels is scaled down to that.
    """
    factor = min(_GRAY_LINES / min(width, height), 1)
    return max(round(width * factor), 8), max(round(height * factor), 8)
