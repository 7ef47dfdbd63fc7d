"""Recorded progress and warnings of a running job."""

import asyncio
from dataclasses import replace
from types import SimpleNamespace

from shared.jobs.running.progress_log import ProgressLog
from shared.worker.protocol import JobWarning, ProgressUpdate, Update


def at(fraction: float, total: float) -> ProgressUpdate:
    return ProgressUpdate(stage="", done=0, total=total, fraction=fraction)


def logged(*updates: Update, fraction: float = 0.0) -> ProgressLog:
    log = ProgressLog(SimpleNamespace(progress=lambda *_: None), SimpleNamespace(id="job", fraction=fraction))

    async def send() -> None:
        for update in updates:
            await log(update)

    asyncio.run(send())
    return log


def test_the_frames_are_those_of_the_largest_stage() -> None:
    looking, writing, end = (at(f, t) for f, t in ((0.5, 900), (0.9, 12), (1, 1)))
    assert logged(looking, writing, end).frames == 900
    assert logged().frames == 0


def test_progress_never_goes_back() -> None:
    assert logged(at(0.2, 5), fraction=0.6).latest.fraction == 0.6


def test_each_warning_is_kept_once() -> None:
    assert logged(JobWarning("turned"), JobWarning("turned"), JobWarning("cut")).warnings == ["turned", "cut"]


def test_texts_of_a_process_are_limited() -> None:
    log = logged(*(JobWarning(f"{number} {'x' * 30_000}") for number in range(300)), replace(at(0.5, 1), stage="s" * 30_000))
    assert len(log.warnings) == 100
    assert {len(warning) for warning in log.warnings} == {1000}
    assert log.latest is not None
    assert log.latest.stage == "s" * 200
