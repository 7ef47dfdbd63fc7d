"""Every way to start a job counts against the key's quota `max_jobs`."""

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from shared.keys.key_file import KeyFile
from shared.keys.record import KeyRecord, hash_of, now
from shared.settings import owner_of
from shared.testing import RunningSuite, suite
from tests.file_origin import Origin, serving_files

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]

KEY = "one-job-at-once-one-job-at-once"
TWO = "two-jobs-at-once-two-jobs-at-once"
ANALYZE = "speed-ramp.analyze"


@dataclass(frozen=True)
class Limited:
    """A suite with two limited keys, their clips, and a file server.

    The server can hold its answers.
    """

    running: RunningSuite
    origin: Origin
    clips: dict[str, str]

    def send(self, method: str, path: str, key: str = KEY, **more: Any) -> httpx.Response:
        headers = {"Authorization": f"Bearer {key}"} | more.pop("headers", {})
        return self.running.client.request(method, path, headers=headers, **more)

    def hold(self, key: str = KEY) -> str:
        """Start a job that stays unfinished, because its input never arrives; return its id."""
        body = {"inputs": {"video": {"url": f"{self.origin.url}/slow/clip.mp4"}}, "cache": False}
        answer = self.send("POST", "/v1/speed-ramp/analyze/jobs", key, json=body)
        assert answer.status_code == 202, answer.text
        return str(answer.json()["id"])

    def cancel(self, job_id: str, key: str = KEY) -> None:
        assert self.send("POST", f"/v1/jobs/{job_id}/cancel", key).status_code == 200


@pytest.fixture(scope="module")
def limited(tmp_path_factory: pytest.TempPathFactory, clip: Path) -> Iterator[Limited]:
    data = tmp_path_factory.mktemp("limited")

    def record(name: str, key: str, max_jobs: int) -> KeyRecord:
        return KeyRecord(id=name, name=name, hash=hash_of(key), owner=owner_of(key), created_at=now(), max_jobs=max_jobs)

    KeyFile(data).change(lambda _: (record("one", KEY, 1), record("two", TWO, 2)))
    with serving_files(clip=clip) as origin, suite(data, URL_ALLOW_NETWORKS="127.0.0.0/8", PROBE_TIMEOUT_S="90") as running:
        clips = {}
        for key in (KEY, TWO):
            with clip.open("rb") as file:
                answer = running.client.post("/v1/media", files={"file": ("ball.mp4", file)}, headers={"X-API-Key": key})
            assert answer.status_code == 201, answer.text
            clips[key] = answer.json()["id"]
        yield Limited(running, origin, clips)


def ways(limited: Limited) -> dict[str, Callable[[], httpx.Response]]:
    """Return one request for each address that starts jobs.

    The result is address in the API description -> function that sends it.
    """
    video = {"video": limited.clips[KEY]}
    steps = [{"id": "look", "operation": ANALYZE, "inputs": video}]
    canceled = limited.hold()
    limited.cancel(canceled)
    begun = limited.send("POST", "/v1/pipelines/jobs", json={"steps": steps, "cache": False}).json()["id"]
    limited.cancel(begun)
    saved = limited.send("PUT", "/v1/pipelines/saved/mine", json={"steps": [steps[0] | {"inputs": {"video": "<video>"}}]})
    assert saved.status_code == 200, saved.text

    def post(path: str, **body: Any) -> Callable[[], httpx.Response]:
        return lambda: limited.send("POST", path, json=body)

    return {
        "/v1/{service}/{verb}/jobs": post("/v1/speed-ramp/analyze/jobs", inputs=video, cache=False),
        "a preview": post("/v1/speed-ramp/render/jobs", inputs=video, preview=True, cache=False),
        "/v1/jobs": post("/v1/jobs", jobs=[{"operation": ANALYZE, "inputs": video, "cache": False}] * 2),
        "/v1/jobs/{job_id}/retry": post(f"/v1/jobs/{canceled}/retry"),
        "retry of a pipeline": post(f"/v1/jobs/{begun}/retry"),
        "/v1/pipelines/jobs": post("/v1/pipelines/jobs", steps=steps, cache=False),
        "/v1/pipelines/presets/{name}/jobs": post("/v1/pipelines/presets/dramatic-ramp/jobs", inputs=video, cache=False),
        "/v1/pipelines/presets/{name}/batch": post(
            "/v1/pipelines/presets/dramatic-ramp/batch", inputs={"video": [limited.clips[KEY]] * 2}, cache=False
        ),
        "/v1/pipelines/saved/{name}/jobs": post("/v1/pipelines/saved/mine/jobs", inputs=video, cache=False),
    }


def test_no_way_to_start_a_job_passes_the_quota(limited: Limited) -> None:
    requests = ways(limited)
    document = limited.running.client.get("/openapi.json").json()
    accepting = {path for path, methods in document["paths"].items() if "202" in methods.get("post", {}).get("responses", {})}
    of_operations = {operation["urls"]["jobs"] for operation in limited.send("GET", "/v1/operations").json()}
    assert of_operations <= accepting
    accepting -= {"/v1/jobs/{job_id}/deliveries/{delivery_id}/resend"}  # starts no job
    assert accepting - of_operations - requests.keys() == set(), "a new address that starts jobs needs a request in `ways`"
    held = limited.hold()
    for name, send in requests.items():
        answer = send()
        assert answer.status_code == 429, (name, answer.text)
        problem = answer.json()
        assert (problem["type"], problem["status"]) == ("/problems/quota-exceeded", 429), name
        assert "1 unfinished jobs and may have 1" in problem["detail"], name
        assert int(answer.headers["retry-after"]) > 0, name
    unfinished = [job["id"] for job in limited.send("GET", "/v1/jobs").json()["items"] if job["status"] in ("queued", "running")]
    assert unfinished == [held]
    limited.cancel(held)


def test_a_pipeline_runs_its_steps_within_the_quota(limited: Limited) -> None:
    steps = [
        {"id": f"look{number}", "operation": ANALYZE, "inputs": {"video": limited.clips[KEY]}, "params": {"segment_duration": 0.5 + number}}
        for number in range(3)
    ]
    job = limited.send("POST", "/v1/pipelines/jobs", json={"steps": steps, "cache": False}, headers={"Prefer": "wait=60"}).json()
    while job["status"] in ("queued", "running"):
        job = limited.send("GET", f"/v1/jobs/{job['id']}").json()
    assert job["status"] == "succeeded", job
    children = sorted(
        (limited.send("GET", f"/v1/jobs/{step['job']}").json() for step in job["result"]["steps"]), key=lambda step: step["id"]
    )
    assert len(children) == 3
    assert all(first["completed_at"] <= following["created_at"] for first, following in itertools.pairwise(children))


def test_a_batch_answers_for_each_item(limited: Limited) -> None:
    held = limited.hold(TWO)
    item = {"operation": ANALYZE, "inputs": {"video": {"url": f"{limited.origin.url}/slow/clip.mp4"}}, "cache": False}
    items = [item, item | {"idempotency_key": "second"}, item | {"params": {"segment_duration": 2.0}}]
    key = {"Idempotency-Key": "k" * 255}
    answer = limited.send("POST", "/v1/jobs", TWO, json={"jobs": items}, headers=key)
    assert answer.status_code == 202, answer.text
    (first,), refused = answer.json()["jobs"], answer.json()["refused"]
    assert [(entry["index"], entry["problem"]["type"]) for entry in refused] == [
        (1, "/problems/quota-exceeded"),
        (2, "/problems/quota-exceeded"),
    ]
    assert refused[0]["problem"]["detail"].startswith("jobs.1: This API key has 2 unfinished jobs")
    assert int(answer.headers["retry-after"]) > 0

    limited.cancel(held, TWO)
    again = limited.send("POST", "/v1/jobs", TWO, json={"jobs": items}, headers=key).json()
    assert again["jobs"][0]["id"] == first["id"], "an accepted item returns its job"
    assert [entry["index"] for entry in again["refused"]] == [2]
    second = again["jobs"][1]["id"]
    alone = limited.send(
        "POST", "/v1/speed-ramp/analyze/jobs", TWO, json={"inputs": item["inputs"], "cache": False}, headers={"Idempotency-Key": "second"}
    )
    assert alone.json()["id"] == second, "the key of an item is an Idempotency-Key like any other"
    for job_id in (first["id"], second):
        limited.cancel(job_id, TWO)


def test_keys_of_views_are_not_for_clients(limited: Limited) -> None:
    body = {"inputs": {"video": limited.clips[KEY]}, "listed": False}
    headers = {"Idempotency-Key": f"view/proxy/{limited.clips[KEY]}/x"}
    answer = limited.send("POST", "/v1/media/proxy/jobs", json=body, headers=headers)
    assert (answer.status_code, answer.json()["type"]) == (422, "/problems/invalid")
    held = limited.hold()
    assert limited.send("GET", f"/v1/media/{limited.clips[KEY]}/proxy").status_code in (200, 202), "a view is made all the same"
    limited.cancel(held)
