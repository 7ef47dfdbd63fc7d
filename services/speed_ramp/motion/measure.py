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

from services.speed_ramp.motion.camera import Camera

ANALYSIS_SIZE = 256
"""Longer side, in pixels, of the pictures that motion is measured on."""

_SHORTEST = 32  # what DIS's pyramid needs
_MOST = 0.9
_CUT = 0.5
_NOISE = 10.0  # levels: a difference after motion compensation of this much halves the trust in a vector
_TEXTURE = 3.0  # levels: the same for how much the picture varies around it
_AROUND = 9  # pixels
_EVERY = 2  # of the vectors, each way, are looked at for the subject
_FINE = 32  # steps a pixel that lengths are counted in
_TRUSTED = 0.02  # of the picture: where less can be relied on, nothing is seen to move


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What happened from one frame to the next.

    `camera`: the affine motion (3, 2) of the camera in frame diagonals, see `Camera.fit`. `subject`: the 90th percentile, weighted by the
    trust in each vector, of the length that is left of the flow without it, in frame diagonals: what the liveliest tenth of the
    picture does, so that a small fast subject counts and a few wild vectors do not, nor what the flow has to guess in plain or uncovered
    places. `mismatch`: how much of the picture the flow does not explain: the mean difference after motion compensation in units of the
    picture's contrast. Measured: 0.02 to 0.1 in ordinary shots, 0.25 in the wildest pan, 0.6 to 1.3 across a cut.
    """

    camera: NDArray[np.float64]
    subject: float
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
        self._camera = Camera(_SHORTEST, _SHORTEST)

    def __call__(self, before: NDArray[np.uint8], after: NDArray[np.uint8]) -> Step:
        """Compare two luma pictures, uint8 (height, width) of the same size."""
        if before.shape != after.shape:
            raise ValueError(f"the pictures differ in size: {before.shape} and {after.shape}")
        height, width = before.shape
        if self._grid.shape[:2] != before.shape:
            self._grid = np.stack(np.meshgrid(np.arange(width), np.arange(height)), axis=-1).astype(np.float32)
            self._camera = Camera(height, width)
        flow = self._flow.calc(before, after, None)
        moved = cv2.remap(after, self._grid + flow, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        missed = cv2.absdiff(before, moved)
        trust = _trust(before, missed)
        camera = self._camera.fit(flow, trust)
        across, down = self._camera.field(camera, every=_EVERY)
        across, down = flow[::_EVERY, ::_EVERY, 0] - across, flow[::_EVERY, ::_EVERY, 1] - down
        # Not cv2.magnitude, whose last bit depends on where the array lies in memory: the same clip must give the same curve.
        left = np.sqrt(across * across + down * down)
        contrast = max(cv2.meanStdDev(before)[1][0][0], cv2.meanStdDev(after)[1][0][0])
        return Step(
            camera=np.round(camera / self._camera.diagonal, 9),
            subject=_percentile(left, trust[::_EVERY, ::_EVERY]) / self._camera.diagonal,
            # 8 levels stand for the noise of a picture without contrast.
            mismatch=float(cv2.mean(missed)[0] / (contrast + 8)),
        )


def _trust(picture: NDArray[np.uint8], missed: NDArray[np.uint8]) -> NDArray[np.float32]:
    """How far each vector can be relied on, 0 to 1: the flow explains what is there, and there is something to see."""
    size = (_AROUND, _AROUND)
    mean = cv2.blur(picture, size)
    texture = cv2.blur(cv2.absdiff(picture, mean), size).astype(np.float32) / _TEXTURE
    error = cv2.blur(missed, (3, 3)).astype(np.float32) / _NOISE
    texture *= texture
    return texture / (1 + texture) / (1 + error * error)


def _percentile(lengths: NDArray[np.float32], weights: NDArray[np.float32]) -> float:
    """The length, in pixels, that 90 % of the weight does not exceed; 0 where there is hardly any weight."""
    steps = (lengths * _FINE).astype(np.int64).ravel()
    counted = np.cumsum(np.bincount(steps, weights=weights.ravel()))
    if counted[-1] < _TRUSTED * lengths.size:
        return 0.0
    return float(np.interp(_MOST * counted[-1], np.append(0.0, counted), np.arange(len(counted) + 1))) / _FINE
