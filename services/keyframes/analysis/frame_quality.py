"""Sharpness, exposure and layout of a frame."""

from dataclasses import dataclass

import cv2
import numpy as np

from services.keyframes.analysis.small_frame import SmallFrame

_TILES = 4
LAYOUT_BYTES = 3 * _TILES**2
"""Bytes of `FrameQuality.layout`."""
_BLACK, _WHITE = 20, 232  # levels in limited range: below the first and above the second, detail is lost
_FULL_SPREAD = 48.0  # standard deviation of brightness, in levels, of a picture that uses the whole range


@dataclass(frozen=True, slots=True)
class FrameQuality:
    """Sharpness, exposure and layout of a frame."""

    sharpness: float
    """Mean strength of the finest edges, in levels."""
    exposure: float
    """Share of well exposed pixels, times the spread of brightness; 0 to 1. Such pixels are neither black nor burnt out."""
    layout: bytes
    """The picture averaged to 4x4 tiles of Y, U and V, 48 bytes. Similar pictures have similar layouts."""


def frame_quality(small: SmallFrame) -> FrameQuality:
    """Measure a frame's sharpness, exposure and layout."""
    edges = cv2.Laplacian(small.y, cv2.CV_16S, ksize=1)
    lost = float(np.count_nonzero((small.y < _BLACK) | (small.y > _WHITE))) / small.y.size
    spread = float(cv2.meanStdDev(small.y)[1][0, 0])
    tiles = [cv2.resize(plane, (_TILES, _TILES), interpolation=cv2.INTER_AREA) for plane in (small.y, small.u, small.v)]
    return FrameQuality(
        sharpness=cv2.norm(edges, cv2.NORM_L1) / edges.size,
        exposure=(1 - lost) * min(spread / _FULL_SPREAD, 1.0),
        layout=np.stack(tiles).tobytes(),
    )
