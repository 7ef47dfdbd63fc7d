"""Reads of jobs: lists, events, deletion, owners."""

import asyncio
import json
import re
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from shared.jobs.client import Jobs
from shared.jobs.database.job_filter import JobFilter
from shared.settings import Settings
from tests.misbehaving.server import Server, serving_one

Sent = list[tuple[int, str, dict[str, Any]]]


def events(server: Server, job_id: str, after: int | None = None, at_most: int = 1000) -> Sent:
    """Return at most `at_most` events of a job, all or after the id `after`."""
    headers = {} if after is None else {"Last-Event-ID": str(after)}
    events: Sent = []
    with server.client.stream("GET", f"/v1/jobs/{job_id}/events", headers=headers) as answer:
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/event-stream")
        text = ""
        for part in answer.iter_text():
            *whole, text = (text + part).split("\n\n")
            for block in whole:
                if not block.startswith(":"):
                    fields = dict(line.split(": ", 1) for line in block.split("\n"))
                    events.append((int(fields["id"]), fields["event"], json.loads(fields["data"])))
            if len(events) >= at_most:
                break
    return events


@pytest.fixture(scope="module")
def followed(server: Server) -> tuple[str, Sent]:
    """Run a job of 1.6 seconds; return its id and events."""
    job = server.submit("succeed", params={"seconds": 1.6})["id"]
    return job, events(server, job)


def test_events_count_up_and_end_with_the_job(server: Server, followed: tuple[str, Sent]) -> None:
    job, sent = followed
    assert [number for number, _, _ in sent] == list(range(1, len(sent) + 1))
    assert [kind for _, kind, _ in sent] == ["progress"] * (len(sent) - 1) + ["succeeded"]
    assert sent[-1][2] == server.get(job)
    assert 3 <= len(sent) <= 8, "progress is told about twice a second"


def test_progress_never_goes_back_and_ends_at_one(followed: tuple[str, Sent]) -> None:
    fractions = [data["fraction"] for _, kind, data in followed[1] if kind == "progress"]
    assert fractions == sorted(fractions)
    assert len(set(fractions)) > 2
    assert fractions[-1] == 1
    assert fractions[0] < 0.5


def test_events_are_replayed_from_the_last_event_id(server: Server, followed: tuple[str, Sent]) -> None:
    job, sent = followed
    assert events(server, job) == sent
    for number in range(len(sent)):
        assert events(server, job, after=number) == sent[number:]
    for number in (len(sent), 999):  # nothing is left: an EventSource must not come back
        answer = server.client.get(f"/v1/jobs/{job}/events", headers={"Last-Event-ID": str(number)})
        assert (answer.status_code, answer.content) == (204, b"")


def test_a_broken_event_stream_resumes_without_gap_or_duplicate(server: Server) -> None:
    job = server.submit("succeed", params={"seconds": 1.2})["id"]
    first = events(server, job, at_most=2)[:2]
    rest = events(server, job, after=first[-1][0])
    assert [number for number, _, _ in first + rest] == list(range(1, len(first + rest) + 1))
    assert rest[-1][1] == "succeeded"


def test_events_end_with_the_failure_or_cancellation_of_a_job(server: Server) -> None:
    failed = server.run("refuse")
    assert [(kind, data["error"]["type"]) for _, kind, data in events(server, failed["id"])][-1] == ("failed", "/problems/broken-media")
    job = server.submit("deaf")["id"]
    server.wait(job, until=("running",))
    server.client.post(f"/v1/jobs/{job}/cancel")
    assert events(server, job)[-1][1] == "canceled"


@pytest.mark.parametrize("number", ["x", "-1", "1.5", "9" * 30])
def test_an_invalid_event_number_is_refused(server: Server, followed: tuple[str, Sent], number: str) -> None:
    assert server.client.get(f"/v1/jobs/{followed[0]}/events", headers={"Last-Event-ID": number}).status_code == 422


def test_an_unknown_job_gets_a_404(server: Server) -> None:
    for path in ("", "/events"):
        answer = server.client.get(f"/v1/jobs/{'0' * 26}{path}")
        assert answer.status_code == 404
        assert answer.json()["type"] == "/problems/unknown-job"
    assert server.client.delete(f"/v1/jobs/{'0' * 26}").status_code == 404


@pytest.fixture(scope="module")
def listed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, list[dict[str, Any]]]]:
    """Start a server with seven ended jobs.

    Yields the server and the jobs. The oldest job comes first.
    """
    with serving_one(tmp_path_factory.mktemp("listed")) as server:
        yield server, [server.run(operation) for operation in ("succeed", "refuse", "succeed", "refuse", "succeed", "succeed", "refuse")]


def page(server: Server, **query: Any) -> dict[str, Any]:
    answer = server.client.get("/v1/jobs", params=query)
    assert answer.status_code == 200, answer.text
    answered: dict[str, Any] = answer.json()
    return answered


def test_jobs_are_listed_newest_first_in_pages(listed: tuple[Server, list[dict[str, Any]]]) -> None:
    server, jobs = listed
    newest_first = [job["id"] for job in reversed(jobs)]
    whole = page(server)
    assert [job["id"] for job in whole["items"]] == newest_first
    assert whole["next_cursor"] is None
    assert whole["items"][0] == jobs[-1]
    ids, cursor, pages = [], None, 0
    while pages == 0 or cursor:
        answer_page = page(server, limit=3, **({"cursor": cursor} if cursor else {}))
        ids += [job["id"] for job in answer_page["items"]]
        cursor, pages = answer_page["next_cursor"], pages + 1
    assert ids == newest_first
    assert pages == 3
    first = page(server, limit=3)
    newer = server.run("succeed")["id"]
    following = page(server, limit=3, cursor=first["next_cursor"])
    assert [job["id"] for job in following["items"]] == newest_first[3:6], "a new job moves no page"
    assert server.client.delete(f"/v1/jobs/{newer}").status_code == 204


def test_jobs_are_filtered(listed: tuple[Server, list[dict[str, Any]]]) -> None:
    server, jobs = listed
    assert {job["id"] for job in page(server, status="failed")["items"]} == {job["id"] for job in jobs if job["status"] == "failed"}
    assert page(server, status="queued")["items"] == [] == page(server, service="speed-ramp")["items"]
    assert len(page(server, service="misbehaving")["items"]) == 7
    third = jobs[2]["created_at"]
    assert [job["id"] for job in page(server, created_before=third)["items"]] == [jobs[1]["id"], jobs[0]["id"]]
    assert jobs[3]["id"] in [job["id"] for job in page(server, created_after=third)["items"]]
    for query in ({"status": "lost"}, {"limit": 0}, {"limit": 501}, {"created_after": "yesterday"}):
        assert server.client.get("/v1/jobs", params=query).status_code == 422


def test_a_job_is_deleted_once_it_has_ended(server: Server) -> None:
    job = server.submit("deaf")["id"]
    server.wait(job, until=("running",))
    answer = server.client.delete(f"/v1/jobs/{job}")
    assert answer.status_code == 409
    assert "cancel it first" in answer.json()["detail"]
    assert server.get(job)["status"] == "running"
    server.client.post(f"/v1/jobs/{job}/cancel")
    assert server.client.delete(f"/v1/jobs/{job}").status_code == 204
    assert server.client.get(f"/v1/jobs/{job}").status_code == 404
    assert server.client.get(f"/v1/jobs/{job}/events").status_code == 404


@pytest.mark.parametrize(("query", "remaining"), [("", 1), ("?outputs=0", 1), ("?outputs=1", 0)])
def test_deleting_a_job_deletes_its_outputs_on_request(server: Server, query: str, remaining: int) -> None:
    job = server.run("succeed")
    folder = server.data_dir / "media" / "public" / job["outputs"]["file"]["id"]
    assert folder.is_dir()
    assert server.client.delete(f"/v1/jobs/{job['id']}{query}").status_code == 204
    assert folder.is_dir() == bool(remaining)


def test_outputs_that_another_job_reads_are_not_deleted(server: Server) -> None:
    job = server.run("succeed")
    media_id = job["outputs"]["file"]["id"]
    reader = server.submit("read", inputs={"first": media_id}, params={"seconds": 1})["id"]
    answer = server.client.delete(f"/v1/jobs/{job['id']}?outputs=1")
    assert answer.status_code == 409
    assert reader in answer.json()["detail"]
    assert server.wait(reader)["result"]["text"] == '{"tag": ""}'
    assert server.client.delete(f"/v1/jobs/{job['id']}?outputs=1").status_code == 204


def test_inputs_are_checked_before_a_job_is_made(server: Server) -> None:
    before = page(server, limit=1)["items"][0]["id"]
    for inputs in (
        {"first": "0" * 26},
        {"first": "../../etc/passwd"},
        {"first": server.run("succeed")["outputs"]["file"]["id"], "rest": ["1" * 26]},
    ):
        before = page(server, limit=1)["items"][0]["id"]
        for verb in ("jobs", "check"):
            answer = server.client.post(f"/read/{verb}", json={"inputs": inputs})
            assert answer.status_code == 404
            assert answer.json()["errors"][0]["field"] == ("inputs.rest" if "rest" in inputs else "inputs.first")
        assert page(server, limit=1)["items"][0]["id"] == before


def test_keys_keep_owners_apart(tmp_path: Path) -> None:
    keys = "alice-alice-alice-alice-alice", "bob-bob-bob-bob-bob-bob-bob"
    alice, bob = {"X-API-Key": keys[0]}, {"Authorization": f"Bearer {keys[1]}"}
    with serving_one(tmp_path, API_KEYS=",".join(keys)) as server:
        client = server.client
        for headers in (
            {},
            {"X-API-Key": "wrong"},
            {"Authorization": "Bearer alice"},
            {"Authorization": f"Basic {keys[0]}"},
        ):
            for path in ("/v1/jobs", f"/v1/jobs/{'0' * 26}", "/operations", "/metrics"):
                answer = client.get(path, headers=headers)
                assert answer.status_code == 401
                assert answer.headers["www-authenticate"] == "Bearer"
            assert client.post("/succeed/jobs", json={"inputs": {}}, headers=headers).status_code == 401
        assert client.get("/health").status_code == 200
        hers = client.post("/succeed/jobs", json={"inputs": {}}, headers=alice | {"Prefer": "wait=30", "Idempotency-Key": "k"}).json()
        assert hers["status"] == "succeeded"
        assert client.get(f"/v1/jobs/{hers['id']}", headers=alice).status_code == 200
        for method, path in (("GET", ""), ("GET", "/events"), ("POST", "/cancel"), ("DELETE", "")):
            assert client.request(method, f"/v1/jobs/{hers['id']}{path}", headers=bob).status_code == 404
        assert client.get("/v1/jobs", headers=bob).json()["items"] == []
        medium = hers["outputs"]["file"]["id"]
        assert client.post("/read/check", json={"inputs": {"first": medium}}, headers=alice).status_code == 200
        assert client.post("/read/check", json={"inputs": {"first": medium}}, headers=bob).status_code == 404
        his = client.post("/succeed/jobs", json={"inputs": {}}, headers=bob | {"Idempotency-Key": "k"})
        assert his.status_code == 202, "keys of idempotency belong to their owner"
        assert his.json()["id"] != hers["id"], "keys of idempotency belong to their owner"
        assert not re.search("alice-alice|bob-bob", json.dumps(client.get("/v1/jobs", headers=alice).json()) + "".join(server.log))


async def test_reads_do_not_wait_behind_writes(tmp_path: Path) -> None:
    # Writes take the threads of the event loop: here all of them, until the read has ended.
    jobs, ended = Jobs(Settings(data_dir=tmp_path)), threading.Event()
    jobs.store.open()
    loop = asyncio.get_running_loop()
    loop.set_default_executor(ThreadPoolExecutor(1))
    write = asyncio.create_task(asyncio.to_thread(ended.wait, 60))
    await asyncio.sleep(0)
    try:
        assert await asyncio.wait_for(jobs.page("public", JobFilter()), 30) == ([], None)
        assert not write.done()
    finally:
        ended.set()
        await write
        jobs.store.close()
