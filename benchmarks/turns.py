"""Times of jobs that run in turns, so other load affects all equally."""

import time
from collections.abc import Callable, Iterable

import psutil


def processor_s() -> float:
    """Return the processor seconds of this process and its ended child processes."""
    times = psutil.Process().cpu_times()
    return float(times.user + times.system + times.children_user + times.children_system)


def lowest_costs(jobs: Iterable[tuple[str, Callable[[], object]]], *, rounds: int) -> dict[str, tuple[float, float]]:
    """Run jobs in turns; return each job's lowest wall and processor seconds."""
    spent: dict[str, tuple[float, float]] = {}
    works = list(jobs)
    for _ in range(rounds):
        for name, work in works:
            wall, processor = time.perf_counter(), processor_s()
            work()
            wall, processor = time.perf_counter() - wall, processor_s() - processor
            earlier = spent.get(name, (wall, processor))
            spent[name] = min(earlier[0], wall), min(earlier[1], processor)
    return spent
