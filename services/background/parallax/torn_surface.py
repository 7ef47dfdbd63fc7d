"""Views of a picture from a moving camera, computed from the picture's depth.

The picture is treated as a surface, which tears where its depth jumps. Through a tear, a view shows a second layer behind the surface,
whose colours are filled in from the surroundings. `inverse` is the inverse depth of each pixel: larger is nearer. If the camera moves by
`move` (tx, ty), the point (x, y) of the picture with inverse depth d appears at (x - tx * d, y - ty * d) in the view. Rotation and zoom are
the same at every depth, so a matrix adds them.
"""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from shared.motion.camera import Matrix
from shared.video.frames.push_pull import push_pull

Floats = NDArray[np.float32]
Mask = NDArray[np.bool_]

_FINEST, _WIDEST = 2, 900
"""Limits of the reduced depth map: minimum divisor, and longest side in pixels. Depth networks give no finer detail."""
_JUMP = 0.04
"""Smallest jump of inverse depth that tears the surface. It is a share of the range of inverse depth."""
_RAMP, _CONCENTRATED = 320, 0.6
"""Window size and minimum concentration for finding soft ramps of depth. A window extends a 320th of the longest side (at least 4 pixels)
in each direction. On a ramp, its inner half holds more than 60 % of its range of depth."""
_OBJECT = 3
"""Distance from a depth edge up to which near pixels never fill gaps. It is in multiples of `reach`."""
_LOOKUPS = 2
"""Number of times that a torn pixel's depth is looked up again."""
_SOFT_PX = 0.6
"""Standard deviation, in pixels, of the blur that softens the edges of tears."""
_EMPTY = -1.0
"""Inverse depth of a view's pixels that no point of the surface reaches."""
_TABLE = 1024
"""Number of columns of the table in which `sampled` arranges its points."""
_BACKWARD = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP


@dataclass(frozen=True, slots=True, eq=False)
class TornPixels:
    """Pixels of a view where the surface tears and the fill shows.

    `indices`: flat indices of the n pixels. `x`, `y`: float32 (n,), their source coordinates in the filled picture. `weight`: float32 (n,),
    from 0 (surface) to 1 (layer behind).
    """

    indices: NDArray[np.intp]
    x: Floats
    y: Floats
    weight: Floats


@dataclass(frozen=True, slots=True, eq=False)
class SourceCoordinates:
    """Picture coordinates that each pixel of a view samples.

    `x`, `y`: coordinates in the picture, float32 (height, width). `torn`: None if no part is torn.
    """

    x: Floats
    y: Floats
    torn: TornPixels | None


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """Sampling coordinates of a view, for luma and for chroma.

    `full`: in planes of the picture's size. `half`: in planes half as large (chroma).
    """

    full: SourceCoordinates
    half: SourceCoordinates


class TornSurface:
    """Surface with a picture's depth, from which views of a moving camera are computed.

    For each view, the depth is first projected forward into the view, from far to near, so that near objects hide far ones. Colours are
    then sampled backward: the depth of a view's pixel gives its place in the picture, which keeps colours sharp. Where the surface tears,
    the view shows the picture from `behind`, which is filled from the far side of the edge. This is a layered depth image (Shade et al.,
    1998) with at most two layers per pixel.
    """

    def __init__(self, inverse: Floats, *, reach: float) -> None:
        """Prepare the depth for computing views.

        `inverse`: inverse depth, float32 (height, width), not negative. `reach`: largest width, in pixels, of the part behind a depth edge
        that a view can reveal.
        """
        height, width = inverse.shape
        self.shape = height, width
        jump = _JUMP * max(float(inverse.max() - inverse.min()), 1e-6)
        sharp = sharpened(inverse, jump)
        self.hidden = _near_sides(sharp, jump, max(int(np.ceil(reach)), 1))
        far_side = _far_side(sharp, self.hidden, jump, max(int(np.ceil(reach)), 1))
        self._far_side = (far_side > 0).astype(np.float32)
        behind = push_pull(sharp[..., None], self._far_side)[..., 0]
        reduced = max(_FINEST, -(-max(width, height) // _WIDEST))
        self._small = max(width // reduced, 1), max(height // reduced, 1)
        self._factor = width / self._small[0], height / self._small[1]
        depth = np.asarray(cv2.resize(sharp, self._small, interpolation=cv2.INTER_NEAREST), np.float32)
        # Points are sorted from far to near. If several land on one pixel, the last one written stays, which is the nearest.
        order = np.argsort(depth, axis=None, kind="stable")
        rows, columns = np.divmod(order, self._small[0])
        # Half a pixel for rounding, and one for the border around the picture.
        self._points = columns.astype(np.float32) + np.float32(1.5), rows.astype(np.float32) + np.float32(1.5), depth.reshape(-1)[order]
        self._behind = np.asarray(cv2.resize(behind, self._small, interpolation=cv2.INTER_AREA), np.float32)

    def behind(self, picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return a picture with near objects replaced by farther surroundings.

        `picture`: uint8 (height, width, channels). The near side of each depth edge is replaced by colours filled in from the far side.
        """
        if not self.hidden.any():
            return picture
        height, width = self.shape
        # The filling is smooth, so it is computed at half the size.
        size = (width + 1) // 2, (height + 1) // 2
        weight = np.asarray(cv2.resize(self._far_side, size, interpolation=cv2.INTER_AREA), np.float32)
        weights = np.asarray(cv2.resize(picture * self._far_side[..., None], size, interpolation=cv2.INTER_AREA), np.float32)
        coarse = np.asarray(weights / np.maximum(weight, 1e-6)[..., None], np.float32)
        filled = cv2.resize(push_pull(coarse, np.asarray(weight > 0, np.float32)), (width, height), interpolation=cv2.INTER_LINEAR)
        return np.where(self.hidden[..., None], np.clip(np.rint(filled), 0, 255), picture).astype(np.uint8)

    def view(self, move: tuple[float, float], base: Matrix, size: tuple[int, int]) -> View:
        """Compute the picture coordinates of a view's pixels.

        `size`: (width, height) of the view. `base` (3, 3) is affine and maps the view's pixels to the picture's without parallax; `move`:
        parallax at inverse depth 1, in pixels of the picture.
        """
        front, torn = self._projected(move)
        # Coordinates are computed for every second pixel, with a border of one, and interpolated.
        half = (size[0] + 1) // 2, (size[1] + 1) // 2
        coarse = base @ np.array([[2, 0, -1.5], [0, 2, -1.5], [0, 0, 1]])
        affine = _to_small(np.asarray(coarse, np.float64), self._factor)
        x, y = _moved_grid(coarse, _warped(front, affine, (half[0] + 2, half[1] + 2)), move)
        full = [_doubled(places)[2 : 2 + size[1], 2 : 2 + size[0]] for places in (x, y)]
        small = [places[1:-1, 1:-1] * np.float32(0.5) - np.float32(0.25) for places in (x, y)]
        soft = self._visible_tears(torn, affine, half)
        if soft is None:
            return View(SourceCoordinates(full[0], full[1], None), SourceCoordinates(small[0], small[1], None))
        weight = np.ascontiguousarray(_doubled(soft)[2 : 2 + size[1], 2 : 2 + size[0]])
        middles = base @ np.array([[2, 0, 0.5], [0, 2, 0.5], [0, 0, 1]])
        luma = self._torn(weight, np.asarray(base, np.float64), move)
        chroma = self._torn(np.ascontiguousarray(soft[1:-1, 1:-1]), np.asarray(middles, np.float64), move)
        halved = TornPixels(
            chroma.indices, chroma.x * np.float32(0.5) - np.float32(0.25), chroma.y * np.float32(0.5) - np.float32(0.25), chroma.weight
        )
        return View(SourceCoordinates(full[0], full[1], luma), SourceCoordinates(small[0], small[1], halved))

    def _visible_tears(self, torn: Mask, affine: NDArray[np.float64], half: tuple[int, int]) -> NDArray[np.uint8] | None:
        """Return the torn share of each pixel, at half the view's size.

        The share is 0 to 255, with a border of one pixel around the view. None if the view shows no tear.
        """
        if not torn.any():
            return None
        soft = cv2.GaussianBlur(torn.astype(np.uint8) * np.uint8(255), (0, 0), _SOFT_PX)
        view = np.asarray(
            cv2.warpAffine(soft, affine, (half[0] + 2, half[1] + 2), flags=_BACKWARD, borderMode=cv2.BORDER_REPLICATE), np.uint8
        )
        # The border lies outside of the view.
        return view if view[1:-1, 1:-1].any() else None

    def _torn(self, weight: NDArray[np.uint8], base: Matrix, move: tuple[float, float]) -> TornPixels:
        """Compute the picture coordinates of torn pixels.

        `weight`: uint8 (height, width), not 0 where torn. `base` maps the pixels of `weight` to the picture's without parallax. The
        coordinates depend on the depth, which is looked up at these coordinates: a fixed-point iteration, which converges because the depth
        of the layer behind is smooth.
        """
        indices = np.flatnonzero(weight > 0)
        rows, columns = np.divmod(indices, weight.shape[1])
        x = (base[0, 0] * columns + base[0, 1] * rows + base[0, 2]).astype(np.float32)
        y = (base[1, 0] * columns + base[1, 1] * rows + base[1, 2]).astype(np.float32)
        shares = np.float32(1 / self._factor[0]), np.float32(1 / self._factor[1])
        across, down = np.float32(move[0]), np.float32(move[1])
        at_x, at_y = x, y
        for _ in range(_LOOKUPS + 1):
            depth = sampled(
                self._behind, (at_x + np.float32(0.5)) * shares[0] - np.float32(0.5), (at_y + np.float32(0.5)) * shares[1] - np.float32(0.5)
            )
            at_x, at_y = x + across * depth, y + down * depth
        return TornPixels(indices, at_x, at_y, weight.reshape(-1)[indices] * np.float32(1 / 255))

    def _projected(self, move: tuple[float, float]) -> tuple[Floats, Mask]:
        """Project the depth into a view, at reduced size.

        Returns the view's inverse depth, and the mask of its empty pixels, where the surface is torn.
        """
        width, height = self._small
        x, y, depth = self._points
        # Coordinates, all positive, are rounded by truncation. `rint` would round halves to even numbers, which tears a surface that moves
        # by half a pixel. Points that leave the picture land on a border of one pixel around it.
        index = self._cells(y, depth, move[1] / self._factor[1], height + 1)
        index *= width + 2
        index += self._cells(x, depth, move[0] / self._factor[0], width + 1)
        rimmed = np.full((height + 2, width + 2), _EMPTY, np.float32)
        rimmed.reshape(-1)[index] = depth
        front = np.ascontiguousarray(rimmed[1:-1, 1:-1])
        # A surface that comes nearer gets cracks one pixel wide, which are empty or show a farther surface. Closing removes them.
        front = np.asarray(cv2.morphologyEx(front, cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8)), np.float32)
        torn = front < 0
        if torn.any():
            # The depth of each rim is extended into the tear by two pixels, so that interpolation at the rim stays on its surface.
            for _ in range(2):
                front = np.where(front < 0, cv2.dilate(front, np.ones((3, 3), np.uint8)), front)
            front = np.maximum(front, 0).astype(np.float32)
        return front, torn

    @staticmethod
    def _cells(places: Floats, depth: Floats, move: float, last: int) -> NDArray[np.int32]:
        moved = depth * np.float32(-move)
        moved += places
        return np.asarray(np.clip(moved, 0, last, out=moved).astype(np.int32), np.int32)


def read(places: SourceCoordinates, picture: NDArray[np.uint8], behind: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Sample a view's colours from `picture`, and from `behind` at torn pixels.

    `picture`, `behind`: uint8 planes or pictures of the size that `places` belongs to.
    """
    colors = np.asarray(cv2.remap(picture, places.x, places.y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), np.uint8)
    torn = places.torn
    if torn is None:
        return colors
    under = sampled(behind, torn.x, torn.y).astype(np.float32)
    weight = torn.weight if colors.ndim == 2 else torn.weight[:, None]
    flat = colors.reshape(-1, *colors.shape[2:])
    before = flat[torn.indices].astype(np.float32)
    flat[torn.indices] = np.rint(before + (under - before) * weight).astype(np.uint8)
    return colors


def sampled(picture: NDArray[Any], x: Floats, y: Floats) -> NDArray[Any]:
    """Sample a picture at the points (`x`, `y`).

    `x`, `y`: float32 (n,). Returns (n,) or (n, channels) of the picture's type.
    """
    count = len(x)
    if not count:  # remap refuses an empty table
        return np.zeros((0, *picture.shape[2:]), picture.dtype)
    # remap takes tables of less than 32768 rows and columns.
    table = -(-count // _TABLE), _TABLE
    places = [np.resize(axis, table) if count % _TABLE else axis.reshape(table) for axis in (x, y)]
    values = cv2.remap(picture, places[0], places[1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(values).reshape(-1, *picture.shape[2:])[:count]


def sharpened(inverse: Floats, jump: float) -> Floats:
    """Turn soft ramps of estimated depth into sharp steps.

    Networks blur depth edges into ramps. A slanted surface is not a ramp: there, the inner half of a window holds only half of the window's
    range of depth. `inverse`: float32 (height, width). `jump`: smallest step that counts as an edge.
    """
    reach = max(round(max(inverse.shape) / _RAMP), 4)
    low, high = _lowest(inverse, reach), _highest(inverse, reach)
    half = (reach + 1) // 2
    inner = _highest(inverse, half) - _lowest(inverse, half)
    steep = high - low > 2 * jump
    core = _highest((steep & (inner > _CONCENTRATED * (high - low))).astype(np.float32), half)
    ramp = steep & (core > 0)
    nearer = np.where(inverse - low > high - inverse, high, low)
    sharp = cv2.medianBlur(np.where(ramp, nearer, inverse).astype(np.float32), 5)
    # Pixels at an edge mix both sides. They become part of the near side; on the far side they would leave a line of the near colour.
    grown = _highest(np.asarray(sharp, np.float32), _FINEST + 1)
    return np.where(grown - sharp > jump, grown, sharp).astype(np.float32)


def _lowest(values: Floats, reach: int) -> Floats:
    return np.asarray(cv2.erode(values, np.ones((2 * reach + 1, 2 * reach + 1), np.uint8)), np.float32)


def _highest(values: Floats, reach: int) -> Floats:
    return np.asarray(cv2.dilate(values, np.ones((2 * reach + 1, 2 * reach + 1), np.uint8)), np.float32)


def _near_sides(inverse: Floats, jump: float, reach: int) -> Mask:
    """Return a mask of the nearer side of each depth edge.

    The mask extends `reach` pixels from the edge: views can reveal the part behind it.
    """
    near = _edges(inverse, jump)
    if not near.any():
        return np.zeros(inverse.shape, np.bool_)
    return np.asarray((inverse > _lowest(inverse, reach) + jump) & _as_near(inverse, near, reach), np.bool_)


def _far_side(inverse: Floats, hidden: Mask, jump: float, reach: int) -> NDArray[np.uint8]:
    """Return a mask of the pixels whose colours may fill hidden parts.

    Returns uint8: 0 on the hidden parts, a rim around them, and the near objects in front of them, else 1. `hidden`: result of
    `_near_sides`.
    """
    if not hidden.any():
        return np.ones(inverse.shape, np.uint8)
    rim = cv2.dilate(hidden.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    return (~(rim | _as_near(inverse, _edges(inverse, jump), _OBJECT * reach))).astype(np.uint8)


def _edges(inverse: Floats, jump: float) -> Mask:
    """Return a mask of one-pixel lines on the nearer side of depth edges."""
    return np.asarray(inverse - _lowest(inverse, 1) > jump, np.bool_)


def _as_near(inverse: Floats, edges: Mask, reach: int) -> Mask:
    """Return a mask of pixels about as near as a depth edge beside them.

    A pixel within `reach` of an edge is masked if its inverse depth is at least about that of the edge's near side.
    """
    # The wide search runs at reduced size. Edges are thin, so each square of pixels first keeps its smallest value.
    step = max(reach // 16, 1)
    values = _lowest(np.where(edges, inverse, np.inf).astype(np.float32), step)[::step, ::step]
    wide = _lowest(np.ascontiguousarray(values), max(reach // step, 1))
    least = cv2.resize(wide, inverse.shape[::-1], interpolation=cv2.INTER_NEAREST)
    return np.asarray(inverse >= least - 1e-3 - 0.1 * np.where(np.isfinite(least), least, 0), np.bool_)


def _to_small(base: Matrix, factor: tuple[float, float]) -> NDArray[np.float64]:
    """Return the matrix from a view's pixels to the reduced depth map.

    The matrix is affine, (2, 3).
    """
    shrink = np.array([[1 / factor[0], 0, (1 / factor[0] - 1) / 2], [0, 1 / factor[1], (1 / factor[1] - 1) / 2], [0, 0, 1]])
    return np.asarray((shrink @ base)[:2], np.float64)


def _warped(small: Floats, affine: NDArray[np.float64], size: tuple[int, int]) -> Floats:
    """Sample a view of `size` from the reduced map `small`.

    `size`: (width, height). `affine` (2, 3) maps the view's pixels to those of `small`.
    """
    return np.asarray(cv2.warpAffine(small, affine, size, flags=_BACKWARD, borderMode=cv2.BORDER_REPLICATE), np.float32)


def _moved_grid(base: Matrix, depth: Floats, move: tuple[float, float]) -> tuple[Floats, Floats]:
    """Return the x and y picture coordinates of a view's pixels.

    `base` maps the pixels to the picture without parallax, and `depth` shifts them by `move` times the inverse depth.
    """
    height, width = depth.shape
    columns, rows = np.arange(width, dtype=np.float64), np.arange(height, dtype=np.float64)[:, None]
    places = []
    for axis in range(2):
        place = depth * np.float32(move[axis])
        place += (base[axis, 0] * columns + base[axis, 2]).astype(np.float32)
        if base[axis, 1]:
            place += (base[axis, 1] * rows).astype(np.float32)
        places.append(place)
    return places[0], places[1]


def _doubled(values: NDArray[Any]) -> NDArray[Any]:
    """Upsample an array to twice its width and height."""
    height, width = values.shape
    return np.asarray(cv2.resize(values, (2 * width, 2 * height), interpolation=cv2.INTER_LINEAR))
