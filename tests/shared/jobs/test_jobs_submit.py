"""Job submission: idempotency, waiting, full queues, priorities, concurrency."""

import itertools
import threading
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.misbehaving.server import Server, serving_one


def test_a_submitted_job_is_returned_as_accepted(server: Server) -> None:
    answer = server.post("succeed", params={"tag": "x"}, metadata={"mine": [1, None]})
    job = answer.json()
    assert answer.status_code == 202
    assert answer.headers["location"] == f"/v1/jobs/{job['id']}" == job["urls"]["self"]
    assert job["status"] in ("queued", "running")
    assert job["metadata"] == {"mine": [1, None]}
    assert job["params"] == {"seconds": 0.0, "tag": "x", "log": "", "count": 1}, "defaults are filled in"
    ended = server.wait(job["id"])
    assert ended["created_at"] <= ended["started_at"] <= ended["completed_at"] < ended["expires_at"]
    assert ended["outputs"]["file"]["source"] == job["id"]
    assert ended["metrics"]["attempts"] == 1
    assert ended["metrics"]["run_s"] >= 0
    assert ended["metrics"]["queue_s"] >= 0


def test_the_same_key_gets_the_first_answer(server: Server) -> None:
    first, again = (server.post("succeed", params={"tag": "k"}, headers={"Idempotency-Key": "key-1"}) for _ in range(2))
    assert (first.status_code, again.status_code) == (202, 202)
    assert first.json()["id"] == again.json()["id"]
    server.wait(first.json()["id"])
    later = server.post("succeed", params={"tag": "k"}, headers={"Idempotency-Key": "key-1"})
    assert later.json()["id"] == first.json()["id"]
    assert later.json()["status"] == "succeeded"


@pytest.mark.parametrize("other", [{"params": {"tag": "another"}}, {"metadata": {"a": 1}}, {"priority": "high"}])
def test_the_same_key_with_another_request_is_refused(server: Server, other: dict[str, Any]) -> None:
    key = {"Idempotency-Key": f"key-{list(other)}"}
    server.post("succeed", headers=key)
    answer = server.post("succeed", headers=key, **other)
    assert answer.status_code == 422
    assert answer.json()["type"] == "/problems/idempotency-mismatch"
    assert "Send a different key" in answer.json()["detail"]
    assert server.post("refuse", headers=key).status_code == 422, "another operation"


def test_the_same_key_at_the_same_time_makes_one_job(server: Server) -> None:
    answers: list[httpx.Response] = []
    threads = [
        threading.Thread(target=lambda: answers.append(server.post("succeed", headers={"Idempotency-Key": "together"}))) for _ in range(10)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.json()["id"] for answer in answers}) == 1


@pytest.mark.parametrize("prefer", ["wait=30", "respond-async, wait=30", 'wait = "30"'])
def test_waiting_returns_the_ended_job(server: Server, prefer: str) -> None:
    answer = server.post("succeed", headers={"Prefer": prefer})
    assert answer.status_code == 200
    assert answer.headers["preference-applied"] == "wait=30"
    assert answer.json()["status"] == "succeeded"


def test_waiting_ends_in_time(server: Server) -> None:
    began = time.monotonic()
    answer = server.post("succeed", params={"seconds": 2}, headers={"Prefer": "wait=1"})
    assert 0.9 < time.monotonic() - began < 1.9
    assert answer.status_code == 202
    assert answer.json()["status"] in ("queued", "running")
    assert server.post("succeed", headers={"Prefer": "wait=0"}).status_code in (200, 202)
    assert server.post("succeed", headers={"Prefer": "wait=3600"}).headers["preference-applied"] == "wait=60"


@pytest.mark.parametrize("prefer", ["", "wait", "wait=soon", "wait=-1", "return=minimal", "await=5"])
def test_an_invalid_preference_is_ignored(server: Server, prefer: str) -> None:
    answer = server.post("succeed", headers={"Prefer": prefer})
    assert answer.status_code == 202
    assert "preference-applied" not in answer.headers


def test_a_full_queue_refuses_jobs_and_accepts_them_later(tmp_path: Path) -> None:
    with serving_one(tmp_path, CONCURRENCY="1", QUEUE_LIMIT="3") as server:
        running = server.submit("succeed", params={"seconds": 1.5})["id"]
        server.wait(running, until=("running",))
        waiting = [server.submit("succeed")["id"] for _ in range(3)]
        assert [server.get(job)["queue_position"] for job in waiting] == [1, 2, 3]
        answer = server.post("succeed", headers={"Idempotency-Key": "later"})
        assert answer.status_code == 429
        assert int(answer.headers["retry-after"]) > 0
        assert answer.json()["type"] == "/problems/queue-full"
        assert "REELWRIGHT_QUEUE_LIMIT" in answer.json()["detail"]
        for job in (running, *waiting):
            assert server.wait(job)["status"] == "succeeded"
        assert server.post("succeed", headers={"Idempotency-Key": "later"}).status_code == 202, "a refused key is free"


def test_priorities_and_concurrency_are_kept(tmp_path: Path) -> None:
    # In DBOS, 0 is the highest priority, and the oldest job goes first.
    with serving_one(tmp_path, CONCURRENCY="1") as server:
        first = server.submit("succeed", params={"seconds": 1})["id"]
        server.wait(first, until=("running",))
        order = ("low", "normal", "high", "normal", "high", "low")
        jobs = [server.submit("succeed", priority=rank)["id"] for rank in order]
        assert [server.get(job)["queue_position"] for job in jobs] == [5, 3, 1, 4, 2, 6]
        ended = [server.wait(job) for job in jobs]
        began = sorted(ended, key=lambda job: job["started_at"])
        assert [job["priority"] for job in began] == ["high", "high", "normal", "normal", "low", "low"]
        assert [job["id"] for job in began] == [jobs[index] for index in (2, 4, 1, 3, 0, 5)]
        assert all(job["completed_at"] <= next_one["started_at"] for job, next_one in itertools.pairwise(began))


def test_no_more_than_the_concurrency_run_at_once(server: Server) -> None:
    jobs = [server.submit("succeed", params={"seconds": 0.3})["id"] for _ in range(6)]
    ended = [server.wait(job) for job in jobs]
    moments = sorted((job[edge], step) for job in ended for edge, step in (("started_at", 1), ("completed_at", -1)))
    at_once = [sum(step for _, step in moments[: index + 1]) for index in range(len(moments))]
    assert max(at_once) == 2


def test_an_invalid_body_is_refused_naming_each_field(server: Server) -> None:
    bodies = {
        "params.seconds": {"inputs": {}, "params": {"seconds": -1}},
        "params.speed": {"inputs": {}, "params": {"speed": 2}},
        "inputs.video": {"inputs": {"video": "0" * 26}},
        "priority": {"inputs": {}, "priority": "urgent"},
        "webhook.url": {"inputs": {}, "webhook": {"url": "ftp://example.org/"}},
        "surprise": {"inputs": {}, "surprise": 1},
        "inputs": {"params": {}},
    }
    for field, body in bodies.items():
        for verb in ("jobs", "check"):
            answer = server.client.post(f"/succeed/{verb}", json=body)
            assert answer.status_code == 422, field
            assert answer.headers["content-type"] == "application/problem+json"
            assert [error["field"] for error in answer.json()["errors"]] == [field]
    assert server.client.post("/succeed/jobs", content=b"{", headers={"Content-Type": "application/json"}).status_code == 422
    assert server.client.post("/no-such/jobs", json={}).status_code == 404
