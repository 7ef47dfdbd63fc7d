"""Reading of a job's server-sent events, resumed after broken connections."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import httpx

from shared.client.connection import Connection, Pauses
from shared.client.errors import Refused, Unreachable

ENDS = frozenset({"succeeded", "failed", "canceled"})


@dataclass(frozen=True, kw_only=True)
class JobEvent:
    """One event of a job.

    `kind`: `progress`, or the status with which the job ended. `data`: the progress, or the ended job.
    """

    number: int
    kind: str
    data: Any


async def follow(connection: Connection, job_id: str) -> AsyncIterator[JobEvent]:
    """Yield each event of a job once, until the job has ended.

    A broken connection is opened again, from the last event on. Raises Refused, and Unreachable if the server stays away.
    """
    last, pauses = 0, Pauses(connection.patience_s)
    while True:
        trouble: Exception | None = None
        retry_after: str | None = None
        try:
            async with connection.stream(f"/v1/jobs/{job_id}/events", headers={"Last-Event-ID": str(last)}) as answer:
                if answer.status_code == 204:  # the job has ended, and its last event is known
                    return
                async for event in _parsed(answer):
                    last = event.number
                    pauses.reset()
                    yield event
                    if event.kind in ENDS:
                        return
        except httpx.TransportError as error:
            trouble = error
        except Refused as refusal:
            if not refusal.passes:
                raise
            trouble, retry_after = refusal, refusal.retry_after
        if not await pauses.wait(retry_after):
            raise Unreachable(f"{connection.http.base_url} does not answer: {trouble}. Job {job_id} continues on the server.") from trouble


async def _parsed(answer: httpx.Response) -> AsyncIterator[JobEvent]:
    """Parse the events of a text/event-stream response."""
    fields: dict[str, str] = {}
    async for line in answer.aiter_lines():
        if not line and "data" in fields:
            yield JobEvent(number=int(fields.get("id", 0)), kind=fields.get("event", ""), data=json.loads(fields["data"]))
            fields = {}
        elif line and not line.startswith(":"):
            name, _, value = line.partition(":")
            fields[name] = value.removeprefix(" ")
