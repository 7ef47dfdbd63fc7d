"""File uploads that resume after broken connections, by the protocol tus 1.0."""

import asyncio
import base64
from collections.abc import Callable
from pathlib import Path

import httpx

from shared.client.connection import Connection, Pauses, refused
from shared.client.errors import Refused, Unreachable
from shared.errors import Invalid

OnBytes = Callable[[int, int], None]
"""Called with the number of bytes that the server has, and the file's size."""

TUS = {"Tus-Resumable": "1.0.0"}
PIECE_BYTES = 4 * 1024 * 1024
MEDIA_ID = "Reelwright-Media-Id"
TRY_AGAIN = (404, 409, 423)
"""Statuses after which the client asks for the offset again. They mean: lost in a restart, wrong offset, locked by the previous request."""


async def upload(connection: Connection, path: Path, *, name: str | None = None, on_bytes: OnBytes | None = None) -> str:
    """Upload a file and return its media id.

    `name`: its name on the server, by default that of the file. Raises Invalid if the file cannot be read; Refused, Unreachable.
    """
    try:
        size = path.stat().st_size
        file = path.open("rb")
    except OSError as error:
        raise Invalid(f"{path}: {error.strerror}.") from None
    with file:
        encoded = base64.b64encode((name or path.name).encode(errors="surrogateescape")).decode()
        headers = TUS | {"Upload-Length": str(size), "Upload-Metadata": f"filename {encoded}"}
        created = await connection.send("POST", "/v1/uploads", headers=headers, repeat=True)  # a repetition only leaves an empty upload
        place, offset, pauses = created.headers["location"], 0, Pauses(connection.patience_s)
        while True:
            await asyncio.to_thread(file.seek, offset)
            piece = await asyncio.to_thread(file.read, PIECE_BYTES)
            try:
                answer = await _send_piece(connection, place, piece, offset)
            except (httpx.TransportError, Refused) as error:
                if isinstance(error, Refused) and error.status not in TRY_AGAIN:
                    raise
                if not await pauses.wait():
                    raise (
                        error
                        if isinstance(error, Refused)
                        else Unreachable(f"The upload of {path.name} was interrupted: {error}. Upload the file again.")
                    ) from error
                answer = await connection.send("HEAD", place, headers=TUS)
            offset, before = int(answer.headers["upload-offset"]), offset
            if offset > before:
                pauses.reset()
                if on_bytes is not None:
                    on_bytes(offset, size)
            if MEDIA_ID in answer.headers:
                return str(answer.headers[MEDIA_ID])


async def _send_piece(connection: Connection, place: str, piece: bytes, offset: int) -> httpx.Response:
    """Send a piece of a file to an upload's URL, without retries.

    `piece` begins at byte `offset` of the file; `place` is the URL. Raises Refused, and httpx's errors of a broken connection.
    """
    headers = TUS | {"Upload-Offset": str(offset), "Content-Type": "application/offset+octet-stream"}
    # Not `Connection.send`: after a broken connection the server may have a part of the piece.
    answer = await connection.http.request("PATCH", place, headers=headers, content=piece)
    if answer.is_error:
        raise refused(answer)
    return answer
