"""Inputs that the gateway makes when a request leaves them out.

Example: the matte of `effects.strobe`. Such inputs are declared with `auto_if`. A job of its own makes the input; the job that uses it
waits for it, and runs without it if it cannot be made.
"""

import re
from collections.abc import Mapping
from typing import Any

from fastapi import Request, Response

from gateway.pipelines.auto_inputs import maker_of, step_that_makes
from gateway.pipelines.maker_jobs import MakerJobs, maker_jobs
from gateway.pipelines.steps import Step
from gateway.routing.upstream import Refused, Upstreams, credentials, unreachable
from shared.errors import ReelwrightError
from shared.http.json_route import parse
from shared.http.operations.answers import job_answer
from shared.http.operations.description import OPERATION_LIST, OperationInfo
from shared.jobs import Job
from shared.jobs.making import Making
from shared.json_digest import json_digest
from shared.operation import makes_unasked
from shared.runtime import Runtime

PASSED_ON = ("cache", "priority", "deadline_s")
"""Options of a request that also apply to the jobs that make its inputs."""
KEY = "Idempotency-Key"


class UnaskedInputs:
    """Starter of jobs that make inputs which requests leave out."""

    def __init__(self, upstreams: Upstreams) -> None:
        self._upstreams = upstreams
        self._declared: dict[str, dict[str, OperationInfo]] = {}  # service -> its operations; they change only with a release

    async def any_of(self, operation: str, headers: Mapping[str, str]) -> bool:
        """Return whether an operation has inputs that the gateway makes when left out."""
        declaration = await self._declaration(operation, headers)
        return declaration is not None and any(port.auto_if for port in declaration.inputs.values())

    async def names(self, operation: str, body: Mapping[str, Any], headers: Mapping[str, str]) -> list[str]:
        """Return the left-out inputs of a request that the gateway makes."""
        declaration = await self._declaration(operation, headers)
        if declaration is None:
            return []
        inputs, params = body.get("inputs") or {}, body.get("params") or {}
        if not isinstance(inputs, dict) or not isinstance(params, dict):
            return []  # the service refuses it
        complete = {name: schema.get("default") for name, schema in declaration.params["properties"].items()} | params
        ports = declaration.inputs.items()
        return [name for name, port in ports if inputs.get(name) is None and makes_unasked(port.auto_if or {}, complete)]

    async def complete(self, operation: str, body: dict[str, Any], headers: Mapping[str, str], makers: MakerJobs) -> dict[str, Any]:
        """Start the jobs that make missing inputs; return the completed request.

        It has references to the outputs of these jobs, or the reason why there is none.

        `body`: of `POST .../jobs`, without preview. Unchanged if nothing is made, or if the service would refuse the request. Raises the
        refusal of a full queue; Unavailable if the service of `operation` does not answer.
        """
        names = await self.names(operation, body, headers)
        if not names or body.get("preview"):
            return body
        service, _, verb = operation.partition(".")
        try:
            plain = {name: value for name, value in headers.items() if name != KEY}
            await self._upstreams.ask(service, "POST", f"/{verb}/check", headers=plain, json=body)
        except Refused:
            return body
        made = {name: await self._start(operation, name, body, headers, makers) for name in names}
        return body | {"inputs": body["inputs"] | {name: str(making) for name, making in made.items() if making}}

    def reference_to_nothing(self, operation: str, name: str, error: ReelwrightError) -> Making | None:
        """Return a reference that says why the input `name` cannot be made.

        None if the service that would make it is no part of this installation. `error`: the reason.
        """
        maker, _ = maker_of(operation, name, self._declared[operation.partition(".")[0]])
        return Making.failed(error.problem()["detail"]) if maker.partition(".")[0] in self._upstreams.clients else None

    async def _start(self, operation: str, name: str, body: dict[str, Any], headers: Mapping[str, str], makers: MakerJobs) -> Making | None:
        """Start the job that makes the input `name`; return the reference to its output.

        If it cannot be started, the reference has the reason; see `reference_to_nothing`.
        """
        step = Step(id="user", operation=operation, inputs=body["inputs"], params=body.get("params") or {})
        try:
            maker, output = maker_of(operation, name, self._declared[step.service])
            declaration = await self._declaration(maker, headers)
            if declaration is None:
                raise unreachable(maker.partition(".")[0])
            making = step_that_makes(step, name, maker, declaration, 0)
            options = {option: body[option] for option in PASSED_ON if option in body} | {
                "listed": False,
                "metadata": _metadata(operation, body),
            }
            if key := headers.get(KEY):
                headers = {**headers, KEY: json_digest([key, name])}
            request = {"inputs": making.model_dump(mode="json")["inputs"], "params": making.params, **options}
            return await makers.start(maker, output, headers=headers, body=request, is_optional=True)
        except ReelwrightError as error:
            if error.status == 429:
                raise
            return self.reference_to_nothing(operation, name, error)

    async def _declaration(self, operation: str, headers: Mapping[str, str]) -> OperationInfo | None:
        """Return the declaration of an operation.

        None if its service lacks it or is no part of this installation. Raises Unavailable if the service does not answer.
        """
        service = operation.partition(".")[0]
        if service not in self._declared and service in self._upstreams.clients:
            try:
                answer = await self._upstreams.ask(service, "GET", "/operations", headers=headers)
            except Refused:
                return None
            self._declared[service] = {info.name: info for info in OPERATION_LIST.validate_python(answer)}
        return self._declared.get(service, {}).get(operation)


def _metadata(operation: str, body: Mapping[str, Any]) -> dict[str, Any]:
    """Return the metadata of a job that makes an input of `operation`.

    It belongs to the same pipeline as the job that `body` requests.
    """
    metadata = body.get("metadata")
    pipeline = metadata.get("pipeline") if isinstance(metadata, dict) else None
    return {"for": operation} | ({"pipeline": pipeline} if isinstance(pipeline, str) else {})


class UnaskedExpansion:
    """Handler of requests whose left-out inputs the gateway makes."""

    def __init__(self, unasked: UnaskedInputs, upstreams: Upstreams, runtime: Runtime) -> None:
        self._unasked, self._upstreams, self._runtime = unasked, upstreams, runtime

    async def expand(self, service: str, path: str, body: bytes, request: Request) -> Response | None:
        """Submit a job after the jobs that make its missing inputs.

        Covers `POST /v1/<service>/<operation>/jobs` without preview. Returns None if nothing is made; the proxy then forwards the request.
        """
        place = re.fullmatch(r"([a-z-]+)/jobs", path)
        if place is None:
            return None
        verb, owner = place[1], request.state.owner
        key = request.headers.get("idempotency-key")
        headers = credentials(self._runtime.settings, owner) | ({KEY: key} if key else {})
        if not await self._unasked.any_of(f"{service}.{verb}", headers):
            return None
        try:
            value = parse(body, request.headers.get("content-type", ""))
        except ReelwrightError:
            return None  # the service refuses it
        if not isinstance(value, dict) or value.get("preview"):
            return None
        async with maker_jobs(self._upstreams, self._runtime.jobs, owner) as makers:
            complete = await self._unasked.complete(f"{service}.{verb}", value, headers, makers)
            if complete is value:
                return None
            job = Job.model_validate(await self._upstreams.ask(service, "POST", f"/{verb}/jobs", headers=headers, json=complete))
            makers.accepted(job)
        return await job_answer(job, owner=owner, prefer=request.headers.get("prefer"), runtime=self._runtime)
