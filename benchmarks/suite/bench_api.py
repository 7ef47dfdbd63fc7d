"""Speed of the API under load, and processor time of the idle suite.

Measures latency beside four running jobs, 200 submissions, idle cost, and start-up.

`python -m benchmarks.suite.bench_api`
"""

import statistics
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from rich.console import Console
from rich.table import Table

from benchmarks.machine import machine
from benchmarks.material.clips import sample_clip
from shared.testing import RunningSuite, suite
from shared.video import VideoWriter

LONG_JOBS, REQUESTS, TINY_JOBS, IDLE_S = 4, 600, 200, 15.0


def main() -> None:
    """Measure and print the table."""
    rows: list[tuple[str, str, str]] = []
    with tempfile.TemporaryDirectory() as folder, suite(Path(folder, "data"), CONCURRENCY=str(LONG_JOBS), WORKER_IDLE_S="5") as running:
        rows.append(("first start until ready", f"{running.started_in_s:.2f} s", "< 6 s"))
        clip = running.upload(sample_clip())["id"]
        tiny = running.upload(tiny_clip(Path(folder, "tiny.mp4")))["id"]
        running.wait(running.start("speed-ramp.analyze", {"video": tiny})["id"])
        rows += latency_beside_jobs(running, clip)
        rows += tiny_jobs(running, tiny)
        time.sleep(8)  # idle workers end
        rows += idle(running)
    table = Table("what", "measured", "target", title=f"The API on {machine()}")
    for row in rows:
        table.add_row(*row)
    Console().print(table)


def tiny_clip(path: Path) -> Path:
    """Write a clip of ten 64x64 frames; return its path."""
    with VideoWriter(path, width=64, height=64, frame_rate=Fraction(25)) as writer:
        for number in range(10):
            luma = np.full((64, 64), 40 + 10 * number, np.uint8)
            writer.write((luma, np.full((32, 32), 128, np.uint8), np.full((32, 32), 128, np.uint8)), pts=number)
    return path


def latency_beside_jobs(running: RunningSuite, clip: str) -> list[tuple[str, str, str]]:
    """Return table rows of small requests' latency while four renders use all cores.

    Also measures the latency while the suite is idle.
    """
    params = {"min_speed": 0.1, "max_speed": 0.2, "interpolation": "blend"}
    idle_ms = latencies(lambda: running.client.get("/health"), 200)
    jobs = [running.start("speed-ramp.render", {"video": clip}, params)["id"] for _ in range(LONG_JOBS)]
    while any(running.client.get(f"/v1/jobs/{job}").json()["status"] == "queued" for job in jobs):
        time.sleep(0.05)
    time.sleep(1)
    loaded_ms: list[float] = []
    while len(loaded_ms) < REQUESTS:
        loaded_ms += latencies(partial(running.client.get, f"/v1/jobs/{jobs[len(loaded_ms) % LONG_JOBS]}"), 1)
        time.sleep(0.005)
    still = sum(running.client.get(f"/v1/jobs/{job}").json()["status"] == "running" for job in jobs)
    health = latencies(lambda: running.client.get("/health"), 200)
    for job in jobs:
        running.client.post(f"/v1/jobs/{job}/cancel")
    return [
        (f"GET /v1/jobs/{{id}} beside {still} running jobs, median", f"{median(loaded_ms):.1f} ms", "< 15 ms"),
        ("the same, p99", f"{p99(loaded_ms):.1f} ms", "< 50 ms"),
        ("GET /health beside the jobs / idle, median", f"{median(health):.1f} ms / {median(idle_ms):.1f} ms", ""),
    ]


def tiny_jobs(running: RunningSuite, clip: str) -> list[tuple[str, str, str]]:
    """Return table rows of the throughput of 200 jobs that are submitted at once.

    Then measures how long single jobs wait for their start.
    """
    began = time.perf_counter()
    with ThreadPoolExecutor(8) as pool:
        jobs = list(pool.map(lambda _: running.start("speed-ramp.analyze", {"video": clip})["id"], range(TINY_JOBS)))
    submitted_s = time.perf_counter() - began
    ended = [running.wait(job) for job in jobs]
    finished_s = time.perf_counter() - began
    succeeded = sum(job["status"] == "succeeded" for job in ended)
    waits = []
    for _ in range(30):
        job = running.wait(running.start("speed-ramp.analyze", {"video": clip})["id"])
        waits.append((moment(job["started_at"]) - moment(job["created_at"])) * 1000)
    return [
        (f"{TINY_JOBS} tiny jobs submitted: accepted, succeeded", f"{len(set(jobs))}, {succeeded}", f"{TINY_JOBS}, {TINY_JOBS}"),
        ("submissions per second; time until all ended", f"{TINY_JOBS / submitted_s:.0f}/s; {finished_s:.1f} s", ""),
        ("submit to start, median (p99)", f"{median(waits):.0f} ms ({p99(waits):.0f} ms)", "< 150 ms"),
    ]


def idle(running: RunningSuite) -> list[tuple[str, str, str]]:
    """Return table rows of the idle suite's processor time and memory."""
    server = psutil.Process(running.pid)
    processes = [server, *server.children(recursive=True)]
    before = sum(sum(process.cpu_times()[:2]) for process in processes)
    time.sleep(IDLE_S)
    cpu = sum(sum(process.cpu_times()[:2]) for process in processes) - before
    memory = sum(process.memory_info().rss for process in processes) / 1e6
    return [
        (f"idle for {IDLE_S:.0f} s: share of one core", f"{cpu / IDLE_S:.1%}", "< 5 %"),
        (f"idle: memory of all {len(processes)} processes", f"{memory:.0f} MB", "< 250 MB"),
    ]


def latencies(request: Callable[[], Any], times: int) -> list[float]:
    """Return the duration of each of `times` requests, in milliseconds."""
    durations = []
    for _ in range(times):
        began = time.perf_counter()
        request().raise_for_status()
        durations.append((time.perf_counter() - began) * 1000)
    return durations


def median(values: list[float]) -> float:
    return statistics.median(values)


def p99(values: list[float]) -> float:
    return sorted(values)[min(len(values) - 1, int(len(values) * 0.99))]


def moment(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


if __name__ == "__main__":
    main()
