"""An ordered parallel map over many items.

Memory is bounded.
"""

from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from shared.settings import usable_cores

A = TypeVar("A")
B = TypeVar("B")
_DECODING_CORES = 2  # number of cores that decoding occupies; threads help only where there are more


def map_ordered(function: Callable[[A], B], items: Iterable[A], *, workers: int | None = None, ahead: int = 4) -> Generator[B, None, None]:
    """Yield `function(item)` in the order of items, computed in threads.

    `workers`: number of threads; None: one per core. For functions that release the GIL, as those of NumPy, OpenCV and PyAV do. At most
    `workers` + `ahead` items are in flight, so memory does not grow. The first error ends the iteration and is raised in its place. Closing
    the generator early waits only for items that are being computed.
    """
    count = workers or usable_cores()
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


def map_beside_decoding(function: Callable[[A], B], items: Iterable[A], *, ahead: int = 2) -> Generator[B, None, None]:
    """Yield `function(item)` in order, computed in threads if there are more than two cores.

    Decoding keeps up to two cores busy, so that more threads would only take turns: there the caller's thread computes. Handing a frame
    to another thread and back takes a fifth of a millisecond, as much as shrinking it.
    """
    if usable_cores() <= _DECODING_CORES:
        yield from map(function, items)
    else:
        yield from map_ordered(function, items, ahead=ahead)
