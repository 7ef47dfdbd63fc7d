"""Corrected copies of files that FFmpeg misreads, kept for reuse by the process."""

import atexit
import os
import shutil
import tempfile
import threading
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

_KEPT = 4
_Key = tuple[str, int, int]
_copies: OrderedDict[_Key, Path] = OrderedDict()
_in_use: Counter[_Key] = Counter()
_lock = threading.Lock()


@contextmanager
def kept_copy(path: str | os.PathLike[str], suffix: str, write: Callable[[Path], None]) -> Iterator[Path]:
    """Yield the path of a file's corrected copy, made by `write` on first use.

    `write` is given the copy's path, which has the suffix `suffix`. A copy stays during the `with` block; afterwards the last few are kept
    until the process ends. Raises what `write` raises.
    """
    status = os.stat(path)
    key = (os.path.abspath(path), status.st_size, status.st_mtime_ns)
    with _lock:
        if key not in _copies:
            _copies[key] = _made(suffix, write)
        _copies.move_to_end(key)
        copy = _copies[key]
        _in_use[key] += 1
    try:
        yield copy
    finally:
        with _lock:
            _in_use[key] -= 1
            _delete_oldest()


def _delete_oldest() -> None:
    """Delete the oldest copies beyond `_KEPT`, except copies in use. The caller holds the lock."""
    for key in list(_copies)[: max(len(_copies) - _KEPT, 0)]:
        if not _in_use[key]:
            _copies.pop(key).unlink(missing_ok=True)
            del _in_use[key]


@cache
def _folder() -> str:
    """Create this process's folder of copies, which is deleted when the process ends."""
    folder = tempfile.mkdtemp(prefix="reelwright-copies-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def _made(suffix: str, write: Callable[[Path], None]) -> Path:
    handle, name = tempfile.mkstemp(suffix=suffix, dir=_folder())
    os.close(handle)
    try:
        write(Path(name))
    except BaseException:
        os.unlink(name)
        raise
    return Path(name)
