"""What a running job reports."""

import asyncio
from types import SimpleNamespace
from typing import Any

from shared.jobs.progress_log import Tell


def told(*messages: dict[str, Any], fraction: float = 0.0) -> Tell:
    tell = Tell(SimpleNamespace(progress=lambda *_: None), SimpleNamespace(id="job", fraction=fraction))

    async def send() -> None:
        for message in messages:
            await tell(message)

    asyncio.run(send())
    return tell


def test_the_frames_are_those_of_the_largest_stage() -> None:
    looking, writing, end = ({"progress": {"fraction": f, "total": t}} for f, t in ((0.5, 900), (0.9, 12), (1, 1)))
    assert told(looking, writing, end).frames == 900
    assert told().frames == 0


def test_progress_never_goes_back() -> None:
    assert told({"progress": {"fraction": 0.2, "total": 5}}, fraction=0.6).progress["fraction"] == 0.6


def test_each_warning_is_kept_once() -> None:
    assert told({"warning": "turned"}, {"warning": "turned"}, {"warning": "cut"}).warnings == ["turned", "cut"]
