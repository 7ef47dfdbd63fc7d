"""The map between source and output times, compared with numeric integration."""

from itertools import pairwise

import numpy as np
import pytest

from services.speed_ramp.curve.clock import Clock
from services.speed_ramp.curve.points import Point


def curve(seed: int) -> list[tuple[float, float]]:
    rng = np.random.default_rng(seed)
    t = np.cumsum(rng.uniform(0.01, 3, rng.integers(1, 30))) - 0.5
    return list(zip(t.tolist(), np.exp(rng.uniform(np.log(0.1), np.log(16), len(t))).tolist(), strict=True))


@pytest.mark.parametrize("seed", range(20))
def test_output_time_is_the_integral_of_one_over_speed(seed: int) -> None:
    points = curve(seed)
    clock = Clock(points)
    end = points[-1][0] + 2
    # Composite Simpson between control points, where the integrand is smooth.
    knots = np.unique(np.clip([0.0, *[t for t, _ in points], end], 0, end))
    total = 0.0
    for a, b in pairwise(knots):
        t = np.linspace(a, b, 4001)
        y = 1 / clock.speed(t)
        total += (b - a) / 12000 * (y[0] + y[-1] + 4 * y[1::2].sum() + 2 * y[2:-1:2].sum())
        assert clock.out(b) == pytest.approx(total, rel=1e-9, abs=1e-12)
    assert clock.out(0.0) == 0


@pytest.mark.parametrize("seed", range(20))
def test_source_is_the_inverse_of_out(seed: int) -> None:
    clock = Clock(curve(seed))
    t = np.linspace(-5, 60, 10_001)
    out = clock.out(t)
    assert np.all(np.diff(out) > 0)
    np.testing.assert_allclose(clock.source(out), t, rtol=0, atol=1e-10)


def test_nearly_flat_pieces_lose_no_digits() -> None:
    clock = Clock([(0, 1.0), (1000, 1 + 1e-12), (2000, 2.0)])
    assert clock.out(1000.0) == pytest.approx(1000, abs=1e-8)
    assert clock.source(clock.out(1500.0)) == pytest.approx(1500, abs=1e-9)


def test_speeds_are_held_outside_the_points() -> None:
    clock = Clock([(1, 2.0), (2, 4.0)])
    assert clock.out(1.0) == pytest.approx(0.5)
    assert clock.out(-1.0) == pytest.approx(-0.5)
    assert clock.out(6.0) - clock.out(2.0) == pytest.approx(1)
    assert clock.source(-0.5) == pytest.approx(-1)


@pytest.mark.parametrize("points", [[(0, 1.0), (0, 2.0)], [(1, 1.0), (0, 1.0)], [(0, 0.0)], [(0, float("nan"))]])
def test_impossible_curves_are_refused(points: list[tuple[float, float]]) -> None:
    with pytest.raises(ValueError, match="rising times"):
        Clock(points)


def mixed(seed: int) -> list[Point]:
    rng = np.random.default_rng(seed)
    return [
        Point(t, speed, str(rng.choice(["linear", "smooth", "hold"])), float(rng.choice([0, 0, 0.4])))  # type: ignore[arg-type]
        for t, speed in curve(seed)
    ]


@pytest.mark.parametrize("seed", range(10))
def test_every_easing_is_integrated_and_inverted(seed: int) -> None:
    points = mixed(seed)
    clock = Clock(points).moving()
    knots = [t for t, *_ in points]
    for a, b in pairwise(knots):
        # Midpoints, which never touch a jump.
        t = np.linspace(a, b, 200_001)
        total = float((1 / clock.speed((t[1:] + t[:-1]) / 2)).mean() * (b - a))
        assert float(clock.out(b) - clock.out(a)) == pytest.approx(total, abs=1e-6)
    t = np.linspace(-5, 60, 5001)
    np.testing.assert_allclose(clock.source(clock.out(t)), t, rtol=0, atol=1e-9)


def test_smooth_starts_and_ends_level_and_passes_the_mean() -> None:
    clock = Clock([Point(1, 0.2, "smooth"), Point(3, 5.0)])
    assert clock.speed([1, 2, 3, 4]) == pytest.approx([0.2, 2.6, 5, 5])
    assert np.abs(np.diff(clock.speed([1, 1.001]))) < 1e-4
    assert np.abs(np.diff(clock.speed([2.999, 3]))) < 1e-4
    same = Clock([Point(0, 0.7, "smooth"), Point(2, 0.7 + 1e-12)])
    assert same.out(2.0) == pytest.approx(2 / 0.7, abs=1e-9)
    almost = Clock([Point(0, 0.7, "smooth"), Point(2, 0.7 + 1e-7)])
    assert almost.out(1.5) == pytest.approx(1.5 / 0.7, abs=1e-6)
    assert almost.source(almost.out(1.5)) == pytest.approx(1.5, abs=1e-12)


def test_hold_keeps_its_speed_and_jumps() -> None:
    clock = Clock([Point(0, 2.0, "hold"), Point(2, 0.5)])
    assert clock.speed([0, 1.999, 2, 3]).tolist() == [2, 2, 0.5, 0.5]
    assert clock.out([1, 2, 3]) == pytest.approx([0.5, 1, 3])
    assert clock.jumps().tolist() == [1]


def test_a_freeze_stops_the_source_and_nothing_else() -> None:
    clock = Clock([Point(0, 1.0, freeze=0.5), Point(1, 1.0, freeze=2.0), Point(3, 1.0)])
    assert clock.out([0, 0.5, 1, 1.5]) == pytest.approx([0, 1, 1.5, 4])
    assert clock.left([0, 1]) == pytest.approx([0.5, 3.5])
    assert clock.source([-1, 0, 0.25, 0.5, 1.5, 2, 3.5, 4]) == pytest.approx([-1, 0, 0, 0, 1, 1, 1, 1.5])
    assert clock.freezes() == [(0, 0.5), (1, 2)]
    long = Clock([Point(0, 16.0), Point(0.01, 0.1, freeze=3600), Point(0.02, 16.0)])
    assert long.source(1800.0) == pytest.approx(0.01)


def test_output_time_can_start_anywhere() -> None:
    points = [Point(0, 0.5, "smooth", 1), Point(2, 2, freeze=1), Point(5, 1)]
    whole, part = Clock(points), Clock(points, start=1.5)
    t = np.linspace(1.5, 8, 100)
    np.testing.assert_allclose(part.out(t), whole.out(t) - whole.out(1.5), atol=1e-12)
    assert part.source(0.0) == pytest.approx(1.5)
    assert part.freezes() == [(pytest.approx(float(part.out(2.0))), 1)]


def test_arrays_of_any_shape_are_converted() -> None:
    clock = Clock(mixed(3))
    out = np.linspace(0, 20, 12).reshape(3, 4)
    assert clock.source(out).shape == clock.out(out).shape == clock.speed(out).shape == (3, 4)
    assert float(clock.source(out[1, 2])) == float(clock.source(out)[1, 2])
