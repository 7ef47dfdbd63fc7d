"""A bounded queue between two threads that either side can end at any time."""

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from types import TracebackType
from typing import Generic, Self, TypeVar

T = TypeVar("T")


class Closed(Exception):
    """The other side has gone: nothing can be put in any more."""


# Pictures of 8K are a hundred times as large as those of a preview: a queue is as long as fits in here.
QUEUED_BYTES = 96 * 1024 * 1024


class Channel(Generic[T]):
    """At most `size` items wait, or fewer where they are heavy; `put` blocks while it is full.

    `queue.Queue` cannot wake a producer that waits on a consumer which has gone away, which is what cancelling means here.
    """

    def __init__(self, size: int):
        self._size = size
        self._items: deque[tuple[T, int]] = deque()
        self._weight = 0
        self._lock = threading.Condition()
        self._finished = False
        self._closed = False
        self._error: BaseException | None = None

    def put(self, item: T, weight: int = 0) -> None:
        """Add an item that holds `weight` bytes, waiting for room. Raises Closed when the consumer has gone."""

        def room() -> bool:
            light = self._weight + weight <= QUEUED_BYTES or not self._items
            return self._closed or (len(self._items) < self._size and light)

        with self._lock:
            self._lock.wait_for(room)
            if self._closed:
                raise Closed
            self._items.append((item, weight))
            self._weight += weight
            self._lock.notify_all()

    def finish(self, error: BaseException | None = None) -> None:
        """Say that no more items come; `error` is raised at the consumer after the items before it."""
        with self._lock:
            self._finished, self._error = True, error
            self._lock.notify_all()

    def close(self) -> None:
        """Leave as the consumer: waiting items are dropped, and the producer's next `put` raises Closed."""
        with self._lock:
            self._closed = True
            self._items.clear()
            self._weight = 0
            self._lock.notify_all()

    def get(self) -> T:
        """The next item. Raises StopIteration at the end, or the producer's error."""
        with self._lock:
            self._lock.wait_for(lambda: self._items or self._finished or self._closed)
            if self._items:
                item, weight = self._items.popleft()
                self._weight -= weight
                self._lock.notify_all()
                return item
            error, self._error = self._error, None
            if error is not None:
                raise error
            raise StopIteration


class Prefetcher(Generic[T]):
    """An iterator whose source runs in a thread of its own, up to `size` items ahead.

    Usable as a context manager; leaving it, `close`, or dropping it ends the thread after the item it is working on.
    """

    def __init__(self, source: Callable[[], Iterable[T]], *, size: int, name: str, weight: Callable[[T], int] = lambda item: 0):
        self._channel: Channel[T] = Channel(size)
        self._thread = threading.Thread(target=_produce, args=(source, self._channel, weight), name=name, daemon=True)
        self._thread.start()

    def __iter__(self) -> Iterator[T]:
        return self

    def __next__(self) -> T:
        return self._channel.get()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def __del__(self) -> None:
        self._channel.close()

    def close(self) -> None:
        """End the thread and wait until it has let go of its files."""
        self._channel.close()
        if self._thread is not threading.current_thread():
            self._thread.join()


def _produce(source: Callable[[], Iterable[T]], channel: Channel[T], weight: Callable[[T], int]) -> None:
    try:
        items = iter(source())
        try:
            for item in items:
                channel.put(item, weight(item))
        finally:
            close = getattr(items, "close", None)
            if close is not None:
                close()
    except Closed:
        channel.finish()
    except BaseException as error:
        channel.finish(error)
    else:
        channel.finish()
