"""Pipelines that users save under a name."""

from pathlib import Path

import pytest

from gateway.pipelines.saved import store
from gateway.pipelines.saved.store import SavedPipelines
from gateway.pipelines.steps import Step
from shared.errors import Conflict, UnknownPipeline
from shared.sample_ids import SAMPLE_ID
from shared.testing import RunningSuite

URL = "/v1/pipelines/saved"
NAME = "Räder, 2×"
STEPS = [{"id": "fast", "operation": "speed-ramp.render", "inputs": {"video": "<video>"}, "params": {"speeds": [8.0], "audio": "drop"}}]


def test_a_pipeline_is_saved_listed_run_changed_and_deleted(running: RunningSuite):
    client = running.client
    saved = client.put(f"{URL}/{NAME}", json={"steps": STEPS, "description": "Twice as fast."})
    assert saved.status_code == 200, saved.text
    assert saved.json()["steps"] == STEPS
    assert [saved["name"] for saved in client.get(URL).json()] == [NAME]

    missing = client.post(f"{URL}/{NAME}/jobs", json={"inputs": {}})
    assert (missing.status_code, missing.json()["errors"][0]["field"]) == (422, "inputs.video")
    unknown = client.post(f"{URL}/{NAME}/jobs", json={"inputs": {"video": SAMPLE_ID}, "params": {"slow": {}}})
    assert (unknown.status_code, unknown.json()["errors"][0]["field"]) == (422, "params.slow")
    body = {"inputs": {"video": SAMPLE_ID}, "params": {"fast": {"speeds": [4.0]}}}
    job = running.wait(client.post(f"{URL}/{NAME}/jobs", json=body).json()["id"])
    assert job["status"] == "succeeded", job["error"]
    assert job["params"]["steps"][0]["params"]["speeds"] == [4.0]

    client.put(f"{URL}/{NAME}", json={"steps": STEPS})
    assert client.get(f"{URL}/{NAME}").json()["description"] == ""
    assert client.delete(f"{URL}/{NAME}").status_code == 204
    assert client.get(f"{URL}/{NAME}").json()["type"] == "/problems/unknown-pipeline"
    assert client.delete(f"{URL}/{NAME}").status_code == 404


@pytest.mark.parametrize(("name", "body"), [(" ", {"steps": STEPS}), ("x" * 101, {"steps": STEPS}), ("x", {"steps": []})])
def test_invalid_names_and_empty_pipelines_are_not_saved(running: RunningSuite, name: str, body: dict):
    assert running.client.put(f"{URL}/{name}", json=body).status_code == 422


def test_each_owner_has_pipelines_of_their_own_up_to_a_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(store, "MOST_SAVED", 2)
    saved, steps = SavedPipelines(tmp_path), [Step.model_validate(step) for step in STEPS]
    for name in ("b", "A", "b"):
        saved.save("one", name, description="", steps=steps)
    assert [pipeline.name for pipeline in SavedPipelines(tmp_path).all("one")] == ["A", "b"]
    assert saved.all("two") == []
    with pytest.raises(UnknownPipeline):
        saved.get("two", "b")
    with pytest.raises(Conflict, match="Delete one"):
        saved.save("one", "c", description="", steps=steps)
