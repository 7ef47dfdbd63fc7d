"""Killed processes: no accepted job is lost, and none runs twice at once."""

import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from tests.misbehaving.server import Server, serving_one
from tests.misbehaving.storm import Storm
from tests.waiting import within

WAITING = {"Prefer": "wait=60"}


def storm(tmp_path: Path, *, count: int, seconds: float, kills: int, seed: int, processes: int = 1) -> Storm:
    """Run a stress test that kills processes, on SQLite; check and return it."""
    servers = [Server(tmp_path / "data", CONCURRENCY="2").start() for _ in range(processes)]
    try:
        raging = Storm(servers=servers, log=tmp_path / "log", count=count, seconds=seconds, seed=seed)
        raging.rage(kills)
        raging.check()
        assert servers[0].work() == []
    finally:
        for server in servers:
            server.close()
    for server in servers:
        within(2, lambda server=server: server.family() == {})
        assert server.serious() == []
    return raging


def test_a_few_kills_lose_nothing(tmp_path: Path) -> None:
    storm(tmp_path, count=10, seconds=0.2, kills=4, seed=1)


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("seed", [2, 3, 4])
def test_many_kills_lose_nothing(tmp_path: Path, seed: int) -> None:
    storm(tmp_path, count=60, seconds=0.3, kills=30, seed=seed)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_many_kills_among_two_processes_lose_nothing(tmp_path: Path) -> None:
    storm(tmp_path, count=60, seconds=0.3, kills=30, seed=5, processes=2)


@pytest.mark.slow
def test_a_killed_server_leaves_no_process_and_its_job_continues(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with serving_one(tmp_path / "data", CONCURRENCY="1") as server:
        first = server.submit("steady", params={"tag": "a", "log": str(log), "seconds": 1})["id"]
        second = server.submit("steady", params={"tag": "b", "log": str(log)})["id"]
        server.wait(first, until=("running",))
        within(5, lambda: any("sleep" in command for command in server.family().values()))
        server.kill()
        assert within(1, lambda: server.family() == {}) < 1
        server.start()
        assert server.wait(first)["metrics"]["attempts"] == 2
        assert server.wait(second)["metrics"]["attempts"] == 1
        assert sorted(log.read_text().splitlines()) == ["begin a", "begin a", "begin b", "end a", "end b"]


def test_sigterm_ends_the_server_soon_and_its_jobs_continue(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with serving_one(tmp_path / "data", CONCURRENCY="2") as server:
        params = [{"tag": str(number), "log": str(log), "seconds": 0.5} for number in range(6)]
        ids = [server.submit("steady", params=values)["id"] for values in params]
        server.wait(ids[1], until=("running",))
        time.sleep(0.2)
        assert server.kill(signal.SIGTERM) < 9, "DBOS waits 10 s for a thread that does not end"
        assert server.process.returncode == 0
        assert server.family() == {}
        server.start()
        assert [server.wait(job_id)["status"] for job_id in ids] == ["succeeded"] * 6
        assert "overlap" not in log.read_text()


def test_a_job_whose_process_is_killed_runs_again(tmp_path: Path) -> None:
    with serving_one(tmp_path / "data") as server:
        job = server.submit("steady", params={"tag": "a", "log": str(tmp_path / "log"), "seconds": 0.7})["id"]
        within(10, lambda: (tmp_path / "log").exists())
        os.kill(server.workers()[0], signal.SIGKILL)
        assert server.wait(job)["status"] == "succeeded"
        assert (tmp_path / "log").read_text().split("\n") == ["begin a", "begin a", "end a", ""]


def test_an_event_stream_does_not_delay_the_shutdown(tmp_path: Path) -> None:
    """SIGTERM ends a server within 4 s.

    It has an event stream and a waiting request.
    """
    with serving_one(tmp_path / "data") as server:
        job = server.submit("succeed", params={"seconds": 30})["id"]
        with server.client.stream("GET", f"/v1/jobs/{job}/events") as events, ThreadPoolExecutor(1) as other:
            held = other.submit(
                httpx.post, f"{server.url}/succeed/jobs", json={"inputs": {}, "params": {"seconds": 30}}, headers=WAITING, timeout=60
            )
            server.wait(job, until=("running",))
            time.sleep(0.5)
            server.process.send_signal(signal.SIGTERM)
            began = time.monotonic()
            server.process.wait(20)
            assert time.monotonic() - began < 4
            assert held.result().status_code == 202
            assert "succeeded" not in "".join(events.iter_text())
