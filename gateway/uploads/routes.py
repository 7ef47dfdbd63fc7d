"""Routes of resumable uploads: tus 1.0 (https://tus.io/protocols/resumable-upload).

Supported extensions: creation, creation-with-upload, termination, expiration and checksum. A complete upload becomes a medium.
"""

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import APIRouter, Depends, Request, Response
from fastapi.routing import APIRoute

from gateway.media.requests import REFUSED, owner_of
from gateway.media.services import MediaServices
from gateway.uploads.documentation import BODY_TYPE, VERSION, answer_headers, request_headers
from gateway.uploads.errors import BadUploadRequest, WrongTusVersion
from gateway.uploads.folder import uploads_in
from gateway.uploads.handler import EXTENSIONS, UploadHandler, header_number
from gateway.uploads.stream import ALGORITHMS
from shared.errors import ReelwrightError, UnsupportedMedia
from shared.http.operations.known_query import refuse_unknown_query
from shared.http.problems import problems
from shared.media.disk import on_disk

COMMON = problems(_400="The request violates tus 1.0", _412="Unsupported tus version")
KNOWN = COMMON | problems(_404="Unknown upload", _410="The upload has expired", _423="Another request is writing to it")
WRITING = KNOWN | REFUSED | problems(_409="Wrong offset; Upload-Offset has the right one", _460="Checksum mismatch")
PROGRESS = ("Upload-Offset", "Upload-Expires", "Reelwright-Media-Id", "Content-Location")


class TusRoute(APIRoute):
    """Route that checks the client's tus version and sets `Tus-Resumable`."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def checked(request: Request) -> Response:
            try:
                if request.headers.get("tus-resumable") != VERSION and request.method != "OPTIONS":
                    raise WrongTusVersion(f"Send `Tus-Resumable: {VERSION}`.", headers={"Tus-Version": VERSION})
                response = await handle(request)
            except ReelwrightError as error:
                error.headers["Tus-Resumable"] = VERSION
                raise
            response.headers["Tus-Resumable"] = VERSION
            return response

        return checked


def upload_routes(services: MediaServices) -> APIRouter:
    """Return the routes under /v1/uploads.

    They act for the owner in `request.state.owner`. Creating an upload also removes expired ones at intervals.
    """
    router = APIRouter(prefix="/v1/uploads", tags=["uploads"], route_class=TusRoute, dependencies=[Depends(refuse_unknown_query)])
    settings = services.settings
    handler = UploadHandler(services, uploads_in(settings.data_dir, ttl_s=settings.upload_ttl_s))
    _add_options(router, settings.max_upload_bytes)
    _add_creation(router, handler)
    _add_upload(router, handler)
    return router


def _add_options(router: APIRouter, max_bytes: int) -> None:
    """Add the route that lists the supported tus features."""
    supported = answer_headers(204, "What the server supports", "Tus-Version", "Tus-Extension", "Tus-Max-Size", "Tus-Checksum-Algorithm")

    @router.options("", status_code=204, summary="List the supported tus version and extensions", responses=supported)
    @router.options("/{upload_id}", status_code=204, include_in_schema=False)
    async def options() -> Response:
        headers = {"Tus-Version": VERSION, "Tus-Extension": EXTENSIONS, "Tus-Max-Size": str(max_bytes)}
        return Response(status_code=204, headers=headers | {"Tus-Checksum-Algorithm": ",".join(ALGORITHMS)})


def _add_creation(router: APIRouter, handler: UploadHandler) -> None:
    """Add the route that creates an upload."""

    @router.post(
        "",
        status_code=201,
        summary="Start a resumable upload",
        response_class=Response,
        responses=COMMON | REFUSED | answer_headers(201, "The upload exists", "Location", *PROGRESS),
        openapi_extra=request_headers("Upload-Length", optional=("Upload-Metadata", "Upload-Checksum"), body=True),
    )
    async def create(request: Request) -> Response:
        """Create an upload of `Upload-Length` bytes.

        `Upload-Metadata` gives the `filename`. The body may hold the first bytes. Send the others to the answer's `Location`.
        """
        upload, state = await handler.create(request)
        if request.headers.get("content-type") == BODY_TYPE:
            state = await handler.receive(request, upload, offset=0)
        return Response(status_code=201, headers={"Location": f"/v1/uploads/{upload.id}"} | await handler.headers(upload, state))


def _add_upload(router: APIRouter, handler: UploadHandler) -> None:
    """Add the routes that inspect, continue and delete an upload."""

    @router.head(
        "/{upload_id}",
        summary="Read the offset of an upload",
        response_class=Response,
        responses=KNOWN | answer_headers(200, "Progress of the upload", "Upload-Length", "Upload-Metadata", *PROGRESS),
        openapi_extra=request_headers(),
    )
    async def head(upload_id: str, request: Request) -> Response:
        upload = await on_disk(handler.uploads.find, owner_of(request), upload_id)
        state = await handler.current_state(upload)
        metadata = {"Upload-Metadata": state.metadata} if state.metadata else {}
        length = {"Upload-Length": str(state.length), "Cache-Control": "no-store"}
        return Response(status_code=200, headers=length | metadata | await handler.headers(upload, state))

    @router.patch(
        "/{upload_id}",
        status_code=204,
        summary="Send bytes of an upload",
        responses=WRITING | answer_headers(204, "The bytes are stored", *PROGRESS),
        openapi_extra=request_headers("Upload-Offset", optional=("Upload-Checksum",), body=True),
    )
    async def patch(upload_id: str, request: Request) -> Response:
        """Append the request's body at `Upload-Offset`.

        The answer to the last bytes has the media id in `Reelwright-Media-Id`.
        """
        upload = await on_disk(handler.uploads.find, owner_of(request), upload_id)
        if request.headers.get("content-type") != BODY_TYPE:
            raise UnsupportedMedia(f"The Content-Type must be {BODY_TYPE}, not {request.headers.get('content-type', '')[:80]!r}.")
        state = await handler.receive(request, upload, offset=header_number(request, "Upload-Offset"))
        return Response(status_code=204, headers=await handler.headers(upload, state))

    @router.delete(
        "/{upload_id}",
        status_code=204,
        summary="Delete an upload",
        responses=KNOWN | answer_headers(204, "The upload is deleted"),
        openapi_extra=request_headers(),
    )
    async def delete(upload_id: str, request: Request) -> Response:
        """Delete an unfinished upload and its received bytes.

        A medium made from a finished upload stays.
        """
        upload = await on_disk(handler.uploads.find, owner_of(request), upload_id)
        with upload.locked():
            await on_disk(upload.remove)
        return Response(status_code=204)

    @router.post("/{upload_id}", include_in_schema=False)
    async def override(upload_id: str, request: Request) -> Response:
        """Accept POST as PATCH, DELETE or HEAD, chosen by a header.

        Some clients are behind a proxy that blocks other methods.
        """
        method = request.headers.get("x-http-method-override", "").upper()
        handlers = {"PATCH": patch, "DELETE": delete, "HEAD": head}
        if method not in handlers:
            raise BadUploadRequest("POST to an upload needs the header X-HTTP-Method-Override: PATCH, DELETE or HEAD.")
        return await handlers[method](upload_id, request)
