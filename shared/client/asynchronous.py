"""The async client of a suite."""

import asyncio
import re
import uuid
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import httpx

from shared.client.arguments import File, OnProgress, OperationName
from shared.client.connection import Connection
from shared.client.decorators import typed_run, typed_submit
from shared.client.errors import JobCanceled, JobFailed, Refused
from shared.client.following import JobEvent, follow
from shared.client.uploads import OnBytes, upload
from shared.errors import Invalid, ReelwrightError
from shared.jobs.record import Job, JobProgress, Status
from shared.media.ids import is_id
from shared.media.record import MediaRecord

URL = re.compile(r"https?://", re.IGNORECASE)
CANCEL_TIMEOUT_S = 10.0


@dataclass(frozen=True)
class AsyncRun:
    """A job on the server, with access to its output files."""

    job: Job
    client: "AsyncReelwright" = field(repr=False)

    @property
    def result(self) -> Any:
        """The operation's result, as its schema describes it."""
        return self.job.result

    @property
    def outputs(self) -> dict[str, MediaRecord]:
        """The media that the job made, by name of the output."""
        return self.job.outputs

    async def save(self, path: Path | str, output: str | None = None) -> Path:
        """Download one output to a file; return its path.

        See `AsyncReelwright.download`.
        """
        return await self.client.download(output_of(self.job, output), path)

    async def save_all(self, folder: Path | str) -> dict[str, Path]:
        """Download all outputs to `folder`, as `<output>.<suffix>`; return their paths."""
        paths = {name: path_in(Path(folder), name, record) for name, record in self.job.outputs.items()}
        Path(folder).mkdir(parents=True, exist_ok=True)
        return {name: await self.client.download(self.job.outputs[name], path) for name, path in paths.items()}

    async def wait(self, on_progress: OnProgress | None = None) -> "AsyncRun":
        """Wait until the job has ended.

        See `AsyncReelwright.wait`.
        """
        return await self.client.wait(self.job.id, on_progress)

    async def log(self) -> str:
        """Return the last lines that the job's worker process printed."""
        return await self.client.log(self.job.id)

    async def cancel(self) -> "AsyncRun":
        """Cancel the job."""
        return await self.client.cancel(self.job.id)


class AsyncReelwright:
    """An async client of one suite.

    `url`: address of the suite. `key`: API key, if the suite has keys. `patience_s`: how long a request is repeated while the server does
    not answer, is full or restarts. Every method raises `Refused` with the server's problem details, or `Unreachable`.
    """

    def __init__(
        self,
        url: str = "http://127.0.0.1:8080",
        key: str = "",
        *,
        patience_s: float = 60.0,
        transport: httpx.AsyncBaseTransport | None = None,
    ):
        self._connection = Connection(url, key, patience_s=patience_s, transport=transport)
        self._inputs: dict[str, frozenset[str]] = {}  # operation -> names of its inputs

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_error: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close all connections."""
        await self._connection.http.aclose()

    async def get(self, path: str, **query: Any) -> Any:
        """Send a GET request to an API path; return the JSON answer."""
        return await self._connection.json("GET", path, params={name: value for name, value in query.items() if value is not None})

    async def post(self, path: str, body: Mapping[str, Any], *, idempotency_key: str | None = None) -> Any:
        """Send a POST request to an API path; return the JSON answer.

        `idempotency_key`: of a request that makes a job. Such a request is repeated if the connection breaks.
        """
        headers = {"Idempotency-Key": idempotency_key} if idempotency_key else {}
        return await self._connection.json("POST", path, json=dict(body), headers=headers, repeat=idempotency_key is not None)

    async def delete(self, path: str, **query: Any) -> None:
        """Send a DELETE request to an API path."""
        await self._connection.send("DELETE", path, params=query)

    @typed_run
    async def run(self, operation: str, /, *, on_progress: OnProgress | None = None, **arguments: Any) -> AsyncRun:
        """Run an operation and wait for its end.

        Takes the arguments of `submit`. An interrupted wait cancels the job. Raises JobFailed, JobCanceled.
        """
        return await self._finish(await self.submit(OperationName(operation), **arguments), on_progress)

    @typed_submit
    async def submit(
        self, operation: str, /, *, idempotency_key: str | None = None, options: Mapping[str, Any] | None = None, **arguments: Any
    ) -> AsyncRun:
        """Start an operation and return its job.

        `arguments`: its inputs (files, media or URLs) and its params, by name. `options`: `webhook`, `metadata`, `priority` and `cache` of
        the request. `idempotency_key`: by default a new one: with the same key, the same request gets the same job.
        """
        service, _, verb = operation.partition(".")
        names = await self._input_names(operation)
        inputs = {name: value for name, value in arguments.items() if name in names and value is not None}
        params = {name: value for name, value in arguments.items() if name not in names}
        return await self._start(f"/v1/{service}/{verb}/jobs", {"params": params}, inputs, options, idempotency_key)

    async def run_pipeline(
        self, steps: Sequence[Mapping[str, Any]], /, *, on_progress: OnProgress | None = None, **arguments: Any
    ) -> AsyncRun:
        """Run several operations as one job and wait for its end.

        Takes the arguments of `submit_pipeline`.
        """
        return await self._finish(await self.submit_pipeline(steps, **arguments), on_progress)

    async def submit_pipeline(
        self,
        steps: Sequence[Mapping[str, Any]],
        /,
        *,
        idempotency_key: str | None = None,
        options: Mapping[str, Any] | None = None,
        **inputs: File,
    ) -> AsyncRun:
        """Start a pipeline and return its job.

        `steps`: as `POST /v1/pipelines/jobs` takes them. `inputs`: files or media for the placeholders of the steps.
        """
        return await self._start("/v1/pipelines/jobs", {"steps": [dict(step) for step in steps]}, inputs, options, idempotency_key)

    async def run_preset(self, name: str, /, *, on_progress: OnProgress | None = None, **arguments: Any) -> AsyncRun:
        """Run the preset pipeline `name` and wait for its end.

        Takes the arguments of `submit_preset`.
        """
        return await self._finish(await self.submit_preset(name, **arguments), on_progress)

    async def submit_preset(
        self,
        name: str,
        /,
        *,
        params: Mapping[str, Mapping[str, Any]] | None = None,
        idempotency_key: str | None = None,
        options: Mapping[str, Any] | None = None,
        **inputs: File,
    ) -> AsyncRun:
        """Start the preset pipeline `name` and return its job.

        `inputs`: files or media, by name of the input. `params`: step -> params that replace those of the preset.
        """
        return await self._start(f"/v1/pipelines/presets/{name}/jobs", {"params": dict(params or {})}, inputs, options, idempotency_key)

    async def job(self, job_id: str) -> AsyncRun:
        """Return a job by its id."""
        return self._run(await self.get(f"/v1/jobs/{job_id}"))

    async def jobs(self, **filters: Any) -> AsyncIterator[Job]:
        """Yield all jobs that match `filters`, newest first.

        `filters`: query parameters of `GET /v1/jobs`.
        """
        cursor: str | None = None
        while True:
            page = await self.get("/v1/jobs", **(filters | {"cursor": cursor}))
            for item in page["items"]:
                yield Job.model_validate(item)
            if (cursor := page["next_cursor"]) is None:
                return

    async def follow(self, job_id: str) -> AsyncIterator[JobEvent]:
        """Yield each event of a job once, reconnecting when the connection breaks.

        Ends with the job.
        """
        async for event in follow(self._connection, job_id):
            yield event

    async def wait(self, job_id: str, on_progress: OnProgress | None = None) -> AsyncRun:
        """Wait until a job has ended. Raises JobFailed, JobCanceled."""
        async for event in follow(self._connection, job_id):
            if event.kind == "progress" and on_progress is not None:
                on_progress(JobProgress.model_validate(event.data))
        ended = await self.job(job_id)
        if ended.job.status is not Status.SUCCEEDED:
            raise (JobCanceled if ended.job.status is Status.CANCELED else JobFailed)(ended.job)
        return ended

    async def log(self, job_id: str) -> str:
        """Return the last lines that a job's worker process printed.

        For a pipeline: those of all its steps.
        """
        return (await self._connection.send("GET", f"/v1/jobs/{job_id}/log")).text

    async def cancel(self, job_id: str) -> AsyncRun:
        """Cancel a job. Raises Refused if it has succeeded or failed."""
        return self._run(await self.post(f"/v1/jobs/{job_id}/cancel", {}))

    async def retry(self, job_id: str, *, idempotency_key: str | None = None) -> AsyncRun:
        """Run a failed or canceled job again, as a new job."""
        return self._run(await self.post(f"/v1/jobs/{job_id}/retry", {}, idempotency_key=idempotency_key or new_key()))

    async def upload(self, path: Path | str, *, name: str | None = None, on_bytes: OnBytes | None = None) -> MediaRecord:
        """Upload a file in pieces, resuming after a broken connection.

        `name`: its name on the server, by default that of the file. `on_bytes(sent, size)` reports the progress.
        """
        media_id = await upload(self._connection, Path(path), name=name, on_bytes=on_bytes)
        return await self.media(media_id)

    async def media(self, media_id: str) -> MediaRecord:
        """Return the record of a medium by its id."""
        return MediaRecord.model_validate(await self.get(f"/v1/media/{media_id}"))

    async def download(self, media: MediaRecord | str, path: Path | str) -> Path:
        """Download the file of a medium; return its path.

        A broken download continues where it broke. The file appears under its name when it is complete.
        """
        target = Path(path)
        record = media if isinstance(media, MediaRecord) else await self.media(media)
        partial = target.with_name(f".{target.name}.part")
        try:
            with partial.open("wb") as file:
                async for chunk in self._connection.file(record.urls.content, etag=f'"{record.sha256}"'):
                    file.write(chunk)
            partial.replace(target)
        finally:
            partial.unlink(missing_ok=True)
        return target

    async def operations(self) -> list[dict[str, Any]]:
        """List the operations of all services, with their schemas."""
        listed: list[dict[str, Any]] = await self.get("/v1/operations")
        return listed

    async def _start(
        self, path: str, body: dict[str, Any], inputs: Mapping[str, Any], options: Mapping[str, Any] | None, idempotency_key: str | None
    ) -> AsyncRun:
        ids_by_path: dict[Path, str] = {}
        try:
            ids = {name: await self._ids(source, ids_by_path) for name, source in inputs.items()}
            job = await self.post(path, {**(options or {}), **body, "inputs": ids}, idempotency_key=idempotency_key or new_key())
        except Refused:
            for media_id in ids_by_path.values():  # nothing uses the uploads of this request
                with suppress(ReelwrightError):
                    await self.delete(f"/v1/media/{media_id}")
            raise
        return self._run(job)

    async def _finish(self, run: AsyncRun, on_progress: OnProgress | None) -> AsyncRun:
        """Wait for a job; cancel the job if the wait is interrupted."""
        try:
            return await self.wait(run.job.id, on_progress)
        except (asyncio.CancelledError, KeyboardInterrupt):
            with suppress(ReelwrightError, TimeoutError):
                async with asyncio.timeout(CANCEL_TIMEOUT_S):
                    await self.cancel(run.job.id)
            raise

    async def _ids(self, source: Any, ids_by_path: dict[Path, str]) -> Any:
        """Convert the input `source` to a media id or a URL.

        A list gives a list. Local files are uploaded. `ids_by_path`: the files of this request that are uploaded already.
        """
        if isinstance(source, list | tuple):
            return [await self._ids(item, ids_by_path) for item in source]
        if isinstance(source, MediaRecord):
            return source.id
        if isinstance(source, str) and URL.match(source):
            return {"url": source}
        if isinstance(source, str) and (is_id(source) or not Path(source).is_file()):
            return source
        path = Path(source)
        if path not in ids_by_path:
            ids_by_path[path] = await upload(self._connection, path)
        return ids_by_path[path]

    async def _input_names(self, operation: str) -> frozenset[str]:
        """Return the names of an operation's inputs, from the server's declaration."""
        if operation not in self._inputs:
            service = operation.partition(".")[0]
            listed = await self.get(f"/v1/{service}/operations")
            self._inputs |= {item["name"]: frozenset(item["inputs"]) for item in listed}
        if operation not in self._inputs:
            raise Invalid(f"There is no operation {operation!r}. Operations: {', '.join(sorted(self._inputs))}.")
        return self._inputs[operation]

    def _run(self, job: Any) -> AsyncRun:
        return AsyncRun(Job.model_validate(job), self)


def new_key() -> str:
    """Return a new Idempotency-Key."""
    return uuid.uuid4().hex


def output_of(job: Job, name: str | None) -> MediaRecord:
    """Return the output `name` of a job.

    Without a name: the job's only output, or its only video. Raises Invalid if the name is unknown or needed.
    """
    if name is None:
        videos = [record for record in job.outputs.values() if record.kind == "video"]
        candidates = list(job.outputs.values()) if len(job.outputs) == 1 else videos
        if len(candidates) == 1:
            return candidates[0]
    elif name in job.outputs:
        return job.outputs[name]
    if not job.outputs:
        raise Invalid(f"Job {job.id} has no outputs.")
    wrong = f"has no output {name!r}" if name else "has several outputs: name one"
    raise Invalid(f"Job {job.id} {wrong}. Outputs: {', '.join(job.outputs)}.")


def path_in(folder: Path, name: str, record: MediaRecord) -> Path:
    """Return the path in `folder` for the file of the output `name`.

    Only the last part of a name that the server sends is used, so the file never lies outside. Raises Invalid if that leaves no name.
    """
    last = re.split(r"[/\\]", name)[-1]
    if last in ("", ".", ".."):
        raise Invalid(f"The server sent an output whose name is no file name: {name[:40]!r}.")
    return folder / f"{last}{Path(record.name).suffix}"
