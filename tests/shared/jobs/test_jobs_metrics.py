"""Metrics of the jobs that one process ran."""

import re
from pathlib import Path

from shared.jobs.metrics import JobMetrics
from shared.jobs.record import Status
from shared.runtime import Runtime
from shared.settings import Settings
from tests.misbehaving.server import Server


def figure(server: Server, name: str) -> float:
    """Return the value of a metric in `GET /metrics`; 0 if missing."""
    match = re.search(rf"^{re.escape(name)} (\S+)$", server.client.get("/metrics").text, re.MULTILINE)
    return float(match[1]) if match else 0.0


def test_jobs_are_counted_and_measured(server: Server) -> None:
    def figures() -> dict[str, float]:
        of = 'operation="misbehaving.succeed"'
        return {
            "waited": figure(server, f"reelwright_job_wait_seconds_count{{{of}}}"),
            "ran": figure(server, f"reelwright_job_run_seconds_count{{{of}}}"),
            "ran_s": figure(server, f"reelwright_job_run_seconds_sum{{{of}}}"),
            "succeeded": figure(server, f'reelwright_jobs_ended_total{{{of},status="succeeded"}}'),
        }

    before = figures()
    assert server.run("succeed", seconds=0.3)["status"] == "succeeded"
    after = figures()
    assert {name: after[name] - before[name] for name in ("waited", "ran", "succeeded")} == {"waited": 1, "ran": 1, "succeeded": 1}
    assert 0.3 <= after["ran_s"] - before["ran_s"] < 30
    assert figure(server, "reelwright_database_up") == 1
    assert figure(server, 'reelwright_jobs{service="misbehaving",status="succeeded"}') >= 1


def test_failures_are_counted_by_kind(server: Server) -> None:
    name = 'reelwright_job_failures_total{kind="worker-crashed",operation="misbehaving.segfault"}'
    before = figure(server, name)
    assert server.run("segfault")["status"] == "failed"
    assert figure(server, name) == before + 1


def test_frames_a_second_are_those_of_finished_jobs() -> None:
    metrics = JobMetrics()
    metrics.ended("a.b", Status.SUCCEEDED, run_s=2.0, frames=100)
    metrics.ended("a.b", Status.FAILED, run_s=2.0, frames=100, kind="timed-out")
    value = metrics.registry.get_sample_value
    assert value("reelwright_job_frames_total", {"operation": "a.b"}) == 100
    assert value("reelwright_job_frames_per_second_sum", {"operation": "a.b"}) == 50
    assert value("reelwright_job_failures_total", {"operation": "a.b", "kind": "timed-out"}) == 1


async def test_a_process_that_cannot_run_jobs_reports_why() -> None:
    runtime = Runtime(Settings(data_dir=Path("/proc/none"), database_url="postgresql://nobody@127.0.0.1:9/none"))
    database, folder = await runtime.troubles()
    assert database.startswith("the database does not answer:")
    assert "127.0.0.1" in database
    assert folder.startswith("the data folder cannot be written to:")
