"""How much moves between two frames: dense optical flow on small luma pictures.

DIS flow (Kroeger et al., "Fast Optical Flow using Dense Inverse Search", ECCV 2016) as OpenCV has it. Measured by
`benchmarks/bench_speed_ramp.py` (AMD EPYC, one thread, 256x144; in brackets 320x180), ms a pair: DIS ultrafast 0.19 (0.31), fast 0.41
(0.61), medium 1.8 (3.1), Farneback 5.3 (7.5). Of a picture panned by 1, 5 and 10 % of its diagonal ultrafast finds the length to within
3, 1 and 4 %, fast 1, 1 and 5 %; Farneback loses 23 % of the last. On a clip with fast pans ultrafast follows medium as closely as fast
does (correlation 0.86 both, Farneback 0.62).
"""

import threading
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

ANALYSIS_SIZE = 256
"""Longer side, in pixels, of the pictures that motion is measured on."""

_SHORTEST = 32  # what DIS's pyramid needs
_PERCENTILE = 90
_CUT = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What happened from one frame to the next.

    `motion`: the 90th percentile of the flow's length in frame diagonals: what the liveliest tenth of the picture does, so that a small
    fast subject counts and a few wild vectors do not. `mismatch`: how much of the picture the flow does not explain: the mean
    difference after motion compensation in units of the picture's contrast. Measured: 0.02 to 0.1 in ordinary shots, 0.25 in the wildest
    pan, 0.6 to 1.3 across a cut.
    """

    motion: float
    mismatch: float

    @property
    def cut(self) -> bool:
        """Whether the pictures have nothing to do with each other: a cut, or a flash."""
        return self.mismatch > _CUT


def analysis_size(width: int, height: int) -> tuple[int, int]:
    """(width, height) in pixels at which to measure a clip of `width` x `height`: never larger, unless it is tiny."""
    scale = min(1.0, ANALYSIS_SIZE / max(width, height))
    return max(round(width * scale), _SHORTEST), max(round(height * scale), _SHORTEST)


class Meter(threading.local):
    """Measures pairs of pictures; one object serves several threads, each with its own buffers."""

    def __init__(self) -> None:
        self._flow = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_ULTRAFAST)
        self._grid: NDArray[np.float32] = np.zeros((0, 0, 2), np.float32)

    def __call__(self, before: NDArray[np.uint8], after: NDArray[np.uint8]) -> Step:
        """Compare two luma pictures, uint8 (height, width) of the same size."""
        if before.shape != after.shape:
            raise ValueError(f"the pictures differ in size: {before.shape} and {after.shape}")
        height, width = before.shape
        if self._grid.shape[:2] != before.shape:
            self._grid = np.stack(np.meshgrid(np.arange(width), np.arange(height)), axis=-1).astype(np.float32)
        flow = self._flow.calc(before, after, None)
        # Not cv2.magnitude, whose last bit depends on where the array lies in memory: the same clip must give the same curve.
        across, down = flow[..., 0], flow[..., 1]
        length = np.sqrt(across * across + down * down)
        moved = cv2.remap(after, self._grid + flow, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        contrast = max(cv2.meanStdDev(before)[1][0][0], cv2.meanStdDev(after)[1][0][0])
        return Step(
            motion=float(np.percentile(length, _PERCENTILE) / np.hypot(width, height)),
            # 8 levels stand for the noise of a picture without contrast.
            mismatch=float(cv2.mean(cv2.absdiff(before, moved))[0] / (contrast + 8)),
        )
