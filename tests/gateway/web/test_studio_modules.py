"""Calculations of the studio, compared with the server's: clock, frames, requests, curves."""

import ast
import hashlib
import random
import shlex
import zipfile
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from reelwright import ROOMS
from services.speed_ramp.curve.clock import Clock
from services.speed_ramp.curve.points import CurvePoint, Point, from_points, to_points
from services.speed_ramp.curve.trim import trimmed
from services.speed_ramp.picture.picks import picks
from shared.http.operations.description import describe
from tests.gateway.web.studio_script import Script

CURVES = [
    [{"t": 0, "speed": 1}],
    [{"t": 0, "speed": 4}, {"t": 1.5, "speed": 0.1, "easing": "smooth"}, {"t": 2.5, "speed": 0.1, "freeze": 0.4}, {"t": 4, "speed": 16}],
    [{"t": 0, "speed": 2}, {"t": 2.002, "speed": 0.5, "freeze": 0.3}],  # the freeze begins with a frame
    [{"t": 0, "speed": 1, "easing": "hold"}, {"t": 2, "speed": 0.3, "easing": "hold"}, {"t": 3, "speed": 2}],
]

DECLARED = [describe(operation, room.service).model_dump(mode="json") for room in ROOMS for operation in room.service.operations]
"""The operations as the page gets them."""


@pytest.fixture(scope="module")
def script() -> Script:
    return Script(
        "ramp/ramp.js",
        "ramp/plan.js",
        "ramp/edit.js",
        "tool/request_text.js",
        "pipelines/model.js",
        "common/route.js",
        "timeline/exports.js",
        "keyframes/picks.js",
        "common/zip.js",
        "server/sha256.js",
        "composite/mixing.js",
        "result/mapping.js",
    )


@pytest.mark.parametrize("curve", CURVES)
def test_the_preview_shows_the_frames_that_a_render_with_nearest_writes(script: Script, curve: list[dict[str, Any]]) -> None:
    rate, count = Fraction(30000, 1001), 150
    points = from_points([CurvePoint(**point) for point in curve])
    clock = Clock(points, start=0.0)
    frames = [SimpleNamespace(time=Fraction(n) / rate, duration=1, time_base=1 / rate, number=n) for n in range(count)]
    rendered = [pick.before.number for pick in picks(frames, clock, rate, SimpleNamespace(end=Fraction(0)), blend=False)]
    expression = "planOf(new Ramp(curve, end), times, rate)"
    planned = script(expression, curve=curve, end=float(count / rate), times=[float(frame.time) for frame in frames], rate=float(rate))
    assert abs(len(planned) - len(rendered)) <= 1
    assert np.mean(np.array(planned[: len(rendered)]) == np.array(rendered[: len(planned)])) >= 0.995


@pytest.mark.parametrize("curve", CURVES)
def test_a_result_is_compared_with_the_frames_it_shows(script: Script, curve: list[dict[str, Any]]) -> None:
    rate, count = 25, 150
    points = [*curve, {"t": count / rate, "speed": curve[-1]["speed"]}]
    job = {"operation": "speed-ramp.render", "result": {"curve": points}, "params": {}}
    planned = script(
        "planOf(new Ramp(curve, end), times, rate)", curve=points, end=count / rate, times=[n / rate for n in range(count)], rate=rate
    )
    expression = "planned.map((_, frame) => Math.floor(mappingOf(job, operations, { rate })(frame / rate) * rate + 1e-3))"
    compared = script(expression, planned=planned, operations=DECLARED, job=job, rate=rate)
    assert np.mean(np.array(compared) == np.array(planned)) >= 0.995


@pytest.mark.parametrize("start", [0.0, 1.0, 2.3])
def test_a_part_that_begins_or_ends_inside_an_ease_is_compared_with_the_frames_it_shows(script: Script, start: float) -> None:
    rate, end = 25, 5.2
    curve = [Point(0, 4, "smooth"), Point(2, 0.5, "smooth"), Point(3, 2, "linear", 0.4), Point(4, 2, "smooth"), Point(6, 0.2)]
    clock = Clock(curve, start=start)
    result = {"curve": [point.model_dump() for point in to_points(trimmed(curve, end, start=start))]}
    job = {"operation": "speed-ramp.render", "result": result, "params": {"start": start}}
    times = (np.arange(int(clock.left(end) * rate)) / rate).tolist()
    shown = clock.source(np.array(times) + 0.5 / rate)
    assert script("times.map(mappingOf(job, operations, { rate }))", operations=DECLARED, job=job, rate=rate, times=times) == pytest.approx(
        shown.tolist(), abs=1e-3
    )
    from_a_step = job | {"params": {"start": {"from": "moments.0"}}}
    assert script("mappingOf(job, operations, { rate }) === null", operations=DECLARED, job=from_a_step, rate=rate) is (
        result["curve"][0]["easing"] == "smooth"
    )


def test_results_of_pipelines_and_reels_are_compared_with_the_moment_they_show(script: Script) -> None:
    parts = [{"start_s": 4.0, "end_s": 5.0, "at_s": 0.0}, {"start_s": 8.0, "end_s": 9.0, "at_s": 1.0}]
    steps = [
        {"id": "ramp", "operation": "speed-ramp.render", "inputs": {"video": "clip"}, "params": {"start": 2.0}},
        {"id": "trails", "operation": "effects.motion-trails", "inputs": {"video": "ramp.video"}, "params": {"start": 1.0}},
        {"id": "reel", "operation": "media.reel", "inputs": {"video": "clip"}, "params": {}},
        {"id": "plate", "operation": "background.plate", "inputs": {"video": "other"}, "params": {}},
    ]
    curve = [{"t": 2.0, "speed": 2}, {"t": 10.0, "speed": 2}]
    results = [{"id": "ramp", "result": {"curve": curve}}, {"id": "reel", "result": {"parts": parts}}]
    job = {"operation": "pipelines.run", "params": {"steps": steps}, "result": {"steps": results}}
    compared = "[0, 0.5, 1, 1.5].map((time) => mappingOf(job, operations, { rate: 1e6, output, clip: 'clip' })(time))"
    assert script(compared, operations=DECLARED, job=job, output="trails.video") == pytest.approx([4, 5, 6, 7], abs=1e-3)
    assert script(compared, operations=DECLARED, job=job, output="reel.video") == pytest.approx([4, 4.5, 8, 8.5], abs=1e-3)
    assert script("mappingOf(job, operations, { rate: 25, output: 'plate.image', clip: 'clip' })", operations=DECLARED, job=job) is None
    from_a_step = {"operation": "effects.strobe", "params": {"start": {"from": "moments.0"}}, "inputs": {"video": "clip"}}
    assert script("mappingOf(job, operations, { rate: 25 })", operations=DECLARED, job=from_a_step) is None


def test_only_a_matte_that_keeps_times_has_those_of_its_clip(script: Script) -> None:
    params: dict[str, Any] = {"start": 2, "keep_times": True}
    step = {"id": "cut", "operation": "matting.matte", "inputs": {"video": "clip"}, "params": params}
    job = {"operation": "matting.matte", "inputs": {"video": "clip"}, "params": params}
    pipeline = {"operation": "pipelines.run", "params": {"steps": [step]}}
    link = "{ rate: 25, output, clip: 'clip', length: 5 }"
    for made, prefix in ((job, ""), (pipeline, "cut.")):
        for output, moment, fits in (("alpha", 3, True), ("composite", 5, False)):
            values = {"operations": DECLARED, "job": made, "output": prefix + output}
            assert script(f"mappingOf(job, operations, {link})(3)", **values) == moment
            assert script(f"hasTimesOfClip(job, operations, {link})", **values) is fits
    late = {"operations": DECLARED, "job": job | {"params": {"start": 2}}, "output": "alpha"}
    assert script(f"hasTimesOfClip(job, operations, {link})", **late) is False


def test_a_curve_is_stretched_to_a_length_and_simplified(script: Script) -> None:
    part = {"start": 0, "end": 4}
    length = script("new Ramp(stretchedTo(curve, part, 9, { min: 0.1, max: 16 }), 4).duration", curve=CURVES[0], part=part)
    assert length == pytest.approx(9, abs=0.01)
    straight = [{"t": t / 10, "speed": 2 ** (t / 10)} for t in range(40)]
    assert len(script("simplified(curve)", curve=straight)) == 2
    assert script("presetPoints('hero', 10, 25, 0.2).every((point, index, all) => !index || point.t > all[index - 1].t)")


def test_a_point_stays_between_its_neighbours_and_snaps(script: Script) -> None:
    curve = [{"t": 0, "speed": 1}, {"t": 2, "speed": 2}, {"t": 4, "speed": 1}]
    limits = {"duration": 5, "fps": 25, "speeds": {"min": 0.1, "max": 16}, "times": [1.03], "reach": 0.05}
    move = "movedPoint(curve, 1, to, limits)[1]"
    assert script(move, curve=curve, to={"t": 9, "speed": 99}, limits=limits) == {"t": 3.96, "speed": 16}
    assert script(move, curve=curve, to={"t": 1.0, "speed": 1.04}, limits=limits) == {"t": 1.03, "speed": 1}


def test_requests_as_text_survive_a_hostile_name(script: Script) -> None:
    operation: dict[str, Any] = {"name": "effects.motion-trails", "urls": {"jobs": "/v1/effects/motion-trails/jobs"}}
    values: dict[str, Any] = {
        "operation": operation,
        "inputs": {"video": "01"},
        "params": {"mask": "it's $(rm) `x`", "on": True, "n": None},
    }
    curl = script("curlText('http://here', operation, inputs, params)", **values)
    assert '{"inputs":{"video":"01"},"params":{"mask":"it\'s $(rm) `x`","on":true,"n":null}}' in shlex.split(curl.replace("\\\n", " "))
    operation |= {"inputs": {"video": {"optional": False}, "matte": {"optional": True}}, "suffixes": {"video": ".mp4"}}
    params = values["params"]
    files = {"video": "a b'; rm.mp4", "matte": "m.mp4"}
    values = {"operation": operation, "files": files, "params": params}
    python = script("pythonText('http://here', operation, files, params, {keyed: true})", **values)
    call = ast.parse(python).body[-2].value  # type: ignore[attr-defined]
    assert {word.arg: ast.literal_eval(word.value) for word in call.keywords} == files | params
    line = script("cliText(operation, files, params)", **values)
    expected = ["reelwright", "effects", "motion-trails", files["video"], "result.mp4", "--matte", "m.mp4", "--mask", params["mask"]]
    assert shlex.split(line) == [*expected, "--on", "true", "--n", "null"]


def test_addresses_lead_to_screens(script: Script) -> None:
    assert script("routeOf('#/clip/01/speed-ramp.render?from=02')") | {"title": ""} == {
        "screen": "clip", "id": "01", "tool": "speed-ramp.render", "from": "02", "preset": None, "as": None, "give": None, "title": "",
    }  # fmt: skip
    assert script("routeOf('#/clip/01/background.composite?give=background:02').give") == "background:02"
    assert script("routeOf('#/clip/02/background.composite?as=plate').as") == "plate"
    assert script("routeOf('#job=01').id") == "01"
    assert script("routeOf('#/nonsense').screen") == "library"
    assert script("routeOf('#/clip/%E0%A4%A').screen") == "clip"  # not valid UTF-8


def test_a_step_that_is_taken_out_leaves_no_reference(script: Script) -> None:
    steps = [{"id": "a", "inputs": {"video": "<video>"}}, {"id": "b", "inputs": {"video": "a.video", "more": ["a.video"]}}]
    assert script("without(steps, 0)", steps=steps) == [{"id": "b", "inputs": {"video": None, "more": None}}]
    assert script("filled(steps, {})", steps=steps)["missing"] == ["video"]


def test_keyframes_are_picked_cut_and_exported(script: Script) -> None:
    state = {"picks": [5, 40], "cuts": [{"frame": 30, "confidence": 0.4}]}
    assert script("toggledPick(toggledPick(state, 9), 40).picks", state=state) == [5, 9]
    assert script("spansOf(toggledCut(state, 10), 50)", state=state) == [
        {"index": 0, "start": 0, "end": 10, "picks": [5]},
        {"index": 1, "start": 10, "end": 30, "picks": []},
        {"index": 2, "start": 30, "end": 50, "picks": [40]},
    ]
    assert script("[toggledCut(state, 30).cuts, toggledCut(state, 0).cuts.length]", state=state) == [[], 1]
    times = [frame / 25 for frame in range(50)]
    assert script("csvOf(state, 50, times)", state=state, times=times).splitlines() == ["frame,seconds,shot", "5,0.200,1", "40,1.600,2"]
    video = {"name": "a.mp4", "grid": {"rate": "25/1", "whole": 25, "start": 0, "drop": False}}
    (edl,) = script("edls(video, timedShots(state, 50, (frame) => frame / 25, 2))", state=state, video=video)
    assert "00:00:01:05 00:00:02:00 00:00:01:05 00:00:02:00" in edl


def test_shots_are_cut_again_at_another_threshold(script: Script) -> None:
    frames = list(range(50))
    scores = {
        "frames": frames,
        "times": [frame / 25 for frame in frames],
        "values": {"content": [0.9 if f == 20 else 0.5 if f == 35 else 0 for f in frames]},
    }
    video = {
        "frames": 50,
        "duration_s": 2,
        "min_shot": 0.2,
        "method": "content",
        "threshold": 0.8,
        "shots": [{"start_s": 0}],
        "scores": scores,
    }
    cuts = "recut({ picks: [3], cuts: [] }, threshold, video, scoresOf(video)).cuts.map(({ frame }) => frame)"
    assert script(cuts, video=video, threshold=0.8) == [20]
    assert script(cuts, video=video, threshold=0.4) == [20, 35]
    assert script("scoresOf(video)", video=video | {"scores": None}) is None


def test_a_zip_of_the_studio_opens(script: Script, tmp_path: Path) -> None:
    files = {"a.png": [1, 2, 250], "keyframes.csv": list(b"frame")}
    entries = ", ".join(f"{{name: {name!r}, bytes: Uint8Array.from({content})}}" for name, content in files.items())
    parts = script(f"zipParts([{entries}], (text) => Uint8Array.from([...text].map((c) => c.charCodeAt(0)))).map((part) => [...part])")
    path = tmp_path / "made.zip"
    path.write_bytes(bytes(byte for part in parts for byte in part))
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        assert {name: list(archive.read(name)) for name in archive.namelist()} == files


def test_near_parts_of_a_background_move_more_than_far_ones(script: Script) -> None:
    # As on the server: middle depth moves by `reach` (2) pixels; with `depth` 1, the nearest row moves by 3 pixels and the farthest by 1.
    near = [0] * 10 + [128] * 10 + [255] * 10  # one row for each third
    picture = [level for row in range(3) for x in range(10) for level in (x * 10, row, 0, 255)]
    view = """(() => {
      const out = new Uint8Array(4 * 4 * 3);
      const room = { picture: Uint8Array.from(picture), near: Uint8Array.from(near), middle: 128, size: [10, 3] };
      moved(out, [4, 3], room, { camera: 1, depth, reach: 2 });
      return [0, 1, 2].map((row) => out[16 * row] / 10);
    })()"""
    assert script(view, picture=picture, near=near, depth=0) == [1, 1, 1]
    assert script(view, picture=picture, near=near, depth=1) == [2, 1, 0]
    rows = script("[...nearnessOfRows(2, 3)]")
    assert rows == [0, 0, 127, 127, 255, 255]


@pytest.mark.parametrize("size", [0, 1, 55, 56, 63, 64, 65, 119, 120, 127, 128, 1000])
def test_the_digest_of_parts_is_that_of_the_whole(script: Script, size: int) -> None:
    data = random.Random(size).randbytes(size)
    for part in (1, 60, 64, 500):
        parts = [list(data[at : at + part]) for at in range(0, size, part)]
        digest = script("parts.reduce((digest, part) => digest.update(Uint8Array.from(part)), new Sha256()).hex()", parts=parts)
        assert digest == hashlib.sha256(data).hexdigest(), part


def test_any_number_of_files_is_distributed_over_zip_files(script: Script) -> None:
    sizes = [3 + number % 5 for number in range(350)] + [200, 1]
    expression = """(() => {
      const series = new ZipSeries(100);
      const full = sizes.map((length, name) => series.add({ name, bytes: { length } }));
      return [...full.filter(Boolean), series.end()].map((files) => files.map(({ name }) => name));
    })()"""
    groups = script(expression, sizes=sizes)
    assert [name for group in groups for name in group] == list(range(len(sizes)))
    assert all(len(group) == 1 or sum(sizes[name] for name in group) <= 100 for group in groups)
    assert [350] in groups, "a file that is larger than a ZIP file should be is alone in one"
