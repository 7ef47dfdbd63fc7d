"""Remembered results: an equal request gets the earlier job's outputs."""

import asyncio
import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from shared.jobs.database.history import PAST_RUNS, History
from shared.jobs.database.ledger import Ledger
from shared.jobs.database.tables import JOBS, connect, make_tables
from shared.jobs.running.earlier_results import ResultMemory
from shared.jobs.running.equal_jobs import POLL_S, EqualJobs
from shared.jobs.running.locks import FileLocks
from shared.jobs.running.takeover import Lifeline
from shared.media.ids import new_id
from shared.media.store import MediaStore, NewMedium
from shared.models.folder import ModelFolder
from shared.operation import Kind, Operation
from tests.misbehaving.operations import dice
from tests.misbehaving.params import Bad, Done
from tests.misbehaving.server import Server, serving_one
from tests.shared.jobs.test_jobs_read import events

SAID = {"tag": "remembered"}


def rolled(server: Server, **body: Any) -> dict[str, Any]:
    """Run the operation `dice`, whose result is random, to its end.

    Returns the job.
    """
    return server.wait(server.submit("dice", **body)["id"])


def outcome(server: Server, **body: Any) -> tuple[str, bool]:
    """Run `dice`; return its text and whether the result was remembered."""
    job = rolled(server, **body)
    assert job["status"] == "succeeded", job["error"]
    return job["result"]["text"], job["cached"]


def test_the_same_request_gets_the_same_outputs_at_once(server: Server) -> None:
    first = rolled(server, params=SAID)
    again = server.post("dice", params=SAID | {"seconds": 0.0}, metadata={"mine": 1}).json()
    assert (first["cached"], again["cached"], again["status"]) == (False, True, "succeeded")
    assert again["id"] != first["id"]
    assert again["metadata"] == {"mine": 1}
    for name in ("outputs", "result", "warnings", "version", "params"):
        assert again[name] == first[name], name
    assert again["warnings"] == ["rolled"]
    assert again["metrics"] == {"queue_s": 0.0, "run_s": 0.0, "attempts": 0}
    assert again["progress"]["fraction"] == 1
    assert [(number, kind) for number, kind, _ in events(server, again["id"])] == [(1, "succeeded")]
    assert 'reelwright_jobs_cached_total{operation="misbehaving.dice"}' in server.client.get("/metrics").text


def test_other_params_and_cache_false_run_again(server: Server) -> None:
    first, _ = outcome(server, params={"tag": "one"})
    two, cached = outcome(server, params={"tag": "two"})
    assert (first != two, cached) == (True, False)
    fresh, cached = outcome(server, params={"tag": "one"}, cache=False)
    assert (fresh != first, cached) == (True, False)
    assert outcome(server, params={"tag": "one"}) == (fresh, True), "the newest result counts"


def test_an_idempotency_key_still_means_one_job(server: Server) -> None:
    first = rolled(server, params={"tag": "key"})
    key = {"Idempotency-Key": "remembered"}
    cached = server.post("dice", params={"tag": "key"}, headers=key).json()
    assert cached["cached"]
    assert server.post("dice", params={"tag": "key"}, headers=key).json()["id"] == cached["id"] != first["id"]
    assert server.post("dice", params={"tag": "key"}, headers=key, cache=False).status_code == 422


def test_a_remembered_result_outlives_its_first_job(server: Server) -> None:
    first = rolled(server, params={"tag": "outlive"})
    again = rolled(server, params={"tag": "outlive"})
    assert server.client.delete(f"/v1/jobs/{first['id']}?outputs=1").status_code == 204
    folder = server.data_dir / "media" / "public" / again["outputs"]["file"]["id"]
    assert folder.is_dir(), "another job lists it"
    assert outcome(server, params={"tag": "outlive"}) == (again["result"]["text"], True)
    for job in server.client.get("/v1/jobs", params={"limit": 10}).json()["items"]:
        if job["params"].get("tag") == "outlive":
            assert server.client.delete(f"/v1/jobs/{job['id']}?outputs=1").status_code == 204
    assert not folder.exists()
    anew, cached = outcome(server, params={"tag": "outlive"})
    assert (anew != again["result"]["text"], cached) == (True, False)


def test_deleted_outputs_are_made_again(server: Server) -> None:
    first = rolled(server, params={"tag": "gone"})
    (server.data_dir / "media" / "public" / first["outputs"]["file"]["id"]).rename(server.data_dir / "moved")
    anew, cached = outcome(server, params={"tag": "gone"})
    assert (anew != first["result"]["text"], cached) == (True, False)


def test_an_equal_job_that_waited_meanwhile_is_not_run(tmp_path: Path) -> None:
    with serving_one(tmp_path, CONCURRENCY="1") as one_by_one:
        params = {"tag": "twins", "seconds": 0.6}
        ids = [one_by_one.submit("dice", params=params)["id"] for _ in range(2)]
        first, second = (one_by_one.wait(job_id) for job_id in ids)
        assert second["cached"]
        assert second["outputs"] == first["outputs"]
        assert second["metrics"]["attempts"] == 1


def test_equal_jobs_at_the_same_moment_run_once(server: Server) -> None:
    ids = [server.submit("dice", params={"tag": "triplets", "seconds": 0.2})["id"] for _ in range(3)]
    jobs = [server.wait(job_id) for job_id in ids]
    assert len({job["result"]["text"] for job in jobs}) == 1
    assert sorted(job["cached"] for job in jobs) == [False, True, True]


def equal_jobs(folder: Path) -> tuple[EqualJobs, Lifeline]:
    """Make the EqualJobs and Lifeline of one process, with locks in `folder`."""
    lifeline = Lifeline(FileLocks(folder))
    return EqualJobs(lifeline.take, lifeline.drop), lifeline


def test_an_equal_job_runs_when_the_first_has_ended_in_any_way(tmp_path: Path) -> None:
    async def turns() -> None:
        equal, _ = equal_jobs(tmp_path)
        await equal.turn("a", "public", "key")
        await asyncio.wait_for(equal.turn("other owner", "somebody", "key"), 10)
        second, third = (asyncio.ensure_future(equal.turn(name, "public", "key")) for name in ("b", "c"))
        await asyncio.sleep(0)
        assert not second.done()
        await equal.settle("a")
        await asyncio.wait_for(second, 10)
        assert not third.done(), "one at a time"
        third.cancel()
        await equal.settle("c")
        await equal.settle("b")
        await asyncio.wait_for(equal.turn("d", "public", "key"), 10)

    asyncio.run(turns())


def test_an_equal_job_of_another_process_is_waited_for(tmp_path: Path) -> None:
    async def turns() -> None:
        (first, dying), (other, _) = equal_jobs(tmp_path), equal_jobs(tmp_path)
        await first.turn("a", "public", "key")
        waiting = asyncio.ensure_future(other.turn("b", "public", "key"))
        await asyncio.wait({waiting}, timeout=3 * POLL_S)
        assert not waiting.done()
        await first.settle("a")
        await asyncio.wait_for(waiting, 10)
        canceled = asyncio.ensure_future(first.turn("c", "public", "key"))
        await asyncio.sleep(POLL_S / 2)
        canceled.cancel()
        await asyncio.wait({canceled})
        await first.settle("c")
        await other.settle("b")
        await asyncio.wait_for(first.turn("d", "public", "key"), 10)
        waiting = asyncio.ensure_future(other.turn("e", "public", "key"))
        await asyncio.wait({waiting}, timeout=3 * POLL_S)
        assert not waiting.done()
        dying.drop("equal-public-key")  # as the end of its process does
        await asyncio.wait_for(waiting, 10)

    asyncio.run(turns())


def operation(**changes: Any) -> Operation:
    declared: dict[str, Any] = {"summary": "s", "params": Bad, "result": Done, "inputs": {"first": Kind.JSON}, "run": dice}
    return Operation(**declared | {"name": "misbehaving.dice", "example": Bad()} | changes)


@pytest.fixture
def memory(tmp_path: Path) -> ResultMemory:
    engine = connect("", tmp_path)
    make_tables(engine)
    return ResultMemory(History(engine), MediaStore(tmp_path / "media", ttl_s=1000), ModelFolder(tmp_path / "models"))


def added(memory: ResultMemory, text: str, name: str = "a.json") -> str:
    with memory.media.incoming() as incoming:
        incoming.content.write_text(text)
        kind = {"kind": Kind.JSON, "content_type": "application/json", "suffix": ".json"}
        return memory.media.publish(incoming, NewMedium(owner="public", name=name, source="upload", media=None, **kind)).id


def test_the_key_names_everything_that_a_result_depends_on(memory: ResultMemory) -> None:
    def key(media: Any, declared: Operation | None = None, **params: Any) -> str | None:
        return memory.key(declared or operation(), owner="public", inputs={"first": media}, params=params)

    first, same, renamed, other = added(memory, "1"), added(memory, "1"), added(memory, "1", "b.json"), added(memory, "2")
    assert key(first, tag="x") == key(same, tag="x") == key(renamed, tag="x")
    different = [
        key(first),
        key(other),
        key(first, tag="x"),
        key([first, first]),
        key([first]),
        key(first, operation(version=2)),
        key(None),
    ]
    assert None not in different
    assert len(set(different)) == len(different)
    assert key([first, other]) != key([other, first])
    named = operation(names_inputs=True)
    assert key(first, named) == key(same, named) != key(renamed, named)
    assert key(first, operation(remembered=False)) is None
    assert key(new_id()) is None, "an input that is gone"


def test_the_key_changes_with_the_models_of_the_service(memory: ResultMemory) -> None:
    model = next(model for model in memory.models.catalog if not model.package)
    declared = operation(name=f"{model.services[0]}.x")

    def key() -> str | None:
        return memory.key(declared, owner="public", inputs={}, params={})

    before = key()
    for file in model.files:
        path = memory.models.path(model, file)
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as out:
            out.truncate(file.size or 1)  # sparse
    installed = key()
    assert installed != before
    path.touch()
    assert key() not in (before, installed)


def test_a_database_of_an_earlier_release_is_extended(tmp_path: Path) -> None:
    """Tables get new columns and indexes; earlier jobs stay, but not as remembered results."""
    engine = connect("", tmp_path)
    make_tables(engine)
    engine.dispose()
    with sqlite3.connect(tmp_path / "jobs.sqlite") as old:
        for index in ("reelwright_jobs_by_result", "reelwright_jobs_by_operation"):
            old.execute(f"DROP INDEX {index}")
        for column in ("cache", "cached", "result_key", "version"):
            old.execute(f"ALTER TABLE reelwright_jobs DROP COLUMN {column}")
        row = {"id": "1", "owner": "public", "service": "s", "operation": "s.o", "status": "succeeded", "priority": 50, "created_at": 1.0}
        row |= {name: json.dumps({}) for name in ("inputs", "params", "metadata", "outputs")}
        row |= {"warnings": "[]", "fingerprint": "f", "attempt": 1, "interrupted": 0, "expires_at": 9e9, "metrics": '{"run_s": 3}'}
        old.execute(f"INSERT INTO reelwright_jobs ({','.join(row)}) VALUES ({','.join('?' * len(row))})", list(row.values()))
    engine = connect("", tmp_path)
    make_tables(engine)
    make_tables(engine)
    ledger = Ledger(engine, job_ttl_s=1000)
    assert not ledger.get("public", "1").cached
    assert History(engine).remembered("public", "f") == []
    assert [run.run_s for run in History(engine).past_runs("s.o")] == [3]
    with engine.connect() as connection:
        indexes = {row[0] for row in connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'index'")}
    assert {"reelwright_jobs_by_result", "reelwright_jobs_by_operation"} <= indexes
    engine.dispose()


def test_jobs_that_reused_a_result_do_not_hide_the_run_times_of_others(tmp_path: Path) -> None:
    engine = connect("", tmp_path)
    make_tables(engine)
    always = {"owner": "public", "service": "s", "operation": "s.o", "status": "succeeded", "priority": 50, "created_at": 1.0}
    always |= {"inputs": {}, "params": {}, "metadata": {}, "fingerprint": "f"}
    jobs = [always | {"id": "0", "cached": False, "metrics": {"run_s": 3.0}}]
    jobs += [always | {"id": str(number), "cached": True, "metrics": {"run_s": 0.0}} for number in range(1, PAST_RUNS + 2)]
    with engine.begin() as connection:
        connection.execute(sa.insert(JOBS), jobs)
    assert [run.run_s for run in History(engine).past_runs("s.o")] == [3.0]
    engine.dispose()
