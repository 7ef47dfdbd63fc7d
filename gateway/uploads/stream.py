"""Streaming of request bodies into uploads."""

import asyncio
import base64
import contextlib
import hashlib
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from dataclasses import dataclass
from typing import BinaryIO, Protocol

from gateway.uploads.errors import BadUploadRequest, ChecksumMismatch
from gateway.uploads.folder import Upload, UploadState
from shared.errors import TooLarge, UploadTimeout
from shared.media.disk import on_disk, write_all

ALGORITHMS = ("sha256", "sha1", "sha512", "md5")
BURST_BYTES = 1024 * 1024
PAUSE_S = 0.05
"""Longest wait, in seconds, for more bytes before received bytes are written."""

IDLE_S = 30.0
"""Time without data after which a connection is dropped. A half-open connection does not keep the upload locked."""


class Digest(Protocol):
    def update(self, data: bytes, /) -> None: ...
    def digest(self) -> bytes: ...


@dataclass(frozen=True, kw_only=True)
class Checksum:
    """An `Upload-Checksum` header: its algorithm and value."""

    algorithm: str
    expected: bytes

    @classmethod
    def parse(cls, header: str) -> "Checksum":
        """Parse a header such as `sha1 Kq5sNclPz7QV2+lfQIuc6R7oRu0=`.

        Raises BadUploadRequest.
        """
        algorithm, _, value = header.strip().partition(" ")
        if algorithm not in ALGORITHMS:
            raise BadUploadRequest(f"Upload-Checksum names {algorithm!r}; this server supports {', '.join(ALGORITHMS)}.")
        try:
            return cls(algorithm=algorithm, expected=base64.b64decode(value, validate=True))
        except ValueError as error:
            raise BadUploadRequest(f"Upload-Checksum is {value[:100]!r}, which is not base64.") from error

    def start(self) -> Digest:
        return hashlib.new(self.algorithm, usedforsecurity=False)


async def append(
    upload: Upload, state: UploadState, chunks: AsyncIterator[bytes], *, offset: int, checksum: Checksum | None
) -> UploadState:
    """Append `chunks` of a request's body to an upload.

    The caller holds the lock. If the connection breaks or stalls, received bytes are kept; with a checksum they are dropped, because they
    cannot be verified. Raises TooLarge for more bytes than Upload-Length, ChecksumMismatch, UploadTimeout, and the errors of `chunks`.
    """
    digest = checksum.start() if checksum else None
    if checksum:
        state = await on_disk(upload.write, state.model_copy(update={"unverified_from": offset}))
    file = await on_disk(upload.data.open, "r+b", buffering=0)
    try:
        size = await on_disk(file.seek, offset)
        async with contextlib.aclosing(bursts(chunks)) as blocks:
            async for block in blocks:
                size += len(block)
                if size > state.length:
                    await on_disk(file.truncate, offset)
                    raise TooLarge(
                        f"The body exceeds Upload-Length, which is {state.length} bytes; the bytes of this request were dropped."
                    )
                await on_disk(_write, file, block, digest.update if digest else None)
    finally:
        await on_disk(file.close)
    if checksum and digest and digest.digest() != checksum.expected:
        await on_disk(upload.drop_unverified)
        raise ChecksumMismatch(f"The {checksum.algorithm} of the bytes differs from Upload-Checksum: send them again from offset {offset}.")
    return await on_disk(upload.write, state.model_copy(update={"unverified_from": None})) if checksum else state


async def bursts(
    chunks: AsyncIterator[bytes], *, burst_bytes: int = BURST_BYTES, pause_s: float = PAUSE_S, idle_s: float = IDLE_S
) -> AsyncGenerator[bytes]:
    """Join small `chunks` into blocks of about `burst_bytes`.

    A shorter block is yielded after a pause of `pause_s`. Raises UploadTimeout if nothing arrives for `idle_s`. An error of `chunks` is
    raised after the bytes before it were yielded.
    """
    pending, pending_bytes = list[bytes](), 0
    next_chunk = asyncio.ensure_future(_next(chunks))
    try:
        while True:
            done, _ = await asyncio.wait({next_chunk}, timeout=pause_s if pending else idle_s)
            if done:
                chunk = None if next_chunk.exception() else next_chunk.result()
                if chunk is None:
                    break
                pending.append(chunk)
                pending_bytes += len(chunk)
                next_chunk = asyncio.ensure_future(_next(chunks))
            elif not pending:
                raise UploadTimeout(
                    f"No data arrived for {idle_s:g} s. The earlier bytes are kept: ask for the offset and continue from there."
                )
            if not done or pending_bytes >= burst_bytes:
                yield b"".join(pending)
                pending, pending_bytes = [], 0
        if pending:
            yield b"".join(pending)
        next_chunk.result()  # raises the error of `chunks`, if there was one
    finally:
        next_chunk.cancel()
        await asyncio.wait({next_chunk})


async def _next(chunks: AsyncIterator[bytes]) -> bytes | None:
    return await anext(chunks, None)


def _write(file: BinaryIO, block: bytes, measure: Callable[[bytes], None] | None) -> None:
    if measure:
        measure(block)
    write_all(file, block)
