"""Chapters at slow parts, read back from rendered files."""

from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest

from services.speed_ramp.curve.clock import Clock
from services.speed_ramp.curve.points import CurvePoint, Point
from services.speed_ramp.curve.slow_parts import SlowPart, slow_parts
from services.speed_ramp.handover.chapters import MAX_SLOW_PARTS, chapters, longest
from services.speed_ramp.render import RenderParams, render
from tests.services.speed_ramp.ramp_clips import write_clip

CURVE = [
    CurvePoint(t=0, speed=2, easing="hold"),
    CurvePoint(t=1, speed=0.25, easing="hold"),
    CurvePoint(t=1.5, speed=1, easing="hold"),
    CurvePoint(t=2, speed=1, freeze=0.5),
]


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write 3 s of gray at 20 fps, with sound."""
    path = tmp_path_factory.mktemp("chapters") / "source.mp4"
    return write_clip(
        path, lambda i: np.full((48, 64), 60 + i, np.uint8), frames=60, frame_rate=Fraction(20), tracks=(("mono", np.zeros_like),)
    )


def chapters_of(path: Path) -> list[tuple[str, float, float]]:
    with av.open(str(path)) as container:
        return [
            (chapter["metadata"]["title"], float(chapter["start"] * chapter["time_base"]), float(chapter["end"] * chapter["time_base"]))
            for chapter in container.chapters()
        ]


@pytest.mark.parametrize("name", ["out.mp4", "out.mkv", "out.mov"])
def test_slow_parts_and_the_parts_between_have_chapters(source: Path, tmp_path: Path, name: str) -> None:
    result = render(RenderParams(curve=CURVE), video=source, output=tmp_path / name)
    titles = chapters_of(tmp_path / name)
    assert [title for title, _, _ in titles] == ["2x", "Slow, 0.25x", "1x", "Freeze", "1x"]
    # A second at 2x, half a second at 0.25x, half a second at 1x, half a second that stands, a second at 1x.
    assert [end for _, _, end in titles] == pytest.approx([0.5, 2.5, 3.0, 3.5, 4.5], abs=0.002)
    assert [start for _, start, _ in titles] == [0.0, *(end for _, _, end in titles[:-1])]
    assert [(part.start_s, part.end_s, part.speed) for part in result.slow_parts] == [(0.5, 2.5, 0.25), (3.0, 3.5, 0.0)]
    with av.open(str(tmp_path / name)) as container:
        assert container.duration == pytest.approx(4.5e6, abs=5e4)
        assert len(container.streams.video) == 1


@pytest.mark.parametrize("options", [{"chapters": False}, {"curve": [CurvePoint(t=0, speed=1.5)]}])
def test_no_chapters_without_slow_parts_or_when_switched_off(source: Path, tmp_path: Path, options: dict[str, object]) -> None:
    render(RenderParams.model_validate({"curve": CURVE} | options), video=source, output=tmp_path / "out.mp4")
    assert chapters_of(tmp_path / "out.mp4") == []
    with av.open(str(tmp_path / "out.mp4")) as container:
        assert not container.streams.data


def test_a_part_of_the_source_has_the_chapters_of_that_part(source: Path, tmp_path: Path) -> None:
    render(RenderParams(curve=CURVE, start=1.25, duration=0.5), video=source, output=tmp_path / "out.mp4")
    assert [title for title, _, _ in chapters_of(tmp_path / "out.mp4")] == ["Slow, 0.25x", "1x"]


def test_of_many_slow_parts_the_longest_get_chapters_without_gaps() -> None:
    lengths = np.random.default_rng(0).uniform(0.1, 2, 600)
    times = np.append(0.0, np.cumsum(lengths))
    points = [Point(float(t), 0.5 if i % 2 else 2.0 + i / 1000, "hold") for i, t in enumerate(times[:-1])]
    end = float(times[-1])
    slow = longest(slow_parts(points, start=0, end=end))
    length = Fraction(float(Clock(points).out(end))).limit_denominator(1000)
    result = list(chapters(points, slow, start=0, length=length))
    assert len(slow) == MAX_SLOW_PARTS
    assert [chapter.title for chapter in result].count("Slow, 0.5x") == MAX_SLOW_PARTS
    assert result[0].start == 0
    assert result[-1].end == length
    assert all(a.end == b.start for a, b in pairwise(result))
    assert {chapter.title for chapter in result} <= {"Slow, 0.5x", *(f"{2 + i / 1000:.3g}x" for i in range(0, 600, 2))}


def test_parts_too_short_to_jump_to_have_no_chapter() -> None:
    points = [Point(0.0, 1.0)]
    slow = [
        SlowPart(start_s=0.01, end_s=1, speed=0.5),
        SlowPart(start_s=1.02, end_s=2, speed=0.2),
        SlowPart(start_s=2.99, end_s=3, speed=0),
    ]
    result = [(chapter.title, chapter.start, chapter.end) for chapter in chapters(points, slow, start=0, length=Fraction(3))]
    assert result == [("Slow, 0.5x", 0, 1), ("Slow, 0.2x", 1, 2), ("1x", 2, 3)]
