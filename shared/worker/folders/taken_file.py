"""Transfer of files from a worker process to the server.

The process may go on changing them.
"""

import errno
import fcntl
import os
import shutil
import signal
import stat
from pathlib import Path

from shared.errors import WorkerCrashed
from shared.media.partial_name import partial_path
from shared.worker.folders.deletion import delete_tree

BLOCK_BYTES = 512
"""Unit of `st_blocks`, on every file system."""


def take(source: Path, target: Path) -> None:
    """Move the file `source`, which a child process wrote, to `target`.

    The child cannot change it there. The file is examined after the move, when the child cannot exchange it any more. If it may still be
    open for writing, `target` is a copy. Raises WorkerCrashed unless it is a regular file with one hard link.
    """
    name, moved, copied = source.name, partial_path(target), partial_path(target)
    try:
        try:
            os.rename(source, moved)  # a link is moved, not followed
        except FileNotFoundError:
            raise WorkerCrashed(f"The worker process wrote no {name!r}.") from None
        except OSError as error:
            if error.errno != errno.EXDEV:
                raise
            _copy(source, copied, name)
            os.replace(copied, target)
            source.unlink()
            return
        _require_file(moved.lstat(), moved.parent, name)
        os.chmod(moved, moved.stat().st_mode & 0o777 | 0o600)
        if _may_be_open_for_writing(moved):
            _copy(moved, copied, name)
            os.replace(copied, target)
        else:
            os.replace(moved, target)
    finally:
        delete_tree(moved)
        delete_tree(copied)


def _may_be_open_for_writing(path: Path) -> bool:
    """Return whether a process may have a file open for writing.

    Also a process that has mapped it into its memory.

    The kernel grants a read lease only if none has. True where it grants no leases: on network file systems, and outside of Linux.
    """
    if not hasattr(fcntl, "F_SETLEASE"):
        return True
    with path.open("rb") as file:
        try:
            # The signal for a process that opens the file meanwhile. This one is ignored by default; the usual one would end the server.
            fcntl.fcntl(file, fcntl.F_SETSIG, signal.SIGURG)
            fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_RDLCK)
        except OSError:
            return True
        return False  # closing the file ends the lease


def _copy(source: Path, target: Path, name: str) -> None:
    """Copy a file; a link is not followed.

    `name`: as errors call the file.
    """
    try:
        with open(source, "rb", opener=lambda path, flags: os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK)) as reading:
            _require_file(os.fstat(reading.fileno()), target.parent, name)
            with target.open("xb") as writing:
                shutil.copyfileobj(reading, writing, 1024 * 1024)
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.ELOOP, errno.EISDIR, errno.ENXIO, errno.EACCES):  # also a link, a folder, a socket
            raise _no_file(name) from None
        raise


def _require_file(about: os.stat_result, folder: Path, name: str) -> None:
    """Raise WorkerCrashed unless `about` describes a regular file with one hard link.

    Also for a file whose size is a mere number: the disk, that of `folder`, has no room for its bytes. Reading it could take hours.
    """
    if not stat.S_ISREG(about.st_mode) or about.st_nlink != 1:
        raise _no_file(name)
    if about.st_size > about.st_blocks * BLOCK_BYTES + shutil.disk_usage(folder).free:
        raise WorkerCrashed(f"The worker process wrote a file for {name!r} that is larger than the free disk.")


def _no_file(name: str) -> WorkerCrashed:
    return WorkerCrashed(f"The worker process wrote something else than a file for {name!r}.")
