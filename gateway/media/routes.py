"""All routes under /v1/media, except the routes of views."""

from fastapi import APIRouter

from gateway.media.downloads import download_routes
from gateway.media.intake import intake_routes
from gateway.media.pictures import picture_routes
from gateway.media.records import record_routes
from gateway.media.services import MediaServices


def media_routes(services: MediaServices) -> APIRouter:
    """Return the routes that add, list, change, send and delete media."""
    router = APIRouter()
    for routes in (intake_routes, record_routes, download_routes, picture_routes):
        router.include_router(routes(services))
    return router
