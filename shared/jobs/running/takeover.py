"""Proofs that this process is alive, and takeover of dead processes' jobs.

DBOS knows which executor runs a job, but not whether that executor is alive. Here each process has an executor id of its own and holds a
lock on it (locks.py). A process that can take the lock of an executor with unfinished jobs puts those back into their queues; DBOS's atomic
claim then gives each to one process.

A Postgres session can also end while its process lives (a frozen machine, a cut network). The server ends a silent session after LEASE_S;
its process notices after GIVE_UP_S that it cannot prove that it is alive. If it runs jobs, it exits before another process may take them
over (GRACE_S later): GIVE_UP_S + PING_S < LEASE_S < GRACE_S. A child process does the work, and a frozen server cannot end it: the child's
guard ends it after CHILD_LEASE_S without a sign of life, CHILD_LEASE_S + PING_S < LEASE_S + GRACE_S.

While no jobs run anywhere, nothing can be taken over: proofs of life are rare, and sessions may be silent for longer (IDLE_LEASE_S). A
process proves its life at once when it takes a job from a queue.
"""

import contextlib
import logging
import os
import threading
import time
import uuid
from collections.abc import Callable

import psycopg

from shared.jobs.running.locks import LEASE_S, LOST_THE_LOCK, Locks
from shared.worker.processes.family_mark import Server, end_marked
from shared.worker.processes.process_end import LINGER_S

PING_S, GIVE_UP_S = 1.0, 4.0
IDLE_PING_S, IDLE_LEASE_S = 10.0, 30
"""Values that replace PING_S and LEASE_S while no jobs run in the installation."""
ROUSED_S = 5.0
"""Seconds of frequent proofs of life after a job was queued. Any process may have started the job."""
WATCH_S, IDLE_WATCH_S = 0.2, 1.0
"""Interval of checks whether proofs of life fail. The first applies while jobs run in this process."""
CHILD_LEASE_S = 10.0
LEFT_S = 2.0
"""Longest wait for the end of killed processes, in seconds. These outlived both their server and their guard."""
SETTLE_S = 2.0
"""Seconds after the start in which locks are tried often. Guards of a killed process may still be ending its children."""
log = logging.getLogger(__name__)


class Lifeline:
    """This process's proof of life (a lock), and the recovery of dead processes' jobs.

    The callers pass `executors`, which returns the executor ids of unfinished jobs, and `recover`, which puts the jobs of one executor back
    into their queues.
    """

    def __init__(self, locks: Locks):
        self.executor = f"reelwright-{uuid.uuid4().hex}"
        self._locks = locks
        self._stop = threading.Event()
        self._begun = [threading.Event(), threading.Event()]  # one for each thread
        self._alive_at = _now()
        self._roused_at = _now()
        self._idle = False
        self._free_since: dict[str, float] = {}
        self._outlived_since: dict[str, float] = {}
        self._reported: set[str] = set()
        self._threads: list[threading.Thread] = []
        if not locks.take(self.executor):
            raise RuntimeError(f"the lock of the new executor {self.executor} is held")
        locks.pass_on(self.executor)
        Server.name = self.executor

    def start(
        self,
        *,
        executors: Callable[[], set[str]],
        recover: Callable[[str], None],
        busy: Callable[[], bool],
        report: Callable[[str, str], None],
    ) -> None:
        """Start the thread that renews the lock and recovers jobs, and a watchdog thread.

        Threads, because a busy event loop must not look like a dead process. `busy` returns whether jobs run in this process. `report` is
        called once for a dead process whose jobs wait for the end of processes that it has started, with its executor id and a description
        of these processes.
        """
        self._report = report
        for target, arguments in ((self._watch, (executors, recover, busy)), (self._watchdog, (busy,))):
            thread = threading.Thread(target=target, args=arguments, name=f"lifeline{target.__name__}", daemon=True)
            thread.start()
            self._threads.append(thread)

    def hurry(self) -> None:
        """Wake the threads, which then renew the lock.

        Returns without waiting for them. Called when a job begins in this process.
        """
        for event in self._begun:
            event.set()

    def rouse(self) -> None:
        """Check for dead processes more often for a while.

        A job was queued, which any process may begin.
        """
        self._roused_at = _now()
        if self._idle:
            self._begun[0].set()

    def stop(self) -> None:
        """Stop the threads and release the lock.

        Unfinished jobs can then be taken over at once.
        """
        self._stop.set()
        self.hurry()
        for thread in self._threads:
            thread.join(5)
        with contextlib.suppress(psycopg.Error):
            self._locks.drop(self.executor)

    def take(self, name: str) -> bool:
        """Take the lock `name` for this process; return whether that succeeded.

        The lock ends with the process or its session. Returns False if the lock is not free, or if the database does not answer.
        """
        try:
            return self._locks.take(name)
        except psycopg.Error:
            return False

    def drop(self, name: str) -> None:
        """Release the lock `name`, which `take` took."""
        with contextlib.suppress(psycopg.Error):
            self._locks.drop(name)

    def _watch(self, executors: Callable[[], set[str]], recover: Callable[[str], None], busy: Callable[[], bool]) -> None:
        settled = _now() + SETTLE_S
        while True:  # the first round at once: after a restart, interrupted jobs go on before waiting ones
            held = False
            lease_s = IDLE_LEASE_S if self._idle and not busy() else LEASE_S
            self._idle = False
            try:
                began = _now()
                self._locks.confirm(self.executor, lease_s=lease_s)
                self._alive_at = began
                working = executors()
                held = self._reap(working - {self.executor}, recover)
                self._idle = not working and not busy() and began - self._roused_at > ROUSED_S
            except Exception as error:  # the database may not answer for a while; the watchdog decides when that is too long
                log.warning("looking for jobs of dead processes failed: %s", error)
            if held and _now() < settled:
                if self._pause(self._begun[0], WATCH_S):
                    return
                continue
            # The session of an idle process has the longer lease from the second idle round on.
            if self._pause(self._begun[0], IDLE_PING_S if self._idle and lease_s == IDLE_LEASE_S else PING_S):
                return

    def _pause(self, begun: threading.Event, seconds: float) -> bool:
        """Wait for `seconds` or until a job begins; return whether to stop."""
        begun.wait(seconds)
        begun.clear()
        return self._stop.is_set()

    def _reap(self, executors: set[str], recover: Callable[[str], None]) -> bool:
        """Recover the jobs of dead executors; return whether any lock is held.

        An executor whose lock is free is dead.
        """
        held = False
        self._free_since, self._outlived_since = (
            {name: since for name, since in times.items() if name in executors} for times in (self._free_since, self._outlived_since)
        )
        for executor in executors:
            if not self._locks.take(executor):
                self._free_since.pop(executor, None)
                held = True
                self._check_holders(executor)
                continue
            try:
                if _now() - self._free_since.setdefault(executor, _now()) >= self._locks.grace_s:
                    if end_marked(executor, LEFT_S):  # a child's processes survive if its guard and then its server are killed
                        held = True
                        continue
                    log.warning("taking over the jobs of %s, whose process has died", executor)
                    recover(executor)
            finally:
                self._locks.drop(executor)
        return held

    def _check_holders(self, executor: str) -> None:
        """Report once that a dead process's children have held its lock for LINGER_S."""
        if not self._locks.outlives(executor):
            self._outlived_since.pop(executor, None)
        elif _now() - self._outlived_since.setdefault(executor, _now()) >= LINGER_S and executor not in self._reported:
            self._reported.add(executor)
            self._report(executor, self._locks.holders(executor))

    def _watchdog(self, busy: Callable[[], bool]) -> None:
        """End this process if it runs jobs while its lock cannot be renewed.

        Without jobs it stays and waits for the database: there is nothing to take over, and `confirm` gets the lock back long before a job
        that starts then could be taken over (GRACE_S).
        """
        if not self._locks.grace_s:
            return
        alive_at, had_jobs, began_at = self._alive_at, False, 0.0
        while not self._pause(self._begun[1], WATCH_S if had_jobs else IDLE_WATCH_S):
            is_busy = busy()
            if is_busy and not had_jobs:
                began_at = _now()  # the database has just given this process a job, so its lock was not free until now
            had_jobs = is_busy or (had_jobs and alive_at == self._alive_at)
            alive_at = self._alive_at
            if had_jobs and _now() - max(alive_at, began_at) > GIVE_UP_S:
                log.critical(
                    "the database did not answer for %s s: this process exits, so that another one can continue its jobs", GIVE_UP_S
                )
                os._exit(LOST_THE_LOCK)


def _now() -> float:
    """Return seconds on a clock that also counts while the machine sleeps.

    The monotonic clock where the system has no such clock.
    """
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))
