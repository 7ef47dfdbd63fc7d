"""Views of a picture with depth: a surface torn at depth edges, and the filling behind.

Conventions: `inverse` is inverse depth, larger is nearer, in the picture's own pixels. With `move` (tx, ty) a point at inverse depth d that
the picture shows at (x, y) is seen at (x - tx * d, y - ty * d). Turning and zoom are the same for every depth: a matrix on top.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from shared.motion.camera import Matrix
from shared.video.frames.push_pull import push_pull

Floats = NDArray[np.float32]
Mask = NDArray[np.bool_]

_REDUCED = 2
"""Depth is thrown forward at half size: edges are then exact to a pixel, and a view takes a quarter of the time."""
_JUMP = 0.04
"""Step of inverse depth, as a share of its range, from which on a surface tears."""
_RAMP, _CONCENTRATED = 320, 0.6
"""A ramp is at most two 320ths of the longest side wide (9 pixels at least), and half of such a window holds most of its difference."""
_OBJECT = 3
"""Near objects are kept out of what fills the parts behind them as far as this many times the reach."""
_LOOKUPS = 2
_SOFT_PX = 0.6
_EMPTY = -1.0


@dataclass(frozen=True, slots=True, eq=False)
class Torn:
    """The part of a view in which something behind the surface shows.

    `rows`, `columns`: the part. `x`, `y`: float32, where its pixels come from in the filled picture. `weight`: float32 from 0 (surface) to
    1 (behind).
    """

    rows: slice
    columns: slice
    x: Floats
    y: Floats
    weight: Floats


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """Source places of a view's pixels.

    `x`, `y`: places in the picture, float32 (height, width). `torn`: None if no part is torn.
    """

    x: Floats
    y: Floats
    torn: Torn | None


class TornSurface:
    """Computes views of a surface of known depth.

    Each view throws depth forward, far to near, so that every pixel of the view has its own depth and near objects hide far ones. Colours
    are then read backward with that depth, which keeps them sharp. Where the surface is torn, `behind` fills in from the far side of the
    edge only. Related: layered depth images (Shade et al., 1998); here each pixel has at most two layers.
    """

    def __init__(self, inverse: Floats, *, reach: float) -> None:
        """Prepare a surface for views.

        `inverse`: inverse depth, float32 (height, width), not negative. `reach`: most pixels that a view looks behind an edge.
        """
        height, width = inverse.shape
        self.shape = height, width
        jump = _JUMP * max(float(inverse.max() - inverse.min()), 1e-6)
        sharp = sharpened(inverse, jump)
        self.hidden = _near_sides(sharp, jump, max(int(np.ceil(reach)), 1))
        known = _far_side(sharp, self.hidden, jump, max(int(np.ceil(reach)), 1))
        self._known = (known > 0).astype(np.float32)
        behind = push_pull(sharp[..., None], self._known)[..., 0]
        self._small = max(width // _REDUCED, 1), max(height // _REDUCED, 1)
        self._factor = width / self._small[0], height / self._small[1]
        depth = np.asarray(cv2.resize(sharp, self._small, interpolation=cv2.INTER_NEAREST), np.float32)
        # Far to near: where several points land on one pixel, the last one written stays.
        order = np.argsort(depth, axis=None, kind="stable")
        rows, columns = np.divmod(order, self._small[0])
        self._points = columns.astype(np.float32), rows.astype(np.float32), depth.reshape(-1)[order]
        self._behind = np.asarray(cv2.resize(behind, self._small, interpolation=cv2.INTER_AREA), np.float32)
        grid = np.mgrid[0 : self._small[1], 0 : self._small[0]].astype(np.float32)
        self._grid_y, self._grid_x = grid[0], grid[1]

    def behind(self, picture: Floats) -> Floats:
        """Fill the hidden parts of a picture from the far sides of its depth edges.

        `picture`: float32 (height, width, channels).
        """
        filled = push_pull(picture, self._known)
        return np.where(self.hidden[..., None], filled, picture).astype(np.float32)

    def view(self, move: tuple[float, float], base: Matrix, size: tuple[int, int]) -> View:
        """Return where the pixels of a view of `size` (width, height) come from.

        `base` (3, 3) is affine and takes the view's pixels to the picture's as if it were flat; `move`: pixels of parallax at inverse depth
        1, in the picture.
        """
        front, torn = self._thrown(move)
        affine = _to_small(base, self._factor)
        depth = _warped(front, affine, (slice(0, size[1]), slice(0, size[0])))
        x, y = _moved_grid(base, depth, move)
        place = _seen_box(torn, affine, size)
        if place is None:
            return View(x, y, None)
        soft = cv2.GaussianBlur(torn.astype(np.float32), (0, 0), _SOFT_PX)
        weight = _warped(np.asarray(soft, np.float32), affine, place)
        shifted = base @ np.array([[1, 0, place[1].start], [0, 1, place[0].start], [0, 0, 1.0]])
        behind_x, behind_y = _moved_grid(shifted, _warped(self._depth_behind(move), affine, place), move)
        return View(x, y, Torn(*place, behind_x, behind_y, weight))

    def _thrown(self, move: tuple[float, float]) -> tuple[Floats, Mask]:
        """Return the view's inverse depth at reduced size, and the mask of its empty pixels."""
        width, height = self._small
        x, y, depth = self._points
        # Not rint: it rounds halves to even numbers, which would tear a surface that moves by half a pixel. Truncation rounds down, since
        # places are shifted by one: what leaves the picture goes to a rim around it.
        column = (x - np.float32(move[0] / self._factor[0]) * depth + np.float32(1.5)).clip(0, width + 1).astype(np.int32)
        row = (y - np.float32(move[1] / self._factor[1]) * depth + np.float32(1.5)).clip(0, height + 1).astype(np.int32)
        row *= width + 2
        row += column
        rimmed = np.full((height + 2, width + 2), _EMPTY, np.float32)
        rimmed.reshape(-1)[row] = depth
        front = np.ascontiguousarray(rimmed[1:-1, 1:-1])
        # A surface that has come nearer has cracks a pixel wide, empty or with something far in them: closing mends those.
        front = np.asarray(cv2.morphologyEx(front, cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8)), np.float32)
        torn = front < 0
        if torn.any():
            # Into a tear the depth of each rim goes on by two pixels, so that interpolation stays on the surface of that rim.
            for _ in range(2):
                front = np.where(front < 0, cv2.dilate(front, np.ones((3, 3), np.uint8)), front)
            front = np.maximum(front, 0).astype(np.float32)
        return front, torn

    def _depth_behind(self, move: tuple[float, float]) -> Floats:
        """Return the view's inverse depth behind the surface: smooth, so looking it up where it comes from converges."""
        across, down = np.float32(move[0] / self._factor[0]), np.float32(move[1] / self._factor[1])
        depth = self._behind
        for _ in range(_LOOKUPS):
            x, y = self._grid_x + across * depth, self._grid_y + down * depth
            depth = np.asarray(cv2.remap(self._behind, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), np.float32)
        return depth


def read(view: View, picture: NDArray[np.uint8], behind: NDArray[np.uint8], *, reduced: int = 1) -> NDArray[np.uint8]:
    """Return the colours of a view, uint8.

    `picture`, `behind`: uint8 planes or pictures, as large as the surface, or `reduced` times smaller (chroma planes: 2), and so is the
    result.
    """
    x, y = _reduced_places(view.x, reduced), _reduced_places(view.y, reduced)
    seen = np.asarray(cv2.remap(picture, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), np.uint8)
    if view.torn is None:
        return seen
    torn = view.torn
    x, y = _reduced_places(torn.x, reduced), _reduced_places(torn.y, reduced)
    under = cv2.remap(behind, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    weight = _mean(torn.weight, reduced)
    if seen.ndim == 3:
        weight = weight[..., None]
    top, left = torn.rows.start // reduced, torn.columns.start // reduced
    part = seen[top : top + x.shape[0], left : left + x.shape[1]]
    part += np.rint((under.astype(np.float32) - part) * weight).astype(np.int16).astype(np.uint8)  # modulo 256, which is exact
    return seen


def sharpened(inverse: Floats, jump: float) -> Floats:
    """Turn the ramps that networks draw between near and far into steps.

    A slanted surface is no ramp: there half of the window holds half of the difference.
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
    # The pixels of an edge are a mix of both sides: they go with the near one, or a line of its colour stays behind.
    grown = _highest(np.asarray(sharp, np.float32), _REDUCED + 1)
    return np.where(grown - sharp > jump, grown, sharp).astype(np.float32)


def _lowest(values: Floats, reach: int) -> Floats:
    return np.asarray(cv2.erode(values, np.ones((2 * reach + 1, 2 * reach + 1), np.uint8)), np.float32)


def _highest(values: Floats, reach: int) -> Floats:
    return np.asarray(cv2.dilate(values, np.ones((2 * reach + 1, 2 * reach + 1), np.uint8)), np.float32)


def _near_sides(inverse: Floats, jump: float, reach: int) -> Mask:
    """Mask the near sides of all depth edges, as far as views look behind them."""
    near = _edges(inverse, jump)
    if not near.any():
        return np.zeros(inverse.shape, np.bool_)
    return np.asarray((inverse > _lowest(inverse, reach) + jump) & _as_near(inverse, near, reach), np.bool_)


def _far_side(inverse: Floats, hidden: Mask, jump: float, reach: int) -> NDArray[np.uint8]:
    """Return the pixels, not 0, that hidden parts are filled from: not what is hidden, and not the near object that hides it."""
    if not hidden.any():
        return np.ones(inverse.shape, np.uint8)
    rim = cv2.dilate(hidden.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    return (~(rim | _as_near(inverse, _edges(inverse, jump), _OBJECT * reach))).astype(np.uint8)


def _edges(inverse: Floats, jump: float) -> Mask:
    """Return the near side of each edge of depth, one pixel wide."""
    return np.asarray(inverse - _lowest(inverse, 1) > jump, np.bool_)


def _as_near(inverse: Floats, edges: Mask, reach: int) -> Mask:
    """Mask pixels within `reach` of an edge that are about as near as its near side, or nearer."""
    # Edges are thin: the smallest value of each square of pixels is kept before the wide search.
    step = max(reach // 16, 1)
    values = _lowest(np.where(edges, inverse, np.inf).astype(np.float32), step)[::step, ::step]
    wide = _lowest(np.ascontiguousarray(values), max(reach // step, 1))
    least = cv2.resize(wide, inverse.shape[::-1], interpolation=cv2.INTER_NEAREST)
    return np.asarray(inverse >= least - 1e-3 - 0.1 * np.where(np.isfinite(least), least, 0), np.bool_)


def _to_small(base: Matrix, factor: tuple[float, float]) -> NDArray[np.float64]:
    """Return the affine matrix (2, 3) that takes a view's pixels to those of the reduced depth."""
    shrink = np.array([[1 / factor[0], 0, (1 / factor[0] - 1) / 2], [0, 1 / factor[1], (1 / factor[1] - 1) / 2], [0, 0, 1]])
    return np.asarray((shrink @ base)[:2], np.float64)


def _warped(small: Floats, affine: NDArray[np.float64], place: tuple[slice, slice]) -> Floats:
    """Return the part `place` of a view, read from a picture in reduced size; `affine` takes the view's pixels to it."""
    rows, columns = place
    shifted = affine.copy()
    shifted[:, 2] += affine[:, :2] @ (columns.start, rows.start)
    size = columns.stop - columns.start, rows.stop - rows.start
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return np.asarray(cv2.warpAffine(small, shifted, size, flags=flags, borderMode=cv2.BORDER_REPLICATE), np.float32)


def _moved_grid(base: Matrix, depth: Floats, move: tuple[float, float]) -> tuple[Floats, Floats]:
    """Return where the pixels of a picture come from: `base` takes them to a plane, and `depth` moves them on it."""
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


def _seen_box(torn: Mask, affine: NDArray[np.float64], size: tuple[int, int]) -> tuple[slice, slice] | None:
    """Return the rows and columns of a view of `size` (width, height) around all that is torn in reduced size; None if nothing is seen.

    They begin at even numbers.
    """
    # Only what the view sees counts: at the picture's own border there is always something torn.
    view = np.array([[[0, 0], [size[0], 0], size, [0, size[1]]]], np.float64)
    place = cv2.transform(view, affine)[0]
    low = np.clip(np.floor(place.min(axis=0)) - 2, 0, torn.shape[::-1]).astype(int)
    high = np.clip(np.ceil(place.max(axis=0)) + 2, 0, torn.shape[::-1]).astype(int)
    part = torn[low[1] : high[1], low[0] : high[0]]
    rows, columns = np.flatnonzero(part.any(axis=1)) + low[1], np.flatnonzero(part.any(axis=0)) + low[0]
    if not len(rows):
        return None
    reach = 3.0  # the soft rim, and interpolation
    left, right, top, bottom = columns[0] - reach, columns[-1] + reach, rows[0] - reach, rows[-1] + reach
    corners = np.array([[[left, top], [right, top], [right, bottom], [left, bottom]]])
    seen = cv2.transform(corners, cv2.invertAffineTransform(affine))[0]
    first = np.clip(np.floor(seen.min(axis=0)), 0, size).astype(int) // 2 * 2
    last = np.clip(np.ceil(seen.max(axis=0)) + 1, 0, size).astype(int)
    if (last <= first).any():
        return None
    return slice(int(first[1]), int(last[1])), slice(int(first[0]), int(last[0]))


def _mean(values: Floats, factor: int) -> Floats:
    """Return the means of squares of `factor` pixels; squares at the right and at the bottom may stick out."""
    if factor == 1:
        return values
    height, width = values.shape
    padded = cv2.copyMakeBorder(values, 0, -height % factor, 0, -width % factor, cv2.BORDER_REPLICATE)
    return np.asarray(cv2.resize(padded, None, fx=1 / factor, fy=1 / factor, interpolation=cv2.INTER_AREA), np.float32)


def _reduced_places(places: Floats, factor: int) -> Floats:
    """Return places for a plane `factor` times smaller, whose samples lie in the middle of the pixels that they stand for."""
    return places if factor == 1 else np.asarray((_mean(places, factor) + 0.5) / factor - 0.5, np.float32)
