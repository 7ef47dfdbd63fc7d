"""HTTP app of the keyframes service."""

from fastapi import FastAPI

from services.keyframes.compat import compat_routes
from services.keyframes.operations import SERVICE
from shared.http.service import create_service
from shared.runtime import Runtime


def create_app(runtime: Runtime, *, reachable_by_browsers: bool = True) -> FastAPI:
    """Create the app with all operations and the Video Keyframe Extraction API's endpoints."""
    app = create_service(SERVICE, runtime, reachable_by_browsers=reachable_by_browsers)
    app.include_router(compat_routes(runtime))
    return app
