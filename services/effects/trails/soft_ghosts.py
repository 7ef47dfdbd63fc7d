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

from services.effects.scene.pixels import Levels, Planes
from services.effects.scene.warp import enlarged, rectangle
from services.effects.trails.tint import Tint, brightness

Floats = NDArray[np.float32]
Style = Literal["glow", "shadow", "normal"]

_BLOOM = 0.012
"""Radius of the bloom (standard deviation of a Gaussian), as a part of the picture's diagonal."""
_SOFTNESS = 0.0012


def essence_of(style: Style, planes: NDArray[Any], mask: NDArray[np.uint8], levels: Levels, *, tint: Tint | None = None) -> NDArray[Any]:
    """What all ghosts of a frame are made of, once for each frame: (height, width, n) in the type of its small `planes`.

    glow and normal: the planes, tinted, and for glow overexposed, as far above black as `mask` (0 to 255) lets them be, and the mask;
    shadow: how dark it gets. Masked, they are black where nothing is, and can be moved, blurred and added up as they are.
    """
    top = np.iinfo(planes.dtype).max
    share = mask * np.float32(1 / 255)
    bright = brightness(planes, levels)
    if style == "shadow":
        return np.rint(share * (1 - np.float32(0.25) * bright) * top).astype(planes.dtype)[:, :, None]
    floor = np.array(levels.floor, np.float32)
    above = (tint(planes) if tint else planes).astype(np.float32) - floor
    above *= (share * _exposed(bright) if style == "glow" else share)[:, :, None]
    return np.dstack([np.clip(np.rint(above + floor), 0, top), np.rint(share * top)]).astype(planes.dtype)


def nothing_of(style: Style, levels: Levels) -> tuple[float, ...]:
    """The essence of where no ghost is."""
    return (0.0,) if style == "shadow" else (*levels.floor, 0.0)


@dataclass(frozen=True, slots=True, eq=False)
class Ghost:
    """A ghost where the camera looks now: its `essence`, its `weight` (decay^i) and its `blur` in pixels of it."""

    essence: NDArray[Any]
    weight: float
    blur: float


@dataclass(frozen=True, slots=True, eq=False)
class Veil:
    """What is laid over a picture: `veil` (height, width) and `light` (height, width, planes) above black, float32."""

    veil: Floats
    light: Floats


def veil_of(style: Style, ghosts: list[Ghost], subject: Floats, levels: Levels, *, tint: Tint | None = None) -> Veil:
    """The veil of all ghosts of a frame, with the mask of its own `subject` (0 to 1); small planes of one size throughout."""
    clear = 1 - subject
    height, width = subject.shape
    diagonal = float(np.hypot(height, width))
    if style == "shadow":
        kept = np.ones((height, width), np.float32)
        for ghost in ghosts:
            dark = _blurred(ghost.essence, ghost.blur).reshape(height, width)
            kept *= 1 - dark * clear * np.float32(0.85 * ghost.weight / np.iinfo(dark.dtype).max)
        veil = 1 - _blurred(kept, _SOFTNESS * diagonal)
        colour = tint.strength * 0.25 * (np.array(tint.values) - levels.floor) if tint else np.zeros(len(levels.floor))
        return Veil(veil, veil[:, :, None] * colour.astype(np.float32))
    nothing = np.array(nothing_of(style, levels), np.float32)
    total = np.zeros((height, width, len(nothing)), np.float32)
    for ghost in ghosts:
        cv2.accumulate(_blurred(ghost.essence, ghost.blur) * np.float32(ghost.weight), total)
    total -= nothing * np.float32(sum(ghost.weight for ghost in ghosts))
    total *= clear[:, :, None]
    light = total[:, :, :-1]
    if style == "normal":
        top = np.iinfo(ghosts[0].essence.dtype).max if ghosts else 1
        weights = total[:, :, -1] / np.float32(top)
        return Veil(weights / (1 + weights), light / (1 + weights)[:, :, None])
    light = np.float32(0.6) * light + np.float32(0.8) * _blurred(light, _BLOOM * diagonal)
    bright = np.maximum(brightness(light + np.array(levels.floor, np.float32), levels), np.float32(1e-6))
    veil = 1 - np.exp(-bright)
    light *= (veil / bright)[:, :, None]
    return Veil(veil, light)


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
        added = np.clip(np.rint(levels.floor[number] * veil + over.light[:, :, number][found]), 0, top).astype(plane.dtype)
        rest, added = (cv2.resize(one, here.shape[::-1], interpolation=cv2.INTER_LINEAR) for one in (rest, added))
        cv2.multiply(here, rest, dst=view, scale=1 / top)
        cv2.add(view, added, dst=view)


def _exposed(bright: Floats) -> Floats:
    """Factor that brightens by an exposure of about one stop and a half, with a shoulder instead of clipping."""
    bright = np.clip(bright, 1e-3, 1)
    return ((1 - (1 - bright) ** 2.5) / bright).astype(np.float32)


def _blurred(plane: NDArray[Any], sigma: float) -> NDArray[Any]:
    """A Gaussian blur, made as three box blurs (Wells, 1986)."""
    if sigma < 0.3:
        return plane
    side = max(round(np.sqrt(4 * sigma * sigma + 1) / 2) * 2 + 1, 3)
    made: NDArray[Any] = plane
    for _ in range(3):
        made = cv2.blur(made, (side, side), borderType=cv2.BORDER_REPLICATE)
    return made.reshape(plane.shape)
