"""Routes that serve the web studio: its page and its files."""

import asyncio
from collections.abc import Callable, Mapping
from importlib.resources import files
from pathlib import Path
from threading import Lock

from fastapi import APIRouter, Request, Response

from gateway.web.bundle import Bundle, PageFile, newest_change, read_bundle
from gateway.web.compression import accepts_gzip
from shared.errors import NotFound

FOLDER = Path(str(files("gateway") / "studio"))
FOLDERS = {"": FOLDER, "timeline/": Path(str(files("shared") / "timeline"))}
"""Start of a module's address -> folder of the module.

The folder `timeline` is shared with the keyframe gallery, a page that a job writes.
"""

PREFIX = "/studio"
FIRST_READS = ("/v1/media?limit=200", "/v1/jobs?limit=30", "/v1/operations")
"""API requests of the first screen. Browsers send them before they have loaded the page's modules."""

FOREVER = "public, max-age=31536000, immutable"
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' blob: data:; "
    "media-src 'self' blob:; frame-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
}


class Studio:
    """Cache of the studio's files, which are loaded again after changes.

    Loading them again lets developers see their changes without a restart.
    """

    def __init__(self, folders: Mapping[str, Path] = FOLDERS):
        self._folders = folders
        self._changed = 0
        self._bundle: Bundle | None = None
        self._lock = Lock()

    def bundle(self) -> Bundle:
        """Return the current files, loading them again after changes."""
        with self._lock:
            changed = newest_change(self._folders.values())
            bundle = self._bundle
            if bundle is None or changed != self._changed:
                bundle = self._bundle = read_bundle(self._folders, PREFIX, FIRST_READS)
                self._changed = changed
            return bundle

    def cached(self, version: str) -> Bundle | None:
        """Return the loaded files if they have this version, else None."""
        bundle = self._bundle
        return bundle if bundle and bundle.version == version else None


def studio_routes(studio: Studio, *, keys_needed: Callable[[], bool]) -> APIRouter:
    """Return the routes that serve the studio's page and files.

    `keys_needed`: returns whether the API demands a key now.
    """
    router = APIRouter(include_in_schema=False)

    @router.get("/")
    async def page(request: Request) -> Response:
        bundle = await asyncio.to_thread(studio.bundle)
        if keys_needed():
            return _answer(request, bundle.bare_index, etag=f"{bundle.version}-bare", caching="no-cache")
        return _answer(request, bundle.index, etag=bundle.version, caching="no-cache")

    @router.get(PREFIX + "/{version}/{path:path}")
    async def file(version: str, path: str, request: Request) -> Response:
        bundle = studio.cached(version)
        if bundle is None:
            bundle = await asyncio.to_thread(studio.bundle)
        file = bundle.files.get(path)
        if file is None:
            raise NotFound(f"The studio has no file {path[:80]!r}.", headers=dict(HEADERS))
        # A page of an earlier version still gets files, but must not keep them under the old address.
        return _answer(request, file, etag=bundle.version, caching=FOREVER if version == bundle.version else "no-store")

    return router


def _answer(request: Request, file: PageFile, *, etag: str, caching: str) -> Response:
    headers = HEADERS | {"Cache-Control": caching, "ETag": f'"{etag}"', "Vary": "Accept-Encoding"}
    if f'"{etag}"' in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    is_compressed = file.compressed is not None and accepts_gzip(request)
    content = file.compressed if is_compressed and file.compressed is not None else file.content
    if is_compressed:
        headers["Content-Encoding"] = "gzip"
    return Response(content, media_type=file.content_type, headers=headers)
