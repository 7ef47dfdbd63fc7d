"""Constraints of curves: target duration, maximum acceleration, snapping."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from services.speed_ramp.curve.clock import Clock
from services.speed_ramp.curve.constraints import Constraints, constrained, limit_acceleration, snapped
from services.speed_ramp.curve.points import Point, to_points
from services.speed_ramp.render import RenderParams, render
from shared.errors import Invalid
from tests.services.speed_ramp.ramp_clips import flash, lumas, write_clip

WILD = [Point(0, 2.0), Point(1, 0.3, "smooth", 0.5), Point(2.2, 6.0, "hold"), Point(3, 0.5), Point(3.1, 1.0), Point(6, 4.0)]
LIMITS = (0.1, 16.0)


def random_curve(seed: int) -> list[Point]:
    rng = np.random.default_rng(seed)
    t = np.concatenate([[0], np.sort(rng.uniform(0.1, 5.9, 12)), [6]])
    speed = np.exp(rng.uniform(np.log(0.2), np.log(8), 14))
    easing = rng.choice(["linear", "smooth", "hold"], 14)
    return [Point(float(a), float(b), str(c)) for a, b, c in zip(t, speed, easing, strict=True)]  # type: ignore[arg-type]


@pytest.mark.parametrize("target", [1.5, 4, 6, 20, 40])
@pytest.mark.parametrize("acceleration", [None, 1.5])
@pytest.mark.parametrize("start", [0, 0.8])
def test_the_target_is_hit_to_a_thousandth_of_a_frame(target: float, acceleration: float | None, start: float) -> None:
    constraints = Constraints(target_duration=target, max_acceleration=acceleration)
    result = constrained(WILD, constraints, start=start, end=6, limits=LIMITS)
    assert Clock(result, start=start).left(6.0) == pytest.approx(target, abs=1e-5)
    assert all(0.1 <= point.speed <= 16 for point in result)
    assert sum(point.freeze for point in result) == 0.5
    if acceleration is None:
        assert [point.easing for point in result if 1 <= point.t < 3] == ["smooth", "hold"], "the shape stays"


@pytest.mark.parametrize(("target", "limits"), [(0.5, LIMITS), (100, LIMITS), (12.6, (0.5, 2)), (3.4, (0.5, 2))])
def test_an_unreachable_duration_is_refused_with_the_reachable_range(target: float, limits: tuple[float, float]) -> None:
    low, high = limits
    with pytest.raises(Invalid, match=f"they allow {6 / high + 0.5:.2f} to {6 / low + 0.5:.2f} s"):
        constrained(WILD, Constraints(target_duration=target), start=0, end=6, limits=limits)


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("octaves", [0.5, 2, 10])
def test_the_limited_curve_is_the_fastest_within_the_limit(seed: int, octaves: float) -> None:
    points = random_curve(seed)
    result = limit_acceleration(points, octaves)
    assert all(b.t > a.t for a, b in pairwise(result))
    clock, before = Clock(result), Clock(points)
    out = np.linspace(0, float(clock.out(6.0)), 4001)
    source = clock.source(out)
    octaves_a_second = np.diff(np.log2(clock.speed(source))) / np.diff(out)
    assert np.abs(octaves_a_second).max() <= octaves * (1 + 1e-6)
    # Against the envelope by brute force.
    grid = np.linspace(0, 6, 3001)
    cones = before.speed(grid)[None, :] + octaves * np.log(2) * np.abs(grid[:, None] - grid[None, :])
    assert np.abs(clock.speed(grid) - cones.min(axis=1)).max() < 0.03


def test_a_gentle_curve_stays_unchanged() -> None:
    points = [Point(0, 1.0, "smooth"), Point(4, 1.5), Point(8, 1.0)]
    assert limit_acceleration(points, 1) == points


def test_points_move_to_the_nearest_time_and_merge() -> None:
    points = [Point(0, 1.0), Point(1, 0.5, "smooth", 0.2), Point(1.2, 2.0, "hold", 0.3), Point(2.9, 3.0), Point(4, 1.0)]
    result = snapped(points, [3, 1.1, 3, 9], start=0, end=4)
    assert result == [Point(0, 1.0), Point(1.1, pytest.approx(1), "hold", 0.5), Point(3, pytest.approx(3)), Point(4, 1.0)]
    with pytest.raises(Invalid, match="none of the times"):
        snapped(points, [0, 4, 7], start=0, end=4)


def test_listed_speeds_and_times_exclude_each_other() -> None:
    with pytest.raises(ValueError, match="cannot be combined with speeds"):
        RenderParams(speeds=[1], snap_to=[1])


@pytest.mark.parametrize("curve", [{"curve": to_points(WILD)}, {"speeds": [1, 2, 0.5]}, {"min_speed": 0.4, "max_speed": 3}])
def test_a_rendered_file_is_as_long_as_asked(tmp_path: Path, curve: dict[str, object]) -> None:
    video = write_clip(tmp_path / "in.mp4", lambda i: flash(i / 30), frames=180)
    params = RenderParams.model_validate({"target_duration": 5.0, "max_acceleration": 3, **curve})
    result = render(params, video=video, output=tmp_path / "out.mp4")
    assert result.frames == len(lumas(tmp_path / "out.mp4")[0]) == pytest.approx(150, abs=1)
