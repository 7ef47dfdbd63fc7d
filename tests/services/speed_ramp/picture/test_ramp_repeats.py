"""Repeated source frames: detected in film, animation and noise, and skipped."""

from collections.abc import Callable
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from services.speed_ramp.curve.points import Point, to_points
from services.speed_ramp.picture.cadence import evenly
from services.speed_ramp.picture.repeats import Repeats
from services.speed_ramp.render import RenderParams, render
from shared.video import read_frames
from tests.services.speed_ramp.picture.test_ramp_inbetween import pictures, view
from tests.services.speed_ramp.ramp_clips import write_clip


def moments(path: Path, rate: int) -> tuple[list[float], int]:
    """Return the times of new frames, and the number of repeats.

    Times are in source frames.
    """
    repeats = Repeats()
    with read_frames(path) as frames:
        return [float(frame.time * rate) for frame in evenly(repeats.without(frames))], repeats.count


def noisy(picture: np.ndarray, seed: int, level: float = 2) -> np.ndarray:
    noise = np.random.default_rng(seed).normal(0, level, picture.shape)
    return np.clip(picture + noise, 16, 235).astype(np.uint8)


@pytest.mark.parametrize(
    ("rate", "shown", "step"),
    [(30, lambda i: i * 4 // 5, 5 / 4), (24, lambda i: i // 2, 2), (24, lambda i: i // 3, 3), (60, lambda i: i * 2 // 5, 5 / 2)],
    ids=["24 in 30", "twos", "threes", "24 in 60"],
)
def test_repeats_are_found_and_moments_are_even(tmp_path: Path, rate: int, shown: Callable[[int], int], step: float) -> None:
    count = 60
    video = write_clip(tmp_path / "in.mp4", lambda i: noisy(view(4 * shown(i)), i), frames=count, frame_rate=Fraction(rate))
    times, repeats = moments(video, rate)
    assert repeats == count - (shown(count - 1) + 1)
    steps = np.diff(times)
    assert np.abs(steps[2:-2] - step).max() < 0.3 * step
    assert np.median(steps) == pytest.approx(step, rel=0.02)


@pytest.mark.parametrize(
    "picture",
    [
        lambda i: view(4 * i),
        lambda i: noisy(view(0), i),
        lambda _i: view(0),
        lambda i: noisy(view(40 * (i // 15)), i),
        lambda i: view(3 * min(i, 20), seed=2),
    ],
    ids=["motion", "noise alone", "nothing", "a step every half second", "motion that ends"],
)
def test_other_frames_all_stay_at_their_times(tmp_path: Path, picture: Callable[[int], np.ndarray]) -> None:
    video = write_clip(tmp_path / "in.mp4", picture, frames=40)
    times, repeats = moments(video, 30)
    assert repeats == 0
    assert times == pytest.approx(list(range(40)), abs=1e-6)


@pytest.mark.parametrize("way", ["flow", "blend"])
def test_slow_motion_of_film_in_video_never_stands_still(tmp_path: Path, way: str) -> None:
    video = write_clip(tmp_path / "in.mp4", lambda i: view(4 * (i * 4 // 5)), frames=30)
    stands = {}
    for duplicates in ("keep", "auto"):
        params = RenderParams(curve=to_points([Point(0, 0.25)]), interpolation=way, duplicates=duplicates)
        result = render(params, video=video, output=tmp_path / "out.mp4")
        steps = [float(np.abs(b - a).mean()) for a, b in pairwise(pictures(tmp_path / "out.mp4"))][:-4]
        stands[duplicates] = sum(step < 0.2 * np.median(steps) for step in steps)
        assert result.frames == 120
        assert result.repeated_frames == (0 if duplicates == "keep" else 6)
    assert stands["keep"] > 10
    assert stands["auto"] == 0


def test_nearest_frames_are_spaced_evenly_only_with_duplicates_drop(tmp_path: Path) -> None:
    video = write_clip(tmp_path / "in.mp4", lambda i: view(4 * (i * 4 // 5)), frames=30)
    runs = {}
    for duplicates in ("auto", "drop"):
        params = RenderParams(curve=to_points([Point(0, 0.25)]), duplicates=duplicates)
        result = render(params, video=video, output=tmp_path / "out.mp4")
        steps = [float(np.abs(b - a).mean()) for a, b in pairwise(pictures(tmp_path / "out.mp4"))]
        changes = [number for number, step in enumerate(steps) if step > 1]
        runs[duplicates] = np.diff(changes[2:-2])
        assert result.repeated_frames == (6 if duplicates == "drop" else 0)
    assert set(runs["auto"]) == {4, 8}
    assert set(runs["drop"]) <= {4, 5, 6}
