"""Detection of green and blue screens in pictures."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from services.matting.chroma.colours import BLUE, GREEN, Rgb, excess

_LONGEST_SIDE = 192  # longer side, in pixels, of the small pictures in which a screen is searched
_MIN_EXCESS, _MIN_SHARE = 20.0, 0.05  # minimum excess of a screen's colour, in levels, and minimum share of the picture with it

_DETECTED_SHARE, _DETECTED_BORDER = 0.2, 0.5  # minimum share of the picture, and of its borders, that a detected screen covers
_MIN_SATURATION, _MIN_SATURATION_OF_CYAN, _CYAN = 0.36, 0.55, 0.3
"""Minimum excess of a screen's colour, as a share of its channel. The second limit is for blue with much green, which may be sky: the green
value lies more than the share _CYAN of the way from red to blue."""
_MAX_HUE_SPREAD, _MAX_TEXTURE = 0.02, 0.02  # largest spread of hue, and largest texture relative to luma, of a uniform screen


@dataclass(frozen=True, slots=True)
class Screen:
    """A green or blue screen.

    `channel`: 1 (green) or 2 (blue); `colour`: R, G, B, 0..255; `share`: share of the picture that the screen covers, 0..1.
    """

    channel: int
    colour: tuple[float, float, float]
    share: float

    @property
    def name(self) -> str:
        """Name of the screen's colour: green or blue."""
        return "green" if self.channel == GREEN else "blue"


def screen_of(colour: tuple[float, float, float]) -> Screen | None:
    """Return a green or blue screen of the given colour, or None.

    `colour`: R, G, B, 0..255. Returns None if it is neither green nor blue enough.
    """
    rgb = np.array(colour, np.float32)
    channel = max((GREEN, BLUE), key=lambda candidate: float(excess(rgb, candidate)))
    return Screen(channel, colour, 0.0) if excess(rgb, channel) >= _MIN_EXCESS else None


def find_screen(picture: Rgb, channels: Sequence[int] = (GREEN, BLUE)) -> Screen | None:
    """Find the screen's colour in a picture known to have a screen.

    Returns the most common strongly green or blue colour of the picture (H, W, 3); None if less than 5 % of the picture has such a colour.
    `detect_screen` tests whether there is a screen.
    """
    small = _small(picture)
    best: Screen | None = None
    for channel in channels:
        strong = _strong(small, channel)
        share = float(strong.mean())
        if share > _MIN_SHARE and (best is None or share > best.share):
            red, green, blue = (float(value) for value in np.median(small[strong], axis=0))
            best = Screen(channel, (red, green, blue), share)
    return best


def _small(picture: Rgb) -> NDArray[np.float32]:
    factor = min(_LONGEST_SIDE / max(picture.shape[:2]), 1)
    size = max(round(picture.shape[1] * factor), 2), max(round(picture.shape[0] * factor), 2)
    return cv2.resize(picture, size, interpolation=cv2.INTER_AREA).astype(np.float32)


def _strong(small: NDArray[np.float32], channel: int) -> NDArray[np.bool_]:
    above = excess(small, channel)
    return np.asarray(above > max(_MIN_EXCESS, 0.5 * float(np.percentile(above, 98))))


def detect_screen(pictures: Sequence[Rgb]) -> Screen | None:
    """Return the green or blue screen that pictures of a shot show, or None.

    `pictures`: each (H, W, 3). A screen covers at least a fifth of the picture and half of two of its borders (left, right, top). It is
    saturated and even: it has one hue and hardly any texture. Grass has texture, and sky is pale. More than half of the pictures must show
    the screen.
    """
    screens = [screen for picture in pictures if (screen := _even_screen(_small(picture)))]
    if not screens or len(screens) * 2 <= len(pictures):
        return None
    channel = max((GREEN, BLUE), key=lambda candidate: sum(screen.channel == candidate for screen in screens))
    candidates = [screen for screen in screens if screen.channel == channel]
    if len(candidates) * 2 <= len(pictures):
        return None
    red, green, blue = (float(value) for value in np.median([screen.colour for screen in candidates], axis=0))
    return Screen(channel, (red, green, blue), float(np.median([screen.share for screen in candidates])))


def _even_screen(small: NDArray[np.float32]) -> Screen | None:
    for channel in (GREEN, BLUE):
        strong = _strong(small, channel)
        share, border = float(strong.mean()), _border_share(strong)
        if share < _DETECTED_SHARE or border < _DETECTED_BORDER:
            continue
        inner = cv2.erode(strong.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
        if inner.sum() < 0.5 * _DETECTED_SHARE * inner.size:
            continue
        colours = small[inner]
        red, green, blue = (float(value) for value in np.median(colours, axis=0))
        screen = Screen(channel, (red, green, blue), share)
        if _is_saturated(screen.colour, channel) and _is_uniform(small, inner, channel):
            return screen
    return None


def _border_share(mask: NDArray[np.bool_]) -> float:
    """Return the share of the picture's borders that a mask covers.

    It is the median share of three borders: the top, and the upper three quarters of the left and the right side.
    """
    high = max(mask.shape[0] * 3 // 4, 1)
    sides = mask[:high, 0].mean(), mask[:high, -1].mean(), mask[0].mean()
    return float(sorted(sides)[1])


def _is_saturated(colour: tuple[float, float, float], channel: int) -> bool:
    red, green, blue = colour
    cyan = channel == BLUE and green - red > _CYAN * (blue - red)
    saturation = float(excess(np.array(colour, np.float32), channel)) / max(colour[channel], 1.0)
    return saturation >= (_MIN_SATURATION_OF_CYAN if cyan else _MIN_SATURATION)


def _is_uniform(small: NDArray[np.float32], inner: NDArray[np.bool_], channel: int) -> bool:
    """Return whether the part `inner` of a picture has one hue and little texture."""
    shares = small[inner] / np.maximum(small[inner].sum(1, keepdims=True), 1)
    spread = float(np.median(np.abs(shares[:, channel] - np.median(shares[:, channel]))))
    luma = small.mean(2)
    texture = np.abs(luma - cv2.GaussianBlur(luma, (0, 0), 1.5))[inner] / np.maximum(luma[inner], 8)
    return spread < _MAX_HUE_SPREAD and float(np.percentile(texture, 75)) < _MAX_TEXTURE
