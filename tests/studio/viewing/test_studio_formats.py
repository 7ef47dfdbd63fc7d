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


# Records the texts over the picture; of the first drawn picture, also its range of levels and the texts up to then.
WATCH = """() => {
  window.notes = new Set();
  window.first = null;
  let watched = null;
  const drawn = (video) => {
    const context = new OffscreenCanvas(32, 32).getContext("2d");
    context.drawImage(video, 0, 0, 32, 32);
    const levels = context.getImageData(0, 0, 32, 32).data.filter((_, at) => at % 4 === 0);
    window.first = { range: Math.max(...levels) - Math.min(...levels), notes: [...notes] };
  };
  new MutationObserver(() => {
    const note = document.querySelector(".stage-note");
    if (note) notes.add(note.textContent);
    const video = document.querySelector("video.clip");
    if (video && video !== watched) video.requestVideoFrameCallback(() => drawn(video));
    watched = video;
  }).observe(document, { subtree: true, childList: true, characterData: true });
}"""


@pytest.mark.brief
@pytest.mark.parametrize("name", [*FORMATS, ROTATED])
def test_a_clip_of_any_format_shows_a_picture(open_page: Opener, studio: Restartable, files: dict[str, Path], name: str) -> None:
    record = studio.suite.upload(files[name])
    page = open_page("#/")
    note = FORMATS.get(name, ("", ""))[1]
    page.evaluate(WATCH)
    page.goto(f"{page.url.split('#')[0]}#/clip/{record['id']}")
    until(page, "window.first !== null")  # without anything that a user does
    first = page.evaluate("window.first")
    assert first["range"] > 100, "the picture has the colours of the clip"
    assert page.evaluate("document.querySelector('video.clip').videoWidth") == (180 if name == ROTATED else 320)
    reasons = [text for text in first["notes"] if "This clip" in text]
    assert bool(reasons) == bool(note), "the reason of the wait is there before the picture"
    assert all(note in text for text in reasons)
    until(page, "document.querySelector('.stage-note') === null")
