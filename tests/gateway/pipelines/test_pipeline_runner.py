"""The pipeline runner with a fake service: order of steps, refusals, canceling."""

import asyncio
import json
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from gateway.pipelines.running import runner as module
from gateway.pipelines.running.runner import PipelineRunner
from gateway.pipelines.steps import Step
from gateway.routing.upstream import Upstreams
from shared.errors import FieldError, UnknownJob, UnknownMedia
from shared.jobs import Claim, Job, PartlyFailed, ProgressLog
from shared.settings import Settings

MISSING = {"type": "/problems/model-missing", "title": "Model not installed", "status": 503, "detail": "Run: reelwright models pull rvm"}
FULL = {"type": "/problems/queue-full", "title": "Queue full", "status": 429, "detail": "1000 jobs are waiting."}


class Service:
    """A fake service and job store.

    `refusals`: for each verb, the responses given before a job is accepted.
    """

    def __init__(self, refusals: dict[str, list[httpx.Response]] | None = None):
        self.refusals = refusals or {}
        self.jobs: dict[str, dict[str, Any]] = {}
        self.canceled: list[str] = []
        self.stopping = False

    def answer(self, request: httpx.Request) -> httpx.Response:
        verb = request.url.path.split("/")[1]
        if verb == "operations":
            return httpx.Response(200, json=[])
        if self.refusals.get(verb):
            return self.refusals[verb].pop(0)
        job = {"id": verb, "service": "fake", "operation": f"fake.{verb}", "status": "running", "created_at": 0}
        self.jobs[verb] = job | {"metadata": json.loads(request.content)["metadata"]}
        return httpx.Response(202, json=self.jobs[verb])

    def end(self, verb: str, status: str = "succeeded", **more: Any) -> None:
        self.jobs[verb] |= {"status": status, **more}

    async def states(self, _owner: str, ids: list[str]) -> dict[str, Any]:
        return {job_id: Job.model_validate(self.jobs[job_id]) for job_id in ids if job_id in self.jobs}

    async def get(self, _owner: str, job_id: str) -> Job:
        if job_id not in self.jobs:
            raise UnknownJob(f"There is no job {job_id!r}.")
        return Job.model_validate(self.jobs[job_id])

    async def cancel(self, _owner: str, job_id: str) -> None:
        self.canceled.append(job_id)

    async def past_runs(self, _operation: str) -> list[Any]:
        return []


def claim(steps: list[Step]) -> Claim:
    params = {"steps": [step.model_dump() for step in steps]}
    times = {"created_at": 0.0, "started_at": 0.0, "fraction": 0.0, "cache": True}
    return Claim(
        id="p", owner="public", service="pipelines", operation="pipelines.run", inputs={}, params=params, attempt=1, failures=0, **times
    )


def started(service: Service, steps: list[Step]) -> tuple[asyncio.Task[Any], ProgressLog]:
    """Start a pipeline on a fake service.

    Returns its task and progress log.
    """

    def no_media(_owner: str, media_id: str) -> None:
        raise UnknownMedia(media_id)

    client = httpx.AsyncClient(base_url="http://fake", transport=httpx.MockTransport(service.answer))
    keys = SimpleNamespace(max_jobs=lambda _owner: None)
    runtime: Any = SimpleNamespace(settings=Settings(), media=SimpleNamespace(get=no_media), jobs=service, keys=keys)
    progress = ProgressLog(SimpleNamespace(progress=lambda *_: None), claim(steps))  # type: ignore[arg-type]
    return asyncio.create_task(PipelineRunner(Upstreams({"fake": client}), runtime).run(claim(steps), progress)), progress


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not true():
            await asyncio.sleep(0.01)


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "POLL_S", 0.01)
    monkeypatch.setattr(module, "RETRY_S", 0.02)


def step(name: str, *needs: str) -> Step:
    return Step(id=name, operation=f"fake.{name}", inputs={f"input{number}": f"{need}.video" for number, need in enumerate(needs)})


def states(progress: ProgressLog) -> dict[str, str]:
    return {shown.id: shown.state for shown in progress.steps or ()}


async def test_independent_steps_run_at_the_same_time():
    service = Service()
    run, progress = started(service, [step("a"), step("b"), Step(id="c", operation="fake.c", params={"x": {"from": "a.x"}})])
    await until(lambda: states(progress) == {"a": "running", "b": "running", "c": "waiting"})
    service.end("a", result={"x": 1}, warnings=["dark"])
    await until(lambda: states(progress) == {"a": "succeeded", "b": "running", "c": "running"})
    service.end("b")
    service.end("c")
    outcome = await run
    assert [shown["state"] for shown in outcome.result["steps"]] == ["succeeded"] * 3
    assert progress.latest.fraction == 1
    assert progress.warnings == ["a: dark"]


async def test_a_failed_step_stops_only_the_steps_that_need_it():
    service = Service()
    run, progress = started(service, [step("a"), step("b"), step("c", "a"), step("d", "c")])
    await until(lambda: len(service.jobs) == 2)
    service.end("a", "failed", error={"detail": "Too dark."})
    await until(lambda: states(progress).get("d") == "skipped")
    service.end("b", result=5)
    with pytest.raises(PartlyFailed) as failed:
        await run
    assert failed.value.detail == (
        "Step 'a' (fake.a) failed: Too dark. Steps that were not run, because they need a step that did not succeed: c, d."
    )
    assert failed.value.errors == (FieldError(field="steps.a", detail="Too dark."),)
    assert [(shown["state"], shown["result"]) for shown in failed.value.outcome.result["steps"]] == [
        ("failed", None),
        ("succeeded", 5),
        ("skipped", None),
        ("skipped", None),
    ]
    assert set(service.jobs) == {"a", "b"}


async def test_a_step_waits_for_a_full_queue_and_an_unavailable_service():
    busy = [httpx.Response(429, json=FULL, headers={"Retry-After": "0"}), httpx.Response(503, text="no JSON")]
    service = Service({"a": busy})
    run, progress = started(service, [step("a")])
    await until(lambda: bool(progress.steps and progress.steps[0].detail))
    assert states(progress) == {"a": "waiting"}
    await until(lambda: "a" in service.jobs)
    service.end("a")
    await run
    assert progress.steps[0].detail is None


async def test_a_vanished_model_fails_its_step_at_once():
    service = Service({"a": [httpx.Response(503, json=MISSING)] * 9})
    run, _ = started(service, [step("a")])
    with pytest.raises(PartlyFailed, match="reelwright models pull rvm") as failed:
        await run
    assert failed.value.outcome.result["steps"][0]["error"]["type"] == "/problems/model-missing"
    assert len(service.refusals["a"]) == 8


async def test_a_deleted_or_canceled_job_fails_its_step():
    service = Service()
    run, _ = started(service, [step("a"), step("b")])
    await until(lambda: len(service.jobs) == 2)
    del service.jobs["a"]
    service.end("b", "canceled")
    with pytest.raises(PartlyFailed, match=r"'a' \(fake.a\) failed: There is no job 'a'. Step 'b' \(fake.b\) was canceled: The job b"):
        await run


async def test_cancelling_a_pipeline_cancels_every_running_step():
    service = Service()
    run, progress = started(service, [step("a"), step("b"), step("c", "a")])
    await until(lambda: states(progress).get("b") == "running")
    run.cancel()
    with pytest.raises(asyncio.CancelledError):
        await run
    assert sorted(service.canceled) == ["a", "b"]


async def test_a_shutdown_does_not_cancel_the_jobs_of_the_steps():
    service = Service()
    run, _ = started(service, [step("a")])
    await until(lambda: "a" in service.jobs)
    service.stopping = True
    run.cancel()
    with pytest.raises(asyncio.CancelledError):
        await run
    assert service.canceled == []
