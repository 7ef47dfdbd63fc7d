"""Ingestion of untrusted files: stream to disk, hash, probe, publish."""

import asyncio
import contextlib
import hashlib
import os
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import BinaryIO

from shared.errors import BrokenMedia, ReelwrightError, TooLarge, UnknownMedia
from shared.file_calls import ProbedFile
from shared.media.disk import on_disk, write_all
from shared.media.ids import new_id
from shared.media.names import safe_name
from shared.media.record import MediaRecord
from shared.media.reservations import Reservation
from shared.media.store import Incoming, MediaStore, NewMedium

Probe = Callable[[Path], Awaitable[ProbedFile]]
"""Probes a file in a child process; raises the error of a refused file."""

WRITE_BYTES = 1024 * 1024
"""Size at which collected chunks are written. A thread call for each network packet would take longer than the writing."""


@dataclass(frozen=True, kw_only=True)
class SizeBounds:
    """Bounds of the size of a file that has not arrived yet.

    In bytes. `most`: None if unknown.
    """

    least: int = 0
    most: int | None = None


async def ingest(
    chunks: AsyncIterator[bytes],
    *,
    store: MediaStore,
    probe: Probe,
    owner: str,
    name: str,
    source: str,
    max_bytes: int,
    media_id: str | None = None,
    bounds: SizeBounds = SizeBounds(),
) -> MediaRecord:
    """Store the bytes of `chunks` as a medium; return its record.

    Memory does not grow with their number, and the event loop never waits for the disk. `source` is "upload" or "url". `media_id`: the id
    that the medium gets (from `new_id`); None: a new one. Disk space of `bounds.least` bytes is reserved at once. Raises TooLarge at the
    first byte over `max_bytes`, BrokenMedia for an empty file, QuotaExceeded, Unavailable for a full disk, and what `probe` raises. After
    any error, also a cancellation, no file and no reservation is left.
    """
    async with _incoming(store) as incoming, reserved(store, owner, incoming.folder) as reservation:
        await on_disk(reservation.require, bounds.least, at_most=bounds.most)
        reserve = partial(reservation.require, at_most=bounds.most)
        size, sha256 = await _receive(chunks, incoming.content, max_bytes, reserve)
        await on_disk(reservation.settle, size)
        if size == 0:
            raise BrokenMedia("The file is empty (0 bytes): send the whole file.")
        media_id = media_id or new_id()
        try:
            return await _publish(
                incoming,
                reservation,
                store=store,
                probe=probe,
                owner=owner,
                name=name,
                source=source,
                media_id=media_id,
                sha256=sha256,
            )
        except asyncio.CancelledError:
            with contextlib.suppress(UnknownMedia):  # delete the medium if it was published just before the cancellation
                await on_disk(store.delete, owner, media_id)
            raise


async def ingest_file(
    path: Path, reservation: Reservation, *, store: MediaStore, probe: Probe, owner: str, name: str, source: str, media_id: str
) -> MediaRecord:
    """Store a file from the store's volume as a medium.

    Returns its record. The file stays; it is hard-linked where possible. `reservation`: of the file's disk space; it ends here. `media_id`
    (`new_id`) is kept by the caller: after a crash, calling again returns the medium that the first call made.
    """
    with contextlib.suppress(UnknownMedia):
        return await on_disk(store.get, owner, media_id)
    async with _incoming(store) as incoming:
        await on_disk(_link, path, incoming.content)
        return await _publish(incoming, reservation, store=store, probe=probe, owner=owner, name=name, source=source, media_id=media_id)


@contextlib.asynccontextmanager
async def reserved(store: MediaStore, owner: str, folder: Path) -> AsyncIterator[Reservation]:
    """Yield a reservation for the file in `folder`.

    The reservation ends with the `with` block.
    """
    reservation = store.room.reservation(owner, folder)
    try:
        yield reservation
    finally:
        await on_disk(reservation.end)


@contextlib.asynccontextmanager
async def _incoming(store: MediaStore) -> AsyncIterator[Incoming]:
    folder = store.incoming()
    incoming = folder.__enter__()
    try:
        yield incoming
    finally:
        await on_disk(folder.__exit__, None, None, None)


async def _receive(chunks: AsyncIterator[bytes], path: Path, max_bytes: int, reserve: Callable[[int], None]) -> tuple[int, str]:
    """Write `chunks` to `path`; return size and SHA-256. `reserve` gets the size of the file before each write."""
    size, pending, held = 0, list[bytes](), 0
    digest = hashlib.sha256()
    file = path.open("xb", buffering=0)
    try:
        async for chunk in chunks:
            size, held = size + len(chunk), held + len(chunk)
            if size > max_bytes:
                raise TooLarge(f"The file is larger than {max_bytes} bytes, the limit (REELWRIGHT_MAX_UPLOAD_BYTES).")
            pending.append(chunk)
            if held >= WRITE_BYTES:
                await on_disk(_write, file, pending, digest.update, partial(reserve, size))
                pending, held = [], 0
        await on_disk(_write, file, pending, digest.update, partial(reserve, size))
    finally:
        await on_disk(file.close)
    return size, digest.hexdigest()


def _write(file: BinaryIO, chunks: list[bytes], measure: Callable[[bytes], object], reserve: Callable[[], None]) -> None:
    reserve()
    block = b"".join(chunks)
    measure(block)
    write_all(file, block)


async def _publish(
    incoming: Incoming,
    reservation: Reservation,
    *,
    store: MediaStore,
    probe: Probe,
    owner: str,
    name: str,
    source: str,
    media_id: str,
    sha256: str | None = None,
) -> MediaRecord:
    try:
        probed = await probe(incoming.content)
    except ReelwrightError as error:  # put the user's file name in place of the temporary one
        error.detail = error.detail.replace(repr(incoming.content.name), repr(safe_name(name)))
        raise
    new = NewMedium(
        owner=owner,
        name=name,
        kind=probed.kind,
        content_type=probed.content_type,
        suffix=probed.suffix,
        source=source,
        media=probed.media,
        sha256=sha256,
        media_id=media_id,
    )
    return await on_disk(store.publish, incoming, new, reservation=reservation)


def _link(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except OSError:  # a file system without hard links
        shutil.copyfile(source, target)
