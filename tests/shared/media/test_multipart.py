"""Reading of multipart forms while they arrive: parts, fields, damage, timeouts."""

import asyncio
import os
from collections.abc import AsyncIterator
from typing import Any

import pytest
from fastapi import Request

import shared.media.multipart
from shared.errors import BrokenMedia, Invalid, UploadTimeout
from shared.media.multipart import read_parts

CONTENT = b"\r\n--boun\r\n--bounx\r\n--\r\n\r" + os.urandom(3000)
BODY = b"".join(
    [
        b'--bound\r\nContent-Disposition: form-data; name="threshold"\r\n\r\n0.5\r\n',
        b'--bound\r\nContent-Type: video/mp4\r\nContent-Disposition: form-data; name="file"; filename="T\xc3\xa4nzer.mp4"\r\n\r\n',
        CONTENT,
        b'\r\n--bound\r\nContent-Disposition: form-data; name="empty"; filename=""\r\n\r\n',
        b"\r\n--bound--\r\nan epilogue",
    ]
)


def request(body: bytes, *, size: int = 65536, boundary: str = "bound", hang: bool = False) -> Request:
    pieces = [body[start : start + size] for start in range(0, len(body), size)]

    async def receive() -> dict[str, Any]:
        if not pieces and hang:
            await asyncio.sleep(60)
        await asyncio.sleep(0)
        piece = pieces.pop(0) if pieces else b""
        return {"type": "http.request", "body": piece, "more_body": bool(pieces) or hang}

    headers = [(b"content-type", f"multipart/form-data; boundary={boundary}".encode())]
    return Request({"type": "http", "method": "POST", "headers": headers}, receive)


async def joined(chunks: AsyncIterator[bytes]) -> bytes:
    return b"".join([chunk async for chunk in chunks])


@pytest.mark.parametrize("size", [1, 2, 7, 64, 1000, 65536])
async def test_parts_are_the_same_however_the_body_arrives(size: int) -> None:
    parts = [(part.field, part.filename, await joined(part.chunks)) async for part in read_parts(request(BODY, size=size))]
    assert parts == [("threshold", None, b"0.5"), ("file", "Tänzer.mp4", CONTENT), ("empty", "", b"")]


@pytest.mark.parametrize("size", [5, 65536])
async def test_parts_that_nobody_reads_are_skipped(size: int) -> None:
    assert [part.field async for part in read_parts(request(BODY, size=size))] == ["threshold", "file", "empty"]
    fields = []
    async for part in read_parts(request(BODY, size=size)):
        fields.append(part.field)
        await anext(part.chunks, None)
    assert fields == ["threshold", "file", "empty"]


async def test_a_field_is_read_as_text_up_to_a_limit() -> None:
    async for part in read_parts(request(BODY)):
        if part.field == "threshold":
            assert await part.text() == "0.5"
        elif part.field == "file":
            with pytest.raises(Invalid, match="longer than 100 bytes"):
                await part.text(max_bytes=100)


@pytest.mark.parametrize(
    "body",
    [BODY[:-40], BODY[:200], b"", b"--bound\r\nno header\r\n\r\n", b"--bound\r\n" + b"x" * 100_000, BODY.replace(b"bound", b"other")],
)
async def test_damaged_bodies_are_refused(body: bytes) -> None:
    with pytest.raises(BrokenMedia, match="damaged"):
        [await joined(part.chunks) async for part in read_parts(request(body, size=1000))]


async def test_a_part_without_a_name_is_refused() -> None:
    with pytest.raises(Invalid, match="no `name`"):
        [part async for part in read_parts(request(b"--bound\r\nContent-Type: a/b\r\n\r\nx\r\n--bound--"))]


async def test_a_silent_connection_times_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared.media.multipart, "IDLE_S", 0.02)
    with pytest.raises(UploadTimeout):
        [await joined(part.chunks) async for part in read_parts(request(BODY[:500], hang=True))]
