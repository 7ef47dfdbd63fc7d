"""Keyer: matte and colours of a subject in front of a coloured screen.

The colour difference of Vlahos (described by Smith and Blinn, "Blue Screen Matting", SIGGRAPH 1996) finds the pixels that are certainly
screen or certainly subject. It is measured relative to the screen's plate, so that uneven light does not matter. In between, alpha is the
position of a pixel's colour on the line from the plate to the subject's colour nearby (`edge_alpha.py`).
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from services.matting.chroma.colours import Rgb, excess, excess8, limit_of
from services.matting.chroma.edge_alpha import EdgeAlpha, Edges, luma_detail
from services.matting.chroma.plate import PlateMemory
from services.matting.chroma.screen import Screen
from shared.video.frames.push_pull import push_pull

Mask = NDArray[np.uint8]
Alpha = NDArray[np.float32]
Planes = NDArray[np.float32]

_SCALE = 2
"""Divisor of width and height for colours. 4:2:0 video stores colours at half the size; only luma has finer detail."""
_MIN_PLATE_EXCESS = 8.0  # minimum divisor of a pixel's excess, in levels
_SURE, _SURE_OF_USUAL, _MIN_USUAL, _SURE_DRIFT = 0.97, 0.93, 0.7, 0.2
"""Limit of alpha for pixels that certainly show the subject. Normally it is _SURE. For a subject of the screen's tint, whose usual alpha is
below 1 but above _MIN_USUAL, it is _SURE_OF_USUAL times the usual alpha. Per frame, the limit moves by the share _SURE_DRIFT of the
difference."""
_SUBJECT, _USUAL, _MIN_SUBJECT = 0.5, 75, 0.001
"""Definition of the usual alpha. It is the percentile _USUAL of all alphas above _SUBJECT, if those cover more than the share
_MIN_SUBJECT of the picture."""
_SCREEN_NOISE = 0.04  # alpha up to which a difference from the screen is noise
_ENCLOSED = 0.3
"""Minimum alpha of an enclosed translucent region that belongs to the subject. Cloth of the screen's tint is such a region."""
_SLOPE = 1.0
"""Minimum slope of a blurred rim: change of excess per half-size pixel, in levels. With less, the rim has the subject's own colour."""
_RAMP_SHARE = 24  # height of a half-size picture, divided by the largest width of a blurred rim in pixels
_MIN_ALPHA = 0.1  # minimum divisor when a colour is divided by alpha; a smaller divisor would amplify noise
_DETAIL_FROM = 0.05  # luma detail is added to alpha where alpha is farther than this from both 0 and 1
_THIN_SHARE, _WIDE_EDGE_SHARE, _NEAR_SHARE = 60, 54, 8
"""Divisors of the picture's height that give limits for thin parts, in pixels. The limits: largest distance from a part's middle to its
border; smallest, and largest, distance from the part to the screen."""
_MIXED, _OFF_LINE, _MAX_SPILL = (0.2, 0.95), 24.0, 0.3
"""Limits for the colours of pixels that mix screen and subject. The subject's share lies between both values of _MIXED. The colour differs
by at most _OFF_LINE levels from a mixture of both, besides the share _MAX_SPILL of the screen's light."""
_KERNEL = np.ones((3, 3), np.uint8)


@dataclass(frozen=True, kw_only=True)
class KeyerControls:
    """Settings of the keyer."""

    clip_black: float = 0.01
    """Values of the matte up to this limit become 0."""
    clip_white: float = 0.99
    """Values of the matte from this limit on become 1."""
    despill: float = 1.0
    """Share of the screen's light that is removed from the subject, 0 to 1."""
    balance: float = 1.0
    """Limit of the screen's channel, 0 (low) to 1 (high); see `limit_of`."""
    memory: float = 0.85
    """Share of the remembered screen that remains when a frame is added; see `PlateMemory`."""


@dataclass(frozen=True, slots=True, eq=False)
class KeyedFrame:
    """Matte and foreground of a keyed frame.

    `alpha`: (H, W) float32 0..1. `foreground`: (H, W, 3) uint8, straight colours without the screen's light; None unless requested.
    """

    alpha: Alpha
    foreground: Rgb | None = None


@dataclass(frozen=True, slots=True, eq=False)
class _Regions:
    """Screen, edge and subject regions of a frame.

    `edge`: mask of the edges, (h, w) uint8 0 or 255. `alpha`: 1 where a pixel is certainly subject, else 0; `difference`: alpha by colour
    difference alone; both (h, w) float32.
    """

    edge: Mask
    alpha: Alpha
    difference: Alpha


class Keyer:
    """Keyer of one clip; takes its frames in order."""

    def __init__(self, screen: Screen, controls: KeyerControls | None = None, plate: Rgb | None = None) -> None:
        """Prepare a keyer for one screen.

        `plate`: a picture of the empty screen, (H, W, 3); None to estimate it from the frames.
        """
        self.screen, self.controls = screen, controls or KeyerControls()
        self._memory = PlateMemory(screen, self.controls.memory)
        self._edge_alpha = EdgeAlpha(screen)
        self._user_plate = plate
        self._sure: float | None = None

    def reset(self) -> None:
        """Forget earlier frames after a cut."""
        self._memory.reset()
        self._sure = None

    def key(self, rgb: Rgb, *, garbage: Mask | None = None, core: Mask | None = None, foreground: bool = False) -> KeyedFrame:
        """Compute the matte of one RGB frame (H, W, 3).

        `foreground`: whether to compute the foreground too. `garbage` and `core`: (H, W) uint8 masks. The matte, times 255, is at most
        255 - `garbage` and at least `core`.
        """
        size = max(rgb.shape[1] // _SCALE, 2), max(rgb.shape[0] // _SCALE, 2)
        small = cv2.resize(rgb, size, interpolation=cv2.INTER_AREA).astype(np.float32)
        plate = self._memory.update(rgb) if self._user_plate is None else self._user_plate.astype(np.float32)
        plate = np.asarray(cv2.resize(plate, size, interpolation=cv2.INTER_LINEAR), np.float32)
        regions = self._regions(small, plate)
        regions, near = _mixed_to_edges(small, plate, regions, self.screen.channel)
        alpha = self._alpha(rgb, small, plate, near, regions)
        if garbage is not None:
            alpha = np.minimum(alpha, 1 - garbage.astype(np.float32) / 255)
        if core is not None:
            alpha = np.maximum(alpha, core.astype(np.float32) / 255)
        return KeyedFrame(alpha, self._foreground(rgb, small, plate, near, alpha) if foreground else None)

    def _regions(self, small: Planes, plate: Planes) -> _Regions:
        """Classify pixels as screen, edge or subject."""
        channel, balance = self.screen.channel, self.controls.balance
        above = excess(small, channel, balance)
        expected = np.maximum(excess(plate, channel, balance), _MIN_PLATE_EXCESS)
        # The margin keeps noise on the screen from counting as an edge.
        black, white = self.controls.clip_black + _SCREEN_NOISE, self.controls.clip_white
        alpha = np.asarray(np.maximum(((1 - black) - above / expected) / (white - black), 0), np.float32)
        sure_from = self._sure_from(alpha)
        alpha[_enclosed(alpha, sure_from)] = 1
        edge: Mask = np.asarray(cv2.inRange(alpha, 1e-3, sure_from), np.uint8)
        ramp = np.where(alpha > 1e-3, _ramp(above), 0).astype(np.uint8)
        for _ in range(max(small.shape[0] // _RAMP_SHARE, 4)):
            edge = np.asarray(cv2.bitwise_or(edge, cv2.bitwise_and(cv2.dilate(edge, _KERNEL), ramp)), np.uint8)
        edge = np.asarray(cv2.dilate(edge, _KERNEL), np.uint8)
        sure = (edge == 0) & (alpha >= sure_from)
        return _Regions(edge, np.asarray(sure, np.float32), np.asarray(np.minimum(alpha, 1), np.float32))

    def _sure_from(self, alpha: Alpha) -> float:
        """Return the alpha above which pixels certainly show the subject.

        The result is lower for a subject whose alpha hardly reaches 1, and it changes slowly over time.
        """
        subject = alpha[alpha > _SUBJECT]
        usual = float(np.percentile(subject, _USUAL)) if subject.size > _MIN_SUBJECT * alpha.size else 1.0
        target = min(_SURE, _SURE_OF_USUAL * usual) if usual > _MIN_USUAL else _SURE
        before = target if self._sure is None else self._sure
        self._sure = before + _SURE_DRIFT * (target - before)
        return self._sure

    def _alpha(self, rgb: Rgb, small: Planes, plate: Planes, near: Planes, regions: _Regions) -> Alpha:
        """Compute the matte of a frame, (H, W).

        Alpha of the edges is computed at half the size. Then luma detail is added to it.
        """
        size = rgb.shape[1], rgb.shape[0]
        if regions.alpha.any():
            edges = self._edge_alpha.project(small, plate, near)
        else:  # the subject's colour is unknown
            edges = Edges(regions.difference, np.zeros_like(regions.alpha))
        coarse = np.asarray(cv2.copyTo(edges.alpha, regions.edge, regions.alpha.copy()), np.float32)
        alpha = cv2.resize(coarse, size, interpolation=cv2.INTER_LINEAR)
        gain = cv2.copyTo(edges.gain, _soft(coarse), np.zeros_like(edges.gain))
        detail = luma_detail(rgb)
        cv2.accumulateProduct(detail, cv2.resize(gain, size, interpolation=cv2.INTER_LINEAR), alpha)
        span = self.controls.clip_white - self.controls.clip_black
        alpha = np.asarray(cv2.addWeighted(alpha, 1 / span, alpha, 0, -self.controls.clip_black / span), np.float32)
        return np.asarray(np.clip(alpha, 0, 1, out=alpha), np.float32)

    def _foreground(self, rgb: Rgb, small: Planes, plate: Planes, near: Planes, alpha: Alpha) -> Rgb:
        """Compute the subject's colours without those of the screen.

        Opaque pixels keep the picture's colours without spill. From all others, the plate's share is subtracted at half the size.
        """
        height, width = rgb.shape[:2]
        channel, despill = self.screen.channel, self.controls.despill
        opacity = cv2.resize(alpha, small.shape[1::-1], interpolation=cv2.INTER_AREA)[..., None]
        unmixed = (small - (1 - opacity) * plate) / np.maximum(opacity, _MIN_ALPHA)
        # Where alpha is small, the difference is mostly noise, so colours come from nearby.
        colours = near + np.clip((opacity - _MIN_ALPHA) / 0.4, 0, 1) * (np.clip(unmixed, 0, 255) - near)
        colours[..., channel] -= despill * np.maximum(colours[..., channel] - limit_of(colours, channel, self.controls.balance), 0)
        straight = cv2.resize(np.clip(colours + 0.5, 0, 255).astype(np.uint8), (width, height), interpolation=cv2.INTER_LINEAR)
        spill: Rgb = excess8(rgb, channel, self.controls.balance)
        if despill < 1:
            spill = np.asarray(cv2.convertScaleAbs(spill, alpha=despill), np.uint8)
        clean = rgb.copy()
        cv2.insertChannel(cv2.subtract(cv2.extractChannel(rgb, channel), spill), clean, channel)
        return np.asarray(cv2.copyTo(clean, cv2.inRange(alpha, 1 - 1e-3, 2), straight), np.uint8)


def _soft(alpha: Alpha) -> Mask:
    """Return a mask of pixels with partial alpha and of their neighbours.

    Returns (h, w) uint8, 0 or 255. Outside of the mask, luma detail is texture or noise and must not change alpha.
    """
    return np.asarray(cv2.dilate(cv2.inRange(alpha, _DETAIL_FROM, 1 - _DETAIL_FROM), _KERNEL), np.uint8)


def _mixed_to_edges(small: Planes, plate: Planes, regions: _Regions, channel: int) -> tuple[_Regions, Planes]:
    """Reclassify thin parts of the subject as edges if they show the screen too.

    A thin part that moves fast is opaque nowhere. But if its colour is opposite to the screen's, such as yellow in front of blue, the
    colour difference in its middle reaches 1, as in an opaque part. Such parts are small and have wide edges. Apart from the screen's light
    on them, their colour lies between the colours of the screen and of larger parts of the subject. Returns the regions in which these
    parts are edges, and the subject's colours extended over all edges, (h, w, 3).
    """
    thin = _thin_parts(regions)
    if not thin.any():
        return regions, push_pull(small, regions.alpha)
    solid = np.where(thin, np.float32(0), regions.alpha)
    own, line = small - plate, push_pull(small, solid) - plate
    share = (own * line).sum(axis=2) / np.maximum((line * line).sum(axis=2), 1)
    off = own - share[..., None] * line
    off[..., channel] -= np.clip(off[..., channel], 0, _MAX_SPILL * plate[..., channel])
    off_line = np.linalg.norm(off, axis=2)
    mixed = thin & (share > _MIXED[0]) & (share < _MIXED[1]) & (off_line < _OFF_LINE)
    if not mixed.any():
        return regions, push_pull(small, regions.alpha)
    alpha = np.where(mixed, np.float32(0), regions.alpha)
    edge = np.where(mixed, np.uint8(255), regions.edge)
    return _Regions(edge, alpha, regions.difference), push_pull(small, alpha)


def _thin_parts(regions: _Regions) -> NDArray[np.bool_]:
    """Return a mask of the subject's thin parts that have wide edges.

    Returns (h, w). Wide edges keep a part at some distance from the screen. The mask is empty if the subject has only thin parts.
    """
    height = regions.alpha.shape[0]
    sure = regions.alpha.astype(np.uint8)
    depth = cv2.distanceTransform(sure, cv2.DIST_L2, 3)
    count, labels = cv2.connectedComponents(sure)
    solid = np.zeros(count, np.bool_)
    solid[np.unique(labels[depth > max(height / _THIN_SHARE, 2)])] = True
    if not solid[1:].any():
        return np.zeros(sure.shape, np.bool_)
    to_screen = cv2.distanceTransform(((regions.edge > 0) | (sure > 0)).astype(np.uint8), cv2.DIST_L2, 3)
    thin = ~solid[labels] & (sure > 0)
    return np.asarray(thin & (to_screen > max(height / _WIDE_EDGE_SHARE, 3)) & (to_screen < height / _NEAR_SHARE), np.bool_)


def _enclosed(alpha: Alpha, sure_from: float) -> NDArray[np.bool_]:
    """Return a mask of translucent regions that contain no nearly transparent pixel.

    Returns (h, w) bool. Translucent regions have an alpha of at most `sure_from`.
    """
    count, labels = cv2.connectedComponents(cv2.inRange(alpha, -1, sure_from))
    clear = np.bincount(labels[alpha < _ENCLOSED], minlength=count)
    enclosed = clear == 0
    enclosed[0] = False
    return np.asarray(enclosed[labels], np.bool_)


def _ramp(above: NDArray[np.float32]) -> Mask:
    """Return a mask of pixels where `above` changes steeply, as at blurred edges.

    Returns (h, w) uint8, 0 or 255.
    """
    smooth = cv2.GaussianBlur(above, (0, 0), 1.0)
    across, down = cv2.Sobel(smooth, cv2.CV_32F, 1, 0, scale=1 / 8), cv2.Sobel(smooth, cv2.CV_32F, 0, 1, scale=1 / 8)
    return np.asarray(cv2.inRange(np.maximum(np.abs(across), np.abs(down)), _SLOPE, np.inf), np.uint8)
