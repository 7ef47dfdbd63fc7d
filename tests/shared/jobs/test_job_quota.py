"""The quota of unfinished jobs, at the level of the jobs table."""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa

from shared.errors import QuotaExceeded
from shared.jobs.database.job_quota import check_quota
from shared.jobs.database.rows import NewJob, StoredPreview
from shared.jobs.database.store import JobStore
from shared.jobs.database.tables import JOBS
from shared.jobs.view_names import view_key
from shared.media.ids import new_id
from shared.settings import Settings
from tests.shared.jobs.new_jobs import OWNER, new_job

POSTGRES = os.environ.get("REELWRIGHT_TEST_POSTGRES", "")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[JobStore]:
    """Open a job store with an empty SQLite database."""
    opened = JobStore(Settings(data_dir=tmp_path))
    opened.open()
    yield opened
    opened.close()


def pipeline() -> NewJob:
    return new_job(service="pipelines", operation="pipelines.run", version=None, inputs={})


def add(store: JobStore, job: NewJob, most_open: int | None) -> bool:
    """Insert a job; return False if the quota refuses it."""
    try:
        with store.engine.begin() as connection:
            store.ledger.add(connection, job, queue_limit=10_000, most_open=most_open)
    except QuotaExceeded as error:
        assert int(error.headers["Retry-After"]) > 0
        return False
    return True


def end(store: JobStore, job: NewJob) -> None:
    with store.engine.begin() as connection:
        connection.execute(JOBS.update().where(JOBS.c.id == job.id).values(status="succeeded"))


def test_a_quota_limits_the_unfinished_jobs_of_one_owner(store: JobStore) -> None:
    first = new_job()
    assert [add(store, job, 2) for job in (first, new_job(), new_job())] == [True, True, False]
    assert add(store, new_job(owner="k" + "1" * 16), 1), "other owners' jobs do not count"
    end(store, first)
    assert add(store, new_job(), 2)
    with store.engine.connect() as connection:
        counted = connection.scalar(sa.select(sa.func.count()).where(JOBS.c.owner == OWNER))
    assert counted == 3, "a refused job leaves no row"


def test_a_pipeline_counts_as_its_unfinished_steps(store: JobStore) -> None:
    whole = pipeline()
    steps = [new_job(metadata={"pipeline": whole.id, "step": name}) for name in "abc"]
    assert add(store, whole, 1)
    assert not add(store, new_job(), 1), "a pipeline counts before its first step"
    assert add(store, steps[0], 1), "the first step takes the place of its pipeline"
    assert not add(store, steps[1], 1), "a second step at the same time is one more job"
    assert not add(store, new_job(), 1)
    end(store, steps[0])
    assert not add(store, new_job(), 1), "between two steps the pipeline counts again"
    assert add(store, steps[1], 1)
    assert add(store, steps[2], 2)
    for job in (whole, *steps):
        end(store, job)
    assert add(store, new_job(), 1)


def test_a_job_counts_as_one_with_the_job_that_makes_its_input(store: JobStore) -> None:
    maker = new_job(listed=False)
    waiting = new_job(inputs={"video": "0" * 26, "matte": f"made:{maker.id}.alpha?"})
    assert add(store, maker, 1)
    assert add(store, waiting, 1)
    assert not add(store, new_job(), 1)
    assert not add(store, new_job(inputs=waiting.inputs), 1), "each job that waits counts"
    end(store, maker)
    assert not add(store, new_job(), 1)

    whole = pipeline()
    step = new_job(inputs={"matte": "made:x.alpha?"}, metadata={"pipeline": whole.id})
    end(store, waiting)
    assert add(store, whole, 1)
    made = new_job(metadata={"for": "effects.strobe", "pipeline": whole.id})
    assert add(store, made, 1), "a pipeline with one job at once makes the inputs of its steps"
    assert add(store, replace(step, inputs={"matte": f"made:{made.id}.alpha?"}), 1)


def test_a_lowered_quota_does_not_stop_pipelines_that_have_begun(store: JobStore) -> None:
    pipelines = [pipeline() for _ in range(3)]
    assert all(add(store, whole, 3) for whole in pipelines)
    assert all(add(store, new_job(metadata={"pipeline": whole.id}), 1) for whole in pipelines)
    assert not add(store, new_job(metadata={"pipeline": pipelines[0].id}), 1)


def test_metadata_of_a_client_makes_no_job_free(store: JobStore) -> None:
    plain = new_job()
    assert add(store, plain, 1)
    assert not add(store, new_job(metadata={"pipeline": plain.id}), 1), "only a pipeline has steps"
    assert not add(store, new_job(metadata={"pipeline": "7" * 26}), 1)
    assert not add(store, new_job(metadata={"pipeline": [plain.id]}), 1)


def test_views_do_not_count(store: JobStore) -> None:
    view = new_job(service="media", operation="media.proxy", listed=False, idempotency_key=view_key("proxy", "0" * 26))
    assert add(store, view, None)
    assert add(store, new_job(), 1)
    assert not add(store, new_job(idempotency_key="viewer"), 1)


def test_a_preview_does_not_count_those_it_replaces(store: JobStore) -> None:
    def preview(slot: str, **values: Any) -> NewJob:
        return new_job(preview=StoredPreview(at_s=0, seconds=3, slot=slot), **values)

    assert add(store, preview("left"), 1)
    assert add(store, preview("left", params={"layers": 3}), 1)
    assert not add(store, preview("right"), 1)
    assert not add(store, preview("left", inputs={"video": "1" * 26}), 1)


def _all_at_once(store: JobStore, jobs: int, most_open: int) -> int:
    with ThreadPoolExecutor(jobs) as threads:
        return sum(threads.map(lambda _: add(store, new_job(), most_open), range(jobs)))


def test_submissions_at_the_same_time_do_not_exceed_the_quota(store: JobStore) -> None:
    assert _all_at_once(store, 16, most_open=3) == 3


@pytest.mark.skipif(not POSTGRES, reason="REELWRIGHT_TEST_POSTGRES names no Postgres server")
def test_submissions_at_the_same_time_do_not_exceed_the_quota_on_postgres(tmp_path: Path) -> None:
    name = f"reelwright_{new_id().lower()}"
    with psycopg.connect(POSTGRES, autocommit=True) as connection:
        connection.execute(f"create database {name}".encode())
    url = sa.make_url(POSTGRES).set(database=name).render_as_string(hide_password=False)
    store = JobStore(Settings(data_dir=tmp_path, database_url=url))
    try:
        store.open()
        assert _all_at_once(store, 16, most_open=3) == 3
    finally:
        store.close()
        with psycopg.connect(POSTGRES, autocommit=True) as connection:
            connection.execute(f"drop database {name} with (force)".encode())


def test_the_message_has_both_figures(store: JobStore) -> None:
    add(store, new_job(), None)
    refused = new_job()
    with store.engine.connect() as connection:
        store.ledger.add(connection, refused, queue_limit=10)
        with pytest.raises(QuotaExceeded, match="has 1 unfinished jobs and may have 1"):
            check_quota(connection, refused, 1)
