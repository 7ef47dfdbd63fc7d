"""Notices to all processes that a queue has new work.

A process that queues a job calls its own worker directly. Other processes learn it from Postgres's NOTIFY, or from the modification time of
a file beside the SQLite file. A lost notice only delays a job: every queue is also polled, slowly.
"""

import logging
import os
import selectors
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Protocol

import psycopg
import sqlalchemy as sa

CHANNEL = "reelwright_queue"
"""Postgres channel of the notices. The payload is the name of a queue."""
ALL = "_all"
"""Queue name in notices that are about every queue."""
LOOK_S, IDLE_LOOK_S, IDLE_AFTER = 0.1, 0.3, 100
"""Seconds between checks for changed files, usually and while idle. IDLE_AFTER checks without a change lead to the longer interval."""
RECONNECT_S = 2.0
STOP_S = 5.0
"""Longest time, in seconds, until `watch` notices that it must stop."""
KEEPALIVES = {"keepalives_idle": "5", "keepalives_interval": "2", "keepalives_count": "3"}
"""Connection parameters with which a dead connection is noticed after 11 s."""
log = logging.getLogger(__name__)


class QueueNotices(Protocol):
    """Sender and receiver of queue notices within one installation."""

    def send_with(self, connection: sa.Connection, queue: str) -> None:
        """Send a notice about `queue` when the transaction of `connection` is committed."""

    def committed(self, queue: str) -> None:
        """Send a notice about `queue` after a commit, unless `send_with` did. Never raises."""

    def watch(self, stop: threading.Event, on_notice: Callable[[str], None]) -> None:
        """Call `on_notice` with the queue of each notice until `stop` is set.

        This process's own notices are reported, too.
        """


class FileNotices:
    """Queue notices between processes of one machine, by files.

    The processes share an SQLite file. Each queue has a file, whose modification time changes.
    """

    def __init__(self, folder: Path):
        self._folder = folder

    def send_with(self, connection: sa.Connection, queue: str) -> None:
        """Do nothing: `committed` sends a notice after the commit."""

    def committed(self, queue: str) -> None:
        path, now = self._folder / queue, time.time_ns()
        with suppress(OSError):
            try:
                os.utime(path, ns=(now, now))  # the kernel's own time of a file is too coarse for two changes in a row
            except FileNotFoundError:
                self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
                path.touch(0o600)
                os.utime(path, ns=(now, now))

    def watch(self, stop: threading.Event, on_notice: Callable[[str], None]) -> None:
        latest, unchanged = self._times(), 0
        on_notice(ALL)
        while not stop.wait(LOOK_S if unchanged < IDLE_AFTER else IDLE_LOOK_S):
            times = self._times()
            unchanged = unchanged + 1 if times == latest else 0
            for queue in [queue for queue, changed in times.items() if latest.get(queue) != changed]:
                on_notice(queue)
            latest = times

    def _times(self) -> dict[str, int]:
        """Return the modification time of each queue's file in nanoseconds."""
        times = {}
        with suppress(OSError), os.scandir(self._folder) as entries:
            for entry in entries:
                times[entry.name] = entry.stat().st_mtime_ns
        return times


class PostgresNotices:
    """Queue notices by Postgres's LISTEN and NOTIFY."""

    def __init__(self, url: sa.URL):
        self._dsn = url.set(drivername="postgresql").update_query_dict(KEEPALIVES).render_as_string(hide_password=False)

    def send_with(self, connection: sa.Connection, queue: str) -> None:
        connection.execute(sa.select(sa.func.pg_notify(CHANNEL, queue)))

    def committed(self, queue: str) -> None:
        """Do nothing: Postgres sends a notice with the commit, by `send_with`."""

    def watch(self, stop: threading.Event, on_notice: Callable[[str], None]) -> None:
        while not stop.is_set():
            try:
                with psycopg.connect(self._dsn, autocommit=True, connect_timeout=4) as connection:
                    connection.execute(f"listen {CHANNEL}".encode())
                    on_notice(ALL)  # work may have come while nobody listened
                    _hear(connection, stop, on_notice)
            except psycopg.Error as error:
                if not stop.is_set():
                    log.warning("the database sends no notices of new jobs; polling meanwhile: %s", (str(error) or "?").splitlines()[0])
                stop.wait(RECONNECT_S)


def _hear(connection: psycopg.Connection, stop: threading.Event, on_notice: Callable[[str], None]) -> None:
    """Call `on_notice` with the payload of each notice until `stop` is set.

    Waits on the socket itself: `Connection.notifies` wakes ten times a second. Raises psycopg.Error if the connection is lost.
    """
    with selectors.DefaultSelector() as selector:
        selector.register(connection.fileno(), selectors.EVENT_READ)
        while not stop.is_set():
            if selector.select(STOP_S):
                connection.pgconn.consume_input()
                while notice := connection.pgconn.notifies():
                    on_notice(notice.extra.decode())


def make_notices(engine: sa.Engine) -> QueueNotices:
    """Create the sender and receiver of notices for the database of `engine`."""
    if engine.dialect.name == "sqlite":
        return FileNotices(Path(f"{engine.url.database}.queued"))
    return PostgresNotices(engine.url)
