"""Compositors, which mix a frame with the ghosts of its trail."""

from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from services.effects.scene.moments import MaskedFrame, Moment, SceneFrame
from services.effects.scene.motion_mask import Mask
from services.effects.scene.pixels import Pixels, Planes
from services.effects.scene.warp import (
    NEAR,
    Area,
    Weights,
    around,
    edge_weights,
    is_still,
    moved_area,
    rectangle,
    shift_of,
    warped,
    warped_piece,
)
from services.effects.trails.ghost_styles import GhostStyle, PlacedGhost, blur_reach
from services.effects.trails.tint import Tint
from services.effects.trails.trail import Trail, TrailExtent
from services.effects.trails.veil import lay_over
from services.effects.trails.weighted_mean import Part, ShiftedPicture, mix_parts, mix_whole, shares_of
from shared.motion.camera import Matrix, matrix_between, scale_matrix
from shared.video import Frame


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class WholeGhost(Moment):
    """A ghost that shows the whole frame at full size."""

    planes: Planes


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MaskedGhost(WholeGhost):
    """A full-size ghost that shows only the subject."""

    mask: Mask
    """Mask of the subject."""
    faded: Mask
    """Mask of the subject that falls to 0 at the picture's edges."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SoftGhost(Moment):
    """A ghost computed at reduced size, in small planes."""

    mask: Mask
    """Mask of the frame's subject."""
    essence: NDArray[Any] | None
    """Result of `GhostStyle.essence` in the rectangle `area`; None if nothing moves in the frame."""
    area: Area
    """Rows and columns of the small planes that hold the subject. They include a border of one pixel."""


F = TypeVar("F", contravariant=True)
G = TypeVar("G", bound=Moment)


class Compositor(Protocol[F, G]):
    """Interface of compositors, which turn frames into ghosts and trails into pictures.

    Calls are independent of each other and can run in parallel.
    """

    def prepare(self, frame: F) -> tuple[Frame, G]:
        """Return the decoded frame and its ghost."""

    def compose(self, trail: Trail[Frame, G]) -> av.VideoFrame:
        """Return the picture of a frame with its ghosts."""


class WholeCompositor:
    """Compositor that averages whole frames at full size.

    It makes trails of the style `normal` without a mask.
    """

    def __init__(self, pixels: Pixels, small_size: tuple[int, int], *, decay: float, reach: TrailExtent) -> None:
        self._pixels, self._decay = pixels, decay
        self._edges = _edge_mask(small_size)
        self._total = 1 + reach.sides * sum(decay**number for number in range(1, reach.layers + 1))

    def prepare(self, frame: SceneFrame) -> tuple[Frame, WholeGhost]:
        """Return the frame and a ghost with the frame's planes."""
        planes = self._pixels.planes(frame.frame)
        return frame.frame, WholeGhost(index=frame.index, seconds=frame.seconds, shot=frame.shot, pose=frame.pose, planes=planes)

    def compose(self, trail: Trail[Frame, WholeGhost]) -> av.VideoFrame:
        """Average a frame with its ghosts.

        The frame also takes the weight of missing ghosts.
        """
        frame, own = trail.picture, trail.own
        if not trail.ghosts:
            return _copy(self._pixels, frame, own.planes)
        out = self._pixels.blank(frame)
        ghosts = [(ghost, float(self._decay**number), matrix_between(ghost.pose, own.pose)) for number, ghost in trail.ghosts]
        shifts = [shift_of(matrix, (frame.width, frame.height), within=NEAR) for _, _, matrix in ghosts]
        whole = [
            ShiftedPicture(ghost.planes, shift, weight)
            for (ghost, weight, _), shift in zip(ghosts, shifts, strict=True)
            if shift is not None
        ]
        if len(whole) == len(ghosts):
            mix_whole(out, own.planes, whole, self._total - sum(ghost.weight for ghost in whole))
        else:
            self._mix_warped(out, frame, own, ghosts)
        return self._pixels.picture(out, frame)

    def _mix_warped(self, out: Planes, frame: Frame, own: WholeGhost, ghosts: list[tuple[WholeGhost, float, Matrix]]) -> None:
        """Average a frame with ghosts that must be warped to align.

        Towards the edges of a moved picture the frame has more weight.
        """
        full = np.full_like(self._edges, 255)
        weights = [_unit(_moved_mask(full, self._edges, matrix, frame)) * np.float32(weight) for _, weight, matrix in ghosts]
        rest = np.asarray(self._total - np.sum(weights, axis=0, dtype=np.float32))
        shares = shares_of(weights, rest)
        mix_parts(out, own.planes, [Part(ghost.planes, matrix, share) for (ghost, _, matrix), share in zip(ghosts, shares, strict=True)])


class MaskedCompositor:
    """Compositor that mixes full-size ghosts of the subject into a frame.

    It makes trails of the style `normal` with a mask.
    """

    def __init__(self, pixels: Pixels, small_size: tuple[int, int], *, decay: float, tint: Tint | None) -> None:
        self._pixels, self._decay, self._tint = pixels, decay, tint
        self._edges = _edge_mask(small_size)

    def prepare(self, frame: MaskedFrame) -> tuple[Frame, MaskedGhost]:
        """Return the frame and a ghost with the frame's planes and mask."""
        planes, faded = self._pixels.planes(frame.frame), _faded(frame.mask, self._edges)
        return frame.frame, MaskedGhost(
            index=frame.index, seconds=frame.seconds, shot=frame.shot, pose=frame.pose, planes=planes, mask=frame.mask, faded=faded
        )

    def compose(self, trail: Trail[Frame, MaskedGhost]) -> av.VideoFrame:
        """Mix the ghosts into a frame behind its subject."""
        frame, own = trail.picture, trail.own
        if not trail.ghosts:
            return _copy(self._pixels, frame, own.planes)
        out = self._pixels.blank(frame)
        ghosts = [(ghost, float(self._decay**number), matrix_between(ghost.pose, own.pose)) for number, ghost in trail.ghosts]
        clear = 1 - _unit(own.mask)
        weights = [
            _unit(_moved_mask(ghost.mask, ghost.faded, matrix, frame)) * np.float32(weight) * clear for ghost, weight, matrix in ghosts
        ]
        shares = shares_of(weights, 1.0)
        parts = [Part(ghost.planes, matrix, share) for (ghost, _, matrix), share in zip(ghosts, shares, strict=True)]
        mix_parts(out, own.planes, parts, tint=self._tint)
        return self._pixels.picture(out, frame)


class SoftCompositor:
    """Compositor that draws soft ghosts, computed in small planes, over a frame.

    It makes trails of the styles `glow` and `shadow`, and of blurred ghosts.
    """

    def __init__(
        self, pixels: Pixels, small_size: tuple[int, int], *, style: GhostStyle, decay: float, blur: float, tint: Tint | None
    ) -> None:
        self._pixels, self._style, self._decay, self._tint = pixels, style, decay, tint
        self._edges = _edge_mask(small_size)
        self._blur = blur * float(np.hypot(*small_size)) / 1000

    def prepare(self, frame: MaskedFrame) -> tuple[Frame, SoftGhost]:
        """Return the frame and a soft ghost of its subject."""
        faded, essence = _faded(frame.mask, self._edges), None
        area = rectangle(faded > 0)
        if area is not None:
            small = self._pixels.small(frame.frame, frame.small)[area]
            essence = self._style.essence(small, _unit(faded[area]), self._pixels.levels, self._tint)
        return frame.frame, SoftGhost(
            index=frame.index,
            seconds=frame.seconds,
            shot=frame.shot,
            pose=frame.pose,
            mask=frame.mask,
            essence=essence,
            area=area or (slice(0, 0), slice(0, 0)),
        )

    def compose(self, trail: Trail[Frame, SoftGhost]) -> av.VideoFrame:
        """Draw all ghosts over a frame, behind its subject."""
        frame, own, levels = trail.picture, trail.own, self._pixels.levels
        planes = self._pixels.planes(frame)
        visible = [
            (number, ghost, ghost.essence, _small_matrix(matrix_between(ghost.pose, own.pose), own.mask, frame))
            for number, ghost in trail.ghosts
            if ghost.essence is not None
        ]
        sigma = self._style.spread * float(np.hypot(*own.mask.shape))
        margin = blur_reach(sigma) + max((blur_reach(self._blur * number) for number, *_ in visible), default=0)
        area = around([moved_area(ghost.area, matrix) for _, ghost, _, matrix in visible], own.mask.shape, margin)
        if area is None:
            return _copy(self._pixels, frame, planes)
        out = self._pixels.blank(frame)
        ghosts = [
            PlacedGhost(
                warped_piece(essence, matrix, self._style.empty(levels), source=ghost.area, target=area),
                float(self._decay**number),
                self._blur * number,
            )
            for number, ghost, essence, matrix in visible
        ]
        veil = self._style.veil(ghosts, 1 - _unit(own.mask[area]), sigma, levels, self._tint)
        lay_over(out, planes, veil, area, own.mask.shape, levels)
        return self._pixels.picture(out, frame)


def _copy(pixels: Pixels, frame: Frame, planes: Planes) -> av.VideoFrame:
    """Copy a frame's `planes` unchanged into an output picture."""
    out = pixels.blank(frame)
    for target, plane in zip(out, planes, strict=True):
        np.copyto(target, plane)
    return pixels.picture(out, frame)


def _edge_mask(size: tuple[int, int]) -> Mask:
    return np.rint(edge_weights(*size) * 255).astype(np.uint8)


def _faded(mask: Mask, edges: Mask) -> Mask:
    """Fade a mask out towards the picture's edges.

    `edges`: weights of the edges, 0 to 255; they are enlarged to the mask's size.
    """
    if edges.shape != mask.shape:
        edges = np.asarray(cv2.resize(edges, mask.shape[::-1], interpolation=cv2.INTER_LINEAR), np.uint8)
    return np.asarray(cv2.multiply(mask, edges, scale=1 / 255), np.uint8)


def _moved_mask(still: Mask, faded: Mask, matrix: Matrix, frame: Frame) -> Mask:
    """Warp a subject's mask by the camera motion `matrix`.

    `faded`: the mask with faded edges, which is warped. `still`: the mask to return unchanged if the camera has not moved.
    """
    small = _small_matrix(matrix, still, frame)
    return still if is_still(small, still.shape[::-1]) else warped(faded, small, (0.0,))


def _small_matrix(matrix: Matrix, plane: NDArray[Any], frame: Frame) -> Matrix:
    """Scale a full-size matrix to a plane's size."""
    return scale_matrix(matrix, plane.shape[1] / frame.width, plane.shape[0] / frame.height)


def _unit(mask: Mask) -> Weights:
    return mask * np.float32(1 / 255)
