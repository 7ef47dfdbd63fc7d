"""Ingestion of bytes and files into the media store: limits, refusals, cancellation."""

import asyncio
import errno
import hashlib
import os
import threading
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import anyio
import pytest

from shared.errors import BrokenMedia, TooLarge, Unavailable, UnsupportedMedia
from shared.file_calls import ProbedFile
from shared.media.disk import on_disk
from shared.media.ids import new_id
from shared.media.ingestion import ingest, ingest_file
from shared.media.record import MediaRecord
from shared.media.store import MediaStore
from shared.media_info import ImageInfo
from shared.operation import Kind

INFO = ImageInfo(container="png", width=4, height=3, codec="png", pixel_format="rgb24", has_alpha=False)


class Probe:
    def __init__(self) -> None:
        self.contents: list[bytes] = []

    async def __call__(self, path: Path) -> ProbedFile:
        self.contents.append(path.read_bytes())
        return ProbedFile(kind=Kind.VIDEO, content_type="video/mp4", suffix=".mp4", media=INFO)


@pytest.fixture
def store(tmp_path: Path) -> MediaStore:
    return MediaStore(tmp_path / "media", ttl_s=3600)


def nothing_left(store: MediaStore) -> bool:
    return store.list("public")[0] == [] and not list((store.root / ".incoming").iterdir())


async def pieces(*chunks: bytes) -> AsyncIterator[bytes]:
    for chunk in chunks:
        await asyncio.sleep(0)
        yield chunk


async def take(store: MediaStore, chunks: AsyncIterator[bytes], *, probe: Any = None, max_bytes: int = 10**9) -> MediaRecord:
    return await ingest(chunks, store=store, probe=probe or Probe(), owner="public", name="c.mov", source="upload", max_bytes=max_bytes)


async def test_bytes_become_a_medium_as_the_probe_describes_it(store: MediaStore) -> None:
    data = [os.urandom(100_000) for _ in range(50)]
    probe = Probe()
    record = await take(store, pieces(*data), probe=probe)
    whole = b"".join(data)
    assert probe.contents == [whole]
    assert store.content_path("public", record.id).read_bytes() == whole
    assert (record.bytes, record.sha256) == (len(whole), hashlib.sha256(whole).hexdigest())
    assert (record.name, record.content_type, record.media) == ("c.mov", "video/mp4", INFO.model_dump(mode="json"))
    assert not list((store.root / ".incoming").iterdir())


async def test_the_first_byte_over_the_limit_ends_the_upload(store: MediaStore) -> None:
    calls = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal calls
        while True:
            calls += 1
            yield b"x" * 10

    with pytest.raises(TooLarge, match="100 bytes"):
        await take(store, endless(), max_bytes=100)
    assert calls == 11
    assert nothing_left(store)
    assert (await take(store, pieces(b"x" * 100), max_bytes=100)).bytes == 100


async def test_a_refused_file_leaves_nothing_in_the_store(store: MediaStore) -> None:
    async def refuse(path: Path) -> ProbedFile:
        raise UnsupportedMedia(f"{path.name!r} is not a video")

    with pytest.raises(BrokenMedia, match="empty"):
        await take(store, pieces())
    with pytest.raises(UnsupportedMedia) as refusal:
        await take(store, pieces(b"x"), probe=refuse)
    assert refusal.value.detail == "'c.mov' is not a video"
    assert nothing_left(store)


@pytest.mark.parametrize("stage", ["receiving", "probing", "publishing"])
async def test_cancelling_leaves_nothing_in_the_store(store: MediaStore, stage: str, monkeypatch: pytest.MonkeyPatch) -> None:
    reached = threading.Event()

    async def chunks() -> AsyncIterator[bytes]:
        yield b"x" * 2_000_000
        if stage == "receiving":
            reached.set()
            await asyncio.sleep(60)

    async def probe(path: Path) -> ProbedFile:
        if stage == "probing":
            reached.set()
            await asyncio.sleep(60)
        return await Probe()(path)

    publish = store.publish

    def slow_publish(*args: Any, **options: Any) -> MediaRecord:
        if stage == "publishing":
            reached.set()
            time.sleep(0.1)
        return publish(*args, **options)

    monkeypatch.setattr(store, "publish", slow_publish)
    task = asyncio.create_task(take(store, chunks(), probe=probe))
    while not reached.is_set():
        await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert nothing_left(store)


async def test_a_medium_with_a_given_id_is_published_once(store: MediaStore, tmp_path: Path) -> None:
    path, probe, media_id = tmp_path / "data", Probe(), new_id()
    path.write_bytes(b"resumed")
    reservation = store.room.reservation("public", tmp_path)

    async def once() -> MediaRecord:
        return await ingest_file(
            path, reservation, store=store, probe=probe, owner="public", name="r.mp4", source="upload", media_id=media_id
        )

    first = await once()
    path.unlink()
    assert await once() == first
    assert len(probe.contents) == 1
    assert first.sha256 == hashlib.sha256(b"resumed").hexdigest()
    assert store.content_path("public", media_id).read_bytes() == b"resumed"


async def test_a_full_disk_is_reported() -> None:
    def full() -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(Unavailable, match="disk is full"):
        await on_disk(full)


async def test_the_thread_is_done_when_a_cancelled_call_ends() -> None:
    done = []

    def slow() -> None:
        time.sleep(0.15)
        done.append(True)

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.02):
            await on_disk(slow)
    assert done == [True]
    with anyio.move_on_after(0.02) as scope:
        await on_disk(slow)
        await asyncio.sleep(1)
    assert scope.cancelled_caught
    assert done == [True, True]
