"""The time map against numeric integration, on random curves."""

from itertools import pairwise

import numpy as np
import pytest

from services.speed_ramp.clock import Clock


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
def test_source_undoes_out(seed: int) -> None:
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
