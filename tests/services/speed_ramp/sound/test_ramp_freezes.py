"""Freezes and parts in rendered files, with silence during freezes."""

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from services.speed_ramp.curve.clock import Clock
from services.speed_ramp.curve.points import Point, to_points
from services.speed_ramp.render import RenderParams, render
from services.speed_ramp.sound.freeze_silence import FreezeSilence
from shared.errors import Invalid
from tests.services.speed_ramp.ramp_clips import RATE, beep, beeps, flash, flashes, lumas, sound, write_clip


class Counting:
    """A sound source in which sample n has the value n + 1."""

    def __init__(self) -> None:
        self.position = 0

    def read(self, until: int) -> Iterator[np.ndarray]:
        while self.position < until:
            count = min(until - self.position, 700)
            yield np.tile(np.arange(self.position + 1, self.position + count + 1, dtype=np.float32), (2, 1))
            self.position += count


@pytest.mark.parametrize("ask", [1, 333, 10_000])
def test_silence_is_put_in_and_nothing_is_lost(ask: int) -> None:
    stopped = FreezeSilence(Counting(), [(0.0, 0.1), (1.0, 0.5), (1.5, 0.25)], channels=2, sample_rate=1000)
    parts = [part for until in range(ask, 3000 + ask, ask) for part in stopped.read(min(until, 3000))]
    heard = np.concatenate(parts, axis=1)
    assert heard.shape == (2, 3000)
    assert not heard[:, :100].any()
    assert not heard[:, 1100:1600].any()
    assert not heard[:, 2100:2350].any()
    rest = np.concatenate([heard[0, 100:1100], heard[0, 1600:2100], heard[0, 2350:]])
    faded = np.flatnonzero(rest != np.arange(1, len(rest) + 1))
    assert set(faded) <= {*range(5), *range(995, 1005), *range(1495, 1505)}


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write a clip of 6 s at 30 fps with flashes and beeps.

    A flash and a beep come at 0.5 s, 1.5 s and so on.
    """
    path = tmp_path_factory.mktemp("stops") / "source.mp4"
    return write_clip(path, lambda i: flash(i / 30), frames=180, tracks=(("stereo", beep),))


EASED = [Point(0, 1.0, "smooth"), Point(1.2, 0.4, "hold", 0.7), Point(2.4, 2.0, "smooth"), Point(3.55, 0.5, "linear", 1.0), Point(6, 2.0)]


@pytest.mark.parametrize(("start", "duration"), [(0.0, None), (1.3, None), (1.3, 3.1), (0.0, 2.5)])
def test_picture_and_sound_agree_through_easing_freezes_and_parts(
    source: Path, tmp_path: Path, start: float, duration: float | None
) -> None:
    output = tmp_path / "out.mp4"
    params = RenderParams(curve=to_points(EASED), start=start, duration=duration)
    result = render(params, video=source, output=output)
    end = 6.0 if duration is None else start + duration
    clock = Clock(EASED, start=start)
    total = float(clock.left(end))
    assert result.duration_s == pytest.approx(total, abs=0.5 / 30 + 1e-9)
    assert result.source_duration_s == pytest.approx(end - start)
    assert result.frames == len(lumas(output)[0]) == round(result.duration_s * 30)
    assert result.curve[0].t <= start
    assert result.curve[-1].t >= end
    assert Clock([Point(**point.model_dump()) for point in result.curve], start=start).left(end) == pytest.approx(total, abs=1e-9)

    samples, rate, first = sound(output)
    assert first + samples.shape[1] / rate == pytest.approx(total, abs=1024 / RATE + 1e-6)
    marks = np.arange(6) + 0.5
    expected = clock.out(marks[(marks > start + 0.1) & (marks < end - 0.15)])
    assert flashes(output) == pytest.approx(expected, abs=0.5 / 30 + 0.001)
    assert beeps(output, expected) == pytest.approx(expected, abs=0.010)
    for t, freeze in ((1.2, 0.7), (3.55, 1.0)):
        if start < t < end:
            a, b = (round(float(second) * rate) for second in (clock.out(t), clock.left(t)))
            assert b - a == pytest.approx(freeze * rate, abs=1)
            assert np.abs(samples[:, a + 1500 : b - 1500]).max() < 0.01


def test_the_frozen_picture_is_the_one_at_its_time(tmp_path: Path) -> None:
    video = write_clip(tmp_path / "in.mp4", lambda i: np.full((48, 64), 20 + 6 * i, np.uint8), frames=30)
    curve = to_points([Point(0, 1.0, freeze=0.2), Point(0.5, 1.0, freeze=0.5), Point(1.0, 1.0, freeze=0.3)])
    render(RenderParams(curve=curve), video=video, output=tmp_path / "out.mp4")
    levels = np.round((lumas(tmp_path / "out.mp4")[1] - 20) / 6).astype(int).tolist()
    assert levels == [0] * 6 + list(range(15)) + [15] * 16 + list(range(16, 30)) + [29] * 9


def test_a_part_begins_with_a_picture_and_ends_on_time(tmp_path: Path) -> None:
    video = write_clip(tmp_path / "in.mp4", lambda i: np.full((48, 64), 20 + 6 * i, np.uint8), frames=30)
    params = RenderParams(curve=to_points([Point(0, 0.5)]), start=0.35, duration=0.25)
    result = render(params, video=video, output=tmp_path / "out.mp4")
    times, means = lumas(tmp_path / "out.mp4")
    levels = np.round((means - 20) / 6).astype(int)
    assert times[0] == 0
    assert result.frames == 15
    assert levels[0] == 11
    assert levels[-1] == 17
    with pytest.raises(Invalid, match="earlier start"):
        render(params.model_copy(update={"start": 1.0}), video=video, output=tmp_path / "none.mp4")
    assert not (tmp_path / "none.mp4").exists()


def test_listed_speeds_begin_where_the_part_does(source: Path, tmp_path: Path) -> None:
    params = RenderParams(speeds=[2, 0.5], segment_duration=1, start=2, duration=2)
    result = render(params, video=source, output=tmp_path / "out.mp4")
    assert result.frames == round(2.5 * 30)
    assert flashes(tmp_path / "out.mp4")[0] == pytest.approx(0.25, abs=0.5 / 30 + 0.001)
    assert Fraction(result.frame_rate) == 30
