"""Room for uploads is checked and reserved in one step, across processes."""

import asyncio
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from shared.errors import QuotaExceeded, ReelwrightError, Unavailable
from shared.file_calls import ProbedFile
from shared.media.ingestion import SizeBounds, ingest
from shared.media.record import MediaRecord
from shared.media.reservations import SMALL_BYTES, STEP_BYTES, Reservation
from shared.media.store import MediaStore
from shared.operation import Kind

LIMIT = 10_000
HOLD = """
import sys, time
from pathlib import Path
from shared.media.store import MediaStore
store = MediaStore(Path(sys.argv[1]), ttl_s=60, limit_of=lambda owner: 10_000)
with store.incoming() as incoming:
    reservation = store.room.reservation("public", incoming.folder)
    reservation.require(8000, at_most=8000)
    print("reserved", flush=True)
    time.sleep(600)
"""


@pytest.fixture
def store(tmp_path: Path) -> MediaStore:
    return MediaStore(tmp_path / "media", ttl_s=3600, limit_of=lambda owner: LIMIT if owner == "public" else None)


async def described(path: Path) -> ProbedFile:
    return ProbedFile(kind=Kind.VIDEO, content_type="video/mp4", suffix=".mp4", media=None)


async def take(store: MediaStore, chunks: AsyncIterator[bytes], **more: Any) -> MediaRecord:
    return await ingest(chunks, store=store, probe=described, owner="public", name="c", source="upload", max_bytes=10**12, **more)


async def held(data: bytes, go_on: asyncio.Event) -> AsyncIterator[bytes]:
    yield data
    await go_on.wait()


def reservations(store: MediaStore) -> list[Path]:
    return [path for path in store.root.glob(".reserved/*") if not path.name.startswith(".lock")]


def new_reservation(store: MediaStore, owner: str = "public") -> Reservation:
    folder = store.root / ".incoming" / f"{owner}-{len(list(store.root.glob('.incoming/*')))}"
    folder.mkdir(parents=True)
    return store.room.reservation(owner, folder)


async def test_the_bytes_of_an_upload_under_way_count(store: MediaStore) -> None:
    go_on = asyncio.Event()
    first = asyncio.create_task(take(store, held(b"x" * 6000, go_on), bounds=SizeBounds(least=6000, most=6000)))
    while not reservations(store):
        await asyncio.sleep(0.01)
    with pytest.raises(QuotaExceeded, match=r"6000 bytes are stored or on their way; 5000 more"):
        await take(store, held(b"x" * 5000, asyncio.Event()), bounds=SizeBounds(least=5000))
    go_on.set()
    assert (await first).bytes == 6000
    assert reservations(store) == []
    with pytest.raises(QuotaExceeded, match="6000 bytes"):
        store.room.check("public", 4001)
    store.room.check("public", 4000)


async def test_parallel_uploads_that_fill_the_quota_exactly_all_succeed(store: MediaStore) -> None:
    done = asyncio.Event()
    done.set()
    records = await asyncio.gather(*(take(store, held(b"x" * 500, done), bounds=SizeBounds(most=500)) for _ in range(20)))
    assert sum(record.bytes for record in records) == LIMIT
    with pytest.raises(QuotaExceeded):
        await take(store, held(b"x", done))
    assert reservations(store) == []


async def test_bytes_of_unknown_number_end_at_the_quota(store: MediaStore) -> None:
    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield b"x" * 2**20

    with pytest.raises(QuotaExceeded):
        await take(store, endless())
    assert reservations(store) == []
    assert list((store.root / ".incoming").iterdir()) == []
    store.room.check("public", LIMIT)


def test_of_many_at_once_only_those_that_fit_get_room(store: MediaStore) -> None:
    waiting = [new_reservation(store) for _ in range(16)]

    def answer(reservation: Reservation) -> bool:
        try:
            reservation.require(3000, at_most=3000)
        except QuotaExceeded:
            return False
        return True

    with ThreadPoolExecutor(16) as pool:
        assert sum(pool.map(answer, waiting)) == 3
    for reservation in waiting:
        reservation.end()
    assert reservations(store) == []


def test_the_disk_is_promised_once(store: MediaStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """Reservations reduce the free disk space, also for owners without a quota. Bytes already written count once."""
    free = 100 * STEP_BYTES
    monkeypatch.setattr("shared.media.reservations.shutil.disk_usage", lambda _folder: SimpleNamespace(free=free))
    first, second = new_reservation(store, "k0123456789abcdef"), new_reservation(store, "kfedcba9876543210")
    first.require(60 * STEP_BYTES, at_most=60 * STEP_BYTES)
    with pytest.raises(Unavailable, match="too little room"):
        second.require(41 * STEP_BYTES, at_most=41 * STEP_BYTES)
    second.require(40 * STEP_BYTES, at_most=40 * STEP_BYTES)
    second.end()

    with (first._folder / "content").open("wb") as file:
        file.truncate(50 * STEP_BYTES)
    free = 50 * STEP_BYTES
    with pytest.raises(Unavailable):
        second.require(41 * STEP_BYTES, at_most=41 * STEP_BYTES)
    second.require(40 * STEP_BYTES, at_most=40 * STEP_BYTES)
    for reservation in (first, second):
        reservation.end()


def test_some_bytes_of_the_disk_stay_free(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.media.reservations.shutil.disk_usage", lambda _folder: SimpleNamespace(free=10 * SMALL_BYTES))
    room = new_reservation(MediaStore(tmp_path / "media", ttl_s=60, keep_free_bytes=4 * SMALL_BYTES))
    with pytest.raises(Unavailable):
        room.require(6 * SMALL_BYTES + 1)
    room.require(6 * SMALL_BYTES)
    room.end()


def test_a_dead_process_holds_no_room(store: MediaStore) -> None:
    with subprocess.Popen([sys.executable, "-c", HOLD, str(store.root)], stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "reserved\n"
            with pytest.raises(QuotaExceeded):
                store.room.check("public", 3000)
        finally:
            process.send_signal(signal.SIGKILL)
    assert len(reservations(store)) == 1
    store.room.check("public", LIMIT)
    assert reservations(store) == [], "the next check deletes it"


async def test_a_refused_file_releases_its_room(store: MediaStore) -> None:
    async def refuse(path: Path) -> ProbedFile:
        raise ReelwrightError("no video")

    done = asyncio.Event()
    done.set()
    with pytest.raises(ReelwrightError, match="no video"):
        await ingest(held(b"x" * 9000, done), store=store, probe=refuse, owner="public", name="c", source="upload", max_bytes=10**9)
    store.room.check("public", LIMIT)
    assert reservations(store) == []
