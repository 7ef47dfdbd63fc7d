"""Throughput, image sizes, memory, idling and start times of containers.

Measures the throughput with 1, 2 and 4 containers of a service. Needs a Docker engine.

`python -m benchmarks.suite.bench_deployment [starts]`. `starts`: only the times from a submit to the start of a job.
"""

import os
import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path

import docker
from docker.errors import DockerException
from rich.console import Console
from rich.table import Table

from benchmarks.machine import ROOT, machine
from benchmarks.suite.bench_api import tiny_clip
from shared.sample_ids import SAMPLE_ID
from tests.deployment.deployment import Deployment, memory_bytes, seconds
from tests.deployment.idle import measure_idle
from tests.waiting import within

CONTAINERS = (1, 2, 4)
WORK_JOBS, TINY_JOBS = 8, 24
IDLE_S = 40.0
STARTS = 21
MIB = 1024**2


def main() -> None:
    """Measure and print the tables."""
    try:
        engine = docker.from_env()
        engine.ping()
    except DockerException as error:
        Console().print(f"skipped: no Docker engine answers ({error})")
        return
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder, "copy")
        shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns(".*_cache", ".venv", ".git", "var", "secrets", "__pycache__"))
        deployment = Deployment(engine, copy, REELWRIGHT_CONCURRENCY="1", REELWRIGHT_TAG="bench")
        try:
            deployment.compose("build")
            deployment.built = True
            if "starts" in sys.argv[1:]:
                deployment.up()
                Console().print(start_table(deployment, tiny_clip(Path(folder, "tiny.mp4"))))
                return
            Console().print(container_table(deployment))
            Console().print(start_table(deployment, tiny_clip(Path(folder, "tiny.mp4"))))
            Console().print(idle_table(deployment))
            Console().print(throughput(deployment, tiny_clip(Path(folder, "tiny.mp4"))))
        finally:
            deployment.clear_away()


def container_table(deployment: Deployment) -> Table:
    """Measure each image's size, idle memory and start time.

    The start time is that from the start of the container until it is healthy.
    """
    began = time.monotonic()
    deployment.up()
    all_healthy_s = time.monotonic() - began
    # Read now: the engine keeps only the last five health checks.
    healthy_s = {service: deployment.healthy_after_s(service) for service in deployment.services()}
    time.sleep(70)  # the child processes that drew the sample clip end after an idle minute
    table = Table(
        "container", "image", "memory idle", "healthy after", title=f"Everything healthy after {all_healthy_s:.0f} s. {machine()}"
    )
    for service, after_s in healthy_s.items():
        container = deployment.container(service)
        image = deployment.engine.images.get(container.attrs["Image"]).attrs["Size"]
        table.add_row(service, f"{image / 1e6:.0f} MB", f"{memory_bytes(container) / MIB:.0f} MiB", f"{after_s:.1f} s")
    return table


def idle_table(deployment: Deployment) -> Table:
    """Measure the processor time of idle containers.

    Also counts the commits of Postgres.
    """
    idle = measure_idle(deployment, IDLE_S)
    title = f"Idle: {idle.share:.1%} of a core, {idle.commits_per_s:.1f} commits/s. Load {os.getloadavg()[0]:.1f}. {machine()}"
    table = Table("container", "share of a core", title=title)
    for name, share in idle.shares.items():
        table.add_row(name, f"{share:.2%}")
    return table


def start_table(deployment: Deployment, tiny: Path) -> Table:
    """Measure the times from a job's submission to its start and to its end.

    The deployment is idle otherwise. A request goes from the gateway's container to that of the service, whose worker process is warm after
    the first job.
    """
    clip = deployment.client.upload(tiny)["id"]
    starts, ends = [], []
    for _ in range(1 + STARTS):
        began = time.time()
        job = deployment.client.wait(deployment.client.start("effects.motion-trails", {"video": clip}, {"layers": 1})["id"])
        starts.append(seconds(job["started_at"]) - began)
        ends.append(seconds(job["completed_at"]) - began)
    title = f"{STARTS} jobs, one after the other. Load {os.getloadavg()[0]:.1f}. {machine()}"
    table = Table("from the submit to", "first, cold", "median", "longest", title=title)
    for name, times in (("the start of the job", starts), ("its end, 10 frames of 64x64", ends)):
        cold, *warm = times
        table.add_row(name, *(f"{1000 * value:.0f} ms" for value in (cold, statistics.median(warm), max(warm))))
    return table


def throughput(deployment: Deployment, tiny: Path) -> Table:
    """Return a table of jobs per minute, for real jobs and for tiny jobs."""
    kinds = {
        "motion trails, 30 frames of 640x360": ("effects.motion-trails", SAMPLE_ID, {"layers": 8, "duration": 1}, WORK_JOBS),
        "motion trails, 10 frames of 64x64": ("effects.motion-trails", "", {"layers": 1}, TINY_JOBS),
    }
    table = Table(
        "jobs a minute", *(f"{count} container{'s' * (count > 1)}" for count in CONTAINERS), title=f"One job at a time each. {machine()}"
    )
    rows: dict[str, list[str]] = {kind: [] for kind in kinds}
    for count in CONTAINERS:
        deployment.up(effects=count)
        small = deployment.client.upload(tiny)["id"]
        for kind, (operation, clip, params, jobs) in kinds.items():
            run(deployment, operation, clip or small, params, count)  # warms up the workers
            rows[kind].append(f"{60 * jobs / run(deployment, operation, clip or small, params, jobs):.0f}")
    for kind, figures in rows.items():
        table.add_row(kind, *figures)
    return table


def run(deployment: Deployment, operation: str, clip: str, params: dict[str, int], jobs: int) -> float:
    """Run `jobs` equal jobs; return their total time in seconds.

    The time is that from the first submission to the end of the last job.
    """
    suite = deployment.client
    began = time.monotonic()
    ids = {suite.start(operation, {"video": clip}, params)["id"] for _ in range(jobs)}
    within(600, lambda: not (ids & unfinished(deployment)), "the end of all jobs")
    return time.monotonic() - began


def unfinished(deployment: Deployment) -> set[str]:
    """Return the ids of the jobs that have not ended."""
    ask = deployment.client.client
    return {
        job["id"]
        for status in ("queued", "running")
        for job in ask.get("/v1/jobs", params={"status": status, "limit": 500}).json()["items"]
    }


if __name__ == "__main__":
    main()
