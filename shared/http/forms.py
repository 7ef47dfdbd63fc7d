"""Helpers for HTML form endpoints, which take files and answer with a job's result.

For endpoints of the programs that the suite replaces. The files become media, a job is submitted, and the answer waits for its end.
"""

from collections.abc import Collection, Mapping, Sequence
from contextlib import aclosing, suppress
from dataclasses import dataclass, field
from typing import Any

from fastapi import Request

from shared.errors import Invalid, OperationFailed, ReelwrightError, UnknownMedia
from shared.http.operations.submission import submit
from shared.http.params_text import params_from_text
from shared.jobs import Job, JobRequest, Status
from shared.media.disk import on_disk
from shared.media.ingestion import SizeBounds, ingest
from shared.media.multipart import Part, read_parts, stated_bytes
from shared.media.record import MediaRecord
from shared.operation import Operation, Params
from shared.runtime import Runtime

FIELD_BYTES = 1000


@dataclass(frozen=True)
class RefusedFile:
    """An uploaded file that was refused, and the reason."""

    name: str
    error: ReelwrightError


@dataclass(frozen=True)
class Form:
    """The files and text fields of a form.

    The files are in the order of the form; each is a media record or a RefusedFile.
    """

    files: list[MediaRecord | RefusedFile] = field(default_factory=list)
    fields: dict[str, str] = field(default_factory=dict)

    @property
    def media(self) -> list[MediaRecord]:
        """The accepted files of the form, as media records."""
        return [file for file in self.files if isinstance(file, MediaRecord)]


async def read_form(request: Request, runtime: Runtime, *, fields: Collection[str], most_files: int = 1) -> Form:
    """Store the files of a form as media; return them with its text fields.

    Files are in the field `file`; text fields are those named in `fields`, any other is refused.

    With `most_files` above 1, a refused file does not affect the others; its error is raised only if no file was accepted. A refused form
    leaves no media behind.
    """
    form = Form()
    try:
        async with aclosing(read_parts(request)) as parts:
            async for part in parts:
                if part.field == "file" and part.filename is not None and len(form.files) < most_files:
                    item = await _take(part, request, runtime)
                    if isinstance(item, RefusedFile) and most_files == 1:
                        raise item.error
                    form.files.append(item)
                elif part.field in fields and part.filename is None:
                    form.fields[part.field] = await part.text(max_bytes=FIELD_BYTES)
                else:
                    raise _unknown(part.field, fields, most_files)
        if not form.files:
            raise Invalid.field("file", "is required", "The form has no file: send one in the field `file`.")
        if not form.media and isinstance(form.files[0], RefusedFile):
            raise form.files[0].error
    except BaseException:
        await _delete(form.media, request.state.owner, runtime)
        raise
    return form


async def run_on(
    media: Sequence[MediaRecord],
    operation: Operation,
    *,
    inputs: dict[str, str | list[str] | None],
    fields: Mapping[str, str],
    owner: str,
    runtime: Runtime,
) -> Job:
    """Run an operation on new media; return the job after it has succeeded.

    `media`: what this request has stored, deleted if no job is accepted. `fields`: params as text. Raises OperationFailed if the job does
    not succeed, and the refusals of `params_from_text` and `submit`.
    """
    try:
        params = params_from_text(operation.params, fields)
        job = await submit(operation, JobRequest(inputs=inputs), params=params, owner=owner, runtime=runtime)
    except BaseException:
        await _delete(media, owner, runtime)
        raise
    job = await runtime.jobs.wait(owner, job.id, runtime.settings.job_timeout_s)
    if job.status is not Status.SUCCEEDED:
        raise OperationFailed((job.error or {}).get("detail") or f"Job {job.id} is {job.status}.")
    return job


def form_schema(model: type[Params], fields: Sequence[str], *, many: bool = False) -> dict[str, Any]:
    """Return the OpenAPI description of an endpoint's HTML form.

    It is for the endpoint's argument `openapi_extra`. `fields`: names of parameters of `model`.
    """
    properties = model.model_json_schema()["properties"]
    file = {"type": "string", "format": "binary"}
    files = {"type": "array", "items": file, "description": "One video, or several for a batch."} if many else file
    schemas = {name: {key: value for key, value in properties[name].items() if "$" not in str(value)} for name in fields}
    schema = {"type": "object", "required": ["file"], "properties": {"file": files, **schemas}}
    return {"requestBody": {"required": True, "content": {"multipart/form-data": {"schema": schema}}}}


async def _take(part: Part, request: Request, runtime: Runtime) -> MediaRecord | RefusedFile:
    limit, name = runtime.settings.max_upload_bytes, part.filename or ""
    try:
        return await ingest(
            part.chunks,
            store=runtime.media,
            probe=runtime.probe,
            owner=request.state.owner,
            name=name,
            source="upload",
            max_bytes=limit,
            bounds=SizeBounds(most=stated_bytes(request)),
        )
    except ReelwrightError as error:
        return RefusedFile(name, error)


async def _delete(media: Sequence[MediaRecord], owner: str, runtime: Runtime) -> None:
    for record in media:
        with suppress(UnknownMedia):
            await on_disk(runtime.media.delete, owner, record.id)


def _unknown(name: str, fields: Collection[str], most_files: int) -> Invalid:
    files = "`file`" if most_files == 1 else f"`file` (up to {most_files} times)"
    detail = f"Unknown field; the form takes {files} and {', '.join(sorted(fields))}"
    return Invalid.field(name, detail)
