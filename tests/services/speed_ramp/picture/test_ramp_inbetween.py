"""Interpolated frames in rendered files: a pan, cuts, freezes."""

from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from test_ramp_picks import frame

from services.speed_ramp.curve.clock import Clock
from services.speed_ramp.curve.points import Point, to_points
from services.speed_ramp.picture.inbetween import InbetweenFrame, compute_ahead, interpolated
from services.speed_ramp.picture.picks import Pick, SourceEnd, picks
from services.speed_ramp.render import RenderParams, render
from shared.video import read_frames
from tests.services.speed_ramp.motion.test_ramp_motion import texture
from tests.services.speed_ramp.ramp_clips import Recorder, write_clip


def pictures(path: Path) -> list[np.ndarray]:
    with read_frames(path) as frames:
        return [frame.luma().astype(float) for frame in frames]


def view(x: float, seed: int = 1) -> np.ndarray:
    return texture(seed, height=96, width=400)[:, round(x) : round(x) + 160].copy()


def test_half_speed_shows_what_lay_between(tmp_path: Path) -> None:
    # Every other step of a pan by 2 pixels; the steps between are the truth.
    video = write_clip(tmp_path / "in.mp4", lambda i: view(4 * i), frames=16)
    errors = {}
    for way in ("blend", "flow"):
        params = RenderParams(curve=to_points([Point(0, 0.5)]), interpolation=way, quality=90)  # type: ignore[arg-type]
        result = render(params, video=video, output=tmp_path / "out.mp4")
        results = pictures(tmp_path / "out.mp4")
        assert result.frames == len(results) == 32
        inner = [results[n][8:-8, 16:-16] - view(2 * n)[8:-8, 16:-16] for n in range(3, 27, 2)]
        errors[way] = float(np.mean(np.square(inner)))
    assert errors["flow"] < errors["blend"] / 4


def test_cuts_stay_sharp_with_parts_freezes_and_a_shutter(tmp_path: Path) -> None:
    video = write_clip(tmp_path / "in.mp4", lambda i: view(3 * i, seed=1 if i < 10 else 5), frames=20)
    curve = to_points([Point(0, 0.4), Point(0.35, 0.4, freeze=0.5), Point(0.5, 4.0), Point(1, 4.0)])
    recorder = Recorder()
    params = RenderParams(curve=curve, interpolation="flow", start=0.1, shutter=0.5)
    result = render(params, video=video, output=tmp_path / "out.mp4", progress=recorder)
    results = pictures(tmp_path / "out.mp4")
    total = float(Clock([Point(*p) for p in [(0, 0.4), (0.35, 0.4, "linear", 0.5), (0.5, 4.0)]], start=0.1).left(20 / 30))  # type: ignore[arg-type]
    assert result.frames == len(results) == round(total * 30)
    # One step is the cut, and no picture is a mixture of both shots: the next largest step is far smaller.
    steps = sorted(float(np.abs(b - a).mean()) for a, b in pairwise(results))
    assert steps[-1] > 0.7 * np.abs(view(27).astype(float) - view(30, seed=5)).mean()
    assert steps[-2] < 0.6 * steps[-1]
    assert recorder.fractions == sorted(recorder.fractions)
    assert recorder.fractions[-1] == 1


@pytest.mark.parametrize(("speed", "expected"), [(1.0, []), (0.5, [0.5] * 4), (0.25, [0.25, 0.5, 0.75] * 4)])
def test_only_frames_between_source_frames_are_interpolated_with_one_flow_per_pair(speed: float, expected: list[float]) -> None:
    shown = picks([frame(i, level=40 + i) for i in range(5)], Clock([(0, speed)]), Fraction(30), SourceEnd(), blend=True, fade_s=0.25)
    frames = list(compute_ahead(interpolated(shown)))
    assert [frame.number for frame in frames] == list(range(len(frames)))
    assert [round(frame.t, 6) for frame in frames if isinstance(frame, InbetweenFrame)] == expected
    assert len({id(frame.pair) for frame in frames if isinstance(frame, InbetweenFrame)}) == (4 if expected else 0)


def test_a_frozen_moment_is_made_once() -> None:
    shown = picks(
        [frame(i, level=40 + i) for i in range(3)],
        Clock([Point(0, 0.5), Point(0.05, 0.5, freeze=2)]),
        Fraction(30),
        SourceEnd(),
        blend=True,
    )
    frozen = [frame for frame in compute_ahead(interpolated(shown)) if isinstance(frame, InbetweenFrame) and frame.t == pytest.approx(0.5)]
    assert len(frozen) > 50
    assert len({id(frame.picture()) for frame in frozen}) <= 2


def test_frames_of_other_sizes_are_not_mixed() -> None:
    a, b = frame(0), frame(1, pixel_format="yuv420p10le")
    (same,) = interpolated([Pick(number=0, before=a, after=b, weight=0.5)])
    assert isinstance(same, Pick)
