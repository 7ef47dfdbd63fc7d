"""Table of ghost styles, with the computation of soft ghosts.

Soft ghosts are those of the styles glow and shadow, and blurred ghosts of the style normal. They are computed in small planes. Together
they form a veil, which dims the full-size picture and adds light to it. In each plane:

    out = floor + (in - floor) * (1 - veil) + light

`floor` is the value of black. Ghosts are numbered from 1, the nearest to the subject, and moved to the view of the current frame. The
weight of ghost i at a pixel is v_i = decay^i * m_i * (1 - m_0). The mask of the ghost is m_i, from 0 to 1. The mask of the current frame
is m_0: it keeps ghosts behind the subject. The luma of ghost i is y_i.

    glow    e_i = v_i * overexposed(ghost_i). Overexposing changes the luma y to 1 - (1 - y)^2.5, and chroma in proportion.
            e = 1.1 * sum(e_i) + 1.2 * blurred(sum(e_i))
            veil = 1 - exp(-luma(e)), light = e * veil / luma(e)
            The luma of the light equals the veil. So luma is mixed as in the blend mode screen: out = 1 - (1 - in) * (1 - light).
    shadow  1 - veil = product of (1 - 0.85 * v_i * (1 - 0.25 * y_i)), slightly blurred
            light = 0.14 * veil, or with a tint, a quarter of the tint's light
            This multiplies the picture by silhouettes that keep a little of the subject's texture. Over a dark picture, the light makes
            them brighter than the picture, like smoke.
    normal  veil = sum(v_i) / (1 + sum(v_i)), light = sum(v_i * ghost_i) / (1 + sum(v_i))
            This is the weighted mean, as for full-size ghosts.

With the param `blur`, ghost i and its mask are blurred, i times as much as ghost 1.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

import cv2
import numpy as np
from numpy.typing import NDArray

from services.effects.scene.pixels import Levels
from services.effects.trails.tint import Tint, brightness, light_brightness
from services.effects.trails.veil import Floats, Veil
from shared.choices import OneOf

_BLOOM = 0.012
"""Radius of the bloom, as a share of the picture's diagonal. It is the standard deviation of a Gaussian."""
_GLOW, _HALO = 1.1, 1.2
"""Factors for the light of glowing ghosts, and for their bloom."""
_SMOKE = 0.14
"""Brightness of a full shadow, 0 to 1. Black would be invisible on dark clothes and at night."""
_SHADOW_BLUR = 0.0012
"""Blur radius of shadows, as a share of the picture's diagonal. It is the standard deviation of a Gaussian."""
_HALVED_FROM = 3.0
"""Minimum radius in pixels of a bloom that is computed at half the size."""
_MIN_BLUR = 0.3
"""Radius in pixels below which a blur is left out."""


@dataclass(frozen=True, slots=True, eq=False)
class PlacedGhost:
    """A ghost warped to the current frame's view."""

    essence: NDArray[Any]
    """`GhostStyle.essence` of the ghost, warped to this view. All ghosts of a frame have the same rectangle of the picture."""
    weight: float
    """Strength of the ghost, 0 to 1."""
    blur: float
    """Radius of the blur in pixels of the small planes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GhostStyle:
    """A ghost style, as a row of GHOST_STYLES."""

    name: str
    label: str
    """Label in a form."""
    description: str
    spread: float
    """Radius of the style's own blur, as a share of the diagonal. It is the standard deviation of a Gaussian."""
    essence: Callable[[NDArray[Any], Floats, Levels, Tint | None], NDArray[Any]]
    """`essence(planes, share, levels, tint)`: pixels from which a frame's ghosts are made. They are computed once per frame.

    `planes`: small planes (height, width, planes). `share`: mask of the subject, float32 from 0 to 1. Returns (height, width, n) in the
    planes' type, with the values of `empty` where the mask is 0, so that the result can be moved, blurred and added."""
    empty: Callable[[Levels], tuple[float, ...]]
    """`empty(levels)`: values of the essence where there is no ghost."""
    veil: Callable[[list[PlacedGhost], Floats, float, Levels, Tint | None], Veil]
    """`veil(ghosts, clear, sigma, levels, tint)`: the veil of a frame's ghosts. At least one ghost is given.

    `clear`: 1 minus the mask of the frame's own subject. `sigma`: `spread` in pixels. Instead of whole pictures, ghosts and `clear` may be
    one rectangle of the picture. Ghosts must then be empty within `blur_reach` pixels of its edges, except at the picture's own edges."""


def _glow_essence(planes: NDArray[Any], share: Floats, levels: Levels, tint: Tint | None) -> NDArray[Any]:
    return _colour_essence(planes, share * _overexposure(planes, levels), levels, tint)


def _normal_essence(planes: NDArray[Any], share: Floats, levels: Levels, tint: Tint | None) -> NDArray[Any]:
    mask = np.rint(share * np.iinfo(planes.dtype).max).astype(planes.dtype)
    return np.dstack([_colour_essence(planes, share, levels, tint), mask])


def _colour_essence(planes: NDArray[Any], factor: Floats, levels: Levels, tint: Tint | None) -> NDArray[Any]:
    """Tint planes, and scale their distance from black by `factor`."""
    # Values fit the type, also with rounding: overexposing ends at white.
    depth = cv2.CV_8U if planes.dtype == np.uint8 else cv2.CV_16U
    styles = []
    for plane, floor in zip(cv2.split(tint(planes) if tint else planes), levels.floor, strict=True):
        above = (plane - np.float32(floor)) * factor
        styles.append(cv2.addWeighted(above, 1, above, 0, floor, dtype=depth))
    return np.asarray(cv2.merge(styles)).reshape(planes.shape)


def _shadow_essence(planes: NDArray[Any], share: Floats, levels: Levels, _tint: Tint | None) -> NDArray[Any]:
    """Return the darkness of a frame's shadow ghosts, as one plane."""
    top = np.iinfo(planes.dtype).max
    dark = np.rint(share * (1 - np.float32(0.25) * brightness(planes, levels)) * top)
    return np.asarray(dark.astype(planes.dtype)[:, :, None])


def _floor(levels: Levels) -> tuple[float, ...]:
    return levels.floor


def _floor_and_mask(levels: Levels) -> tuple[float, ...]:
    return (*levels.floor, 0.0)


def _empty_shadow(_levels: Levels) -> tuple[float, ...]:
    return (0.0,)


def _glow_veil(ghosts: list[PlacedGhost], clear: Floats, sigma: float, levels: Levels, _tint: Tint | None) -> Veil:
    sharp = _sum_of(ghosts, clear, _floor(levels))
    light = [np.asarray(cv2.addWeighted(plane, _GLOW, _bloom(plane, sigma), _HALO, 0), np.float32) for plane in sharp]
    bright = np.maximum(light_brightness(light, levels), np.float32(1e-6))
    veil = np.asarray(1 - cv2.exp(-bright), np.float32)
    share = np.asarray(veil / bright, np.float32)
    return Veil(veil, tuple(plane * share for plane in light))


def _normal_veil(ghosts: list[PlacedGhost], clear: Floats, _sigma: float, levels: Levels, _tint: Tint | None) -> Veil:
    *planes, mask = _sum_of(ghosts, clear, _floor_and_mask(levels))
    weights = mask / np.float32(np.iinfo(ghosts[0].essence.dtype).max)
    return Veil(weights / (1 + weights), tuple(plane / (1 + weights) for plane in planes))


def _shadow_veil(ghosts: list[PlacedGhost], clear: Floats, sigma: float, levels: Levels, tint: Tint | None) -> Veil:
    light: Floats = np.ones(clear.shape, np.float32)
    for ghost in ghosts:
        dark = _blurred(ghost.essence, ghost.blur).reshape(clear.shape)
        light *= np.asarray(1 - dark * clear * np.float32(0.85 * ghost.weight / np.iinfo(dark.dtype).max), np.float32)
    veil = 1 - _blurred(light, sigma)
    colour = tint.strength * 0.25 * (np.array(tint.values) - levels.floor) if tint else _smoke(levels)
    return Veil(veil, tuple(veil * value for value in colour.astype(np.float32)))


def _smoke(levels: Levels) -> NDArray[np.float64]:
    """Return the dark gray of a full shadow, as levels above black per plane.

    In YUV only luma is above black; in linear light all planes are.
    """
    if len(levels.floor) == 3 and levels.floor[1] == 0:
        return np.full(3, _SMOKE**2.2 * levels.span)
    return np.array([_SMOKE * levels.span, *np.zeros(len(levels.floor) - 1)])


GHOST_STYLES = {
    style.name: style
    for style in (
        GhostStyle(
            name="glow",
            label="Glow",
            description="overexposed ghosts with a bloom, added as light (screen)",
            spread=_BLOOM,
            essence=_glow_essence,
            empty=_floor,
            veil=_glow_veil,
        ),
        GhostStyle(
            name="shadow",
            label="Shadow",
            description="dark silhouettes (multiply)",
            spread=_SHADOW_BLUR,
            essence=_shadow_essence,
            empty=_empty_shadow,
            veil=_shadow_veil,
        ),
        GhostStyle(
            name="normal",
            label="Echo",
            description="the pictures themselves, as a weighted mean",
            spread=0.0,
            essence=_normal_essence,
            empty=_floor_and_mask,
            veil=_normal_veil,
        ),
    )
}
"""Name -> style, in the order of the API reference."""

GhostName = Annotated[str, OneOf(GHOST_STYLES)]


def blur_reach(sigma: float) -> int:
    """Return how far, in pixels, a blur of `sigma` spreads a pixel."""
    return 0 if sigma < _MIN_BLUR else 3 * (_box_side(sigma) // 2)


def _sum_of(ghosts: list[PlacedGhost], clear: Floats, empty: tuple[float, ...]) -> list[Floats]:
    """Add up the weighted ghosts in each plane, except on the frame's own subject.

    Values of the essences count from `empty`.
    """
    # The running weighted mean needs no copy of a ghost in floats.
    mean = np.zeros((*clear.shape, len(empty)), np.float32)
    weight = 0.0
    for ghost in ghosts:
        weight += ghost.weight
        cv2.accumulateWeighted(_blurred(ghost.essence, ghost.blur), mean, ghost.weight / weight)
    factor = clear * np.float32(weight)
    return [(plane - np.float32(floor)) * factor for plane, floor in zip(cv2.split(mean), empty, strict=True)]


def _overexposure(planes: NDArray[Any], levels: Levels) -> Floats:
    """Return per-pixel gains that overexpose a picture, float32 (height, width).

    Dark parts get up to 1.3 stops more. Bright parts are compressed rather than clipped.
    """
    if planes.dtype == np.uint8:
        codes = np.arange(256, dtype=np.uint8).reshape(256, 1, 1)
        return np.asarray(cv2.LUT(cv2.extractChannel(planes, 0), _shoulder(brightness(codes, levels)).reshape(1, 256)), np.float32)
    return _shoulder(brightness(planes, levels))


def _shoulder(bright: Floats) -> Floats:
    bright = np.clip(bright, np.float32(1e-3), np.float32(1))
    return ((1 - (1 - bright) ** 2.5) / bright).astype(np.float32)


def _blurred(plane: NDArray[Any], sigma: float) -> NDArray[Any]:
    """Blur planes with a Gaussian of `sigma` pixels.

    Approximated by three box blurs. Source: Wells, 1986.
    """
    if sigma < _MIN_BLUR:
        return plane
    side = _box_side(sigma)
    blurred: NDArray[Any] = plane
    for _ in range(3):
        blurred = cv2.blur(blurred, (side, side), borderType=cv2.BORDER_REPLICATE)
    return blurred.reshape(plane.shape)


def _bloom(plane: Floats, sigma: float) -> Floats:
    """Blur a plane with a Gaussian of `sigma` pixels.

    A wide blur is computed at half the size.
    """
    if sigma < _HALVED_FROM or min(plane.shape) < 2:
        return np.asarray(_blurred(plane, sigma), np.float32)
    height, width = plane.shape
    half = cv2.resize(plane, ((width + 1) // 2, (height + 1) // 2), interpolation=cv2.INTER_LINEAR)
    return np.asarray(cv2.resize(_blurred(half, sigma / 2), (width, height), interpolation=cv2.INTER_LINEAR), np.float32)


def _box_side(sigma: float) -> int:
    return max(round(math.sqrt(4 * sigma * sigma + 1) / 2) * 2 + 1, 3)
