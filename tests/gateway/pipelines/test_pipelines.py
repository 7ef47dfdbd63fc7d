"""Pipelines on a real suite: parallel steps, remembered results, retries, a crash."""

import os
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from shared.sample_ids import SAMPLE_ID, SAMPLE_PICTURE_ID
from shared.testing import RunningSuite, suite

URL = "/v1/pipelines/jobs"
WAIT = {"Prefer": "wait=60"}


def step(name: str, operation: str, inputs: dict[str, str] | None = None, **params: Any) -> dict[str, Any]:
    return {"id": name, "operation": f"speed-ramp.{operation}", "inputs": inputs or {"video": SAMPLE_ID}, "params": params}


SLOW = step("slow", "render", speeds=[0.1], interpolation="blend")


def run(running: RunningSuite, *steps: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Run a pipeline; return its ended job."""
    answer = running.client.post(URL, json={"steps": steps, **more}, headers=WAIT)
    assert answer.status_code == 200, answer.text
    job: dict[str, Any] = answer.json()
    return job


def shown(job: dict[str, Any], field: str = "state") -> dict[str, Any]:
    return {step["id"]: step[field] for step in job["progress"]["steps"]}


def until(running: RunningSuite, job_id: str, states: dict[str, str], *, reported: str = "") -> dict[str, Any]:
    """Wait until a pipeline's steps have the given states; return the job.

    The step `reported` must also have progress.
    """
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        job: dict[str, Any] = running.client.get(f"/v1/jobs/{job_id}").json()
        if job["progress"] and states.items() <= shown(job).items() and (not reported or shown(job, "progress")[reported]):
            return job
        time.sleep(0.05)
    raise TimeoutError(f"{job}")


@pytest.fixture(scope="module")
def failed(running: RunningSuite) -> dict[str, Any]:
    """Run a pipeline with a failing step, a dependent step and two other steps."""
    return run(
        running,
        step("bad", "render", start=100.0, max_speed=7.5),
        step("fast", "render", speeds=[8.0], audio="drop"),
        step("after", "render", {"video": "bad.video"}),
        step("faster", "render", {"video": "fast.video"}, speeds=[4.0]),
    )


def test_a_failed_step_does_not_stop_independent_steps(running: RunningSuite, failed: dict[str, Any]) -> None:
    assert failed["status"] == "failed"
    assert shown(failed) == {"bad": "failed", "fast": "succeeded", "after": "skipped", "faster": "succeeded"}
    assert set(failed["outputs"]) == {"fast.video", "faster.video"}
    assert failed["error"]["detail"].startswith("Step 'bad' (speed-ramp.render) failed: ")
    assert failed["error"]["detail"].endswith("Steps that were not run, because they need a step that did not succeed: after.")
    assert failed["error"]["errors"] == [{"field": "steps.bad", "detail": shown(failed, "detail")["bad"]}]
    assert [step["result"] is None for step in failed["result"]["steps"]] == [True, False, True, False]
    thumbnail = running.client.get(shown(failed, "picture")["fast"])
    assert (thumbnail.status_code, thumbnail.headers["content-type"]) == (200, "image/jpeg")
    log = running.client.get(failed["urls"]["log"]).text
    assert [line for line in log.splitlines() if line.startswith("==")] == [
        f"== {name} (speed-ramp.render) ==" for name in ("bad", "fast", "after", "faster")
    ]
    assert "== after (speed-ramp.render) ==\n(not started)\n" in log
    metrics = failed["result"]["steps"][1]["metrics"]
    assert metrics["input_s"] == pytest.approx(6, abs=0.1)


def test_a_retried_pipeline_runs_only_what_failed(running: RunningSuite, failed: dict[str, Any]) -> None:
    answer = running.client.post(f"/v1/jobs/{failed['id']}/retry", headers=WAIT)
    again = answer.json()
    assert answer.headers["location"] == again["urls"]["self"] != failed["urls"]["self"]
    assert shown(again) == {"bad": "failed", "fast": "cached", "after": "skipped", "faster": "cached"}
    before, after = shown(failed, "job"), shown(again, "job")
    assert {name for name in before if before[name] == after[name]} == {"fast", "after", "faster"}
    assert again["outputs"] == failed["outputs"]


def test_a_canceled_pipeline_keeps_what_it_made_and_goes_on_when_retried(running: RunningSuite) -> None:
    steps = [SLOW, step("fast", "render", speeds=[7.0], audio="drop"), step("last", "analyze", {"video": "slow.video"})]
    job = running.client.post(URL, json={"steps": steps, "metadata": {"mine": 1}}).json()
    live = until(running, job["id"], {"slow": "running", "fast": "succeeded", "last": "waiting"}, reported="slow")
    assert live["status"] == "running"
    assert set(live["outputs"]) == {"fast.video"}
    assert shown(live, "progress")["slow"]["stage"]
    assert 0 < live["progress"]["fraction"] < 1
    refused = running.client.post(f"/v1/jobs/{job['id']}/retry")
    assert (refused.status_code, refused.json()["detail"]) == (
        409,
        f"Job {job['id']} is running: cancel it first, or wait until it ends.",
    )
    canceled = running.client.post(f"/v1/jobs/{job['id']}/cancel").json()
    assert shown(canceled) == {"slow": "canceled", "fast": "succeeded", "last": "skipped"}
    assert set(canceled["outputs"]) == {"fast.video"}
    assert running.wait(shown(canceled, "job")["slow"])["status"] == "canceled"

    key = {"Idempotency-Key": "retry-1"}
    again = running.client.post(f"/v1/jobs/{job['id']}/retry", headers=key)
    assert again.status_code == 202
    assert running.client.post(f"/v1/jobs/{job['id']}/retry", headers=key).json()["id"] == again.json()["id"]
    assert again.json()["metadata"] == {"mine": 1}
    live = until(running, again.json()["id"], {"slow": "running", "fast": "cached"})
    assert shown(live, "job")["fast"] == shown(canceled, "job")["fast"]
    running.client.post(f"/v1/jobs/{again.json()['id']}/cancel")


def test_a_single_job_is_retried(running: RunningSuite) -> None:
    job = running.start("speed-ramp.render", {"video": SAMPLE_ID}, {"speeds": [6.0], "audio": "drop"}, metadata={"mine": 2})
    assert running.client.post(f"/v1/jobs/{job['id']}/cancel").json()["status"] == "canceled"
    again = running.client.post(f"/v1/jobs/{job['id']}/retry", headers=WAIT).json()
    assert (again["status"], again["cached"], again["metadata"]) == ("succeeded", False, {"mine": 2})
    assert again["params"] == job["params"]
    refused = running.client.post(f"/v1/jobs/{again['id']}/retry")
    assert refused.status_code == 409
    assert refused.json()["detail"].startswith(f"Job {again['id']} has succeeded; there is nothing to retry.")
    assert running.client.post(f"/v1/jobs/{'7' * 26}/retry").status_code == 404


def test_steps_and_single_jobs_share_results(running: RunningSuite, clip: Path) -> None:
    same = running.upload(clip)
    params = {"speeds": [5.0], "audio": "drop"}
    first = running.wait(running.start("speed-ramp.render", {"video": same["id"]}, params, cache=True)["id"])
    copy = running.client.post("/v1/media", files={"file": ("renamed.mp4", clip.read_bytes())}).json()
    fast = step("fast", "render", {"video": copy["id"]}, **params)
    began = time.monotonic()
    whole = run(running, fast, step("again", "render", {"video": "fast.video"}, speeds=[3.0]))
    assert (whole["cached"], shown(whole)) == (False, {"fast": "cached", "again": "succeeded"})
    assert whole["outputs"]["fast.video"]["id"] == first["outputs"]["video"]["id"]
    took = time.monotonic() - began
    began = time.monotonic()
    repeated = run(running, fast, step("again", "render", {"video": "fast.video"}, speeds=[3.0]))
    assert (repeated["cached"], set(shown(repeated).values())) == (True, {"cached"})
    assert time.monotonic() - began < max(took, 5)
    assert repeated["progress"]["fraction"] == 1
    fresh = run(running, fast, cache=False)
    assert (fresh["cached"], shown(fresh)) == (False, {"fast": "succeeded"})


def test_an_invalid_cache_option_beside_an_auto_input_is_refused(running: RunningSuite) -> None:
    body = {"inputs": {"video": SAMPLE_PICTURE_ID, "alpha": "auto"}, "cache": "maybe"}
    refused = running.client.post("/v1/background/plate/jobs", json=body)
    assert refused.json()["errors"][0]["field"] == "cache"


@dataclass(frozen=True)
class Restarted:
    """A suite that was killed during a pipeline and started again.

    `jobs`: the ids of the jobs that ran at that moment, by step.
    """

    running: RunningSuite
    job: str
    jobs: dict[str, str]


@pytest.fixture(scope="module")
def restarted(tmp_path_factory: pytest.TempPathFactory, clip: Path) -> Iterator[Restarted]:
    folder = tmp_path_factory.mktemp("killed")
    with suite(folder) as first:
        media = first.upload(clip)["id"]
        steps = [
            step("one", "render", {"video": media}, speeds=[0.5], duration=4.0),
            step("two", "render", {"video": media}, speeds=[0.4], duration=4.0),
            step("both", "analyze", {"video": "two.video"}),
        ]
        job = first.client.post(URL, json={"steps": steps}).json()
        live = until(first, job["id"], {"one": "running", "two": "running", "both": "waiting"})
        os.kill(first.pid, signal.SIGKILL)
    with suite(folder) as second:
        yield Restarted(second, job["id"], {name: shown(live, "job")[name] for name in ("one", "two")})


def test_parallel_steps_survive_a_killed_server(restarted: Restarted) -> None:
    ended = restarted.running.wait(restarted.job)
    assert ended["status"] == "succeeded", ended["error"]
    assert restarted.jobs.items() <= shown(ended, "job").items()
    assert len(restarted.running.client.get("/v1/jobs", params={"service": "speed-ramp"}).json()["items"]) == 3
