"""Deletion of folders that an untrusted process wrote."""

import os
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path

_FOLDER = os.O_DIRECTORY | os.O_NOFOLLOW


def delete_tree(path: Path, *, within_s: float = float("inf")) -> bool:
    """Delete a file, a link, or a folder with all that it holds.

    Folders may be nested deeply, and closed to their own user. No link is followed. What cannot be deleted is left, and what remains
    after `within_s` seconds: a process may write faster than it is deleted. Returns whether nothing is left.
    """
    with suppress(OSError):
        if not stat.S_ISDIR(path.lstat().st_mode):
            path.unlink()
            return True
        with _opened(path) as top:
            _empty(top, time.monotonic() + within_s)
        path.rmdir()
    return not os.path.lexists(path)


def _empty(top: int, deadline: float) -> None:
    """Delete the content of the open folder `top`.

    Raises TimeoutError after `deadline`, on the monotonic clock.

    Nested folders move to `top` before they are emptied, so their depth needs neither recursion nor long paths.
    """
    numbers = count()
    while entries := _entries(top):
        for name, is_folder in entries:
            if time.monotonic() > deadline:
                raise TimeoutError
            if not is_folder:
                os.unlink(name, dir_fd=top)
                continue
            with _opened(name, top) as folder:
                for inner, is_nested in _entries(folder):
                    if not is_nested:
                        os.unlink(inner, dir_fd=folder)
                        continue
                    with _opened(inner, folder):  # a folder that is closed to its user cannot be moved
                        os.rename(inner, _unused(top, numbers), src_dir_fd=folder, dst_dir_fd=top)
            os.rmdir(name, dir_fd=top)


@contextmanager
def _opened(name: str | Path, folder: int | None = None) -> Iterator[int]:
    """Give a folder's owner all permissions on the folder, and open it.

    Yields the file descriptor.
    """
    if hasattr(os, "O_PATH"):
        handle = os.open(name, os.O_PATH | _FOLDER, dir_fd=folder)
        try:
            os.chmod(f"/proc/self/fd/{handle}", 0o700)
            opened = os.open(".", os.O_RDONLY | _FOLDER, dir_fd=handle)
        finally:
            os.close(handle)
    else:
        opened = os.open(name, os.O_RDONLY | _FOLDER, dir_fd=folder)
    try:
        yield opened
    finally:
        os.close(opened)


def _entries(folder: int) -> list[tuple[str, bool]]:
    """Return the names in an open folder.

    Each with whether it is a folder.
    """
    with os.scandir(folder) as entries:
        return [(entry.name, entry.is_dir(follow_symlinks=False)) for entry in entries]


def _unused(folder: int, numbers: Iterator[int]) -> str:
    """Return an unused name in an open folder."""
    while True:
        name = f".deleted-{next(numbers)}"
        try:
            os.lstat(name, dir_fd=folder)
        except FileNotFoundError:
            return name
