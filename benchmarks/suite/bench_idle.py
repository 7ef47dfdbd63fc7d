"""Processor time of an idle suite, and a job's wait in its queue.

A job waits from its submission to its start. `python -m benchmarks.suite.bench_idle`: starts `reelwright up`, waits, and reads
/proc/<pid>/stat before and after IDLE_S seconds.
"""

import os
import statistics
import tempfile
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table

from shared.sample_ids import SAMPLES
from shared.testing import RunningSuite, suite

SETTLE_S, IDLE_S, SUBMITS = 20.0, 30.0, 15
TICKS = os.sysconf("SC_CLK_TCK")


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, suite(Path(folder), SPARE_WORKERS="false") as running:
        while any(not running.client.get(f"/v1/media/{media_id}").is_success for media_id in SAMPLES.values()):
            time.sleep(0.5)
        time.sleep(SETTLE_S)
        before = cpu_seconds(running.pid)
        time.sleep(IDLE_S)
        share = (cpu_seconds(running.pid) - before) / IDLE_S
        waits = sorted(wait_seconds(running) for _ in range(SUBMITS))
    table = Table("measure", "value", title="An idle suite")
    table.add_row("idle, share of a core", f"{share:.2%}")
    table.add_row("submit to start, median", f"{statistics.median(waits) * 1000:.0f} ms")
    table.add_row("submit to start, longest", f"{waits[-1] * 1000:.0f} ms")
    Console().print(table)


def cpu_seconds(pid: int) -> float:
    """Return the processor time of a process and its living children."""
    total = 0.0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(stat.parent.name) == pid or int(fields[1]) == pid:
            total += (int(fields[11]) + int(fields[12])) / TICKS
    return total


def wait_seconds(running: RunningSuite) -> float:
    """Start a job; return the seconds that it waits in its queue."""
    job = running.client.post("/v1/media/peaks/jobs", json={"inputs": {"video": next(iter(SAMPLES.values()))}, "cache": False}).json()
    while job["status"] not in ("succeeded", "failed"):
        time.sleep(0.1)
        job = running.client.get(f"/v1/jobs/{job['id']}").json()
    return float(job["metrics"]["queue_s"])


if __name__ == "__main__":
    main()
