"""A thread that runs a writer's actions in order."""

import threading
from collections.abc import Callable

from shared.errors import OperationFailed
from shared.video.threads.bounded_queue import BoundedQueue, QueueClosed

Action = Callable[[], None]
Explain = Callable[[BaseException], BaseException]
_WAITING = 8


class ActionThread:
    """A thread that runs actions in order, with at most 8 waiting.

    It keeps no reference to an action that has run, nor to an error that was raised. A reference cycle would keep an encoder's frames in
    memory until the garbage collector runs.
    """

    def __init__(self) -> None:
        self._queue: BoundedQueue[Action] = BoundedQueue(_WAITING)
        self._errors: list[BaseException] = []
        self._thread: threading.Thread | None = None

    @property
    def started(self) -> bool:
        return self._thread is not None

    def start(self, name: str, *, cleanup: Action, explain: Explain) -> None:
        """Start the thread that runs the actions.

        `cleanup` runs in the thread after the last action, whatever happened. `explain` turns an action's error into the error to raise.
        """
        self._thread = threading.Thread(target=_run, args=(self._queue, self._errors, cleanup, explain), name=name, daemon=True)
        self._thread.start()

    def submit(self, action: Action, weight: int = 0) -> None:
        """Queue an action, waiting while too many are queued.

        The action holds `weight` bytes until it runs. Raises the error of an action that failed, once, and OperationFailed afterwards.
        """
        try:
            self._queue.put(action, weight)
        except QueueClosed:
            self._join()
            self._raise_error()
            raise OperationFailed("The writer was closed while there was more to write.") from None

    def finish(self) -> None:
        """Wait until all actions have run and the thread has ended.

        Raises the error of an action that failed.
        """
        self._queue.finish()
        self._join()
        self._raise_error()

    def abort(self) -> None:
        """Drop the queued actions, and wait for the running action."""
        self._queue.close()
        self._join()
        self._errors.clear()

    def _join(self) -> None:
        if self._thread is not None and self._thread.is_alive():
            self._thread.join()

    def _raise_error(self) -> None:
        if self._errors:
            raise self._errors.pop()


def _run(queue: BoundedQueue[Action], errors: list[BaseException], cleanup: Action, explain: Explain) -> None:
    try:
        while True:
            queue.get()()
    except StopIteration:
        pass
    except BaseException as error:
        errors.append(explain(error))
    finally:
        queue.close()
        cleanup()
