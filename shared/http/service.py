"""The HTTP app of a service, made from its table of operations."""
# No `from __future__ import annotations` here: FastAPI must see the models that are made at run time.

import asyncio
from typing import Any

from fastapi import APIRouter, Depends, FastAPI, Request, Response

from shared.http.app import create_api
from shared.http.json_route import JsonRoute
from shared.http.operations.answers import ENDED, REFUSALS, IdempotencyKey, Prefer, job_response
from shared.http.operations.check import Checked, check, estimated_time
from shared.http.operations.description import OperationInfo, describe, example_body
from shared.http.operations.known_query import refuse_unknown_query
from shared.http.operations.request_models import inputs_of, job_model, plain_request, request_model
from shared.http.operations.submission import submit
from shared.jobs import Job
from shared.models.folder import ModelFolder
from shared.models.info import ModelInfo, describe_model
from shared.operation import Operation, Service
from shared.runtime import Runtime
from shared.settings import Settings


def create_service(service: Service, runtime: Runtime, *, reachable_by_browsers: bool = True) -> FastAPI:
    """Create the app of one service."""
    app = create_api(
        title=service.title,
        description=f"The `{service.name}` service of Reelwright.",
        runtime=runtime,
        reachable_by_browsers=reachable_by_browsers,
        service=service.name,
    )
    for operation in service.operations:
        app.include_router(_routes(operation, runtime))

    @app.get(
        "/operations",
        tags=["service"],
        summary="List the operations of this service",
        response_model_exclude_none=True,
        dependencies=[Depends(refuse_unknown_query)],
    )
    async def operations() -> list[OperationInfo]:
        return [describe(operation, service) for operation in service.operations]

    @app.get(
        "/models",
        tags=["service"],
        summary="List the models that this service can use",
        dependencies=[Depends(refuse_unknown_query)],
    )
    async def models() -> list[ModelInfo]:
        return await asyncio.to_thread(_models_of, service.name, runtime.settings)

    return app


def _routes(operation: Operation, runtime: Runtime) -> APIRouter:
    router = APIRouter(
        prefix=f"/{operation.verb}",
        tags=[operation.name],
        responses=REFUSALS,
        route_class=JsonRoute,
        dependencies=[Depends(refuse_unknown_query)],
    )
    model: Any = request_model(operation)
    job = job_model(operation)
    answers: dict[int | str, dict[str, Any]] = {202: {"model": job, "description": "The accepted job"}, 200: ENDED[200] | {"model": job}}
    examples = {"example": {"summary": "Runs unchanged, on the sample clip", "value": example_body(operation)}}

    @router.post(
        "/jobs",
        status_code=202,
        summary=operation.summary,
        description=f"Starts a job of `{operation.name}`. Follow `Location`, or send `Prefer: wait=60` to get the ended job.",
        response_model=Job,
        responses=answers,
        openapi_extra={"requestBody": {"content": {"application/json": {"examples": examples}}}},
        operation_id=f"{operation.name}.jobs",
    )
    async def start(
        body: model,
        request: Request,
        response: Response,
        prefer: Prefer = None,
        idempotency_key: IdempotencyKey = None,
    ) -> Job:
        owner = request.state.owner
        job = await submit(operation, plain_request(body), params=body.params, owner=owner, runtime=runtime, key=idempotency_key)
        return await job_response(job, owner=owner, prefer=prefer, response=response, runtime=runtime)

    @router.post(
        "/check",
        summary=f"Check a request for {operation.name} without running it",
        description="An input may also be `pending:<kind>`: media that an earlier step of a pipeline will make.",
        response_model=Checked,
        openapi_extra={"requestBody": {"content": {"application/json": {"examples": examples}}}},
        operation_id=f"{operation.name}.check",
    )
    async def check_only(body: model, request: Request) -> Checked:
        inputs = inputs_of(body)
        owner = request.state.owner
        checked = await check(operation, inputs=inputs, params=body.params, owner=owner, runtime=runtime, may_be_pending=True)
        return checked.model_copy(update={"estimate": await estimated_time(operation, checked, owner, runtime)})

    return router


def _models_of(service: str, settings: Settings) -> list[ModelInfo]:
    folder = ModelFolder(settings.models_folder)
    return [describe_model(folder, model) for model in folder.catalog if service in model.services]
