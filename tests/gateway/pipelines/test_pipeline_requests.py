"""Idempotency keys and traces of pipeline requests."""

from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from gateway.pipelines.check import check_steps
from gateway.pipelines.running.runner import PipelineRunner
from gateway.pipelines.steps import Step
from gateway.routing.upstream import Upstreams
from services.speed_ramp.analyze import ANALYZE
from shared.errors import OperationFailed, UnknownMedia
from shared.http.operations.description import describe
from shared.jobs import Claim, ProgressLog
from shared.log import CURRENT_REQUEST
from shared.sample_ids import SAMPLE_ID
from shared.settings import Settings
from shared.testing import RunningSuite

URL = "/v1/pipelines/jobs"
TRACE = {"traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", "tracestate": "vendor=1"}


def steps(media_id: str = SAMPLE_ID, **params) -> dict:
    return {"steps": [{"id": "look", "operation": "speed-ramp.analyze", "inputs": {"video": media_id}, "params": params}]}


def test_a_repeated_request_gets_the_first_job_though_its_input_was_deleted(running: RunningSuite, clip):
    media = running.upload(clip)
    key = {"Idempotency-Key": "pipeline-1", "Prefer": "wait=60"}
    first = running.client.post(URL, json=steps(media["id"]), headers=key).json()
    assert first["status"] == "succeeded", first
    assert running.client.delete(f"/v1/media/{media['id']}").status_code == 204
    again = running.client.post(URL, json=steps(media["id"]), headers=key)
    assert (again.status_code, again.json()["id"]) == (200, first["id"])
    other = running.client.post(URL, json=steps(media["id"], min_speed=0.7), headers=key)
    assert (other.status_code, other.json()["type"]) == (422, "/problems/idempotency-mismatch")
    assert running.client.post(URL, json=steps(media["id"])).status_code == 404


def test_the_trace_is_not_part_of_the_request(running: RunningSuite):
    key = {"Idempotency-Key": "pipeline-2"}
    first = running.client.post(URL, json=steps(), headers=key | TRACE).json()
    assert first["params"]["trace"] == TRACE
    again = running.client.post(URL, json=steps(), headers=key | {"traceparent": TRACE["traceparent"].replace("4bf9", "5bf9")}).json()
    assert again["id"] == first["id"]
    assert "trace" not in running.client.post(URL, json=steps(), headers={"traceparent": "no"}).json()["params"]


def no_past(settings: Settings) -> Any:
    """Return a fake runtime that has no media and no earlier jobs."""

    async def none(*_: object) -> list[object]:
        return []

    def unknown(owner: str, media_id: str) -> None:
        raise UnknownMedia(f"{owner} has no {media_id}")

    keys = SimpleNamespace(max_jobs=lambda _owner: None)
    jobs = SimpleNamespace(past_runs=none, stopping=False)
    return SimpleNamespace(settings=settings, media=SimpleNamespace(get=unknown), jobs=jobs, keys=keys)


async def test_requests_to_services_carry_the_trace():
    requests: list[tuple[str, str, dict[str, str]]] = []

    def service(request: httpx.Request) -> httpx.Response:
        requests.append((request.method, request.url.path, {name: request.headers[name] for name in TRACE if name in request.headers}))
        if request.url.path == "/operations":
            return httpx.Response(200, json=[describe(ANALYZE).model_dump(mode="json")])
        if request.url.path.endswith("/check"):
            return httpx.Response(200, json={"params": {}})
        return httpx.Response(422, json={"detail": "no"})

    upstreams = Upstreams({"speed-ramp": httpx.AsyncClient(base_url="http://speed-ramp", transport=httpx.MockTransport(service))})
    runner = PipelineRunner(upstreams, no_past(Settings()))
    step = Step.model_validate(steps()["steps"][0])
    CURRENT_REQUEST.set(TRACE)
    await check_steps(upstreams, [step], headers={})
    CURRENT_REQUEST.set({})  # the job runs later, outside of any request
    claim = Claim(
        id="1",
        owner="public",
        service="pipelines",
        operation="pipelines.run",
        inputs={},
        params={"steps": [step.model_dump()], "trace": TRACE},
        attempt=1,
        failures=0,
        fraction=0,
        cache=True,
        created_at=0,
        started_at=0,
    )
    with pytest.raises(OperationFailed, match="'look'"):
        await runner.run(claim, ProgressLog(SimpleNamespace(progress=lambda *_: None), claim))  # type: ignore[arg-type]
    paths = [("GET", "/operations"), ("POST", "/analyze/check"), ("GET", "/operations"), ("POST", "/analyze/jobs")]
    assert requests == [(*path, TRACE) for path in paths]
    await upstreams.close()
