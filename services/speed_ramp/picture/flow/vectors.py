"""Optical flow between two pictures in both directions, with errors.

Uses OpenCV's DIS flow (Kroeger et al., "Fast Optical Flow using Dense Inverse Search", ECCV 2016) on small luma pictures. 1080p is shrunk
to a fifth, and the search goes down to single pixels of the small pictures. Alternatives, measured on three clips:

- Shrinking to a quarter instead of a fifth gains 0.15 dB and takes 30 ms more.
- The variational refinement takes half as long as the search, and changes the quality by -0.1 to 0.15 dB.
- Ending the search one scale coarser loses 0.1 to 0.6 dB.

Small objects that move by a large part of their own size are not found. A test object 60 pixels wide was found after moving by 20 pixels,
but not by 24.
"""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Field = NDArray[np.float32]

FLOW_SIZE = 400
"""Approximate longer side of the small pictures, in pixels. Pictures that are smaller themselves are not enlarged."""

ALIGNED = 4
"""Divisor of the small pictures' sides, in pixels. A block of so many pixels covers whole samples of every subsampled plane."""

_SHORTEST = 32  # minimum side of a small picture, in pixels, that DIS needs for its pyramid
_PATCH_STRIDE = 4  # distance between the patches of DIS, in pixels
_DESCENTS = 12  # iterations of DIS's search; the preset's 25 gain less than 0.1 dB, 5 lose 0.3 to 0.8 dB where much moves
_GAMMA = 0.6  # exponent of the tone curve before the search: below 1, dark patches count more; gains 0.1 dB where a person in black moves
_STILL = 2  # largest difference, in levels of 256, of pictures between which nothing moves
_CUT = 0.5  # mismatch above which two pictures show different scenes
_MAX_ERROR = 8.0  # largest round-trip error, in small pixels


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Vectors:
    """Motion between two pictures at reduced size.

    `before`, `after`: the small pictures, uint8 (height, width). A small pixel stands for `by` x `by` pixels. Where the small pictures
    extend beyond the pictures, they repeat the edges.
    `forward`, `backward`: float32 (height, width, 2), motion (x, y) in small pixels from `before` to `after` and the reverse.
    `forward_error`, `backward_error`: float32 (height, width), round-trip error: distance in small pixels (at most 8) between a pixel and
    its position after it moved to the other picture and back. It is large where the other picture hides the pixel or the match is wrong.
    `grid`: float32 (height, width, 2), x and y of each pixel. `detail`: uint8 (height, width), fine detail of `before`: its mean difference
    from a slightly blurred copy, in levels of 256. `cut`: whether the pictures show different scenes. `still`: whether they are equal up to
    noise.
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
    """Compute the motion between two luma planes.

    `before`, `after`: uint8 or uint16 (height, width), of `bits` bits per sample.
    """
    by = max(1, round(max(before.shape) / FLOW_SIZE))
    before, after = _to_8_bits(before, bits), _to_8_bits(after, bits)
    a, b = _small(before, by), _small(after, by)
    detail = _small(np.asarray(cv2.absdiff(before, cv2.GaussianBlur(before, (3, 3), 0)), np.uint8), by)
    height, width = a.shape
    grid = np.dstack(np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32)))
    still = cv2.norm(a, b, cv2.NORM_INF) <= _STILL
    if still:
        forward = backward = np.zeros((height, width, 2), np.float32)
        errors = np.zeros((height, width), np.float32)
        return _vectors(a, b, (forward, backward), (errors, errors), grid, detail, by, still=True)
    dis = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    dis.setFinestScale(0)
    dis.setPatchStride(_PATCH_STRIDE)
    dis.setGradientDescentIterations(_DESCENTS)
    dis.setVariationalRefinementIterations(0)
    curve = np.rint(255 * (np.arange(256) / 255) ** _GAMMA).astype(np.uint8)
    bright_a, bright_b = cv2.LUT(a, curve), cv2.LUT(b, curve)
    forward = dis.calc(bright_a, bright_b, None)  # type: ignore[call-overload]  # None: allocates the result
    backward = dis.calc(bright_b, bright_a, None)  # type: ignore[call-overload]
    round_trips = _round_trip_error(forward, backward, grid), _round_trip_error(backward, forward, grid)
    return _vectors(a, b, (forward, backward), round_trips, grid, detail, by, still=False)


def sample(picture: NDArray[Any], places: NDArray[Any], *, interpolation: int = cv2.INTER_LINEAR) -> NDArray[Any]:
    """Sample `picture` at `places`, float32 (height, width, 2) of x and y.

    Beyond the picture's edges the edges are repeated.
    """
    # None: x and y both come from `places`.
    samples: NDArray[Any] = cv2.remap(picture, places, None, interpolation, borderMode=cv2.BORDER_REPLICATE)  # type: ignore[call-overload]
    return samples


def _vectors(
    a: NDArray[np.uint8],
    b: NDArray[np.uint8],
    flows: tuple[Field, Field],
    errors: tuple[Field, Field],
    grid: Field,
    detail: NDArray[np.uint8],
    by: int,
    *,
    still: bool,
) -> Vectors:
    """Create `Vectors`, with `cut` set if the pictures show different scenes."""
    # As Step.mismatch in motion/measure.py: the mean difference after motion compensation, in units of the contrast.
    contrast = max(cv2.meanStdDev(a)[1][0][0], cv2.meanStdDev(b)[1][0][0])
    difference = min(
        cv2.mean(cv2.absdiff(a, sample(b, grid + flows[0])))[0],
        cv2.mean(cv2.absdiff(b, sample(a, grid + flows[1])))[0],
    )
    return Vectors(
        before=a,
        after=b,
        forward=flows[0],
        backward=flows[1],
        forward_error=errors[0],
        backward_error=errors[1],
        grid=grid,
        detail=detail,
        by=by,
        cut=difference / (contrast + 8) > _CUT,
        still=still,
    )


def _to_8_bits(luma: NDArray[Any], bits: int) -> NDArray[np.uint8]:
    """Reduce a plane to 8 bits."""
    return np.ascontiguousarray(luma if luma.dtype == np.uint8 else luma >> (bits - 8), np.uint8)


def _small(luma: NDArray[np.uint8], by: int) -> NDArray[np.uint8]:
    """Shrink a plane by the factor `by`.

    The plane is first extended at two sides, by repeating its edges, so that the result has whole blocks of ALIGNED pixels.
    """
    below, beside = (max(_SHORTEST, -(-side // (by * ALIGNED)) * ALIGNED) * by - side for side in luma.shape)
    if below or beside:
        luma = np.asarray(cv2.copyMakeBorder(luma, 0, below, 0, beside, cv2.BORDER_REPLICATE), np.uint8)
    size = luma.shape[1] // by, luma.shape[0] // by
    return np.asarray(cv2.resize(luma, size, interpolation=cv2.INTER_AREA), np.uint8)


def _round_trip_error(forward: Field, backward: Field, grid: Field) -> Field:
    """Return each pixel's forward-backward flow error.

    The error is the distance, in small pixels, between a pixel and its position after moving `forward` and `backward`.
    """
    offset = forward + sample(backward, grid + forward)
    return np.asarray(np.minimum(cv2.magnitude(offset[..., 0], offset[..., 1]), np.float32(_MAX_ERROR)), np.float32)
