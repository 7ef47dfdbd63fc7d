"""Compositor of single frames: all mixing steps in order."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from services.background.mixing.color_match import SAME, Match, MatchSmoother, applied, match_of
from services.background.mixing.edge_colors import edge_of, estimated, with_clean_plate
from services.background.mixing.grain import Grain
from services.background.mixing.light_wrap import wrapped
from services.background.mixing.linear_light import mixed_linearly
from services.background.mixing.over_operator import Plane, chroma_alpha, over, reached
from services.background.mixing.shadow import Ground, GroundSmoother, contact_shadow, ground_of, kept_shadow, shaded
from services.background.mixing.stray_blobs import without_stray_blobs

Planes = tuple[Plane, Plane, Plane]
Shadow = Literal["none", "keep", "contact"]
_REACH = 90
"""Frame height divided by the distance, in pixels, for gathering edge colours."""
_STEADY_FRAMES = 15
"""Number of frames over which the colour match is averaged."""


@dataclass(frozen=True, kw_only=True)
class Look:
    """Options of mixing a subject over a background.

    Strengths are 0 to 1. `matrix`: FFmpeg's name of the colour matrix.
    """

    linear: bool = False
    decontaminate: bool = True
    light_wrap: float = 0.3
    match: float = 0.5
    shadow: Shadow = "none"
    blobs: float = 0.4
    matrix: str = "bt709"


@dataclass(frozen=True, slots=True, eq=False)
class Layers:
    """Layers of one composite frame.

    `frame`, `background`, `plate`: Y, U and V planes; `plate` is the aligned clean plate, if one is given. `alpha`: in luma size.
    `number`: frame number, which selects the grain.
    """

    number: int
    frame: Planes
    alpha: Plane
    background: Planes
    plate: Planes | None = None


@dataclass(frozen=True, slots=True)
class FrameMeasurements:
    """Colour match and ground position of one frame.

    `match` is None if matching is off or no subject is visible, `ground` if no contact shadow is drawn or no subject is visible.
    """

    match: Match | None
    ground: Ground | None


@dataclass(frozen=True, slots=True)
class SteadyMeasurements:
    """Frame measurements averaged over recent frames."""

    match: Match = SAME
    ground: Ground | None = None


class MeasurementSmoother:
    """Moving average of frame measurements; takes them in frame order."""

    def __init__(self) -> None:
        self._match, self._ground = MatchSmoother(_STEADY_FRAMES), GroundSmoother()

    def __call__(self, measured: FrameMeasurements) -> SteadyMeasurements:
        return SteadyMeasurements(self._match(measured.match), self._ground(measured.ground))


class Compositor:
    """Compositor of frames from their layers.

    `measure` and `compose` keep no state between frames, so any thread may call them.
    """

    def __init__(self, look: Look, grain: Grain | None = None) -> None:
        self._look, self._grain = look, grain

    def cleaned(self, alpha: Plane) -> Plane:
        """Return alpha without stray blobs."""
        return without_stray_blobs(alpha, self._look.blobs)

    def measure(self, layers: Layers) -> FrameMeasurements:
        """Measure the subject's colour match and ground position.

        The match is the change that matches the subject to the background; the ground is where the subject stands.
        """
        look = self._look
        match = match_of(layers.frame, layers.background, layers.alpha, look.match) if look.match else None
        return FrameMeasurements(match, ground_of(layers.alpha) if look.shadow == "contact" else None)

    def compose(self, layers: Layers, steady: SteadyMeasurements) -> Planes:
        """Mix all layers and return the composite's planes."""
        look = self._look
        alphas = layers.alpha, chroma_alpha(layers.alpha)
        background = self._background(layers, steady.ground)
        places = _reached_places(alphas)
        if places is None:
            return background[0].copy(), background[1].copy(), background[2].copy()
        # The rest of the picture is background.
        subject, behind = _parts(self.subject(layers, alphas), places), _parts(background, places)
        if steady.match != SAME:
            subject = applied(subject, steady.match)
        cut = alphas[0][places[0]], alphas[1][places[1]]
        mixed = over(subject[0], behind[0], cut[0]), over(subject[1], behind[1], cut[1]), over(subject[2], behind[2], cut[1])
        if look.linear:
            mixed = mixed_linearly(mixed, subject, behind, cut, look.matrix)
        luma, u, v = (plane.copy() for plane in background)
        luma[places[0]], u[places[1]], v[places[1]] = mixed
        if look.light_wrap:
            luma, u, v = wrapped((luma, u, v), background, (alphas[0], alphas[1], alphas[1]), look.light_wrap)
        return luma, u, v

    def subject(self, layers: Layers, alphas: tuple[Plane, Plane]) -> Planes:
        """Return the frame with the old background's colour removed from the subject's edges."""
        if not self._look.decontaminate:
            return layers.frame
        edges = edge_of(alphas[0]), edge_of(alphas[1])
        if layers.plate is not None:
            luma, u, v = (
                with_clean_plate(plane, behind, edges[number > 0])
                for number, (plane, behind) in enumerate(zip(layers.frame, layers.plate, strict=True))
            )
            return luma, u, v
        (luma,) = estimated(layers.frame[:1], alphas[0], edges[0], max(alphas[0].shape[0] // _REACH, 2))
        u, v = estimated(layers.frame[1:], alphas[1], edges[1], max(alphas[1].shape[0] // _REACH, 2))
        return luma, u, v

    def _background(self, layers: Layers, ground: Ground | None) -> Planes:
        luma, u, v = layers.background
        if self._look.shadow == "contact":
            luma = shaded(luma, contact_shadow(layers.alpha, ground))
        elif self._look.shadow == "keep" and layers.plate is not None:
            luma = shaded(luma, kept_shadow(layers.frame[0], layers.plate[0], layers.alpha))
        if self._grain is not None:
            luma = self._grain.added(luma, layers.number)
        return np.asarray(luma, np.uint8), u, v


def _reached_places(alphas: tuple[Plane, Plane]) -> tuple[tuple[slice, slice], tuple[slice, slice]] | None:
    """Return the luma and chroma areas that contain all visible pixels.

    Returns the rows and columns of luma, which begin at even numbers, and then those of chroma. None if alpha is 0 everywhere.
    """
    luma, chroma = reached(alphas[0]), reached(alphas[1])
    if luma is None or chroma is None:
        return None
    halves = [
        slice(min(full.start // 2, half.start), max((full.stop + 1) // 2, half.stop)) for full, half in zip(luma, chroma, strict=True)
    ]
    rows, columns = (slice(2 * half.start, min(2 * half.stop, length)) for half, length in zip(halves, alphas[0].shape, strict=True))
    return (rows, columns), (halves[0], halves[1])


def _parts(planes: Planes, places: tuple[tuple[slice, slice], tuple[slice, slice]]) -> Planes:
    return planes[0][places[0]], planes[1][places[1]], planes[2][places[1]]
