"""Jobs that make inputs of a refused request are withdrawn, however the request came.

Two fake services stand for effects, which refuses, and matting, which accepts.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from fastapi import Response

from gateway.bulk import BatchRequest, bulk_routes
from gateway.media.previews import Previews
from gateway.pipelines.retry import Retrier
from gateway.pipelines.running import runner as module
from gateway.pipelines.running.runner import PipelineRunner
from gateway.pipelines.steps import Step
from gateway.pipelines.unasked_inputs import UnaskedExpansion, UnaskedInputs
from gateway.routing.upstream import Upstreams
from services.effects.strobe import STROBE
from services.matting.matte import MATTE
from shared.errors import ReelwrightError, UnknownMedia
from shared.http.operations.description import describe
from shared.jobs import Claim, Job, JobRequest, ProgressLog
from shared.sample_ids import SAMPLE_ID
from shared.settings import PUBLIC, Settings

STROBE_INPUTS: dict[str, Any] = {"video": SAMPLE_ID, "matte": None}
MAKER, USER = "maker", "user"


def problem(status: int) -> httpx.Response:
    return httpx.Response(status, json={"type": "/problems/x", "title": "X", "status": status, "detail": "No."})


def no_connection() -> httpx.Response:
    raise httpx.ConnectError("refused")


def lost_answer() -> httpx.Response:
    raise httpx.ReadTimeout("too late")


REFUSALS: dict[str, Callable[[], httpx.Response]] = {
    "invalid": lambda: problem(422),
    "full queue": lambda: problem(429),
    "fault": lambda: problem(500),
    "no connection": no_connection,
    "lost answer": lost_answer,
}


class Services:
    """Fake services, and the jobs that they accepted."""

    def __init__(self) -> None:
        self.refusal: Callable[[], httpx.Response] | None = None
        self.matting: Callable[[], httpx.Response] | None = None
        self.bodies: dict[str, dict[str, Any]] = {}
        self.deleted: list[str] = []
        self.canceled: list[str] = []
        self.reader: str | None = None
        self.stopping = False
        self.arrived, self.answers = asyncio.Event(), asyncio.Event()
        self.answers.set()

    async def effects(self, request: httpx.Request) -> httpx.Response:
        if request.url.path == "/operations":
            return httpx.Response(200, json=[describe(STROBE).model_dump(mode="json")])
        if request.url.path.endswith("/check"):
            return httpx.Response(200, json={})
        return self.refusal() if self.refusal else self.accept(USER, "effects.strobe", request)

    async def matte(self, request: httpx.Request) -> httpx.Response:
        if self.matting is not None and (request.url.path != "/operations" or self.matting is no_connection):
            return self.matting()
        if request.url.path == "/operations":
            return httpx.Response(200, json=[describe(MATTE).model_dump(mode="json")])
        self.arrived.set()
        await self.answers.wait()
        return self.accept(MAKER, "matting.matte", request)

    def accept(self, job_id: str, operation: str, request: httpx.Request) -> httpx.Response:
        body = self.bodies[job_id] = json.loads(request.content)
        job = {"id": job_id, "service": operation.partition(".")[0], "operation": operation, "status": "queued", "created_at": 0}
        return httpx.Response(202, json=job | {"inputs": body["inputs"]})

    # The following methods stand for those of shared.jobs.Jobs.
    async def reader_of(self, _owner: str, media_id: str) -> str | None:
        return self.reader if media_id == f"made:{MAKER}.alpha?" else None

    async def cancel(self, _owner: str, job_id: str) -> None:
        self.canceled.append(job_id)

    async def delete(self, _owner: str, job_id: str) -> None:
        assert job_id in self.canceled, "only ended jobs can be deleted"
        self.deleted.append(job_id)

    async def get(self, _owner: str, job_id: str) -> Job:
        return Job.model_validate({"id": job_id, "service": "effects", "operation": "effects.strobe", "status": "failed", "created_at": 0})

    async def request_of(self, _owner: str, _job_id: str) -> JobRequest:
        return JobRequest(inputs=STROBE_INPUTS, params={})

    async def past_runs(self, _operation: str) -> list[Any]:
        return []


class Suite:
    """The gateway's ways to submit a strobe."""

    def __init__(self, services: Services):
        def no_media(_owner: str, media_id: str) -> None:
            raise UnknownMedia(media_id)

        def client(answer: Callable[[httpx.Request], Awaitable[httpx.Response]]) -> httpx.AsyncClient:
            return httpx.AsyncClient(base_url="http://fake", transport=httpx.MockTransport(answer))

        self.upstreams = Upstreams({"effects": client(services.effects), "matting": client(services.matte)})
        keys = SimpleNamespace(max_jobs=lambda _owner: None)
        self.runtime: Any = SimpleNamespace(settings=Settings(), jobs=services, keys=keys, media=SimpleNamespace(get=no_media))
        self.unasked = UnaskedInputs(self.upstreams)
        self.request: Any = SimpleNamespace(state=SimpleNamespace(owner=PUBLIC), headers={"content-type": "application/json"})

    async def proxy(self) -> None:
        body = json.dumps({"inputs": STROBE_INPUTS}).encode()
        await UnaskedExpansion(self.unasked, self.upstreams, self.runtime).expand("effects", "strobe/jobs", body, self.request)

    async def preview(self) -> None:
        async def no_proxies(_owner: str, _media_ids: list[str]) -> None: ...

        views: Any = SimpleNamespace(start_proxies=no_proxies, upstreams=self.upstreams, runtime=self.runtime)
        body = json.dumps({"inputs": STROBE_INPUTS, "preview": True}).encode()
        await Previews(views, self.unasked).expand("effects", "strobe/jobs", body, self.request)

    async def retry(self) -> None:
        await Retrier(self.upstreams, self.unasked, self.runtime).retry("earlier", PUBLIC, None)

    async def batch(self) -> None:
        routes: list[Any] = bulk_routes(self.upstreams, self.unasked, self.runtime).routes
        [submit] = [route.endpoint for route in routes if route.name == "submit-batch"]
        body = BatchRequest.model_validate({"jobs": [{"operation": "effects.strobe", "inputs": STROBE_INPUTS}]})
        await submit(body, self.request, Response())

    async def pipeline(self) -> None:
        steps = [Step(id="stamps", operation="effects.strobe", inputs={"video": SAMPLE_ID})]
        times = {"created_at": 0.0, "started_at": 0.0, "fraction": 0.0, "cache": True}
        params = {"steps": [step.model_dump() for step in steps]}
        claim = Claim(
            id="p", owner=PUBLIC, service="pipelines", operation="pipelines.run", inputs={}, params=params, attempt=1, failures=0, **times
        )
        progress = ProgressLog(SimpleNamespace(progress=lambda *_: None), claim)  # type: ignore[arg-type]
        await PipelineRunner(self.upstreams, self.runtime).run(claim, progress)


ONE_REQUEST = ["proxy", "preview", "retry", "batch"]


@pytest.mark.parametrize("refusal", REFUSALS)
@pytest.mark.parametrize("way", [*ONE_REQUEST, "pipeline"])
async def test_a_refused_request_leaves_no_job_behind(way: str, refusal: str, monkeypatch: pytest.MonkeyPatch) -> None:
    services = Services()
    services.refusal = REFUSALS[refusal]
    if way == "pipeline":  # it asks again after a refusal that may pass, and then gets a final one
        monkeypatch.setattr(module, "RETRY_S", 0.01)
        first = REFUSALS[refusal]

        def later() -> httpx.Response:
            services.refusal = REFUSALS["invalid"]
            assert services.deleted == [], "the job goes on while the pipeline waits"
            return first()

        services.refusal = later
    with pytest.raises(ReelwrightError):
        await getattr(Suite(services), way)()
    assert list(services.bodies) == [MAKER]
    assert services.bodies[MAKER].get("listed", False) is False
    assert services.deleted == [MAKER]


@pytest.mark.parametrize("way", ONE_REQUEST)
async def test_a_job_that_an_accepted_one_waits_for_stays(way: str) -> None:
    services = Services()
    await getattr(Suite(services), way)()
    assert services.bodies[USER]["inputs"]["matte"] == f"made:{MAKER}.alpha?"
    assert services.canceled == []


async def test_a_job_stays_if_only_the_answer_to_its_request_was_lost() -> None:
    services = Services()
    services.refusal, services.reader = lost_answer, USER
    with pytest.raises(ReelwrightError):
        await Suite(services).proxy()
    assert services.canceled == []


@pytest.mark.parametrize("stopping", [False, True], ids=("canceled", "shutdown"))
async def test_a_pipeline_canceled_while_its_input_is_submitted_leaves_no_job(stopping: bool) -> None:
    services = Services()
    services.answers.clear()
    run = asyncio.create_task(Suite(services).pipeline())
    await asyncio.wait_for(services.arrived.wait(), 10)
    services.stopping = stopping
    run.cancel()
    await asyncio.sleep(0)
    services.answers.set()
    with pytest.raises(asyncio.CancelledError):
        await run
    assert services.deleted == ([] if stopping else [MAKER])  # after a shutdown the next process finds it by its key


@pytest.mark.parametrize("way", ONE_REQUEST)
@pytest.mark.parametrize("refusal", ["invalid", "no connection"])
async def test_the_request_carries_the_reason_why_an_input_is_not_made(way: str, refusal: str) -> None:
    services = Services()
    services.matting = REFUSALS[refusal]
    await getattr(Suite(services), way)()
    reason = "The service matting does not answer." if refusal == "no connection" else "No."
    assert services.bodies[USER]["inputs"]["matte"].startswith(f"made:?{reason}")


async def test_without_the_service_in_this_installation_there_is_no_reference() -> None:
    services = Services()
    suite = Suite(services)
    suite.upstreams = Upstreams({"effects": suite.upstreams.clients["effects"]})
    suite.unasked = UnaskedInputs(suite.upstreams)
    await suite.retry()
    assert services.bodies[USER]["inputs"]["matte"] is None
