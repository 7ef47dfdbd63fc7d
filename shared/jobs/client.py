"""The jobs of an installation: submit, read, follow, cancel and delete.

Running them is the worker's part (running/worker.py).
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator, Callable, Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import ParamSpec, TypeVar

import sqlalchemy as sa
from pydantic import SecretStr

from shared.errors import Conflict, Invalid, UnknownJob
from shared.jobs import webhooks
from shared.jobs.database.dbos_setup import first_line
from shared.jobs.database.history import EarlierResult, PastRun
from shared.jobs.database.job_filter import JobFilter
from shared.jobs.database.rows import Event, JobState, NewJob, StoredPreview
from shared.jobs.database.store import JobStore
from shared.jobs.making import Making
from shared.jobs.metrics import JobMetrics
from shared.jobs.record import PRIORITIES, Delivery, Job, JobRequest, MadeWebhook, NewWebhook, StandingWebhook, Status
from shared.jobs.url_inputs import Reservation
from shared.jobs.view_names import VIEW_KEYS
from shared.json_digest import json_digest
from shared.keys import CURRENT_ACCESS
from shared.log import fields, note_changes
from shared.media.ids import new_id
from shared.settings import Settings

READERS = 4
"""Number of threads that only read the database. In the event loop's own threads, reads would wait behind slow writes."""
WAIT_POLL_S = 0.1
EVENTS_POLL_S = 0.25
DATABASE_TIMEOUT_S = 5
ADDED_LATER = ("cache", "listed", "name", "deadline_s", "preview", "preview_at_s", "preview_s", "preview_slot")
"""Fields of a request that an earlier release lacked."""
Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")
log = logging.getLogger(__name__)


class Jobs:
    """The API's access to the jobs of an installation."""

    def __init__(self, settings: Settings):
        self._settings = settings
        self.store = JobStore(settings)
        self.metrics = JobMetrics()
        self.stopping = False
        """Whether this process is shutting down. No new job starts, and waiting requests return the job's current state."""
        self.on_canceled: Callable[[str], None] = lambda _job_id: None
        """Called with the id of a job that this process canceled. A worker in the same process sets it."""
        self._readers = ThreadPoolExecutor(READERS, thread_name_prefix="job-reader")

    async def submit(
        self,
        *,
        owner: str,
        service: str,
        operation: str,
        version: int | None = None,
        request: JobRequest,
        original: JobRequest | None = None,
        key: str | None = None,
        remembered: EarlierResult | None = None,
        kinds: Mapping[str, tuple[str, ...]] | None = None,
    ) -> Job:
        """Queue a checked request; return its job.

        The job is on disk when this returns. With `remembered` it ends at once, with that result.

        `version`: of the operation, None for a pipeline. `key`: an idempotency key; if this owner has used it before, the job made
        then is returned. `original`: the request as the client sent it, if `request` was derived from it; a repeated key must come
        with the same `original`. `kinds`: kinds of media of each input, for those that are URLs. Raises QueueFull, QuotaExceeded,
        IdempotencyMismatch; Invalid for the key of a view.
        """
        reserved = Reservation()
        inputs, params = reserved.inputs(request.inputs, kinds or {}), reserved.params(request.params)
        new = NewJob(
            id=new_id(),
            owner=owner,
            service=service,
            operation=operation,
            version=version,
            priority=PRIORITIES[request.priority],
            inputs=inputs,
            params=params,
            fetches=tuple(reserved.fetches),
            metadata=request.metadata,
            webhook=await asyncio.to_thread(webhooks.stored_webhook, request.webhook, self._settings) if request.webhook else None,
            name=request.name,
            deadline_at=round(time.time() + request.deadline_s, 3) if request.deadline_s is not None else None,
            cache=request.cache,
            listed=request.listed and not request.preview,
            preview=_preview(request),
            idempotency_key=key,
            fingerprint=_fingerprint(operation, original or request),
        )
        job, is_new = await asyncio.to_thread(self.store.add, new, remembered, most_open=_max_open(key))
        if is_new:
            note_changes(job.id)
        if is_new and remembered is not None:
            self.metrics.cached(operation)
            more = fields(job_id=job.id, operation=operation, event="cached")
            log.info("job %s (%s) returns the earlier result of job %s", job.id, operation, remembered.job_id, extra=more)
        elif is_new:
            log.info("job %s (%s) accepted", job.id, operation, extra=fields(job_id=job.id, operation=operation, event="accepted"))
        if is_new and request.preview:
            for older in await self._read(self.store.ledger.older_previews, new):
                with contextlib.suppress(Conflict, UnknownJob):  # it ended at the same moment
                    await self.cancel(owner, older)
        return job

    async def by_key(self, owner: str, key: str) -> Job | None:
        """Return the job with this owner and idempotency `key`, or None."""
        row = await self._read(self.store.ledger.by_key, owner, key)
        try:
            return await self.get(owner, row[0]) if row else None
        except UnknownJob:  # deleted at the same moment
            return None

    async def earlier(self, *, owner: str, operation: str, request: JobRequest, key: str) -> Job | None:
        """Return the job that an equal request with the idempotency key `key` created.

        None if there is none. Raises IdempotencyMismatch if another request was sent with the key.
        """
        return await self._read(self.store.earlier, owner, key, _fingerprint(operation, request))

    async def get(self, owner: str, job_id: str) -> Job:
        """Return a job. Raises UnknownJob."""
        return await self._read(self.store.ledger.get, owner, job_id)

    async def wait(self, owner: str, job_id: str, timeout_s: float) -> Job:
        """Wait until a job ends, and return it.

        Returns the unfinished job after `timeout_s` seconds, or when this process shuts down. Raises UnknownJob.
        """
        deadline = asyncio.get_running_loop().time() + timeout_s
        while not (job := await self.get(owner, job_id)).status.ended and asyncio.get_running_loop().time() < deadline:
            if self.stopping:
                break
            await asyncio.sleep(min(WAIT_POLL_S, max(0.0, deadline - asyncio.get_running_loop().time())))
        return job

    async def request_of(self, owner: str, job_id: str) -> JobRequest:
        """Return the request of a job.

        The secret of its webhook is included. Raises UnknownJob.
        """
        opened = partial(webhooks.opened, settings=self._settings)
        return await self._read(self.store.ledger.request_of, owner, job_id, opened)

    async def states(self, owner: str, ids: Collection[str]) -> dict[str, JobState]:
        """Return the status and progress of the existing jobs among `ids`, by id."""
        return await self._read(self.store.ledger.states, owner, ids)

    async def past_runs(self, operation: str) -> list[PastRun]:
        """Return the run times of an operation's latest succeeded jobs, newest first."""
        return await self._read(self.store.history.past_runs, operation)

    async def page(
        self, owner: str, job_filter: JobFilter, *, cursor: str | None = None, limit: int = 50, results: bool = False
    ) -> tuple[list[Job], str | None]:
        """Return one page of an owner's jobs, and the next page's cursor.

        See `Ledger.page`.
        """
        return await self._read(self.store.ledger.page, owner, job_filter, cursor=cursor, limit=limit, results=results)

    async def logs(self, ids: Collection[str]) -> dict[str, str]:
        """Return the existing logs of the jobs `ids`, by job id.

        A log has the last lines of a worker process.
        """
        return await self._read(self.store.ledger.logs, ids)

    async def cancel(self, owner: str, job_id: str) -> Job:
        """Cancel an unfinished job and kill its process.

        The jobs that make its inputs are canceled, too.

        Raises UnknownJob, and Conflict if the job ended another way.
        """
        job = await self.get(owner, job_id)
        if await asyncio.to_thread(self.store.finish, job_id, Status.CANCELED):
            await self.store.cancel_workflow(job_id, fetches=bool(job.fetches))
            note_changes(job_id)
            self.on_canceled(job_id)
            self.metrics.ended(job.operation, Status.CANCELED)
            for making in filter(None, map(Making.read, job.inputs.values())):
                with contextlib.suppress(Conflict, UnknownJob):  # it has ended
                    await self.cancel(owner, making.job)
        job = await self.get(owner, job_id)
        if job.status is not Status.CANCELED:
            raise Conflict(f"Job {job_id} has already {job.status}; there is nothing to cancel.")
        return job

    async def delete(self, owner: str, job_id: str) -> Job:
        """Delete an ended job; return its final state.

        Raises UnknownJob, and Conflict while the job has not ended.
        """
        job = await self.get(owner, job_id)
        if not job.status.ended:
            raise Conflict(f"Job {job_id} is {job.status}: cancel it first, or wait until it ends.")
        await asyncio.to_thread(self.store.forget, job_id)
        note_changes(job_id)
        return job

    async def shared_outputs(self, owner: str, job_id: str, media_ids: Collection[str]) -> set[str]:
        """Return the `media_ids` that are also outputs of jobs other than `job_id`.

        If `job_id` is a pipeline, its steps do not count.
        """
        return await self._read(self.store.history.shared_outputs, owner, job_id, media_ids)

    async def unlisted_with(self, owner: str, media_id: str) -> dict[str, list[str]]:
        """Find ended, unlisted jobs that read a medium; return their outputs' ids.

        The ids are by job id. An unlisted job appears in no list.
        """
        return await self._read(self.store.media_use.unlisted_with, owner, media_id)

    async def has_events(self, job_id: str, after: int) -> bool:
        """Return whether a job has events after number `after`."""
        return bool(await self._read(self.store.ledger.events, job_id, after))

    async def events(self, owner: str, job_id: str, after: int) -> AsyncIterator[Event]:
        """Yield a job's events after number `after`, up to its end.

        The data of the last event is the job itself. Raises UnknownJob.
        """
        await self.get(owner, job_id)
        with contextlib.suppress(UnknownJob):  # the job was deleted meanwhile
            while True:
                ended = (await self.get(owner, job_id)).status.ended  # read before the events, so that `events` includes the last event
                events = await self._read(self.store.ledger.events, job_id, after)
                for event in events:
                    after = event.seq
                    if event.kind == "progress":
                        yield event
                    else:
                        job = await self.get(owner, job_id)
                        yield Event(seq=event.seq, kind=event.kind, data=job.model_dump(mode="json"))
                        return
                if (ended and not events) or self.stopping:  # after a shutdown the client reconnects with Last-Event-ID
                    return
                if not events:
                    await asyncio.sleep(EVENTS_POLL_S)

    async def add_webhook(self, owner: str, new: NewWebhook) -> MadeWebhook:
        """Add a standing webhook for all listed jobs of an owner.

        Generates a secret if the request has none. Raises Invalid, ForbiddenAddress, QuotaExceeded.
        """
        secret = None if new.secret is not None else webhooks.new_secret()
        complete = new if secret is None else new.model_copy(update={"secret": SecretStr(secret)})
        webhook = await asyncio.to_thread(webhooks.stored_webhook, complete, self._settings)
        added = await asyncio.to_thread(self.store.deliveries.add_webhook, owner, webhook, name=new.name)
        note_changes(added.id)
        return MadeWebhook(**added.model_dump(), secret=secret)

    async def webhooks(self, owner: str) -> list[StandingWebhook]:
        """Return the standing webhooks of an owner."""
        return await self._read(self.store.deliveries.webhooks, owner)

    async def delete_webhook(self, owner: str, webhook_id: str) -> None:
        """Delete a standing webhook. Raises UnknownWebhook."""
        await asyncio.to_thread(self.store.deliveries.delete_webhook, owner, webhook_id)

    async def deliveries(self, owner: str, job_id: str) -> list[Delivery]:
        """Return the webhook messages about a job. Raises UnknownJob."""
        await self.get(owner, job_id)
        return await self._read(self.store.deliveries.of_job, job_id)

    async def resend(self, owner: str, job_id: str, delivery_id: str) -> Delivery:
        """Resend a webhook message; return the new delivery.

        Raises UnknownJob, UnknownDelivery, UnknownWebhook, and Conflict while the message is on its way.
        """
        await self.get(owner, job_id)
        new = await asyncio.to_thread(self.store.resend, job_id, delivery_id)
        note_changes(new)
        return (await self._read(self.store.deliveries.of_job, job_id, [new]))[0]

    async def reader_of(self, owner: str, media_id: str) -> str | None:
        """Return the id of an unfinished job that reads a medium, or None."""
        return await self._read(self.store.media_use.reader, owner, media_id)

    async def counts(self) -> tuple[dict[tuple[str, str], int], dict[str, float]]:
        """Return job counts by (service, status), and acceptance times of the oldest waiting jobs.

        The second dict: service -> Unix time at which its oldest waiting job was accepted.
        """
        return await self._read(lambda: (self.store.ledger.counts(), self.store.ledger.oldest_waiting()))

    async def troubles(self) -> list[str]:
        """Return the reasons why no job can be accepted.

        Empty if there are none.
        """
        try:
            await asyncio.wait_for(self._read(self.store.ledger.counts), DATABASE_TIMEOUT_S)
        except (TimeoutError, sa.exc.SQLAlchemyError) as error:
            return [f"the database does not answer: {first_line(error)}"]
        return ["the server is shutting down"] if self.stopping else []

    async def _read(self, call: Callable[Arguments, Result], *args: Arguments.args, **options: Arguments.kwargs) -> Result:
        """Call a function that only reads from the database, in a thread for reading."""
        return await asyncio.get_running_loop().run_in_executor(self._readers, partial(call, *args, **options))


def _preview(request: JobRequest) -> StoredPreview | None:
    """Return the preview options of a request.

    None if it requests no preview.
    """
    if not request.preview:
        return None
    return StoredPreview(at_s=request.preview_at_s, seconds=request.preview_s, slot=request.preview_slot)


def _max_open(key: str | None) -> int | None:
    """Return how many unfinished jobs the current request's API key may have.

    None: any number. `key`: the idempotency key of the job. Keys of views, which do not count, are only for the gateway: raises Invalid
    for any other API key with a quota.
    """
    access = CURRENT_ACCESS.get(None)
    if access is None or access.max_jobs is None:
        return None
    if key is not None and key.startswith(VIEW_KEYS):
        if not access.internal:
            raise Invalid(f"An Idempotency-Key that begins with {VIEW_KEYS!r} is reserved for views of media: send a different key.")
        return None
    return access.max_jobs


def _fingerprint(operation: str, request: JobRequest) -> str:
    body = request.model_dump(mode="json", exclude={"webhook": {"secret"}})
    body["inputs"] = {name: None if Making.read(source) else source for name, source in body["inputs"].items()}
    for name in ADDED_LATER:  # requests without these fields keep the fingerprints of earlier releases
        if body[name] == JobRequest.model_fields[name].default:
            del body[name]
    return json_digest([operation, body])
