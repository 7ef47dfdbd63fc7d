"""Reuse of a clip's measured motion by later analyses with other params."""

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from services.speed_ramp.analyze import AnalyzeParams, analyze
from services.speed_ramp.curve.points import CurvePoint
from services.speed_ramp.export import ExportParams
from services.speed_ramp.motion import trace
from services.speed_ramp.motion.motion_store import MOTION
from services.speed_ramp.motion.pairs import Pairs, read_pairs, write_pairs
from services.speed_ramp.render import RenderParams, render
from shared.video.reading import reader

LOUD = {"min_speed": 0.25, "max_speed": 8.0, "smoothing": 0.0, "measure": "subject"}


def test_an_analysis_from_kept_motion_is_the_same(clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "kept"
    first = analyze(AnalyzeParams(), video=clip, motion=file)
    assert first == analyze(AnalyzeParams(), video=clip)
    other = analyze(AnalyzeParams.model_validate(LOUD), video=clip)
    monkeypatch.setattr(trace, "_comparisons", None)  # nothing is measured from here on
    assert analyze(AnalyzeParams(), video=clip, motion=file) == first
    assert analyze(AnalyzeParams.model_validate(LOUD), video=clip, motion=file) == other
    rendered = render(RenderParams(audio="drop"), video=clip, output=tmp_path / "out.mp4", motion=file)
    assert rendered.curve == first.curve


def test_each_job_on_one_clip_decodes_it_once(clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An analysis and two renders after it decode a clip three times, not five."""
    file, decodes = tmp_path / "kept", []

    class Counted(reader.PictureStream):
        def all(self, *arguments: Any) -> Any:
            decodes.append(self)
            return super().all(*arguments)

    monkeypatch.setattr(reader, "PictureStream", Counted)

    def count_of(job: Callable[[], Any]) -> int:
        before = len(decodes)
        job()
        return len(decodes) - before

    output, params = tmp_path / "out.mp4", RenderParams(audio="drop")
    edited = RenderParams(audio="drop", curve=[CurvePoint(t=0, speed=1), CurvePoint(t=2, speed=4)])
    assert count_of(lambda: render(params, video=clip, output=output)) == 2, "without a kept measurement"
    assert count_of(lambda: analyze(AnalyzeParams(), video=clip, motion=file)) == 1
    assert count_of(lambda: render(edited, video=clip, output=output)) == 1
    assert count_of(lambda: render(params, video=clip, output=output, motion=file)) == 1
    assert count_of(lambda: analyze(AnalyzeParams(max_speed=6), video=clip, motion=file)) == 0


def test_an_unusable_file_is_measured_again(clip: Path, tmp_path: Path) -> None:
    path = tmp_path / "kept"
    pairs = Pairs(
        times=np.array([0.1, 0.2]),
        subject=np.zeros(2),
        camera=np.zeros((2, 6), np.float32),
        mismatched=np.zeros(2, bool),
        frames=3,
        end=Fraction(1001, 3000),
    )
    write_pairs(path, pairs)
    assert read_pairs(path).end == pairs.end  # type: ignore[union-attr]
    whole = path.read_bytes()
    for damaged in (b"", b"not an archive", whole[: len(whole) // 2]):
        path.write_bytes(damaged)
        assert read_pairs(path) is None
    with path.open("wb") as file:
        np.savez(file, version=np.array(0))
    assert read_pairs(path) is None
    part = AnalyzeParams(duration=1)
    assert analyze(part, video=clip, motion=path) == analyze(part, video=clip)
    assert read_pairs(path) is not None


def test_the_motion_depends_on_the_part_and_the_sampling_only() -> None:
    def depends_on(**params: object) -> dict[str, object] | None:
        return MOTION.depends_on(RenderParams.model_validate(params))

    assert depends_on() == MOTION.depends_on(AnalyzeParams.model_validate(LOUD)) == MOTION.depends_on(ExportParams())
    assert depends_on(start=1.0) != depends_on() != depends_on(sample_rate=2.0)
    assert depends_on(speeds=[2.0]) is None
