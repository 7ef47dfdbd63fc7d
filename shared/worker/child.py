"""The program of a worker process: it runs the calls that the server sends.

guard.py starts it as `python -m shared.worker.child FD MEMORY_BYTES NICENESS IN_COPIES SANDBOX`. It dies with its guard, is the first
process to be killed when the machine runs out of memory, yields the processor to the API, holds none of the server's secrets (slot.py
chooses its environment), and enters its sandbox (`Sandbox.dump`; empty: none) before it runs any call.
"""

import ctypes
import faulthandler
import gc
import importlib
import io
import os
import resource
import signal
import socket
import sys
import threading
import traceback
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO, get_type_hints

from shared.errors import FieldError, ReelwrightError, for_clients
from shared.settings import Settings, use
from shared.worker import heap
from shared.worker.guard import end_like
from shared.worker.preparation import PREPARE
from shared.worker.progress import Report
from shared.worker.protocol import HEADER, Call, Done, Failed, Message, body_length, pack, unpack
from shared.worker.sandbox import Sandbox, enter
from shared.worker_call import adapter, request_type

PR_SET_PDEATHSIG = 1
# Bytes by which RLIMIT_DATA exceeds the memory limit. Reserved but unused address space (thread stacks, allocator arenas) counts, too.
HEADROOM_BYTES = 4 * 1024**3
MAX_DETAIL_CHARS = 2000
MAX_FIELD_ERRORS, MAX_FIELD_CHARS = 50, 500


class Line:
    """This worker process's end of its connection to the server.

    Forked copies of the process send nothing on it.
    """

    def __init__(self, connection: socket.socket):
        self._connection = connection
        self._lock = threading.Lock()
        self.pid = os.getpid()

    def send(self, call: int, message: Message) -> None:
        """Send one message of a call.

        Raises ValueError if the message cannot be encoded.
        """
        if os.getpid() == self.pid:
            self.forward(pack(call, message))

    def forward(self, packed: bytes) -> None:
        """Send a packed message."""
        with self._lock:
            self._connection.sendall(packed)

    def close(self) -> None:
        """Close the connection, in this process only."""
        self._connection.close()


def main(fd: int, memory_bytes: int, niceness: int, in_copies: bool, sandbox: str) -> None:
    """Serve the calls that arrive on the socket `fd` until it closes.

    `in_copies`: see `Limits`. `sandbox`: see `Sandbox.dump`; empty: none.
    """
    confine(os.getppid(), memory_bytes, niceness)
    write_lines_at_once()
    use(Settings(_secrets_dir=None))  # secrets stay with the server
    os.set_inheritable(fd, False)
    connection = socket.socket(fileno=fd)
    line = Line(connection)
    if sandbox:
        try:
            enter(Sandbox.load(sandbox))
        except ReelwrightError as error:
            line.send(1, Failed(error="SandboxMissing", detail=error.detail))
            return
    with connection.makefile("rb") as incoming:
        while header := incoming.read(HEADER.size):
            number, message = unpack(incoming.read(body_length(header)))
            assert isinstance(message, Call)
            if in_copies and sys.platform == "linux" and message.target != PREPARE.name:
                answer_in_copy(number, message, line, incoming)
                continue
            answer(number, message, line)
            if os.getpid() != line.pid:
                os._exit(1)  # an operation forked, and this is the copy
            heap.trim()


def confine(parent_pid: int, memory_bytes: int, niceness: int) -> None:
    """Tie this process to its parent, and limit its memory and priority."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C goes to the whole terminal; the parent ends its jobs itself
    os.nice(niceness)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        resource.setrlimit(resource.RLIMIT_DATA, (memory_bytes + HEADROOM_BYTES, memory_bytes + HEADROOM_BYTES))
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        with suppress(OSError):
            Path("/proc/self/oom_score_adj").write_text("1000")
        with suppress(OSError):  # where the kernel groups processes by session, niceness counts only within each group
            Path("/proc/self/autogroup").write_text(str(niceness))
    if os.getppid() != parent_pid:
        os._exit(1)  # the parent died before the signal was set


def write_lines_at_once() -> None:
    """Flush each printed line at once, and print a stack trace on crashes.

    Both appear in the job's log.
    """
    faulthandler.enable()
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(line_buffering=True)


def answer(number: int, call: Call, line: Line) -> None:
    """Run one call; send its result or error."""
    try:
        result = run(number, call, line)
        sys.stdout.flush()
        line.send(number, Done(result))
    except ReelwrightError as error:
        errors = tuple(
            FieldError(field=item.field, detail=for_clients(item.detail)[:MAX_FIELD_CHARS]) for item in error.errors[:MAX_FIELD_ERRORS]
        )
        line.send(number, Failed(error=type(error).__name__, detail=for_clients(error.detail)[:MAX_DETAIL_CHARS], errors=errors))
    except MemoryError:
        line.send(number, Failed(error="OutOfMemory", detail=""))  # the slot knows the limit
    except Exception as error:
        traceback.print_exc()
        text = for_clients(f"{type(error).__name__}: {error}".rstrip(": "))[:MAX_DETAIL_CHARS]
        line.send(number, Failed(error="OperationFailed", detail=f"Unexpected error of the operation: {text}"))


def answer_in_copy(number: int, call: Call, line: Line, incoming: BinaryIO) -> None:
    """Run one call in a forked copy of this process.

    The copy opens no other call's file. It has no connection to the server: `line` and `incoming` are closed there. Its answer is sent
    after its end. If it crashes, this process ends in the same way.
    """
    hints = get_type_hints(function_of(call))
    for kind in (next(iter(hints.values())), hints["return"]):
        adapter(kind)  # is kept, so that the copy need not build it
    near_end, far_end = socket.socketpair()
    gc.freeze()  # the copy then shares more memory
    pid = os.fork()
    if pid == 0:
        try:
            for end in (near_end, incoming, line):
                end.close()
            answer(number, call, Line(far_end))
            os._exit(0)
        finally:
            os._exit(1)
    far_end.close()
    last = b""
    with near_end, near_end.makefile("rb") as messages:
        while header := messages.read(HEADER.size):
            if last:
                line.forward(last)
            last = header + messages.read(body_length(header))
    status = os.waitpid(pid, 0)[1]
    if status or not last:
        end_like(status)
    line.forward(last)


def function_of(call: Call) -> Callable[..., Any]:
    """Return the function that a call names."""
    module, _, name = call.target.partition(":")
    function: Callable[..., Any] = getattr(importlib.import_module(module), name)
    return function


def run(number: int, call: Call, line: Line) -> Any:
    """Run one call; return the fields of its answer."""
    function = function_of(call)
    report = Report(lambda update: line.send(number, update))
    answer = function(adapter(request_type(function)).validate_python(call.args), report)
    report.finish()
    return adapter(type(answer)).dump_python(answer, mode="json")


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), sys.argv[4] == "1", sys.argv[5])
