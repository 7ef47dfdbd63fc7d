"""Lost contact with the database: only processes that run jobs must end."""

import queue
import time

import pytest

from shared.jobs.running import takeover
from shared.jobs.running.takeover import LOST_THE_LOCK, Lifeline


class Away:
    """Locks whose database does not answer."""

    grace_s = 8.0

    def take(self, name: str) -> bool:
        return True

    def drop(self, name: str) -> None:
        pass

    def confirm(self, own: str, *, lease_s: int) -> None:
        raise OSError("it is away")


@pytest.mark.parametrize("busy", [True, False])
def test_without_a_database_only_a_process_with_jobs_ends(
    busy: bool, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    exits: list[int] = []
    monkeypatch.setattr(takeover, "GIVE_UP_S", 0.3)
    monkeypatch.setattr(takeover.os, "_exit", exits.append)
    lifeline = Lifeline(Away())
    lifeline.start(owners=set, recover=lambda executor: None, busy=lambda: busy)
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
    lifeline.start(owners=set, recover=lambda executor: None, busy=lambda: time.monotonic() - began < 0.4)
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
    lifeline.start(owners=set, recover=lambda executor: None, busy=lambda: False)

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
