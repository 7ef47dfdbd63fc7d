"""The gateway's HTTP app: its routes, its background tasks and the studio."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

from fastapi import Depends, FastAPI, Request, Response
from fastapi.responses import JSONResponse

from gateway.bulk import bulk_routes
from gateway.jobs import job_routes
from gateway.media.previews import Previews
from gateway.media.routes import media_routes
from gateway.media.sample import ensure_sample
from gateway.media.services import MediaServices
from gateway.media.view_desk import ViewDesk
from gateway.media.views import view_routes
from gateway.models import model_routes
from gateway.openapi import merged
from gateway.pipelines.presets.routes import preset_routes
from gateway.pipelines.retry import retry_routes
from gateway.pipelines.routes import pipeline_routes
from gateway.pipelines.saved.routes import saved_pipeline_routes
from gateway.pipelines.submitter import PipelineSubmitter
from gateway.pipelines.unasked_inputs import UnaskedExpansion, UnaskedInputs
from gateway.routing.proxy import proxy_routes
from gateway.routing.upstream import Upstreams, credentials
from gateway.uploads.folder import uploads_in
from gateway.uploads.routes import upload_routes
from gateway.web.compression import json_response
from gateway.web.routes import Studio, studio_routes
from gateway.webhooks import webhook_routes
from shared.http.app import create_api
from shared.http.operations.description import OperationInfo
from shared.http.operations.known_query import refuse_unknown_query
from shared.media.disk import on_disk
from shared.runtime import Runtime
from shared.settings import Settings

DESCRIPTION = """
A self-hosted suite for AI video effects. Upload a file (`POST /v1/media`), start a job on it, follow the job, download its outputs.
**Every example runs unchanged**: it uses the sample clip, the medium `00000000000000000000000000`.
"""


def create_gateway(runtime: Runtime, upstreams: Upstreams) -> FastAPI:
    """Create the gateway's app, which calls the services through `upstreams`."""
    app = create_api(
        title="Reelwright",
        description=DESCRIPTION,
        runtime=runtime,
        reachable_by_browsers=True,
        ask_others=upstreams.readiness,
        entrance=True,
    )
    media = MediaServices(
        store=runtime.media,
        probe=runtime.probe,
        thumbnail=runtime.thumbnail,
        in_use=runtime.jobs.reader_of,
        forget_views=runtime.forget_views,
        settings=runtime.settings,
    )
    views = ViewDesk(upstreams, runtime)
    submitter = PipelineSubmitter(upstreams, runtime)
    unasked = UnaskedInputs(upstreams)
    expansions = (Previews(views, unasked).expand, submitter.expand, UnaskedExpansion(unasked, upstreams, runtime).expand)
    app.include_router(proxy_routes(upstreams, expansions))
    app.include_router(media_routes(media))
    app.include_router(view_routes(views))
    app.include_router(upload_routes(media))
    app.include_router(job_routes(runtime))
    app.include_router(webhook_routes(runtime))
    app.include_router(bulk_routes(upstreams, unasked, runtime))
    app.include_router(pipeline_routes(submitter, runtime))
    app.include_router(preset_routes(submitter, upstreams, runtime))
    app.include_router(saved_pipeline_routes(submitter, runtime))
    app.include_router(retry_routes(upstreams, unasked, runtime))
    app.include_router(model_routes(upstreams, runtime.settings))
    studio = Studio()
    add_pages(app, upstreams, studio, keys_needed=lambda: runtime.keys.required)

    @app.get(
        "/v1/operations",
        name="list",
        tags=["operations"],
        summary="List the operations of all services",
        response_model=list[OperationInfo],
        dependencies=[Depends(refuse_unknown_query)],
    )
    async def operations(request: Request) -> Response:
        operations = await upstreams.operations_json(credentials(runtime.settings, request.state.owner))
        return json_response(request, operations)  # the services have validated it

    app.router.lifespan_context = _lifespan(runtime, studio)
    return app


def _lifespan(runtime: Runtime, studio: Studio) -> Any:
    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        work = (runtime.keep_probe_warm(), ensure_sample(runtime), _sweep_uploads(runtime.settings), asyncio.to_thread(studio.bundle))
        tasks = [asyncio.create_task(task) for task in work]
        yield
        for task in tasks:
            task.cancel()

    return lifespan


async def _sweep_uploads(settings: Settings) -> None:
    """Remove expired uploads at regular intervals."""
    uploads = uploads_in(settings.data_dir, ttl_s=settings.upload_ttl_s)
    while True:
        await on_disk(uploads.sweep, datetime.now(UTC))
        await asyncio.sleep(settings.gc_interval_s)


def add_pages(app: FastAPI, upstreams: Upstreams, studio: Studio, *, keys_needed: Callable[[], bool] = lambda: False) -> None:
    """Add the routes of the web studio and of the merged OpenAPI document.

    `keys_needed`: returns whether the API demands a key now.
    """
    own = app.openapi
    app.router.routes[:] = [route for route in app.router.routes if getattr(route, "path", "") != "/openapi.json"]

    @app.get("/openapi.json", include_in_schema=False)
    async def openapi() -> JSONResponse:
        return JSONResponse(await merged(own(), upstreams, keys_needed=keys_needed()))

    app.include_router(studio_routes(studio, keys_needed=keys_needed))
