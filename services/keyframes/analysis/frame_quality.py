"""What makes a frame worth keeping, measured on the small plane."""

from dataclasses import dataclass

import cv2
import numpy as np

from services.keyframes.analysis.small_frame import Small

_TILES = 4
_BLACK, _WHITE = 20, 232  # what is beyond has lost its detail, in limited range
_FULL_SPREAD = 48.0  # standard deviation of brightness of a picture with all tones


@dataclass(frozen=True, slots=True)
class Looks:
    """`sharpness`: mean strength of the finest edges. `exposure`: 0 to 1, the share that is neither black nor burnt out, times how far the
    brightness spreads. `layout`: 48 bytes, the picture as 4 x 4 tiles of Y, U and V."""

    sharpness: float
    exposure: float
    layout: bytes


def looks(small: Small) -> Looks:
    """Measure a frame."""
    edges = cv2.Laplacian(small.y, cv2.CV_16S, ksize=1)
    lost = float(np.count_nonzero((small.y < _BLACK) | (small.y > _WHITE))) / small.y.size
    spread = float(cv2.meanStdDev(small.y)[1][0, 0])
    tiles = [cv2.resize(plane, (_TILES, _TILES), interpolation=cv2.INTER_AREA) for plane in (small.y, small.u, small.v)]
    return Looks(
        sharpness=cv2.norm(edges, cv2.NORM_L1) / edges.size,
        exposure=(1 - lost) * min(spread / _FULL_SPREAD, 1.0),
        layout=np.stack(tiles).tobytes(),
    )
