"""Layers that compose the picture at a moment between two frames.

A pixel has up to three explanations: the motion that starts in `before`, the motion that ends in `after` (they differ at the edges of
moving objects), and standing still. Each gives a place in both pictures; the more similar the pictures are there, the likelier the
explanation. All three are mixed by how well they fit, so that nothing switches abruptly between neighbouring pixels. Within each
explanation, a picture in which the place is covered or outside counts for less.

Flow is projected to t by fixed-point inversion. The weights follow Jiang et al., "Super SloMo", CVPR 2018, with matching costs in place of
their network.
"""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from services.speed_ramp.picture.flow.vectors import Field, Vectors, sample

_STEPS = 2  # iterations of `_project`; more change nothing
_WINDOW = 11  # side, in small pixels, of the square over which costs are averaged
_SOFT = 6.0  # difference of costs, in levels, at which the costlier explanation gets 1/e of the weight
_ERROR_COST = 1.5  # cost of a round-trip error, in levels per small pixel
_STILL_COST = 3.0  # extra cost of standing still, in levels, because it fits flat regions by chance
_COVERED = 0.3  # increase of a picture's weight per small pixel of its round-trip error, because the other picture hides the place
_NEAR = 0.25  # distance of motion vectors, in small pixels, up to which they count as equal; from twice that on, they are different
_ALIKE = 2.0  # change of the picture, in levels, that is invisible
_FINE = 0.5  # `Vectors.detail`, in levels, above which linear interpolation would blur
_OUTSIDE = 1e-3  # weight of positions outside the picture


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Layer:
    """Pixels that follow one motion, or a cross-fade without motion.

    All arrays have the size of the small pictures.

    `vectors`: float32 (height, width, 2), the motion from `before` to `after` through each pixel at t; None for a plain mix without motion.
    `after`: float32 (height, width), share of `after` in the mix, 0 to 1. `opacity`: float32 (height, width), opacity over the layers
    below, 0 to 1; None for the bottom layer. `fine`: bool (height, width), mask of fine detail; None if unknown.
    """

    vectors: Field | None
    after: Field | None
    opacity: Field | None
    fine: NDArray[np.bool_] | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Layers:
    """Layers of an interpolated picture, from bottom to top.

    `t`: its moment, from 0 (`before`) to 1 (`after`).
    """

    t: float
    layers: tuple[Layer, ...]


def still_layers(t: float) -> Layers:
    """Return a cross-fade of both pictures as the only layer."""
    return Layers(t=t, layers=(Layer(vectors=None, after=None, opacity=None),))


def layers_at(vectors: Vectors, t: float) -> Layers:
    """Return the layers of the picture at moment `t`.

    `t`: between 0 and 1. Each layer is one explanation of the pixels.
    """
    starting, ending = _project(vectors, t)
    forward, backward = _Motion(vectors, t, starting, from_before=True), _Motion(vectors, t, ending, from_before=False)
    still_cost = _box(cv2.absdiff(vectors.before, vectors.after), _WINDOW) + np.float32(_STILL_COST)
    shares = _shares([forward.cost(), backward.cost(), still_cost])
    field, share, other = _join(forward, forward.vectors, shares[0], backward.vectors, backward.samples, shares[1])
    field, share, rest = _join(forward, field, share, np.zeros_like(field), (vectors.before, vectors.after), shares[2])
    first = Layer(vectors=field, after=forward.after(), opacity=None, fine=forward.fine())
    second = Layer(vectors=backward.vectors, after=backward.after(), opacity=other / (share + other))
    return Layers(t=t, layers=(first, second, Layer(vectors=None, after=None, opacity=rest)))


class _Motion:
    """A candidate motion of the pixels at moment `t` between the pictures.

    Holds the pixels' places in both pictures, and the samples there.
    """

    def __init__(self, vectors: Vectors, t: float, field: Field, *, from_before: bool) -> None:
        self.vectors = field
        self._t, self._from_before = t, from_before
        self._places = cv2.scaleAdd(field, -t, vectors.grid), cv2.scaleAdd(field, 1 - t, vectors.grid)
        self.samples = sample(vectors.before, self._places[0]), sample(vectors.after, self._places[1])
        self._detail = vectors.detail
        self._errors = sample(vectors.forward_error, self._places[0]), sample(vectors.backward_error, self._places[1])

    def cost(self) -> Field:
        """Return the motion's cost at each pixel: how badly it explains the pixel.

        Returns float32 (height, width), in levels of 256.
        """
        own = self._errors[0 if self._from_before else 1]
        return _box(cv2.scaleAdd(own, _ERROR_COST, cv2.absdiff(*self.samples).astype(np.float32)), _WINDOW)

    def fine(self) -> NDArray[np.bool_]:
        """Return a mask of the picture's fine detail, bool (height, width)."""
        return _box(sample(self._detail, self._places[0]), _WINDOW) > _FINE

    def after(self) -> Field:
        """Return the weight of picture `after` at each pixel, 0 to 1.

        Returns float32 (height, width).
        """
        # A pixel with a large round-trip error in one picture is hidden in the other picture, which gets less weight.
        before = (1 - self._t) * _inside(self._places[0]) * (1 + _COVERED * _box(self._errors[0], 5))
        after = self._t * _inside(self._places[1]) * (1 + _COVERED * _box(self._errors[1], 5))
        return np.asarray(after / (before + after), np.float32)


def _project(vectors: Vectors, t: float) -> tuple[Field, Field]:
    """Project the motion of both pictures to moment `t`."""
    grid, starting, ending = vectors.grid, vectors.forward, -vectors.backward
    for _ in range(_STEPS):
        starting = sample(vectors.forward, grid - np.float32(t) * starting)
        ending = -sample(vectors.backward, grid + np.float32(1 - t) * ending)
    return starting, ending


def _shares(costs: list[Field]) -> list[Field]:
    """Convert the costs of three candidate motions to weights per pixel.

    The weights add up to 1 in each pixel.
    """
    lowest = np.minimum(np.minimum(costs[0], costs[1]), costs[2])
    parts = [np.asarray(cv2.exp((lowest - cost) * np.float32(1 / _SOFT)), np.float32) for cost in costs]
    total = parts[0] + parts[1] + parts[2]
    return [part / total for part in parts]


def _join(
    motion: _Motion, field: Field, share: Field, other: Field, other_samples: tuple[NDArray[Any], NDArray[Any]], other_share: Field
) -> tuple[Field, Field, Field]:
    """Merge the motion `other` into a layer where both give equal pictures.

    `motion`: the layer's explanation; `field`, `share`: motion and weight of the layer so far.
    `other`, `other_samples`, `other_share`: motion, samples in both pictures and weight of the second explanation. Where both motions are
    equal, the layer moves by their mean; where both show equal pictures, the layer takes the second's weight. So most of a picture needs
    one layer. Returns the layer's motion and weight, and the second's remaining weight.
    """
    distance = cv2.subtract(other, field)
    likeness = np.clip(2 - cv2.magnitude(*cv2.split(distance)) * np.float32(1 / _NEAR), 0, 1)
    difference = cv2.max(*(cv2.absdiff(a, b) for a, b in zip(motion.samples, other_samples, strict=True)))
    around = cv2.dilate(difference, None, iterations=2)  # type: ignore[call-overload]  # None: 3x3 pixels
    alike = np.clip(2 - _box(around, 3) * other_share * np.float32(1 / _ALIKE), 0, 1)
    part = likeness * other_share / (share + other_share + np.float32(1e-9))
    merged = np.asarray(cv2.max(likeness, alike) * other_share, np.float32)
    mean = np.asarray(cv2.add(field, cv2.multiply(distance, cv2.merge((part, part)))), np.float32)
    return mean, share + merged, other_share - merged


def _inside(places: NDArray[Any]) -> Field:
    """Return 1 for positions inside the picture, almost 0 outside."""
    height, width = places.shape[:2]
    ones = np.ones((height, width), np.float32)
    border = {"borderMode": cv2.BORDER_CONSTANT, "borderValue": 0}
    inside: Field = cv2.remap(ones, places, None, cv2.INTER_LINEAR, **border)  # type: ignore[call-overload]
    return inside + np.float32(_OUTSIDE)


def _box(picture: NDArray[Any], size: int) -> Field:
    """Return the mean over `size` x `size` pixels around each pixel."""
    return np.asarray(cv2.boxFilter(picture, cv2.CV_32F, (size, size)), np.float32)
