"""HTTP app of the speed ramp service."""

from fastapi import FastAPI

from services.speed_ramp.compat import ai_speed_ramping_routes
from services.speed_ramp.operations import SERVICE
from shared.http.service import create_service
from shared.runtime import Runtime


def create_app(runtime: Runtime, *, reachable_by_browsers: bool = True) -> FastAPI:
    """Create the app with all operations and the endpoints of `compat.py`."""
    app = create_service(SERVICE, runtime, reachable_by_browsers=reachable_by_browsers)
    app.include_router(ai_speed_ramping_routes(runtime))
    return app
