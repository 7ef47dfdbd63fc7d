"""Keyframes as picture files, in full size and as thumbnails."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from services.keyframes.params import DetectParams
from shared.video import Frame, Timeline, read_frames, timeline

SUFFIXES = {"jpeg": ".jpg", "png": ".png", "webp": ".webp"}


def full_size(video: Path, times: Sequence[Fraction]) -> Iterator[NDArray[np.uint8]]:
    """The frames of `video` at `times` (rising, exact) as RGB (h, w, 3), upright and in 8 bits; only what they need is decoded, once."""
    line = timeline(video) if len(times) > 1 else None
    before: Fraction | None = None
    with ExitStack() as stack:
        frames: Iterator[Frame] = iter(())
        for time in times:
            # Without a keyframe in between, another start would decode all of it again, from the keyframe before.
            if before is None or line is None or _key_between(line, before, time):
                stack.close()
                frames = stack.enter_context(closing(read_frames(video, start=time, prefetch=1, to_sdr8=True)))
                yield next(frames).rgb()
            else:
                yield next(frame for frame in frames if frame.time >= time).rgb()
            before = time


def _key_between(line: Timeline, after: Fraction, until: Fraction) -> bool:
    first, last = np.searchsorted(line.pts, [int(after / line.time_base), int(until / line.time_base)], side="right")
    return bool(line.key[first:last].any())


def write_picture(rgb: NDArray[np.uint8], path: Path, params: DetectParams) -> None:
    """Write a picture in the format that is asked for."""
    options = {"jpeg": {"quality": params.quality, "subsampling": 0}, "webp": {"quality": params.quality}, "png": {}}[params.format]
    Image.fromarray(rgb).save(path, params.format.upper(), **options)


def write_thumbnail(rgb: NDArray[np.uint8], path: Path, params: DetectParams) -> None:
    """Write a picture as a small JPEG."""
    width = min(params.thumbnail_width, rgb.shape[1])
    height = max(round(rgb.shape[0] * width / rgb.shape[1]), 1)
    Image.fromarray(cv2.resize(rgb, (width, height), interpolation=cv2.INTER_AREA)).save(path, "JPEG", quality=82)
