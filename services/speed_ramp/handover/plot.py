"""Plot of a clip's speed curve and motion over time."""

import math
from collections.abc import Iterator, Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from services.speed_ramp.curve.clock import Clock, Floats
from services.speed_ramp.handover.ramped_clip import RampedClip
from services.speed_ramp.motion.motion_curve import Motion

WIDTH, HEIGHT = 1600, 800
_OVERSAMPLING = 2  # factor by which the plot is drawn larger and then shrunk, for smooth lines
_LEFT, _RIGHT, _TOP, _BOTTOM = 90, 40, 70, 80
_PAPER, _INK, _GRID, _PALE = (250, 250, 248), (40, 44, 52), (222, 222, 218), (130, 134, 140)
_SPEED, _MOTION, _CUT = (214, 84, 39), (190, 208, 226), (150, 90, 160)
_STEPS_S = (0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600, 7200, 36_000, 360_000)
_MAX_TICKS = 12  # maximum number of labels on a time axis


def plot(clip: RampedClip, motion: Motion | None = None, cuts: Sequence[float] = ()) -> Image.Image:
    """Draw a speed curve as an RGB picture of 1600 x 800 pixels.

    The speed is on a logarithmic scale, with source seconds below and output seconds above. `motion` is drawn as an area, `cuts` (source
    seconds) as vertical lines.
    """
    return _Plot(clip, motion, cuts).drawn()


class _Plot:
    """Drawing of a plot, part by part.

    Coordinates are in pixels of the finished picture.
    """

    def __init__(self, clip: RampedClip, motion: Motion | None, cuts: Sequence[float]) -> None:
        self._clip, self._motion, self._cuts = clip, motion, cuts
        self._clock = Clock(clip.points, start=clip.start)
        speeds = [point.speed for point in clip.points]
        self._low = min(-1, math.floor(math.log2(min(speeds)) + 1e-9))
        self._high = max(1, math.ceil(math.log2(max(speeds)) - 1e-9))
        self._image = Image.new("RGB", (WIDTH * _OVERSAMPLING, HEIGHT * _OVERSAMPLING), _PAPER)
        self._draw = ImageDraw.Draw(self._image)

    def drawn(self) -> Image.Image:
        """Draw all parts and return the picture."""
        if self._motion is not None and self._motion.times:
            self._draw_motion(np.array(self._motion.times), np.array(self._motion.values))
        self._draw_octaves()
        self._draw_seconds()
        for cut in self._cuts:
            self._line([(self._x(cut), _TOP), (self._x(cut), HEIGHT - _BOTTOM)], _CUT, 1)
        self._draw_curve()
        ramped_s = float(self._clock.left(self._clip.end))
        self._text((_LEFT, 16), f"{self._clip.end - self._clip.start:.2f} s of source take {ramped_s:.2f} s", _INK, 22, "la")
        legend = "speed" if self._motion is None else "speed, and motion as an area; upright lines are cuts"
        self._text((WIDTH - _RIGHT, 16), legend, _PALE, 18, "ra")
        return self._image.resize((WIDTH, HEIGHT), Image.Resampling.LANCZOS)

    def _draw_motion(self, times: Floats, values: Floats) -> None:
        """Draw motion as a filled area.

        Of several values in a pixel column, the largest is drawn. The 98th percentile reaches half-way up, so that outliers do not flatten
        the rest.
        """
        full = float(np.percentile(values, 98)) or 1.0
        columns = np.round(self._x_of(times)).astype(int)
        starts = np.flatnonzero(np.diff(columns, prepend=columns[0] - 1))
        tops = np.minimum(np.maximum.reduceat(values, starts) / full, 1.4) * 0.5 * (HEIGHT - _TOP - _BOTTOM)
        floor = HEIGHT - _BOTTOM
        outline = [(float(x), floor - float(top)) for x, top in zip(columns[starts], tops, strict=True)]
        area = [(outline[0][0], floor), *outline, (outline[-1][0], floor)]
        self._draw.polygon([(x * _OVERSAMPLING, y * _OVERSAMPLING) for x, y in area], fill=_MOTION)

    def _draw_octaves(self) -> None:
        """Draw the speed axis in octaves."""
        for octave in range(self._low, self._high + 1):
            y = self._y(2.0**octave)
            self._line([(_LEFT, y), (WIDTH - _RIGHT, y)], _PALE if octave == 0 else _GRID, 2 if octave == 0 else 1)
            self._text((_LEFT - 12, y), f"{2.0**octave:g}x", _INK, 18, "rm")

    def _draw_seconds(self) -> None:
        """Draw the source-time and output-time axes."""
        for second in self._ticks():
            x = self._x(second)
            self._line([(x, _TOP), (x, HEIGHT - _BOTTOM)], _GRID, 1)
            self._text((x, HEIGHT - _BOTTOM + 12), f"{second:g}", _INK, 18, "ma")
            self._text((x, _TOP - 8), f"{float(self._clock.out(second)):.1f}", _PALE, 16, "mb")
        self._text((WIDTH - _RIGHT, HEIGHT - 34), "source, s (above: output, s)", _PALE, 18, "ra")

    def _ticks(self) -> Iterator[float]:
        """Yield the source times of axis labels."""
        start, end = self._clip.start, self._clip.end
        step = next((step for step in _STEPS_S if (end - start) / step <= _MAX_TICKS), _STEPS_S[-1])
        for number in range(math.ceil(start / step - 1e-9), math.floor(end / step + 1e-9) + 1):
            yield round(number * step, 6)

    def _draw_curve(self) -> None:
        """Draw the curve and its freezes."""
        t = np.unique(np.concatenate([np.linspace(self._clip.start, self._clip.end, 2 * WIDTH), self._corners()]))
        self._line([(self._x(float(a)), self._y(float(s))) for a, s in zip(t, self._clock.speed(t), strict=True)], _SPEED, 4)
        for point in self._clip.points:
            if point.freeze and self._clip.start <= point.t <= self._clip.end:
                x, y = self._x(point.t), self._y(point.speed)
                self._draw.ellipse(
                    [(x - 9) * _OVERSAMPLING, (y - 9) * _OVERSAMPLING, (x + 9) * _OVERSAMPLING, (y + 9) * _OVERSAMPLING],
                    outline=_SPEED,
                    width=3 * _OVERSAMPLING,
                )
                self._text((x, y - 16), f"{point.freeze:g} s still", _SPEED, 18, "mb")

    def _corners(self) -> Floats:
        """Return the times at and just before each control point.

        With both, jumps of the speed are drawn as vertical lines.
        """
        times = np.array([point.t for point in self._clip.points])
        all_times = np.concatenate([times, times - 1e-6])
        return all_times[(all_times >= self._clip.start) & (all_times <= self._clip.end)]

    def _x(self, second: float) -> float:
        return float(self._x_of(np.array(second)))

    def _x_of(self, seconds: Floats) -> Floats:
        share = (seconds - self._clip.start) / max(self._clip.end - self._clip.start, 1e-9)
        return _LEFT + share * (WIDTH - _LEFT - _RIGHT)

    def _y(self, speed: float) -> float:
        return _TOP + (self._high - math.log2(speed)) / (self._high - self._low) * (HEIGHT - _TOP - _BOTTOM)

    def _line(self, points: list[tuple[float, float]], color: tuple[int, int, int], width: int) -> None:
        self._draw.line([(x * _OVERSAMPLING, y * _OVERSAMPLING) for x, y in points], fill=color, width=width * _OVERSAMPLING, joint="curve")

    def _text(self, place: tuple[float, float], text: str, color: tuple[int, int, int], size: int, anchor: str) -> None:
        font = ImageFont.load_default(size * _OVERSAMPLING)
        self._draw.text((place[0] * _OVERSAMPLING, place[1] * _OVERSAMPLING), text, fill=color, font=font, anchor=anchor)
