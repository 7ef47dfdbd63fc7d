"""Loss of the database: processes with jobs end; idle processes take their locks again."""

import os
import queue
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest
import sqlalchemy as sa

from shared.jobs.running import takeover
from shared.jobs.running.locks import LOST_THE_LOCK, FileLocks, PostgresLocks
from shared.jobs.running.takeover import Lifeline
from shared.worker import Limits
from shared.worker.slot import KEPT_OPEN, Slot


class Away:
    """Locks whose database does not answer."""

    grace_s = 8.0

    def take(self, name: str) -> bool:
        return True

    def drop(self, name: str) -> None:
        pass

    def pass_on(self, name: str) -> None:
        pass

    def outlives(self, name: str) -> bool:
        return False

    def holders(self, name: str) -> str:
        return ""

    def confirm(self, own: str, *, lease_s: int) -> None:
        raise OSError("it is away")


def ignore(*_: str) -> None:
    """Ignore the executor in the arguments."""


@pytest.mark.parametrize("busy", [True, False])
def test_without_a_database_only_a_process_with_jobs_ends(
    busy: bool, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    exits: list[int] = []
    monkeypatch.setattr(takeover, "GIVE_UP_S", 0.3)
    monkeypatch.setattr(takeover.os, "_exit", exits.append)
    lifeline = Lifeline(Away())
    lifeline.start(executors=set, recover=ignore, report=ignore, busy=lambda: busy)
    lifeline.hurry()
    time.sleep(1)
    lifeline.stop()
    assert set(exits) == ({LOST_THE_LOCK} if busy else set())
    caplog.clear()


def test_a_process_whose_job_has_just_ended_ends_without_a_database_too(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    # A process that was frozen may find its job's child process dead. It would then begin the job again, beside the process that took it
    # over.
    exits: list[int] = []
    monkeypatch.setattr(takeover, "GIVE_UP_S", 0.6)
    monkeypatch.setattr(takeover.os, "_exit", exits.append)
    began = time.monotonic()
    lifeline = Lifeline(Away())
    lifeline.start(executors=set, recover=ignore, report=ignore, busy=lambda: time.monotonic() - began < 0.4)
    lifeline.hurry()
    time.sleep(1.2)
    lifeline.stop()
    assert set(exits) == {LOST_THE_LOCK}
    caplog.clear()


def test_an_idle_process_proves_its_life_rarely_until_there_is_work(monkeypatch: pytest.MonkeyPatch) -> None:
    # The lock's lease is extended before the pause becomes long.
    leases: queue.Queue[int] = queue.Queue()

    class Recorded(Away):
        def confirm(self, own: str, *, lease_s: int) -> None:
            leases.put(lease_s)

    monkeypatch.setattr(takeover, "PING_S", 0.02)
    monkeypatch.setattr(takeover, "IDLE_PING_S", 60.0)
    monkeypatch.setattr(takeover, "ROUSED_S", 0.1)
    lifeline = Lifeline(Recorded())
    lifeline.start(executors=set, recover=ignore, report=ignore, busy=lambda: False)

    def until(lease_s: int) -> None:
        """Wait for a proof of life with the lease `lease_s`."""
        while leases.get(timeout=30) != lease_s:
            pass

    try:
        until(takeover.LEASE_S)
        until(takeover.IDLE_LEASE_S)
        lifeline.rouse()  # a job is queued somewhere: it looks often for a while
        until(takeover.LEASE_S)
        until(takeover.IDLE_LEASE_S)
        lifeline.hurry()  # this process takes a job
        leases.get(timeout=30)
    finally:
        lifeline.stop()


def test_processes_that_keep_the_lock_of_a_dead_server_are_reported_once(monkeypatch: pytest.MonkeyPatch) -> None:
    reports: queue.Queue[tuple[str, str]] = queue.Queue()
    looks: queue.Queue[str] = queue.Queue()

    class Outlived(Away):
        def take(self, name: str) -> bool:
            return name != "dead"

        def outlives(self, name: str) -> bool:
            looks.put(name)
            return True

        def holders(self, name: str) -> str:
            return "process 7 (dd)"

        def confirm(self, own: str, *, lease_s: int) -> None:
            pass

    monkeypatch.setattr(takeover, "PING_S", 0.02)
    monkeypatch.setattr(takeover, "LINGER_S", 0.2)
    lifeline = Lifeline(Outlived())
    lifeline.start(executors=lambda: {"dead"}, recover=ignore, busy=lambda: False, report=lambda *report: reports.put(report))
    try:
        assert reports.get(timeout=30) == ("dead", "process 7 (dd)")
        for _ in range(looks.qsize() + 5):
            looks.get(timeout=30)
    finally:
        lifeline.stop()
    assert reports.empty()


class Database:
    """Advisory locks of a database whose sessions can be ended: key -> session."""

    def __init__(self) -> None:
        self.holders: dict[int, Session] = {}

    def connect(self, *_arguments: object, **_options: object) -> "Session":
        return Session(self)


class Session:
    def __init__(self, database: Database) -> None:
        self.database, self.is_open = database, True

    def execute(self, query: bytes, values: tuple[Any, ...]) -> "Session":
        if not self.is_open:
            raise psycopg.OperationalError("the session has ended")
        holders, self.row = self.database.holders, (True,)
        if b"pg_try_advisory_lock" in query:
            self.row = (holders.setdefault(values[0], self) is self,)
        elif b"pg_advisory_unlock" in query:
            self.row = (holders.pop(values[0], None) is not None,)
        return self

    def fetchone(self) -> tuple[bool]:
        return self.row

    def end(self) -> None:
        self.is_open = False
        self.database.holders = {key: holder for key, holder in self.database.holders.items() if holder is not self}


def test_a_new_session_takes_all_locks_of_the_lost_one(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    database = Database()
    monkeypatch.setattr(takeover.psycopg, "connect", database.connect)
    url = sa.make_url("postgresql://localhost/none")
    ours, others = PostgresLocks(url), PostgresLocks(url)
    assert all(ours.take(name) for name in ("own", "equal", "dropped", "taken"))
    ours.drop("dropped")
    ours._session.end()
    assert others.take("taken")
    ours.confirm("own", lease_s=6)
    assert [others.take(name) for name in ("own", "equal", "dropped")] == [False, False, True]
    assert [record.getMessage() for record in caplog.records if "taken" in record.getMessage()] == [
        "the session of the database ended, and another process took the lock taken"
    ]
    ours.drop("equal")
    assert others.take("equal")
    caplog.clear()


async def test_the_lock_of_a_dead_server_is_held_until_its_children_have_ended(tmp_path: Path) -> None:
    # Otherwise another process begins the same job while a guard, which waits for a busy processor, still has to end the child.
    locks = FileLocks(tmp_path)
    lifeline = Lifeline(locks)
    slot = Slot(Limits(timeout_s=60, memory_bytes=2**30))
    await slot.prepare()
    folder = f"pathlib.Path({str(tmp_path)!r})"
    program = f"import pathlib; from shared.jobs.running.locks import FileLocks; print(FileLocks({folder}).outlives({lifeline.executor!r}))"

    def outlives() -> str:
        """Ask another process whether only guards hold the lock."""
        return subprocess.run((sys.executable, "-c", program), capture_output=True, text=True, check=True).stdout.strip()

    assert outlives() == "False"
    os.close(locks._held[lifeline.executor])  # as the kernel does with a dead server's
    KEPT_OPEN.clear()
    assert outlives() == "True"
    [child] = psutil.Process(slot._process.pid).children()
    assert str(tmp_path) not in " ".join(os.readlink(link) for link in Path(f"/proc/{child.pid}/fd").iterdir())  # untrusted work
    others = FileLocks(tmp_path)
    assert not others.take(lifeline.executor)
    assert f"process {slot._process.pid} (" in others.holders(lifeline.executor)
    await slot.kill()
    assert others.take(lifeline.executor)
    others.drop(lifeline.executor)
