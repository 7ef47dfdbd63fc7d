"""Edits of a speed curve: steps back and forth, and fingers on the timeline."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from shared.sample_ids import SAMPLE_ID
from tests.studio.acting import Hand, middle_of, until

pytestmark = [pytest.mark.studio, pytest.mark.timeout(900)]
Opener = Callable[..., Any]
RAMP = "speed-ramp.render"
PARAMS = "document.querySelector('tool-panel').params"


def test_undo_of_a_length_returns_the_target_length(open_page: Opener) -> None:
    page = open_page("#/")
    curve = [{"t": 0, "speed": 1}, {"t": 5, "speed": 2}]
    draft = json.dumps({"params": {"curve": curve, "target_duration": 8}, "inputs": {}, "preset": None})
    page.evaluate("([key, draft]) => sessionStorage.setItem(key, draft)", [f"reelwright-draft {SAMPLE_ID} {RAMP}", draft])
    page.evaluate("(hash) => { location.hash = hash; }", f"#/clip/{SAMPLE_ID}/{RAMP}")
    page.locator(".bench-figures", has_text="→ 8.00 s").wait_for()
    page.locator(".point").nth(1).focus()
    page.keyboard.press("PageDown")  # a step without the length
    until(page, f"{PARAMS}.curve[1].speed === 1")
    page.get_by_label("Length of the result in seconds").fill("4")
    page.keyboard.press("Tab")
    until(page, f"{PARAMS}.target_duration === undefined")
    made = page.evaluate(f"{PARAMS}.curve")
    undo, redo = page.get_by_role("button", name="Undo"), page.get_by_role("button", name="Redo")
    undo.click()
    until(page, f"{PARAMS}.target_duration === 8 && {PARAMS}.curve[1].speed === 1")
    redo.click()
    until(page, f"{PARAMS}.target_duration === undefined")
    assert page.evaluate(f"{PARAMS}.curve") == made
    undo.click()
    until(page, f"{PARAMS}.target_duration === 8")
    page.get_by_label("Target length", exact=True).fill("9")
    page.keyboard.press("Tab")
    until(page, f"{PARAMS}.target_duration === 9")
    undo.click()
    until(page, f"{PARAMS}.curve[1].speed === 2")
    assert page.evaluate(f"{PARAMS}.target_duration") == 9, "a step of the curve alone does not change the length in the form"
    page.locator(".bench-figures", has_text="→ 9.00 s").wait_for()


def test_a_finger_scrolls_over_the_curve_and_moves_its_points(open_page: Opener) -> None:
    page = open_page(f"#/pipelines?clip={SAMPLE_ID}", size="phone")
    hand = Hand(page, "touch")
    hand.press(page.get_by_role("button", name="Empty your own steps"))
    page.get_by_label("Add a step").select_option(RAMP)
    hand.press(page.get_by_role("article", name="Step 1", exact=False).locator("summary", has_text="Settings").first)
    hand.choose(page.get_by_label("Curve", exact=True), "Hero")
    point = page.locator(".point").nth(2)
    point.wait_for()
    field = page.locator(".curve-field")
    field.evaluate("(field) => field.scrollIntoView({ block: 'center' })")
    before, speed = page.evaluate("scrollY"), point.get_attribute("aria-valuenow")
    x, _ = middle_of(field)
    y = field.bounding_box()["y"] + 20  # on the pictures, where no point is
    hand.drag((x, y), (x + 2, y - 200))
    until(page, f"scrollY > {before} + 100")
    assert point.get_attribute("aria-valuenow") == speed
    field.evaluate("(field) => field.scrollIntoView({ block: 'center' })")
    page.wait_for_timeout(300)  # the end of the scrolling
    before = page.evaluate("scrollY")
    x, y = middle_of(point)
    hand.drag((x, y), (x, y - 60))
    until(page, f"Number(document.querySelectorAll('.point')[2].ariaValueNow) > {speed}")
    assert page.evaluate("scrollY") == before
