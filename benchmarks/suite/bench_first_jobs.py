"""Times of first jobs, of simultaneous jobs, and of the command line.

    python -m benchmarks.suite.bench_first_jobs [starts of the suite, 3 by default] [first] [at-once] [commands]

The words choose tables; without them, all are printed.

First and second job: the suite is started anew each time, and after SETTLE_S seconds each operation runs on a clip of 5 s of 720p and on
a copy with other bytes, because motion that was measured once is kept by content.

Jobs at once: JOBS equal renders are submitted together, with `REELWRIGHT_CONCURRENCY` 1, 2 and 4. Processor time is that of all processes
of the suite. On a busy machine compare processor times only: there, more jobs at once also get a larger share of the processor.

Commands: `reelwright --help` and Python alone, in turns, medians of COMMAND_RUNS runs.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

import psutil
from rich.table import Table

from benchmarks.machine import console, machine
from benchmarks.material.clips import sample_clip
from benchmarks.turns import Job, turns_table
from shared.testing import RunningSuite, suite

TABLES = ["first", "at-once", "commands"]
SETTLE_S, JOBS, COMMAND_RUNS = 15.0, 4, 9
EMPTY_BOX = (8).to_bytes(4, "big") + b"free"
"""An MP4 box without content."""
OPERATIONS = ("keyframes.detect", "speed-ramp.analyze", "effects.motion-trails")


def main() -> None:
    """Print the tables."""
    numbers = [word for word in sys.argv[1:] if word not in TABLES]
    chosen = [word for word in sys.argv[1:] if word in TABLES] or TABLES
    out = console()
    out.print(f"{machine()}; load {os.getloadavg()[0]:.0f}")
    if "commands" in chosen:
        out.print(turns_table("Start of commands", commands(), COMMAND_RUNS))
    if "first" in chosen:
        out.print(first_jobs(int(numbers[0]) if numbers else 3))
    if "at-once" in chosen:
        out.print(jobs_at_once())


def commands() -> list[Job]:
    """List the commands whose start is timed."""
    programs = {"python -c pass": ["-c", "pass"], "reelwright --help": ["-m", "reelwright", "--help"]}

    def run(words: list[str]) -> None:
        subprocess.run([sys.executable, *words], check=True, stdout=subprocess.DEVNULL)

    return [Job(name, partial(run, words)) for name, words in programs.items()]


def first_jobs(starts: int) -> Table:
    """Compare each service's first job after a start with its second job.

    The times are from submission to end.
    """
    spent: dict[str, list[tuple[float, float]]] = {name: [] for name in OPERATIONS}
    for _ in range(starts):
        with tempfile.TemporaryDirectory() as folder, suite(Path(folder) / "data", SPARE_WORKERS="true") as running:
            copy = Path(folder) / "copy.mp4"
            copy.write_bytes(sample_clip().read_bytes() + EMPTY_BOX)
            clips = [running.upload(path)["id"] for path in (sample_clip(), copy)]
            time.sleep(SETTLE_S)
            for name in OPERATIONS:
                first, second = (seconds_of(running, name, clip) for clip in clips)
                spent[name].append((first, second))
    table = Table(title=f"First and second job after a start, medians of {starts} starts")
    for head in ("operation", "first, s", "second, s", "difference, s"):
        table.add_column(head, justify="left" if head == "operation" else "right")
    for name, pairs in spent.items():
        first, second = (statistics.median(column) for column in zip(*pairs, strict=True))
        difference = statistics.median(first_s - second_s for first_s, second_s in pairs)
        table.add_row(name, f"{first:.2f}", f"{second:.2f}", f"{difference:.2f}")
    return table


def jobs_at_once() -> Table:
    """Return a table of four equal renders, run 1, 2 or 4 at once."""
    table = Table(title=f"{JOBS} renders of 5 s of 720p, submitted together")
    for head in ("jobs at once", "until all ended, s", "longest run, s", "processor time, s", "peak memory, MB"):
        table.add_column(head, justify="right")
    for count in (1, 2, 4):
        with tempfile.TemporaryDirectory() as folder, suite(Path(folder), CONCURRENCY=str(count)) as running:
            clip = running.upload(sample_clip())["id"]
            seconds_of(running, "speed-ramp.render", clip)
            cpu_before, began, peak = processor_s(running), time.perf_counter(), 0.0
            jobs = [running.start("speed-ramp.render", {"video": clip}, {"min_speed": 0.5}, cache=False)["id"] for _ in range(JOBS)]
            ended = []
            for job in jobs:
                while (record := running.client.get(f"/v1/jobs/{job}").json())["status"] in ("queued", "running"):
                    peak = max(peak, memory_mb(running))
                    time.sleep(0.2)
                ended.append(record)
            wall = time.perf_counter() - began
            longest = max(float(record["metrics"]["run_s"]) for record in ended)
            table.add_row(str(count), f"{wall:.1f}", f"{longest:.1f}", f"{processor_s(running) - cpu_before:.1f}", f"{peak:.0f}")
    return table


def seconds_of(running: RunningSuite, operation: str, clip: str) -> float:
    """Run one job; return its seconds from submission to end.

    Both times are on the suite's own clock.
    """
    job = running.wait(running.start(operation, {"video": clip}, cache=False)["id"])
    return float(job["metrics"]["queue_s"]) + float(job["metrics"]["run_s"])


def processes(running: RunningSuite) -> list[psutil.Process]:
    server = psutil.Process(running.pid)
    return [server, *server.children(recursive=True)]


def processor_s(running: RunningSuite) -> float:
    """Return the processor seconds of the suite's running and ended processes."""
    total = 0.0
    for process in processes(running):
        times = process.cpu_times()
        total += times.user + times.system + times.children_user + times.children_system
    return total


def memory_mb(running: RunningSuite) -> float:
    """Return the memory of the suite's processes in MB."""
    total = 0
    for process in processes(running):
        try:
            total += process.memory_info().rss
        except psutil.NoSuchProcess:
            continue
    return total / 1e6


if __name__ == "__main__":
    main()
