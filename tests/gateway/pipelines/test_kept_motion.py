"""A clip's motion, measured once by an analysis and kept for later renders."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from services.speed_ramp.analyze import AnalyzeParams, analyze
from services.speed_ramp.motion.pairs import read_pairs, write_pairs
from shared.testing import suite

PART = {"start": 0.5, "duration": 1.25}


def test_the_motion_of_a_clip_is_measured_once(clip: Path, tmp_path: Path) -> None:
    """An analysis and two renders after it measure a clip's motion once."""
    folder = tmp_path / "measured" / "public"
    with suite(tmp_path) as running:
        media = running.upload(clip)["id"]

        def curve(verb: str, **params: Any) -> list[dict[str, Any]]:
            job = running.start(f"speed-ramp.{verb}", {"video": media}, PART | params)
            points: list[dict[str, Any]] = running.wait(job["id"])["result"]["curve"]
            return points

        first = curve("analyze")
        (file,) = folder.glob("*")
        content = file.read_bytes()

        edited = [point | {"speed": point["speed"] / 2} for point in first]
        rendered = curve("render", audio="drop", curve=edited)
        assert [point["speed"] for point in rendered] == [point["speed"] for point in edited]
        assert ([*folder.glob("*")], file.read_bytes()) == ([file], content)

        # Other motion in the file: its curve shows that a job used the kept motion, and not the clip's own.
        kept = read_pairs(file)
        assert kept is not None
        write_pairs(file, replace(kept, subject=np.linspace(0, 1, len(kept.times))))
        other = analyze(AnalyzeParams.model_validate(PART), video=clip, motion=file).model_dump()["curve"]
        assert other != first
        assert curve("render", audio="drop") == other

        file.write_bytes(b"damaged")
        assert curve("render", audio="drop") == first
        assert [*folder.glob("*")] == [file]
        assert file.read_bytes() == content, "it was measured again"
