"""Outputs that a job publishes too late or only in part are deleted."""

import asyncio
import hashlib
import time
from collections.abc import Awaitable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import sqlalchemy as sa

from shared.errors import QuotaExceeded
from shared.file_calls import ProbedFile
from shared.jobs.database.rows import Claim, Ending
from shared.jobs.record import Status
from shared.jobs.running.files import growing_outputs
from shared.jobs.running.files.folders import OUTPUTS
from shared.jobs.running.files.growing_outputs import within_quota
from shared.jobs.running.files.publisher import Publisher
from shared.jobs.running.runner import run_to_the_end
from shared.jobs.running.worker import JobWorker, Outcome, Queue
from shared.media.record import MediaRecord
from shared.media.store import MediaStore
from shared.operation import Kind
from tests.shared.jobs.new_jobs import OWNER


def claim(deadline_at: float | None = None) -> Claim:
    return Claim(
        id="job-1",
        owner=OWNER,
        service="media",
        operation="media.proxy",
        inputs={},
        params={},
        attempt=1,
        failures=0,
        fraction=0.0,
        cache=False,
        created_at=0.0,
        started_at=0.0,
        deadline_at=deadline_at,
    )


def test_outputs_published_after_the_deadline_are_deleted() -> None:
    endings: list[Status] = []
    discarded: list[Outcome] = []
    outcome = Outcome(result={}, outputs={"video": {"id": "medium-1"}})

    def finish(_job_id: str, status: Status, **_more: Any) -> bool:
        endings.append(status)
        return True

    async def run(*_arguments: Any) -> Outcome:
        return await run_to_the_end(lambda: (time.sleep(0.1), outcome)[1])

    async def discard(_claim: Claim, late: Outcome) -> None:
        discarded.append(late)

    async def settle() -> None:
        worker = JobWorker(SimpleNamespace(store=SimpleNamespace(finish=finish), stopping=False), None, None)
        worker._queues = {"media": Queue(concurrency=1, run=run, discard=discard)}
        late = claim(deadline_at=time.time())
        task = asyncio.ensure_future(run())
        await asyncio.sleep(0)
        await worker._settle(late, task, SimpleNamespace(warnings=()), SimpleNamespace(ended=lambda *_a, **_o: None))

    asyncio.run(settle())
    assert (endings, discarded) == ([Status.FAILED], [outcome])


async def test_a_result_that_the_database_refuses_fails_its_job() -> None:
    endings: list[tuple[Status, object]] = []
    discarded: list[Outcome] = []
    outcome = Outcome(result={"rate": float("inf")}, outputs={"video": {"id": "medium-1"}})

    def finish(_job_id: str, status: Status, *, ending: Ending, **_more: Any) -> bool:
        if status is Status.SUCCEEDED:
            raise sa.exc.DataError("INSERT", {}, ValueError("Infinity is no JSON"))
        endings.append((status, (ending.error or {})["detail"]))
        return True

    async def run(*_arguments: Any) -> Outcome:
        return outcome

    async def discard(_claim: Claim, refused: Outcome) -> None:
        discarded.append(refused)

    worker = JobWorker(SimpleNamespace(store=SimpleNamespace(finish=finish), stopping=False), None, None)
    worker._queues = {"media": Queue(concurrency=1, run=run, discard=discard)}
    progress = SimpleNamespace(warnings=(), progress=lambda: None, latest=None)
    await worker._settle(claim(), asyncio.ensure_future(run()), progress, SimpleNamespace(ended=lambda *_a, **_o: None))
    assert endings == [(Status.FAILED, "The database refused the result of the operation.")]
    assert discarded == [outcome]


def test_if_an_output_does_not_fit_the_quota_none_stays(tmp_path: Path) -> None:
    store = MediaStore(tmp_path / "media", ttl_s=60, limit_of=lambda _owner: 100)
    publisher, work = Publisher(store), tmp_path / "work"
    output = ProbedFile(kind=Kind.JSON, content_type="application/json", suffix=".json", media=None)
    files = {"first": output, "second": output}

    def publish(*sizes: int) -> dict[str, MediaRecord]:
        (work / OUTPUTS).mkdir(parents=True, exist_ok=True)
        for name, size in zip(files, sizes, strict=True):
            (work / OUTPUTS / f"{name}.json").write_bytes(b"1" * size)
        return publisher.publish(claim(), files, work)

    for sizes in ((40, 61), (101, 1)):
        with pytest.raises(QuotaExceeded, match="the quota of 100 bytes"):
            publish(*sizes)
        assert store.list(OWNER) == ([], None)
    records = publish(40, 60)
    assert {name: (record.bytes, record.sha256) for name, record in records.items()} == {
        name: (size, hashlib.sha256(b"1" * size).hexdigest()) for name, size in (("first", 40), ("second", 60))
    }
    with pytest.raises(QuotaExceeded):
        publish(1, 0)
    assert len(store.list(OWNER)[0]) == 2
    assert [path.name for path in store.root.glob(".reserved/*") if not path.name.startswith(".lock")] == []


async def test_outputs_that_outgrow_the_quota_end_their_job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(growing_outputs, "INTERVAL_S", 0.01)
    store, folder = MediaStore(tmp_path / "media", ttl_s=60, limit_of=lambda _owner: 100), tmp_path / "outputs"
    folder.mkdir()
    output, steps = folder / "file.mp4", list[str]()

    def work() -> Awaitable[str]:
        async def grow() -> str:
            try:
                output.write_bytes(b"1" * 60)
                await asyncio.sleep(0.2)
                with pytest.raises(QuotaExceeded):
                    store.room.check(OWNER, 41)
                store.room.check(OWNER, 40)
                steps.append("counted")
                output.write_bytes(b"1" * size)
                await asyncio.sleep(0.2 if size <= 100 else 60)
                return "done"
            except asyncio.CancelledError:
                steps.append("canceled")
                raise

        return within_quota(grow(), room=store.room, owner=OWNER, folder=folder)

    size = 100
    assert await work() == "done"
    size = 101
    with pytest.raises(QuotaExceeded, match="101 more"):
        await work()
    assert steps == ["counted", "counted", "canceled"]
    store.room.check(OWNER, 100)
