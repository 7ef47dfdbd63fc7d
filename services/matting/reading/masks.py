"""Masks that the user gives for the first frame, later frames or all frames."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from services.matting.backends.backend import Mask
from services.matting.reading.aspect_ratios import ratio_problem
from shared.errors import Invalid
from shared.operation import Progress
from shared.video import Picture, list_pictures, timeline
from shared.video.frames.scaling import scaled

_MAX_SUBJECTS = 8  # maximum number of subjects with a colour in one picture
_MIN_SHARE, _MAX_SHARE = 1e-5, 0.995  # shares of the picture: below the first a mask is empty, above the second it covers everything
_SATURATED, _DISTINCT, _BRIGHT = 60, 40, 127
"""Limits of colours in levels. Above a difference of _SATURATED between its channels, a pixel is coloured. Colours that differ by at most
_DISTINCT are equal. Without colour, a pixel above _BRIGHT is white."""
_MIN_OF_MARKED = 0.005
"""Minimum share of the marked pixels that a subject's colour covers. Pixels at the rim of the colour do not count. Colours with a smaller
share come from the fringe of an edge or from compression."""
_MAX_CANDIDATES = 24  # maximum number of groups of similar colours that are examined
WHITE = "white"
"""Name of the subject that a picture without colours shows."""
_Colour = NDArray[np.float32]


@dataclass(frozen=True, kw_only=True)
class Target:
    """Size and times of the frames to which masks apply.

    `width`, `height`: size of the clip; `scaled`: (width, height) to which masks are scaled; `rate`: frames per second; `frames`: expected
    number of frames in the part, which begins at `start_s`. `times()`: times of all frames of the clip in seconds, rising; None if they are
    unknown and have to be computed from `rate`.
    """

    width: int
    height: int
    scaled: tuple[int, int]
    rate: float
    start_s: float
    frames: int
    times: Callable[[], NDArray[np.float64] | None] = lambda: None


def given_masks(mask: Path | None, masks: Path | None, target: Target, progress: Progress) -> dict[int, Mapping[str, Mask]]:
    """Read the user's masks, by frame number from the start of the used part.

    Returns one mask, (h, w) uint8, for each subject in a picture, by the subject's name. A picture is white, or opaque, where the subject
    is; several subjects have one colour each. The colour is the name: the same colour is the same subject in all pictures. Pictures of
    `masks` are named by frame number (`120.png`) or by time (`4.8s.png`), which stands for the frame nearest to it. Raises Invalid for a
    mask of another aspect ratio, an empty mask, a mask that covers everything, and a name without a number.
    """
    pictures: dict[int, tuple[Picture, str]] = {}
    outside = 0
    if masks is not None:
        frame_numbers = _FrameNumbers(target)
        for picture in list_pictures([masks], warn=progress.warn):
            number = frame_numbers.of(picture.name)
            if number is None or number >= target.frames:
                outside += 1
            else:
                pictures[number] = picture, "masks"
    if outside:
        progress.warn(f"Masks for frames outside the part were not used: {outside}.")
    if mask is not None:
        pictures[0] = list_pictures([mask])[0], "mask"
    palette: dict[str, _Colour] = {}
    return {number: _subjects(*pictures[number], target, palette, progress) for number in sorted(pictures)}


def frame_times(video: Path) -> NDArray[np.float64] | None:
    """Read all frame times in seconds, or None if packets lack times."""
    times = timeline(video)
    return None if times is None else np.asarray(times.pts * float(times.time_base), np.float64)


def fixed_mask(path: Path | None, field: str, target: Target, progress: Progress) -> Mask | None:
    """Read a mask that applies to every frame.

    The picture is white, or opaque, in the mask. Returns (h, w) uint8 in the size of the clip. Raises Invalid for a mask of another aspect
    ratio.
    """
    if path is None:
        return None
    pixels = _fitting(list_pictures([path])[0], field, target, progress)
    union = np.maximum.reduce([plane for _, plane in _split(pixels)])
    return scaled(union, (target.width, target.height))


class _FrameNumbers:
    """Conversion of mask pictures' names to frame numbers."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._times: NDArray[np.float64] | None = None
        self._read = False

    def of(self, name: str) -> int | None:
        """Convert a picture's name to a frame number, counted from the part's start.

        Returns None for a time before or after the part. Raises Invalid for a name with neither number nor time.
        """
        stem = Path(name).stem
        if match := re.search(r"(\d+(?:\.\d+)?)s$", stem):
            return self._at(float(match[1]))
        if match := re.search(r"(\d+)$", stem):
            return int(match[1])
        raise _refused("masks", f"the name {name[:80]!r} contains neither a frame number (120.png) nor a time (4.8s.png)")

    def _at(self, seconds: float) -> int | None:
        target = self._target
        if not self._read:
            self._times, self._read = target.times(), True
        if self._times is None or not len(self._times):
            number = round((seconds - target.start_s) * target.rate)
            return number if number >= 0 else None
        nearest = int(np.argmin(np.abs(self._times - seconds)))
        if seconds > self._times[-1] + 1 / target.rate:
            return None
        # The part begins with the first frame whose time is not before its start.
        first = int(np.searchsorted(self._times, target.start_s - 1e-6))
        return nearest - first if nearest >= first else None


def _fitting(picture: Picture, field: str, target: Target, progress: Progress) -> NDArray[Any]:
    """Read a mask's pixels and check its aspect ratio.

    Raises Invalid if the aspect ratio is not that of the video. Warns if the size is not.
    """
    image = picture.image(alpha=True)
    width, height = image.size
    problem = ratio_problem(repr(picture.name[:80]), image.size, (target.width, target.height))
    if problem:
        raise _refused(field, problem)
    if (width, height) != (target.width, target.height):
        progress.warn(
            f"The mask {picture.name[:80]!r} ({width}x{height}) was scaled to the size of the video ({target.width}x{target.height})."
        )
    return np.asarray(image)


def _subjects(picture: Picture, field: str, target: Target, palette: dict[str, _Colour], progress: Progress) -> dict[str, Mask]:
    """Read a mask picture as one mask per subject, by the subject's name.

    `palette`: colours of the subjects so far, by name; new ones are added.
    """
    planes = _split(_fitting(picture, field, target, progress))
    share = float(np.mean(np.maximum.reduce([plane for _, plane in planes]) > 127))
    if share < _MIN_SHARE:
        raise _refused(field, f"the mask {picture.name[:80]!r} is empty: paint the subject white")
    if share > _MAX_SHARE:
        raise _refused(field, f"the mask {picture.name[:80]!r} is white everywhere: paint the background black")
    free_names = dict(palette)
    subjects: dict[str, Mask] = {}
    for colour, plane in planes:
        name = _name(colour, free_names)
        free_names.pop(name, None)
        palette.setdefault(name, colour)
        subjects[name] = scaled(plane, target.scaled)
    return subjects


def _name(colour: _Colour, palette: Mapping[str, _Colour]) -> str:
    """Name a colour's subject: `white`, the nearest known name, or `#rrggbb`."""
    if colour.min() > _BRIGHT and np.ptp(colour) <= _SATURATED:
        return WHITE
    distances = {name: float(np.abs(colour - other).max()) for name, other in palette.items() if name != WHITE}
    nearest = min(distances, key=lambda name: distances[name], default=None)
    if nearest is not None and distances[nearest] <= _DISTINCT:
        return nearest
    return "#" + "".join(f"{round(float(value)):02x}" for value in colour)


def _split(pixels: NDArray[Any]) -> list[tuple[_Colour, Mask]]:
    """Split a picture by colour into one mask per subject.

    Each colour that covers enough pixels is a subject. If there are colours, white is another subject. Without colours, the opaque or
    bright part is the only subject.
    """
    rgb = pixels[..., :3]
    white = np.full(3, 255, np.float32)
    if pixels.shape[2] == 4 and pixels[..., 3].min() < 128:
        return [(white, np.ascontiguousarray(pixels[..., 3]))]
    highest, lowest = rgb.max(axis=2), rgb.min(axis=2)
    saturated = highest - lowest > _SATURATED
    least = _MIN_OF_MARKED * np.count_nonzero(saturated | (highest > _BRIGHT))
    colours = _colours(rgb, saturated, least) if np.count_nonzero(saturated) > least else []
    if not colours:
        return [(white, np.ascontiguousarray(highest))]
    planes = []
    differences = np.stack([cv2.absdiff(rgb, np.full_like(rgb, colour.round())).max(axis=2) for colour in colours])
    nearest = np.where(saturated & (differences.min(axis=0) <= _DISTINCT), differences.argmin(axis=0), -1)
    for number, colour in enumerate(colours):
        planes.append((colour, (nearest == number).astype(np.uint8) * 255))
    bright = (lowest > _BRIGHT) & ~saturated
    if _inner(bright) > least:
        planes.append((white, bright.astype(np.uint8) * 255))
    return planes


def _colours(rgb: NDArray[Any], saturated: NDArray[np.bool_], least: float) -> list[_Colour]:
    """Return the subjects' colours, most common first.

    A colour counts if it covers more than `least` pixels without its rim. Colours that differ by at most _DISTINCT levels are one colour.
    """
    bins = (rgb // _DISTINCT).astype(np.uint16)
    codes = bins[..., 0] * 49 + bins[..., 1] * 7 + bins[..., 2]
    counts = np.bincount(codes[saturated], minlength=343)
    colours: list[_Colour] = []
    for code in np.argsort(-counts)[:_MAX_CANDIDATES]:
        if counts[code] <= least:
            break
        pixels = (codes == code) & saturated
        colour = np.median(rgb[pixels], axis=0).astype(np.float32)
        if all(np.abs(colour - other).max() > _DISTINCT for other in colours) and _inner(pixels) > least:
            colours.append(colour)
    return colours[:_MAX_SUBJECTS]


def _inner(pixels: NDArray[np.bool_]) -> int:
    """Count the true pixels whose neighbours are all true."""
    return int(np.count_nonzero(cv2.erode(pixels.astype(np.uint8), np.ones((3, 3), np.uint8))))


def _refused(field: str, detail: str) -> Invalid:
    return Invalid.field(f"inputs.{field}", detail, f"{detail[:1].upper()}{detail[1:]}.")
