"""HTTP app of the media service."""

from fastapi import FastAPI

from services.media.operations import SERVICE
from shared.http.service import create_service
from shared.runtime import Runtime


def create_app(runtime: Runtime, *, reachable_by_browsers: bool = True) -> FastAPI:
    """Create the app with all operations of the service."""
    return create_service(SERVICE, runtime, reachable_by_browsers=reachable_by_browsers)
