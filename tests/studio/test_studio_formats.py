"""Clips that browsers cannot play: a picture, and the reason for the wait."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from benchmarks.material.formats import FORMATS, ROTATED, format_clips
from tests.studio.acting import until
from tests.studio.conftest import Restartable

pytestmark = [pytest.mark.studio, pytest.mark.timeout(900)]
Opener = Callable[..., Any]


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return format_clips(tmp_path_factory.mktemp("formats"))


@pytest.mark.parametrize("name", [*FORMATS, ROTATED])
def test_a_clip_of_any_format_shows_a_picture(open_page: Opener, studio: Restartable, files: dict[str, Path], name: str) -> None:
    record = studio.suite.upload(files[name])
    page = open_page("#/")
    note = FORMATS.get(name, ("", ""))[1]
    notes = "window.notes = []; setInterval(() => notes.push(document.querySelector('.stage-note')?.textContent ?? ''), 20)"
    page.evaluate(f"() => {{ {notes} }}")
    page.goto(f"{page.url.split('#')[0]}#/clip/{record['id']}")
    until(page, "document.querySelector('video.clip')?.readyState >= 2")
    assert page.evaluate("document.querySelector('video.clip').videoWidth") == (180 if name == ROTATED else 320)
    assert any(note in text for text in page.evaluate("window.notes"))
    assert page.locator(".stage-note").count() == 0
