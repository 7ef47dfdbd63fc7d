"""Selection of the source frames for each output frame, without files."""

from fractions import Fraction

import av
import numpy as np
import pytest

from services.speed_ramp.curve.clock import Clock
from services.speed_ramp.picture.picks import Pick, SourceEnd, picks
from shared.video import Frame
from shared.video.frames.planes import picture_from, planes_of


def frame(index: int, *, pts: int | None = None, level: int = 0, pixel_format: str = "yuv420p") -> Frame:
    dtype = np.uint16 if "10" in pixel_format else np.uint8
    planes = (np.full((16, 16), level, dtype), np.full((8, 8), level, dtype), np.full((8, 8), level // 2, dtype))
    return Frame(index if pts is None else pts, Fraction(1, 30), 1, index, picture_from(planes, 16, 16, pixel_format))


def shown(points: list[tuple[float, float]], times: list[int], *, blend: bool = False) -> list[tuple[int, int, float]]:
    source_end = SourceEnd()
    frames = [frame(i, pts=pts) for i, pts in enumerate(times)]
    return [(p.number, p.before.index, round(p.weight, 6)) for p in picks(frames, Clock(points), Fraction(30), source_end, blend=blend)]


@pytest.mark.parametrize("blend", [False, True])
def test_speed_one_shows_every_frame_once(blend: bool) -> None:
    assert [(n, i) for n, i, _ in shown([(0, 1.0)], list(range(100)), blend=blend)] == [(i, i) for i in range(100)]


@pytest.mark.parametrize("blend", [False, True])
def test_twice_as_fast_shows_every_other_frame(blend: bool) -> None:
    assert [(n, i) for n, i, _ in shown([(0, 2.0)], list(range(100)), blend=blend)] == [(i, 2 * i) for i in range(50)]


def test_half_as_fast_shows_each_frame_twice() -> None:
    assert [i for _, i, _ in shown([(0, 0.5)], list(range(5)))] == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]


def test_half_as_fast_blended_shows_the_mean_between() -> None:
    assert shown([(0, 0.5)], [0, 1, 2], blend=True) == [(0, 0, 0), (1, 0, 0.5), (2, 1, 0), (3, 1, 0.5), (4, 2, 0), (5, 2, 0)]


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("blend", [False, True])
def test_numbers_have_no_holes_and_the_length_is_the_integral(seed: int, blend: bool) -> None:
    rng = np.random.default_rng(seed)
    points = list(zip(np.arange(0, 4, 0.5).tolist(), np.exp(rng.uniform(-1.5, 1.5, 8)).tolist(), strict=True))
    out = shown(points, list(range(100)), blend=blend)
    assert [n for n, _, _ in out] == list(range(round(float(Clock(points).out(100 / 30)) * 30)))
    assert [i for _, i, _ in out] == sorted(i for _, i, _ in out)


def test_a_picture_is_never_off_by_more_than_half_an_output_frame() -> None:
    points = [(0.0, 0.3), (1.0, 2.5), (3.0, 0.4)]
    clock = Clock(points)
    first: dict[int, int] = {}
    for number, index, _ in shown(points, list(range(90))):
        first.setdefault(index, number)
    off = [number / 30 - float(clock.out(index / 30)) for index, number in first.items()]
    assert max(map(abs, off)) <= 0.5 / 30 + 1e-5


def test_a_long_hold_does_not_fade_before_its_end() -> None:
    out = shown([(0, 0.5)], [0, 30], blend=True)
    assert all(weight == 0 for n, _, weight in out if n <= 58)
    assert out[59] == (59, 0, 0.5)


def test_a_late_start_is_held_from_the_first_instant_and_one_frame_is_always_shown() -> None:
    late = shown([(0, 0.5)], [3, 4])
    assert [(number, weight) for number, _, weight in late[:7]] == [(number, 0) for number in range(7)]
    assert {index for _, index, _ in late[:7]} == {0}
    assert shown([(0, 16.0)], [0]) == [(0, 0, 0)]
    assert len(shown([(0, 16.0)], [0, 1])) == 1


@pytest.mark.parametrize(("pixel_format", "top"), [("yuv420p", 255), ("yuv420p10le", 1023)])
def test_a_blend_is_the_weighted_mean_of_all_planes(pixel_format: str, top: int) -> None:
    before, after = frame(0, level=0, pixel_format=pixel_format), frame(1, level=top, pixel_format=pixel_format)
    picture = Pick(number=0, before=before, after=after, weight=0.25).picture()
    assert picture.format.name == pixel_format
    luma, cb, cr = planes_of(picture)
    assert np.all(np.abs(luma - top / 4) <= 0.75)
    assert np.all(np.abs(cb - top / 4) <= 0.75)
    assert np.all(np.abs(cr - top / 8) <= 0.75)
    assert isinstance(picture, av.VideoFrame)
