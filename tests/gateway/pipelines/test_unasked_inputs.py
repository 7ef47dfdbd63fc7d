"""`effects.strobe` gets its matte automatically if matting is installed.

This holds over HTTP, in batches, in pipelines and in previews.
"""

import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from services.effects.strobe import STROBE
from services.matting.matte import MATTE
from shared.http.operations.description import describe
from shared.operation import makes_unasked
from shared.sample_ids import SAMPLE_ID, SAMPLE_MATTE_ID
from shared.testing import RunningSuite, suite
from tests.conftest import wait_for_samples
from tests.file_origin import serving_files
from tests.services.matting.made_networks import make_rvm

SHORT = {"duration": 0.4, "interval": 0.2}


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write a small matting network that takes bright areas for the subject."""
    folder = tmp_path_factory.mktemp("models")
    make_rvm(folder / "rvm-resnet50/rvm_resnet50_fp32.onnx")
    return folder


@pytest.fixture(scope="module")
def matting(models: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSuite]:
    """Start a suite in which one job of each service runs at a time."""
    data = tmp_path_factory.mktemp("suite")
    with suite(data, MODELS_DIR=str(models), DEVICE="cpu", CONCURRENCY="1", PROBE_TIMEOUT_S="90") as started:
        wait_for_samples(started)
        yield started


def maker_of(running: RunningSuite, job: dict[str, Any]) -> dict[str, Any]:
    """Return the job that made the matte of `job`."""
    record = running.client.get(f"/v1/media/{job['inputs']['matte']}").json()
    return running.client.get(f"/v1/jobs/{record['source']}").json()


def test_the_declaration_says_when_the_matte_is_made() -> None:
    port = describe(STROBE).inputs["matte"]
    assert (port.auto, port.auto_if) == ("matting.matte.alpha", {"mask": "auto"})
    assert makes_unasked(port.auto_if or {}, {"mask": "auto"})
    assert not makes_unasked(port.auto_if or {}, {"mask": "motion"})
    assert not any(port.auto_if for port in describe(MATTE).inputs.values())


def test_a_strobe_uses_matting_unasked(matting: RunningSuite) -> None:
    body = {"inputs": {"video": SAMPLE_ID}, "params": SHORT}
    answers = [matting.client.post("/v1/effects/strobe/jobs", json=body, headers={"Idempotency-Key": "one"}) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [202, 202]
    assert answers[0].json()["id"] == answers[1].json()["id"]
    job = matting.wait(answers[0].json()["id"])
    assert (job["operation"], job["status"]) == ("effects.strobe", "succeeded"), job["error"]
    assert job["result"]["mask"] == "matte"
    assert set(job["outputs"]) == {"video", "picture"}
    maker = maker_of(matting, job)
    assert (maker["operation"], maker["status"], maker["listed"]) == ("matting.matte", "succeeded", False)
    assert maker["params"]["duration"] == SHORT["duration"]
    listed = matting.client.get("/v1/jobs").json()["items"]
    assert maker["id"] not in [item["id"] for item in listed]


def test_the_request_decides(matting: RunningSuite) -> None:
    motion = matting.wait(matting.start("effects.strobe", {"video": SAMPLE_ID}, SHORT | {"mask": "motion"})["id"])
    assert (motion["result"]["mask"], motion["inputs"]["matte"]) == ("motion", None)
    given = matting.wait(matting.start("effects.strobe", {"video": SAMPLE_ID, "matte": SAMPLE_MATTE_ID}, SHORT)["id"])
    assert (given["result"]["mask"], given["inputs"]["matte"]) == ("matte", SAMPLE_MATTE_ID)
    refused = matting.client.post("/v1/effects/strobe/jobs", json={"inputs": {"video": SAMPLE_ID}, "params": {"interval": 0}})
    assert [error["field"] for error in refused.json()["errors"]] == ["params.interval"]


def test_batches_and_pipelines_use_matting_too(matting: RunningSuite) -> None:
    item = {"operation": "effects.strobe", "inputs": {"video": SAMPLE_ID}, "params": SHORT | {"quality": 60}}
    batch = matting.client.post("/v1/jobs", json={"jobs": [item]}).json()["jobs"]
    assert matting.wait(batch[0]["id"])["result"]["mask"] == "matte"
    step = item | {"id": "stamps", "params": SHORT | {"quality": 61}}
    pipeline = matting.client.post("/v1/pipelines/jobs", json={"steps": [step]}).json()
    done = matting.wait(pipeline["id"])
    assert [made["result"]["mask"] for made in done["result"]["steps"]] == ["matte"]


def test_a_preview_shows_what_the_job_will_make(matting: RunningSuite) -> None:
    body = {"inputs": {"video": SAMPLE_ID}, "params": {"interval": 0.2}, "preview": True, "preview_at_s": 1, "preview_s": 0.5}
    answer = matting.client.post("/v1/effects/strobe/jobs", json=body)
    job = matting.wait(answer.json()["id"])
    assert job["status"] == "succeeded", job["error"]
    assert job["result"]["mask"] == "matte"


def test_cancelling_the_strobe_cancels_the_job_that_makes_its_matte(matting: RunningSuite) -> None:
    before = matting.start("matting.matte", {"video": SAMPLE_ID})  # the queue of matting is busy
    job = matting.start("effects.strobe", {"video": SAMPLE_ID}, SHORT | {"quality": 62})
    maker = job["inputs"]["matte"].removeprefix("made:").partition(".")[0]
    assert matting.client.post(f"/v1/jobs/{job['id']}/cancel").json()["status"] == "canceled"
    assert matting.client.get(f"/v1/jobs/{maker}").json()["status"] == "canceled"
    again = matting.client.post(f"/v1/jobs/{job['id']}/retry").json()
    matting.client.post(f"/v1/jobs/{before['id']}/cancel")
    assert matting.wait(again["id"])["result"]["mask"] == "matte"


def test_a_client_cannot_let_a_job_wait_for_another_of_its_own_kind(matting: RunningSuite) -> None:
    job = matting.start("effects.strobe", {"video": SAMPLE_ID}, SHORT | {"quality": 64})
    for source in (f"made:{job['id']}.video", f"made:{job['id']}.alpha?", "made:unknown.alpha?"):
        body = {"inputs": {"video": SAMPLE_ID, "matte": source}, "params": SHORT}
        refused = matting.client.post("/v1/effects/strobe/jobs", json=body)
        assert refused.status_code == 422, refused.text
        assert [error["field"] for error in refused.json()["errors"]] == ["inputs.matte"]
    assert matting.wait(job["id"])["result"]["mask"] == "matte"


def test_a_maker_that_could_not_be_started_leaves_a_warning(matting: RunningSuite) -> None:
    reason = "The service matting does not answer."
    job = matting.wait(matting.start("effects.strobe", {"video": SAMPLE_ID, "matte": f"made:?{reason}"}, SHORT | {"quality": 65})["id"])
    assert job["status"] == "succeeded", job["error"]
    assert (job["result"]["mask"], job["inputs"]["matte"]) == ("motion", None)
    assert f"No matte could be made, so this job ran without one. {reason}" in job["warnings"]
    for body in (
        {"inputs": {"video": SAMPLE_ID, "matte": "made:?a\x00b"}, "params": SHORT},
        {"inputs": {"video": SAMPLE_ID, "matte": "made:?" + "a" * 1001}, "params": SHORT},
        {"inputs": {"video": f"made:?{reason}"}, "params": SHORT},
    ):
        refused = matting.client.post("/v1/effects/strobe/jobs", json=body)
        assert refused.status_code == 422, refused.text


def test_a_strobe_that_is_refused_leaves_no_matting_job(models: Path, clip: Path, tmp_path: Path) -> None:
    def makers() -> list[str]:
        with closing(sqlite3.connect(tmp_path / "data/jobs.sqlite")) as database:
            return [row[0] for row in database.execute("SELECT id FROM reelwright_jobs WHERE operation = 'matting.matte'")]

    settings = {"MODELS_DIR": str(models), "DEVICE": "cpu", "PROBE_TIMEOUT_S": "90"}
    with (
        serving_files(clip=clip) as origin,
        suite(tmp_path / "data", **settings, QUEUE_LIMIT="1", URL_ALLOW_NETWORKS="127.0.0.0/8") as running,
    ):
        wait_for_samples(running)
        held = running.start("effects.strobe", {"video": {"url": f"{origin.url}/slow/clip.mp4"}}, {"mask": "motion"})
        body, key = {"inputs": {"video": SAMPLE_ID}, "params": SHORT}, {"Idempotency-Key": "one"}
        refused = running.client.post("/v1/effects/strobe/jobs", json=body, headers=key)
        assert refused.json()["type"] == "/problems/queue-full", refused.text
        batch = running.client.post("/v1/jobs", json={"jobs": [body | {"operation": "effects.strobe"}]})
        assert batch.status_code == 429, batch.text
        assert makers() == []
        running.client.post(f"/v1/jobs/{held['id']}/cancel")
        job = running.wait(running.client.post("/v1/effects/strobe/jobs", json=body, headers=key).json()["id"])
        assert job["result"]["mask"] == "matte"
        assert makers() == [maker_of(running, job)["id"]]


def test_without_weights_motion_cuts_out_the_subject_and_a_warning_says_so(matting: RunningSuite, models: Path) -> None:
    hidden = models.rename(models.with_name("hidden"))
    models.mkdir()
    try:
        job = matting.wait(matting.start("effects.strobe", {"video": SAMPLE_ID}, SHORT | {"quality": 63})["id"])
    finally:
        models.rmdir()
        hidden.rename(models)
    assert job["status"] == "succeeded", job["error"]
    assert (job["result"]["mask"], job["inputs"]["matte"]) == ("motion", None)
    [warning] = [warning for warning in job["warnings"] if "No matte could be made" in warning]
    assert "reelwright models pull rvm-mobilenetv3" in warning


def test_the_command_line_says_that_it_runs_without_a_matte(clip: Path, tmp_path: Path) -> None:
    flags = [word for name, value in SHORT.items() for word in (f"--{name}", str(value))]
    command = [sys.executable, "-m", "reelwright", "effects", "strobe", str(clip), str(tmp_path / "made"), *flags, "--json"]
    environment = os.environ | {"REELWRIGHT_MODELS_DIR": str(tmp_path / "empty")}
    done = subprocess.run(command, capture_output=True, text=True, timeout=100, env=environment)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["mask"] == "motion"
    assert "No matte could be made" in done.stderr
