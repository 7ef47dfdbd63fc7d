"""Routes of webhooks, and of the messages that they sent."""

from fastapi import APIRouter, Depends, Request, Response

from shared.http.json_route import JsonRoute
from shared.http.operations.known_query import refuse_unknown_query
from shared.http.problems import NOT_JSON, problems
from shared.jobs import Jobs
from shared.jobs.record import Delivery, DeliveryList, MadeWebhook, NewWebhook, StandingWebhook
from shared.runtime import Runtime

UNKNOWN = problems(_404="Unknown job, or a job of another owner")


def webhook_routes(runtime: Runtime) -> APIRouter:
    """Return the routes of webhooks and of the messages about a job."""
    router = APIRouter(route_class=JsonRoute, dependencies=[Depends(refuse_unknown_query)])
    _add_webhooks(router, runtime.jobs)
    _add_deliveries(router, runtime.jobs)
    return router


def _add_webhooks(router: APIRouter, jobs: Jobs) -> None:
    """Add the routes that add, list and delete webhooks."""

    @router.post(
        "/v1/webhooks",
        tags=["webhooks"],
        name="add-webhook",
        status_code=201,
        summary="Add a webhook for all jobs of your key",
        responses=NOT_JSON | problems(_422="The address or the secret is refused", _429="Too many webhooks"),
    )
    async def add(body: NewWebhook, request: Request, response: Response) -> MadeWebhook:
        """Add a webhook for the owner's jobs.

        A pipeline is reported as a whole, without its steps. Without a `secret`, one is made and shown in this answer only.
        """
        webhook = await jobs.add_webhook(request.state.owner, body)
        response.headers["Location"] = f"/v1/webhooks/{webhook.id}"
        response.headers["Cache-Control"] = "no-store"
        return webhook

    @router.get("/v1/webhooks", tags=["webhooks"], name="list-webhooks", summary="List your webhooks")
    async def webhooks(request: Request) -> list[StandingWebhook]:
        return await jobs.webhooks(request.state.owner)

    @router.delete(
        "/v1/webhooks/{webhook_id}",
        tags=["webhooks"],
        name="delete-webhook",
        status_code=204,
        summary="Delete a webhook and drop its pending messages",
        response_class=Response,
        responses=problems(_404="Unknown webhook, or one of another owner"),
    )
    async def delete(webhook_id: str, request: Request) -> Response:
        await jobs.delete_webhook(request.state.owner, webhook_id)
        return Response(status_code=204)


def _add_deliveries(router: APIRouter, jobs: Jobs) -> None:
    """Add the routes that list and resend the messages about a job."""

    @router.get(
        "/v1/jobs/{job_id}/deliveries",
        tags=["jobs"],
        name="list-deliveries",
        summary="List the messages that webhooks sent about a job",
        responses=UNKNOWN,
    )
    async def deliveries(job_id: str, request: Request) -> DeliveryList:
        return DeliveryList(items=await jobs.deliveries(request.state.owner, job_id))

    @router.post(
        "/v1/jobs/{job_id}/deliveries/{delivery_id}/resend",
        tags=["jobs"],
        name="resend-delivery",
        status_code=202,
        summary="Send a message of a webhook again",
        responses=UNKNOWN | problems(_409="The message is still being sent"),
    )
    async def resend(job_id: str, delivery_id: str, request: Request) -> Delivery:
        """Repeat a delivery with the job's current state.

        The `webhook-id` stays the same.
        """
        return await jobs.resend(request.state.owner, job_id, delivery_id)
