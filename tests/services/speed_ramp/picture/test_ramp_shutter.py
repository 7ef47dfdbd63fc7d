"""Source frames within an open shutter, and their blend."""

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from test_ramp_picks import frame

from services.speed_ramp.curve.clock import Clock
from services.speed_ramp.curve.points import Point, to_points
from services.speed_ramp.picture.picks import Pick, SourceEnd, picks
from services.speed_ramp.picture.shutter import Exposure, FrameWindow, motion_blurred
from services.speed_ramp.render import RenderParams, render
from shared.video import read_frames
from shared.video.frames.planes import planes_of
from tests.services.speed_ramp.ramp_clips import lumas, write_clip


def weights_of(speed: float, *, shutter: float, count: int = 60) -> list[dict[int, float]]:
    """Return the weight of each source frame, for each output frame."""
    window, clock, rate = FrameWindow(frame(i) for i in range(count)), Clock([(0, speed)]), Fraction(30)
    shown = motion_blurred(picks(window, clock, rate, SourceEnd(), blend=False), window, clock, rate, shutter=shutter)
    return [
        {exposure.before.index: 1.0}
        if isinstance(exposure, Pick)
        else {f.index: round(w, 6) for f, w in zip(exposure.frames, exposure.weights, strict=True)}
        for exposure in shown
    ]


@pytest.mark.parametrize("speed", [0.3, 1.0])
def test_nothing_is_blurred_that_is_not_sped_up(speed: float) -> None:
    assert all(len(exposure) == 1 for exposure in weights_of(speed, shutter=1))


def test_an_open_shutter_sees_all_that_is_passed_over_around_its_moment() -> None:
    exposures = weights_of(4, shutter=1)
    assert len(exposures) == 15
    assert exposures[5] == {18: 0.125, 19: 0.25, 20: 0.25, 21: 0.25, 22: 0.125}
    assert exposures[0] == {0: 0.4, 1: 0.4, 2: 0.2}
    total = np.sum([[exposure.get(i, 0) for i in range(8, 48)] for exposure in exposures], axis=0)
    assert total == pytest.approx(0.25), "every frame counts alike"


@pytest.mark.parametrize("speed", [0.3, 1.5, 6.0])
def test_few_frames_are_held_in_memory(speed: float) -> None:
    # Few frames are held even where nothing is blended, because the clip is hardly sped up, compared with the shutter.
    clock, rate = Clock([(0, speed)]), Fraction(30)
    window = FrameWindow(frame(i) for i in range(400))
    shown = motion_blurred(picks(window, clock, rate, SourceEnd(), blend=False), window, clock, rate, shutter=0.5)
    assert max(window.held for _ in shown) <= 20


def test_half_a_shutter_sees_half() -> None:
    assert weights_of(4, shutter=0.5)[5] == {19: 0.25, 20: 0.5, 21: 0.25}
    assert len(weights_of(1.9, shutter=0.5)[5]) == 1


def test_the_highest_speed_mixes_few_frames_spread_evenly() -> None:
    exposure = weights_of(16, shutter=1, count=200)[6]
    assert len(exposure) <= 8
    assert sum(i * w for i, w in exposure.items()) == pytest.approx(96, abs=1)


@pytest.mark.parametrize(("pixel_format", "scale"), [("yuv420p", 1), ("yuv420p10le", 4)])
def test_the_blend_is_the_rounded_mean_in_all_planes(pixel_format: str, scale: int) -> None:
    frames = tuple(frame(i, level=level * scale, pixel_format=pixel_format) for i, level in enumerate([10, 21, 200]))
    picture = Exposure(number=0, frames=frames, weights=(0.25, 0.25, 0.5)).picture()
    assert picture.format.name == pixel_format
    luma, cb, cr = planes_of(picture)
    assert {int(v) for v in (*luma.flat, *cb.flat)} == {round(107.75 * scale)}
    assert np.abs(cr.astype(float) - 107.75 * scale / 2).max() <= 1


def test_a_sped_up_file_is_blurred_in_step(tmp_path: Path) -> None:
    video = write_clip(tmp_path / "in.mp4", lambda i: np.full((48, 64), 20 + i, np.uint8), frames=120)
    curve = to_points([Point(0, 4.0), Point(2, 4.0), Point(2.2, 1.0)])
    plain = render(RenderParams(curve=curve), video=video, output=tmp_path / "plain.mp4")
    blurred = render(RenderParams(curve=curve, shutter=1), video=video, output=tmp_path / "blurred.mp4")
    assert blurred.frames == plain.frames == len(lumas(tmp_path / "blurred.mp4")[0])
    # The mean of a steady rise is its middle: no frame is late or early.
    assert np.abs(lumas(tmp_path / "blurred.mp4")[1] - lumas(tmp_path / "plain.mp4")[1])[1:-1].max() < 2


def test_a_moving_bar_leaves_a_trail(tmp_path: Path) -> None:
    def bar(i: int) -> np.ndarray:
        picture = np.full((48, 256), 16, np.uint8)
        picture[:, 4 * i : 4 * i + 4] = 235
        return picture

    video = write_clip(tmp_path / "in.mp4", bar, frames=60)
    widths = {}
    for shutter in (0.0, 0.5, 1.0):
        params = RenderParams(curve=to_points([Point(0, 4.0)]), shutter=shutter)
        render(params, video=video, output=tmp_path / "out.mp4")
        with read_frames(tmp_path / "out.mp4") as frames:
            line = [frame.luma()[24].astype(int) for frame in frames][7]
        widths[shutter] = int((line > 30).sum())
    assert widths[0.0] < 8 < widths[0.5] < widths[1.0]
    assert widths[1.0] == pytest.approx(20, abs=4)
