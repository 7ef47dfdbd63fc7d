"""An iterator whose items a thread computes ahead."""

import threading
from collections.abc import Callable, Iterable, Iterator
from types import TracebackType
from typing import Generic, Self, TypeVar

from shared.video.threads.bounded_queue import BoundedQueue, QueueClosed

T = TypeVar("T")


class Prefetcher(Generic[T]):
    """An iterator over `source()`, computed up to `size` items ahead in a thread.

    `weight`: returns the bytes that an item holds; heavy items shorten the queue. Usable as a context manager. Leaving it, `close`, or
    dropping the iterator ends the thread after the current item.
    """

    def __init__(self, source: Callable[[], Iterable[T]], *, size: int, name: str, weight: Callable[[T], int] | None = None):
        self._queue: BoundedQueue[T] = BoundedQueue(size)
        self._thread = threading.Thread(target=_produce, args=(source, self._queue, weight), name=name, daemon=True)
        self._thread.start()

    def __iter__(self) -> Iterator[T]:
        return self

    def __next__(self) -> T:
        return self._queue.get()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def __del__(self) -> None:
        self._queue.close()

    def close(self) -> None:
        """End the thread, and wait until it has closed its files."""
        self._queue.close()
        if self._thread is not threading.current_thread():
            self._thread.join()


def _produce(source: Callable[[], Iterable[T]], queue: BoundedQueue[T], weight: Callable[[T], int] | None) -> None:
    try:
        items = iter(source())
        try:
            for item in items:
                queue.put(item, weight(item) if weight else 0)
        finally:
            close = getattr(items, "close", None)
            if close is not None:
                close()
    except QueueClosed:
        queue.finish()
    except BaseException as error:
        queue.finish(error)
    else:
        queue.finish()
