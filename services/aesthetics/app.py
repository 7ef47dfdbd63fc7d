"""HTTP app of the aesthetics service."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from services.aesthetics.compat import perfectframe_routes
from services.aesthetics.folders.extractions import Extractions
from services.aesthetics.operations import SERVICE
from shared.http.service import create_service
from shared.runtime import Runtime


def create_app(runtime: Runtime, *, reachable_by_browsers: bool = True) -> FastAPI:
    """Create the app with all operations and PerfectFrameAI's endpoints."""
    app = create_service(SERVICE, runtime, reachable_by_browsers=reachable_by_browsers)
    extractions = Extractions(runtime)
    app.include_router(perfectframe_routes(extractions))

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        extractions.resume()
        yield
        await extractions.close()

    app.router.lifespan_context = lifespan
    return app
