"""One frame and its ghosts as one picture."""

from typing import Any

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from services.effects.params import MotionTrailsParams
from services.effects.scene.moments import Moment, Scene, reduced
from services.effects.scene.pixels import LinearPixels, Planes, pixels_for
from services.effects.scene.warp import NEAR, Weights, edge_weights, held_still, shift_of, warped
from services.effects.trails.soft_ghosts import Ghost, essence_of, lay_over, nothing_of, veil_of
from services.effects.trails.timing import Trailed
from services.effects.trails.tint import Tint
from services.effects.trails.weighted_mean import Part, Whole, mix_parts, mix_whole, shares_of
from shared.motion.camera import Matrix, matrix_between, scale_matrix
from shared.video import Frame


class Composer:
    """Mixes trails into frames, each independent of the others, so that all cores can work on them."""

    def __init__(self, params: MotionTrailsParams, scene: Scene, first: Frame, *, confined: bool, soft: bool) -> None:
        self._params, self._scene = params, scene
        self._confined, self._soft = confined, soft
        self._size = first.width, first.height
        self._pixels = pixels_for(first, linear_light=params.linear_light)
        self._tint = Tint(params.tint, params.tint_strength, self._pixels) if params.tint else None
        self._edges = np.rint(edge_weights(*scene.size) * 255).astype(np.uint8)
        sides = 2 if params.direction == "both" else 1
        self._all = 1 + sides * sum(params.decay**number for number in range(1, params.layers + 1))

    def prepare(self, moment: Moment) -> Moment:
        """Keep the planes that the moment's ghosts will be made of."""
        assert moment.frame is not None
        if not self._soft:
            moment.planes = self._pixels.planes(moment.frame)
        if not self._confined:
            return moment
        assert moment.mask is not None
        edges = self._edges
        if edges.shape != moment.mask.shape:
            edges = np.asarray(cv2.resize(edges, moment.mask.shape[::-1], interpolation=cv2.INTER_LINEAR), np.uint8)
        moment.faded = np.asarray(cv2.multiply(moment.mask, edges, scale=1 / 255), np.uint8)
        if self._soft and moment.faded.any():
            moment.essence = essence_of(self._params.ghost, self._small(moment), moment.faded, self._pixels.levels, tint=self._tint)
        return moment

    def _small(self, moment: Moment) -> NDArray[Any]:
        assert moment.frame is not None
        assert moment.small is not None
        if isinstance(self._pixels, LinearPixels):
            return np.dstack([reduced(plane, self._scene.size) for plane in self._pixels.planes(moment.frame)])
        return moment.small

    def __call__(self, frame: Frame, trailed: Trailed) -> av.VideoFrame:
        """The picture of a frame with its ghosts; of a frame without any, its own."""
        if not trailed.ghosts:
            plain = self._pixels.blank(frame)
            for target, plane in zip(plain, self._pixels.planes(frame), strict=True):
                np.copyto(target, plane)
            return self._pixels.picture(plain, frame)
        planes = self._pixels.planes(frame) if self._soft else trailed.moment.planes
        assert planes is not None
        out = self._pixels.blank(frame)
        if self._soft:
            self._lay_over(out, planes, trailed)
        else:
            self._mix(out, planes, trailed)
        return self._pixels.picture(out, frame)

    def _weight(self, number: int) -> float:
        return float(self._params.decay**number)

    def _mix(self, out: Planes, planes: Planes, trailed: Trailed) -> None:
        """Ghosts in full size. What a ghost that is not there would have counted, the frame itself counts."""
        moment = trailed.moment
        ghosts = [(ghost, self._weight(number), matrix_between(ghost.pose, moment.pose)) for number, ghost in trailed.ghosts]
        shifts = [shift_of(matrix, self._size, within=NEAR) for _, _, matrix in ghosts]
        if not self._confined and None not in shifts:
            whole = [
                Whole(_full(ghost), shift, weight) for (ghost, weight, _), shift in zip(ghosts, shifts, strict=True) if shift is not None
            ]
            mix_whole(out, planes, whole, self._all - sum(one.weight for one in whole))
            return
        weights = [_unit(self._mask(ghost, matrix)) * np.float32(weight) for ghost, weight, matrix in ghosts]
        rest: Weights | float = 1.0
        if self._confined:
            clear = 1 - _unit(moment.mask)
            for one in weights:
                one *= clear
        else:
            # Towards the edges of a moved picture the frame counts more.
            rest = self._all - np.sum(weights, axis=0, dtype=np.float32)
        parts = [Part(_full(ghost), matrix, share) for (ghost, _, matrix), share in zip(ghosts, shares_of(weights, rest), strict=True)]
        mix_parts(out, planes, parts, tint=self._tint)

    def _lay_over(self, out: Planes, planes: Planes, trailed: Trailed) -> None:
        moment, style, levels = trailed.moment, self._params.ghost, self._pixels.levels
        diagonal = float(np.hypot(*self._scene.size))
        ghosts = []
        for number, ghost in trailed.ghosts:
            if ghost.essence is None:
                continue  # nothing moved in that frame
            matrix = self._to(matrix_between(ghost.pose, moment.pose), ghost.essence)
            moved = warped(ghost.essence, matrix, nothing_of(style, levels))
            ghosts.append(Ghost(moved, self._weight(number), self._params.blur * number * diagonal / 1000))
        lay_over(out, planes, veil_of(style, ghosts, _unit(moment.mask), levels, tint=self._tint), levels)

    def _mask(self, ghost: Moment, matrix: Matrix) -> NDArray[np.uint8]:
        """What of a ghost shows, 0 to 255, where the camera looks now; towards the edges of a picture that has moved, less and less."""
        still, moving = (ghost.mask, ghost.faded) if self._confined else (np.full_like(self._edges, 255), self._edges)
        assert still is not None
        assert moving is not None
        own = self._to(matrix, still)
        return still if held_still(own, still.shape[::-1]) else warped(moving, own, (0.0,))

    def _to(self, matrix: Matrix, plane: NDArray[Any]) -> Matrix:
        """`matrix` for planes of another size."""
        return scale_matrix(matrix, plane.shape[1] / self._size[0], plane.shape[0] / self._size[1])


def _unit(mask: NDArray[np.uint8] | None) -> Weights:
    assert mask is not None
    return mask * np.float32(1 / 255)


def _full(ghost: Moment) -> Planes:
    assert ghost.planes is not None
    return ghost.planes
