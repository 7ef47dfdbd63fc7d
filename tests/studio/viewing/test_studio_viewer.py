"""The studio's viewer: keys, and the strip below the picture."""

import io
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from PIL import Image

from shared.sample_ids import SAMPLE_ID
from tests.studio.acting import Hand, fits_the_width, middle_of, until, until_known

pytestmark = [pytest.mark.studio, pytest.mark.timeout(900)]
Opener = Callable[..., Any]


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


@pytest.mark.parametrize(("width", "is_shown"), [(700, True), (390, False)])
def test_volume_and_loop_are_hidden_on_phones_only(open_page: Opener, width: int, is_shown: bool) -> None:
    page = open_page(f"#/clip/{SAMPLE_ID}")
    page.set_viewport_size({"width": width, "height": 800})
    page.get_by_role("button", name="Sound off").wait_for()
    assert page.get_by_label("Volume", exact=True).is_visible() == is_shown
    assert page.get_by_role("button", name="Loop").is_visible() == is_shown
    assert fits_the_width(page)


def test_each_press_of_j_or_l_plays_faster(open_page: Opener) -> None:
    page = open_page(f"#/clip/{SAMPLE_ID}")
    until(page, "document.querySelector('video.clip')?.readyState >= 2")
    for speed in (1, 2, 4, 8, 8):
        page.keyboard.press("l")
        until(page, f"document.querySelector('video.clip').playbackRate === {speed} && !document.querySelector('video.clip').paused")
        assert page.locator(".transport .badge").all_inner_texts() == ([f"{speed}×"] if speed > 1 else [])
    page.keyboard.press("k")
    page.keyboard.press("End")
    page.get_by_text("0:05:29", exact=False).first.wait_for()
    for speed in (-1, -2):
        page.keyboard.press("j")
        page.locator(".transport .badge", has_text=f"{speed}×").wait_for()
    until(page, "document.querySelector('video.clip').currentTime < 5")
    page.keyboard.press("l")  # forwards again, at the usual speed
    until(page, "document.querySelector('video.clip').playbackRate === 1 && !document.querySelector('video.clip').paused")
    page.keyboard.press("j")
    until(page, "document.querySelector('video.clip').currentTime === 0 && !document.querySelector('clip-viewer').isPlaying")
    assert page.locator(".transport .badge").count() == 0


def test_the_playhead_is_whole_at_both_ends_of_the_strip(open_page: Opener) -> None:
    page = open_page(f"#/clip/{SAMPLE_ID}")
    until(page, "document.querySelector('video.clip')?.readyState >= 2")
    box = page.locator(".strip").bounding_box()
    left, right = box["x"] - 6, box["x"] + box["width"]

    def brightest(x: float) -> int:
        clip = {"x": x, "y": box["y"], "width": 6, "height": 8}
        return int(np.asarray(Image.open(io.BytesIO(page.screenshot(clip=clip))).convert("L")).max())

    page.evaluate("document.documentElement.style.colorScheme = 'dark'")
    for key, shown, other in (("End", right, left), ("Home", left, right)):
        page.keyboard.press(key)
        until(page, f"Math.abs(document.querySelector('.strip .head').style.getPropertyValue('--at') - {int(key == 'End')}) < 0.01")
        until_known(page, lambda shown=shown: brightest(shown) > 240, "the half of the handle that is beyond the strip is drawn")
        assert brightest(other) < 60


def test_a_finger_on_the_strip_seeks_only_sideways(open_page: Opener) -> None:
    page = open_page(f"#/clip/{SAMPLE_ID}", size="phone")
    until(page, "document.querySelector('video.clip')?.readyState >= 2")
    hand = Hand(page, "touch")
    strip = page.locator(".strip")
    hand.uncover(strip)
    page.wait_for_timeout(300)  # the sheet is lowered
    assert strip.evaluate("(strip) => getComputedStyle(strip).touchAction") == "pan-y"
    x, y = middle_of(strip)
    now = "Number(document.querySelector('.strip').ariaValueNow)"
    hand.drag((x, y), (x + 2, y + 50))
    page.wait_for_timeout(300)
    assert page.evaluate(now) < 0.05, "a finger that scrolls does not seek"
    hand.drag((x, y), (x + 60, y + 3))
    until(page, f"{now} > 3.2")
    page.touchscreen.tap(x - 100, y)
    until(page, f"{now} < 2.5")
