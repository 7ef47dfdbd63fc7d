"""Ghost styles: the table of styles, and the arithmetic of soft ghosts.

Soft ghosts (glow, shadow, and blurred normal ones) are made in small planes and laid over the full-size picture as a veil:

    out = floor + (in - floor) * (1 - veil) + light                                                  in each plane

where `floor` is black. With m_i the mask of ghost i, 0 to 1, moved to the view of the current frame, m_0 the mask of that frame, and
v_i = decay^i * m_i * (1 - m_0), which keeps ghosts behind the subject:

    glow    e_i = v_i * overexposed(ghost_i), where overexposing takes the luma y to 1 - (1 - y)^2.5 and its chroma in proportion;
            e = 1.1 * sum(e_i) + 1.2 * blurred(sum(e_i)); veil = 1 - exp(-luma(e)), light = e * veil / luma(e).
            The light's luma equals the veil, so luma is combined as in the blend mode screen: out = 1 - (1 - in) * (1 - light).
    shadow  1 - veil = product of (1 - 0.85 * v_i * (1 - 0.25 * y_i)), slightly blurred; light = 0.14 * veil, or a quarter
            of the tint's. The picture is multiplied by silhouettes that keep a little of the subject's texture; the light lifts them over
            what is darker, as smoke.
    normal  veil = sum(v_i) / (1 + sum(v_i)), light = sum(v_i * ghost_i) / (1 + sum(v_i)): the weighted mean of full-size ghosts.

`blur` blurs ghost i and its mask by i times as much.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

import cv2
import numpy as np
from numpy.typing import NDArray

from services.effects.scene.pixels import Levels
from services.effects.trails.tint import Tint, brightness
from services.effects.trails.veil import Floats, Veil
from shared.choices import OneOf

_BLOOM = 0.012
"""Radius of the bloom (standard deviation of a Gaussian), as a share of the picture's diagonal."""
_GLOW, _HALO = 1.1, 1.2
"""Strength of the glow and of its bloom."""
_SMOKE = 0.14
"""Brightness of a full shadow, 0 to 1: black would not show on dark clothes and at night."""
_SHADOW_BLUR = 0.0012
"""Radius of the blur of shadows (standard deviation of a Gaussian), as a share of the picture's diagonal."""


@dataclass(frozen=True, slots=True, eq=False)
class PlacedGhost:
    """A ghost in the view of the current frame."""

    essence: NDArray[Any]
    """Result of `GhostStyle.essence`, moved."""
    weight: float
    """Strength of the ghost, decay^i."""
    blur: float
    """Radius of the blur in pixels of the small planes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GhostStyle:
    """One row of the table of styles."""

    name: str
    description: str
    essence: Callable[[NDArray[Any], Floats, Levels, Tint | None], NDArray[Any]]
    """`essence(planes, share, levels, tint)`: the material of all ghosts of a frame, computed once per frame.

    `planes`: small planes (height, width, planes). `share`: mask of the subject, float32 from 0 to 1. Returns (height, width, n) in the
    planes' type, with the values of `empty` where the mask is 0, so that the result can be moved, blurred and added.
    """
    empty: Callable[[Levels], tuple[float, ...]]
    """`empty(levels)`: values of the essence where there is no ghost."""
    veil: Callable[[list[PlacedGhost], Floats, Levels, Tint | None], Veil]
    """`veil(ghosts, clear, levels, tint)`: the veil of all ghosts in a frame. `clear`: 1 minus the mask of the frame's own subject."""


def _glow_essence(planes: NDArray[Any], share: Floats, levels: Levels, tint: Tint | None) -> NDArray[Any]:
    return _colour_essence(planes, share * _overexposure(brightness(planes, levels)), share, levels, tint)


def _normal_essence(planes: NDArray[Any], share: Floats, levels: Levels, tint: Tint | None) -> NDArray[Any]:
    return _colour_essence(planes, share, share, levels, tint)


def _colour_essence(planes: NDArray[Any], factor: Floats, share: Floats, levels: Levels, tint: Tint | None) -> NDArray[Any]:
    """Make the essence of ghosts in colour.

    Returns the planes, tinted and with their part above black multiplied by `factor`, and the mask `share` as one more plane.
    """
    top = np.iinfo(planes.dtype).max
    floor = np.array(levels.floor, np.float32)
    above = (tint(planes) if tint else planes).astype(np.float32) - floor
    above *= factor[:, :, None]
    return np.dstack([np.clip(np.rint(above + floor), 0, top), np.rint(share * top)]).astype(planes.dtype)


def _shadow_essence(planes: NDArray[Any], share: Floats, levels: Levels, _tint: Tint | None) -> NDArray[Any]:
    """Make the essence of shadows: the darkness of the silhouette, one plane."""
    top = np.iinfo(planes.dtype).max
    dark = np.rint(share * (1 - np.float32(0.25) * brightness(planes, levels)) * top)
    return np.asarray(dark.astype(planes.dtype)[:, :, None])


def _empty_colour(levels: Levels) -> tuple[float, ...]:
    return (*levels.floor, 0.0)


def _empty_shadow(_levels: Levels) -> tuple[float, ...]:
    return (0.0,)


def _glow_veil(ghosts: list[PlacedGhost], clear: Floats, levels: Levels, _tint: Tint | None) -> Veil:
    sharp = _sum_of(ghosts, clear, levels)[:, :, :-1]
    bloom = _blurred(sharp, _BLOOM * float(np.hypot(*clear.shape)))
    light = np.asarray(np.float32(_GLOW) * sharp + np.float32(_HALO) * bloom, np.float32)
    bright = np.maximum(brightness(light + np.array(levels.floor, np.float32), levels), np.float32(1e-6))
    veil = 1 - np.exp(-bright)
    light *= (veil / bright)[:, :, None]
    return Veil(veil, light)


def _normal_veil(ghosts: list[PlacedGhost], clear: Floats, levels: Levels, _tint: Tint | None) -> Veil:
    total = _sum_of(ghosts, clear, levels)
    top = np.iinfo(ghosts[0].essence.dtype).max if ghosts else 1
    weights = total[:, :, -1] / np.float32(top)
    return Veil(weights / (1 + weights), total[:, :, :-1] / (1 + weights)[:, :, None])


def _shadow_veil(ghosts: list[PlacedGhost], clear: Floats, levels: Levels, tint: Tint | None) -> Veil:
    kept: Floats = np.ones(clear.shape, np.float32)
    for ghost in ghosts:
        dark = _blurred(ghost.essence, ghost.blur).reshape(clear.shape)
        kept *= np.asarray(1 - dark * clear * np.float32(0.85 * ghost.weight / np.iinfo(dark.dtype).max), np.float32)
    veil = 1 - _blurred(kept, _SHADOW_BLUR * float(np.hypot(*clear.shape)))
    colour = tint.strength * 0.25 * (np.array(tint.values) - levels.floor) if tint else _smoke(levels)
    return Veil(veil, veil[:, :, None] * colour.astype(np.float32))


def _smoke(levels: Levels) -> NDArray[np.float64]:
    """Return the light of a full shadow in each plane.

    The light is gray: in luma, or in all planes of linear light.
    """
    if len(levels.floor) == 3 and levels.floor[1] == 0:
        return np.full(3, _SMOKE**2.2 * levels.span)
    return np.array([_SMOKE * levels.span, *np.zeros(len(levels.floor) - 1)])


GHOST_STYLES = {
    style.name: style
    for style in (
        GhostStyle(
            name="glow",
            description="overexposed ghosts with a bloom, added as light (screen)",
            essence=_glow_essence,
            empty=_empty_colour,
            veil=_glow_veil,
        ),
        GhostStyle(
            name="shadow",
            description="dark silhouettes (multiply)",
            essence=_shadow_essence,
            empty=_empty_shadow,
            veil=_shadow_veil,
        ),
        GhostStyle(
            name="normal",
            description="the pictures themselves, as a weighted mean",
            essence=_normal_essence,
            empty=_empty_colour,
            veil=_normal_veil,
        ),
    )
}
"""Name -> style, in the order of the API reference."""

GhostName = Annotated[str, OneOf(GHOST_STYLES)]


def _sum_of(ghosts: list[PlacedGhost], clear: Floats, levels: Levels) -> Floats:
    """Add up the weighted colour essences of ghosts.

    Essences count from their empty value. The frame's own subject is left out.
    """
    empty = np.array(_empty_colour(levels), np.float32)
    total: Floats = np.zeros((*clear.shape, len(empty)), np.float32)
    for ghost in ghosts:
        cv2.accumulate(_blurred(ghost.essence, ghost.blur) * np.float32(ghost.weight), total)
    total -= empty * np.float32(sum(ghost.weight for ghost in ghosts))
    total *= clear[:, :, None]
    return total


def _overexposure(bright: Floats) -> Floats:
    """Return the factors that overexpose a picture, by its brightness.

    `bright`: brightness of each pixel, 0 to 1. Dark parts get about one and a half stops more. A shoulder takes the place of clipping in
    bright parts.
    """
    bright = np.clip(bright, np.float32(1e-3), np.float32(1))
    return ((1 - (1 - bright) ** 2.5) / bright).astype(np.float32)


def _blurred(plane: NDArray[Any], sigma: float) -> NDArray[Any]:
    """Blur planes by a Gaussian of `sigma` pixels.

    Approximated by three box blurs. Source: Wells, 1986.
    """
    if sigma < 0.3:
        return plane
    side = max(round(np.sqrt(4 * sigma * sigma + 1) / 2) * 2 + 1, 3)
    blurred: NDArray[Any] = plane
    for _ in range(3):
        blurred = cv2.blur(blurred, (side, side), borderType=cv2.BORDER_REPLICATE)
    return blurred.reshape(plane.shape)
