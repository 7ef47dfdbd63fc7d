"""Params of pipeline steps, converted from the whole clip to the previewed part.

Times, places and sizes change.
"""

import json
from typing import Any

import pytest
from quickjs import JSException

from reelwright import ROOMS
from services.speed_ramp.curve.points import CurvePoint
from shared.http.operations.description import describe
from shared.operation import Operation
from tests.gateway.web.studio_script import Script

OPERATIONS = {operation.name: operation for room in ROOMS for operation in room.service.operations}
DECLARED = [describe(operation, room.service).model_dump(mode="json") for room in ROOMS for operation in room.service.operations]
CLIP = {"id": "clip", "kind": "video", "media": {"duration_s": 10.0, "width": 1920, "height": 1080, "frame_rate": "25/1"}}
SMALL = 640 / 1920
STEPS = "previewSteps(steps, new Map(media.map((record) => [record.id, record])), operations)"


@pytest.fixture(scope="module")
def script() -> Script:
    return Script("pipelines/preview_steps.js", "ramp/trim.js", "ramp/ramp.js")


def step(operation: str, id_: str = "a", video: str = "clip", **params: Any) -> dict[str, Any]:
    return {"id": id_, "operation": operation, "inputs": {"video": video}, "params": params}


def previewed(script: Script, *steps: dict[str, Any], declared: list[dict[str, Any]] = DECLARED) -> tuple[float, list[dict[str, Any]]]:
    """Return where the previewed part begins, in seconds, and each step's params."""
    cut, *small = script(STEPS, steps=steps, media=[CLIP], operations=declared)
    assert cut["operation"] == "media.transcode"
    assert cut["params"] | {"start": 0} == {"start": 0, "duration": 3, "max_edge": 640}
    return cut["params"]["start"], [made["params"] for made in small]


def test_the_middle_of_the_part_that_a_step_uses_is_shown(script: Script) -> None:
    assert previewed(script, step("effects.motion-trails")) == (3.48, [{}])  # 3.5 s is in the frame that begins at 3.48 s
    assert previewed(script, step("effects.motion-trails", start=6)) == (6.48, [{}])
    assert previewed(script, step("effects.motion-trails", start=5, duration=1.5, layers=3)) == (5.0, [{"duration": 1.5, "layers": 3}])


def test_times_frames_and_places_are_those_of_the_part(script: Script) -> None:
    assert previewed(script, step("matting.mask", time_s=5.2, points=[[960, 540, 1]])) == (
        3.68,
        [{"time_s": 1.52, "points": [[0.5, 0.5, 1]]}],
    )
    assert previewed(script, step("matting.mask", frame=130, box=[0.1, 0.2, 0.5, 0.6])) == (
        3.68,
        [{"frame": 38, "box": [0.1, 0.2, 0.5, 0.6]}],
    )
    assert previewed(script, step("matting.mask", points=[[0.5, 0.5, 1]])) == (
        0,
        [{"points": [[0.5, 0.5, 1]]}],
    )  # clicks on the first frame
    _, (size,) = previewed(script, step("media.transcode", height=1080))
    assert size == {"height": 1080 * SMALL}


def test_moments_and_shots_outside_the_part_are_left_out(script: Script) -> None:
    moments = [{"timestamp_s": second, "score": second} for second in (0.5, 4.0, 6.0, 9.0)]
    shots = [{"shots": [{"start_s": 0, "end_s": 4}, {"start_s": 4, "end_s": 8}, {"start_s": 8, "end_s": 10}]}]
    start, (reel,) = previewed(script, step("media.reel", moments=moments, shots=shots))
    assert reel["moments"] == [{"timestamp_s": pytest.approx(second - start), "score": second} for second in (4.0, 6.0)]
    assert reel["shots"] == [
        {"shots": [{"start_s": 0, "end_s": pytest.approx(4 - start)}, {"start_s": pytest.approx(4 - start), "end_s": 3}]}
    ]
    _, (far,) = previewed(script, step("media.reel", moments=moments[:1]))
    assert far["moments"] == [{"timestamp_s": 0, "score": 0.5}], "it needs at least one"
    found = step("media.reel", moments={"from": "best.items"})
    assert previewed(script, found)[1] == [{"moments": {"from": "best.items"}}]  # those are found in the part


def test_settings_of_the_whole_clip_are_those_of_the_part(script: Script) -> None:
    start, (ramp,) = previewed(script, step("speed-ramp.render", speeds=list(range(1, 11)), segment_duration=1, target_duration=20))
    assert start == 3, "a segment begins there"
    assert ramp["speeds"] == [4, 5, 6, 7, 8, 9, 10]
    assert ramp["target_duration"] == pytest.approx(6)
    start, (ramp,) = previewed(script, step("speed-ramp.render", snap_to=[1.0, 4.0, 9.0]))
    assert ramp["snap_to"] == [pytest.approx(4 - start)]
    assert previewed(script, step("speed-ramp.render", snap_to="beats"))[1] == [{"snap_to": "beats"}]


@pytest.mark.parametrize("easing", ["linear", "smooth", "hold"])
def test_a_curve_keeps_its_speed_at_every_moment(script: Script, easing: str) -> None:
    curve = [{"t": t, "speed": speed, "easing": easing} for t, speed in ((0, 0.5), (3, 4), (5, 1), (9, 8))]
    start, (ramp,) = previewed(script, step("speed-ramp.render", curve=curve))
    assert [CurvePoint(**point).t for point in ramp["curve"]] == sorted({point["t"] for point in ramp["curve"]})
    assert ramp["curve"][0]["t"] == 0
    times = [0.01 + n / 10 for n in range(30)]
    speeds = "times.map((time) => new Ramp(points, end).speedAt(time + shift))"
    whole = script(speeds, points=curve, end=10, times=times, shift=start)
    assert script(speeds, points=ramp["curve"], end=10, times=times, shift=0) == pytest.approx(whole, rel=0.02)


def test_later_steps_follow_the_times_of_the_earlier_ones(script: Script) -> None:
    matte = step("matting.matte", "matte", start=2, keep_times=True)
    for output, start_s in (("alpha", 3.72), ("composite", 5.72)):  # only the matte itself keeps the times
        trails = step("effects.motion-trails", "trails", f"matte.{output}", start=5, duration=0.5)
        start, params = previewed(script, matte, trails)
        assert start == start_s, "the part of the second step is in its middle"
        assert params[0] == {"keep_times": True}
        assert params[1] == {"start": pytest.approx(1.28), "duration": 0.5}
    cut = step("effects.strobe", "cut", start=5)
    start, params = previewed(script, cut, step("background.plate", "plate", "cut.video", reference=2))
    assert start == 5.48, "the marked moment, 7 s of the clip, is in its middle"
    assert params[1] == {"reference": pytest.approx(1.52)}, (
        "the output of the first step begins at 5 s of the clip, that of the preview at 5.48 s"
    )


CURVES = {
    "slow": [{"t": 0, "speed": 0.5, "easing": "hold"}],
    "slower and slower": [{"t": 0, "speed": 4, "easing": "linear"}, {"t": 10, "speed": 0.25}],
    "frozen": [{"t": 0, "speed": 1, "easing": "smooth"}, {"t": 3, "speed": 0.5, "easing": "smooth", "freeze": 1}, {"t": 7, "speed": 2}],
}
AT_RAMP = "new Ramp(points, end, start).sourceAt(time)"


@pytest.mark.parametrize("part", [{}, {"start": 2, "duration": 7}], ids=["whole", "part"])
@pytest.mark.parametrize("name", CURVES)
def test_times_after_a_curve_show_the_same_moment_of_the_clip(script: Script, name: str, part: dict[str, float]) -> None:
    curve, time = CURVES[name], 4.0
    ramp = step("speed-ramp.render", "ramp", curve=curve, **part)
    begin, end = part.get("start", 0), part.get("start", 0) + part.get("duration", 10)
    moment = script(AT_RAMP, points=curve, start=begin, end=end, time=time)
    for marks, key in (({"time_s": time}, "time_s"), ({"frame": round(time * 25)}, "frame")):
        mask = step("matting.mask", "mask", "ramp.video", points=[[0.5, 0.5, 1]], **marks)
        start, (small, marked) = previewed(script, ramp, mask)
        assert start <= moment < start + 3, "the preview shows the marked moment"
        shown = marked[key] if key == "time_s" else marked[key] / 25
        small_begin = small.get("start", 0)
        small_end = min(small_begin + small.get("duration", 3), 3)
        at = script(AT_RAMP, points=small["curve"], start=small_begin, end=small_end, time=shown)
        assert start + at == pytest.approx(moment, abs=0.08), marks  # two frames: the cut begins on a frame of the clip


def test_a_part_after_a_curve_is_that_of_the_whole_result(script: Script) -> None:
    ramp = step("speed-ramp.render", "ramp", curve=CURVES["slow"])
    start, (_, strobe) = previewed(script, ramp, step("effects.strobe", "b", "ramp.video", start=8, duration=2))
    assert start == 3, "its middle, 9 s of the result, shows 4.5 s of the clip"
    assert strobe == {"start": pytest.approx(8 - 2 * 3), "duration": 2}


@pytest.mark.parametrize("setting", [{"start": 4}, {"duration": 2}, {"reference": 4}], ids=["start", "length", "time"])
def test_times_that_only_the_server_can_find_refuse_the_preview(script: Script, setting: dict[str, float]) -> None:
    measured = step("speed-ramp.render", "ramp")
    for maker in (measured, step("speed-ramp.render", "ramp", curve=CURVES["slow"], target_duration=30)):
        with pytest.raises(JSException, match=r"Step 2, Clean plate, has a time of its own .* press Make it"):
            previewed(script, maker, step("background.plate", "b", "ramp.video", **setting))
        assert previewed(script, maker, step("effects.strobe", "b", "ramp.video", interval=0.5))[1][1] == {"interval": 0.5}


def test_shorter_clips_are_cut_at_their_start(script: Script) -> None:
    moving = CLIP | {"id": "sea", "media": CLIP["media"] | {"duration_s": 2.0}}
    steps = [step("background.composite") | {"inputs": {"video": "clip", "alpha": "auto", "background": "sea"}}]
    first, second, composite = script(STEPS, steps=steps, media=[CLIP, moving], operations=DECLARED)
    assert (first["params"]["start"], second["params"]["start"]) == (3.48, 0)
    assert composite["inputs"] == {"video": "small_part.video", "alpha": "auto", "background": "small_part_2.video"}


@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=list(OPERATIONS))
def test_the_example_of_every_operation_stays_valid(script: Script, operation: Operation) -> None:
    given = operation.example.model_dump(mode="json", exclude_defaults=True)
    inputs = {name: "clip" for name, port in operation.ports.items() if "video" in port.kinds}
    made = script(
        STEPS, steps=[{"id": "a", "operation": operation.name, "inputs": inputs, "params": given}], media=[CLIP], operations=DECLARED
    )
    operation.params.model_validate(made[-1]["params"])


def test_parameters_are_found_by_their_declarations(script: Script) -> None:
    declared = json.loads(
        json.dumps(DECLARED).replace('"start":', '"anfang":').replace('"duration":', '"dauer":').replace('"time_s":', '"zeit":')
    )
    steps = [step("effects.motion-trails", anfang=5, dauer=1.5), step("matting.mask", "b", zeit=5.2, points=[[0.5, 0.5, 1]])]
    cut, trails, mask = script(STEPS, steps=steps, media=[CLIP], operations=declared)
    assert cut["params"] == {"anfang": 5.0, "dauer": 3, "max_edge": 640}
    assert (trails["params"], mask["params"]) == ({"dauer": 1.5}, {"zeit": pytest.approx(0.2), "points": [[0.5, 0.5, 1]]})
