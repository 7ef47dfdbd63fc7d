"""Killed and stopped processes, containers and databases: every job still succeeds."""

import time

from shared.sample_ids import SAMPLE_ID
from tests.deployment.deployment import Deployment, kill_inside, processes
from tests.waiting import within

SLOW = {"speeds": [0.7], "interpolation": "flow", "audio": "drop"}
QUICK = {"speeds": [4.0], "audio": "drop"}
END_S = 600
"""Limit for all jobs of a test, generous enough for a small machine."""


def start(suite: Deployment, params: dict, count: int = 1) -> list[str]:
    return [suite.client.start("speed-ramp.render", {"video": SAMPLE_ID}, params)["id"] for _ in range(count)]


def under_way(suite: Deployment, job: str) -> bool:
    state = suite.client.client.get(f"/v1/jobs/{job}").json()
    return state["status"] == "running" and (state["progress"] or {}).get("fraction", 0) > 0


def all_succeed(suite: Deployment, jobs: list[str]) -> None:
    ended = {job: suite.client.wait(job, timeout_s=END_S) for job in jobs}
    assert {job: record["status"] for job, record in ended.items()} == dict.fromkeys(jobs, "succeeded"), ended
    assert suite.overlapping("speed-ramp") == []
    for record in ended.values():
        assert suite.client.client.get(record["outputs"]["video"]["urls"]["content"], headers={"Range": "bytes=4-7"}).content == b"ftyp"


def test_a_killed_worker_process_only_delays_its_job(suite: Deployment) -> None:
    (job,) = start(suite, SLOW)
    within(120, lambda: under_way(suite, job))
    container = suite.container("speed-ramp")
    assert kill_inside(container, "shared.worker.child") >= 1
    all_succeed(suite, [job])
    assert len(suite.runs("speed-ramp")[job]) == 1, "its own container did it again"


def test_a_killed_server_restarts_and_its_job_ends_in_another_container(suite: Deployment) -> None:
    suite.up(speed_ramp=2)
    (job,) = start(suite, SLOW)
    within(120, lambda: under_way(suite, job))
    holder = next(container for container in suite.containers("speed-ramp") if container.name == suite.runs("speed-ramp")[job][0].container)
    restarts = holder.attrs["RestartCount"]
    assert kill_inside(holder, "reelwright serve") >= 1
    within(60, lambda: len(suite.runs("speed-ramp")[job]) == 2, "the takeover")
    all_succeed(suite, [job])
    holder.reload()
    assert holder.attrs["RestartCount"] > restarts
    assert processes(holder)


def test_the_job_of_a_killed_container_is_taken_over(suite: Deployment) -> None:
    suite.up(speed_ramp=2)
    (job,) = start(suite, SLOW)
    within(120, lambda: under_way(suite, job))
    first = suite.runs("speed-ramp")[job][0].container
    next(container for container in suite.containers("speed-ramp") if container.name == first).kill()
    killed = time.time()
    within(60, lambda: len(suite.runs("speed-ramp")[job]) == 2, "the takeover")
    second = suite.runs("speed-ramp")[job][1]
    assert second.container != first
    assert second.began - killed < 30
    all_succeed(suite, [job])


def test_a_lost_database_is_reported_and_the_suite_recovers(suite: Deployment) -> None:
    jobs = [*start(suite, SLOW), *start(suite, QUICK, 4)]
    within(120, lambda: under_way(suite, jobs[0]))
    gateway, restarts = suite.container("gateway"), suite.container("gateway").attrs["RestartCount"]
    suite.container("postgres").kill()
    client = suite.client.client
    within(10, lambda: client.get("/ready").status_code == 503, "503")
    refused = client.get("/ready").json()
    assert refused["title"] == "Temporarily unavailable"
    assert "database" in refused["detail"]
    assert client.get("/v1/jobs").status_code == 503
    assert client.get("/health").status_code == 200
    assert client.get(f"/v1/media/{SAMPLE_ID}/content", headers={"Range": "bytes=4-7"}).content == b"ftyp", "files need no database"
    time.sleep(8)  # longer than a process with a job survives without the database
    suite.container("postgres").start()
    within(90, suite.ready, "the gateway")
    all_succeed(suite, jobs)
    gateway.reload()
    assert gateway.attrs["RestartCount"] == restarts, "a gateway without jobs of its own waits for the database"


def test_jobs_continue_after_stopping_everything(suite: Deployment) -> None:
    jobs = [*start(suite, SLOW), *start(suite, QUICK, 4)]
    within(120, lambda: under_way(suite, jobs[0]))
    suite.compose("stop")
    assert not suite.ready()
    suite.compose("start")
    within(120, suite.ready, "the gateway")
    all_succeed(suite, jobs)


def test_jobs_continue_after_killing_everything(suite: Deployment) -> None:
    jobs = [*start(suite, SLOW), *start(suite, QUICK, 4)]
    within(120, lambda: under_way(suite, jobs[0]))
    suite.compose("kill")
    suite.up()
    within(120, suite.ready, "the gateway")
    all_succeed(suite, jobs)


def test_a_stopped_service_is_named_and_others_keep_working(suite: Deployment) -> None:
    suite.compose("stop", "keyframes")
    client = suite.client.client
    began = time.monotonic()
    answer = client.post("/v1/keyframes/detect/jobs", json={"inputs": {"video": SAMPLE_ID}, "cache": False})
    took = time.monotonic() - began
    assert answer.status_code == 503
    assert "keyframes" in answer.json()["detail"]
    assert answer.headers["retry-after"]
    assert took < 3
    all_succeed(suite, start(suite, QUICK))
    assert {operation["service"] for operation in client.get("/v1/operations").json()} >= {"speed-ramp", "effects"}
    readiness = client.get("/ready").json()
    assert readiness["status"] == "ready"
    assert readiness["services"]["effects"] == "ready"
    assert "keyframes" in readiness["services"]["keyframes"]
