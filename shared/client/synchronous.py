"""The synchronous client of a suite, for scripts and notebooks."""

import asyncio
import queue
import threading
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self, TypeVar

from shared.client.arguments import File, OnProgress, OperationName
from shared.client.asynchronous import AsyncReelwright, AsyncRun
from shared.client.decorators import typed_run, typed_submit
from shared.client.uploads import OnBytes
from shared.jobs.record import Job
from shared.media.record import MediaRecord

T = TypeVar("T")
Call = Callable[[], None]


@dataclass(frozen=True)
class Run:
    """A job on the server, with access to its output files."""

    job: Job
    client: "Reelwright" = field(repr=False)

    @property
    def result(self) -> Any:
        """The operation's result, as its schema describes it."""
        return self.job.result

    @property
    def outputs(self) -> dict[str, MediaRecord]:
        """The media that the job made, by name of the output."""
        return self.job.outputs

    def save(self, path: Path | str, output: str | None = None) -> Path:
        """Download one output to a file; return its path.

        `output`: its name. May be left out if the job has one output, or exactly one video among its outputs.
        """
        return self.client.call(self._asynchronous.save(path, output))

    def save_all(self, folder: Path | str) -> dict[str, Path]:
        """Download all outputs to `folder`, as `<output>.<suffix>`; return their paths."""
        return self.client.call(self._asynchronous.save_all(folder))

    def wait(self, on_progress: OnProgress | None = None) -> "Run":
        """Wait until the job has ended. Raises JobFailed, JobCanceled."""
        return self.client.wait(self.job.id, on_progress)

    def log(self) -> str:
        """Return the last lines that the job's worker process printed."""
        return self.client.log(self.job.id)

    def cancel(self) -> "Run":
        """Cancel the job. Raises Refused if it has succeeded or failed."""
        return self.client.cancel(self.job.id)

    @property
    def _asynchronous(self) -> AsyncRun:
        return AsyncRun(self.job, self.client.asynchronous)


class Reelwright:
    """A synchronous client of one suite.

    `url`: address of the suite. `key`: API key, if the suite has keys. `patience_s`: how long a request is repeated while the server does
    not answer, is full or restarts. Every method raises `Refused` with the server's problem details, or `Unreachable`.

    It runs an `AsyncReelwright` on an event loop in a thread of its own, so that it works in notebooks, too. Callbacks run in the thread
    of the caller.
    """

    def __init__(self, url: str = "http://127.0.0.1:8080", key: str = "", *, patience_s: float = 60.0):
        self.asynchronous = AsyncReelwright(url, key, patience_s=patience_s)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="reelwright-client", daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def close(self) -> None:
        """Close all connections and end the thread."""
        if self._loop.is_closed():
            return
        self.call(self.asynchronous.close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def get(self, path: str, **query: Any) -> Any:
        """Send a GET request to an API path; return the JSON answer."""
        return self.call(self.asynchronous.get(path, **query))

    def post(self, path: str, body: Mapping[str, Any], *, idempotency_key: str | None = None) -> Any:
        """Send a POST request to an API path; return the JSON answer.

        `idempotency_key`: of a request that makes a job. Such a request is repeated if the connection breaks.
        """
        return self.call(self.asynchronous.post(path, body, idempotency_key=idempotency_key))

    def delete(self, path: str, **query: Any) -> None:
        """Send a DELETE request to an API path."""
        self.call(self.asynchronous.delete(path, **query))

    @typed_run
    def run(self, operation: str, /, *, on_progress: OnProgress | None = None, **arguments: Any) -> Run:
        """Run an operation and wait for its end.

        Takes the arguments of `submit`. Ctrl-C cancels the job. Raises JobFailed, JobCanceled.
        """
        return self._follow(lambda report: self.asynchronous.run(OperationName(operation), on_progress=report, **arguments), on_progress)

    @typed_submit
    def submit(
        self, operation: str, /, *, idempotency_key: str | None = None, options: Mapping[str, Any] | None = None, **arguments: Any
    ) -> Run:
        """Start an operation and return its job.

        `arguments`: its inputs (files, media or URLs) and its params, by name. `options`: `webhook`, `metadata`, `priority` and `cache` of
        the request. `idempotency_key`: by default a new one: with the same key, the same request gets the same job.
        """
        name = OperationName(operation)
        return self._run(self.call(self.asynchronous.submit(name, idempotency_key=idempotency_key, options=options, **arguments)))

    def run_pipeline(self, steps: Sequence[Mapping[str, Any]], /, *, on_progress: OnProgress | None = None, **arguments: Any) -> Run:
        """Run several operations as one job and wait for its end.

        Takes the arguments of `submit_pipeline`.
        """
        return self._follow(lambda report: self.asynchronous.run_pipeline(steps, on_progress=report, **arguments), on_progress)

    def submit_pipeline(
        self,
        steps: Sequence[Mapping[str, Any]],
        /,
        *,
        idempotency_key: str | None = None,
        options: Mapping[str, Any] | None = None,
        **inputs: File,
    ) -> Run:
        """Start a pipeline and return its job.

        `steps`: as `POST /v1/pipelines/jobs` takes them. `inputs`: files or media for the placeholders of the steps.
        """
        return self._run(self.call(self.asynchronous.submit_pipeline(steps, idempotency_key=idempotency_key, options=options, **inputs)))

    def run_preset(self, name: str, /, *, on_progress: OnProgress | None = None, **arguments: Any) -> Run:
        """Run the preset pipeline `name` and wait for its end.

        Takes the arguments of `submit_preset`.
        """
        return self._follow(lambda report: self.asynchronous.run_preset(name, on_progress=report, **arguments), on_progress)

    def submit_preset(
        self,
        name: str,
        /,
        *,
        params: Mapping[str, Mapping[str, Any]] | None = None,
        idempotency_key: str | None = None,
        options: Mapping[str, Any] | None = None,
        **inputs: File,
    ) -> Run:
        """Start the preset pipeline `name` and return its job.

        `inputs`: files or media, by name of the input. `params`: step -> params that replace those of the preset.
        """
        return self._run(
            self.call(self.asynchronous.submit_preset(name, params=params, idempotency_key=idempotency_key, options=options, **inputs))
        )

    def job(self, job_id: str) -> Run:
        """Return a job by its id."""
        return self._run(self.call(self.asynchronous.job(job_id)))

    def jobs(self, **filters: Any) -> Iterator[Job]:
        """Yield all jobs that match `filters`, newest first.

        `filters`: as `GET /v1/jobs` takes them.
        """
        jobs = self.asynchronous.jobs(**filters)
        while (job := self.call(anext(jobs, None))) is not None:
            yield job

    def wait(self, job_id: str, on_progress: OnProgress | None = None) -> Run:
        """Wait until a job has ended. Raises JobFailed, JobCanceled."""
        return self._follow(lambda report: self.asynchronous.wait(job_id, report), on_progress)

    def log(self, job_id: str) -> str:
        """Return the last lines that a job's worker process printed.

        For a pipeline: those of all its steps.
        """
        return self.call(self.asynchronous.log(job_id))

    def cancel(self, job_id: str) -> Run:
        """Cancel a job. Raises Refused if it has succeeded or failed."""
        return self._run(self.call(self.asynchronous.cancel(job_id)))

    def retry(self, job_id: str, *, idempotency_key: str | None = None) -> Run:
        """Run a failed or canceled job again, as a new job."""
        return self._run(self.call(self.asynchronous.retry(job_id, idempotency_key=idempotency_key)))

    def upload(self, path: Path | str, *, name: str | None = None, on_bytes: OnBytes | None = None) -> MediaRecord:
        """Upload a file in pieces, resuming after a broken connection.

        `name`: its name on the server, by default that of the file. `on_bytes(sent, size)` reports the progress.
        """
        calls: queue.SimpleQueue[Call | None] = queue.SimpleQueue()
        report = (lambda count, size: calls.put(lambda: on_bytes(count, size))) if on_bytes is not None else None
        return self.call(self.asynchronous.upload(path, name=name, on_bytes=report), calls)

    def media(self, media_id: str) -> MediaRecord:
        """Return the record of a medium by its id."""
        return self.call(self.asynchronous.media(media_id))

    def download(self, media: MediaRecord | str, path: Path | str) -> Path:
        """Download the file of a medium; return its path.

        A broken download continues where it broke. The file appears under its name when it is complete.
        """
        return self.call(self.asynchronous.download(media, path))

    def operations(self) -> list[dict[str, Any]]:
        """List the operations of all services, with their schemas."""
        return self.call(self.asynchronous.operations())

    def call(self, work: Coroutine[Any, Any, T], calls: "queue.SimpleQueue[Call | None] | None" = None) -> T:
        """Run the coroutine `work` on the client's event loop; return its result.

        `calls`: callbacks that the coroutine queues; they run here. An interrupt cancels the coroutine and waits for its end.
        """
        pending: queue.SimpleQueue[Call | None] = queue.SimpleQueue() if calls is None else calls

        async def to_the_end() -> T:
            try:
                return await work
            finally:
                pending.put(None)

        future: Future[T] = asyncio.run_coroutine_threadsafe(to_the_end(), self._loop)
        try:
            while (queued := pending.get()) is not None:
                queued()
        except BaseException:
            if future.cancel():
                while pending.get() is not None:
                    pass
            raise
        return future.result()

    def _follow(self, start: Callable[[OnProgress | None], Coroutine[Any, Any, AsyncRun]], on_progress: OnProgress | None) -> Run:
        calls: queue.SimpleQueue[Call | None] = queue.SimpleQueue()
        report: OnProgress | None = (lambda update: calls.put(lambda: on_progress(update))) if on_progress is not None else None
        return self._run(self.call(start(report), calls))

    def _run(self, run: AsyncRun) -> Run:
        return Run(run.job, self)
