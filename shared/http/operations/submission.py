"""Submission of operations: check a request, then queue its job."""

import asyncio

from shared.errors import Invalid
from shared.http.operations.check import check
from shared.jobs import Job, JobRequest
from shared.jobs.url_inputs import has_urls, refuse_urls, without_urls
from shared.operation import Operation, Params
from shared.runtime import Runtime


async def submit(operation: Operation, request: JobRequest, *, params: Params, owner: str, runtime: Runtime, key: str | None = None) -> Job:
    """Check a request, queue its job and return the job.

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
    await asyncio.to_thread(runtime.media.room.check, owner)
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


def _check_preview(operation: Operation) -> None:
    if operation.preview_kind is None:
        detail = f"{operation.name} takes no video: there is nothing to preview"
        raise Invalid.field("preview", detail, f"{detail}.")
