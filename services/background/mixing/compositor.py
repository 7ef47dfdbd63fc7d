"""Composition of a frame: all mixing steps in order."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from services.background.mixing.color_match import SAME, Match, applied, match_of
from services.background.mixing.edge_colors import edge_of, estimated, with_clean_plate
from services.background.mixing.grain import Grain
from services.background.mixing.light_wrap import wrapped
from services.background.mixing.linear_light import mixed_linearly
from services.background.mixing.over import Plane, chroma_alpha, over
from services.background.mixing.shadow import contact_shadow, kept_shadow, shaded
from services.background.mixing.stray_blobs import without_stray_blobs

Planes = tuple[Plane, Plane, Plane]
Shadow = Literal["none", "keep", "contact"]
_REACH = 90
"""Divisor of the height that gives the distance from which edge colours are gathered."""


@dataclass(frozen=True, kw_only=True)
class Look:
    """Options of mixing.

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
    """Parts of one composite frame.

    `frame`, `background`, `plate`: Y, U and V planes; `plate` is the aligned clean plate, if one is given. `alpha`: in luma size.
    `number`: frame number, which selects the grain.
    """

    number: int
    frame: Planes
    alpha: Plane
    background: Planes
    plate: Planes | None = None


class Compositor:
    """Composes frames.

    `measure` and `compose` keep no state between frames, so any thread may call them.
    """

    def __init__(self, look: Look, grain: Grain | None = None) -> None:
        self._look, self._grain = look, grain

    def cleaned(self, alpha: Plane) -> Plane:
        """Return alpha without stray blobs."""
        return without_stray_blobs(alpha, self._look.blobs)

    def measure(self, layers: Layers) -> Match | None:
        """Measure the change that matches the subject to the background.

        Returns None if matching is off or no subject is visible.
        """
        if not self._look.match:
            return None
        return match_of(layers.frame, layers.background, layers.alpha, self._look.match)

    def compose(self, layers: Layers, match: Match) -> Planes:
        """Return the composite's planes."""
        look = self._look
        alphas = layers.alpha, chroma_alpha(layers.alpha)
        subject = self.subject(layers, alphas)
        if match != SAME:
            subject = applied(subject, match)
        background = self._background(layers)
        each = (alphas[0], alphas[1], alphas[1])
        mixed = [over(front, back, alpha) for front, back, alpha in zip(subject, background, each, strict=True)]
        planes: Planes = (mixed[0], mixed[1], mixed[2])
        if look.linear:
            planes = mixed_linearly(planes, subject, background, alphas, look.matrix)
        if look.light_wrap:
            luma, u, v = wrapped(planes, background, each, look.light_wrap)
            planes = luma, u, v
        return planes

    def subject(self, layers: Layers, alphas: tuple[Plane, Plane]) -> Planes:
        """Remove the old background from the frame's soft edge."""
        if not self._look.decontaminate:
            return layers.frame
        edges = edge_of(alphas[0]), edge_of(alphas[1])
        clean = []
        for number, plane in enumerate(layers.frame):
            alpha, edge = alphas[number > 0], edges[number > 0]
            if layers.plate is not None:
                clean.append(with_clean_plate(plane, layers.plate[number], edge))
            else:
                clean.append(estimated(plane, alpha, edge, max(plane.shape[0] // _REACH, 2)))
        return clean[0], clean[1], clean[2]

    def _background(self, layers: Layers) -> Planes:
        luma, u, v = layers.background
        if self._look.shadow == "contact":
            luma = shaded(luma, contact_shadow(layers.alpha))
        elif self._look.shadow == "keep" and layers.plate is not None:
            luma = shaded(luma, kept_shadow(layers.frame[0], layers.plate[0], layers.alpha))
        if self._grain is not None:
            luma = self._grain.added(luma, layers.number)
        return np.asarray(luma, np.uint8), u, v
