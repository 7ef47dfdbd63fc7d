"""Chapters at slow parts, read back from the files that come out."""

from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest
from ramp_clips import write_clip

from services.speed_ramp.curve.clock import Clock, Point
from services.speed_ramp.curve.straight_pieces import slow_parts
from services.speed_ramp.handover.chapters import MOST_SLOW, chapters, longest
from services.speed_ramp.params import CurvePoint, RenderParams, SlowPart
from services.speed_ramp.render import render

CURVE = [
    CurvePoint(t=0, speed=2, easing="hold"),
    CurvePoint(t=1, speed=0.25, easing="hold"),
    CurvePoint(t=1.5, speed=1, easing="hold"),
    CurvePoint(t=2, speed=1, freeze=0.5),
]


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """3 s of noise-free gray at 20 frames a second, with sound."""
    path = tmp_path_factory.mktemp("chapters") / "source.mp4"
    return write_clip(
        path, lambda i: np.full((48, 64), 60 + i, np.uint8), frames=60, frame_rate=Fraction(20), tracks=(("mono", np.zeros_like),)
    )


def chapters_of(path: Path) -> list[tuple[str, float, float]]:
    with av.open(str(path)) as container:
        return [
            (one["metadata"]["title"], float(one["start"] * one["time_base"]), float(one["end"] * one["time_base"]))
            for one in container.chapters()
        ]


@pytest.mark.parametrize("name", ["out.mp4", "out.mkv", "out.mov"])
def test_every_slow_part_has_a_chapter_and_so_has_what_lies_between(source: Path, tmp_path: Path, name: str) -> None:
    result = render(RenderParams(curve=CURVE), video=source, output=tmp_path / name)
    found = chapters_of(tmp_path / name)
    assert [title for title, _, _ in found] == ["2x", "Slow, 0.25x", "1x", "Freeze", "1x"]
    # A second at 2x, half a second at 0.25x, half a second at 1x, half a second that stands, a second at 1x.
    assert [end for _, _, end in found] == pytest.approx([0.5, 2.5, 3.0, 3.5, 4.5], abs=0.002)
    assert [start for _, start, _ in found] == [0.0, *(end for _, _, end in found[:-1])]
    assert [(part.start_s, part.end_s, part.speed) for part in result.slow_parts] == [(0.5, 2.5, 0.25), (3.0, 3.5, 0.0)]
    with av.open(str(tmp_path / name)) as container:
        assert container.duration == pytest.approx(4.5e6, abs=5e4)
        assert len(container.streams.video) == 1


@pytest.mark.parametrize("options", [{"chapters": False}, {"curve": [CurvePoint(t=0, speed=1.5)]}])
def test_without_slow_parts_or_wish_there_are_none(source: Path, tmp_path: Path, options: dict[str, object]) -> None:
    render(RenderParams.model_validate({"curve": CURVE} | options), video=source, output=tmp_path / "out.mp4")
    assert chapters_of(tmp_path / "out.mp4") == []
    with av.open(str(tmp_path / "out.mp4")) as container:
        assert not container.streams.data


def test_a_part_of_the_source_has_the_chapters_of_that_part(source: Path, tmp_path: Path) -> None:
    render(RenderParams(curve=CURVE, start=1.25, duration=0.5), video=source, output=tmp_path / "out.mp4")
    assert [title for title, _, _ in chapters_of(tmp_path / "out.mp4")] == ["Slow, 0.25x", "1x"]


def test_many_slow_parts_are_cut_down_to_the_longest_and_still_cover_everything() -> None:
    lengths = np.random.default_rng(0).uniform(0.1, 2, 600)
    times = np.append(0.0, np.cumsum(lengths))
    points = [Point(float(t), 0.5 if i % 2 else 2.0 + i / 1000, "hold") for i, t in enumerate(times[:-1])]
    end = float(times[-1])
    slow = longest(slow_parts(points, start=0, end=end))
    length = Fraction(float(Clock(points).out(end))).limit_denominator(1000)
    made = list(chapters(points, slow, start=0, length=length))
    assert len(slow) == MOST_SLOW
    assert [title for title, _, _ in made].count("Slow, 0.5x") == MOST_SLOW
    assert made[0][1] == 0
    assert made[-1][2] == length
    assert all(a[2] == b[1] for a, b in pairwise(made))
    assert {title for title, _, _ in made} <= {"Slow, 0.5x", *(f"{2 + i / 1000:.3g}x" for i in range(0, 600, 2))}


def test_what_is_too_short_to_jump_to_has_no_chapter() -> None:
    points = [Point(0.0, 1.0)]
    slow = [
        SlowPart(start_s=0.01, end_s=1, speed=0.5),
        SlowPart(start_s=1.02, end_s=2, speed=0.2),
        SlowPart(start_s=2.99, end_s=3, speed=0),
    ]
    made = list(chapters(points, slow, start=0, length=Fraction(3)))
    assert made == [("Slow, 0.5x", 0, 1), ("Slow, 0.2x", 1, 2), ("1x", 2, 3)]
