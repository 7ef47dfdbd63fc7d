"""Locks that end with the process that holds them.

For SQLite, file locks (flock): the kernel releases them with the process. For Postgres, advisory locks: the server releases them with the
session. A session can also end while its process lives (a frozen machine, a cut network); `confirm` then takes the locks again.
"""

import fcntl
import hashlib
import logging
import os
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Protocol

import psycopg
import sqlalchemy as sa

from shared.worker.processes.process_end import described
from shared.worker.processes.process_tree import descendants
from shared.worker.slot import KEPT_OPEN

LEASE_S, GRACE_S = 6, 8.0
"""Seconds of silence after which Postgres ends a session, and its locks become free.

GRACE_S: seconds for which a lock must be free before the process that held it counts as dead.
"""
RETAKES, RETAKE_S = 10, 0.1
LOST_THE_LOCK = 70
"""Exit status of a process whose jobs another process has taken over."""
log = logging.getLogger(__name__)


class Locks(Protocol):
    """A set of named locks; each ends with the process that holds it."""

    grace_s: float
    """Seconds for which a lock must be free before its holder counts as dead."""

    def take(self, name: str) -> bool:
        """Take the lock `name` if it is free.

        Returns whether it was free.
        """

    def drop(self, name: str) -> None:
        """Release the lock `name`."""

    def pass_on(self, name: str) -> None:
        """Share the lock `name` with child processes started later, if possible."""

    def outlives(self, name: str, /) -> bool:
        """Return whether only the children of a dead process still hold its lock `name`."""

    def holders(self, name: str, /) -> str:
        """Describe the visible processes that hold the lock `name`, and their descendants."""

    def confirm(self, own: str, *, lease_s: int) -> None:
        """Renew this process's lock `own`; end the process if another process holds the lock.

        The other locks are renewed, too, unless another process has taken them; the log then says so. `lease_s`: seconds until the locks
        end unless they are renewed again (only in a database). Raises if the database does not answer.
        """


class FileLocks:
    """File locks (flock) in one folder.

    For processes of one machine that share an SQLite file.
    """

    grace_s = 0.0

    def __init__(self, folder: Path):
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._held: dict[str, int] = {}

    def take(self, name: str) -> bool:
        path = self._folder / name
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)  # NFS locks only files that are open for writing
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            is_current = os.fstat(fd).st_ino == path.stat().st_ino  # its holder may have deleted the file in between
        except OSError:
            is_current = False
        if is_current:
            self._held[name] = fd
        else:
            os.close(fd)
        return is_current

    def drop(self, name: str) -> None:
        fd = self._held.pop(name)
        KEPT_OPEN.discard(fd)
        (self._folder / name).unlink(missing_ok=True)
        os.close(fd)

    def pass_on(self, name: str) -> None:
        """Let the guard processes of workers inherit the lock.

        The kernel keeps it until the last of them has ended, after its children. So a killed server's jobs are taken over only after its
        guards, which need a moment on a loaded machine, have ended the children that still work on them.
        """
        fd = self._held[name]
        KEPT_OPEN.add(fd)
        with suppress(OSError):
            fcntl.lockf(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)  # for `outlives`: guards do not inherit this kind of lock

    def outlives(self, name: str) -> bool:
        try:
            with (self._folder / name).open("r+b") as file:
                fcntl.lockf(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            return False
        return True

    def holders(self, name: str) -> str:
        guards = _users(self._folder.absolute() / name)
        return described([pid for guard in guards for pid in (guard, *descendants(guard))])

    def confirm(self, own: str, *, lease_s: int) -> None:
        """Do nothing: the kernel keeps the lock while the process lives."""


class PostgresLocks:
    """Postgres session advisory locks.

    They use a direct connection of their own, not a transaction pooler.
    """

    grace_s = GRACE_S

    def __init__(self, url: sa.URL):
        self._dsn = url.set(drivername="postgresql").render_as_string(hide_password=False)
        self._held: set[str] = set()
        self._mutex = threading.RLock()  # without it, a lock that is dropped during `confirm` might be taken again
        self._connect(LEASE_S)

    def _connect(self, lease_s: int) -> None:
        options = f"-c idle_session_timeout={lease_s}s -c tcp_keepalives_idle=2 -c tcp_keepalives_interval=1 -c tcp_keepalives_count=3"
        self._session = psycopg.connect(self._dsn, autocommit=True, connect_timeout=2, options=options)

    def _ask(self, function: str, name: str) -> bool:
        key = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big", signed=True)
        row = self._session.execute(f"select {function}(%s)".encode(), (key,)).fetchone()
        return bool(row and row[0])

    def take(self, name: str) -> bool:
        with self._mutex:
            is_taken = self._ask("pg_try_advisory_lock", name)
            if is_taken:
                self._held.add(name)
            return is_taken

    def drop(self, name: str) -> None:
        with self._mutex:
            self._held.discard(name)
            self._ask("pg_advisory_unlock", name)

    def pass_on(self, name: str) -> None:
        """Do nothing: children cannot hold a session's lock. GRACE_S gives guards time to end the children."""

    def outlives(self, _name: str, /) -> bool:
        """Return False: a session's lock ends with the session."""
        return False

    def holders(self, _name: str, /) -> str:
        """Return a text that names no process, because the database knows none."""
        return described(())

    def confirm(self, own: str, *, lease_s: int) -> None:
        with self._mutex:
            try:
                self._session.execute(b"select set_config('idle_session_timeout', %s, false)", (f"{lease_s}s",))
            except psycopg.Error:  # the session is gone, with its locks: the database was restarted, or this process was frozen
                self._connect(lease_s)
                if not any(self._take_soon(own) for _ in range(RETAKES)):
                    log.critical("another process took over the jobs of %s: this process exits", own)
                    os._exit(LOST_THE_LOCK)
                self._retake(self._held - {own})

    def _retake(self, names: set[str]) -> None:
        """Take the last session's locks again; forget locks that another process has taken."""
        for name in names:
            if not self.take(name):
                self._held.discard(name)
                log.warning("the session of the database ended, and another process took the lock %s", name)

    def _take_soon(self, name: str) -> bool:
        """Try to take a lock; pause after a failure, and return False.

        Other processes hold a lock for a moment when they test the lock.
        """
        if self.take(name):
            return True
        time.sleep(RETAKE_S)
        return False


def make_locks(engine: sa.Engine) -> Locks:
    """Return the kind of locks that suits the database.

    File locks for SQLite, advisory locks for Postgres.
    """
    if engine.dialect.name == "sqlite":
        assert engine.url.database is not None
        return FileLocks(Path(f"{engine.url.database}.executors"))
    return PostgresLocks(engine.url)


def _users(path: Path) -> set[int]:
    """Return the ids of the visible processes that have a file open."""
    users = set()
    for entry in Path("/proc").glob("[0-9]*/fd/*"):
        with suppress(OSError):
            if os.readlink(entry) == str(path):
                users.add(int(entry.parts[2]))
    return users
