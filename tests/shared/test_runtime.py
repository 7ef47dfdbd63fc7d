"""The worker processes that probe uploads."""

import asyncio
import contextlib
import os
from pathlib import Path
from typing import Any, cast

import pytest

from shared.errors import Unavailable, UnsupportedMedia
from shared.file_calls import ProbedFile
from shared.jobs.running.runner import OperationRunner
from shared.jobs.running.sandboxes import Sandboxes
from shared.media_info import VideoInfo
from shared.operation import Kind, Service
from shared.runtime import PROBE_MEMORY_BYTES, Runtime, probe_count
from shared.settings import Settings
from shared.worker.limits import MIB
from tests.shared.slow import CRASH, HOARD, QUICK, SLEEP, Empty, Niceness

VIDEO = VideoInfo.model_construct(kind=Kind.VIDEO)


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


@pytest.mark.parametrize(
    ("content_type", "media", "is_possible"),
    [("video/mp4", VIDEO, True), ("text/html", VIDEO, False), ("video/mp4", None, False), ("image/svg+xml", VIDEO, False)],
)
async def test_an_upload_gets_only_a_type_of_the_table(
    tmp_path: Path, content_type: str, media: VideoInfo | None, is_possible: bool
) -> None:
    runtime = Runtime(Settings(data_dir=tmp_path))
    reported = ProbedFile(kind=Kind.VIDEO, content_type=content_type, suffix=".mp4", media=media)

    async def look(*_call: object) -> ProbedFile:
        return reported

    runtime._look = look  # type: ignore[assignment, method-assign]
    with contextlib.nullcontext() if is_possible else pytest.raises(UnsupportedMedia, match="impossible type"):
        assert await runtime.probe(tmp_path) is reported


async def test_a_picture_that_is_too_large_to_be_one_is_refused(tmp_path: Path) -> None:
    runtime, picture = Runtime(Settings(data_dir=tmp_path, max_pixels=1000)), tmp_path / "picture"

    async def look(*_call: object) -> None:
        picture.write_bytes(bytes(size))

    runtime._look = look  # type: ignore[assignment, method-assign]
    size = 9000
    await runtime.frame(tmp_path, picture, 0)
    size = 9001
    with pytest.raises(UnsupportedMedia, match="a picture of 9001 bytes"):
        await runtime.frame(tmp_path, picture, 0)
    size = 17 * 2**20
    with pytest.raises(UnsupportedMedia, match="a picture of 17825792 bytes"):
        await runtime.thumbnail(tmp_path, picture)


def test_every_pool_names_its_own_settings_at_its_limits(tmp_path: Path) -> None:
    settings, unused = Settings(data_dir=tmp_path), cast(Any, None)
    runtime = Runtime(settings)
    service = Service(name="x", title="X", module="x.operations", operations=())
    runner = OperationRunner(service, settings, *[unused] * 3, Sandboxes(settings), *[unused] * 2)
    job = {"time": " (REELWRIGHT_JOB_TIMEOUT_S)", "memory": " (REELWRIGHT_JOB_MEMORY_BYTES)"}
    for pool, subject, names in (
        (runtime._probes, "examination of the file", {"time": " (REELWRIGHT_PROBE_TIMEOUT_S)", "memory": ""}),
        (runtime._errands, "helper process", {"time": "", "memory": ""}),
        (runner._pool, "job", job),
        (runner._preview_pool, "job", job),
    ):
        limits = pool._all[0]._limits
        size = f"{limits.memory_bytes // MIB} MiB{names['memory']}."
        assert limits.timed_out().detail == f"The {subject} was stopped after {limits.timeout_s:g} seconds, its time limit{names['time']}."
        assert limits.out_of_memory(9000 * MIB).detail == f"The {subject} used 9000 MiB of memory; its limit is {size}"
        assert limits.out_of_memory().detail == f"The {subject} needs more memory than its limit of {size}"


async def test_a_slow_start_does_not_count_against_the_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Starting Python and importing libraries takes longer than the time limit.
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
    monkeypatch.setattr("shared.runtime.probe_count", lambda _cores, _free_bytes: 1)
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
        limit = PROBE_MEMORY_BYTES // MIB
        with pytest.raises(UnsupportedMedia, match=rf"The examination of the file needs more memory than its limit of {limit} MiB\.$"):
            await runtime._look(HOARD, Empty())
    finally:
        await runtime.stop()


@pytest.mark.parametrize(
    ("cores", "free_mib", "expected"),
    [(1, 64_000, 2), (2, 64_000, 2), (4, 64_000, 4), (16, 64_000, 8), (16, 2048, 5), (16, 256, 2), (16, 0, 2)],
)
def test_the_probes_of_large_clips_fit_into_the_memory(cores: int, free_mib: int, expected: int) -> None:
    assert probe_count(cores, free_mib * MIB) == expected
