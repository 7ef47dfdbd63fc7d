"""A slot, which runs calls in one child process, and a pool of slots."""

import asyncio
import contextlib
import json
import os
import signal
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from shared.errors import OperationFailed, OutOfMemory, TimedOut, WorkerCrashed
from shared.log import CURRENT_JOB
from shared.worker import Limits, Slot, WorkerPool, guard
from shared.worker.limits import Usage
from shared.worker.operation_run import PERFORM, OperationCall
from shared.worker.output_tail import TAIL_BYTES
from shared.worker.processes import process_end
from shared.worker.processes.process_tree import descendants, memory_bytes
from shared.worker.protocol import JobWarning, Update
from shared.worker.slot import Killed
from tests.shared.slow import WRONG, Empty

LIMITS = Limits(timeout_s=20, memory_bytes=400 * 2**20)


def job(operation: str, folder: Path, **params: Any) -> OperationCall:
    return OperationCall(
        module="tests.misbehaving.operations", operation=f"misbehaving.{operation}", params=params, inputs={}, folder=str(folder)
    )


def family() -> list[int]:
    """Return the ids of this process's guards and their descendants."""
    guards = [child.pid for child in psutil.Process().children() if guard.__file__ in command(child)]
    return [pid for guard_pid in guards for pid in (guard_pid, *descendants(guard_pid))]


def command(process: psutil.Process) -> list[str]:
    try:
        return list(process.cmdline())
    except psutil.Error:
        return []


def program(pid: int) -> str:
    """Return the name of a process's program; empty if it has ended."""
    try:
        return str(psutil.Process(pid).name())
    except psutil.Error:
        return ""


@pytest.fixture
async def slot() -> AsyncIterator[Slot]:
    slot = Slot(LIMITS)
    yield slot
    await slot.kill()
    assert family() == []


async def test_one_child_serves_many_calls(slot: Slot, tmp_path: Path) -> None:
    updates: list[Update] = []

    async def listen(update: Update) -> None:
        updates.append(update)

    first = await slot.call(PERFORM, job("succeed", tmp_path), listen)
    child = family()
    assert first.result == {"text": "done"}
    assert (first.outputs["file"].suffix, (tmp_path / "file.json").exists()) == (".json", True)
    with pytest.raises(OperationFailed, match="ValueError: tsk"):
        await slot.call(PERFORM, job("stumble", tmp_path))
    usage = Usage()
    await slot.call(PERFORM, job("succeed", tmp_path), None, usage)
    assert family() == child, "a guard and its child, still the same"
    assert len(child) == 2, "a guard and its child, still the same"
    assert updates[-1].fraction == 1
    assert 10 * 2**20 < usage.peak_memory_bytes < LIMITS.memory_bytes


async def test_a_flood_of_messages_waits_in_the_child(slot: Slot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    updates: list[Update] = []
    pauses: list[float] = []
    sleep = asyncio.sleep

    async def pause(seconds: float) -> None:
        pauses.append(seconds)
        await sleep(0)

    async def listen(update: Update) -> None:
        updates.append(update)

    await slot.prepare()
    monkeypatch.setattr(asyncio, "sleep", pause)
    await slot.call(PERFORM, job("pour", tmp_path, count=1000), listen)
    assert 1000 <= len(updates) <= 1002
    assert len(pauses) == 10, "one after each hundred"
    assert max(pauses) <= 1


async def test_secrets_stay_with_the_parent(slot: Slot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REELWRIGHT_API_KEYS", "hidden-word")
    monkeypatch.setenv("REELWRIGHT_DATABASE_URL", "postgresql://user:hidden-word@db/jobs")
    monkeypatch.setenv("DATABASE_URL", "postgresql://user:hidden-word@db/jobs")
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    await slot.call(PERFORM, job("environment", tmp_path))
    environment = (tmp_path / "file.json").read_text()
    assert "hidden-word" not in environment
    assert json.loads(environment)["environ"]["OMP_NUM_THREADS"] == "2"
    assert json.loads(environment)["environ"]["PATH"] == os.environ["PATH"]
    assert json.loads(environment)["environ"]["MALLOC_ARENA_MAX"] == "2"


async def test_a_cancelled_call_ends_everything_at_once(slot: Slot, tmp_path: Path) -> None:
    call = asyncio.create_task(slot.call(PERFORM, job("daemon", tmp_path)))
    while [program(pid) for pid in family()].count("sleep") < 2:
        await asyncio.sleep(0.02)
    began = time.monotonic()
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    assert time.monotonic() - began < 0.5
    assert family() == []
    assert (await slot.call(PERFORM, job("succeed", tmp_path))).result == {"text": "done"}


async def test_processes_that_left_their_group_end_with_a_killed_guard(slot: Slot, tmp_path: Path) -> None:
    call = asyncio.create_task(slot.call(PERFORM, job("daemon", tmp_path)))
    while [program(pid) for pid in family()].count("sleep") < 2:
        await asyncio.sleep(0.02)
    sleeping = [psutil.Process(pid) for pid in family() if program(pid) == "sleep"]
    [guard_pid] = [child.pid for child in psutil.Process().children() if guard.__file__ in command(child)]
    os.kill(guard_pid, signal.SIGKILL)
    with pytest.raises(WorkerCrashed, match="killed from outside"):
        await call
    assert [process for process in sleeping if process.is_running() and process.status() != psutil.STATUS_ZOMBIE] == []
    assert (await slot.call(PERFORM, job("succeed", tmp_path))).result == {"text": "done"}


@pytest.mark.parametrize("moment_s", [0, 0.001, 0.003, 0.01, 0.03, 0.1])
async def test_a_call_cancelled_while_it_starts_leaves_a_slot_that_works(slot: Slot, tmp_path: Path, moment_s: float) -> None:
    call = asyncio.create_task(slot.call(PERFORM, job("succeed", tmp_path, seconds=5)))
    await asyncio.sleep(moment_s)
    call.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await call
    assert not slot.warm
    if moment_s == 0.003:
        assert (await slot.call(PERFORM, job("succeed", tmp_path))).result == {"text": "done"}


async def test_a_killed_child_and_a_crashed_child_give_different_errors(slot: Slot, tmp_path: Path) -> None:
    await slot.call(PERFORM, job("succeed", tmp_path))
    for number, error in ((signal.SIGKILL, Killed), (signal.SIGABRT, WorkerCrashed)):
        call = asyncio.create_task(slot.call(PERFORM, job("succeed", tmp_path, seconds=10)))
        while len(family()) < 2:
            await asyncio.sleep(0.02)
        await asyncio.sleep(0.5)
        os.kill(family()[1], number)
        with pytest.raises(WorkerCrashed) as caught:
            await call
        assert type(caught.value) is error


async def test_an_idle_child_that_died_is_replaced(slot: Slot, tmp_path: Path) -> None:
    await slot.call(PERFORM, job("succeed", tmp_path))
    os.kill(family()[1], signal.SIGKILL)
    while slot.warm:
        await asyncio.sleep(0.01)
    assert (await slot.call(PERFORM, job("succeed", tmp_path))).result == {"text": "done"}


async def test_time_and_memory_are_limited(tmp_path: Path) -> None:
    for limits, operation, error in (
        (Limits(timeout_s=1, memory_bytes=400 * 2**20), "hold_the_gil", TimedOut),
        (Limits(timeout_s=20, memory_bytes=150 * 2**20), "eat_memory", OutOfMemory),
    ):
        slot = Slot(limits)
        with pytest.raises(error):
            await slot.call(PERFORM, job(operation.replace("_", "-"), tmp_path))
        assert family() == []


class Unending:
    """A fake process that does not end until `released`."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process, self.released = process, asyncio.Event()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._process, name)

    async def wait(self) -> int:
        await self.released.wait()
        return await self._process.wait()


async def test_killed_processes_that_do_not_end_are_reported_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(process_end, "LINGER_S", 0.1)
    slot, reported, warnings = Slot(Limits(timeout_s=0.5, memory_bytes=400 * 2**20)), asyncio.Event(), []
    await slot.prepare()
    assert slot._process is not None
    process = Unending(slot._process)
    monkeypatch.setattr(slot, "_process", process)

    async def listen(update: Update) -> None:
        if isinstance(update, JobWarning):
            warnings.append(update.text)
            reported.set()

    CURRENT_JOB.set("job-7")
    call = asyncio.create_task(slot.call(PERFORM, job("succeed", tmp_path, seconds=60), listen))
    await asyncio.wait_for(reported.wait(), 30)
    await asyncio.sleep(0.5)
    assert not call.done(), "the slot waits until the process has ended"
    process.released.set()
    with pytest.raises(TimedOut):
        await call
    [warning] = warnings
    assert f"process {process.pid}" in warning
    assert [record.getMessage() for record in caplog.records] == [f"job job-7: {warning}"]
    assert slot.output.text().splitlines() == [warning]
    caplog.clear()


def test_processes_that_wait_in_the_kernel_are_named_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for pid, program, state, place in ((7, "python3", "S", "0"), (8, "dd (x)", "D", "nfs_wait_bit")):
        (tmp_path / str(pid)).mkdir()
        (tmp_path / str(pid) / "stat").write_text(f"{pid} ({program}) {state} 1 7 7 0")
        (tmp_path / str(pid) / "wchan").write_text(place)
    monkeypatch.setattr(process_end, "PROC", tmp_path)
    assert process_end.described([7]) == "process 7 (python3)"
    assert process_end.described([7, 9]) == "process 7 (python3), process 9"
    assert process_end.described([7, 8, 9]) == "process 8 (dd (x), waits in the kernel: nfs_wait_bit)"


async def test_a_pool_limits_concurrent_calls_and_ends_idle_children(tmp_path: Path) -> None:
    pool = WorkerPool(size=2, limits=LIMITS, idle_s=0.3)
    folders = [tmp_path / str(number) for number in range(5)]
    for folder in folders:
        folder.mkdir()
    calls = [asyncio.create_task(pool.call(PERFORM, job("succeed", folder, seconds=0.2))) for folder in folders]
    most = 0
    while not all(call.done() for call in calls):
        most = max(most, len(family()))
        await asyncio.sleep(0.02)
    assert most == 4, "two guards with a child each"
    await asyncio.gather(*calls)
    for _ in range(100):
        if not family():
            break
        await asyncio.sleep(0.02)
    assert family() == []
    await pool.close()


async def test_a_child_process_that_worked_is_replaced_by_a_new_one(tmp_path: Path) -> None:
    # A used process keeps the allocator's memory, and perhaps a model.
    room = [True]
    pool = WorkerPool(size=2, limits=LIMITS, idle_s=0.1)
    await pool.keep_warm(1, lambda: room[0])
    first = family()
    assert len(first) == 2, "a guard and its child, before any call"
    await asyncio.sleep(0.2)
    assert family() == first, "a child that has not worked stays"
    await pool.call(PERFORM, job("succeed", tmp_path))
    try:
        async with asyncio.timeout(60):
            while family() in ([], first) or pool._endings:  # a call would take the other slot while the new child is not ready
                await asyncio.sleep(0.02)
            room[0] = False
            await pool.call(PERFORM, job("succeed", tmp_path))
            while family():
                await asyncio.sleep(0.02)
    finally:
        await pool.close()


def test_memory_is_that_of_the_whole_family() -> None:
    assert memory_bytes(os.getpid()) >= psutil.Process().memory_info().rss * 0.9
    assert descendants(2**22 + 1) == []
    assert memory_bytes(2**22 + 1) == 0


async def test_the_end_of_what_a_child_writes_is_kept(slot: Slot, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    await slot.call(PERFORM, job("talk", tmp_path, log="first", count=2))
    assert slot.output.text().startswith("first ")
    assert slot.output.text().endswith("line 0\nline 1\n")
    assert "line 1\n" in capfd.readouterr().err, "and is passed on"
    await slot.call(PERFORM, job("chatter", tmp_path, count=500))
    assert 50_000 < len(slot.output.text()) <= TAIL_BYTES
    slot.output.clear()
    with pytest.raises(WorkerCrashed):
        await slot.call(PERFORM, job("talk", tmp_path, log="last", count=0))
    assert slot.output.text().startswith("last ")


async def test_an_answer_of_another_form_than_declared_is_refused(slot: Slot) -> None:
    with pytest.raises(WorkerCrashed, match="invalid answer"):
        await slot.call(WRONG, Empty())
