"""Measurement of the time and peak memory of a code block."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import psutil

_INTERVAL_S = 0.05


@dataclass(slots=True)
class Cost:
    """Time and peak memory of a code block.

    `wall_s` is set when the block ends.
    """

    wall_s: float = 0.0
    peak_memory_bytes: int = 0


@contextmanager
def measured() -> Iterator[Cost]:
    """Measure the time and peak memory of a `with` block."""
    cost, process, done = Cost(), psutil.Process(), threading.Event()

    def watch() -> None:
        while not done.wait(_INTERVAL_S):
            cost.peak_memory_bytes = max(cost.peak_memory_bytes, int(process.memory_info().rss))

    watcher = threading.Thread(target=watch, daemon=True)
    cost.peak_memory_bytes = int(process.memory_info().rss)
    watcher.start()
    start = time.perf_counter()
    try:
        yield cost
    finally:
        cost.wall_s = time.perf_counter() - start
        done.set()
        watcher.join()
