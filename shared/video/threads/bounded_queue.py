"""A bounded queue between two threads, which either side can end."""

import threading
from collections import deque
from typing import Generic, TypeVar

T = TypeVar("T")

QUEUED_BYTES = 96 * 1024 * 1024
"""Limit on the total bytes of waiting items. An 8K picture is a hundred times as large as a preview's, so counting is not enough."""


class QueueClosed(Exception):
    """Raised to the producer when the consumer has closed the queue.

    The queue takes no more items.
    """


class BoundedQueue(Generic[T]):
    """A queue of at most `size` items; fewer if they use much memory.

    `put` blocks while it is full. `queue.Queue` cannot wake a producer that waits for a consumer which has gone away; cancelling needs
    exactly that.
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
        """Add an item, waiting until there is room.

        `weight`: bytes that the item holds. Raises QueueClosed if the consumer has closed the queue.
        """

        def has_room() -> bool:
            light = self._weight + weight <= QUEUED_BYTES or not self._items
            return self._closed or (len(self._items) < self._size and light)

        with self._lock:
            self._lock.wait_for(has_room)
            if self._closed:
                raise QueueClosed
            self._items.append((item, weight))
            self._weight += weight
            self._lock.notify_all()

    def finish(self, error: BaseException | None = None) -> None:
        """End the queue from the producer's side.

        The consumer gets the waiting items, then `error`, if any.
        """
        with self._lock:
            self._finished, self._error = True, error
            self._lock.notify_all()

    def close(self) -> None:
        """Close the queue from the consumer's side.

        Waiting items are dropped, and the producer's next `put` raises QueueClosed.
        """
        with self._lock:
            self._closed = True
            self._items.clear()
            self._weight = 0
            self._lock.notify_all()

    def get(self) -> T:
        """Return the next item, waiting until there is one.

        Raises StopIteration at the end, or the producer's error.
        """
        with self._lock:
            self._lock.wait_for(lambda: self._items or self._finished or self._closed)
            if self._items:
                item, weight = self._items.popleft()
                self._weight -= weight
                self._lock.notify_all()
                return item
            error, self._error = self._error, None
        if error is None:
            raise StopIteration
        try:
            raise error
        finally:
            del error  # its traceback refers to this call: a reference cycle would keep the producer's frames in memory
