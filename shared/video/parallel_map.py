"""A function over many items on all cores, in order, with back-pressure."""

import os
from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

A = TypeVar("A")
B = TypeVar("B")


def map_ordered(function: Callable[[A], B], items: Iterable[A], *, workers: int | None = None, ahead: int = 4) -> Generator[B, None, None]:
    """`function(item)` of each item, in the order of the items, computed in `workers` threads (None: one a core).

    For functions that release the GIL, as numpy, OpenCV and PyAV do. At most `workers` + `ahead` items are taken that have not been
    handed on, so memory does not grow. The first error ends it and is raised in its turn. Closing the generator early waits for the
    items in work only.
    """
    count = workers or os.cpu_count() or 1
    if count < 1 or ahead < 0:
        raise ValueError(f"{workers = } must be at least 1 and {ahead = } at least 0")
    waiting: deque[Future[B]] = deque()
    with ThreadPoolExecutor(count, thread_name_prefix="map") as pool:
        try:
            for item in items:
                waiting.append(pool.submit(function, item))
                if len(waiting) >= count + ahead:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()
