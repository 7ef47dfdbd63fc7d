"""Curves made from motion and from lists of speeds."""

import numpy as np
import pytest

from services.speed_ramp.analyze import AnalyzeParams
from services.speed_ramp.curve.clock import Clock
from services.speed_ramp.curve.from_motion import from_motion
from services.speed_ramp.curve.from_speeds import from_speeds
from services.speed_ramp.curve.points import MAX_SPEED, MIN_SPEED, CurvePoint, Point, from_points, to_points
from services.speed_ramp.curve.segments import segment_speeds, segments
from services.speed_ramp.curve.trim import trimmed
from services.speed_ramp.motion.trace import Trace
from shared.errors import Invalid


def at(times: np.ndarray, values: np.ndarray, duration_s: float) -> Trace:
    return Trace(times=times, ends=times, values=values, duration_s=duration_s)


def pairs(points: list[Point]) -> list[tuple[float, float]]:
    assert all(point.easing == "linear" and not point.freeze for point in points)
    return [(point.t, point.speed) for point in points]


def trace(motion: np.ndarray, *, rate: float = 30) -> Trace:
    return at(np.arange(1, len(motion) + 1) / rate, motion, (len(motion) + 1) / rate)


def burst(seconds: float = 10, *, start: float = 4, end: float = 6) -> np.ndarray:
    t = np.arange(1, round(seconds * 30)) / 30
    return np.where((t > start) & (t <= end), 0.8, 0.05) + np.random.default_rng(0).normal(0, 0.01, len(t))


def test_action_is_slowed_and_stillness_sped_up() -> None:
    clock = Clock(from_motion(trace(burst()), AnalyzeParams()))
    assert clock.speed(5.0) == pytest.approx(0.5, abs=0.01)
    assert clock.speed(1.0) == pytest.approx(2, abs=0.1)


def test_the_mode_speed_action_does_the_opposite() -> None:
    clock = Clock(from_motion(trace(burst()), AnalyzeParams(mode="speed_action")))
    assert clock.speed(5.0) == pytest.approx(2, abs=0.05)
    assert clock.speed(1.0) == pytest.approx(0.5, abs=0.05)


def test_one_outlier_does_not_decide_the_scale() -> None:
    motion = burst()
    wild = motion.copy()
    wild[30] = 500
    params = AnalyzeParams(smoothing=0)
    assert Clock(from_motion(trace(wild), params)).speed(8.0) == pytest.approx(
        float(Clock(from_motion(trace(motion), params)).speed(8.0)), rel=0.05
    )


@pytest.mark.parametrize(("low", "high", "expected"), [(0.5, 2, 1), (1.5, 3, 1.5), (0.2, 0.8, 0.8)])
@pytest.mark.parametrize("level", [0, 0.3])
def test_even_motion_plays_at_normal_speed(low: float, high: float, expected: float, level: float) -> None:
    points = from_motion(trace(np.full(299, float(level))), AnalyzeParams(min_speed=low, max_speed=high))
    assert pairs(points) == [(0.0, expected), (10.0, expected)]


@pytest.mark.parametrize("mode", ["slow_action", "speed_action"])
@pytest.mark.parametrize(
    ("octaves", "share"), [(0.05, 0), (0.1, 0), (0.25, 1 / 6), (0.436, 0.373), (0.55, 0.5), (0.775, 0.75), (1, 1), (3, 1)]
)
def test_the_range_of_speeds_follows_the_range_of_motion(octaves: float, share: float, mode: str) -> None:
    # `share` is the expected share of the speed range; 0.436 octaves are ±15 %.
    t = np.arange(1, 1200) / 30
    motion = 0.3 * 2 ** (octaves * np.where(t % 10 < 5, -0.5, 0.5))
    points = from_motion(trace(motion), AnalyzeParams(mode=mode, smoothing=0))
    speeds = [point.speed for point in points]
    assert np.log2(max(speeds) / min(speeds)) / 2 == pytest.approx(share, abs=0.04)
    assert np.sqrt(max(speeds) * min(speeds)) == pytest.approx(1, rel=0.01)


def test_a_single_frame_has_a_curve() -> None:
    points = from_motion(at(np.zeros(0), np.zeros(0), 0.04), AnalyzeParams())
    assert pairs(points) == [(0.0, 1.0), (0.04, 1.0)]


@pytest.mark.parametrize("smoothing", [0, 0.5, 10])
@pytest.mark.parametrize("seconds", [0.2, 3.3, 10])
def test_the_curve_is_ordered_limited_and_whole(seconds: float, smoothing: float) -> None:
    params = AnalyzeParams(min_speed=0.3, max_speed=7, smoothing=smoothing)
    points = from_motion(trace(burst(seconds, start=0.1, end=0.15)), params)
    t, speed = np.array(pairs(points)).T
    assert t[0] == 0
    assert t[-1] == seconds
    assert np.all(np.diff(t) > 0)
    assert np.all((speed >= 0.3) & (speed <= 7))


def test_more_smoothing_gives_calmer_changes() -> None:
    def steepest(smoothing: float) -> float:
        t, speed = np.array(pairs(from_motion(trace(burst()), AnalyzeParams(smoothing=smoothing, segment_duration=0.1)))).T
        return float(np.abs(np.diff(speed) / np.diff(t)).max())

    assert steepest(2) < steepest(0.5) < steepest(0)


def test_the_frame_rate_does_not_change_the_curve() -> None:
    dense, sparse = burst()[: 9 * 30 - 1], burst()[: 9 * 30 - 1]
    twice = at(np.arange(1, 2 * len(dense) + 1) / 60, np.repeat(dense, 2), 9)
    once = at(np.arange(1, len(sparse) + 1) / 30, sparse, 9)
    t = np.linspace(0.2, 8.8, 50)
    a, b = (Clock(from_motion(each, AnalyzeParams())).speed(t) for each in (once, twice))
    np.testing.assert_allclose(a, b, rtol=0.02)


@pytest.mark.parametrize("seed", range(10))
def test_listed_speeds_give_each_segment_its_duration(seed: int) -> None:
    rng = np.random.default_rng(seed)
    duration = float(rng.uniform(1, 8))
    count = len(segments(duration, 0.5)[0])
    speeds = np.exp(rng.uniform(np.log(0.25), np.log(4), count)).tolist()
    points = from_speeds(speeds, segment_duration=0.5, smoothing=float(rng.uniform(0, 1)), duration_s=duration)
    assert segment_speeds(points, 0.5, duration) == pytest.approx(speeds, rel=1e-9)
    assert np.all(np.diff([point.t for point in points]) > 0)


def test_listed_speeds_stay_possible_at_the_limits() -> None:
    points = from_speeds([0.1, 16, 0.1, 16], segment_duration=0.5, smoothing=0.5, duration_s=2)
    assert all(MIN_SPEED <= point.speed <= MAX_SPEED for point in points)


def test_a_short_list_holds_its_last_speed_and_a_long_one_is_cut() -> None:
    short = from_speeds([1, 2], segment_duration=1, smoothing=0.2, duration_s=5)
    assert segment_speeds(short, 1, 5) == pytest.approx([1, 2, 2, 2, 2])
    cut = from_speeds([3, 3, 3, 3, 1], segment_duration=1, smoothing=0.2, duration_s=2)
    assert pairs(cut) == [(0.0, 3.0), (2.0, 3.0)]


def test_segment_speeds_are_harmonic_so_that_durations_add_up() -> None:
    points = [Point(0.0, 0.5), Point(2.3, 2.0)]
    speeds = segment_speeds(points, 0.5, 2.3)
    lengths = [0.5, 0.5, 0.5, 0.5, 0.3]
    assert len(speeds) == 5
    assert sum(length / speed for length, speed in zip(lengths, speeds, strict=True)) == pytest.approx(float(Clock(points).out(2.3)))


def test_given_points_are_cut_and_held_to_the_clip() -> None:
    points = from_points([CurvePoint(t=1, speed=1), CurvePoint(t=3, speed=2)])
    assert pairs(trimmed(points, 2)) == [(0.0, 1.0), (1.0, 1.0), (2.0, 1.5)]
    assert pairs(trimmed(points, 4)) == [(0.0, 1.0), (1.0, 1.0), (3.0, 2.0), (4.0, 2.0)]
    assert pairs(trimmed(points, 2.5, start=1.5)) == [(1.5, 1.25), (2.5, 1.75)]
    assert pairs(trimmed(points, 9, start=8)) == [(8, 2), (9, 2)]


def test_eased_and_frozen_points_survive_trimming() -> None:
    points = [Point(0, 1.0, "hold"), Point(1, 2.0, "smooth"), Point(3, 0.5, freeze=1), Point(4, 0.5)]
    part = trimmed(points, 2, start=0.5)
    assert part == [Point(0.5, 1.0, "hold"), Point(1, 2.0, "smooth"), Point(3, 0.5, freeze=1)], "an eased piece is not cut"
    assert trimmed(points, 3.5) == [*points[:3], Point(3.5, 0.5)]
    t = np.linspace(0.5, 2, 50)
    np.testing.assert_allclose(Clock(part, start=0.5).out(t), Clock(points, start=0.5).out(t), atol=1e-12)
    assert to_points(from_points(to_points(points))) == to_points(points)


def test_too_many_segments_are_refused_with_advice() -> None:
    with pytest.raises(Invalid, match="longer segment_duration"):
        segments(20_000, 0.1)
