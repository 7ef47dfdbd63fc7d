"""The HTTP app of a service, made from its table of operations."""
# No `from __future__ import annotations` here: FastAPI must see the models that are made at run time.

import asyncio
import re
from collections.abc import Mapping
from functools import cache
from typing import Annotated, Any

from fastapi import APIRouter, FastAPI, Header, Request, Response
from pydantic import BaseModel, ConfigDict, Field, create_model

from shared.errors import FieldError, Invalid, UnknownMedia
from shared.http.app import create_api
from shared.http.json_route import JsonRoute
from shared.http.problems import NOT_JSON, problems
from shared.jobs import Job, JobRequest, OperationEnvelope
from shared.jobs.estimate import estimate, megapixel_frames
from shared.jobs.memory_check import check_job_memory
from shared.jobs.record import InputValue, UrlInput
from shared.jobs.url_inputs import check_url_input, has_urls, refuse_urls, without_urls
from shared.jobs.view_names import MAKING
from shared.media.record import MediaRecord
from shared.models.folder import ModelFolder
from shared.models.info import ModelInfo, describe_model
from shared.operation import AUTO, Input, Operation, Params, Sample, Service
from shared.runtime import Runtime
from shared.settings import Settings

MAX_WAIT_S = 60
SAMPLE_ID, SAMPLE_PICTURE_ID, SAMPLE_MATTE_ID, SAMPLE_PLATE_ID = (f"{number:026}" for number in range(4))
SAMPLES = {
    Sample.CLIP: SAMPLE_ID,
    Sample.PICTURE: SAMPLE_PICTURE_ID,
    Sample.MATTE: SAMPLE_MATTE_ID,
    Sample.PLATE: SAMPLE_PLATE_ID,
}
"""The sample clip, its matte and plate, and the sample picture of every installation: the inputs of the examples on the API pages."""

PENDING = "pending:"

Prefer = Annotated[str | None, Header(description="`wait=N` waits up to N seconds (at most 60) for the job to end before answering.")]
IdempotencyKey = Annotated[
    str | None, Header(min_length=1, max_length=255, description="A repeated request with the same key gets the first answer.")
]
"""Headers of every request that starts a job."""

REFUSALS = NOT_JSON | problems(_404="Unknown media", _429="The queue is full", _503="The weights of a model are not installed")

ENDED: dict[int | str, dict[str, Any]] = {
    200: {"model": Job, "description": "The ended job, if `Prefer: wait` was given and the job ended in time"}
}


class Estimate(BaseModel):
    """The expected run time of a job.

    Time in the queue does not count.
    """

    seconds: float
    jobs: int = Field(description="Number of earlier jobs that it was made from.")


class Checked(BaseModel):
    """A request that passed all checks."""

    operation: str
    inputs: dict[str, InputValue]
    params: dict[str, Any] = Field(description="All parameters, with defaults filled in.")
    estimate: Estimate | None = Field(None, description="Expected run time, from earlier jobs; null without comparable ones.")


class ParamsPreset(BaseModel):
    """Named params of an operation."""

    name: str
    title: str
    sentence: str = Field(description="What the user gets.")
    params: dict[str, Any] = Field(description="Params that differ from the defaults.")
    install: str | None = Field(None, description="If it cannot run now: the command that installs what is missing.")


class OperationInfo(BaseModel):
    """Description of an operation, from which clients build their forms."""

    name: str
    service: str
    version: int = Field(description="Grows whenever the operation's results change.")
    title: str = Field(description="Label of two or three words.")
    summary: str
    inputs: dict[str, dict[str, Any]] = Field(
        description="Name -> title, description, kind, all accepted kinds, whether it is optional, whether it takes several, its "
        "control in a form (`media`, or `mask` for a mask drawn on a frame), and the output that `auto` makes."
    )
    needs: list[str] = Field(description="At least one of these optional inputs must be given.")
    outputs: dict[str, str] = Field(description="Name -> kind.")
    params: dict[str, Any] = Field(description="JSON Schema of the parameters.")
    result: dict[str, Any] = Field(description="JSON Schema of the result.")
    presets: list[ParamsPreset] = Field(description="Named params, in the order of their cards.")
    preview: str | None = Field(
        None,
        description="What a preview reads: the `part` that `start` and `duration` select, a part that is `cut` out, or the `whole` clip. "
        "Missing: the operation takes no video.",
    )
    example: dict[str, Any] = Field(description="A request body for `jobs` that runs unchanged.")
    available: bool = Field(description="Whether it can run now.")
    install: str | None = Field(None, description="If it cannot run: the command that installs what is missing.")
    urls: dict[str, str]


def create_service(service: Service, runtime: Runtime, *, reachable_by_browsers: bool = True) -> FastAPI:
    """Make the app of one service."""
    app = create_api(
        title=service.title,
        description=f"The `{service.name}` service of Reelwright.",
        runtime=runtime,
        reachable_by_browsers=reachable_by_browsers,
        service=service.name,
    )
    for operation in service.operations:
        app.include_router(_routes(operation, runtime))

    @app.get("/operations", tags=["service"], summary="List the operations of this service", response_model_exclude_none=True)
    async def operations() -> list[OperationInfo]:
        return [describe(operation) for operation in service.operations]

    @app.get("/models", tags=["service"], summary="List the models that this service can use")
    async def models() -> list[ModelInfo]:
        return await asyncio.to_thread(_models_of, service.name, runtime.settings)

    return app


def describe(operation: Operation) -> OperationInfo:
    """Describe an operation for `GET /operations`."""
    install = operation.unavailable(operation.example)
    here = f"/v1/{operation.service}/{operation.verb}"
    return OperationInfo(
        name=operation.name,
        service=operation.service,
        version=operation.version,
        title=operation.title or operation.verb.replace("-", " ").capitalize(),
        summary=operation.summary,
        inputs={name: _describe_input(name, port) for name, port in operation.ports.items()},
        needs=list(operation.needs),
        outputs={name: str(kind) for name, kind in operation.outputs.items()},
        params=_schema(operation.params),
        result=_schema(operation.result),
        presets=[
            ParamsPreset(
                name=preset.name,
                title=preset.title,
                sentence=preset.sentence,
                params=preset.params.model_dump(mode="json", exclude_defaults=True),
                install=operation.unavailable(preset.params),
            )
            for preset in operation.presets
        ],
        preview=operation.preview_kind,
        example=example_body(operation),
        available=install is None,
        install=install,
        urls={"jobs": f"{here}/jobs", "check": f"{here}/check"},
    )


@cache
def _schema(model: type[BaseModel]) -> dict[str, Any]:
    """Return the JSON Schema of a model.

    It is shared: treat it as read-only.
    """
    return model.model_json_schema()


def _describe_input(name: str, port: Input) -> dict[str, Any]:
    return {
        "title": port.title or name.replace("_", " ").capitalize(),
        "description": port.description,
        "kind": port.kind,
        "kinds": port.kinds,
        "optional": port.optional,
        "many": port.many,
        "widget": "mask" if port.drawn else "media",
    } | ({"auto": port.auto} if port.auto else {})


def example_body(operation: Operation) -> dict[str, Any]:
    """Return an example request body, which runs unchanged.

    It has sample media and the example params.
    """
    inputs = {name: SAMPLES[port.sample] for name, port in operation.example_inputs.items()}
    return {"inputs": inputs, "params": operation.example.model_dump(mode="json", exclude_defaults=True)}


def request_model(operation: Operation) -> type[BaseModel]:
    """Make the body model of an operation.

    A JobRequest with typed inputs and params.
    """
    inputs = create_model(
        f"{_camel(operation.name)}Inputs",
        __config__=ConfigDict(extra="forbid"),
        **{name: _input_field(port) for name, port in operation.ports.items()},
    )
    needed = any(field.is_required() for field in operation.params.model_fields.values())
    params = (operation.params, ...) if needed else (operation.params, Field(default_factory=operation.params))
    return create_model(f"{_camel(operation.name)}Request", __base__=OperationEnvelope, inputs=(inputs, ...), params=params)


def job_model(operation: Operation) -> type[Job]:
    """Make the model of an operation's job: a Job with a typed result.

    The API pages show it.
    """
    result: Any = (operation.result | None, Field(None, description="Result of the operation; null until the job has succeeded."))
    return create_model(f"{_camel(operation.name)}Job", __base__=Job, result=result)


def given_inputs(body: Any) -> dict[str, InputValue]:
    """Return the inputs of a typed request body by name."""
    return {name: getattr(body.inputs, name) for name in type(body.inputs).model_fields}


def plain_request(body: Any) -> JobRequest:
    """Convert a typed request body to the JobRequest that is stored."""
    options = {name: getattr(body, name) for name in OperationEnvelope.model_fields}
    return JobRequest.model_construct(inputs=given_inputs(body), params={}, **options)


async def check(
    operation: Operation,
    *,
    inputs: Mapping[str, Any],
    params: Params,
    owner: str,
    runtime: Runtime,
    may_be_pending: bool = False,
    preview: bool = False,
) -> Checked:
    """Check a request as far as possible without running it.

    Raises the error that `jobs` would answer. `may_be_pending`: an input may also be `pending:<kind>`, media that an earlier step of a
    pipeline will make.
    """
    if operation.needs and not any(inputs.get(name) for name in operation.needs):
        detail = f"One of {', '.join(operation.needs)} must be given"
        raise Invalid(f"inputs: {detail}.", errors=[FieldError(field=f"inputs.{name}", detail=detail) for name in operation.needs])
    records: dict[str, list[MediaRecord]] = {}
    for name, port in operation.ports.items():
        source = inputs.get(name)
        for media_id in source if isinstance(source, list) else [source] if source is not None else []:
            if isinstance(media_id, UrlInput):
                check_url_input(media_id, f"inputs.{name}", runtime.settings)
                continue
            if preview and media_id.startswith(MAKING):
                continue
            if may_be_pending and media_id.startswith(PENDING):
                _check_kind(name, port, media_id.removeprefix(PENDING), "The output of an earlier step")
            else:
                records.setdefault(name, []).append(await _check_input(name, port, media_id, owner, runtime))
    operation.refuse(params, {name: source for name, source in inputs.items() if source is not None})
    operation.check_available(params)
    if not preview:  # a preview reads small proxies
        filled = {name for name, value in inputs.items() if value is not None}
        check_job_memory(operation, params, filled, records, limit_bytes=runtime.settings.job_memory_bytes)
    return Checked(operation=operation.name, inputs=dict(inputs), params=params.model_dump(mode="json"))


async def submit(operation: Operation, request: JobRequest, *, params: Params, owner: str, runtime: Runtime, key: str | None = None) -> Job:
    """Check a request and queue it.

    `params`: the validated params of the request.
    """
    request = request.model_copy(update={"params": params.model_dump(mode="json")})
    # A repeated key gets the first job, even if an input has been deleted since.
    if key and (earlier := await runtime.jobs.earlier(owner=owner, operation=operation.name, request=request, key=key)):
        return earlier
    await check(operation, inputs=request.inputs, params=params, owner=owner, runtime=runtime, preview=request.preview)
    if request.preview:
        _check_preview(operation)
        refuse_urls(request.inputs, "a preview takes media ids, not URLs")
    await asyncio.to_thread(runtime.media.check_room, owner)
    remembered = None
    if (
        request.cache and operation.remembered and not request.preview and not has_urls(request.inputs)
    ):  # the runner looks for previews, because it knows the proxies
        ids = without_urls(request.inputs)
        remembered = await asyncio.to_thread(runtime.memory.find, operation, owner=owner, inputs=ids, params=request.params)
    return await runtime.jobs.submit(
        owner=owner,
        service=operation.service,
        operation=operation.name,
        version=operation.version,
        request=request,
        key=key,
        remembered=remembered,
        kinds={name: port.kinds for name, port in operation.ports.items()},
    )


async def _estimate(operation: Operation, checked: Checked, owner: str, runtime: Runtime) -> Estimate | None:
    if not runtime.runs_jobs:
        return None
    past = await runtime.jobs.past_runs(operation.name)
    size = await asyncio.to_thread(megapixel_frames, runtime.media, owner, without_urls(checked.inputs).values(), checked.params)
    expected = estimate(past, size, checked.params)
    return None if expected is None else Estimate(seconds=expected.seconds, jobs=expected.jobs)


def _check_preview(operation: Operation) -> None:
    if operation.preview_kind is None:
        detail = f"{operation.name} takes no video: there is nothing to preview"
        raise Invalid.field("preview", detail, f"{detail}.")


def wait_seconds(prefer: str | None) -> int | None:
    """Return the seconds of `Prefer: wait=N` (RFC 7240), at most 60.

    None without the preference.
    """
    match = re.search(r"(?:^|[,;\s])wait\s*=\s*\"?(\d{1,9})\"?", prefer or "", re.IGNORECASE)
    return min(int(match[1]), MAX_WAIT_S) if match else None


async def job_response(job: Job, *, owner: str, prefer: str | None, response: Response, runtime: Runtime) -> Job:
    """Return an accepted job, after the wait that the client prefers."""
    response.headers["Location"] = job.urls.self_
    if (seconds := wait_seconds(prefer)) is not None:
        job = await runtime.jobs.wait(owner, job.id, seconds)
        response.headers["Preference-Applied"] = f"wait={seconds}"
        if job.status.ended:
            response.status_code = 200
    return job


def _routes(operation: Operation, runtime: Runtime) -> APIRouter:
    router = APIRouter(prefix=f"/{operation.verb}", tags=[operation.name], responses=REFUSALS, route_class=JsonRoute)
    model: Any = request_model(operation)
    job = job_model(operation)
    answers: dict[int | str, dict[str, Any]] = {202: {"model": job, "description": "The accepted job"}, 200: ENDED[200] | {"model": job}}
    examples = {"example": {"summary": "Runs unchanged, on the sample clip", "value": example_body(operation)}}

    @router.post(
        "/jobs",
        status_code=202,
        summary=operation.summary,
        description=f"Starts a job of `{operation.name}`. Follow `Location`, or send `Prefer: wait=60` to get the ended job.",
        response_model=Job,
        responses=answers,
        openapi_extra={"requestBody": {"content": {"application/json": {"examples": examples}}}},
        operation_id=f"{operation.name}.jobs",
    )
    async def start(
        body: model,
        request: Request,
        response: Response,
        prefer: Prefer = None,
        idempotency_key: IdempotencyKey = None,
    ) -> Job:
        owner = request.state.owner
        job = await submit(operation, plain_request(body), params=body.params, owner=owner, runtime=runtime, key=idempotency_key)
        return await job_response(job, owner=owner, prefer=prefer, response=response, runtime=runtime)

    @router.post(
        "/check",
        summary=f"Check a request for {operation.name} without running it",
        description="An input may also be `pending:<kind>`: media that an earlier step of a pipeline will make.",
        response_model=Checked,
        openapi_extra={"requestBody": {"content": {"application/json": {"examples": examples}}}},
        operation_id=f"{operation.name}.check",
    )
    async def check_only(body: model, request: Request) -> Checked:
        inputs = given_inputs(body)
        owner = request.state.owner
        checked = await check(operation, inputs=inputs, params=body.params, owner=owner, runtime=runtime, may_be_pending=True)
        return checked.model_copy(update={"estimate": await _estimate(operation, checked, owner, runtime)})

    return router


async def _check_input(name: str, port: Input, media_id: str, owner: str, runtime: Runtime) -> MediaRecord:
    """Return the record of an input. Raises Invalid, UnknownMedia."""
    if media_id == AUTO and port.auto:
        maker = port.auto.rpartition(".")[0]
        detail = f"{AUTO!r} is made by the gateway; this service takes a media id only. Run {maker} first"
        raise Invalid.field(f"inputs.{name}", detail)
    try:
        record = await asyncio.to_thread(runtime.media.get, owner, media_id)
    except UnknownMedia as error:
        raise UnknownMedia.field(f"inputs.{name}", error.detail, f"inputs.{name}: {error.detail}") from None
    _check_kind(name, port, record.kind, f"{record.name} ({media_id})")
    return record


def _check_kind(name: str, port: Input, kind: str, what: str) -> None:
    if kind not in port.kinds:
        detail = f"{what} is of kind {kind}; this input takes {' or '.join(port.kinds)}"
        raise Invalid.field(f"inputs.{name}", detail)


def _input_field(port: Input) -> Any:
    ids = Annotated[list[str | UrlInput], Field(min_length=1, max_length=port.max_items)]
    kind: Any = (str | UrlInput | ids) if port.many else (str | UrlInput)
    what = f"Media id or URL of the {' or '.join(port.kinds)}" + (", or a list of them." if port.many else ".")
    what += f" `{AUTO}`: the gateway makes it first, by {port.auto.rpartition('.')[0]}." if port.auto else ""
    if port.optional:
        return (kind | None, Field(None, description=what))
    return (kind, Field(description=what, examples=[SAMPLES[port.sample]]))


def _models_of(service: str, settings: Settings) -> list[ModelInfo]:
    folder = ModelFolder(settings.models_folder)
    return [describe_model(folder, model) for model in folder.catalog if service in model.services]


def _camel(name: str) -> str:
    return "".join(part.capitalize() for part in re.split(r"\W", name))
