"""GrabCut masks from clicks, a box or strokes, without a network.

Rother, Kolmogorov and Blake, 2004; OpenCV's implementation. Marks alone say little about the colours of the object. So a click or a stroke
is first extended to the connected pixels of similar colour. In a box, colours that are rare outside it count as the object's.
"""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.uint8]

_LONGER_SIDE = 640  # largest longer side of the pictures on which GrabCut runs, in pixels
_ROUNDS = 5  # iterations of GrabCut
_DISC = 0.012
"""Radius around a click within which pixels certainly get the click's label. It is a share of the picture's longer side."""
_REACH = 0.06
"""Radius around a positive click within which pixels probably show the object. It is a share of the picture's longer side."""
_SAME, _LIKE = 9, 20
"""Colour difference up to which connected pixels surely, or probably, belong to a click. The difference is that of each channel of L*a*b*,
0 to 255."""
_MIN_SHARE = 0.0005
"""Minimum share of the picture with a click's colour. With less, the disc of radius _REACH is used too."""
_MIN_OF_BOX = 0.05  # minimum share of a box with colours that are rare outside the box; with less, the whole box counts
_MAX_SEEDS = 40
"""Maximum number of places on a stroke whose colours are examined."""
_BIN, _BINS = 16, 16  # levels per bin of the colour histograms, and bins per channel
_WHITE, _BLACK = 200, 55  # levels of strokes: from the first on they mark the object, up to the second the background


def grabcut(
    rgb: NDArray[np.uint8],
    points: Sequence[tuple[int, int, int]] = (),
    box: tuple[int, int, int, int] | None = None,
    marks: Mask | None = None,
) -> Mask:
    """Compute the mask of a marked object with GrabCut.

    `rgb`: (h, w, 3). `points`: (x, y, 1 or -1). `box`: (left, top, right, bottom), in pixels. `marks`: strokes, (h, w) uint8, white on the
    object, black beside it, gray elsewhere. Returns (h, w) uint8, 0 or 255; all 0 if no object is found. Works on a picture of at most 640
    pixels, which takes about a second.
    """
    height, width = rgb.shape[:2]
    scale = min(1.0, _LONGER_SIDE / max(height, width))
    size = max(round(width * scale), 1), max(round(height * scale), 1)
    small = np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), np.uint8)
    labels = _labels(small, [(int(x * scale), int(y * scale), sign) for x, y, sign in points], box, scale, marks)
    certain = labels == cv2.GC_FGD
    if not ((labels == cv2.GC_FGD) | (labels == cv2.GC_PR_FGD)).any() or not ((labels == cv2.GC_BGD) | (labels == cv2.GC_PR_BGD)).any():
        return np.zeros((height, width), np.uint8)
    cv2.setRNGSeed(1)  # the colour models begin with random clusters: equal requests give equal masks
    bgr = cv2.cvtColor(small, cv2.COLOR_RGB2BGR)
    cv2.grabCut(bgr, labels, (0, 0, 0, 0), np.zeros((1, 65)), np.zeros((1, 65)), _ROUNDS, cv2.GC_INIT_WITH_MASK)
    inside = ((labels == cv2.GC_FGD) | (labels == cv2.GC_PR_FGD)).astype(np.uint8)
    if certain.any():
        inside = _connected(inside, certain)
    large = cv2.resize(inside * np.uint8(255), (width, height), interpolation=cv2.INTER_LINEAR)
    return np.asarray((large > 127) * np.uint8(255), np.uint8)


def _labels(
    small: NDArray[np.uint8],
    points: Sequence[tuple[int, int, int]],
    box: tuple[int, int, int, int] | None,
    scale: float,
    marks: Mask | None,
) -> NDArray[np.uint8]:
    """Return GrabCut's initial labels."""
    height, width = small.shape[:2]
    longer = max(height, width)
    labels = np.full((height, width), cv2.GC_PR_BGD, np.uint8)
    lab = np.asarray(cv2.cvtColor(small, cv2.COLOR_RGB2LAB), np.uint8)
    positive = [(x, y) for x, y, sign in points if sign == 1]
    for x, y in positive:
        alike = _like(lab, x, y, _LIKE)
        if alike.mean() < _MIN_SHARE:  # the click is on a pattern, whose colours are around it
            cv2.circle(labels, (x, y), max(round(_REACH * longer), 2), cv2.GC_PR_FGD, -1)
        labels[alike] = cv2.GC_PR_FGD
    for x, y in positive:
        labels[_like(lab, x, y, _SAME)] = cv2.GC_FGD
    for x, y, sign in points:
        if sign == -1:
            labels[_like(lab, x, y, _SAME)] = cv2.GC_BGD
    if box is not None:
        left, top, right, bottom = (round(side * scale) for side in box)
        inside = np.zeros((height, width), bool)
        inside[top : max(bottom, top + 1), left : max(right, left + 1)] = True
        if not positive:
            rare = inside & _rare_outside(lab, inside)
            labels[rare if rare.sum() >= _MIN_OF_BOX * inside.sum() else inside] = cv2.GC_PR_FGD
        labels[~inside] = cv2.GC_BGD
    if marks is not None:
        strokes = cv2.resize(marks, (width, height), interpolation=cv2.INTER_NEAREST)
        stroke = strokes >= _WHITE
        for y, x in np.argwhere(stroke)[:: max(int(stroke.sum()) // _MAX_SEEDS, 1)]:
            labels[_like(lab, int(x), int(y), _LIKE)] = cv2.GC_PR_FGD
        labels[stroke], labels[strokes <= _BLACK] = cv2.GC_FGD, cv2.GC_BGD
    for x, y, sign in points:
        cv2.circle(labels, (x, y), max(round(_DISC * longer), 1), cv2.GC_FGD if sign == 1 else cv2.GC_BGD, -1)
    return labels


def _like(lab: NDArray[np.uint8], x: int, y: int, difference: int) -> NDArray[np.bool_]:
    """Return a mask of the connected pixels around (x, y) with similar colour."""
    filled = np.zeros((lab.shape[0] + 2, lab.shape[1] + 2), np.uint8)
    flags = 4 | cv2.FLOODFILL_MASK_ONLY | cv2.FLOODFILL_FIXED_RANGE | (1 << 8)
    cv2.floodFill(lab.copy(), filled, (x, y), (0, 0, 0), (difference,) * 3, (difference,) * 3, flags)
    return np.asarray(filled[1:-1, 1:-1] == 1)


def _rare_outside(lab: NDArray[np.uint8], inside: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return a mask of pixels whose colour is rare outside the box `inside`."""
    bins = (lab // _BIN).astype(np.int32)
    codes = (bins[..., 0] * _BINS + bins[..., 1]) * _BINS + bins[..., 2]
    within = np.bincount(codes[inside], minlength=_BINS**3) / max(int(inside.sum()), 1)
    without = np.bincount(codes[~inside], minlength=_BINS**3) / max(int((~inside).sum()), 1)
    return np.asarray((within > without)[codes] & (without < 0.1 * within)[codes])


def _connected(inside: NDArray[np.uint8], certain: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Remove connected parts of `inside` that contain no `certain` pixel."""
    _, parts = cv2.connectedComponents(inside, connectivity=8)
    numbers = np.unique(parts[certain & (inside > 0)])
    return np.asarray(np.isin(parts, numbers[numbers > 0]), np.uint8)
