"""Chunks of an upload, joined into larger blocks for writing."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from gateway.uploads.stream import bursts
from shared.errors import UploadTimeout


async def test_fast_chunks_are_joined() -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(10):
            yield b"0123456789"

    assert [len(block) async for block in bursts(chunks(), burst_bytes=35)] == [40, 40, 20]


async def test_a_pause_yields_the_pending_chunks() -> None:
    more = asyncio.Event()

    async def chunks() -> AsyncIterator[bytes]:
        yield b"early"
        await more.wait()
        yield b"late"

    received = []
    async for block in bursts(chunks(), pause_s=0.01):
        received.append(block)
        more.set()
    assert received == [b"early", b"late"]


async def test_an_idle_connection_times_out() -> None:
    async def chunks() -> AsyncIterator[bytes]:
        yield b"something"
        await asyncio.sleep(60)

    received = []
    with pytest.raises(UploadTimeout, match=r"0\.02 s"):
        async for block in bursts(chunks(), pause_s=0.01, idle_s=0.02):
            received.append(block)
    assert received == [b"something"]


async def test_chunks_before_an_error_are_yielded() -> None:
    async def chunks() -> AsyncIterator[bytes]:
        yield b"before"
        raise ConnectionError

    received = []
    with pytest.raises(ConnectionError):
        async for block in bursts(chunks()):
            received.append(block)
    assert received == [b"before"]
