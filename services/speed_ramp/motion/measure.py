"""Motion between two frames from dense optical flow.

Uses OpenCV's DIS flow (Kroeger et al., "Fast Optical Flow using Dense Inverse Search", ECCV 2016). Measurements that speak for its preset
ultrafast, from `benchmarks/speed_ramp/bench_speed_ramp.py` (AMD EPYC, one thread):

- ms per pair at 256x144 (320x180): DIS ultrafast 0.19 (0.31), fast 0.41 (0.61), medium 1.8 (3.1), Farneback 5.3 (7.5).
- Error of the measured length when a picture is panned by 1, 5 and 10 % of its diagonal: ultrafast 3, 1 and 4 %, fast 1, 1 and 5 %;
  Farneback 23 % at the largest pan.
- Correlation with DIS medium on a clip with fast pans: ultrafast and fast 0.86, Farneback 0.62.
"""

import threading
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from services.speed_ramp.motion.camera import Camera

ANALYSIS_SIZE = 256
"""Longer side, in pixels, of the pictures on which motion is measured."""

_SHORTEST = 32  # minimum side of a measured picture, in pixels, that DIS needs for its pyramid
_PERCENTILE = 0.9  # quantile of the lengths of flow vectors that counts as the subject's motion
_CUT = 0.5  # mismatch above which two frames show different scenes
_NOISE = 10.0  # difference after motion compensation, in levels, that halves the trust in a vector
_TEXTURE = 3.0  # texture, in levels, at which a vector gets half trust
_NEIGHBOURHOOD = 9  # side, in pixels, of the square in which texture is measured
_EVERY = 2  # every second row and column of vectors is used for the subject
_BINS = 32  # histogram bins per pixel of length
_TRUSTED = 0.02  # minimum sum of trust, as a share of all vectors, for a measurement; with less, the subject's motion is 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """Motion between two consecutive frames.

    `camera`: the affine motion (3, 2) of the camera in frame diagonals, see `Camera.fit`.

    `subject`: motion of the subject in frame diagonals. It is the 90th percentile of the flow's length after the camera's motion is
    subtracted, weighted by the trust in each vector. So a small fast subject counts, but single wrong vectors and guesses in plain or
    uncovered areas do not.

    `mismatch`: mean difference after motion compensation, in units of the picture's contrast. Measured: 0.02 to 0.1 in ordinary shots,
    0.25 in the fastest pan, 0.6 to 1.3 across a cut.
    """

    camera: NDArray[np.float64]
    subject: float
    mismatch: float

    @property
    def cut(self) -> bool:
        """Whether the frames show different scenes: a cut or a flash."""
        return self.mismatch > _CUT


def analysis_size(width: int, height: int) -> tuple[int, int]:
    """Return the (width, height) at which a clip is measured.

    Clips are enlarged only if they are smaller than DIS needs.
    """
    scale = min(1.0, ANALYSIS_SIZE / max(width, height))
    return max(round(width * scale), _SHORTEST), max(round(height * scale), _SHORTEST)


class Meter(threading.local):
    """Meter of the motion between two pictures.

    Several threads can share a Meter; each has its own buffers.
    """

    def __init__(self) -> None:
        self._flow = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_ULTRAFAST)
        self._grid: NDArray[np.float32] = np.zeros((0, 0, 2), np.float32)
        self._camera = Camera(_SHORTEST, _SHORTEST)

    def __call__(self, before: NDArray[np.uint8], after: NDArray[np.uint8]) -> Step:
        """Measure the motion between two luma pictures.

        `before`, `after`: uint8 (height, width). Raises ValueError if their sizes differ.
        """
        if before.shape != after.shape:
            raise ValueError(f"the pictures differ in size: {before.shape} and {after.shape}")
        height, width = before.shape
        if self._grid.shape[:2] != before.shape:
            self._grid = np.stack(np.meshgrid(np.arange(width), np.arange(height)), axis=-1).astype(np.float32)
            self._camera = Camera(height, width)
        flow: NDArray[np.float32] = self._flow.calc(before, after, None)  # type: ignore[call-overload]  # allocates the result
        places = self._grid + flow
        moved = cv2.remap(after, places, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)  # type: ignore[call-overload]
        difference = np.asarray(cv2.absdiff(before, moved), np.uint8)
        trust = _trust(before, difference)
        camera = self._camera.fit(flow, trust, every=_EVERY)
        across, down = self._camera.field(camera, every=_EVERY)
        across, down = flow[::_EVERY, ::_EVERY, 0] - across, flow[::_EVERY, ::_EVERY, 1] - down
        # Not cv2.magnitude: its last bit depends on the array's address, but the same clip must give the same curve.
        lengths = np.sqrt(across * across + down * down)
        contrast = max(cv2.meanStdDev(before)[1][0][0], cv2.meanStdDev(after)[1][0][0])
        return Step(
            camera=np.round(camera / self._camera.diagonal, 9),
            subject=_percentile(lengths, trust) / self._camera.diagonal,
            # The 8 levels keep noise in a picture without contrast from counting as a mismatch.
            mismatch=float(cv2.mean(difference)[0] / (contrast + 8)),
        )


def _trust(picture: NDArray[np.uint8], difference: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Rate the reliability of flow vectors, 0 to 1.

    A vector is reliable where there is texture and where motion compensation leaves little difference.
    """
    size = (_NEIGHBOURHOOD, _NEIGHBOURHOOD)
    mean = cv2.blur(picture, size)
    texture = cv2.blur(cv2.absdiff(picture, mean), size)[::_EVERY, ::_EVERY].astype(np.float32) / _TEXTURE
    error = cv2.blur(difference, (3, 3))[::_EVERY, ::_EVERY].astype(np.float32) / _NOISE
    texture *= texture
    trust: NDArray[np.float32] = texture / (1 + texture) / (1 + error * error)
    return trust


def _percentile(lengths: NDArray[np.float32], weights: NDArray[np.float32]) -> float:
    """Return the weighted 90th percentile of `lengths`, in pixels.

    Returns 0 if hardly any vector can be trusted.
    """
    bins = (lengths * _BINS).astype(np.int64).ravel()
    totals = np.cumsum(np.bincount(bins, weights=weights.ravel()))
    if totals[-1] < _TRUSTED * lengths.size:
        return 0.0
    return float(np.interp(_PERCENTILE * totals[-1], np.append(0.0, totals), np.arange(len(totals) + 1))) / _BINS
