"""Behaviour of DBOS 3.4.0 that `shared/jobs` depends on.

A new version may change any of it.
"""

import importlib.metadata
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from dbos import DBOSClient

from shared.jobs.database import dbos_setup
from shared.jobs.database.tables import connect, make_tables
from shared.jobs.record import PRIORITIES
from shared.jobs.running import takeover
from shared.jobs.running.locks import GRACE_S, LEASE_S, FileLocks
from tests.misbehaving.server import Server, serving_one
from tests.waiting import within

COLUMNS = "workflow_uuid, name, status, queue_name, executor_id, application_version, serialization, priority, recovery_attempts"


@pytest.fixture(scope="module")
def inside(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving_one(tmp_path_factory.mktemp("inside"), CONCURRENCY="1") as server:
        yield server


def workflows(server: Server) -> dict[str, sqlite3.Row]:
    """Return DBOS's record of each job, by job id."""
    connection = sqlite3.connect(f"file:{server.data_dir / 'jobs.sqlite'}?mode=ro", uri=True)
    connection.row_factory = sqlite3.Row
    try:
        return {row["workflow_uuid"]: row for row in connection.execute(f"select {COLUMNS} from workflow_status")}
    finally:
        connection.close()


def test_the_version_is_pinned() -> None:
    assert importlib.metadata.version("dbos") == "3.4.0"


def test_jobs_do_not_depend_on_the_version_of_the_source_and_no_pickle_is_kept(inside: Server) -> None:
    job = inside.run("succeed")["id"]
    row = workflows(inside)[job]
    assert row["application_version"] == dbos_setup.VERSION == "1", "the default is a hash of the source"
    assert row["serialization"] == "portable_json", "the default is pickle"
    within(5, lambda: workflows(inside)[job]["status"] == "SUCCESS")


def test_each_process_has_an_executor_id_of_its_own(inside: Server) -> None:
    job = inside.run("succeed")["id"]
    first = workflows(inside)[job]["executor_id"]
    with serving_one(inside.data_dir, role="worker") as other:
        running = inside.submit("succeed", params={"seconds": 0.5})["id"], inside.submit("succeed", params={"seconds": 0.5})["id"]
        for job in running:
            inside.wait(job)
        ids = {workflows(inside)[job]["executor_id"] for job in running}
        assert other.pid != inside.pid
    assert all(name.startswith("reelwright-") and name != "local" for name in ids | {first})


def test_a_higher_priority_has_a_lower_number_above_zero() -> None:
    assert 0 < PRIORITIES["high"] < PRIORITIES["normal"] < PRIORITIES["low"]


def test_many_recoveries_do_not_end_a_job(inside: Server) -> None:
    # DBOS gives up a workflow after 100 recoveries by default. A job whose server restarts often must not be lost this way.
    blocker = inside.submit("succeed", params={"seconds": 1.5})["id"]
    waiting = inside.submit("succeed")["id"]
    with sqlite3.connect(inside.data_dir / "jobs.sqlite", timeout=10) as connection:
        connection.execute("update workflow_status set recovery_attempts = 500 where workflow_uuid = ?", (waiting,))
    connection.close()
    assert [inside.wait(job)["status"] for job in (blocker, waiting)] == ["succeeded"] * 2


def test_an_unregistered_workflow_does_no_harm(inside: Server) -> None:
    # An unregistered workflow waits for ever, so none is ever enqueued.
    database = connect("", inside.data_dir)
    client = DBOSClient(system_database_engine=database, application_name=dbos_setup.APPLICATION)
    try:
        handle = client.enqueue({"queue_name": "misbehaving", "workflow_name": "no-such-workflow", "app_version": dbos_setup.VERSION})
        assert inside.run("succeed")["status"] == "succeeded"
        assert inside.run("succeed")["status"] == "succeeded"
        client.cancel_workflow(handle.workflow_id)
    finally:
        client.destroy()
        database.dispose()
    inside.log[:] = [line for line in inside.log if "ERROR dbos" not in line and not line.startswith("Traceback")]


def test_a_job_and_its_place_in_the_queue_are_written_together(inside: Server) -> None:
    job = inside.submit("succeed", params={"seconds": 0.1})["id"]
    assert job in workflows(inside)
    inside.wait(job)
    assert inside.client.delete(f"/v1/jobs/{job}").status_code == 204
    assert job not in workflows(inside), "what is forgotten is forgotten by DBOS, too"


def test_the_database_is_set_up_for_many_processes(tmp_path: Path) -> None:
    database = connect("", tmp_path)
    make_tables(database)
    with database.connect() as connection:
        assert connection.scalar(sa.text("pragma journal_mode")) == "wal"
        assert connection.scalar(sa.text("pragma busy_timeout")) == 30000
        assert connection.scalar(sa.text("pragma foreign_keys")) == 1
    database.dispose()


def test_a_lock_has_one_holder_at_a_time(tmp_path: Path) -> None:
    first, other = FileLocks(tmp_path), FileLocks(tmp_path)
    assert first.take("a")
    assert not other.take("a")
    first.drop("a")
    assert other.take("a")
    assert not first.take("a")
    other.drop("a")
    assert list(tmp_path.iterdir()) == []


def test_a_frozen_process_gives_up_before_others_may_take_over() -> None:
    assert takeover.GIVE_UP_S + takeover.PING_S < LEASE_S < GRACE_S
    assert takeover.CHILD_LEASE_S + 2 * takeover.PING_S < LEASE_S + GRACE_S
