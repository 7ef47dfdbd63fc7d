"""Approximation of a curve's time map by straight lines.

It is made for programs that support no curved pieces.
"""

import math
from fractions import Fraction
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from services.speed_ramp.curve.clock import Clock, Floats
from services.speed_ramp.curve.points import Point

_MAX_PIECES = 4096  # maximum number of straight lines between two corners of the time map
_ROUNDING_S = 1e-6  # tolerance for rounding errors of times, in seconds
_ROUNDING = 1e-6  # tolerance for rounding errors, in output frames


class FramePiece(NamedTuple):
    """A run of whole output frames with constant speed.

    `source` is the source second of its first frame.
    """

    first: int
    frames: int
    source: float
    speed: float


def time_map(points: list[Point], *, start: float, end: float, tolerance_s: float) -> list[tuple[float, float]]:
    """Return (output second, source second) pairs along the curve, ascending.

    The pairs go from source second `start` to `end`. Straight lines between the pairs differ from the curve by at most `tolerance_s` source
    seconds. Freezes are level lines; a jump of the speed is a corner.
    """
    clock = Clock(points, start=start)
    inside = [point.t for point in points if start < point.t < end]
    # Rounded so that a point without a freeze makes one corner, not two.
    corners = np.unique(np.round([*clock.out([start, *inside, end]), *clock.left([start, *inside, end])], 9)) + 0.0
    pairs = [(float(corners[0]), start)]
    for a, b in pairwise(corners.tolist()):
        count = 1
        while count < _MAX_PIECES and _largest_gap(clock, np.linspace(a, b, count + 1)) > tolerance_s:
            count *= 2
        out = np.linspace(a, b, count + 1)[1:]
        pairs += zip(out.tolist(), np.clip(clock.source(out), start, end).tolist(), strict=True)
    return [*pairs[:-1], (pairs[-1][0], end)]


def frame_pieces(points: list[Point], *, start: float, end: float, rate: Fraction) -> list[FramePiece]:
    """Split the curve into constant-speed pieces of whole frames.

    `rate`: output frames per second. The pieces together have the output's number of frames. Each frame shows a moment that differs from
    the curve by at most half a source frame. This also holds around jumps and freezes, which begin with the first frame whose moment lies
    in them.
    """
    clock = Clock(points, start=start)
    total = max(round(float(clock.left(end)) * rate), 1)
    corners = [out for out, _ in time_map(points, start=start, end=end, tolerance_s=float(1 / rate) / 2)]
    # A frame belongs to the piece that contains its moment.
    numbers = sorted({0, total} | {number for out in corners if 0 < (number := math.ceil(out * rate - _ROUNDING)) < total})
    # A piece's speed is measured from its first to its last frame, because the next frame may lie beyond a jump.
    lasts = [max(b - 1, a + 1) for a, b in pairwise(numbers)]
    first_s, last_s = (np.clip(clock.source([float(number / rate) for number in frames]), start, end) for frames in (numbers[:-1], lasts))
    return [
        FramePiece(first=a, frames=b - a, source=float(source_a), speed=float((source_b - source_a) / (last - a) * rate))
        for (a, b), last, source_a, source_b in zip(pairwise(numbers), lasts, first_s, last_s, strict=True)
    ]


def inside_media(pieces: list[FramePiece], *, end: float, frame_s: float, rate: Fraction) -> list[FramePiece]:
    """Change pieces so that they play no media after `end`.

    `end`: source second. `frame_s`: length of the media's last frame in seconds. A piece starts at the last frame at the latest. If the
    last frame of a piece extends beyond the end, it becomes a piece of its own, which shows the same moment slower.
    """
    inside: list[FramePiece] = []
    for first, frames, source, speed in pieces:
        begin = max(min(source, end - frame_s), 0.0)
        if begin + frames * speed / float(rate) <= end:
            inside.append(FramePiece(first, frames, begin, speed))
            continue
        frames_left = frames - 1
        moment = max(min(begin + frames_left * speed / float(rate), end - frame_s), begin)
        if frames_left:
            inside.append(FramePiece(first, frames_left, begin, (moment - begin) * float(rate) / frames_left))
        inside.append(FramePiece(first + frames_left, 1, moment, min(speed, max(end - moment, 0.0) * float(rate))))
    return inside


def within_ranges(pieces: list[FramePiece], *, end: float, frame_s: float, rate: Fraction) -> list[FramePiece]:
    """Split slow pieces whose stated source range would extend beyond `end`.

    OpenTimelineIO states a source range as long as the piece lasts, although a slow piece plays less of its source. `end`, `frame_s`: as in
    `inside_media`. A piece of one frame whose range still extends beyond the end starts earlier, unless the media's last frame is shorter
    than a frame of the timeline. Freezes stay whole.
    """
    within: list[FramePiece] = []
    for first, frames, source, speed in pieces:
        while speed > 0 and source + frames / float(rate) > end + _ROUNDING_S and frames > 1:
            part = min(max(math.floor((end - source) * float(rate) + _ROUNDING), 1), frames)
            within.append(FramePiece(first, part, source, speed))
            first, frames, source = first + part, frames - part, source + part * speed / float(rate)
        if frames:
            within.append(FramePiece(first, frames, source, speed))
    if frame_s < float(1 / rate) - _ROUNDING_S:
        return within
    last = end - float(1 / rate)
    return [piece._replace(source=max(min(piece.source, last), 0.0)) if piece.frames == 1 else piece for piece in within]


def _largest_gap(clock: Clock, out: Floats) -> float:
    """Return the largest deviation of straight lines from the clock, in source seconds.

    The lines join the moments that the clock gives for the output times `out`.
    """
    quarters = out[:-1, None] + np.diff(out)[:, None] * np.array([0.25, 0.5, 0.75])
    ends = clock.source(out)
    straight = ends[:-1, None] + np.diff(ends)[:, None] * np.array([0.25, 0.5, 0.75])
    return float(np.abs(clock.source(quarters) - straight).max())
