"""Code shared by the routes that start jobs: headers, documented answers, waiting."""

import json
import re
from typing import Annotated, Any

from fastapi import Header, Response
from fastapi.responses import JSONResponse

from shared.http.problems import NOT_JSON, problems
from shared.jobs import Job
from shared.runtime import Runtime

MAX_WAIT_S = 60

Prefer = Annotated[str | None, Header(description="`wait=N` waits up to N seconds (at most 60) for the job to end before answering.")]
IdempotencyKey = Annotated[
    str | None, Header(min_length=1, max_length=255, description="A repeated request with the same key gets the first answer.")
]
"""The header `Idempotency-Key` of a request that starts a job."""

REFUSALS = NOT_JSON | problems(
    _404="Unknown media",
    _429="The queue is full, or the API key has too many unfinished jobs",
    _503="The weights of a model are not installed",
)

ENDED: dict[int | str, dict[str, Any]] = {
    200: {"model": Job, "description": "The ended job, if `Prefer: wait` was given and the job ended in time"}
}


def wait_seconds(prefer: str | None) -> int | None:
    """Parse the seconds of `Prefer: wait=N` (RFC 7240), at most 60.

    None without the preference.
    """
    match = re.search(r"(?:^|[,;\s])wait\s*=\s*\"?(\d{1,9})\"?", prefer or "", re.IGNORECASE)
    return min(int(match[1]), MAX_WAIT_S) if match else None


async def job_answer(job: Job, *, owner: str, prefer: str | None, runtime: Runtime) -> JSONResponse:
    """Return the response for `job`, which the gateway has submitted for a request.

    Waits as `job_response` does.
    """
    answer = Response(status_code=202)
    job = await job_response(job, owner=owner, prefer=prefer, response=answer, runtime=runtime)
    headers = {name: answer.headers[name] for name in ("location", "preference-applied") if name in answer.headers}
    return JSONResponse(json.loads(job.model_dump_json(by_alias=True)), answer.status_code, headers=headers)


async def job_response(job: Job, *, owner: str, prefer: str | None, response: Response, runtime: Runtime) -> Job:
    """Wait for `job` as `prefer` requests; set the response's headers and status.

    Returns the job's latest state.
    """
    response.headers["Location"] = job.urls.self_
    if (seconds := wait_seconds(prefer)) is not None:
        job = await runtime.jobs.wait(owner, job.id, seconds)
        response.headers["Preference-Applied"] = f"wait={seconds}"
        if job.status.ended:
            response.status_code = 200
    return job
