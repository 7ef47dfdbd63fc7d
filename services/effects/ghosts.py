"""Soft ghosts: glow, shadow and blurred ones, made in small planes (a quarter of 1080 lines) and laid over the picture in full size.

All three end as one picture to lay over, `veil` (how much of the picture goes, 0 to 1) and `light` (what comes instead):

    out = floor + (in - floor) * (1 - veil) + light                                                  in each plane

where `floor` is black. With m_i the mask of ghost i (0 to 1, moved to where the camera looks now), m_0 that of the frame itself, and
v_i = decay^i * m_i * (1 - m_0), so that ghosts stay behind the subject:

    glow    e_i = v_i * overexposed(ghost_i), where overexposing takes the luma y to 1 - (1 - y)^2.5 and its chroma in proportion;
            e = 0.6 * sum(e_i) + 0.8 * blurred(sum(e_i)); veil = 1 - exp(-luma(e)), light = e * veil / luma(e).
            Since the light's luma is the veil, luma is screened: out = 1 - (1 - in) * (1 - light).
    shadow  1 - veil = product of (1 - 0.85 * v_i * (1 - 0.25 * y_i)), softened a little; light = 0, or a quarter of the tint's:
            the picture is multiplied by silhouettes that keep a hint of what is in them.
    normal  veil = sum(v_i) / (1 + sum(v_i)), light = sum(v_i * ghost_i) / (1 + sum(v_i)): the weighted mean of the full-size style.

`blur` blurs ghost i, its mask with it, by i times as much.
"""

from dataclasses import dataclass
from typing import Any, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from services.effects.layers import enlarged, rectangle
from services.effects.pixels import Levels, Planes
from services.effects.tint import Tint, brightness

Floats = NDArray[np.float32]
Style = Literal["glow", "shadow", "normal"]

_BLOOM = 0.012
"""Radius of the bloom (standard deviation of a Gaussian), as a part of the picture's diagonal."""
_SOFTNESS = 0.0012


@dataclass(frozen=True, slots=True, eq=False)
class Ghost:
    """A ghost in small planes, moved to where the camera looks: `mask` float32 0 to 1, `weight` decay^i, `blur` in their pixels."""

    planes: Planes
    mask: Floats
    weight: float
    blur: float


@dataclass(frozen=True, slots=True, eq=False)
class Veil:
    """What is laid over a picture: `veil` (height, width) and `light` (planes, height, width) above black, float32."""

    veil: Floats
    light: Floats


def veil_of(style: Style, ghosts: list[Ghost], subject: Floats, levels: Levels, *, tint: Tint | None = None) -> Veil:
    """The veil of all ghosts of a frame, with the mask of its own `subject` (0 to 1); small planes of one size throughout."""
    clear = 1 - subject
    count, (height, width) = len(levels.floor), subject.shape
    diagonal = float(np.hypot(height, width))
    light = np.zeros((count, height, width), np.float32)
    weights = np.zeros((height, width), np.float32)
    kept = np.ones((height, width), np.float32)
    for ghost in ghosts:
        share = _blurred(ghost.weight * ghost.mask, ghost.blur) * clear
        if style == "shadow":
            kept *= 1 - 0.85 * share * (1 - 0.25 * brightness(ghost.planes, levels))
            continue
        weights += share
        scale = _exposed(brightness(ghost.planes, levels)) if style == "glow" else np.float32(1)
        for plane, floor, sum_ in zip(tint(ghost.planes) if tint else ghost.planes, levels.floor, light, strict=True):
            above = (plane.astype(np.float32) - np.float32(floor)) * scale
            # Blurred with its mask, so that what is around the subject does not bleed into it.
            sum_ += _blurred(above * (ghost.weight * ghost.mask), ghost.blur) * clear if ghost.blur else above * share
    if style == "shadow":
        veil = 1 - _blurred(kept, _SOFTNESS * diagonal)
        colour = tint.strength * 0.25 * (np.array(tint.values) - levels.floor) if tint and count == 3 else np.zeros(count)
        return Veil(veil, (colour.astype(np.float32)[:, None, None] * veil).astype(np.float32))
    if style == "normal":
        return Veil(weights / (1 + weights), light / (1 + weights))
    bloomed = np.stack([0.6 * plane + 0.8 * _blurred(plane, _BLOOM * diagonal) for plane in light])
    bright = brightness(tuple(plane + floor for plane, floor in zip(bloomed, levels.floor, strict=True)), levels)
    bright = np.maximum(bright, 1e-6)
    veil = 1 - np.exp(-bright)
    return Veil(veil.astype(np.float32), (bloomed * (veil / bright)).astype(np.float32))


def lay_over(out: Planes, planes: Planes, over: Veil, levels: Levels) -> None:
    """Write to `out` the picture `planes` with a veil laid over it."""
    top = np.iinfo(planes[0].dtype).max
    found = rectangle(over.veil > 0.5 / top)
    for number, (target, plane) in enumerate(zip(out, planes, strict=True)):
        np.copyto(target, plane)
        if found is None:
            continue
        rows, columns = enlarged(found, over.veil.shape, plane.shape)
        here, view = plane[rows, columns], target[rows, columns]
        veil = over.veil[found]
        rest = np.rint((1 - veil) * top).astype(plane.dtype)
        added = np.clip(np.rint(levels.floor[number] * veil + over.light[number][found]), 0, top).astype(plane.dtype)
        rest, added = (cv2.resize(one, here.shape[::-1], interpolation=cv2.INTER_LINEAR) for one in (rest, added))
        cv2.multiply(here, rest, dst=view, scale=1 / top)
        cv2.add(view, added, dst=view)


def _exposed(bright: Floats) -> Floats:
    """Factor that brightens by an exposure of about one stop and a half, with a shoulder instead of clipping."""
    bright = np.clip(bright, 1e-3, 1)
    return ((1 - (1 - bright) ** 2.5) / bright).astype(np.float32)


def _blurred(plane: Floats, sigma: float) -> Floats:
    """A Gaussian blur, made as three box blurs (Wells, 1986)."""
    if sigma < 0.3:
        return plane
    side = max(round(np.sqrt(4 * sigma * sigma + 1) / 2) * 2 + 1, 3)
    made: NDArray[Any] = plane
    for _ in range(3):
        made = cv2.blur(made, (side, side), borderType=cv2.BORDER_REPLICATE)
    return made.astype(np.float32, copy=False)
