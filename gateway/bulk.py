"""Routes that submit or delete many jobs in one request."""

from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from gateway.job_deletion import delete_job
from gateway.jobs import InState, OfOperation, OfPipeline, OfService
from gateway.pipelines.maker_jobs import maker_jobs
from gateway.pipelines.unasked_inputs import UnaskedInputs
from gateway.routing.upstream import Refused, Upstreams, credentials, refused_at
from shared.errors import Conflict, Invalid, UnknownJob, UnknownOperation
from shared.http.json_route import JsonRoute
from shared.http.operations.answers import REFUSALS, IdempotencyKey
from shared.http.operations.batch import LONGEST_KEY, MOST_JOBS, Batch, item_key, submit_each
from shared.http.operations.known_query import refuse_unknown_query
from shared.http.problems import problems
from shared.jobs import Job
from shared.jobs.database.job_filter import JobFilter
from shared.runtime import Runtime

MOST_DELETED = 500


class BatchItem(BaseModel):
    """One request of a batch.

    The operation, and the body of its `jobs` endpoint.
    """

    model_config = ConfigDict(extra="allow")

    operation: str = Field(pattern=r"^[a-z-]{1,64}\.[a-z-]{1,64}$", examples=["speed-ramp.render"])
    idempotency_key: str | None = Field(
        None,
        min_length=1,
        max_length=LONGEST_KEY,
        description="Idempotency-Key of this item. Without it, one is made from that of the batch.",
    )


class BatchRequest(BaseModel):
    """Body of `POST /v1/jobs`."""

    model_config = ConfigDict(extra="forbid")

    jobs: list[BatchItem] = Field(min_length=1, max_length=MOST_JOBS)


class Kept(BaseModel):
    """A job that was not deleted, and the reason."""

    id: str
    reason: str


class Deleted(BaseModel):
    """Answer to a request that deletes several jobs."""

    deleted: list[str] = Field(description="Ids of the deleted jobs.")
    kept: list[Kept] = Field(description="Jobs that were not deleted, with the reason.")
    more: bool = Field(description=f"Whether more jobs match the filters: one request deletes at most {MOST_DELETED}.")


def bulk_routes(upstreams: Upstreams, unasked: UnaskedInputs, runtime: Runtime) -> APIRouter:
    """Return the routes that submit or delete several jobs."""
    router = APIRouter(prefix="/v1/jobs", tags=["jobs"], route_class=JsonRoute, dependencies=[Depends(refuse_unknown_query)])
    _add_submission(router, upstreams, unasked, runtime)
    _add_deletion(router, runtime)
    return router


def _add_submission(router: APIRouter, upstreams: Upstreams, unasked: UnaskedInputs, runtime: Runtime) -> None:
    """Add the route that starts many jobs."""

    @router.post("", name="submit-batch", status_code=202, summary="Start many jobs of any operations", responses=REFUSALS)
    async def submit(body: BatchRequest, request: Request, response: Response, idempotency_key: IdempotencyKey = None) -> Batch:
        """Submit the jobs of a batch, or none if a request is invalid.

        Each item is the body of the operation's `jobs` endpoint, with its `operation`. `refused` lists the items for which there is no
        room; without room for any, the answer is 429. Send the same batch with the same `Idempotency-Key` again after `Retry-After`
        seconds: the accepted items return their jobs.
        """
        headers = credentials(runtime.settings, request.state.owner)
        for number, item in enumerate(body.jobs):
            await _ask(upstreams, item, number, "check", headers)

        async def start(number: int, item: BatchItem) -> Job:
            key = item.idempotency_key or item_key(idempotency_key, number)
            item_headers = headers | ({"Idempotency-Key": key} if key else {})
            async with maker_jobs(upstreams, runtime.jobs, request.state.owner) as makers:
                complete = await unasked.complete(item.operation, item.model_extra or {}, item_headers, makers)
                answer = await _ask(upstreams, BatchItem(operation=item.operation, **complete), number, "jobs", item_headers)
                job = Job.model_validate(answer)
                makers.accepted(job)
                return job

        return await submit_each([partial(start, number, item) for number, item in enumerate(body.jobs)], response)


def _add_deletion(router: APIRouter, runtime: Runtime) -> None:
    """Add the route that deletes many jobs."""

    @router.delete(
        "", name="delete-many", summary="Delete many ended jobs", responses=problems(_422="Neither ids nor a filter given, or both")
    )
    async def delete(
        request: Request,
        job_ids: Annotated[list[str], Query(alias="id", max_length=MOST_DELETED, description="Ids of jobs. May be repeated.")] = [],  # noqa: B006
        status: InState = None,
        service: OfService = None,
        operation: OfOperation = None,
        parent: OfPipeline = None,
        outputs: Annotated[bool, Query(description="Also delete their outputs, except those that another job lists.")] = False,
    ) -> Deleted:
        """Delete the listed jobs, or all jobs that match every filter.

        Give ids, or at least one condition. Jobs that have not ended stay.
        """
        owner = request.state.owner
        condition = JobFilter(status=status, service=service, operation=operation, parent=parent)
        if bool(job_ids) == (condition != JobFilter()):
            raise Invalid("Choose the jobs by `id` (may be repeated) or by filters such as `status=failed`, but not both.")
        more = None
        if not job_ids:
            jobs, more = await runtime.jobs.page(owner, condition, limit=MOST_DELETED)
            job_ids = [job.id for job in jobs if job.status.ended]
        deleted, remaining = [], []
        for job_id in job_ids:
            try:
                await delete_job(runtime, owner, job_id, outputs=outputs)
                deleted.append(job_id)
            except (Conflict, UnknownJob) as error:
                remaining.append(Kept(id=job_id, reason=error.problem()["detail"]))
        return Deleted(deleted=deleted, kept=remaining, more=more is not None)


async def _ask(upstreams: Upstreams, item: BatchItem, number: int, action: str, headers: dict[str, str]) -> Any:
    """Send `item`, one request of a batch, to the service of its operation.

    `number`: its place in the batch. `action`: `check` or `jobs`, the last part of the address. Raises the service's refusal, with the
    number of the request in its fields.
    """
    service, _, verb = item.operation.partition(".")
    if service not in upstreams.clients:
        detail = f"There is no operation {item.operation!r}: GET /v1/operations lists all."
        raise UnknownOperation.field(f"jobs.{number}.operation", detail, f"jobs.{number}: {detail}")
    try:
        return await upstreams.ask(service, "POST", f"/{verb}/{action}", headers=headers, json=item.model_extra or {})
    except Refused as refusal:
        where = f"jobs.{number}"
        raise refused_at(where, refusal, f"{where}: {refusal.problem().get('detail', '')}") from None
