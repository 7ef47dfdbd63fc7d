"""A slot: one warm child process that runs one call at a time, and is killed and replaced where that is needed."""

import asyncio
import contextlib
import json
import os
import signal
import socket
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import psutil

from shared import errors
from shared.errors import OperationFailed, OutOfMemory, ReelwrightError, TimedOut, WorkerCrashed
from shared.worker.wire import HEADER, body_length, pack

WATCH_INTERVAL_S = 0.2
MIB = 1024 * 1024
# What a child needs of its parent's environment. Everything else stays out of reach of the code that opens uploads: keys, passwords, URLs.
PASSED_ON = (
    "PATH",
    "HOME",
    "TMPDIR",
    "TZ",
    "LANG",
    "LC_ALL",
    "PYTHONPATH",
    "LD_LIBRARY_PATH",
    "REELWRIGHT_MODELS_DIR",
    "REELWRIGHT_DEVICE",
)
PASSED_ON_PREFIXES = ("CUDA_", "NVIDIA_", "OMP_")

OnMessage = Callable[[dict[str, Any]], Awaitable[None]]


class Killed(WorkerCrashed):
    """The process that did the work was killed from outside"""


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What one call may take: seconds on the clock, and bytes of memory in the child and all that it started."""

    timeout_s: float
    memory_bytes: int


@dataclass
class Usage:
    """What a call took."""

    peak_memory_bytes: int = 0


class Slot:
    """Runs `target(args, progress)` in a child process: `target` is "package.module:function", arguments and result are JSON."""

    def __init__(self, limits: Limits):
        self._limits = limits
        self._process: asyncio.subprocess.Process | None = None
        self._reader: asyncio.StreamReader
        self._writer: asyncio.StreamWriter

    @property
    def warm(self) -> bool:
        """Whether a child is waiting for work."""
        return self._process is not None and self._process.returncode is None

    async def call(
        self, target: str, args: dict[str, Any], on_message: OnMessage | None = None, usage: Usage | None = None
    ) -> dict[str, Any]:
        """Run one call and return its result.

        Raises what the target raised (a ReelwrightError as it was, anything else as OperationFailed), TimedOut, OutOfMemory, WorkerCrashed
        where the child died by itself, and Killed where something else killed it. Cancelling kills the child and all that it started.
        """
        usage = usage or Usage()
        if not self.warm:
            await self._start()
        finished = False
        try:
            self._writer.write(pack({"target": target, "args": args}))
            await self._writer.drain()
            result = await self._watched(self._answer(on_message), usage)
            finished = True
            return result
        except ReelwrightError as error:
            finished = not isinstance(error, TimedOut | OutOfMemory | WorkerCrashed)
            raise
        finally:
            if not finished:
                await self.kill()

    async def kill(self) -> None:
        """End the child and everything it started, at once, and wait until the child is gone."""
        process, self._process = self._process, None
        if process is None:
            return
        for descendant in _descendants(process.pid):  # those that left the group
            with contextlib.suppress(psutil.Error):
                descendant.kill()
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        self._writer.close()
        await asyncio.shield(process.wait())

    async def _start(self) -> None:
        await self.kill()
        ours, theirs = socket.socketpair()
        with theirs:
            command = (
                sys.executable,
                "-m",
                "shared.worker.child",
                str(theirs.fileno()),
                str(os.getpid()),
                str(self._limits.memory_bytes),
            )
            self._process = await asyncio.create_subprocess_exec(
                *command,
                pass_fds=(theirs.fileno(),),
                stdin=asyncio.subprocess.DEVNULL,
                start_new_session=True,
                env=_environment(),
            )
        self._reader, self._writer = await asyncio.open_connection(sock=ours)

    async def _answer(self, on_message: OnMessage | None) -> dict[str, Any]:
        try:
            while True:
                message = json.loads(await self._reader.readexactly(body_length(await self._reader.readexactly(HEADER.size))))
                if "done" in message:
                    done: dict[str, Any] = message["done"]
                    return done
                if "error" in message:
                    raise _error(message["error"])
                if on_message is not None:
                    await on_message(message)
        except (asyncio.IncompleteReadError, ConnectionError) as gone:
            raise await self._epitaph() from gone

    async def _watched(self, answer: Any, usage: Usage) -> dict[str, Any]:
        """Wait for the answer while watching the clock and the memory."""
        task = asyncio.ensure_future(answer)
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._limits.timeout_s
        try:
            while not task.done():
                await asyncio.wait({task}, timeout=max(0.01, min(WATCH_INTERVAL_S, deadline - loop.time())))
                if task.done():
                    break
                assert self._process is not None
                used = _memory_bytes(self._process.pid)
                usage.peak_memory_bytes = max(usage.peak_memory_bytes, used)
                if used > self._limits.memory_bytes:
                    allowed = f"{self._limits.memory_bytes // MIB} MiB that one job may have"
                    raise OutOfMemory(f"The job used {used // MIB} MiB of memory, more than the {allowed} (REELWRIGHT_JOB_MEMORY_BYTES).")
                if loop.time() >= deadline:
                    allowed = f"{self._limits.timeout_s:g} seconds that it may take"
                    raise TimedOut(f"The job was ended after the {allowed} (REELWRIGHT_JOB_TIMEOUT_S).")
            result: dict[str, Any] = task.result()
            return result
        finally:
            if not task.done():
                task.cancel()
                await asyncio.wait({task})

    async def _epitaph(self) -> WorkerCrashed:
        """Why the child is gone, in a sentence."""
        assert self._process is not None
        try:
            code = await asyncio.wait_for(self._process.wait(), 5)
        except TimeoutError:
            return WorkerCrashed(
                "The process that did the work closed its connection. The file may be damaged in a way the decoder cannot stand."
            )
        if code == -signal.SIGKILL:
            return Killed("The process that did the work was killed from outside, most likely because the machine ran out of memory.")
        how = f"crashed ({signal.Signals(-code).name})" if code < 0 else f"ended itself with exit code {code}"
        return WorkerCrashed(f"The process that did the work {how}. Only this job is affected; the input may be damaged.")


def _environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name in PASSED_ON or name.startswith(PASSED_ON_PREFIXES)}


def _error(message: dict[str, Any]) -> ReelwrightError:
    kind = getattr(errors, str(message.get("class")), OperationFailed)
    if not (isinstance(kind, type) and issubclass(kind, ReelwrightError)):
        kind = OperationFailed
    return kind(str(message.get("detail")), errors=message.get("errors"))


def _descendants(pid: int) -> list[psutil.Process]:
    try:
        found: list[psutil.Process] = psutil.Process(pid).children(recursive=True)
    except psutil.Error:
        return []
    return found


def _memory_bytes(pid: int) -> int:
    """Resident bytes of a process and all its descendants."""
    total = 0
    with contextlib.suppress(psutil.Error):
        child = psutil.Process(pid)
        for process in (child, *child.children(recursive=True)):
            with contextlib.suppress(psutil.Error):
                total += process.memory_info().rss
    return total
