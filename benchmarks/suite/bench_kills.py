"""Random kills of workers, guards and servers while jobs run.

No job may be lost, and none may run twice at a time.

    python -m benchmarks.suite.bench_kills [kills] [processes]

The jobs are those of the tests' misbehaving service, on SQLite. `REELWRIGHT_TEST_POSTGRES`, the URL of an empty database, replaces it.
"""

import os
import sys
import tempfile
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.misbehaving.server import Server
from tests.misbehaving.storm import Storm

KILLS, PROCESSES = 200, 2
SETTINGS = {"CONCURRENCY": "2"}
JOB_S = 2.0
"""Length of a job in seconds, so that jobs run during the whole test."""
CHECK_S = 600.0


def main() -> None:
    """Kill random processes while jobs run; print the number of kills.

    A lost or doubled job ends the run with an AssertionError.
    """
    numbers = [int(argument) for argument in sys.argv[1:] if argument.isdigit()]
    kills, processes = (*numbers, *(KILLS, PROCESSES)[len(numbers) :])
    database = os.environ.get("REELWRIGHT_TEST_POSTGRES", "")
    settings = SETTINGS | ({"DATABASE_URL": database} if database else {})
    began = time.monotonic()

    def report(number: int) -> None:
        if number % 20 == 0:
            Console(stderr=True).print(f"{number} kills after {time.monotonic() - began:.0f} s")

    with tempfile.TemporaryDirectory() as folder:
        servers = [Server(Path(folder, "data"), **settings).start() for _ in range(processes)]
        try:
            storm = Storm(servers=servers, log=Path(folder, "log"), count=2 * kills, seconds=JOB_S, seed=1, struck=report)
            storm.rage(kills)
            jobs = storm.check(CHECK_S)
        finally:
            for server in servers:
                server.close()
    database_name = "Postgres" if database else "SQLite"
    title = f"{storm.strikes.total()} kills on {database_name}, {time.monotonic() - began:.0f} s, load {os.getloadavg()[0]:.1f}"
    table = Table("what", "number", title=title)
    table.add_row("jobs, all done, none twice at a time", str(len(jobs)))
    table.add_row("attempts of a job, most", str(max(job["metrics"]["attempts"] for job in jobs)))
    for victim, count in sorted(storm.strikes.items()):
        table.add_row(f"killed: {victim}", str(count))
    Console().print(table)


if __name__ == "__main__":
    main()
