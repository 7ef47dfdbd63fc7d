"""Lists of jobs (batches, filters, deletions), and the API's methods and field names."""

import pytest

from shared.sample_ids import SAMPLE_ID
from shared.testing import RunningSuite

ANALYZE = {"operation": "speed-ramp.analyze", "inputs": {"video": SAMPLE_ID}, "params": {"segment_duration": 0.7}}
SLOW = {"operation": "speed-ramp.render", "inputs": {"video": SAMPLE_ID}, "params": {"min_speed": 0.1, "max_speed": 0.2}, "cache": False}


def test_a_batch_is_submitted_found_and_deleted(running: RunningSuite):
    client = running.client
    named = ANALYZE | {"name": "Shot 7 of the Trailer", "metadata": {"shot": 7, "who": "me"}}
    refused = client.post("/v1/jobs", json={"jobs": [named, ANALYZE | {"params": {"segment_duration": "long"}}]})
    assert refused.status_code == 422
    assert refused.json()["errors"][0]["field"] == "jobs.1.params.segment_duration"
    filters = {"operation": "speed-ramp.analyze", "name": "shot 7", "metadata": ["shot:7", "who:me"]}
    assert client.get("/v1/jobs", params=filters).json()["items"] == []  # nothing of a refused batch starts

    request = {"jobs": [named, SLOW | {"deadline_s": 1.5}]}
    answer = client.post("/v1/jobs", json=request, headers={"Idempotency-Key": "collection-of-two"})
    assert answer.status_code == 202, answer.text
    first, late = answer.json()["jobs"]
    again = client.post("/v1/jobs", json=request, headers={"Idempotency-Key": "collection-of-two"})
    assert [job["id"] for job in again.json()["jobs"]] == [first["id"], late["id"]]
    assert [job["id"] for job in client.get("/v1/jobs", params=filters).json()["items"]] == [first["id"]]
    assert client.get("/v1/jobs", params=filters | {"metadata": "shot:8"}).json()["items"] == []

    ended = running.wait(late["id"])
    assert (ended["status"], ended["error"]["type"]) == ("failed", "/problems/timed-out")
    assert ended["deadline_at"] is not None
    assert running.wait(first["id"])["status"] == "succeeded"

    assert client.delete("/v1/jobs").status_code == 422
    deleted = client.delete("/v1/jobs", params={"id": [first["id"], late["id"], "7" * 26], "outputs": True}).json()
    assert deleted["deleted"] == [first["id"], late["id"]]
    assert [job["id"] for job in deleted["kept"]] == ["7" * 26]
    assert client.get(f"/v1/jobs/{first['id']}").status_code == 404


def test_steps_are_found_by_their_pipeline(running: RunningSuite):
    steps = [{"id": "look", "operation": "speed-ramp.analyze", "inputs": {"video": SAMPLE_ID}}]
    job = running.client.post("/v1/pipelines/jobs", json={"steps": steps, "cache": False}, headers={"Prefer": "wait=60"}).json()
    children = running.client.get("/v1/jobs", params={"parent": job["id"]}).json()["items"]
    assert [child["operation"] for child in children] == ["speed-ramp.analyze"]


STROBE = {"inputs": {"video": SAMPLE_ID}}


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/jobs", None),
        ("/v1/media", None),
        ("/v1/models", None),
        ("/v1/pipelines/presets", None),
        ("/v1/pipelines/saved", None),
        ("/v1/effects/strobe/jobs", STROBE),
        ("/v1/effects/strobe/check", STROBE),
        ("/v1/effects/strobe/jobs", STROBE | {"preview": True}),
        ("/v1/effects/strobe/jobs", {"inputs": {"video": SAMPLE_ID, "matte": "auto"}}),
        ("/v1/jobs", {"jobs": [ANALYZE]}),
        ("/v1/jobs/" + "7" * 26 + "/retry", {}),
        ("/v1/pipelines/jobs", {"steps": [{"id": "look", **ANALYZE}]}),
        ("/v1/pipelines/presets/dramatic-ramp/jobs", {"inputs": {"video": SAMPLE_ID}}),
    ],
)
def test_unknown_query_parameters_are_named(running: RunningSuite, path, body):
    answer = running.client.request("GET" if body is None else "POST", path, params={"limti": 3}, json=body)
    assert answer.status_code == 422, answer.text
    assert answer.json()["errors"] == [{"field": "limti", "detail": "unknown query parameter"}]


@pytest.mark.parametrize("path", ["/v1/jobs", "/v1/speed-ramp/operations", f"/v1/media/{SAMPLE_ID}", "/openapi.json", "/health"])
def test_head_is_get_without_the_body(running: RunningSuite, path):
    head = running.client.head(path)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-type"] == running.client.get(path).headers["content-type"]


def test_options_and_refusals_list_all_methods(running: RunningSuite):
    for path, methods in {
        "/v1/jobs": "GET, HEAD, POST, DELETE, OPTIONS",
        "/v1/models": "GET, HEAD, OPTIONS",
        "/v1/speed-ramp/render/jobs": "POST, OPTIONS",
    }.items():
        assert running.client.options(path).headers["allow"] == methods
        assert running.client.patch(path).headers["allow"] == methods
    job_id = running.client.get("/v1/jobs", params={"status": "succeeded", "limit": 1}).json()["items"][0]["id"]
    assert running.client.head(f"/v1/jobs/{job_id}/events").headers["content-type"].startswith("text/event-stream")


def test_errors_name_fields_as_the_request_does(running: RunningSuite):
    url = "/v1/keyframes/detect/jobs"
    errors = running.client.post(url, json={"inputs": {"video": 5}}).json()["errors"]
    assert [error["field"] for error in errors] == ["inputs.video"]
    repeated = running.client.post(url, content=b'{"inputs": {"video": "a", "video": "b"}}', headers={"Content-Type": "application/json"})
    assert repeated.status_code == 422
    assert "the name 'video' twice" in repeated.json()["detail"]


def test_file_names_keep_quotation_marks_and_nul_is_refused(running: RunningSuite, clip):
    with clip.open("rb") as file:
        record = running.client.post("/v1/media", files={"file": ('say "hi" 100%25.mp4', file)}).json()
    assert record["name"] == 'say "hi" 100%25.mp4'
    assert running.client.get("/v1/jobs?name=%00").status_code == 422
    assert running.client.get("/v1/media/%00").status_code == 404
