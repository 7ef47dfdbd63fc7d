"""Appending a request's body to an upload."""

import asyncio
import base64
import contextlib
import hashlib
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from dataclasses import dataclass
from typing import BinaryIO, Protocol

from gateway.media.upload_errors import BadUploadRequest, ChecksumMismatch
from gateway.media.upload_folder import Upload, UploadState
from shared.errors import TooLarge, UploadTimeout
from shared.media.disk import on_disk, write_all

ALGORITHMS = ("sha256", "sha1", "sha512", "md5")
BURST_BYTES = 1024 * 1024
PAUSE_S = 0.05
"""Bytes wait this long at most for more of them before they are written."""

IDLE_S = 30.0
"""A connection that sends nothing for this long is given up, so that a half-open one does not keep the upload locked for ever."""


class Digest(Protocol):
    def update(self, data: bytes, /) -> None: ...
    def digest(self) -> bytes: ...


@dataclass(frozen=True, kw_only=True)
class Checksum:
    """What `Upload-Checksum` announces."""

    algorithm: str
    expected: bytes

    @classmethod
    def parse(cls, header: str) -> "Checksum":
        """From a header such as `sha1 Kq5sNclPz7QV2+lfQIuc6R7oRu0=`. Raises BadUploadRequest."""
        algorithm, _, value = header.strip().partition(" ")
        if algorithm not in ALGORITHMS:
            raise BadUploadRequest(f"Upload-Checksum names {algorithm!r}; {', '.join(ALGORITHMS)} are known.")
        try:
            return cls(algorithm=algorithm, expected=base64.b64decode(value, validate=True))
        except ValueError as error:
            raise BadUploadRequest(f"Upload-Checksum has {value[:100]!r}, which is not base64.") from error

    def start(self) -> Digest:
        return hashlib.new(self.algorithm, usedforsecurity=False)


async def append(
    upload: Upload, state: UploadState, chunks: AsyncIterator[bytes], *, offset: int, checksum: Checksum | None
) -> UploadState:
    """Write `chunks` to the end of an upload, whose lock is held and which stands at `offset`.

    What came before the connection broke or fell silent stays; with a checksum it does not, since nothing vouches for it. Raises
    TooLarge where more comes than was announced, ChecksumMismatch, UploadTimeout; what `chunks` raises comes through.
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
                        f"More comes than the {state.length} bytes that Upload-Length announced; this request's bytes are dropped."
                    )
                await on_disk(_write, file, block, digest.update if digest else None)
    finally:
        await on_disk(file.close)
    if checksum and digest and digest.digest() != checksum.expected:
        await on_disk(upload.settled)
        raise ChecksumMismatch(f"The {checksum.algorithm} of the bytes is not the announced one: send them again from offset {offset}.")
    return await on_disk(upload.write, state.model_copy(update={"unverified_from": None})) if checksum else state


async def bursts(
    chunks: AsyncIterator[bytes], *, burst_bytes: int = BURST_BYTES, pause_s: float = PAUSE_S, idle_s: float = IDLE_S
) -> AsyncGenerator[bytes]:
    """`chunks` joined to blocks of about `burst_bytes`; what is there is given out when nothing more comes for `pause_s`.

    Raises UploadTimeout when nothing comes for `idle_s`. Where `chunks` ends with an error, what came before it is given out first.
    """
    pending, held = list[bytes](), 0
    coming = asyncio.ensure_future(_next(chunks))
    try:
        while True:
            done, _ = await asyncio.wait({coming}, timeout=pause_s if pending else idle_s)
            if done:
                chunk = None if coming.exception() else coming.result()
                if chunk is None:
                    break
                pending.append(chunk)
                held += len(chunk)
                coming = asyncio.ensure_future(_next(chunks))
            elif not pending:
                raise UploadTimeout(f"Nothing came for {idle_s:g} s. What came before is kept: continue from there.")
            if not done or held >= burst_bytes:
                yield b"".join(pending)
                pending, held = [], 0
        if pending:
            yield b"".join(pending)
        coming.result()  # raises, if an error was the end
    finally:
        coming.cancel()
        await asyncio.wait({coming})


async def _next(chunks: AsyncIterator[bytes]) -> bytes | None:
    return await anext(chunks, None)


def _write(file: BinaryIO, block: bytes, measure: Callable[[bytes], None] | None) -> None:
    if measure:
        measure(block)
    write_all(file, block)
