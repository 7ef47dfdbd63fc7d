"""Jobs of all services: list, look, follow, cancel, delete."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime

from fastapi import APIRouter, Header, Query, Request, Response
from fastapi.responses import StreamingResponse

from shared.errors import Conflict, Invalid, UnknownMedia
from shared.http.problems import problems
from shared.jobs import Event, Job, JobPage, Status
from shared.media.ids import is_id
from shared.runtime import Runtime

HEARTBEAT_S = 15.0
UNKNOWN = problems(_404="There is no such job, or it is somebody else's")


def job_routes(runtime: Runtime) -> APIRouter:
    """Everything under /v1/jobs."""
    router = APIRouter(prefix="/v1/jobs", tags=["jobs"])
    jobs = runtime.jobs

    @router.get("", summary="Jobs, newest first")
    async def page(
        request: Request,
        service: str | None = Query(None, pattern="^[a-z0-9-]{1,64}$", description="Only of this service."),
        status: Status | None = Query(None, description="Only in this state."),
        created_after: datetime | None = Query(None, description="Only made at this time or later (ISO 8601; UTC where it names no zone)."),
        created_before: datetime | None = Query(None, description="Only made before this time (ISO 8601; UTC where it names no zone)."),
        cursor: str | None = Query(None, description="`next_cursor` of the page before."),
        limit: int = Query(50, ge=1, le=500, description="Jobs on a page."),
        results: bool = Query(False, description="With each job's `result`, which may be long; without, it is null here."),
    ) -> JobPage:
        if cursor is not None and not is_id(cursor):
            raise Invalid(f"{cursor[:64]!r} is no cursor: take `next_cursor` of the page before.")
        found, next_cursor = await jobs.page(
            request.state.owner,
            service=service,
            status=status,
            created_after=_seconds(created_after),
            created_before=_seconds(created_before),
            cursor=cursor,
            limit=limit,
            results=results,
        )
        return JobPage(items=found, next_cursor=next_cursor)

    @router.get("/{job_id}", summary="A job as it stands", responses=UNKNOWN)
    async def get(job_id: str, request: Request) -> Job:
        return await jobs.get(request.state.owner, job_id)

    @router.get(
        "/{job_id}/events",
        summary="Follow a job (server-sent events)",
        response_class=StreamingResponse,
        responses=UNKNOWN
        | {
            200: {"content": {"text/event-stream": {}}, "description": "`progress`, then `succeeded`, `failed` or `canceled`"},
            204: {"description": "The job has ended and its last event was seen: there is nothing to come back for"},
        },
    )
    async def events(
        job_id: str,
        request: Request,
        last_event_id: str | None = Header(None, description="Number of the last event seen; the later ones are sent again."),
    ) -> Response:
        after = _event_number(last_event_id)
        job = await jobs.get(request.state.owner, job_id)  # an unknown job is a 404, not a broken stream
        if job.status.ended and not await jobs.has_events(job_id, after):
            return Response(status_code=204)  # which tells an EventSource not to connect again
        stream = _stream(jobs.events(request.state.owner, job_id, after))
        return StreamingResponse(stream, media_type="text/event-stream", headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})

    @router.post(
        "/{job_id}/cancel",
        summary="Cancel a job: its work ends within a second",
        responses=UNKNOWN | problems(_409="It has ended otherwise"),
    )
    async def cancel(job_id: str, request: Request) -> Job:
        return await jobs.cancel(request.state.owner, job_id)

    @router.delete(
        "/{job_id}",
        status_code=204,
        summary="Forget an ended job",
        response_class=Response,
        responses=UNKNOWN | problems(_409="It has not ended, or another job reads what it made"),
    )
    async def delete(job_id: str, request: Request, outputs: bool = Query(False, description="Delete what it made, too.")) -> Response:
        owner = request.state.owner
        job = await jobs.get(owner, job_id)
        made = [record.id for record in job.outputs.values()] if outputs else []
        for media_id in made:
            if reader := await jobs.reader_of(owner, media_id):
                raise Conflict(f"Media {media_id}, which this job made, is being read by job {reader}: wait for its end, or cancel it.")
        await jobs.delete(owner, job_id)
        for media_id in made:
            try:
                await asyncio.to_thread(runtime.media.delete, owner, media_id)
            except UnknownMedia:
                continue  # deleted before
        return Response(status_code=204)

    return router


def _seconds(moment: datetime | None) -> float | None:
    """Seconds since 1970."""
    if moment is None:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _event_number(given: str | None) -> int:
    if not given:
        return 0
    if not given.isascii() or not given.isdigit() or len(given) > 9:
        raise Invalid(f"Last-Event-ID {given[:32]!r} is not the number of an event.")
    return int(given)


async def _stream(events: AsyncIterator[Event]) -> AsyncIterator[str]:
    """Events as text/event-stream, with comments in quiet times so that proxies keep the connection."""
    coming: asyncio.Future[Event] | None = None
    try:
        while True:
            coming = coming or asyncio.ensure_future(anext(events))
            done, _ = await asyncio.wait({coming}, timeout=HEARTBEAT_S)
            if not done:
                yield ": still here\n\n"
                continue
            try:
                event = coming.result()
            except StopAsyncIteration:
                return
            coming = None
            yield f"id: {event.seq}\nevent: {event.kind}\ndata: {json.dumps(event.data)}\n\n"
    finally:
        if coming is not None:
            coming.cancel()
