"""The over operator: mixes foreground and background by alpha (Porter and Duff, 1984)."""

import cv2
import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.uint8]

_STRIP = 32
"""Rows mixed at a time: their 16-bit products then stay in the cache."""


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
    """Return the rows and columns around all pixels with alpha above 0.

    None if alpha is 0 everywhere.
    """
    rows = np.flatnonzero(alpha.any(axis=1))
    if not len(rows):
        return None
    columns = np.flatnonzero(alpha[rows[0] : rows[-1] + 1].any(axis=0))
    return slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1)


def chroma_alpha(alpha: Plane) -> Plane:
    """Return alpha at the places of 4:2:0 chroma samples.

    The result is uint8 ((height + 1) // 2, (width + 1) // 2), rounded to the nearest level. Chroma samples of H.264 and H.265 lie on the
    left luma column of their pair, halfway between two rows (ITU-T H.264, annex E: type 0): weights 1 2 1 around that column, the same in
    both rows. Sums are 16-bit and are rounded once. Only the columns where alpha is not 0 are computed.
    """
    height, width = alpha.shape
    if height % 2 or width % 2:
        alpha = cv2.copyMakeBorder(alpha, 0, height % 2, 0, width % 2, cv2.BORDER_REPLICATE)  # type: ignore[assignment]
    result = np.zeros((alpha.shape[0] // 2, alpha.shape[1] // 2), np.uint8)
    place = reached(alpha)
    if place is None:
        return result
    # From an even row and column on; the last column also counts for the sample on its right.
    top, left = place[0].start // 2 * 2, place[1].start // 2 * 2
    right = min((place[1].stop + 2) // 2 * 2, alpha.shape[1])
    for row in range(top, place[0].stop, _STRIP):
        strip = alpha[row : min(row + _STRIP, alpha.shape[0]), left:right]
        rows = np.add(strip[0::2], strip[1::2], dtype=np.uint16)
        here, next_column = rows[:, 0::2], rows[:, 1::2]
        total = here + here
        total += next_column
        total[:, 1:] += next_column[:, :-1]
        # Left of the computed columns alpha is 0, left of the picture it is continued.
        if left == 0:
            total[:, 0] += here[:, 0]
        total += 4
        total >>= 3
        result[row // 2 : row // 2 + len(total), left // 2 : right // 2] = total
    return result
