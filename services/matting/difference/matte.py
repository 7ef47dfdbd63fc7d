"""Matte of an opaque subject, by comparison with a clean plate.

Shadows are left out and edges refined. The matte is unreliable where the subject has the plate's colours, and on transparent subjects.
"""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from services.matting.difference.exposure import match_exposure
from services.matting.pixels.guided_filter import guided
from shared.video.frames.push_pull import push_pull

Rgb = NDArray[np.uint8]
Alpha = NDArray[np.float32]
Planes = NDArray[np.float32]

_MAX_LINES = 720
"""Shorter side, in pixels, to which larger frames are scaled for the comparison."""
_FROM, _RANGE = 3.5, 5.0
"""Difference from the plate at which alpha starts to rise, and range until 1. Both are multiples of the noise."""
_BRIGHTER = 1.05  # largest brightness, relative to the plate, of a pixel that may show the plate in shadow
_LARGEST_HOLE, _HOLE_DIFFERS, _PINHOLE = 0.01, 0.15, 0.00005
"""Limits for a hole that is filled. Its area is below the share _LARGEST_HOLE of the picture, and its mean alpha is above _HOLE_DIFFERS.
Below the share _PINHOLE, it is filled whatever its alpha."""
_MIN_ISLAND = 0.0002  # share of the picture below which a separate part of the matte is a speck
_SURE = 0.97  # alpha above which a pixel certainly shows the subject
_RIM_SHARE = 60  # picture's height, divided by the width of the edge band in which alpha is computed again
_CONTRAST = 1000.0
"""Squared colour distance at which colours and edges weigh the same. The distance is that of subject and plate. With a larger distance,
colours weigh more."""
_MIN_ALPHA = 0.1  # minimum divisor when a colour is divided by alpha; a smaller divisor would amplify noise


@dataclass(frozen=True, slots=True, eq=False)
class DifferenceMatte:
    """Matte and foreground of one frame.

    `alpha`: (H, W) float32 0..1. `foreground`: (H, W, 3) uint8, straight colours; None unless requested.
    """

    alpha: Alpha
    foreground: Rgb | None = None


def difference_matte(rgb: Rgb, plate: Rgb, *, shadow: float = 0.6, foreground: bool = False) -> DifferenceMatte:
    """Compute the matte of a subject in front of a known background.

    `rgb`: the frame; `plate`: the empty scene; both (H, W, 3) uint8. `shadow`: brightness of the darkest shadow that still belongs to the
    background, as a share of the plate's brightness, 0..1; 1 keeps shadows in the matte.
    """
    height, width = rgb.shape[:2]
    factor = min(_MAX_LINES / min(height, width), 1)
    size = max(round(width * factor), 1), max(round(height * factor), 1)
    small, before = (np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.float32) for picture in (rgb, plate))
    matched = match_exposure(small, before)
    lit, difference = _without_shadow(small, matched.plate, shadow)
    smooth = cv2.GaussianBlur(difference, (0, 0), 0.8)
    alpha = np.clip((smooth - _FROM * matched.noise) / (_RANGE * matched.noise), 0, 1).astype(np.float32)
    alpha = _whole(alpha)
    rim = _rim(alpha)
    near = push_pull(small, ((alpha > _SURE) & ~rim).astype(np.float32))
    alpha = np.where(rim, _edge_alpha(small, lit, near, alpha), alpha).astype(np.float32)
    matte = np.clip(cv2.resize(alpha, (width, height), interpolation=cv2.INTER_LINEAR), 0, 1).astype(np.float32)
    if not foreground:
        return DifferenceMatte(matte)
    opacity = alpha[..., None]
    unmixed = np.clip((small - (1 - opacity) * lit) / np.maximum(opacity, _MIN_ALPHA), 0, 255)
    colours = near + np.clip((opacity - _MIN_ALPHA) / 0.4, 0, 1) * (unmixed - near)
    straight = cv2.resize(np.clip(colours + 0.5, 0, 255).astype(np.uint8), (width, height), interpolation=cv2.INTER_LINEAR)
    return DifferenceMatte(matte, np.asarray(cv2.copyTo(rgb, cv2.inRange(matte, 0.999, 2), straight), np.uint8))


def _without_shadow(frame: Planes, plate: Planes, shadow: float) -> tuple[Planes, NDArray[np.float32]]:
    """Return the plate with the frame's shadows added, and its difference from the frame.

    A shadow scales the plate's colour. The difference that is left at the best scale belongs to the subject. Returns the plate, (h, w, 3),
    and the difference, (h, w), 0..442.
    """
    dot, squared = (frame * plate).sum(2), np.maximum((plate * plate).sum(2), 100)
    scale = dot / squared
    shaded = (scale > shadow) & (scale < _BRIGHTER)
    scale = np.where(shaded, scale, 1).astype(np.float32)
    # A shadow has a soft, wide rim. Fine changes of brightness are texture of a subject of the plate's hue, so the median removes them.
    scale = np.asarray(cv2.medianBlur(scale, 5), np.float32)
    lit = plate * scale[..., None]
    return lit, np.sqrt(((frame - lit) ** 2).sum(2)).astype(np.float32)


def _whole(alpha: Alpha) -> Alpha:
    """Fill a matte's small holes and remove its specks."""
    holes = _small_regions((alpha < _SURE).astype(np.uint8), _LARGEST_HOLE, alpha)
    specks = _small_regions(cv2.dilate((alpha > 0.05).astype(np.uint8), np.ones((3, 3), np.uint8)), _MIN_ISLAND)
    return np.where(holes, 1, np.where(specks, 0, alpha)).astype(np.float32)


def _small_regions(mask: NDArray[Any], share: float, alpha: Alpha | None = None) -> NDArray[np.bool_]:
    """Find the connected parts of `mask` smaller than `share` of the picture.

    `alpha`: the matte. If given, parts in which it is almost 0 do not count: they are real holes in the subject, which show the plate.
    """
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask)
    area = stats[:, cv2.CC_STAT_AREA]
    small = area < share * mask.size
    if alpha is not None:
        differing = np.bincount(labels.ravel(), weights=alpha.ravel(), minlength=count) > _HOLE_DIFFERS * area
        small &= differing | (area < _PINHOLE * mask.size)
    small[0] = False
    return np.asarray(small[labels], np.bool_)


def _rim(alpha: Alpha) -> NDArray[np.bool_]:
    """Return a mask of the subject's edge, (h, w).

    At the edge, alpha has to be computed again: a pixel that shows only a little of the subject already differs from the plate by the full
    range.
    """
    inward, outward = 2 * max(alpha.shape[0] // _RIM_SHARE, 2) + 1, 5
    visible = (alpha > 0.02).astype(np.uint8)
    inner = cv2.erode(visible, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (inward, inward)), borderValue=1)
    outer = cv2.dilate(visible, np.ones((outward, outward), np.uint8))
    return np.asarray((outer > 0) & (inner == 0), np.bool_)


def _edge_alpha(frame: Planes, lit: Planes, near: Planes, alpha: Alpha) -> Alpha:
    """Compute alpha at the subject's edges, (h, w).

    Alpha follows the edges of the picture. Where the colours on both sides differ, alpha is the position of the pixel's colour between
    them.
    """
    gray = np.asarray(frame @ np.array([0.299, 0.587, 0.114], np.float32) / 255, np.float32)
    soft = np.clip(guided(gray, alpha, 6, 1e-4), 0, 1)
    line = near - lit
    squared = (line * line).sum(2)
    along = np.clip((line * (frame - lit)).sum(2) / np.maximum(squared, 200), 0, 1)
    trust = squared / (squared + _CONTRAST)
    return np.asarray(soft + trust * (along - soft), np.float32)
