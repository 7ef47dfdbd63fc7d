"""Misbehaving operations: only their own jobs fail, with readable errors."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from shared.worker.sandbox import landlock
from tests.misbehaving.server import Server, serving_one
from tests.waiting import within

TIME_LIMIT_S = 12
"""Long enough for all other jobs, also on a busy machine: examining an output loads the video libraries."""
TIMEOUT = f"The job was stopped after {TIME_LIMIT_S} seconds, its time limit (REELWRIGHT_JOB_TIMEOUT_S)."
DIED = "Only this job is affected; the input may be damaged."
NO_SIGNALS = landlock.version() >= landlock.SCOPE_SINCE
FAILING = {
    "refuse": ("broken-media", "The file breaks off at second 3.2. Upload it again."),
    "stumble": ("operation-failed", "Unexpected error of the operation: ValueError: tsk"),
    "segfault": ("worker-crashed", f"The worker process crashed (SIGSEGV). {DIED}"),
    "abort": ("worker-crashed", f"The worker process crashed (SIGABRT). {DIED}"),
    "leave": ("worker-crashed", f"The worker process exited with code 3. {DIED}"),
    "leave-at-once": ("worker-crashed", f"The worker process exited with code 0. {DIED}"),
    "deaf": ("timed-out", TIMEOUT),
    "hold-the-gil": ("timed-out", TIMEOUT),
    "eat-memory": ("out-of-memory", "its limit is 400 MiB (REELWRIGHT_JOB_MEMORY_BYTES)."),
    "grandchild": ("timed-out", TIMEOUT),
    "daemon": ("timed-out", TIMEOUT),
    "daemon-and-crash": ("worker-crashed", "crashed (SIGABRT)"),
    "shoot-the-guard": ("operation-failed", "PermissionError") if NO_SIGNALS else ("worker-crashed", "was killed from outside"),
    "stop-everybody": ("timed-out", TIMEOUT),
    "huge": ("operation-failed", "write a file instead"),
    "wrong-result": ("operation-failed", "misbehaving.wrong-result returned a dict instead of a Done"),
    "broken-output": ("broken-media", "cannot be read as video"),
    "linked-output": ("operation-failed", "The operation wrote 'file.json', which is not a regular file."),
    "forge": ("operation-failed", "reported a wrong file type of its output 'file'. This is a defect of the operation, not of the input."),
    "close-the-line": ("worker-crashed", "closed its connection"),
    "babble": ("worker-crashed", "sent something else than a message"),
}
SUCCEEDING = ("succeed", "no-output", "leave-behind", "flood", "chatter", "fork", "background")
COUNTS = {"huge": 70_000_000, "flood": 20_000, "chatter": 1000}

Ended = dict[str, dict[str, Any]]


@pytest.fixture(scope="module")
def bad(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    settings = {"JOB_TIMEOUT_S": str(TIME_LIMIT_S), "JOB_MEMORY_BYTES": str(400 * 2**20), "CONCURRENCY": "4"}
    with serving_one(tmp_path_factory.mktemp("bad"), **settings) as server:
        yield server
        # The operations' own tracebacks are in the log, for whoever runs the server. Nothing else may be.
        server.log[:] = [line for line in server.log if not line.startswith("Traceback ")]


@pytest.fixture(scope="module")
def ended(bad: Server) -> Ended:
    """Run all operations at the same time.

    Returns the ended jobs by operation.
    """
    ids = {name: bad.submit(name, params={"count": COUNTS.get(name, 1)})["id"] for name in (*FAILING, *SUCCEEDING)}
    return {name: bad.wait(job_id, 110) for name, job_id in ids.items()}


@pytest.mark.parametrize("name", FAILING)
def test_a_misbehaving_operation_fails_its_job_with_a_readable_error(ended: Ended, name: str) -> None:
    job, (kind, sentence) = ended[name], FAILING[name]
    assert job["status"] == "failed"
    assert job["error"]["type"] == f"/problems/{kind}"
    assert sentence in job["error"]["detail"]
    assert job["error"]["title"]
    assert "Traceback" not in job["error"]["detail"]
    assert job["outputs"] == {}
    assert job["result"] is None
    assert job["completed_at"]
    assert job["expires_at"]


@pytest.mark.parametrize("name", SUCCEEDING)
def test_an_operation_that_did_its_work_succeeds(ended: Ended, name: str) -> None:
    assert ended[name]["status"] == "succeeded"
    assert ended[name]["progress"]["fraction"] == 1
    assert set(ended[name]["outputs"]) == ({"file"} if name == "succeed" else set())


def test_a_flood_of_warnings_is_bounded(ended: Ended) -> None:
    warnings = ended["flood"]["warnings"]
    assert len(warnings) == 51
    assert warnings[:2] == ["warning 0 of a great many", "the same again"]
    assert warnings[-1] == "Further warnings were left out."


def test_the_peak_memory_is_reported(ended: Ended) -> None:
    assert 10 * 2**20 < ended["succeed"]["metrics"]["peak_memory_bytes"] < 400 * 2**20


@pytest.mark.usefixtures("ended")
def test_afterwards_the_next_jobs_run_and_nothing_is_left(bad: Server) -> None:
    following = [bad.submit("succeed", params={"tag": str(number)})["id"] for number in range(8)]
    jobs = [bad.wait(job_id) for job_id in following]
    assert [job["status"] for job in jobs] == ["succeeded"] * 8
    assert [job["result"] for job in jobs] == [{"text": "done"}] * 8
    assert {tuple(job["warnings"]) for job in jobs} == {()}, "a thread of an ended job speaks for another"
    assert bad.work() == []
    commands = sorted(bad.family().values())
    assert len(commands) <= 8, commands
    assert all("shared.worker.child" in command for command in commands), commands
    assert bad.client.get("/ready").status_code == 200


def test_the_environment_of_the_server_is_hidden(tmp_path: Path) -> None:
    secrets = {"API_KEYS": "open-sesame-open-sesame-open", "WEBHOOK_SECRET": "whsec_c2VjcmV0c2VjcmV0c2VjcmV0"}
    with serving_one(tmp_path, **secrets) as server:
        server.client.headers["X-API-Key"] = "open-sesame-open-sesame-open"
        job = server.run("environment")
        [content] = tmp_path.glob(f"media/*/{job['outputs']['file']['id']}/content.json")
        text = content.read_text()
        assert "PATH=" in text
        for word in ("open-sesame", "whsec_", "API_KEYS", "DATABASE_URL"):
            assert word not in text
        assert '"sockets": 1' in text, "the child holds connections of the server"
        within(2, lambda: server.work() == [])
