"""Two processes on one database: each takes over the other's jobs if it dies."""

import os
import signal
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.misbehaving.server import Server, serving_one
from tests.waiting import within


def stopped(server: Server) -> bool:
    """Freeze the process of `server`.

    Returns whether others can still use the database. They cannot if the process was just writing to the database file: a frozen writer
    blocks all others.
    """
    os.kill(server.pid, signal.SIGSTOP)
    connection = sqlite3.connect(server.data_dir / "jobs.sqlite", timeout=0.3, isolation_level=None)
    try:
        connection.execute("begin immediate")
        connection.execute("rollback")
    except sqlite3.OperationalError:
        return False
    finally:
        connection.close()
    return True


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, Server]]:
    folder = tmp_path_factory.mktemp("pair")
    with serving_one(folder, CONCURRENCY="1") as first, serving_one(folder, CONCURRENCY="1") as other:
        yield first, other


def runs(server: Server) -> bool:
    return any("sleep 1000" in command for command in server.family().values())


def test_both_processes_run_jobs(pair: tuple[Server, Server], tmp_path: Path) -> None:
    first, other = pair
    params = {"log": str(tmp_path / "log"), "seconds": 1.5}
    jobs = [first.submit("steady", params=params | {"tag": tag})["id"] for tag in ("a", "b")]
    within(15, lambda: runs(first) and runs(other))
    assert {other.wait(job)["status"] for job in jobs} == {"succeeded"}
    assert first.get(jobs[0]) == other.get(jobs[0])


def test_jobs_of_a_dead_process_are_taken_over(pair: tuple[Server, Server], tmp_path: Path) -> None:
    first, other = pair
    log = tmp_path / "log"
    jobs = [other.submit("steady", params={"tag": tag, "log": str(log), "seconds": 1})["id"] for tag in ("a", "b", "c", "d")]
    within(15, lambda: runs(first) and runs(other))
    first.kill()
    within(1, lambda: first.family() == {})
    began = time.monotonic()
    assert within(6, lambda: sum(line.startswith("begin") for line in log.read_text().splitlines()) >= 3) < 6
    ended = [other.wait(job) for job in jobs]
    assert {job["status"] for job in ended} == {"succeeded"}
    assert sorted(job["metrics"]["attempts"] for job in ended) == [1, 1, 1, 2]
    assert "overlap" not in log.read_text()
    assert time.monotonic() - began < 30
    first.start()
    assert other.work() == []


def test_a_job_says_that_it_waits_for_processes_of_a_dead_server(pair: tuple[Server, Server], tmp_path: Path) -> None:
    first, other = pair
    log = tmp_path / "log"
    job = first.submit("steady", params={"tag": "a", "log": str(log), "seconds": 1})
    within(15, lambda: runs(first) or runs(other))
    holder, watcher = (first, other) if runs(first) else (other, first)
    guards = [pid for pid, command in holder.family().items() if "guard.py" in command]
    for guard in guards:
        os.kill(guard, signal.SIGSTOP)  # stands for a guard that waits for a child in the kernel
    try:
        holder.kill()
        within(40, lambda: "has ended" in watcher.client.get(job["urls"]["log"]).text)
        assert watcher.get(job["id"])["status"] == "running"
    finally:
        for guard in guards:
            os.kill(guard, signal.SIGCONT)
    assert watcher.wait(job["id"])["status"] == "succeeded"
    assert "overlap" not in log.read_text()
    [sentence] = [line for line in watcher.log if f"job {job['id']}: The server that ran the job has ended." in line]
    assert any(f"process {guard} (" in sentence for guard in guards)
    holder.start()


def test_what_a_dead_servers_child_started_ends_before_its_job_goes_on(pair: tuple[Server, Server], tmp_path: Path) -> None:
    """A child's process ends before the takeover starts its job again.

    A guard and then its server are killed, so only the takeover can end that process.
    """
    first, other = pair
    log = tmp_path / "log"
    job = first.submit("steady", params={"tag": "a", "log": str(log), "seconds": 1})
    within(15, lambda: runs(first) or runs(other))
    holder, watcher = (first, other) if runs(first) else (other, first)
    os.kill(holder.pid, signal.SIGSTOP)  # so that it cannot end it
    for pid, command in holder.family().items():
        if "guard.py" in command:
            os.kill(pid, signal.SIGKILL)
    within(5, lambda: [command for command in holder.family().values() if "shared.worker.child" in command] == [])
    assert runs(holder)
    holder.kill()
    assert watcher.wait(job["id"])["status"] == "succeeded"
    assert log.read_text().splitlines() == ["begin a", "begin a", "end a"]
    assert not runs(holder)
    holder.start()


def test_a_briefly_frozen_process_keeps_its_job(pair: tuple[Server, Server], tmp_path: Path) -> None:
    """A server frozen for 2.5 seconds keeps its job.

    The job runs only once. Its worker process continues meanwhile.
    """
    first, other = pair
    log = tmp_path / "log"
    job = first.submit("steady", params={"tag": "a", "log": str(log), "seconds": 1})["id"]
    within(15, lambda: runs(first) or runs(other))
    holder, watcher = (first, other) if runs(first) else (other, first)
    while not stopped(holder):
        os.kill(holder.pid, signal.SIGCONT)
        time.sleep(0.1)  # so that the process can end its transaction
    try:
        assert watcher.run("succeed")["status"] == "succeeded", "the other one works on"
        time.sleep(2.5)
        assert watcher.get(job)["status"] == "running"
    finally:
        os.kill(holder.pid, signal.SIGCONT)
    assert watcher.wait(job)["status"] == "succeeded"
    assert log.read_text().splitlines() == ["begin a", "end a"]
    assert watcher.get(job)["metrics"]["attempts"] == 1


@pytest.mark.slow
def test_a_process_that_shuts_down_hands_over_its_jobs(pair: tuple[Server, Server], tmp_path: Path) -> None:
    first, other = pair
    log = tmp_path / "log"
    jobs = [other.submit("steady", params={"tag": tag, "log": str(log), "seconds": 1})["id"] for tag in ("a", "b")]
    within(15, lambda: runs(first) and runs(other))
    assert first.kill(signal.SIGTERM) < 9
    assert {other.wait(job, 20)["status"] for job in jobs} == {"succeeded"}
    assert "overlap" not in log.read_text()
    first.start()
