"""The keyframes service's app."""

from fastapi import FastAPI

from services.keyframes.compat import seed_routes
from services.keyframes.operations import SERVICE
from services.keyframes.preview import preview_routes
from shared.http.service import create_service
from shared.runtime import Runtime


def create_app(runtime: Runtime, *, reachable_by_browsers: bool = True) -> FastAPI:
    """Every operation of the table, the gallery as a page, and the endpoint of the program this service grew from."""
    app = create_service(SERVICE, runtime, reachable_by_browsers=reachable_by_browsers)
    app.include_router(preview_routes(runtime))
    app.include_router(seed_routes(runtime))
    return app
