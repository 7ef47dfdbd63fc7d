"""Calls that each run in a copy of the worker process: nothing of a file stays for the next one."""

import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from shared.errors import WorkerCrashed
from shared.worker import Limits, WorkerPool
from shared.worker.sandbox import Sandbox
from tests.shared.slow import CRASH, LEAVE_PROCESS, TRACE, Empty, Traces

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="copies are for Linux")


@pytest.fixture
async def pool(tmp_path: Path) -> AsyncIterator[WorkerPool]:
    sandbox = Sandbox(folder=str(tmp_path / "slot"), data_dir=str(tmp_path), packages=("tests",))
    pool = WorkerPool(size=1, limits=Limits(timeout_s=60, memory_bytes=2**30, in_copies=True), idle_s=60, sandbox=lambda: sandbox)
    yield pool
    await pool.close()


async def traces(pool: WorkerPool) -> Traces:
    return await pool.call_on_files(TRACE, Empty())


async def test_a_call_finds_nothing_of_the_call_before(pool: WorkerPool) -> None:
    first, second = await traces(pool), await traces(pool)
    assert (second.calls, second.files) == (0, [])
    assert second.sockets == 1, "its only connection is that to the process it is a copy of"
    assert second.parent == first.parent, "the same process was copied"


async def test_a_crash_of_a_copy_is_the_crash_of_its_process(pool: WorkerPool) -> None:
    before = await traces(pool)
    with pytest.raises(WorkerCrashed, match="exited with code 3"):
        await pool.call_on_files(CRASH, Empty())
    after = await traces(pool)
    assert after.calls == 0
    assert after.parent != before.parent


async def test_a_process_that_a_copy_leaves_behind_is_ended_with_all_others(pool: WorkerPool) -> None:
    before = await traces(pool)
    await pool.call_on_files(LEAVE_PROCESS, Empty())
    assert (await traces(pool)).parent != before.parent
