"""Views of a picture with depth, as a surface that tears at depth edges and shows a filled layer behind.

`inverse` is the inverse depth of each pixel; larger is nearer. For a camera motion `move` (tx, ty), a point at (x, y) of the picture with
inverse depth d appears at (x - tx * d, y - ty * d) of the view. Rotation and zoom do not depend on depth: a matrix adds them.
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
"""Factor by which depth is reduced before projection. At half size edges are exact to a pixel, and a view takes a quarter of the time."""
_JUMP = 0.04
"""Least step of inverse depth, as a share of its range, at which the surface tears."""
_RAMP, _CONCENTRATED = 320, 0.6
"""Limits of a ramp: its window reaches a 320th of the longest side (at least 4 pixels) to each side, and the inner half of the window holds
more than 60 % of its difference."""
_OBJECT = 3
"""Distance from a depth edge, as a multiple of the reach, within which pixels of the near object are not used for filling."""
_LOOKUPS = 2
_SOFT_PX = 0.6
_EMPTY = -1.0


@dataclass(frozen=True, slots=True, eq=False)
class Torn:
    """The part of a view that shows the layer behind the surface.

    `rows`, `columns`: place of the part in the view. `x`, `y`: float32, source coordinates of its pixels in the filled picture. `weight`:
    float32 from 0 (surface) to 1 (layer behind).
    """

    rows: slice
    columns: slice
    x: Floats
    y: Floats
    weight: Floats


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """Source coordinates of a view's pixels.

    `x`, `y`: coordinates in the picture, float32 (height, width). `torn`: None if no part is torn.
    """

    x: Floats
    y: Floats
    torn: Torn | None


class TornSurface:
    """Computes views of a surface of known depth.

    Each view first projects the depth forward, from far to near, so that near objects hide far ones and each pixel of the view has a depth.
    Colours are then sampled backward with that depth, which keeps them sharp. Where the surface tears, the view shows the picture that
    `behind` fills from the far side of the edge. This is a layered depth image (Shade et al., 1998) with at most two layers per pixel.
    """

    def __init__(self, inverse: Floats, *, reach: float) -> None:
        """Prepare a surface for views.

        `inverse`: inverse depth, float32 (height, width), not negative. `reach`: most pixels that a view can look behind an edge.
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
        # Far to near: where several points land on one pixel, the last written, which is the nearest, stays.
        order = np.argsort(depth, axis=None, kind="stable")
        rows, columns = np.divmod(order, self._small[0])
        self._points = columns.astype(np.float32), rows.astype(np.float32), depth.reshape(-1)[order]
        self._behind = np.asarray(cv2.resize(behind, self._small, interpolation=cv2.INTER_AREA), np.float32)
        grid = np.mgrid[0 : self._small[1], 0 : self._small[0]].astype(np.float32)
        self._grid_y, self._grid_x = grid[0], grid[1]

    def behind(self, picture: Floats) -> Floats:
        """Return a picture with the far side continued behind near objects.

        `picture`: float32 (height, width, channels). The near side of each depth edge is replaced by colours filled in from the far side.
        """
        filled = push_pull(picture, self._known)
        return np.where(self.hidden[..., None], filled, picture).astype(np.float32)

    def view(self, move: tuple[float, float], base: Matrix, size: tuple[int, int]) -> View:
        """Compute the source coordinates of a view's pixels.

        `size`: (width, height) of the view. `base` (3, 3) is affine and maps the view's pixels to the picture's without parallax; `move`:
        parallax at inverse depth 1, in pixels of the picture.
        """
        front, torn = self._thrown(move)
        affine = _to_small(base, self._factor)
        depth = _warped(front, affine, (slice(0, size[1]), slice(0, size[0])))
        x, y = _moved_grid(base, depth, move)
        place = _torn_box(torn, affine, size)
        if place is None:
            return View(x, y, None)
        soft = cv2.GaussianBlur(torn.astype(np.float32), (0, 0), _SOFT_PX)
        weight = _warped(np.asarray(soft, np.float32), affine, place)
        shifted = base @ np.array([[1, 0, place[1].start], [0, 1, place[0].start], [0, 0, 1.0]])
        behind_x, behind_y = _moved_grid(shifted, _warped(self._depth_behind(move), affine, place), move)
        return View(x, y, Torn(*place, behind_x, behind_y, weight))

    def _thrown(self, move: tuple[float, float]) -> tuple[Floats, Mask]:
        """Project the surface's depth into a view, at reduced size.

        Returns the view's inverse depth, and the mask of its empty pixels, where the surface is torn.
        """
        width, height = self._small
        x, y, depth = self._points
        # Not rint: it rounds halves to even numbers, which would tear a surface that moves by half a pixel. Places are shifted by one, so
        # they are positive and truncation rounds down. Points that leave the picture land on a border of one pixel around it.
        column = (x - np.float32(move[0] / self._factor[0]) * depth + np.float32(1.5)).clip(0, width + 1).astype(np.int32)
        row = (y - np.float32(move[1] / self._factor[1]) * depth + np.float32(1.5)).clip(0, height + 1).astype(np.int32)
        row *= width + 2
        row += column
        rimmed = np.full((height + 2, width + 2), _EMPTY, np.float32)
        rimmed.reshape(-1)[row] = depth
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

    def _depth_behind(self, move: tuple[float, float]) -> Floats:
        """Return the inverse depth of the layer behind, in a view.

        Found by fixed-point iteration: look the depth up where the last depth says the pixel comes from. It converges because this depth is
        smooth.
        """
        across, down = np.float32(move[0] / self._factor[0]), np.float32(move[1] / self._factor[1])
        depth = self._behind
        for _ in range(_LOOKUPS):
            x, y = self._grid_x + across * depth, self._grid_y + down * depth
            depth = np.asarray(cv2.remap(self._behind, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), np.float32)
        return depth


def read(view: View, picture: NDArray[np.uint8], behind: NDArray[np.uint8], *, reduced: int = 1) -> NDArray[np.uint8]:
    """Sample the colours of a view.

    `picture`, `behind`: uint8 planes or pictures, as large as the surface or `reduced` times smaller (chroma planes: 2). The result is
    uint8, `reduced` times smaller than the view.
    """
    x, y = _reduced_places(view.x, reduced), _reduced_places(view.y, reduced)
    colors = np.asarray(cv2.remap(picture, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), np.uint8)
    if view.torn is None:
        return colors
    torn = view.torn
    x, y = _reduced_places(torn.x, reduced), _reduced_places(torn.y, reduced)
    under = cv2.remap(behind, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    weight = _mean(torn.weight, reduced)
    if colors.ndim == 3:
        weight = weight[..., None]
    top, left = torn.rows.start // reduced, torn.columns.start // reduced
    part = colors[top : top + x.shape[0], left : left + x.shape[1]]
    part += np.rint((under.astype(np.float32) - part) * weight).astype(np.int16).astype(np.uint8)  # modulo 256, which is exact
    return colors


def sharpened(inverse: Floats, jump: float) -> Floats:
    """Turn the ramps of estimated depth at object edges into steps.

    Networks blur depth edges into ramps. A slanted surface is not a ramp: the inner half of a window there holds only half of the
    difference. `inverse`: float32 (height, width); `jump`: least step that counts as an edge.
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
    grown = _highest(np.asarray(sharp, np.float32), _REDUCED + 1)
    return np.where(grown - sharp > jump, grown, sharp).astype(np.float32)


def _lowest(values: Floats, reach: int) -> Floats:
    return np.asarray(cv2.erode(values, np.ones((2 * reach + 1, 2 * reach + 1), np.uint8)), np.float32)


def _highest(values: Floats, reach: int) -> Floats:
    return np.asarray(cv2.dilate(values, np.ones((2 * reach + 1, 2 * reach + 1), np.uint8)), np.float32)


def _near_sides(inverse: Floats, jump: float, reach: int) -> Mask:
    """Mask the near side of each depth edge.

    The mask reaches `reach` pixels from the edge: as far as a view can look behind it.
    """
    near = _edges(inverse, jump)
    if not near.any():
        return np.zeros(inverse.shape, np.bool_)
    return np.asarray((inverse > _lowest(inverse, reach) + jump) & _as_near(inverse, near, reach), np.bool_)


def _far_side(inverse: Floats, hidden: Mask, jump: float, reach: int) -> NDArray[np.uint8]:
    """Mask the pixels that may fill the hidden parts.

    uint8, not 0 on all pixels except the hidden parts, a rim around them, and the near objects in front of them.
    """
    if not hidden.any():
        return np.ones(inverse.shape, np.uint8)
    rim = cv2.dilate(hidden.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    return (~(rim | _as_near(inverse, _edges(inverse, jump), _OBJECT * reach))).astype(np.uint8)


def _edges(inverse: Floats, jump: float) -> Mask:
    """Mask the near side of each depth edge, one pixel wide."""
    return np.asarray(inverse - _lowest(inverse, 1) > jump, np.bool_)


def _as_near(inverse: Floats, edges: Mask, reach: int) -> Mask:
    """Mask the near objects at depth edges.

    A pixel within `reach` of an edge is masked if its inverse depth is at least about that of the edge's near side.
    """
    # The wide search runs at reduced size. Edges are thin, so each square of pixels first keeps its smallest value.
    step = max(reach // 16, 1)
    values = _lowest(np.where(edges, inverse, np.inf).astype(np.float32), step)[::step, ::step]
    wide = _lowest(np.ascontiguousarray(values), max(reach // step, 1))
    least = cv2.resize(wide, inverse.shape[::-1], interpolation=cv2.INTER_NEAREST)
    return np.asarray(inverse >= least - 1e-3 - 0.1 * np.where(np.isfinite(least), least, 0), np.bool_)


def _to_small(base: Matrix, factor: tuple[float, float]) -> NDArray[np.float64]:
    """Return the matrix from a view's pixels to the reduced depth's.

    The matrix is affine, (2, 3).
    """
    shrink = np.array([[1 / factor[0], 0, (1 / factor[0] - 1) / 2], [0, 1 / factor[1], (1 / factor[1] - 1) / 2], [0, 0, 1]])
    return np.asarray((shrink @ base)[:2], np.float64)


def _warped(small: Floats, affine: NDArray[np.float64], place: tuple[slice, slice]) -> Floats:
    """Sample a part of a view from a picture in reduced size.

    `place`: rows and columns of the part; `affine` (2, 3) maps the view's pixels to those of `small`.
    """
    rows, columns = place
    shifted = affine.copy()
    shifted[:, 2] += affine[:, :2] @ (columns.start, rows.start)
    size = columns.stop - columns.start, rows.stop - rows.start
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return np.asarray(cv2.warpAffine(small, shifted, size, flags=flags, borderMode=cv2.BORDER_REPLICATE), np.float32)


def _moved_grid(base: Matrix, depth: Floats, move: tuple[float, float]) -> tuple[Floats, Floats]:
    """Return the source coordinates of a view's pixels, x and y.

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


def _torn_box(torn: Mask, affine: NDArray[np.float64], size: tuple[int, int]) -> tuple[slice, slice] | None:
    """Return the rows and columns of a view that enclose its torn parts.

    `torn`: the mask in reduced size; `size`: (width, height) of the view. Rows and columns begin at even numbers. None if the view shows no
    torn part.
    """
    # The mask is cropped to the view first, because the surface is always torn at the border of the picture.
    view = np.array([[[0, 0], [size[0], 0], size, [0, size[1]]]], np.float64)
    place = cv2.transform(view, affine)[0]
    low = np.clip(np.floor(place.min(axis=0)) - 2, 0, torn.shape[::-1]).astype(int)
    high = np.clip(np.ceil(place.max(axis=0)) + 2, 0, torn.shape[::-1]).astype(int)
    part = torn[low[1] : high[1], low[0] : high[0]]
    rows, columns = np.flatnonzero(part.any(axis=1)) + low[1], np.flatnonzero(part.any(axis=0)) + low[0]
    if not len(rows):
        return None
    reach = 3.0  # for the soft rim and interpolation
    left, right, top, bottom = columns[0] - reach, columns[-1] + reach, rows[0] - reach, rows[-1] + reach
    corners = np.array([[[left, top], [right, top], [right, bottom], [left, bottom]]])
    box = cv2.transform(corners, cv2.invertAffineTransform(affine))[0]
    first = np.clip(np.floor(box.min(axis=0)), 0, size).astype(int) // 2 * 2
    last = np.clip(np.ceil(box.max(axis=0)) + 1, 0, size).astype(int)
    if (last <= first).any():
        return None
    return slice(int(first[1]), int(last[1])), slice(int(first[0]), int(last[0]))


def _mean(values: Floats, factor: int) -> Floats:
    """Reduce an array by averaging squares of `factor` x `factor` pixels.

    At the right and the bottom, the array is padded to whole squares.
    """
    if factor == 1:
        return values
    height, width = values.shape
    padded = cv2.copyMakeBorder(values, 0, -height % factor, 0, -width % factor, cv2.BORDER_REPLICATE)
    return np.asarray(cv2.resize(padded, None, fx=1 / factor, fy=1 / factor, interpolation=cv2.INTER_AREA), np.float32)


def _reduced_places(places: Floats, factor: int) -> Floats:
    """Convert coordinates to those of a plane `factor` times smaller.

    A sample of the smaller plane lies in the middle of the pixels that it covers.
    """
    return places if factor == 1 else np.asarray((_mean(places, factor) + 0.5) / factor - 0.5, np.float32)
