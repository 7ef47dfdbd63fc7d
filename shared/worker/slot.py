"""A slot: holder of one worker process, which runs one call at a time.

The child is killed and replaced after a crash, a timeout or a cancel.
"""

import asyncio
import contextlib
import logging
import os
import signal
import socket
import sys
import uuid
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any

from pydantic import ValidationError

from shared import errors
from shared.errors import FieldError, OperationFailed, OutOfMemory, ReelwrightError, TimedOut, Unavailable, WorkerCrashed
from shared.log import CURRENT_JOB, without_controls
from shared.media.disk import on_disk
from shared.worker import guard
from shared.worker.folders.slot_folders import empty_folders, make_folders
from shared.worker.limits import Limits, Usage
from shared.worker.output_tail import OutputTail
from shared.worker.preparation import PREPARE, Preparation
from shared.worker.processes import family_mark
from shared.worker.processes.environment import environment
from shared.worker.processes.process_end import LINGER_CAUSE, LINGER_S, end
from shared.worker.processes.process_tree import descendants, memory_bytes
from shared.worker.protocol import HEADER, Call, Done, Failed, JobWarning, Update, body_length, pack, unpack
from shared.worker.sandbox import Sandbox
from shared.worker.sandbox.plan import SandboxMissing
from shared.worker_call import Answer, Request, Target, adapter

WATCH_INTERVAL_S = 0.2
START_S = 120.0
"""Time limit, in seconds, from a child's start until it is ready."""
MESSAGES_PER_S = 100
"""Maximum number of messages read from a child within a second. More messages wait in the socket; when it is full, the child waits."""
KEPT_OPEN: set[int] = set()
"""File descriptors that guards and children inherit, and keep open until they end. One is the lock of this server process."""
EMPTY_S = 3.0
"""Time limit, in seconds, for the deletion of files while the child lives."""
CLOSED_S = 2.0
"""Time limit, in seconds, for a child to end after it closed its connection."""

OnUpdate = Callable[[Update], Awaitable[None]]
log = logging.getLogger(__name__)


class Killed(WorkerCrashed):
    """The error of a call whose child process was killed from outside the slot."""

    title = "Worker process killed"


class Slot:
    """Holder of one child process, which runs one call at a time."""

    def __init__(self, limits: Limits, sandbox: Sandbox | None = None):
        self._limits = limits
        self.sandbox = sandbox
        """Files and networks that the child may use; None: all."""
        self.output = OutputTail()
        """Text that the slot's children write to standard output and error."""
        self._name = uuid.uuid4().hex
        self._mark = ""
        self._number = 0
        self._calling = False
        self._process: asyncio.subprocess.Process | None = None
        self._reader: asyncio.StreamReader
        self._writer: asyncio.StreamWriter | None = None
        self._ending: asyncio.Future[None] | None = None
        self._owner = ""
        self._opened_for: str | None = None

    @property
    def warm(self) -> bool:
        """Whether the slot has a living child process, idle or in a call."""
        return self._process is not None and self._process.returncode is None

    def serves(self, owner: str) -> bool:
        """Return whether the child process has opened no files of other owners."""
        return self._opened_for in (None, owner)

    async def serve(self, owner: str) -> None:
        """Prepare for calls on files of `owner`.

        Ends a child that has opened files of another owner.
        """
        if not self.serves(owner):
            await self.kill()
        self._owner = owner

    async def call(
        self, target: Target[Request, Answer], request: Request, on_update: OnUpdate | None = None, usage: Usage | None = None
    ) -> Answer:
        """Run one call and return its answer.

        Raises the target's ReelwrightError, OperationFailed for any other error of the target, TimedOut, OutOfMemory, WorkerCrashed if the
        child died by itself, and Killed if something else killed it. Cancelling kills the child and all its descendants.
        """
        usage = usage or Usage()
        finished = False
        try:
            await self.prepare()
            self._opened_for = self._owner
            self._calling = True
            self._number += 1
            assert self._writer is not None
            self._writer.write(pack(self._number, Call(target=target.name, args=vars(request))))
            with contextlib.suppress(ConnectionError):  # the child has died: reading the answer raises the cause
                await self._writer.drain()
            answer: Answer = _validated(target, await self._watched(self._answer(on_update), usage))
            finished = self._left_nothing(usage)
            return answer
        except ReelwrightError as error:
            finished = not isinstance(error, TimedOut | OutOfMemory | WorkerCrashed) and self._left_nothing(usage)
            raise
        finally:
            try:
                if not finished:
                    await self.kill(on_update)
            finally:
                self._calling = False

    async def prepare(self) -> None:
        """Start a child process unless the slot has one.

        Waits until it is ready; no call's time limit counts yet. Raises Unavailable if that takes more than two minutes, and
        WorkerCrashed if the child dies.
        """
        if self.warm:
            return
        await self._start()
        try:
            self._number += 1
            assert self._writer is not None
            self._writer.write(pack(self._number, Call(target=PREPARE.name, args=vars(Preparation(self._limits.module)))))
            await asyncio.wait_for(self._answer(None), START_S)
        except TimeoutError as error:
            await self.kill()
            detail = f"A worker process was not ready after {START_S:g} seconds: the machine is too busy. Try again later."
            raise Unavailable(detail, headers={"Retry-After": "30"}) from error
        except BaseException:
            await self.kill()
            raise

    async def clean(self) -> None:
        """Delete the files of the last call.

        Ends a child that prevents it by writing further files.
        """
        if not await on_disk(self.empty):
            await self.kill()
            await on_disk(self.empty)

    def empty(self) -> bool:
        """Delete the files of the last call; return whether none is left.

        Blocks, for no more than EMPTY_S while there is a child, which may write further files.
        """
        return self.sandbox is None or empty_folders(
            self.sandbox, within_s=EMPTY_S if self.warm else float("inf"), temporary=self._limits.in_copies
        )

    async def kill(self, on_update: OnUpdate | None = None) -> None:
        """Kill the child and its descendants; wait until they have ended.

        If that takes long, the log, the output and a warning to `on_update` name the remaining processes once.
        """
        process, self._process = self._process, None
        writer, self._writer = self._writer, None
        if writer is not None:
            writer.close()
        if process is not None:
            # A child that died while idle has left nothing behind, and its process id may be another process's by now.
            recent = self._calling or process.returncode is None
            self._ending = self._end(process, on_update) if recent else None
        if self._ending is not None:
            await asyncio.shield(self._ending)
        if self._process is None:
            self.output.close()

    def _end(self, process: asyncio.subprocess.Process, on_update: OnUpdate | None) -> "asyncio.Task[None]":
        return asyncio.ensure_future(end(process, self._mark, partial(self._report_wait, on_update)))

    async def _report_wait(self, on_update: OnUpdate | None, processes: str) -> None:
        """Report that killed processes have not ended."""
        sentence = f"The {self._limits.subject} waits for the end of {processes}, killed {LINGER_S:g} seconds ago. {LINGER_CAUSE}"
        job = f"job {CURRENT_JOB.get()}: " if CURRENT_JOB.get(None) else ""
        log.warning("%s%s", job, sentence)
        self.output.add(f"{sentence}\n")
        if on_update is not None:
            await on_update(JobWarning(sentence))

    async def _start(self) -> None:
        await self.kill()
        self._opened_for = None
        if self.sandbox is not None:
            await asyncio.to_thread(make_folders, self.sandbox)
        parent_end, child_end = socket.socketpair()
        writing = self.output.open()
        try:
            fd, memory = str(child_end.fileno()), str(self._limits.memory_bytes)
            plan = self.sandbox.dump() if self.sandbox is not None else ""
            limits = self._limits
            child = (sys.executable, "-m", "shared.worker.child", fd, memory, str(limits.niceness), str(int(limits.in_copies)), plan)
            command = (sys.executable, "-I", "-S", guard.__file__, fd, str(self._limits.lease_s), *child)
            starting = asyncio.ensure_future(self._spawn(command, child_end.fileno(), writing))
            await self._begin(starting)
            self._reader, self._writer = await asyncio.open_connection(sock=parent_end)
        except BaseException:
            parent_end.close()
            raise
        finally:
            child_end.close()
            os.close(writing)

    async def _spawn(self, command: Sequence[str], child_end: int, writing: int) -> asyncio.subprocess.Process:
        """Start a guard process that inherits the child's pipes and this process's shared locks.

        The locks are those held when this task runs, because a lock may be released while the task waits.
        """
        self._mark = family_mark.mark_of(self._name)
        return await asyncio.create_subprocess_exec(
            *command,
            pass_fds=(child_end, *KEPT_OPEN),
            stdin=asyncio.subprocess.PIPE,
            stderr=writing,
            start_new_session=True,
            env=environment(self._mark, network=self.sandbox is None or self.sandbox.network),
        )

    async def _begin(self, starting: "asyncio.Task[asyncio.subprocess.Process]") -> None:
        """Store the process that `starting` returns, even if the call is cancelled.

        A cancelled call waits, too, because asyncio would leave pipes open.
        """
        try:
            self._process = await asyncio.shield(starting)
        except asyncio.CancelledError:
            self._process = await starting
            raise

    def _left_nothing(self, usage: Usage) -> bool:
        """Return whether a call left only the worker process running.

        A child that leaves processes behind is not used again.
        """
        if self._process is None:
            return False
        usage.peak_memory_bytes = max(usage.peak_memory_bytes, memory_bytes(self._process.pid))
        return len(descendants(self._process.pid)) == 1

    async def _answer(self, on_update: OnUpdate | None) -> dict[str, Any] | None:
        loop, count = asyncio.get_running_loop(), 0
        began = loop.time()
        try:
            while True:
                count += 1
                if count > MESSAGES_PER_S:
                    await asyncio.sleep(began + 1 - loop.time())
                    count, began = 1, loop.time()
                number, message = unpack(await self._reader.readexactly(body_length(await self._reader.readexactly(HEADER.size))))
                if number != self._number:
                    continue  # a message from a thread of an earlier call
                match message:
                    case Done():
                        return message.result
                    case Failed(error="OutOfMemory", detail=""):
                        raise self._limits.out_of_memory()
                    case Failed():
                        raise _error(message)
                    case Call():
                        raise ValueError("a call")
                if on_update is not None:
                    await on_update(message)
        except (asyncio.IncompleteReadError, ConnectionError) as gone:
            raise await self._cause_of_death() from gone
        except ValueError as error:
            reason = str(error).splitlines()[0].rstrip(".")
            raise WorkerCrashed(f"The worker process sent something else than a message: {reason}.") from error

    async def _watched(self, answer: Awaitable[dict[str, Any] | None], usage: Usage) -> dict[str, Any] | None:
        """Wait for the answer while enforcing the time and memory limits."""
        task = asyncio.ensure_future(answer)
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._limits.timeout_s
        try:
            while not task.done():
                self._signal(guard.ALIVE)
                await asyncio.wait({task}, timeout=max(0.01, min(WATCH_INTERVAL_S, deadline - loop.time())))
                if task.done():
                    break
                assert self._process is not None
                used_bytes = memory_bytes(self._process.pid)
                usage.peak_memory_bytes = max(usage.peak_memory_bytes, used_bytes)
                if used_bytes > self._limits.memory_bytes:
                    raise self._limits.out_of_memory(used_bytes)
                if loop.time() >= deadline:
                    raise self._limits.timed_out()
            return task.result()
        finally:
            self._signal(guard.IDLE)
            if not task.done():
                task.cancel()
                await asyncio.wait({task})

    def _signal(self, word: bytes) -> None:
        """Tell the guard that a call runs (`guard.ALIVE`) or has ended (`guard.IDLE`)."""
        if self._process is not None and self._process.stdin is not None and not self._process.stdin.is_closing():
            self._process.stdin.write(word)

    async def _cause_of_death(self) -> WorkerCrashed:
        """Return the error that explains the child's death."""
        assert self._process is not None
        try:
            code = await asyncio.wait_for(self._process.wait(), CLOSED_S)
        except TimeoutError:
            return WorkerCrashed("The worker process closed its connection. The file may be damaged in a way that breaks the decoder.")
        if code in (-signal.SIGKILL, -signal.SIGTERM):
            return Killed("The worker process was killed from outside, most likely because the machine ran out of memory.")
        how = f"crashed ({signal.Signals(-code).name})" if code < 0 else f"exited with code {code}"
        return WorkerCrashed(f"The worker process {how}. Only this job is affected; the input may be damaged.")


def _validated(target: Target[Any, Answer], result: dict[str, Any] | None) -> Answer:
    try:
        answer: Answer = adapter(target.answer).validate_python(result)
    except ValidationError as error:
        raise WorkerCrashed("The worker process sent an invalid answer.") from error
    return answer


def _error(message: Failed) -> ReelwrightError:
    if message.error == SandboxMissing.__name__:
        return SandboxMissing(without_controls(message.detail))
    kind = getattr(errors, message.error, OperationFailed)
    if not (isinstance(kind, type) and issubclass(kind, ReelwrightError)):
        kind = OperationFailed
    fields = [FieldError(field=item.field, detail=without_controls(item.detail)) for item in message.errors]
    return kind(without_controls(message.detail), errors=fields)
