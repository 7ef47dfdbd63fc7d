"""The spare worker process of a service, through two servers as `serve` starts them."""

import json

import psutil

from shared.testing import RunningSuite, suite
from shared.worker import Limits
from tests.waiting import within


def job_workers(service: RunningSuite) -> set[int]:
    """Return the process ids of a server's worker processes that run jobs."""
    niceness, workers = str(Limits.niceness), set()  # of processes that run jobs; those that examine files have another
    for process in psutil.Process(service.pid).children():
        words = process.cmdline()
        if "shared.worker.child" in words and words[words.index("shared.worker.child") + 3] == niceness:
            workers.add(process.pid)
    return workers


def test_the_first_job_runs_in_a_process_that_was_started_ahead(tmp_path, clip):
    with suite(tmp_path, command=("serve", "speed-ramp"), SPARE_WORKERS="true") as service:
        urls = json.dumps({"speed-ramp": service.url})
        with suite(tmp_path, command=("serve", "gateway"), SERVICE_URLS=urls) as gateway:
            media = gateway.upload(clip)["id"]
            within(90, lambda: any("spare worker processes are ready: speed-ramp" in line for line in service.log), "the spare process")
            ahead = job_workers(service)
            assert len(ahead) == 1
            job = gateway.wait(gateway.start("speed-ramp.plan", {"video": media})["id"])
            assert job["status"] == "succeeded", job
            assert job_workers(service) == ahead, "the job ran in another process"
