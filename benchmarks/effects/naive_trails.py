"""Naive implementation of motion trails, the reference for speed and pictures.

Each layer is a float RGB picture, warped and mixed in full size, and the luma of the whole clip is in memory. There are two passes. The
camera's path is the sum of phase correlations at 540 lines. Source: the documentation of the program that this effect replaces.
"""

from collections.abc import Iterator, Sequence
from itertools import islice, pairwise
from pathlib import Path
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from shared.video import read_frames

Picture = NDArray[np.float32]
Path2D = Sequence[tuple[float, float]]


def camera_path(clip: Path, *, count: int | None = None) -> list[tuple[float, float]]:
    """Measure the shift of each frame relative to the first frame, in pixels.

    A shift is (right, down) in pixels of the clip.
    """
    grays: list[Picture] = []
    with read_frames(clip, to_sdr8=True) as frames:
        for frame in islice(frames, count):
            height = min(540, frame.height)
            width = round(frame.width * height / frame.height)
            grays.append(cv2.resize(frame.luma(), (width, height), interpolation=cv2.INTER_AREA).astype(np.float32))
            factor = frame.height / height
    window = cv2.createHanningWindow(grays[0].shape[::-1], cv2.CV_32F)
    path = [(0.0, 0.0)]
    for before, after in pairwise(grays):
        (across, down), _ = cv2.phaseCorrelate(before, after, window)
        path.append((path[-1][0] + across * factor, path[-1][1] + down * factor))
    return path


def naive_trails(
    clip: Path,
    path: Path2D,
    *,
    layers: int,
    decay: float,
    spacing: int,
    ghost: Literal["normal", "glow", "shadow"],
    count: int | None = None,
) -> Iterator[NDArray[np.uint8]]:
    """Yield the frames with their trails, (height, width, 3) uint8 RGB.

    `path`: see `camera_path`. Frames before the first complete trail have no trail.
    """
    held: list[NDArray[np.uint8]] = []
    with read_frames(clip, to_sdr8=True) as frames:
        for index, frame in enumerate(islice(frames, count)):
            held = [*held[-layers * spacing :], frame.rgb()]
            if len(held) <= layers * spacing:
                yield held[-1]
                continue
            ghosts = [_moved(held[-1 - number * spacing], path[index - number * spacing], path[index]) for number in range(1, layers + 1)]
            yield _mixed(held[-1].astype(np.float32), ghosts, decay, ghost)


def _moved(picture: NDArray[np.uint8], source: tuple[float, float], target: tuple[float, float]) -> Picture:
    shift = np.array([[1, 0, target[0] - source[0]], [0, 1, target[1] - source[1]]], np.float64)
    height, width = picture.shape[:2]
    return cv2.warpAffine(picture.astype(np.float32), shift, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)


def _mixed(frame: Picture, ghosts: list[Picture], decay: float, style: str) -> NDArray[np.uint8]:
    if style == "normal":
        total, weights = frame.copy(), 1.0
        for number, picture in enumerate(ghosts, start=1):
            total += picture * decay**number
            weights += decay**number
        mixed = total / weights
    elif style == "glow":
        mixed = frame / 255
        for number, picture in enumerate(ghosts, start=1):
            bloom = cv2.GaussianBlur(np.clip(picture * 1.6 / 255, 0, 1), (0, 0), 12)
            mixed = 1 - (1 - mixed) * (1 - bloom * decay**number * 0.4)
        mixed *= 255
    else:
        mixed = frame / 255
        for number, picture in enumerate(ghosts, start=1):
            dark = cv2.GaussianBlur(picture * 0.35 / 255, (0, 0), 3)
            mixed = mixed * (1 - decay**number * (1 - dark) * 0.5)
        mixed *= 255
    return np.clip(np.rint(mixed), 0, 255).astype(np.uint8)
