"""What moved where between two pictures: dense flow both ways on small luma pictures, and how far the two ways agree.

DIS flow (Kroeger et al., "Fast Optical Flow using Dense Inverse Search", ECCV 2016) as OpenCV has it, at a fifth of 1080p down to single
pixels. Measured on three clips: a quarter gains 0.15 dB for 30 ms more; the variational refinement takes half as long as the search and
gives -0.1 to 0.15 dB; coarser, one scale up, loses 0.1 to 0.6 dB. What it cannot find: small things that move by much of their own size
(in a made-up case 60 pixels wide, 20 were found and 24 were not).
"""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Field = NDArray[np.float32]

FLOW_SIZE = 400
"""About how long, in pixels, the longer side of the pictures is that flow is computed on; smaller pictures stay as they are."""

ALIGNED = 4
"""The small pictures' sides are multiples of this, so that tiles of them are whole samples of every plane, subsampled up to four times."""

_SHORTEST = 32  # what DIS's pyramid needs
_PATCH_STRIDE = 4
_DESCENTS = 12  # of DIS's inverse search; the preset's 25 gains less than 0.1 dB, 5 lose 0.3 to 0.8 dB where much moves
_GAMMA = 0.6  # below 1: patches in the dark count for more; worth 0.1 dB where someone in black moves
_STILL = 2  # levels of 256
_CUT = 0.5
_WORST = 8.0  # pixels of the small pictures; a vector that is more wrong is just wrong


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Vectors:
    """The motion between two pictures, at the size of the small luma pictures `before` and `after`, uint8 (height, width).

    One of their pixels stands for `by` times `by` of the pictures; what they are larger by repeats the pictures' edges.

    `forward`, `backward`: float32 (height, width, 2), x and y in pixels of this size: where each pixel of `before` is in `after`, and
    the reverse. `forward_error`, `backward_error`: float32 (height, width), how many pixels away from itself a pixel lands that goes there
    and back, at most 8; large where something is covered or the match is wrong. `grid`: each pixel's own x and y. `detail`: uint8 (height,
    width), what of `before` is finer than two of its samples, the mean in levels of 256.
    """

    before: NDArray[np.uint8]
    after: NDArray[np.uint8]
    forward: Field
    backward: Field
    forward_error: Field
    backward_error: Field
    grid: Field
    detail: NDArray[np.uint8]
    by: int
    cut: bool
    still: bool


def find_vectors(before: NDArray[Any], after: NDArray[Any], *, bits: int = 8) -> Vectors:
    """The motion between two luma planes, uint8 or uint16 (height, width), of `bits` bits a sample."""
    by = max(1, round(max(before.shape) / FLOW_SIZE))
    before, after = _eight(before, bits), _eight(after, bits)
    a, b = _small(before, by), _small(after, by)
    detail = _small(cv2.absdiff(before, cv2.GaussianBlur(before, (3, 3), 0)), by)
    height, width = a.shape
    grid = np.dstack(np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32)))
    still = cv2.norm(a, b, cv2.NORM_INF) <= _STILL
    if still:
        forward = backward = np.zeros((height, width, 2), np.float32)
        wrong = np.zeros((height, width), np.float32)
        return _vectors(a, b, (forward, backward), (wrong, wrong), grid, detail, by, still=True)
    dis = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    dis.setFinestScale(0)
    dis.setPatchStride(_PATCH_STRIDE)
    dis.setGradientDescentIterations(_DESCENTS)
    dis.setVariationalRefinementIterations(0)
    curve = np.rint(255 * (np.arange(256) / 255) ** _GAMMA).astype(np.uint8)
    bright_a, bright_b = cv2.LUT(a, curve), cv2.LUT(b, curve)
    forward, backward = dis.calc(bright_a, bright_b, None), dis.calc(bright_b, bright_a, None)
    errors = _astray(forward, backward, grid), _astray(backward, forward, grid)
    return _vectors(a, b, (forward, backward), errors, grid, detail, by, still=False)


def pull(picture: NDArray[Any], places: Field) -> NDArray[Any]:
    """`picture` read at `places`, float32 (height, width, 2) of x and y; beyond its edge the edge goes on."""
    return cv2.remap(picture, places, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


def _vectors(
    a: NDArray[np.uint8],
    b: NDArray[np.uint8],
    ways: tuple[Field, Field],
    errors: tuple[Field, Field],
    grid: Field,
    detail: NDArray[np.uint8],
    by: int,
    *,
    still: bool,
) -> Vectors:
    # The measure of motion.Step.mismatch: what the flow does not explain, in units of the contrast; 8 levels stand for noise.
    contrast = max(cv2.meanStdDev(a)[1][0][0], cv2.meanStdDev(b)[1][0][0])
    missed = min(
        cv2.mean(cv2.absdiff(a, pull(b, grid + ways[0])))[0],
        cv2.mean(cv2.absdiff(b, pull(a, grid + ways[1])))[0],
    )
    return Vectors(
        before=a,
        after=b,
        forward=ways[0],
        backward=ways[1],
        forward_error=errors[0],
        backward_error=errors[1],
        grid=grid,
        detail=detail,
        by=by,
        cut=missed / (contrast + 8) > _CUT,
        still=still,
    )


def _eight(luma: NDArray[Any], bits: int) -> NDArray[np.uint8]:
    return np.ascontiguousarray(luma if luma.dtype == np.uint8 else luma >> (bits - 8), np.uint8)


def _small(luma: NDArray[np.uint8], by: int) -> NDArray[np.uint8]:
    below, beside = (max(_SHORTEST, -(-side // (by * ALIGNED)) * ALIGNED) * by - side for side in luma.shape)
    if below or beside:
        luma = cv2.copyMakeBorder(luma, 0, below, 0, beside, cv2.BORDER_REPLICATE)
    return cv2.resize(luma, (luma.shape[1] // by, luma.shape[0] // by), interpolation=cv2.INTER_AREA)


def _astray(there: Field, back: Field, grid: Field) -> Field:
    off = there + pull(back, grid + there)
    return np.minimum(cv2.magnitude(off[..., 0], off[..., 1]), np.float32(_WORST))
