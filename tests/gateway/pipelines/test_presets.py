"""Presets: declarations, missing models, and a run of each on a real clip."""

import os
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.material.clips import sample_clip
from gateway.pipelines.placeholders import filled, placeholders
from gateway.pipelines.presets.preset import Preset
from gateway.pipelines.presets.table import PRESETS
from gateway.pipelines.steps import Step
from reelwright import ROOMS
from services.media.transcode import TranscodeParams, transcode
from shared.errors import Invalid
from shared.operation import Kind
from shared.sample_ids import SAMPLE_ID, SAMPLE_PICTURE_ID
from shared.testing import RunningSuite
from shared.video import ffmpeg_path, read_frames
from tests.shared.cli.test_cli import reelwright

URL = "/v1/pipelines/presets"
OPERATIONS = {operation.name: operation for room in ROOMS for operation in room.service.operations}
CHROMA = {"backend": "chroma", "subject": "all"}
"""Params of a matte that needs no weights."""
WITHOUT_WEIGHTS: dict[str, dict[str, dict[str, Any]]] = {
    "dramatic-ramp": {},
    "ramp-trails": {},
    "best-frame-of-each-shot": {"best": {"scorer": "technical"}},
    "highlight-reel": {},
    "new-background": {"matte": CHROMA},
    "clean-plate": {"matte": CHROMA},
    "studio-over-picture": {"matte": CHROMA, "working": {"max_edge": 160}},
}
"""Params with which a preset runs where no weights are installed. The others need Stable Diffusion."""

each = pytest.mark.parametrize("preset", PRESETS, ids=lambda preset: preset.name)


@each
def test_a_preset_declares_the_inputs_that_its_steps_take(preset: Preset):
    steps = [Step.model_validate(step) for step in preset.steps]
    assert placeholders(steps) == {name: about.optional for name, about in preset.inputs.items()}
    for step in steps:
        for name, source in step.inputs.items():
            used = placeholders([step.model_copy(update={"inputs": {name: source}})])
            assert all(preset.inputs[placeholder].kind in OPERATIONS[step.operation].ports[name].kinds for placeholder in used)


def test_only_presets_that_need_stable_diffusion_are_not_run_here():
    assert {preset.name for preset in PRESETS} - WITHOUT_WEIGHTS.keys() == {"matte-studio-trails"}


@pytest.fixture(scope="module")
def short(running: RunningSuite, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Upload half a second of a moving red block.

    Returns the media id. 320x180, before a green screen.
    """
    path = tmp_path_factory.mktemp("short") / "short.mp4"
    screen, block = "color=0x00b140:s=320x180:r=30:d=0.5,noise=alls=6:allf=t[bg]", "color=0xa03020:s=60x90:r=30:d=0.5[block]"
    drawn = ["-f", "lavfi", "-i", f"{screen};{block};[bg][block]overlay=x=20+t*300:y=60", "-pix_fmt", "yuv420p"]
    subprocess.run([ffmpeg_path(), "-v", "error", *drawn, str(path)], check=True)
    return str(running.upload(path)["id"])


def inputs_of(preset: Preset, video: str) -> dict[str, str]:
    return {name: video if about.kind is Kind.VIDEO else SAMPLE_PICTURE_ID for name, about in preset.inputs.items()}


@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", WITHOUT_WEIGHTS)
def test_a_preset_runs(running: RunningSuite, short: str, name: str):
    preset = next(preset for preset in PRESETS if preset.name == name)
    body = {"inputs": inputs_of(preset, short), "params": WITHOUT_WEIGHTS[name]}
    answer = running.client.post(f"{URL}/{name}/jobs", json=body)
    assert answer.status_code == 202, answer.text
    job = running.wait(answer.json()["id"], timeout_s=200)
    assert job["status"] == "succeeded", job["error"]
    assert [step["id"] for step in job["result"]["steps"]] == [step["id"] for step in preset.steps]
    last = preset.steps[-1]
    for output, kind in OPERATIONS[last["operation"]].outputs.items():
        if f"{last['id']}.{output}" in job["outputs"]:
            assert job["outputs"][f"{last['id']}.{output}"]["kind"] == kind


@pytest.mark.timeout(300)
def test_the_list_says_correctly_which_presets_can_run(running: RunningSuite):
    listed = {preset["name"]: preset for preset in running.client.get(URL).json()}
    assert list(listed) == [preset.name for preset in PRESETS]
    for preset in PRESETS:
        info = listed[preset.name]
        checked = running.client.post(info["urls"]["check"], json={"inputs": inputs_of(preset, SAMPLE_ID)})
        assert checked.status_code == (200 if info["available"] else 503), checked.text
        assert info["available"] == (not info["missing"]) == (not info["reasons"])
    assert listed["ramp-trails"]["available"]
    plate = listed["clean-plate"]
    assert plate["missing"] == ["matting.matte"]
    assert "reelwright models pull rvm-mobilenetv3" in plate["reasons"][0]
    assert running.client.get(f"{URL}/clean-plate").json() == plate


@pytest.mark.parametrize(
    ("name", "body", "status", "field", "message"),
    [
        ("no-such", {"inputs": {"video": SAMPLE_ID}}, 404, None, "No preset is called 'no-such'. Presets: dramatic-ramp, "),
        ("ramp-trails", {"inputs": {"vidoe": SAMPLE_ID}}, 422, "inputs.vidoe", "ramp-trails has no input 'vidoe'. Inputs: video."),
        ("ramp-trails", {"inputs": {}}, 422, "inputs.video", "ramp-trails needs video."),
        ("new-background", {"inputs": {"video": SAMPLE_ID}}, 422, "inputs.background", "new-background needs background."),
        (
            "ramp-trails",
            {"inputs": {"video": SAMPLE_ID}, "params": {"trail": {}}},
            422,
            "params.trail",
            "ramp-trails has no step 'trail'. Steps: ramp, trails.",
        ),
        ("ramp-trails", {"inputs": {"video": SAMPLE_ID}, "params": {"trails": {"layerz": 3}}}, 422, "params.trails.layerz", "layerz"),
        ("ramp-trails", {"inputs": {"video": SAMPLE_PICTURE_ID}}, 422, "inputs.video", "is of kind image; this input takes video"),
        ("ramp-trails", {"inputs": {"video": "7" * 26}}, 404, "inputs.video", "7" * 26),
    ],
)
def test_wrong_requests_are_refused_by_name(running: RunningSuite, name, body, status, field, message):
    for endpoint in ("jobs", "check"):
        answer = running.client.post(f"{URL}/{name}/{endpoint}", json=body)
        assert answer.status_code == status, answer.text
        problem = answer.json()
        assert message in problem["detail"]
        assert field is None or field in [error["field"] for error in problem["errors"]]


@pytest.mark.timeout(300)
def test_a_batch_starts_one_pipeline_for_each_clip(running: RunningSuite, short: str):
    other = running.client.post("/v1/media/transcode/jobs", json={"inputs": {"video": short}, "params": {"height": 90}}).json()
    other = running.wait(other["id"])["outputs"]["video"]["id"]
    body = {"inputs": {"video": [short, other]}, "params": {"ramp": {"speeds": [2]}}, "metadata": {"project": "x"}}
    key = {"Idempotency-Key": "batch-1"}
    answer = running.client.post(f"{URL}/dramatic-ramp/batch", json=body, headers=key)
    assert answer.status_code == 202, answer.text
    jobs = answer.json()["jobs"]
    assert {job["metadata"]["project"] for job in jobs} == {"x"}
    batches = [job["metadata"]["batch"] for job in jobs]
    assert [(batch["number"], batch["of"]) for batch in batches] == [(1, 2), (2, 2)]
    assert len({batch["id"] for batch in batches}) == 1
    heights = [running.wait(job["id"])["outputs"]["ramp.video"]["media"]["height"] for job in jobs]
    assert heights == [180, 90]
    again = running.client.post(f"{URL}/dramatic-ramp/batch", json=body, headers=key).json()["jobs"]
    assert [job["id"] for job in again] == [job["id"] for job in jobs]
    before = len(running.client.get("/v1/jobs", params={"limit": 500}).json()["items"])
    refused = running.client.post(f"{URL}/dramatic-ramp/batch", json={"inputs": {"video": [short, "7" * 26]}})
    assert refused.status_code == 404
    assert len(running.client.get("/v1/jobs", params={"limit": 500}).json()["items"]) == before, "nothing starts if one clip is refused"
    assert "needs a list" in running.client.post(f"{URL}/dramatic-ramp/batch", json={"inputs": {"video": short}}).json()["detail"]


def test_a_user_defined_pipeline_may_have_placeholders(running: RunningSuite, short: str):
    steps = [{"id": "look", "operation": "speed-ramp.analyze", "inputs": {"video": "<clip>"}, "params": {}}]
    body = {"inputs": {"clip": short}, "steps": steps}
    checked = running.client.post("/v1/pipelines/check", json=body).json()
    assert checked["steps"][0]["inputs"] == {"video": short}
    job = running.client.post("/v1/pipelines/jobs", json=body, headers={"Prefer": "wait=60"}).json()
    assert job["status"] == "succeeded", job
    missing = running.client.post("/v1/pipelines/check", json={"steps": steps})
    assert (missing.status_code, missing.json()["errors"][0]["field"]) == (422, "inputs.clip")


def test_placeholders_are_filled():
    inputs = {"one": "<clip>", "many": ["<clip>", "b" * 26, "<more?>"], "maybe": "<mask?>", "none": None}
    step = Step.model_validate({"id": "a", "operation": "x.y", "inputs": inputs})
    assert placeholders([step]) == {"clip": False, "more": True, "mask": True}
    (done,) = filled([step], {"clip": "c", "more": ["d", "e"]})
    assert done.inputs == {"one": "c", "many": ["c", "b" * 26, "d", "e"], "none": None}
    with pytest.raises(Invalid, match="clip must be given"):
        filled([step], {})
    with pytest.raises(Invalid, match="no step takes an input 'video'"):
        filled([step], {"clip": "c", "video": "d"})


@pytest.mark.models
@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", ["new-background", "clean-plate", "studio-over-picture"])
def test_a_preset_runs_with_rvm(name: str, tmp_path: Path, picture: Path):
    """`reelwright pipeline run` runs each preset on a real clip with RVM's published weights."""
    clip, folder = tmp_path / "clip.mp4", tmp_path / "made"
    transcode(TranscodeParams(duration=0.6), video=sample_clip("carphone_pristine.mp4"), output=clip)
    files = ["--video", clip, *(["--background", picture] if name != "clean-plate" else [])]
    done = reelwright("pipeline", "run", name, *files, "--output", folder, REELWRIGHT_MODELS_DIR=os.environ["REELWRIGHT_MODELS_DIR"])
    assert done.returncode == 0, done.stderr
    with read_frames(folder / "matte.alpha.mp4") as frames:
        solid = np.mean([np.mean(frame.matte() > 125) for frame in frames])
    assert 0.1 < solid < 0.9
    last = next(preset for preset in PRESETS if preset.name == name).steps[-1]
    outputs = OPERATIONS[last["operation"]].outputs
    assert {path.name.split(".")[1] for path in folder.glob(f"{last['id']}.*")} <= set(outputs)
    assert any(folder.glob(f"{last['id']}.*"))
