"""The aesthetics service's app."""

from fastapi import FastAPI

from services.aesthetics.operations import SERVICE
from shared.runtime import Runtime
from shared.service import create_service


def create_app(runtime: Runtime, *, reachable_by_browsers: bool = True) -> FastAPI:
    """Every operation of the table."""
    return create_service(SERVICE, runtime, reachable_by_browsers=reachable_by_browsers)
