"""Jobs on Postgres: kills, takeover, and a database restart.

Runs if REELWRIGHT_TEST_POSTGRES is the URL of a server. The test of a restart also needs REELWRIGHT_TEST_POSTGRES_RESTART, a shell command
that restarts this server.
"""

import os
import signal
import subprocess
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa

from tests.misbehaving.server import Server
from tests.misbehaving.storm import Storm
from tests.waiting import within

POSTGRES = os.environ.get("REELWRIGHT_TEST_POSTGRES", "")
RESTART = os.environ.get("REELWRIGHT_TEST_POSTGRES_RESTART", "")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(600),
    pytest.mark.skipif(not POSTGRES, reason="REELWRIGHT_TEST_POSTGRES names no Postgres server"),
]


@pytest.fixture
def database() -> Iterator[str]:
    """Create an empty database; yield its URL."""
    name = f"reelwright_{uuid.uuid4().hex}"
    with psycopg.connect(POSTGRES, autocommit=True) as connection:
        connection.execute(f"create database {name}".encode())
    yield sa.make_url(POSTGRES).set(database=name).render_as_string(hide_password=False)
    with psycopg.connect(POSTGRES, autocommit=True) as connection:
        connection.execute(f"drop database {name} with (force)".encode())


@pytest.fixture
def pair(database: str, tmp_path: Path) -> Iterator[tuple[Server, Server]]:
    """Start two processes on one database."""
    first, other = (Server(tmp_path / "data", DATABASE_URL=database, CONCURRENCY="1").start() for _ in range(2))
    yield first, other
    for server in (first, other):
        server.close()
        within(2, lambda server=server: server.family() == {})
        assert server.serious() == []


def runs(server: Server) -> bool:
    return any("sleep 1000" in command for command in server.family().values())


def begins(log: Path) -> int:
    return log.read_text().count("begin")


@pytest.mark.parametrize("seed", [1, 2])
def test_many_kills_lose_nothing(pair: tuple[Server, Server], tmp_path: Path, seed: int) -> None:
    storm = Storm(servers=list(pair), log=tmp_path / "log", count=40, seconds=0.3, seed=seed)
    storm.rage(20)
    storm.check()
    assert pair[0].work() == []


def test_jobs_of_a_dead_process_are_taken_over(pair: tuple[Server, Server], tmp_path: Path) -> None:
    first, other = pair
    log = tmp_path / "log"
    jobs = [other.submit("steady", params={"tag": tag, "log": str(log), "seconds": 2})["id"] for tag in ("a", "b")]
    within(15, lambda: runs(first) and runs(other))
    first.kill()
    within(1, lambda: first.family() == {})
    within(20, lambda: begins(log) == 3)
    assert {other.wait(job)["status"] for job in jobs} == {"succeeded"}
    assert "overlap" not in log.read_text()
    first.start()


def test_a_process_frozen_for_too_long_loses_its_job_and_ends(pair: tuple[Server, Server], tmp_path: Path) -> None:
    # Postgres ends the session of the frozen process. None of its processes may continue to work when the other process begins the job.
    first, other = pair
    log = tmp_path / "log"
    job = first.submit("steady", params={"tag": "a", "log": str(log), "seconds": 25})["id"]
    within(15, lambda: runs(first) or runs(other))
    holder, watcher = (first, other) if runs(first) else (other, first)
    os.kill(holder.pid, signal.SIGSTOP)
    within(40, lambda: begins(log) == 2)
    assert not runs(holder)
    os.kill(holder.pid, signal.SIGCONT)
    assert holder.process.wait(5) == 70
    assert watcher.wait(job)["status"] == "succeeded"
    assert "overlap" not in log.read_text()
    holder.log[:] = [line for line in holder.log if "CRITICAL" not in line]


@pytest.mark.skipif(not RESTART, reason="REELWRIGHT_TEST_POSTGRES_RESTART names no command")
def test_a_restart_of_the_database_loses_nothing(pair: tuple[Server, Server], tmp_path: Path) -> None:
    first, other = pair
    log = tmp_path / "log"
    jobs = {tag: other.submit("steady", params={"tag": tag, "log": str(log), "seconds": 1})["id"] for tag in "abcdefgh"}
    within(15, lambda: runs(first) and runs(other))
    subprocess.run(RESTART, shell=True, check=True, timeout=60)
    for server in pair:
        time.sleep(0.5)
        if server.process.poll() is not None:  # it could not prove its life in time, and ended, so that the jobs can go on elsewhere
            assert server.process.returncode == 70
            server.kill()
            server.start()
    within(15, lambda: other.client.get("/ready").status_code == 200)
    assert {tag: other.wait(job)["status"] for tag, job in jobs.items()} == dict.fromkeys(jobs, "succeeded")
    assert "overlap" not in log.read_text()
    for server in pair:
        server.log[:] = [line for line in server.log if "CRITICAL" not in line and "dbos" not in line and not line.startswith("Traceback")]
