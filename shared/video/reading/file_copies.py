"""Corrected copies of files that FFmpeg misreads, kept for reuse by the process."""

import atexit
import os
import shutil
import tempfile
import threading
from collections import OrderedDict
from collections.abc import Callable
from functools import cache
from pathlib import Path

_KEPT = 4
_copies: OrderedDict[tuple[str, int, int], Path] = OrderedDict()
_lock = threading.Lock()


def kept_copy(path: str | os.PathLike[str], suffix: str, write: Callable[[Path], None]) -> Path:
    """Return the path of a corrected copy of a file, made by `write` at the first call.

    `write` is given the copy's path, which has the suffix `suffix`. The last few copies are kept, until the process ends. Raises what
    `write` raises.
    """
    status = os.stat(path)
    key = (os.path.abspath(path), status.st_size, status.st_mtime_ns)
    with _lock:
        if key not in _copies:
            _copies[key] = _made(suffix, write)
            while len(_copies) > _KEPT:
                _copies.popitem(last=False)[1].unlink(missing_ok=True)
        _copies.move_to_end(key)
        return _copies[key]


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
