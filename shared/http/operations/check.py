"""Checks of a request to run an operation, made before its job is queued."""

import asyncio
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, Field

from shared.errors import FieldError, Invalid, UnknownJob, UnknownMedia
from shared.jobs.estimate import estimate, megapixel_frames
from shared.jobs.making import Making
from shared.jobs.memory_check import check_job_memory
from shared.jobs.record import InputValue, UrlInput
from shared.jobs.url_inputs import check_url_input, without_urls
from shared.media.record import MediaRecord
from shared.operation import AUTO, Input, Operation, Params
from shared.runtime import Runtime

PENDING = "pending:"
"""Prefix of `pending:<kind>`, which stands for media that do not exist yet. In a check of a pipeline, an earlier step will make them."""


class Estimate(BaseModel):
    """The expected run time of a job.

    Time in the queue does not count.
    """

    seconds: float
    jobs: int = Field(description="Number of earlier jobs that the estimate is based on.")


class Checked(BaseModel):
    """A request that passed all checks, with its inputs and params."""

    operation: str
    inputs: dict[str, InputValue]
    params: dict[str, Any] = Field(description="All parameters, with defaults filled in.")
    estimate: Estimate | None = Field(None, description="Expected run time, from earlier jobs; null without comparable ones.")


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
    """Check a request as far as possible without running the operation.

    Raises the error with which `POST .../jobs` would answer. `may_be_pending`: an input may also be `pending:<kind>`, media that an earlier
    step of a pipeline will make.
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
            if making := Making.read(media_id):
                await _check_making(name, port, making, media_id, owner=owner, runtime=runtime)
                continue
            if may_be_pending and media_id.startswith(PENDING):
                _check_kind(name, port, media_id.removeprefix(PENDING), "The output of an earlier step")
            else:
                records.setdefault(name, []).append(await _check_input(name, port, media_id, owner, runtime))
    operation.refuse(params, {name: source for name, source in inputs.items() if source is not None})
    if not preview:  # a preview reads small proxies
        filled = {name for name, value in inputs.items() if value is not None}
        limit = runtime.settings.job_memory_bytes
        await asyncio.to_thread(check_job_memory, operation, params, filled, records, limit_bytes=limit)  # may ask the GPU's driver
    operation.check_available(params)  # last, so that nobody installs models for a job that cannot run
    return Checked(operation=operation.name, inputs=dict(inputs), params=params.model_dump(mode="json"))


async def estimated_time(operation: Operation, checked: Checked, owner: str, runtime: Runtime) -> Estimate | None:
    """Estimate the run time of a checked request.

    None without comparable earlier jobs.
    """
    if not runtime.runs_jobs:
        return None
    past = await runtime.jobs.past_runs(operation.name)
    size = await asyncio.to_thread(megapixel_frames, runtime.media, owner, without_urls(checked.inputs).values(), checked.params)
    expected = estimate(past, size, checked.params)
    return None if expected is None else Estimate(seconds=expected.seconds, jobs=expected.jobs)


async def _check_input(name: str, port: Input, media_id: str, owner: str, runtime: Runtime) -> MediaRecord:
    """Check one medium of the input `name`; return its record. Raises Invalid, UnknownMedia."""
    if media_id == AUTO and port.auto:
        maker = port.auto.rpartition(".")[0]
        detail = f"only the gateway takes {AUTO!r}: run {maker} first, and give the id of its output"
        raise Invalid.field(f"inputs.{name}", detail)
    try:
        record = await asyncio.to_thread(runtime.media.get, owner, media_id)
    except UnknownMedia as error:
        raise UnknownMedia.field(f"inputs.{name}", error.detail, f"inputs.{name}: {error.detail}") from None
    _check_kind(name, port, record.kind, f"{record.name} ({media_id})")
    return record


async def _check_making(name: str, port: Input, making: Making, source: str, *, owner: str, runtime: Runtime) -> None:
    """Check the input `name` that another job makes. Raises Invalid.

    `source`: the text of the input, from which `making` was read.

    Only a job of the declared operation may make the input: jobs that wait for others of their own kind could fill the queue that those
    wait in. A job that could not be started is accepted for an input with `auto_if`.
    """
    if not making.job and port.auto_if and source == str(making):
        return
    try:
        operation = (await runtime.jobs.get(owner, making.job)).operation
    except UnknownJob:
        operation = ""
    if not port.auto or f"{operation}.{making.output}" != port.auto:
        raise Invalid.field(f"inputs.{name}", f"'{making}' names no output that can be made for this input. Give a media id")


def _check_kind(name: str, port: Input, kind: str, source: str) -> None:
    if kind not in port.kinds:
        detail = f"{source} is of kind {kind}; this input takes {' or '.join(port.kinds)}"
        raise Invalid.field(f"inputs.{name}", detail)
