"""Outputs that a job publishes too late or only in part are deleted."""

import asyncio
import time
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from shared.jobs.database.rows import Claim
from shared.jobs.record import Status
from shared.jobs.running.files import publisher as module
from shared.jobs.running.files.publisher import Publisher
from shared.jobs.running.runner import run_to_the_end
from shared.jobs.running.worker import JobWorker, Outcome, Queue


def claim(deadline_at: float | None = None) -> Claim:
    return Claim(
        id="job-1",
        owner="me",
        service="media",
        operation="media.proxy",
        inputs={},
        params={},
        attempt=1,
        failures=0,
        fraction=0.0,
        cache=False,
        created_at=0.0,
        started_at=0.0,
        deadline_at=deadline_at,
    )


def test_outputs_published_after_the_deadline_are_deleted() -> None:
    endings: list[Status] = []
    discarded: list[Outcome] = []
    outcome = Outcome(result={}, outputs={"video": {"id": "medium-1"}})

    def finish(_job_id: str, status: Status, **_more: Any) -> bool:
        endings.append(status)
        return True

    async def run(*_arguments: Any) -> Outcome:
        return await run_to_the_end(lambda: (time.sleep(0.1), outcome)[1])

    async def discard(_claim: Claim, late: Outcome) -> None:
        discarded.append(late)

    async def settle() -> None:
        worker = JobWorker(SimpleNamespace(store=SimpleNamespace(finish=finish), stopping=False), None, None)
        worker._queues = {"media": Queue(concurrency=1, run=run, discard=discard)}
        late = claim(deadline_at=time.time())
        task = asyncio.ensure_future(run())
        await asyncio.sleep(0)
        await worker._settle(late, task, SimpleNamespace(warnings=()), SimpleNamespace(ended=lambda *_a, **_o: None))

    asyncio.run(settle())
    assert (endings, discarded) == ([Status.FAILED], [outcome])


def test_if_an_output_is_not_published_none_stays(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    stored: list[str] = []

    class Media:
        @contextmanager
        def incoming(self) -> Any:
            yield None

        def publish(self, _incoming: None, new: Any, *, file: Path) -> Any:
            if file.name == "full":
                raise OSError("no space")
            stored.append(file.name)
            return SimpleNamespace(id=file.name)

        def delete(self, owner: str, media_id: str) -> None:
            assert owner == "me"
            stored.remove(media_id)

    monkeypatch.setattr(module, "checked_file", lambda path, _folder: Path(path))
    publisher = Publisher(Media())
    file = {"suffix": ".mp4", "kind": "video", "content_type": "video/mp4", "media": {}, "sha256": None}
    files = {name: SimpleNamespace(path=name, **file) for name in ("kept", "full")}
    with pytest.raises(OSError, match="no space"):
        publisher.publish(claim(), files, tmp_path)
    assert stored == []
    assert list(publisher.publish(claim(), {"kept": files["kept"]}, tmp_path)) == ["kept"]
