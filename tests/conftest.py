"""Fixtures for all tests: a clip, a picture, a running suite, changed settings."""

import logging
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import httpx
import pytest

from gateway.media.sample_drawing import draw_clip, draw_matte, draw_picture, draw_plate
from shared.file_calls import FileRequest
from shared.operation import Sample, Silent
from shared.sample_ids import SAMPLES
from shared.settings import Settings
from shared.testing import RunningSuite, suite
from tests.server_paths import server_paths, texts_of

SAMPLES_TIMEOUT_S = 90.0
DROPPED_ROUTE = "Page._on_route"
"""Playwright's task for a held request, which asyncio reports if the page has loaded itself again meanwhile."""


@pytest.fixture(autouse=True)
def no_errors_logged(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Fail each test that logs an ERROR.

    A test that expects an ERROR ends with `caplog.clear()`.
    """
    yield
    errors = [record.getMessage() for record in caplog.get_records("call") if record.levelno >= logging.ERROR]
    assert [error for error in errors if DROPPED_ROUTE not in error] == []


@pytest.fixture
def use_settings(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Return a function that changes this process's settings until the test ends.

    For example `use_settings(device="cpu")`. Variables of the environment count, too.
    """
    changes: dict[str, Any] = {}

    def change(**values: Any) -> None:
        changes.update(values)
        monkeypatch.setattr("shared.settings._Process.settings", Settings(**changes))

    return change


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write a clip of a ball that rolls, dashes and rests.

    Six seconds of 640x360 at 30 fps with stereo sound.
    """
    path = tmp_path_factory.mktemp("clip") / "ball.mp4"
    draw_clip(FileRequest(path=str(path)), Silent())
    return path


@pytest.fixture(scope="session")
def picture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write a 640x360 PNG file."""
    path = tmp_path_factory.mktemp("picture") / "discs.png"
    draw_picture(FileRequest(path=str(path)), Silent())
    return path


@pytest.fixture(scope="session")
def samples(clip: Path, picture: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[Sample, Path]:
    """Make the sample files that the operations' examples use."""
    matte = tmp_path_factory.mktemp("matte") / "ball-matte.mp4"
    draw_matte(FileRequest(path=str(matte)), Silent())
    plate = matte.with_name("ball-plate.png")
    draw_plate(FileRequest(path=str(plate)), Silent())
    return {Sample.CLIP: clip, Sample.PICTURE: picture, Sample.MATTE: matte, Sample.PLATE: plate}


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSuite]:
    """Start the suite that all tests of the session share; wait for its samples.

    It runs in a separate process, as with `reelwright up`.
    """
    settings = {
        "URL_ALLOW_NETWORKS": "127.0.0.0/8",
        "WEBHOOK_SECRET": "whsec_c2VjcmV0c2VjcmV0c2VjcmV0",
        "PROBE_TIMEOUT_S": "90",  # a busy machine takes longer than usual to draw the samples
    }
    with suite(tmp_path_factory.mktemp("suite"), **settings) as started:
        wait_for_samples(started)
        problems: list[str] = []
        started.client.event_hooks = {"request": [], "response": [lambda answer: problems.extend(_paths_in_problem(answer))]}
        yield started
        started.client.event_hooks = {"request": [], "response": []}
        assert [*problems, *_paths_in_jobs(started)] == [], "texts for clients name paths of the server"


def _paths_in_problem(answer: httpx.Response) -> list[str]:
    """Return the paths of the server in the problem details of an answer."""
    if answer.request.method == "HEAD" or not answer.headers.get("content-type", "").startswith("application/problem+json"):
        return []
    answer.read()
    try:
        sent = f"{answer.request.url} {answer.request.content.decode(errors='replace')}"
    except httpx.RequestNotRead:  # an upload
        sent = str(answer.request.url)
    return [f"{sent[:200]}: {path}" for path in server_paths(texts_of(answer.json()), sent=unquote(sent))]


def _paths_in_jobs(started: RunningSuite) -> list[str]:
    """Return the paths of the server in errors, warnings and details of all jobs."""
    paths: list[str] = []
    cursor = None
    while True:
        query = {"limit": 500} | ({"cursor": cursor} if cursor else {})
        page = started.client.get("/v1/jobs", params=query).json()
        for job in page["items"]:
            steps = [step["detail"] for step in ((job["progress"] or {}).get("steps") or [])]
            texts = texts_of([job["error"], job["warnings"], steps])
            paths += [f"{job['operation']} {job['id']}: {path}" for path in server_paths(texts, sent=str(job["params"]))]
        if (cursor := page["next_cursor"]) is None:
            return paths


def wait_for_samples(started: RunningSuite, timeout_s: float = SAMPLES_TIMEOUT_S) -> None:
    """Wait until the suite `started` has drawn its sample media.

    Fails with the suite's log after `timeout_s` seconds.
    """
    deadline = time.monotonic() + timeout_s
    while missing := [kind for kind, media_id in SAMPLES.items() if not started.client.get(f"/v1/media/{media_id}").is_success]:
        if time.monotonic() > deadline:
            pytest.fail(f"no sample {' and '.join(missing)} after {timeout_s:g} s; the log:\n{''.join(started.log)}")
        time.sleep(0.1)
