"""The gallery of `keyframes.detect`, opened as a file: cards after another threshold, and the page on a phone."""

import base64
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from services.keyframes.detectors.table import DETECTORS
from services.keyframes.output.gallery import write_gallery
from services.keyframes.output.report import Scores, VideoReport
from tests.services.keyframes.reports import report_of
from tests.studio.acting import fits_the_width, until, violations_of
from tests.studio.conftest import PATIENCE_MS, SIZES

pytestmark = [pytest.mark.studio, pytest.mark.timeout(900)]
Opener = Callable[..., Any]
CARDS = """[...document.querySelectorAll("#list .card")].map((card) => [
  ...["number", "when", "length"].map((name) => card.querySelector(`.${name}`).textContent),
  card.querySelector(".note")?.textContent ?? "", card.querySelector("img").src])"""
COVERED = """() => [...document.querySelectorAll(".transport button")].filter((button) => {
  const { left, top, width, height } = button.getBoundingClientRect();
  return top < 0 || top + height > innerHeight || !button.contains(document.elementFromPoint(left + width / 2, top + height / 2));
}).map((button) => button.id)"""
SMALL = """[...document.querySelectorAll("button, .button, select, input:not([type=file])")].filter((target) => {
  const { width, height } = target.getBoundingClientRect();
  return target.checkVisibility() && Math.min(width, height) < 44;
}).map((target) => target.outerHTML)"""


@pytest.fixture
def open_gallery(browser: Any, tmp_path: Path) -> Iterator[Callable[..., Any]]:
    """Return a function that writes the gallery of a report and opens the file."""
    messages: list[str] = []
    contexts = []

    def open_file(report: VideoReport, *, size: str = "desktop") -> Any:
        for number, keyframe in enumerate(report.keyframes):
            path = tmp_path / keyframe.thumbnail
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.new("RGB", (320, 180), (number * 6 % 256, 90, 160)).save(path, "JPEG")
        write_gallery([report], tmp_path, tmp_path / "gallery.html")
        width, height = SIZES[size]
        touch = size != "desktop"
        contexts.append(browser.new_context(viewport={"width": width, "height": height}, has_touch=touch, is_mobile=touch))
        page = contexts[-1].new_page()
        page.set_default_timeout(PATIENCE_MS)
        page.on("console", lambda message: messages.append(message.text))
        page.on("pageerror", lambda error: messages.append(f"error: {error}"))
        page.goto((tmp_path / "gallery.html").as_uri())
        return page

    yield open_file
    for context in contexts:
        context.close()
    assert messages == []


def test_labels_and_pictures_of_cards_follow_another_threshold(open_gallery: Opener, tmp_path: Path) -> None:
    scores = {40: 60.0, 90: 60.0, 50: 20.0, 130: 25.0}
    curve = Scores(frames=list(range(150)), times=[frame / 25 for frame in range(150)], values={"difference": [1.0] * 150})
    for frame, score in scores.items():
        curve.values["difference"][frame] = score
    report = report_of([0, 40, 90, 150], scores=curve)
    keyframes = [keyframe.model_copy(update={"score": 0.9 if keyframe.frame == 65 else 0.5}) for keyframe in report.keyframes]
    page = open_gallery(report.model_copy(update={"keyframes": keyframes}))
    first, second, third = (
        f"data:image/jpeg;base64,{base64.b64encode((tmp_path / keyframe.thumbnail).read_bytes()).decode()}" for keyframe in keyframes
    )

    def cards(count: int) -> Any:
        until(page, f"document.querySelectorAll('#list .card').length === {count}")
        return page.evaluate(CARDS)

    as_found = [
        ["Shot 1", "00:00:00:00", "0:01.60 · 40 frames", "", first],
        ["Shot 2", "00:00:01:15", "0:02.00 · 50 frames", "", second],
        ["Shot 3", "00:00:03:15", "0:02.40 · 60 frames", "", third],
    ]
    assert cards(3) == as_found
    page.fill("#amount", "10")
    page.press("#amount", "Enter")
    assert cards(5) == [
        ["Shot 1", "00:00:00:00", "0:01.60 · 40 frames", "", first],
        ["Shot 2", "00:00:01:15", "0:00.40 · 10 frames", "like shot 3", second],
        ["Shot 3", "00:00:02:00", "0:01.60 · 40 frames", "", second],
        ["Shot 4", "00:00:03:15", "0:01.60 · 40 frames", "", third],
        ["Shot 5", "00:00:05:05", "0:00.80 · 20 frames", "like shot 4", third],
    ]
    page.locator("#list .card").nth(3).click()
    until(page, "document.querySelector('#shot-title').textContent === 'Shot 4 of 5'")
    assert page.locator("#list .card[aria-current]").count() == 1
    assert page.locator("#list .card").nth(3).get_attribute("aria-current") == "true"
    page.fill("#amount", "100")
    page.press("#amount", "Enter")
    assert cards(1) == [["Shot 1", "00:00:00:00", "0:06.00 · 150 frames", "3 keyframes", second]]
    page.click("#reset")
    assert cards(3) == as_found


def test_scores_have_the_labels_and_thresholds_of_their_detectors(open_gallery: Opener) -> None:
    values = {detector.name: [0.0] * 150 for detector in DETECTORS}
    page = open_gallery(
        report_of([0, 150], scores=Scores(frames=list(range(150)), times=[frame / 25 for frame in range(150)], values=values))
    )
    until(page, f"document.querySelectorAll('#curve option').length === {len(DETECTORS)}")
    assert page.locator("#curve option").all_text_contents() == [detector.label for detector in DETECTORS]
    for detector in DETECTORS:
        page.select_option("#curve", detector.name)
        assert float(page.input_value("#amount")) == detector.threshold


def test_the_transport_stays_in_view_on_a_phone(open_gallery: Opener) -> None:
    page = open_gallery(report_of(range(0, 1230, 30)), size="phone")
    until(page, "document.querySelectorAll('#list .card').length === 40")
    for place in (0, 0.5, 1):
        page.evaluate(f"scrollTo(0, {place} * document.documentElement.scrollHeight)")
        assert page.evaluate(COVERED) == []
    until(page, "scrollY > 2 * innerHeight")
    last, transport = page.locator("#list .card").last.bounding_box(), page.locator(".transport").bounding_box()
    assert last["y"] + last["height"] <= transport["y"], "the bar covers no card at the end"
    page.tap("#shot-after")
    until(page, "document.querySelector('#shot-title').textContent === 'Shot 2 of 40'")
    assert fits_the_width(page)
    assert page.evaluate(SMALL) == []
    assert violations_of(page) == []
