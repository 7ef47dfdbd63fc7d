"""Waiting for a condition in tests."""

import time
from collections.abc import Callable


def within(limit_s: float, true: Callable[[], object], condition: str = "the condition") -> float:
    """Wait until `true()` returns true; return the elapsed seconds.

    Fails after `limit_s` seconds, naming the `condition`. The pauses between calls grow with the waiting time, from 10 to 200 ms.
    """
    began = time.monotonic()
    while not true():
        elapsed = time.monotonic() - began
        assert elapsed < limit_s, f"{condition} did not come about within {limit_s} s"
        time.sleep(min(max(elapsed / 20, 0.01), 0.2))
    return time.monotonic() - began
