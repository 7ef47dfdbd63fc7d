"""What each pixel of the picture at moment t is made of.

A pixel has up to three explanations: the motion that starts in `before`, the motion that ends in `after` (at the edges of what moves
these two differ), and standing still. Each says where to look in both pictures; where these looks agree, it is likely right. All three are
mixed by how well they fit, so nothing switches from one pixel to the next and tears, and within each the picture in which the place is
covered, or outside, counts for less.
The projection to t is the fixed-point inversion of flow; weighing after Jiang et al., "Super SloMo", CVPR 2018, with matching costs in
place of their network.
"""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from services.speed_ramp.picture.flow.vectors import Field, Vectors, pull

_STEPS = 2  # of the inversion; more change nothing
_WINDOW = 11  # pixels of the small pictures, over which a fit is judged
_SOFT = 6.0  # levels of 256: by how much worse a fit may be to count e times less
_STRAYING = 1.5  # levels that a pixel of disagreement between the two flows is worth
_STANDING = 3.0  # levels: handicap of standing still, which fits flat regions by chance
_COVERED = 0.3  # a pixel of disagreement: the other picture counts for that much less
_NEAR = 0.25  # pixels: vectors this much apart are taken for the same, and for two at twice that
_ALIKE = 2.0  # levels: a share that changes the picture by this much makes no difference
_FINE = 0.5  # levels: mean of what of the picture is finer than two samples; below, linear interpolation loses nothing
_OUTSIDE = 1e-3


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Layer:
    """One explanation, at the size of the small pictures.

    `vectors`: float32 (height, width, 2), the motion from `before` to `after` through each pixel at t, or None for standing still, which is
    a plain mix. `after`: float32 (height, width), 0 to 1, the share of `after` in what it shows; the rest is `before`'s. `opacity`: float32
    (height, width), 0 to 1, how far it covers the layers under it; None for the first, which is under all others. `fine`: bool
    (height, width), where what it shows has fine detail; None where nobody asks."""

    vectors: Field | None
    after: Field | None
    opacity: Field | None
    fine: NDArray[np.bool_] | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Layers:
    """All explanations of the picture at `t`, 0 to 1, each laid over those before it."""

    t: float
    layers: tuple[Layer, ...]


def still_layers(t: float) -> Layers:
    """A plain mix."""
    return Layers(t=t, layers=(Layer(vectors=None, after=None, opacity=None),))


def layers_at(vectors: Vectors, t: float) -> Layers:
    """The explanations of the picture at `t`, between 0 and 1."""
    starting, ending = _project(vectors, t)
    looks = _Look(vectors, t, starting, from_before=True), _Look(vectors, t, ending, from_before=False)
    costs = [look.cost() for look in looks]
    standing = _box(cv2.absdiff(vectors.before, vectors.after), _WINDOW) + np.float32(_STANDING)
    shares = _shares([*costs, standing])
    field, share, other = _join(looks[0], looks[0].vectors, shares[0], looks[1].vectors, looks[1].seen, shares[1])
    field, share, rest = _join(looks[0], field, share, np.zeros_like(field), (vectors.before, vectors.after), shares[2])
    first = Layer(vectors=field, after=looks[0].after(), opacity=None, fine=looks[0].fine())
    second = Layer(vectors=looks[1].vectors, after=looks[1].after(), opacity=other / (share + other))
    return Layers(t=t, layers=(first, second, Layer(vectors=None, after=None, opacity=rest)))


class _Look:
    """Where an explanation looks in both pictures, and what it finds."""

    def __init__(self, vectors: Vectors, t: float, field: Field, *, from_before: bool) -> None:
        self.vectors = field
        self._t, self._from_before = t, from_before
        self._places = cv2.scaleAdd(field, -t, vectors.grid), cv2.scaleAdd(field, 1 - t, vectors.grid)
        self.seen = pull(vectors.before, self._places[0]), pull(vectors.after, self._places[1])
        self._detail = vectors.detail
        self._errors = pull(vectors.forward_error, self._places[0]), pull(vectors.backward_error, self._places[1])

    def cost(self) -> Field:
        """How badly it fits, in levels of 256."""
        own = self._errors[0 if self._from_before else 1]
        return _box(cv2.scaleAdd(own, _STRAYING, cv2.absdiff(*self.seen).astype(np.float32)), _WINDOW)

    def fine(self) -> NDArray[np.bool_]:
        """Where what it shows has fine detail."""
        return _box(pull(self._detail, self._places[0]), _WINDOW) > _FINE

    def after(self) -> Field:
        """The share of `after` in what it shows."""
        # What strays in one picture has no counterpart in the other: it is covered there, and only the first can show it.
        before = (1 - self._t) * _inside(self._places[0]) * (1 + _COVERED * _box(self._errors[0], 5))
        after = self._t * _inside(self._places[1]) * (1 + _COVERED * _box(self._errors[1], 5))
        return after / (before + after)


def _project(vectors: Vectors, t: float) -> tuple[Field, Field]:
    """The motion through each pixel at t: as `before` has it, and as `after` has it."""
    grid, starting, ending = vectors.grid, vectors.forward, -vectors.backward
    for _ in range(_STEPS):
        starting = pull(vectors.forward, grid - np.float32(t) * starting)
        ending = -pull(vectors.backward, grid + np.float32(1 - t) * ending)
    return starting, ending


def _shares(costs: list[Field]) -> list[Field]:
    lowest = np.minimum(np.minimum(costs[0], costs[1]), costs[2])
    parts = [cv2.exp((lowest - cost) * np.float32(1 / _SOFT)) for cost in costs]
    total = parts[0] + parts[1] + parts[2]
    return [part / total for part in parts]


def _join(
    look: _Look, field: Field, share: Field, other: Field, other_seen: tuple[NDArray[Any], NDArray[Any]], other_share: Field
) -> tuple[Field, Field, Field]:
    """`field` and `share` of a layer that shows what `look` does, joined by another, and what share that is left with.

    It is left with weight only where it makes a difference, and most of a picture needs one layer: the motions are the same, and then it
    moves by their mean, or both show the same.
    """
    apart = cv2.subtract(other, field)
    same = np.clip(2 - cv2.magnitude(*cv2.split(apart)) * np.float32(1 / _NEAR), 0, 1)
    differ = cv2.max(*(cv2.absdiff(a, b) for a, b in zip(look.seen, other_seen, strict=True)))
    alike = np.clip(2 - _box(cv2.dilate(differ, None, iterations=2), 3) * other_share * np.float32(1 / _ALIKE), 0, 1)
    part = same * other_share / (share + other_share + np.float32(1e-9))
    given = cv2.max(same, alike) * other_share
    return cv2.add(field, cv2.multiply(apart, cv2.merge((part, part)))), share + given, other_share - given


def _inside(places: Field) -> Field:
    """1 where a place is within the picture, almost 0 outside."""
    height, width = places.shape[:2]
    one = np.ones((height, width), np.float32)
    found = cv2.remap(one, places, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=0)
    return found + np.float32(_OUTSIDE)


def _box(picture: NDArray[np.float32] | NDArray[np.uint8], size: int) -> Field:
    return cv2.boxFilter(picture, cv2.CV_32F, (size, size))
