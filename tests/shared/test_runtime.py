"""The worker processes that probe uploads."""

import asyncio
import contextlib
import os
from pathlib import Path

import pytest

from shared.errors import Unavailable, UnsupportedMedia
from shared.runtime import Runtime
from shared.settings import Settings
from tests.shared.slow import CRASH, QUICK, SLEEP, Empty, Niceness


@pytest.fixture(autouse=True)
def import_tests(monkeypatch: pytest.MonkeyPatch) -> None:
    """Allow probe processes to import the tests' functions."""
    monkeypatch.setattr("shared.runtime.PACKAGES", ("gateway", "tests"))


async def test_a_probe_that_takes_too_long_names_its_own_setting(tmp_path: Path) -> None:
    runtime = Runtime(Settings(data_dir=tmp_path, probe_timeout_s=0.2))
    try:
        with pytest.raises(Unavailable, match=r"0\.2 seconds, its time limit \(REELWRIGHT_PROBE_TIMEOUT_S\)") as refused:
            await runtime._look(SLEEP, Empty())
        assert (refused.value.status, refused.value.headers["Retry-After"]) == (503, "10")
    finally:
        await runtime.stop()


async def test_a_slow_start_does_not_count_against_the_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Starting Python and importing libraries takes longer than the time limit."""
    monkeypatch.setattr("shared.runtime.PROBE_MODULE", "tests.shared.slow_import")
    runtime = Runtime(Settings(data_dir=tmp_path, probe_timeout_s=0.8))
    try:
        assert await runtime._look(QUICK, Empty()) == Niceness(os.nice(0))
    finally:
        await runtime.stop()


async def test_one_probe_process_stays_ready(tmp_path: Path) -> None:
    runtime = Runtime(Settings(data_dir=tmp_path, worker_idle_s=0.1))
    try:
        await runtime.keep_probe_warm()
        assert runtime._probes._warm_enough()
        with pytest.raises(UnsupportedMedia):
            await runtime._look(CRASH, Empty())
        await asyncio.sleep(0.3)
        for _ in range(600):
            if runtime._probes._warm_enough():
                break
            await asyncio.sleep(0.05)
        assert await runtime._look(QUICK, Empty()) == Niceness(os.nice(0))
    finally:
        await runtime.stop()


async def test_a_burst_of_files_gets_503_instead_of_waiting_without_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.runtime.PROBES", 1)
    monkeypatch.setattr("shared.runtime.PROBE_WAIT_S", 0.1)
    runtime = Runtime(Settings(data_dir=tmp_path))
    try:
        busy = asyncio.create_task(runtime._look(SLEEP, Empty()))
        await asyncio.sleep(0.05)
        with pytest.raises(Unavailable, match="Try again later") as refused:
            await runtime._look(QUICK, Empty())
        assert refused.value.headers["Retry-After"] == "10"
        busy.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await busy
        monkeypatch.setattr("shared.runtime.PROBE_WAIT_S", 60)
        assert await runtime._look(QUICK, Empty()) == Niceness(os.nice(0))
    finally:
        await runtime.stop()
