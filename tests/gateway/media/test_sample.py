"""Creation of the suite's sample media."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from gateway.media import sample
from shared.errors import TimedOut, UnknownMedia
from shared.sample_ids import SAMPLES


def test_a_failed_sample_is_retried(monkeypatch: pytest.MonkeyPatch) -> None:
    names: set[str] = set()
    tries: list[str] = []

    def get(owner: str, media_id: str) -> None:
        if media_id not in names:
            raise UnknownMedia("none")

    async def make(runtime: Any, owner: str, kind: Any) -> None:
        tries.append(str(kind))
        if tries.count("clip") < 3 and kind == "clip":
            raise TimedOut("the machine is busy")
        names.add(SAMPLES[kind])

    monkeypatch.setattr(sample, "_make", make)
    monkeypatch.setattr(sample, "RETRIES_S", (0, 0, 0, 0))
    runtime = SimpleNamespace(media=SimpleNamespace(get=get))
    asyncio.run(sample._ensure_all(runtime, ""))
    assert names == set(SAMPLES.values())
    assert tries == ["clip", "picture", "matte", "plate", "clip", "clip"]
