"""The studio's viewer: keys, and its layout on a phone."""

from collections.abc import Callable
from typing import Any

import pytest

from shared.sample_ids import SAMPLE_ID
from tests.studio.acting import until

pytestmark = [pytest.mark.studio, pytest.mark.timeout(900)]
Opener = Callable[..., Any]
SMALL_TARGETS = """() => [...document.querySelectorAll("main :is(button, .button, .chip, select, summary, input[type=range])")]
  .filter((element) => element.checkVisibility() && !element.disabled)
  .filter((element) => {
    element.scrollIntoView({ block: "center", inline: "center" });
    const { left, top, width, height } = element.getBoundingClientRect();
    const reaches = (by) => element.contains(document.elementFromPoint(left + width / 2, top + height / 2 + by));
    return height < 44 && !(reaches(-21) && reaches(21));
  })
  .map((element) => element.outerHTML.slice(0, 120))"""
"""Controls that a finger 22 CSS pixels above or below their middle misses."""


def test_keys_of_editing_programs_drive_the_viewer(open_page: Opener) -> None:
    page = open_page(f"#/clip/{SAMPLE_ID}")
    until(page, "document.querySelector('video.clip')?.readyState >= 2")
    for key, expected in [
        ("ArrowRight", "0:00:01"),
        ("Shift+ArrowRight", "0:00:11"),
        ("ArrowLeft", "0:00:10"),
        ("End", "0:05:29"),
        ("Home", "0:00:00"),
    ]:
        page.keyboard.press(key)
        page.get_by_text(expected, exact=False).first.wait_for()
    page.keyboard.press("l")
    until(page, "!document.querySelector('video.clip').paused")
    page.keyboard.press("l")
    until(page, "document.querySelector('video.clip').playbackRate === 2")
    page.keyboard.press("k")
    until(page, "document.querySelector('video.clip').paused")
    page.keyboard.press("End")
    page.get_by_text("0:05:29", exact=False).first.wait_for()
    page.keyboard.press("j")
    until(page, "document.querySelector('video.clip').currentTime < 5")  # it plays backwards
    page.keyboard.press("k")
    page.get_by_label("Volume", exact=True).fill("0.4")
    until(page, "document.querySelector('video.clip').volume === 0.4 && !document.querySelector('video.clip').muted")
    page.locator(".stage").first.click(position={"x": 5, "y": 5})
    page.keyboard.press("m")
    until(page, "document.querySelector('video.clip').muted")


@pytest.mark.parametrize("tool", ["", "/effects.motion-trails", "/speed-ramp.render", "/matting.matte"])
def test_on_a_phone_the_picture_stays_and_targets_are_large(open_page: Opener, tool: str) -> None:
    page = open_page(f"#/clip/{SAMPLE_ID}{tool}", size="phone", refusals=("503",))  # networks are not installed
    page.locator(".chips .chip, .tabs").first.wait_for()
    page.evaluate("document.querySelectorAll('details').forEach((section) => (section.open = true))")
    assert page.evaluate(SMALL_TARGETS) == []
    page.evaluate("scrollTo(0, document.documentElement.scrollHeight)")
    box = page.locator(".stage").bounding_box()
    assert box is not None
    assert 0 <= box["y"] < box["y"] + box["height"] < 844 / 2
