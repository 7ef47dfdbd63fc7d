"""Wake the threads that poll DBOS's queues, so that they need not poll often.

DBOS polls each queue at an interval. Here the interval is long, and a thread is woken when there is work: by a submit or the end of a job
in this process, by Postgres's NOTIFY from other processes, or by a change of the SQLite file.
"""

import logging
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import dbos._dbos
import psycopg
import sqlalchemy as sa

from shared.jobs.database.store import CHANNEL

WATCH_S = 0.1
RECONNECT_S = 2.0
MANAGER_S = 30.0
"""Seconds between two looks for new queues; DBOS's own is 1."""
WORKER_PREFIX = "queue-worker-"
"""Begin of the names of DBOS's polling threads; the queue's name follows."""
NAME = "queue_thread"
"""Name of the function of DBOS that starts the polling threads."""
_module: Any = dbos._dbos
log = logging.getLogger(__name__)


class QueueWaker:
    """The polling threads of this process, which can be woken by the name of their queue."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._woken: dict[str, threading.Event] = {}
        self._stop = threading.Event()

    def install(self) -> None:
        """Let DBOS's next launch poll through this waker. Call it before the launch."""
        original = _Original.queue_thread

        def queue_thread(stop: threading.Event, dbos: Any) -> None:
            threading.Thread(target=self._pass_on, args=(stop,), name="queue-waker", daemon=True).start()
            original(_Waiting(self, stop), dbos)

        setattr(_module, NAME, queue_thread)

    def wake(self, queue: str) -> None:
        """Let a queue be polled now. Safe from every thread; unknown names do nothing."""
        with self._lock:
            if (event := self._woken.get(queue)) is not None:
                event.set()

    def wake_all(self) -> None:
        """Let all queues be polled now, and new queues be found."""
        with self._lock:
            for event in self._woken.values():
                event.set()

    def watch(self, engine: sa.Engine) -> None:
        """Start the thread that notices work from other processes."""
        target: Callable[[sa.Engine], None] = self._watch_file if engine.dialect.name == "sqlite" else self._listen
        threading.Thread(target=target, args=(engine,), name="queue-watch", daemon=True).start()

    def stop(self) -> None:
        """End the thread of `watch`."""
        self._stop.set()

    def wait(self, name: str, timeout_s: float) -> None:
        """Wait until a thread is woken, or for `timeout_s` seconds."""
        with self._lock:
            event = self._woken.setdefault(name, threading.Event())
        event.wait(timeout_s)
        event.clear()

    def _pass_on(self, stop: threading.Event) -> None:
        """Wake all threads when DBOS stops them."""
        stop.wait()
        while any(thread.name.startswith(WORKER_PREFIX) for thread in threading.enumerate()):
            self.wake_all()
            if self._stop.wait(0.05):
                self.wake_all()
                return

    def _watch_file(self, engine: sa.Engine) -> None:
        database = Path(str(engine.url.database))
        paths, seen = (database, Path(f"{database}-wal")), None
        while not self._stop.wait(WATCH_S):
            state = [_state(path) for path in paths]
            if state != seen:
                seen = state
                self.wake_all()

    def _listen(self, engine: sa.Engine) -> None:
        dsn = engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
        while not self._stop.is_set():
            try:
                with psycopg.connect(dsn, autocommit=True, connect_timeout=4) as connection:
                    connection.execute(f"listen {CHANNEL}".encode())
                    self.wake_all()  # work may have come while nobody listened
                    while not self._stop.is_set():
                        for notice in connection.notifies(timeout=5.0):
                            self.wake(notice.payload)
            except psycopg.Error as error:  # meanwhile the queues are polled at their long interval
                log.warning("not told about new jobs by the database; polling: %s", str(error).splitlines()[0])
                self._stop.wait(RECONNECT_S)


class _Original:
    """DBOS's own function, before any replacement."""

    queue_thread: Callable[[Any, Any], None] = staticmethod(getattr(_module, NAME))


class _Waiting:
    """The stop event as DBOS's threads see it: waiting for it also ends when there is work."""

    def __init__(self, waker: QueueWaker, stop: threading.Event):
        self._waker, self._stop, self._looks = waker, stop, 0

    def is_set(self) -> bool:
        return self._stop.is_set()

    def wait(self, timeout: float) -> bool:
        name = threading.current_thread().name
        if name.startswith(WORKER_PREFIX):
            self._waker.wait(name.removeprefix(WORKER_PREFIX), timeout)
        else:  # DBOS's manager, which finds new queues
            self._waker.wait("", timeout if self._looks < 3 else MANAGER_S)
            self._looks += 1
        return self._stop.is_set()


def _state(path: Path) -> tuple[int, int] | None:
    try:
        about = path.stat()
    except OSError:
        return None
    return about.st_mtime_ns, about.st_size
