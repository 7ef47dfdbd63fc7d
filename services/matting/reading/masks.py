"""The user's masks: for the first, for later, or for all frames."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from services.matting.backends.backend import Mask
from shared.errors import Invalid
from shared.operation import Progress
from shared.video import Picture, list_pictures

_SAME_SHAPE = 0.03
_MOST_SUBJECTS = 8
_LEAST_SHARE, _MOST_SHARE = 1e-5, 0.995
_SATURATED, _DISTINCT = 60, 40


@dataclass(frozen=True, kw_only=True)
class Target:
    """Size and times of the frames that masks belong to.

    `width`, `height`: size of the clip; `scaled`: (width, height) to which masks are scaled; `rate`: frames per second; `frames`: expected
    number of frames in the part, which begins at `start_s`.
    """

    width: int
    height: int
    scaled: tuple[int, int]
    rate: float
    start_s: float
    frames: int


def given_masks(mask: Path | None, masks: Path | None, target: Target, progress: Progress) -> dict[int, tuple[Mask, ...]]:
    """Read the user's masks, by frame number within the part.

    Returns one mask, (h, w) uint8, for each subject in a picture. A picture is white, or opaque, where the subject is; several subjects
    have one saturated colour each. Pictures of `masks` are named by frame (`120.png`) or by time (`4.8s.png`). Raises Invalid for a mask of
    another shape, an empty mask, a mask that covers everything, and a name without a number.
    """
    subjects: dict[int, tuple[Mask, ...]] = {}
    outside = 0
    if masks is not None:
        for picture in list_pictures([masks], warn=progress.warn):
            number = _frame_number(picture.name, target)
            if number is None or number >= target.frames:
                outside += 1
            else:
                subjects[number] = _subjects(picture, "masks", target, progress)
    if outside:
        progress.warn(f"Masks for frames outside the part were not used: {outside}.")
    if mask is not None:
        subjects[0] = _subjects(list_pictures([mask])[0], "mask", target, progress)
    return subjects


def fixed_mask(path: Path | None, field: str, target: Target, progress: Progress) -> Mask | None:
    """Read a mask that holds for every frame.

    Returns (h, w) uint8; the picture is white, or opaque, in the mask. Raises Invalid for a mask of another shape.
    """
    if path is None:
        return None
    pixels = _fitting(list_pictures([path])[0], field, target, progress)
    planes = _split(pixels)
    union = np.maximum.reduce(planes) if planes else np.zeros(pixels.shape[:2], np.uint8)
    return np.asarray(cv2.resize(union, target.scaled, interpolation=cv2.INTER_AREA), np.uint8)


def _frame_number(name: str, target: Target) -> int | None:
    """Return the frame number in a picture's name.

    A name may also give a time in seconds. None for a time before the part. Raises Invalid for a name without either.
    """
    stem = Path(name).stem
    if match := re.search(r"(\d+(?:\.\d+)?)s$", stem):
        number = round((float(match[1]) - target.start_s) * target.rate)
        return number if number >= 0 else None
    if match := re.search(r"(\d+)$", stem):
        return int(match[1])
    raise _refused("masks", f"{name[:80]!r} names neither a frame (120.png) nor a time (4.8s.png)")


def _fitting(picture: Picture, field: str, target: Target, progress: Progress) -> NDArray[Any]:
    """Return the pixels of a mask.

    Raises Invalid if its shape is not the video's. Warns if its size is not.
    """
    image = picture.image(alpha=True)
    width, height = image.size
    if abs(width * target.height / (height * target.width) - 1) > _SAME_SHAPE:
        raise _refused(field, f"{picture.name[:80]!r} has {width}x{height}, another shape than the video of {target.width}x{target.height}")
    if (width, height) != (target.width, target.height):
        progress.warn(f"The mask {picture.name[:80]!r} of {width}x{height} was scaled to the video's {target.width}x{target.height}.")
    return np.asarray(image)


def _subjects(picture: Picture, field: str, target: Target, progress: Progress) -> tuple[Mask, ...]:
    planes = _split(_fitting(picture, field, target, progress))
    scaled = tuple(np.asarray(cv2.resize(plane, target.scaled, interpolation=cv2.INTER_AREA), np.uint8) for plane in planes)
    share = float(np.mean(np.maximum.reduce(list(planes)) > 127)) if planes else 0.0
    if share < _LEAST_SHARE:
        raise _refused(field, f"{picture.name[:80]!r} is empty: make it white where the subject is")
    if share > _MOST_SHARE:
        raise _refused(field, f"{picture.name[:80]!r} is white all over: make it black where the background is")
    return scaled


def _split(pixels: NDArray[Any]) -> list[Mask]:
    """Split a picture into masks, one per subject.

    Each saturated colour is a subject. Without such colours, the opaque or bright part is the only subject.
    """
    rgb = pixels[..., :3]
    if pixels.shape[2] == 4 and pixels[..., 3].min() < 128:
        return [np.ascontiguousarray(pixels[..., 3])]
    saturated = (rgb.max(axis=2).astype(int) - rgb.min(axis=2)) > _SATURATED
    if saturated.mean() < _LEAST_SHARE:
        return [np.asarray(cv2.cvtColor(np.ascontiguousarray(rgb), cv2.COLOR_RGB2GRAY), np.uint8)]
    colors, counts = np.unique(rgb[saturated] // _DISTINCT, axis=0, return_counts=True)
    subject_colors = colors[np.argsort(-counts)][:_MOST_SUBJECTS][counts[np.argsort(-counts)][:_MOST_SUBJECTS] > saturated.sum() * 0.01]
    return [((rgb // _DISTINCT == color).all(axis=2) & saturated).astype(np.uint8) * 255 for color in subject_colors]


def _refused(field: str, detail: str) -> Invalid:
    return Invalid.field(f"inputs.{field}", detail, f"{detail[:1].upper()}{detail[1:]}.")
