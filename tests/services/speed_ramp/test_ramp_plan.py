"""`speed-ramp.plan` states the curve, rate and frames with which `speed-ramp.render` retimes a clip."""

import pytest

from services.speed_ramp.curve.points import CurvePoint
from services.speed_ramp.plan import PlanParams, plan
from services.speed_ramp.render import RenderParams, render

CURVE = [CurvePoint(t=0, speed=0.5, easing="smooth"), CurvePoint(t=2, speed=3, freeze=0.4), CurvePoint(t=4, speed=1)]
SETTINGS = {
    "curve": {"curve": CURVE, "audio": "drop"},
    "constraints": {"curve": CURVE, "target_duration": 5, "max_acceleration": 2, "snap_to": [1.5], "frame_rate": "24"},
    "part": {"curve": CURVE, "start": 1, "duration": 2},
    "speeds": {"speeds": [1, 4, 0.5], "segment_duration": 1.5},
    "motion": {"min_speed": 0.5, "max_speed": 3, "smoothing": 0.2, "target_duration": 4},
}


@pytest.mark.parametrize("name", SETTINGS)
def test_a_plan_equals_the_render(clip, tmp_path, name):
    planned = plan(PlanParams(**SETTINGS[name]), video=clip)
    rendered = render(RenderParams(**SETTINGS[name]), video=clip, output=tmp_path / "out.mp4")
    assert planned.curve == rendered.curve
    assert planned.frame_rate == rendered.frame_rate
    assert planned.end_s - planned.start_s == pytest.approx(rendered.source_duration_s, abs=0.001)
    assert planned.duration_s == pytest.approx(rendered.duration_s, abs=0.6 / 24)
    assert planned.has_sound == bool(rendered.audio_tracks)
    assert planned.kept is None


@pytest.mark.parametrize(("audio", "heard"), [("keep", (True, True)), ("follow", (True, False)), ("drop", (False, False))])
def test_a_plan_tells_how_the_sound_is_heard(clip, audio, heard):
    planned = plan(PlanParams(curve=CURVE, audio=audio), video=clip)
    assert (planned.has_sound, planned.keeps_pitch) == heard


def test_a_plan_lists_the_frames_without_repeats(clip, tmp_path):
    rendered = render(RenderParams(curve=CURVE, frame_rate="60"), video=clip, output=tmp_path / "doubled.mp4")
    params = {"curve": [CurvePoint(t=0, speed=2)], "duplicates": "drop"}
    planned = plan(PlanParams(**params), video=tmp_path / "doubled.mp4")
    dropped = render(RenderParams(**params), video=tmp_path / "doubled.mp4", output=tmp_path / "dropped.mp4").repeated_frames
    assert dropped > 20
    assert planned.kept is not None
    assert len(planned.kept) == rendered.frames - dropped
    assert [frame.time_s for frame in planned.kept] == sorted({frame.time_s for frame in planned.kept})
