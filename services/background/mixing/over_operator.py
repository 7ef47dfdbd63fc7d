"""Over operator: mixing of a foreground over a background.

Porter and Duff, 1984.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.uint8]

_STRIP = 32
"""Number of rows mixed at a time. Their 16-bit products fit the cache."""


def over(foreground: Plane, background: Plane, alpha: Plane) -> Plane:
    """Mix a foreground over a background by alpha.

    Returns background + (foreground - background) * alpha / 255, rounded to the nearest level. All arguments are uint8 (height, width) and
    are not changed. Only the rows and columns where alpha is not 0 are computed.
    """
    mixed = background.copy()
    place = reached(alpha)
    if place is None:
        return mixed
    rows, columns = place
    for top in range(rows.start, rows.stop, _STRIP):
        strip = slice(top, min(top + _STRIP, rows.stop)), columns
        weight = alpha[strip]
        value = np.multiply(foreground[strip], weight, dtype=np.uint16)
        value += np.multiply(background[strip], 255 - weight, dtype=np.uint16)
        # (v + 128) * 257 >> 16 is v / 255, rounded, for every v up to 255 * 255.
        value += 128
        value += value >> 8
        value >>= 8
        mixed[strip] = value
    return mixed


def reached(alpha: Plane) -> tuple[slice, slice] | None:
    """Return the rows and columns that enclose all visible pixels.

    Returns None if alpha is 0 everywhere.
    """
    rows = np.flatnonzero(alpha.any(axis=1))
    if not len(rows):
        return None
    columns = np.flatnonzero(alpha[rows[0] : rows[-1] + 1].any(axis=0))
    return slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1)


def chroma_alpha(alpha: Plane) -> Plane:
    """Downsample alpha to the positions of 4:2:0 chroma.

    Returns uint8 ((height + 1) // 2, (width + 1) // 2), rounded to the nearest level. In H.264 and H.265, each 2 x 2 luma pixels share a
    chroma sample. It lies on their left column, halfway between the two rows (ITU-T H.264, annex E: type 0). Its alpha is the weighted mean
    of both rows: the left column has the weight 2, the columns beside it 1. Only the area where alpha is not 0 is computed.
    """
    height, width = alpha.shape
    if height % 2 or width % 2:
        alpha = cv2.copyMakeBorder(alpha, 0, height % 2, 0, width % 2, cv2.BORDER_REPLICATE)  # type: ignore[assignment]
    result = np.zeros((alpha.shape[0] // 2, alpha.shape[1] // 2), np.uint8)
    place = reached(alpha)
    if place is None:
        return result
    # The visible area, extended to whole pairs of rows and columns. One pair is added on the right, because the last visible column may
    # be its left neighbour.
    rows = slice(place[0].start // 2, (place[0].stop + 1) // 2)
    columns = slice(place[1].start // 2, min(place[1].stop // 2 + 1, result.shape[1]))
    # Each pair of columns is read as one 16-bit number, which is faster than reading every second byte.
    pairs = alpha[2 * rows.start : 2 * rows.stop, 2 * columns.start : 2 * columns.stop].view("<u2")
    left, right = pairs & 255, pairs >> 8
    left, right = left[0::2] + left[1::2], right[0::2] + right[1::2]
    total = 2 * left + right
    total[:, 1:] += right[:, :-1]
    # Beyond the left edge of the picture, alpha equals that of the first column. To the left of any other area it is 0.
    if columns.start == 0:
        total[:, 0] += left[:, 0]
    result[rows, columns] = (total + 4) >> 3
    return result
