"""One frame and its ghosts as one picture."""

from typing import Any

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from services.effects.camera import Matrix, between, scaled
from services.effects.ghosts import Ghost, lay_over, veil_of
from services.effects.layers import Weights, edge_weights, mix_shifted, mix_weighted, shift_of
from services.effects.params import MotionTrailsParams
from services.effects.pixels import LinearPixels, Planes, pixels_for
from services.effects.scene import Moment, Scene, reduced
from services.effects.tint import Tint
from services.effects.trail import Trailed
from shared.video import Frame

_HELD_STILL = 0.1
"""Small pixels: a mask or a soft ghost that is off by less is not moved."""


class Composer:
    """Mixes trails into frames, each independent of the others, so that all cores can work on them."""

    def __init__(self, params: MotionTrailsParams, scene: Scene, first: Frame, *, confined: bool, soft: bool) -> None:
        self._params, self._scene = params, scene
        self._confined, self._soft = confined, soft
        self._size = first.width, first.height
        self._pixels = pixels_for(first, linear_light=params.linear_light)
        self._tint = Tint(params.tint, params.tint_strength, self._pixels) if params.tint else None
        self._edges = edge_weights(*scene.size)
        sides = 2 if params.direction == "both" else 1
        self._all = 1 + sides * sum(params.decay**number for number in range(1, params.layers + 1))

    def prepare(self, moment: Moment) -> Moment:
        """Keep the planes that the moment's ghosts will be made of."""
        assert moment.frame is not None
        if not self._soft:
            moment.planes = self._pixels.planes(moment.frame)
        elif isinstance(self._pixels, LinearPixels):
            moment.reduced = tuple(reduced(plane, self._scene.size) for plane in self._pixels.planes(moment.frame))
        else:
            moment.reduced = moment.small
        return moment

    def __call__(self, frame: Frame, trailed: Trailed) -> av.VideoFrame:
        """The picture of a frame with its ghosts; of a frame without any, its own."""
        if not trailed.ghosts and not isinstance(self._pixels, LinearPixels):
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
            for target, plane in zip(out, planes, strict=True):
                np.copyto(target, plane)
            self._mix(out, trailed)
        return self._pixels.picture(out, frame)

    def _weight(self, number: int) -> float:
        return float(self._params.decay**number)

    def _mix(self, out: Planes, trailed: Trailed) -> None:
        """Ghosts in full size. What a ghost that is not there would have counted, the frame itself counts."""
        moment = trailed.moment
        so_far = self._all - sum(self._weight(number) for number, _ in trailed.ghosts)
        weighted: NDArray[Any] | None = None
        for number, ghost in trailed.ghosts:
            assert ghost.planes is not None
            weight, matrix = self._weight(number), between(ghost.pose, moment.pose)
            shift = shift_of(matrix)
            if shift is not None and not self._confined:
                so_far += weight
                mix_shifted(out, ghost.planes, shift, weight / so_far)
                continue
            here = self._mask(ghost, matrix) * (1 - _unit(moment.mask) if self._confined else np.float32(1)) * np.float32(weight)
            # Of what moves, only that much is there that can be averaged; of whole pictures, all.
            weighted = here + (weighted if weighted is not None else np.float32(1 if self._confined else so_far))
            mix_weighted(out, ghost.planes, matrix, here / weighted, tint=self._tint)

    def _lay_over(self, out: Planes, planes: Planes, trailed: Trailed) -> None:
        moment = trailed.moment
        diagonal = float(np.hypot(*self._scene.size))
        ghosts = []
        for number, ghost in trailed.ghosts:
            assert ghost.reduced is not None
            matrix = between(ghost.pose, moment.pose)
            moved = tuple(_moved(plane, self._to(matrix, plane)) for plane in ghost.reduced)
            blur = self._params.blur * number * diagonal / 1000
            ghosts.append(Ghost(moved, self._mask(ghost, matrix), self._weight(number), blur))
        veil = veil_of(self._params.ghost, ghosts, _unit(moment.mask), self._pixels.levels, tint=self._tint)
        lay_over(out, planes, veil, self._pixels.levels)

    def _mask(self, ghost: Moment, matrix: Matrix) -> Weights:
        """What of a ghost shows, 0 to 1, where the camera looks now; towards the edges of a picture that has moved, less and less."""
        mask = _unit(ghost.mask) if self._confined else self._edges
        own = self._to(matrix, mask)
        if own is None:
            return mask if self._confined else np.ones_like(mask)
        if self._confined:
            mask = mask * cv2.resize(self._edges, mask.shape[::-1], interpolation=cv2.INTER_LINEAR)
        return np.asarray(cv2.warpPerspective(mask, own, mask.shape[::-1], flags=cv2.INTER_LINEAR), np.float32)

    def _to(self, matrix: Matrix, plane: NDArray[Any]) -> Matrix | None:
        """`matrix` for planes of another size; None where it does nothing."""
        own = scaled(matrix, plane.shape[1] / self._size[0], plane.shape[0] / self._size[1])
        shift = shift_of(own)
        return None if shift is not None and max(map(abs, shift)) < _HELD_STILL else own


def _moved(plane: NDArray[Any], matrix: Matrix | None) -> NDArray[Any]:
    if matrix is None:
        return plane
    return cv2.warpPerspective(plane, matrix, plane.shape[::-1], flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


def _unit(mask: NDArray[np.uint8] | None) -> Weights:
    assert mask is not None
    return mask.astype(np.float32) / np.float32(255)
