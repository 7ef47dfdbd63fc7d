"""Canceling: a job's processes end within a second, and no file remains."""

import threading
import time
from pathlib import Path

import pytest
import sqlalchemy as sa

from shared.jobs.database.ledger import Ledger
from shared.jobs.database.tables import JOBS, connect, make_tables
from shared.jobs.record import Status
from tests.misbehaving.server import Server, serving_one
from tests.waiting import within


def cancel(server: Server, job_id: str) -> int:
    return server.client.post(f"/v1/jobs/{job_id}/cancel").status_code


def helpers(server: Server) -> list[str]:
    """Return the commands of processes that operations started."""
    return [command for command in server.family().values() if "shared.worker.child" not in command]


@pytest.mark.parametrize("operation", ["grandchild", "daemon", "deaf", "hold-the-gil", "stop-everybody"])
def test_a_running_job_is_canceled_within_a_second(server: Server, operation: str) -> None:
    job = server.submit(operation)["id"]
    server.wait(job, until=("running",))
    if operation in ("grandchild", "daemon"):
        within(10, lambda: helpers(server))
        before = set(server.family())
    else:
        within(10, server.workers)
        time.sleep(0.3)
        before = set()
    began = time.monotonic()
    answer = server.client.post(f"/v1/jobs/{job}/cancel")
    assert answer.status_code == 200
    assert answer.json()["status"] == "canceled"
    within(1, lambda: not helpers(server) and not (before & set(server.family())))
    within(1, lambda: server.work() == [])
    assert time.monotonic() - began < 1
    ended = server.get(job)
    assert ended["status"] == "canceled"
    assert ended["completed_at"]
    assert ended["outputs"] == {}
    assert ended["error"] is None
    assert cancel(server, job) == 200, "canceled twice is still canceled"
    time.sleep(0.3)
    assert server.get(job) == ended, "an ended job changed"


def test_a_waiting_job_never_starts(server: Server, tmp_path: Path) -> None:
    log = tmp_path / "log"
    busy = [server.submit("succeed", params={"seconds": 0.8})["id"] for _ in range(2)]
    waiting = server.submit("steady", params={"tag": "never", "log": str(log)})["id"]
    assert server.get(waiting)["status"] == "queued"
    assert cancel(server, waiting) == 200
    assert [server.wait(job)["status"] for job in busy] == ["succeeded"] * 2
    assert server.run("succeed")["status"] == "succeeded"
    canceled = server.get(waiting)
    assert canceled["status"] == "canceled"
    assert canceled["started_at"] is None
    assert canceled["queue_position"] is None
    assert not log.exists()


def test_an_ended_job_is_not_canceled(server: Server) -> None:
    for operation, status in (("succeed", "succeeded"), ("refuse", "failed")):
        job = server.run(operation)
        answer = server.client.post(f"/v1/jobs/{job['id']}/cancel")
        assert answer.status_code == 409
        assert answer.headers["content-type"] == "application/problem+json"
        assert f"has already {status}" in answer.json()["detail"]
        assert server.get(job["id"]) == job


def test_an_unknown_job_is_not_canceled(server: Server) -> None:
    assert cancel(server, "0" * 26) == 404
    assert cancel(server, "nonsense") == 404


@pytest.mark.slow
def test_a_race_with_success_has_one_winner(server: Server) -> None:
    """If a cancellation races with a success, answer, status and files agree.

    A canceled job leaves no medium.
    """
    outcomes = set()
    for number in range(16):
        job = server.submit("succeed", params={"tag": f"race-{number}", "seconds": 0.2})["id"]
        server.wait(job, until=("running", "succeeded"))
        time.sleep(0.1 + 0.015 * number)
        code = cancel(server, job)
        ended = server.get(job)
        outcomes.add(ended["status"])
        assert code == {"canceled": 200, "succeeded": 409}[ended["status"]]
        within(2, lambda: server.work() == [])
        time.sleep(0.3)
        files = [path for path in server.data_dir.glob("media/public/*/content.json") if f"race-{number}" in path.read_text().split('"')]
        assert len(files) == (1 if ended["status"] == "succeeded" else 0)
        assert server.get(job) == ended
    assert outcomes <= {"canceled", "succeeded"}


def test_many_cancels_at_once_agree(server: Server) -> None:
    job = server.submit("deaf")["id"]
    server.wait(job, until=("running",))
    codes: list[int] = []
    threads = [threading.Thread(target=lambda: codes.append(cancel(server, job))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert codes == [200] * 8


def test_a_process_that_does_not_run_the_job_cancels_it(server: Server) -> None:
    # A gateway may be the process that receives the request.
    with serving_one(server.data_dir, role="gateway") as gateway:
        job = server.submit("grandchild")["id"]
        gateway.wait(job, until=("running",))
        within(10, lambda: helpers(server))
        began = time.monotonic()
        assert cancel(gateway, job) == 200
        within(1, lambda: not helpers(server) and server.work() == [])
        assert time.monotonic() - began < 1
        assert server.get(job)["status"] == "canceled"
        through_it = gateway.submit("succeed")["id"]
        assert server.wait(through_it)["status"] == "succeeded"


def test_a_job_canceled_as_it_starts_stays_canceled(tmp_path: Path) -> None:
    # The job is canceled between the read and the write of its start. SQLite takes no lock for that.
    engine = connect("", tmp_path)
    make_tables(engine)
    ledger = Ledger(engine, job_ttl_s=1000)
    row = {"id": "1", "owner": "public", "service": "s", "operation": "s.o", "status": "queued", "priority": 50, "created_at": 1.0}
    row |= {name: {} for name in ("inputs", "params", "metadata", "outputs", "metrics")}
    row |= {"warnings": [], "fingerprint": "f", "attempt": 0, "interrupted": 0, "expires_at": 9e9}
    with engine.begin() as connection:
        connection.execute(JOBS.insert().values(**row))

    def cancel_once(*_: object) -> None:
        with engine.begin() as other:
            assert ledger.end(other, "1", Status.CANCELED)

    sa.event.listen(engine, "after_cursor_execute", cancel_once, once=True)
    assert ledger.begin("1") is None
    assert ledger.get("public", "1").status is Status.CANCELED
    engine.dispose()
