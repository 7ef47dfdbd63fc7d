"""HTTP routes for the jobs of all services: list, read, follow, cancel, delete."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Query, Request, Response
from fastapi.responses import PlainTextResponse, StreamingResponse

from gateway.job_deletion import delete_job
from gateway.job_logs import log_of
from shared.errors import Invalid
from shared.http.operations.known_query import refuse_unknown_query
from shared.http.problems import problems
from shared.jobs import Event, Job, JobPage, Jobs, Status
from shared.jobs.database.job_filter import JobFilter
from shared.media.ids import is_id
from shared.runtime import Runtime

HEARTBEAT_S = 15.0
TEXT = r"^[^\x00]{1,200}$"
OfService = Annotated[str | None, Query(pattern="^[a-z0-9-]{1,64}$", description="Only jobs of this service.")]
OfOperation = Annotated[str | None, Query(pattern=r"^[a-z0-9.-]{1,128}$", description="Only jobs of this operation.")]
OfPipeline = Annotated[str | None, Query(pattern=TEXT, description="Only the jobs of this pipeline's steps.")]
InState = Annotated[Status | None, Query(description="Only jobs in this state.")]
UNKNOWN = problems(_404="Unknown job, or a job of another owner")


def job_routes(runtime: Runtime) -> APIRouter:
    """Return the routes that list, read, follow, cancel and delete jobs."""
    router = APIRouter(prefix="/v1/jobs", tags=["jobs"], dependencies=[Depends(refuse_unknown_query)])
    _add_list(router, runtime.jobs)
    _add_reading(router, runtime.jobs)
    _add_ending(router, runtime)
    return router


def _add_list(router: APIRouter, jobs: Jobs) -> None:
    @router.get("", name="list", summary="List jobs, newest first")
    async def page(
        request: Request,
        service: OfService = None,
        operation: OfOperation = None,
        name: Annotated[str | None, Query(pattern=TEXT, description="Only jobs whose name contains this text.")] = None,
        parent: OfPipeline = None,
        metadata: Annotated[
            list[str], Query(max_length=8, description="Only jobs whose metadata contain this `key:value`. May be repeated.")
        ] = [],  # noqa: B006
        status: InState = None,
        created_after: datetime | None = Query(None, description="Only jobs created at this time or later (ISO 8601; UTC by default)."),
        created_before: datetime | None = Query(None, description="Only jobs created before this time (ISO 8601; UTC by default)."),
        cursor: str | None = Query(None, description="`next_cursor` of the previous page."),
        limit: int = Query(50, ge=1, le=500, description="Maximum number of jobs."),
        results: bool = Query(False, description="Include the `result` of each job, which may be long. Otherwise `result` is null."),
    ) -> JobPage:
        if cursor is not None and not is_id(cursor):
            raise Invalid(f"{cursor[:64]!r} is not a cursor: use `next_cursor` of the previous page.")
        items, next_cursor = await jobs.page(
            request.state.owner,
            JobFilter(
                service=service,
                operation=operation,
                status=status,
                name=name,
                parent=parent,
                metadata=_pairs(metadata),
                created_after=_seconds(created_after),
                created_before=_seconds(created_before),
            ),
            cursor=cursor,
            limit=limit,
            results=results,
        )
        return JobPage(items=items, next_cursor=next_cursor)


def _add_reading(router: APIRouter, jobs: Jobs) -> None:
    """Add the routes that send one job, its events and its log."""

    @router.get("/{job_id}", name="read", summary="Read a job", responses=UNKNOWN)
    async def get(job_id: str, request: Request) -> Job:
        return await jobs.get(request.state.owner, job_id)

    @router.get(
        "/{job_id}/events",
        summary="Follow a job (server-sent events)",
        response_class=StreamingResponse,
        responses=UNKNOWN
        | {
            200: {"content": {"text/event-stream": {}}, "description": "`progress`, then `succeeded`, `failed` or `canceled`"},
            204: {"description": "The job has ended and the client has its last event"},
        },
    )
    async def events(
        job_id: str,
        request: Request,
        last_event_id: str | None = Header(None, description="Number of the last received event. Later events are sent again."),
    ) -> Response:
        after = _event_number(last_event_id)
        job = await jobs.get(request.state.owner, job_id)  # raises for an unknown job, before the stream starts
        if job.status.ended and not await jobs.has_events(job_id, after):
            return Response(status_code=204)  # a 204 stops an EventSource from reconnecting
        stream = _stream(jobs.events(request.state.owner, job_id, after))
        return StreamingResponse(stream, media_type="text/event-stream", headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})

    @router.get(
        "/{job_id}/log",
        name="read-log",
        summary="Read the last lines of a job's worker process",
        response_class=PlainTextResponse,
        responses=UNKNOWN
        | {200: {"content": {"text/plain": {"schema": {"type": "string"}}}, "description": "The log; empty if nothing was written"}},
    )
    async def log(job_id: str, request: Request) -> Response:
        """Send the standard output and standard error of a job's operation.

        At most 32 KB of text, without the server's folders and secrets. While the job runs it is a few seconds old. For a pipeline: the
        logs of its steps, each below a heading, at most 256 KB together.
        """
        text = await log_of(jobs, request.state.owner, job_id)
        return PlainTextResponse(text, headers={"Cache-Control": "no-store"})


def _add_ending(router: APIRouter, runtime: Runtime) -> None:
    """Add the routes that cancel and delete one job."""

    @router.post(
        "/{job_id}/cancel",
        summary="Cancel a job; it stops within a second",
        responses=UNKNOWN | problems(_409="The job has already ended"),
    )
    async def cancel(job_id: str, request: Request) -> Job:
        return await runtime.jobs.cancel(request.state.owner, job_id)

    @router.delete(
        "/{job_id}",
        status_code=204,
        summary="Delete an ended job",
        response_class=Response,
        responses=UNKNOWN | problems(_409="The job has not ended, or another job reads its outputs"),
    )
    async def delete(
        job_id: str,
        request: Request,
        outputs: bool = Query(False, description="Also delete its outputs, except those that another job lists."),
    ) -> Response:
        await delete_job(runtime, request.state.owner, job_id, outputs=outputs)
        return Response(status_code=204)


def _seconds(moment: datetime | None) -> float | None:
    """Convert a time to Unix seconds. A time without a zone is UTC."""
    if moment is None:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _pairs(metadata: list[str]) -> dict[str, str]:
    """Parse metadata filters, each written `key:value`. Raises Invalid."""
    pairs = dict(text.partition(":")[::2] for text in metadata)
    if any(":" not in text or "\0" in text for text in metadata) or not all(pairs):
        raise Invalid.field("query.metadata", "write `key:value`")
    return pairs


def _event_number(header: str | None) -> int:
    if not header:
        return 0
    if not header.isascii() or not header.isdigit() or len(header) > 9:
        raise Invalid(f"Last-Event-ID {header[:32]!r} is not the number of an event.")
    return int(header)


async def _stream(events: AsyncIterator[Event]) -> AsyncIterator[str]:
    """Format the events of a job as server-sent events.

    After HEARTBEAT_S without an event, a comment is sent, so that proxies keep the connection open.
    """
    pending: asyncio.Future[Event] | None = None
    try:
        while True:
            pending = pending or asyncio.ensure_future(anext(events))
            done, _ = await asyncio.wait({pending}, timeout=HEARTBEAT_S)
            if not done:
                yield ": still here\n\n"
                continue
            try:
                event = pending.result()
            except StopAsyncIteration:
                return
            pending = None
            yield f"id: {event.seq}\nevent: {event.kind}\ndata: {json.dumps(event.data)}\n\n"
    finally:
        if pending is not None:
            pending.cancel()
