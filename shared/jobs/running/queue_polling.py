"""Polling of DBOS's queues when work arrives, instead of at short intervals.

DBOS starts a thread per queue, which waits for an event that ends it, with the polling interval as the time limit. Here these threads get
an event whose `wait` also ends when their queue is woken. The interval is then long, and only a fallback.
"""

import threading
import time
from collections.abc import Callable
from typing import Any

import dbos._dbos
from dbos._core import ActiveWorkflowById, ActiveWorkflowEntry

from shared.jobs.database.queue_notices import ALL, QueueNotices

AGAIN_S = 1.0
"""Seconds after which a woken queue is polled once more. A transient error of the database may have prevented the first poll."""
UNUSED_S = 60.0
"""Interval of polling for new queues, and of DBOS's own queues, which are unused."""
CLAIM_S = 10.0
"""Longest time from the claim of a workflow to its start in this process."""
WORKER_PREFIX = "queue-worker-"
"""Prefix of the names of DBOS's polling threads. The queue's name follows."""
OWN_PREFIX = "_dbos_"
"""Prefix of the names of DBOS's own queues."""
MANAGER = "manager of the queues"
"""Name, for `QueueWaker.wait`, of the thread that starts the polling threads."""
POLL, UNUSED_JOBS = "queue_thread", "background_jobs_thread"
"""Functions that DBOS runs as threads. One starts the polling threads, the other handles delays and time limits, which are not used."""
_module: Any = dbos._dbos


class QueueWaker:
    """A waker of the threads in which DBOS polls this process's queues."""

    def __init__(self, *, claimed: Callable[[], None] = lambda: None) -> None:
        """Create a waker.

        It calls `claimed` when this process has taken workflows from a queue.
        """
        self._claimed = claimed
        self._lock = threading.Lock()
        self._woken: dict[str, threading.Event] = {}
        self._again: set[str] = set()
        self._stop = threading.Event()

    def install(self) -> None:
        """Replace DBOS's polling function with one that this object can wake.

        Takes effect at the next launch of DBOS.
        """

        def poll(stop: threading.Event, dbos: Any) -> None:
            dbos._active_workflows_set = ActiveWorkflows(self.wake)
            dbos._sys_db.start_queued_workflows = _Claims(dbos, self._claimed).start_queued_workflows
            threading.Thread(target=self._pass_on, args=(stop,), name="queue-stop", daemon=True).start()
            _Original.poll(_WakingEvent(self, stop), dbos)

        setattr(_module, POLL, poll)
        setattr(_module, UNUSED_JOBS, lambda _stop, _dbos: None)

    def wake(self, queue: str) -> None:
        """Trigger a poll of a queue.

        ALL: every queue, and new queues are found. Unknown names do nothing.
        """
        with self._lock:
            for name, event in self._woken.items():
                if queue in (name, ALL):
                    event.set()

    def watch(self, notices: QueueNotices, *, heard: Callable[[], None] = lambda: None) -> None:
        """Start the thread that receives notices from other processes.

        `heard`: called at each notice.
        """

        def hear(queue: str) -> None:
            self.wake(queue)
            heard()

        threading.Thread(target=notices.watch, args=(self._stop, hear), name="queue-watch", daemon=True).start()

    def stop(self) -> None:
        """End the polling threads and the notice thread.

        Nothing more is taken from the queues.
        """
        self._stop.set()
        self.wake(ALL)

    def stopped(self, stop: threading.Event) -> bool:
        """Return whether the polling threads must end.

        `stop`, DBOS's own event, and this waker's end each end them.
        """
        return stop.is_set() or self._stop.is_set()

    def wait(self, name: str, timeout_s: float, stop: threading.Event) -> bool:
        """Block a polling thread until woken or `timeout_s`.

        Returns whether the thread must end. `name`: the queue that the thread polls, or MANAGER. The first call for a name returns at once,
        because there may be earlier work.
        """
        with self._lock:
            is_new = name not in self._woken
            event = self._woken.setdefault(name, threading.Event())
        # At the end, `stopped` turns true before all events are set. An event made later is never set, so `stopped` is checked here.
        if is_new or self.stopped(stop):
            return self.stopped(stop)
        if event.wait(min(timeout_s, AGAIN_S) if name in self._again else timeout_s):
            self._again.add(name)  # only the thread `name` uses its entry
        else:
            self._again.discard(name)
        event.clear()
        return self.stopped(stop)

    def _pass_on(self, stop: threading.Event) -> None:
        """Wake all waiting threads when DBOS sets `stop`."""
        stop.wait()
        self.wake(ALL)


class ActiveWorkflows(ActiveWorkflowById):
    """DBOS's registry of running workflows, which also counts workflows about to start.

    It limits how many workflows a process takes from a queue. It includes workflows that are claimed and not yet started: a queue that is
    polled twice in a row would give too many otherwise. When a workflow ends, its queue is polled.
    """

    def __init__(self, freed: Callable[[str], None]):
        super().__init__()
        self._freed = freed
        self._claims: dict[str, tuple[str, float]] = {}

    def claim(self, ids: list[str], queue_name: str) -> None:
        """Count claimed workflows as running until they start.

        A workflow that never starts is counted for CLAIM_S.
        """
        until = time.monotonic() + CLAIM_S
        with self._lock:
            self._claims = {key: claim for key, claim in self._claims.items() if claim[1] > time.monotonic()}
            self._claims |= dict.fromkeys(ids, (queue_name, until))

    def add(self, key: str, queue_name: str | None = None, queue_partition_key: str | None = None) -> ActiveWorkflowEntry:
        entry = super().add(key, queue_name, queue_partition_key)
        with self._lock:
            self._claims.pop(key, None)
        return entry

    def count_for_queue(self, queue_name: str) -> int:
        with self._lock:
            now = time.monotonic()
            claimed = sum(name == queue_name and until > now for name, until in self._claims.values())
        return claimed + super().count_for_queue(queue_name)

    def _remove(self, key: str, bucket: tuple[str, str | None] | None) -> None:
        super()._remove(key, bucket)
        if bucket is not None:
            self._freed(bucket[0])


class _Claims:
    """A wrapper of DBOS's function that claims workflows; it counts them.

    Claimed workflows count as running.
    """

    def __init__(self, dbos: Any, claimed: Callable[[], None]):
        self._dbos, self._claimed, self._original = dbos, claimed, dbos._sys_db.start_queued_workflows

    def start_queued_workflows(self, queue: Any, *args: Any, **kwargs: Any) -> Any:
        ids, reason = self._original(queue, *args, **kwargs)
        if ids:
            self._dbos._active_workflows_set.claim(ids, queue.name)
            self._claimed()
        return ids, reason


class _Original:
    """DBOS's original polling function, before its replacement."""

    poll: Callable[[Any, Any], None] = staticmethod(getattr(_module, POLL))


class _WakingEvent:
    """An event that ends a polling thread's wait when work arrives.

    DBOS waits for this event in place of its own stop event.
    """

    def __init__(self, waker: QueueWaker, stop: threading.Event):
        self._waker, self._stop = waker, stop

    def is_set(self) -> bool:
        return self._waker.stopped(self._stop)

    def wait(self, timeout: float) -> bool:
        name = threading.current_thread().name
        if not name.startswith(WORKER_PREFIX):
            return self._waker.wait(MANAGER, UNUSED_S, self._stop)
        queue = name.removeprefix(WORKER_PREFIX)
        return self._waker.wait(queue, UNUSED_S if queue.startswith(OWN_PREFIX) else timeout, self._stop)
