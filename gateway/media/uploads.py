"""Resumable uploads: tus 1.0 (https://tus.io/protocols/resumable-upload) with the extensions creation, creation-with-upload,
termination, expiration and checksum. When the last byte has come, the file becomes a medium like any other upload.
"""

import asyncio
import base64
import contextlib
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.routing import APIRoute
from starlette.requests import ClientDisconnect

from gateway.media.records import REFUSED, MediaServices, owner_of
from gateway.media.upload_errors import BadUploadRequest, OffsetMismatch, UploadLocked, WrongTusVersion
from gateway.media.upload_folder import Upload, Uploads, UploadState
from gateway.media.upload_stream import ALGORITHMS, Checksum, append
from shared.errors import BrokenMedia, NotFound, ReelwrightError, TooLarge, UnsupportedMedia
from shared.http.problems import problems
from shared.media.disk import on_disk
from shared.media.ids import new_id
from shared.media.ingest import ingest_file
from shared.media.names import safe_name

VERSION = "1.0.0"
EXTENSIONS = "creation,creation-with-upload,termination,expiration,checksum"
BODY_TYPE = "application/offset+octet-stream"
MEDIA_ID = "Reelwright-Media-Id"
FINISH_WAIT_S, POLL_S = 60.0, 0.05

COMMON = problems(_400="The request does not follow tus 1.0", _412="Another version of tus")
KNOWN = COMMON | problems(_404="No such upload", _410="It has expired", _423="Another request is writing to it")
WRITING = KNOWN | REFUSED | problems(_409="It stands at another offset, given in Upload-Offset", _460="The checksum does not match")
BODY = {"requestBody": {"content": {BODY_TYPE: {"schema": {"type": "string", "format": "binary"}}}}}


class TusRoute(APIRoute):
    """Speaks only to clients of tus 1.0.0, and says so in every answer."""

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


def uploads_of(data_dir: Path, *, ttl_s: float) -> Uploads:
    """The uploads under a data folder; `sweep` clears the abandoned ones away."""
    return Uploads(data_dir / "uploads", ttl_s=ttl_s)


def upload_routes(services: MediaServices) -> APIRouter:
    """`/v1/uploads`, for the owner in `request.state.owner`. A new upload now and then clears abandoned ones away."""
    router = APIRouter(prefix="/v1/uploads", tags=["uploads"], route_class=TusRoute)
    settings = services.settings
    desk = UploadDesk(services, uploads_of(settings.data_dir, ttl_s=settings.upload_ttl_s))

    @router.options("", status_code=204, summary="What this server speaks")
    @router.options("/{upload_id}", status_code=204, include_in_schema=False)
    async def options() -> Response:
        headers = {"Tus-Version": VERSION, "Tus-Extension": EXTENSIONS, "Tus-Max-Size": str(settings.max_upload_bytes)}
        return Response(status_code=204, headers=headers | {"Tus-Checksum-Algorithm": ",".join(ALGORITHMS)})

    @router.post("", status_code=201, summary="Begin a resumable upload", responses=COMMON | REFUSED, openapi_extra=BODY)
    async def create(request: Request) -> Response:
        """`Upload-Length` and, in `Upload-Metadata`, `filename`. The answer's `Location` takes the bytes; the first may come along."""
        upload, state = await desk.create(request)
        if request.headers.get("content-type") == BODY_TYPE:
            state = await desk.receive(request, upload, offset=0)
        return Response(status_code=201, headers={"Location": f"/v1/uploads/{upload.id}"} | await desk.standing(upload, state))

    @router.head("/{upload_id}", summary="How far an upload has come", responses=KNOWN)
    async def head(upload_id: str, request: Request) -> Response:
        upload = await on_disk(desk.uploads.find, owner_of(request), upload_id)
        state = await desk.look(upload)
        metadata = {"Upload-Metadata": state.metadata} if state.metadata else {}
        length = {"Upload-Length": str(state.length), "Cache-Control": "no-store"}
        return Response(status_code=200, headers=length | metadata | await desk.standing(upload, state))

    @router.patch("/{upload_id}", status_code=204, summary="Send more of an upload", responses=WRITING, openapi_extra=BODY)
    async def patch(upload_id: str, request: Request) -> Response:
        """Bytes from `Upload-Offset` on. After the last one the answer names the medium in `Reelwright-Media-Id`."""
        upload = await on_disk(desk.uploads.find, owner_of(request), upload_id)
        if request.headers.get("content-type") != BODY_TYPE:
            raise UnsupportedMedia(f"The Content-Type has to be {BODY_TYPE}, not {request.headers.get('content-type', '')[:80]!r}.")
        state = await desk.receive(request, upload, offset=_number(request, "Upload-Offset"))
        return Response(status_code=204, headers=await desk.standing(upload, state))

    @router.delete("/{upload_id}", status_code=204, summary="Give an upload up", responses=KNOWN)
    async def delete(upload_id: str, request: Request) -> Response:
        """What was received is deleted. A medium that was made of a finished upload stays."""
        upload = await on_disk(desk.uploads.find, owner_of(request), upload_id)
        with upload.locked():
            await on_disk(upload.remove)
        return Response(status_code=204)

    @router.post("/{upload_id}", include_in_schema=False)
    async def override(upload_id: str, request: Request) -> Response:
        """For clients behind something that lets only GET and POST through."""
        method = request.headers.get("x-http-method-override", "").upper()
        handlers = {"PATCH": patch, "DELETE": delete, "HEAD": head}
        if method not in handlers:
            raise BadUploadRequest("POST to an upload needs X-HTTP-Method-Override: PATCH, DELETE or HEAD.")
        return await handlers[method](upload_id, request)

    return router


class UploadDesk:
    """What the routes do, apart from HTTP's forms."""

    def __init__(self, services: MediaServices, uploads: Uploads):
        self._services, self.uploads = services, uploads
        self._swept_at = float("-inf")

    async def create(self, request: Request) -> tuple[Upload, UploadState]:
        """Begin the upload that the headers of a request describe."""
        if time.monotonic() - self._swept_at > self._services.settings.gc_interval_s:
            self._swept_at = time.monotonic()
            await on_disk(self.uploads.sweep, datetime.now(UTC))
        for header in ("upload-defer-length", "upload-concat"):
            if header in request.headers:
                raise BadUploadRequest(f"{header} is of an extension that this server does not speak: {EXTENSIONS} are spoken.")
        length, limit = _number(request, "Upload-Length"), self._services.settings.max_upload_bytes
        if length > limit:
            raise TooLarge(f"{length} bytes are announced; this server takes files of at most {limit} bytes.")
        if length == 0:
            raise BrokenMedia("The file is empty (0 bytes): there is nothing to upload.")
        metadata = request.headers.get("upload-metadata", "")
        fields = parse_metadata(metadata)
        name = safe_name(fields.get("filename") or fields.get("name") or "")
        state = UploadState(name=name, metadata=metadata, length=length)
        return await on_disk(self.uploads.create, owner_of(request), state), state

    async def receive(self, request: Request, upload: Upload, *, offset: int) -> UploadState:
        """Append the body of a request, and finish where it was the last of the file."""
        checksum = Checksum.parse(request.headers["upload-checksum"]) if "upload-checksum" in request.headers else None
        with upload.locked():
            state = await on_disk(upload.settled)
            stands_at = await on_disk(upload.offset, state)
            if offset != stands_at:
                detail = f"The upload stands at offset {stands_at}, not {offset}: continue from there."
                raise OffsetMismatch(detail, headers={"Upload-Offset": str(stands_at)})
            coming = request.headers.get("content-length", "")
            if coming.isdecimal() and offset + int(coming) > state.length:
                detail = f"{coming} bytes from offset {offset} on are more than the {state.length} that Upload-Length announced."
                raise TooLarge(detail)
            if not state.done:
                try:
                    state = await append(upload, state, _stream(request), offset=offset, checksum=checksum)
                except ClientDisconnect:
                    return state  # nobody is there to be answered
            return await self._finished(upload, state)

    async def look(self, upload: Upload) -> UploadState:
        """The state of an upload. One that is complete but no medium yet, after a crash, becomes one now."""
        give_up_at = time.monotonic() + FINISH_WAIT_S
        while True:
            state = await on_disk(upload.read)
            if state.done or await on_disk(upload.offset, state) < state.length:
                return state
            with contextlib.suppress(UploadLocked), upload.locked():
                return await self._finished(upload, await on_disk(upload.settled))
            if time.monotonic() > give_up_at:
                return state
            await asyncio.sleep(POLL_S)

    async def standing(self, upload: Upload, state: UploadState) -> dict[str, str]:
        """The headers that say where an upload stands."""
        if state.done and state.media_id:
            where = {MEDIA_ID: state.media_id, "Content-Location": f"/v1/media/{state.media_id}"}
            return {"Upload-Offset": str(state.length)} | where
        try:
            offset, expires_at = await on_disk(lambda: (upload.offset(state), upload.expires_at()))
        except FileNotFoundError:
            raise NotFound(f"The upload {upload.id} has been ended.") from None
        return {"Upload-Offset": str(offset), "Upload-Expires": format_datetime(expires_at, usegmt=True)}

    async def _finished(self, upload: Upload, state: UploadState) -> UploadState:
        """Make a medium of a complete upload. One that is refused for what it holds is removed. The lock has to be held."""
        if state.done or await on_disk(upload.offset, state) < state.length:
            return state
        state = state if state.media_id else await on_disk(upload.write, state.model_copy(update={"media_id": new_id()}))
        store, probe, media_id = self._services.store, self._services.probe, state.media_id or ""
        try:
            await ingest_file(
                upload.data, store=store, probe=probe, owner=upload.owner, name=state.name, source="upload", media_id=media_id
            )
        except ReelwrightError as error:
            if error.status < 500:
                await on_disk(upload.remove)
            raise
        state = await on_disk(upload.write, state.model_copy(update={"done": True}))
        await on_disk(upload.data.unlink, missing_ok=True)
        return state


def parse_metadata(header: str) -> dict[str, str]:
    """`Upload-Metadata`: pairs of a key and base64, separated by commas. Raises BadUploadRequest."""
    fields: dict[str, str] = {}
    for pair in header.split(",") if header.strip() else []:
        key, _, value = pair.strip().partition(" ")
        if not key or key in fields:
            raise BadUploadRequest(f"Upload-Metadata has an empty or repeated key at {pair[:80]!r}.")
        try:
            fields[key] = base64.b64decode(value.strip(), validate=True).decode(errors="replace")
        except ValueError as error:
            raise BadUploadRequest(f"Upload-Metadata has a value for {key[:80]!r} that is not base64.") from error
    return fields


def _number(request: Request, header: str) -> int:
    text = request.headers.get(header, "")
    if not (text.isascii() and text.isdecimal() and len(text) <= 18):
        raise BadUploadRequest(f"{header} has to be a whole number of bytes, not {text[:40]!r}.")
    return int(text)


async def _stream(request: Request) -> AsyncIterator[bytes]:
    async for chunk in request.stream():
        if chunk:
            yield chunk
