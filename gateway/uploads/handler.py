"""Creation, reception and completion of resumable uploads."""

import asyncio
import base64
import contextlib
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from email.utils import format_datetime

from fastapi import Request
from starlette.requests import ClientDisconnect

from gateway.media.requests import owner_of
from gateway.media.services import MediaServices
from gateway.uploads.errors import BadUploadRequest, OffsetMismatch, UploadLocked
from gateway.uploads.folder import Upload, Uploads, UploadState
from gateway.uploads.stream import Checksum, append
from shared.errors import BrokenMedia, NotFound, ReelwrightError, TooLarge
from shared.media.disk import on_disk
from shared.media.ids import new_id
from shared.media.ingestion import ingest_file, reserved
from shared.media.names import safe_name
from shared.media.reservations import Reservation

EXTENSIONS = "creation,creation-with-upload,termination,expiration,checksum"
MEDIA_ID = "Reelwright-Media-Id"
FINISH_WAIT_S, POLL_S = 60.0, 0.05


class UploadHandler:
    """Handler that creates, receives and completes uploads for the routes."""

    def __init__(self, services: MediaServices, uploads: Uploads):
        self._services, self.uploads = services, uploads
        self._swept_at = float("-inf")

    async def create(self, request: Request) -> tuple[Upload, UploadState]:
        """Create the upload that a request's headers describe.

        Expired uploads are removed first, at intervals. Raises BadUploadRequest, TooLarge, BrokenMedia, QuotaExceeded.
        """
        if time.monotonic() - self._swept_at > self._services.settings.gc_interval_s:
            self._swept_at = time.monotonic()
            await on_disk(self.uploads.sweep, datetime.now(UTC))
        for header in ("upload-defer-length", "upload-concat"):
            if header in request.headers:
                raise BadUploadRequest(f"{header} belongs to a tus extension that this server does not support. It supports {EXTENSIONS}.")
        length, limit = header_number(request, "Upload-Length"), self._services.settings.max_upload_bytes
        if length > limit:
            raise TooLarge(f"Upload-Length is {length} bytes; the limit for a file is {limit} bytes (REELWRIGHT_MAX_UPLOAD_BYTES).")
        if length == 0:
            raise BrokenMedia("The file is empty (0 bytes): there is nothing to upload.")
        metadata = request.headers.get("upload-metadata", "")
        fields = parse_metadata(metadata)
        name = safe_name(fields.get("filename") or fields.get("name") or "")
        state = UploadState(name=name, metadata=metadata, length=length)
        await on_disk(self._services.store.room.check, owner_of(request), length)
        return await on_disk(self.uploads.create, owner_of(request), state), state

    async def receive(self, request: Request, upload: Upload, *, offset: int) -> UploadState:
        """Append a request's body to an upload.

        A complete upload is finished: its file becomes a medium. Raises OffsetMismatch, UploadLocked, QuotaExceeded,
        and what `append` raises.
        """
        checksum = Checksum.parse(request.headers["upload-checksum"]) if "upload-checksum" in request.headers else None
        with upload.locked():
            state = await on_disk(upload.drop_unverified)
            current = await on_disk(upload.offset, state)
            if offset != current:
                detail = f"The upload is at offset {current}, not {offset}: continue from there."
                raise OffsetMismatch(detail, headers={"Upload-Offset": str(current)})
            size = request.headers.get("content-length", "")
            if size.isdecimal() and offset + int(size) > state.length:
                detail = f"{size} bytes from offset {offset} on exceed Upload-Length, which is {state.length} bytes."
                raise TooLarge(detail)
            if state.done:
                return state
            async with reserved(self._services.store, upload.owner, upload.folder) as reservation:
                await on_disk(reservation.require, state.length, at_most=state.length)
                try:
                    state = await append(upload, state, _stream(request), offset=offset, checksum=checksum)
                except ClientDisconnect:
                    return state  # no client is left to get the answer
                return await self._finished(upload, state, reservation)

    async def current_state(self, upload: Upload) -> UploadState:
        """Return an upload's state; finish the upload first if all bytes have arrived.

        A crash may have left it complete but unfinished.
        """
        give_up_at = time.monotonic() + FINISH_WAIT_S
        while True:
            state = await on_disk(upload.read)
            if state.done or await on_disk(upload.offset, state) < state.length:
                return state
            with contextlib.suppress(UploadLocked), upload.locked():
                async with reserved(self._services.store, upload.owner, upload.folder) as reservation:
                    await on_disk(reservation.require, state.length, at_most=state.length)
                    return await self._finished(upload, await on_disk(upload.drop_unverified), reservation)
            if time.monotonic() > give_up_at:
                return state
            await asyncio.sleep(POLL_S)

    async def headers(self, upload: Upload, state: UploadState) -> dict[str, str]:
        """Return the response headers that state an upload's progress."""
        if state.done and state.media_id:
            medium = {MEDIA_ID: state.media_id, "Content-Location": f"/v1/media/{state.media_id}"}
            return {"Upload-Offset": str(state.length)} | medium
        try:
            offset, expires_at = await on_disk(lambda: (upload.offset(state), upload.expires_at()))
        except FileNotFoundError:
            raise NotFound(f"The upload {upload.id} has been deleted.") from None
        return {"Upload-Offset": str(offset), "Upload-Expires": format_datetime(expires_at, usegmt=True)}

    async def _finished(self, upload: Upload, state: UploadState, reservation: Reservation) -> UploadState:
        """Turn an upload into a medium if it is complete.

        Returns the upload's state. An upload whose file is refused is removed. The caller holds the lock.
        """
        if state.done or await on_disk(upload.offset, state) < state.length:
            return state
        state = state if state.media_id else await on_disk(upload.write, state.model_copy(update={"media_id": new_id()}))
        store, probe, media_id = self._services.store, self._services.probe, state.media_id or ""
        try:
            await ingest_file(
                upload.data,
                reservation,
                store=store,
                probe=probe,
                owner=upload.owner,
                name=state.name,
                source="upload",
                media_id=media_id,
            )
        except ReelwrightError as error:
            if error.status < 500:
                await on_disk(upload.remove)
            raise
        state = await on_disk(upload.write, state.model_copy(update={"done": True}))
        await on_disk(upload.data.unlink, missing_ok=True)
        return state


def parse_metadata(header: str) -> dict[str, str]:
    """Parse an `Upload-Metadata` header.

    It has comma-separated pairs of a key and a base64 value. Raises BadUploadRequest.
    """
    fields: dict[str, str] = {}
    for pair in header.split(",") if header.strip() else []:
        key, _, value = pair.strip().partition(" ")
        if not key or key in fields:
            raise BadUploadRequest(f"Upload-Metadata has an empty or repeated key: {pair[:80]!r}.")
        try:
            fields[key] = base64.b64decode(value.strip(), validate=True).decode(errors="replace")
        except ValueError as error:
            raise BadUploadRequest(f"The value of {key[:80]!r} in Upload-Metadata is not base64.") from error
    return fields


def header_number(request: Request, header: str) -> int:
    """Parse the request header named `header`, a number of bytes.

    Raises BadUploadRequest.
    """
    text = request.headers.get(header, "")
    if not (text.isascii() and text.isdecimal() and len(text) <= 18):
        raise BadUploadRequest(f"{header} must be a whole number of bytes, not {text[:40]!r}.")
    return int(text)


async def _stream(request: Request) -> AsyncIterator[bytes]:
    async for chunk in request.stream():
        if chunk:
            yield chunk
