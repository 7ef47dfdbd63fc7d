"""Job queues of containers: little load while idle, immediate starts of jobs."""

import json
import statistics
import time
from typing import Any

from docker.models.containers import Container

from shared.sample_ids import SAMPLE_ID
from tests.deployment.deployment import Deployment
from tests.deployment.idle import measure_idle
from tests.waiting import within

SLOW = {"speeds": [0.7], "interpolation": "flow", "audio": "drop"}
QUICK = {"speeds": [4.0], "audio": "drop"}
SETTLE_S, IDLE_S = 75.0, 40.0
POST = """
import sys, urllib.request
request = urllib.request.Request("http://127.0.0.1:8080/render/jobs", sys.argv[1].encode(), {"Content-Type": "application/json"})
print(urllib.request.urlopen(request).read().decode())
"""


def submit_in(container: Container, params: dict[str, Any]) -> str:
    """Submit a render to one container's service; return the job's id."""
    body = json.dumps({"inputs": {"video": SAMPLE_ID}, "params": params, "cache": False})
    done = container.exec_run(["python", "-c", POST, body])
    assert done.exit_code == 0, done.output
    return str(json.loads(done.output)["id"])


def test_an_idle_deployment_uses_little_processor_time_and_database(suite: Deployment) -> None:
    time.sleep(SETTLE_S)  # worker processes end after an idle minute
    idle = measure_idle(suite, IDLE_S)
    print(f"{idle.share:.1%} of a core, {idle.commits_per_s:.1f} commits/s:", {name: f"{share:.2%}" for name, share in idle.shares.items()})
    assert idle.commits_per_s < 8
    assert idle.share < 0.03


def test_a_job_submitted_to_a_busy_container_starts_in_another_at_once(suite: Deployment) -> None:
    suite.up(speed_ramp=2)
    busy, free = suite.containers("speed-ramp")
    waits = []
    for _ in range(3):
        long = submit_in(busy, SLOW)
        within(60, lambda long=long: suite.client.client.get(f"/v1/jobs/{long}").json()["status"] == "running")
        holder = suite.runs("speed-ramp")[long][0].container
        own_container = busy if busy.name == holder else free
        job = suite.client.wait(submit_in(own_container, QUICK), timeout_s=120)
        assert job["status"] == "succeeded"
        assert suite.runs("speed-ramp")[job["id"]][0].container != holder
        waits.append(job["metrics"]["queue_s"])
        suite.client.client.post(f"/v1/jobs/{long}/cancel")
        suite.client.wait(long)
    print(f"submit to start in another container: {[round(1000 * wait) for wait in waits]} ms")
    assert statistics.median(waits) < 2, "it is woken: the slow polling takes up to a minute"


def test_equal_jobs_of_two_containers_run_once(suite: Deployment) -> None:
    suite.up(speed_ramp=2)
    body = {"inputs": {"video": SAMPLE_ID}, "params": SLOW | {"speeds": [0.69]}}
    first, second = (suite.client.client.post("/v1/speed-ramp/render/jobs", json=body).json()["id"] for _ in range(2))
    jobs = [suite.client.wait(job, timeout_s=300) for job in (first, second)]
    assert [job["status"] for job in jobs] == ["succeeded"] * 2
    assert sorted(job["cached"] for job in jobs) == [False, True]
    assert jobs[0]["outputs"] == jobs[1]["outputs"]
    runs = suite.runs("speed-ramp")
    assert {runs[first][0].container, runs[second][0].container} == {str(container.name) for container in suite.containers("speed-ramp")}


def test_an_equal_job_runs_when_the_container_of_the_first_is_killed(suite: Deployment) -> None:
    suite.up(speed_ramp=2)
    body = {"inputs": {"video": SAMPLE_ID}, "params": SLOW | {"speeds": [0.68]}}
    ids = [suite.client.client.post("/v1/speed-ramp/render/jobs", json=body).json()["id"] for _ in range(2)]

    def working() -> list[str]:
        return [job for job in ids if (suite.client.client.get(f"/v1/jobs/{job}").json()["progress"] or {}).get("fraction", 0) > 0]

    within(120, working)
    within(60, lambda: all(suite.runs("speed-ramp")[job] for job in ids), "both have begun")
    holder = suite.runs("speed-ramp")[working()[0]][0].container
    next(container for container in suite.containers("speed-ramp") if container.name == holder).kill()
    jobs = [suite.client.wait(job, timeout_s=600) for job in ids]
    assert [job["status"] for job in jobs] == ["succeeded"] * 2
    assert jobs[0]["outputs"] == jobs[1]["outputs"]
