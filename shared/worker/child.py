"""The child process of a slot: `python -m shared.worker.child FD PARENT_PID MEMORY_BYTES`.

It leads a process group of its own (what it starts, ffmpeg for one, is killed with it), dies with its parent, is the first to go when
the machine runs out of memory, yields the processor to the API, and holds none of its parent's secrets (slot.py clears the environment).
"""

import ctypes
import importlib
import json
import os
import resource
import signal
import socket
import sys
import traceback
from contextlib import suppress
from pathlib import Path
from typing import Any

from shared.errors import ReelwrightError
from shared.worker.report import Report
from shared.worker.wire import HEADER, body_length, pack

PR_SET_PDEATHSIG = 1
NICENESS = 5
# Address space that is reserved but not used (thread stacks, allocator arenas) counts against RLIMIT_DATA too.
HEADROOM_BYTES = 4 * 1024**3


def main(fd: int, parent_pid: int, memory_bytes: int) -> None:
    """Serve calls that come over the socket `fd` until it closes."""
    confine(parent_pid, memory_bytes)
    connection = socket.socket(fileno=fd)
    with connection.makefile("rb") as incoming:
        while header := incoming.read(HEADER.size):
            message = json.loads(incoming.read(body_length(header)))
            connection.sendall(answer(message, connection))


def confine(parent_pid: int, memory_bytes: int) -> None:
    """Tie this process to its parent and limit it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C goes to the whole terminal; the parent decides what becomes of its jobs
    os.nice(NICENESS)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        resource.setrlimit(resource.RLIMIT_DATA, (memory_bytes + HEADROOM_BYTES, memory_bytes + HEADROOM_BYTES))
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        with suppress(OSError):
            Path("/proc/self/oom_score_adj").write_text("1000")
    if os.getppid() != parent_pid:
        os._exit(1)  # the parent died before the signal was set


def answer(message: dict[str, Any], connection: socket.socket) -> bytes:
    """Run one call; its last message, packed."""
    try:
        module, _, name = message["target"].partition(":")
        report = Report(lambda update: connection.sendall(pack(update)))
        done = getattr(importlib.import_module(module), name)(message["args"], report)
        report.finish()
        return pack({"done": done})
    except ReelwrightError as error:
        return pack({"error": {"class": type(error).__name__, "detail": error.detail, "errors": error.errors}})
    except MemoryError:
        return pack({"error": {"class": "OutOfMemory", "detail": "The job asked for more memory than it may have."}})
    except Exception as error:
        traceback.print_exc()
        detail = f"{type(error).__name__}: {error}".rstrip(": ")
        return pack({"error": {"class": "OperationFailed", "detail": f"The operation stopped with an error it did not expect: {detail}"}})


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:4]))
