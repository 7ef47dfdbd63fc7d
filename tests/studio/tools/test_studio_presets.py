"""The preset cards of tools: previews of the clip, and what a chosen preset changes."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from shared.sample_ids import SAMPLE_ID, SAMPLE_MATTE_ID
from tests.studio.acting import Hand, fits_the_width, until, violations_of

pytestmark = [pytest.mark.studio, pytest.mark.timeout(900)]
Opener = Callable[..., Any]
REEL = "media.reel"
MOMENTS = [{"timestamp_s": 1.0, "score": 1.0}, {"timestamp_s": 4.0, "score": 2.0}]
SETTINGS: dict[str, dict[str, Any]] = {
    "speed-ramp.export": {},
    "aesthetics.extract-frames": {},
    "aesthetics.top-images": {},
    "background.plate": {"inputs": {"alpha": SAMPLE_MATTE_ID}},
    REEL: {"params": {"moments": MOMENTS}},
}
"""Tools, each with the settings that the user has entered."""
CARDS = "tool-panel .preset-card"  # an empty library has cards, too
SHOWN = "video, .preset-picture > img"
OPENED = "(({ isRaised, opensLowered }) => isRaised !== opensLowered)(document.querySelector('sheet-handle'))"
"""Whether the sheet of a tool that was just opened is as the tool needs it."""
PARAMS = "document.querySelector('tool-panel').params"


def open_tool(page: Any, tool: str, settings: dict[str, Any]) -> None:
    """Open a tool with settings on a page of the studio."""
    draft = json.dumps({"params": {}, "inputs": {}, "preset": None} | settings)
    page.evaluate("([key, draft]) => sessionStorage.setItem(key, draft)", [f"reelwright-draft {SAMPLE_ID} {tool}", draft])
    page.evaluate("(hash) => { location.hash = hash; }", f"#/clip/{SAMPLE_ID}/{tool}")
    page.locator(CARDS).first.wait_for(state="attached")


@pytest.mark.parametrize("size", ["phone", "desktop"])
@pytest.mark.parametrize("tool", SETTINGS)
def test_each_preset_shows_its_result_of_the_clip(open_page: Opener, tool: str, size: str) -> None:
    page = open_page("#/", size=size, refusals=("503",))  # a network of ratings is not installed
    page.set_viewport_size({"width": 390, "height": 844} if size == "phone" else {"width": 1280, "height": 800})
    open_tool(page, tool, SETTINGS[tool])
    hand = Hand(page, "touch" if size == "phone" else "mouse")
    cards = page.locator(CARDS)
    until(page, OPENED)
    page.wait_for_timeout(300)  # the sheet is drawn
    previews = []
    for card in cards.all():
        hand.uncover(card)
        card.scroll_into_view_if_needed()
        if "Needs a model" in card.inner_text():
            continue
        preview = card.locator(SHOWN)
        preview.wait_for()
        previews.append(preview.get_attribute("src"))
    assert len(previews) >= 3
    assert len(set(previews)) == len(previews), "each card shows a result of its own"
    assert fits_the_width(page)
    assert violations_of(page) == []


def test_a_preset_keeps_what_only_the_user_can_give(open_page: Opener) -> None:
    page = open_page("#/")
    open_tool(page, REEL, SETTINGS[REEL])
    for name, changes in (("Teaser", {"most": 5, "around": 1.0}), ("Fast cut", {"most": 20, "around": 0.5}), ("Highlights", {})):
        page.get_by_role("button", name=name, exact=False).first.click()
        until(page, f"document.querySelector('.preset-card[aria-pressed=true] b')?.textContent === {name!r}")
        assert page.evaluate(PARAMS) == {"moments": MOMENTS} | changes
    page.get_by_role("button", name="Highlights", exact=False).first.click()
    until(page, "!document.querySelector('.preset-card[aria-pressed=true]')")
    assert page.evaluate(PARAMS) == {"moments": MOMENTS}


def test_no_preview_is_made_before_the_user_gave_what_it_needs(open_page: Opener) -> None:
    page = open_page("#/")
    jobs: list[Any] = []
    page.on("request", lambda request: jobs.append(request) if request.method == "POST" and "/reel/jobs" in request.url else None)
    open_tool(page, REEL, {})
    page.get_by_text("Still missing: moments.").wait_for()
    until(page, "[...document.querySelectorAll('tool-panel preset-card')].every(({ state }) => state === 'none')")
    assert not jobs
    page.evaluate("(moments) => document.querySelector('tool-panel').setParam('moments', moments)", MOMENTS)
    page.locator(CARDS).first.locator(SHOWN).wait_for()
    page.evaluate("document.querySelector('tool-panel').setParam('moments', undefined)")
    page.locator(CARDS).first.locator(SHOWN).wait_for(state="detached")


def test_a_result_without_picture_offers_no_preview(open_page: Opener) -> None:
    page = open_page("#/")
    open_tool(page, "speed-ramp.analyze", {})
    page.get_by_role("button", name="Make it").wait_for()
    assert page.locator(".action-bar").get_by_role("button", name="Preview", exact=True).count() == 0
    until(page, "[...document.querySelectorAll('tool-panel preset-card')].every(({ state }) => state === 'none')")


def test_a_preset_of_a_step_keeps_the_output_of_an_earlier_step(open_page: Opener) -> None:
    page = open_page(f"#/pipelines?clip={SAMPLE_ID}")
    page.get_by_role("button", name="The best moment of the best shots", exact=False).click()
    page.get_by_text("All steps are valid.").wait_for()
    card = page.get_by_role("article", name="Step 3", exact=False)
    card.locator("summary", has_text="Settings").first.click()
    teaser = card.get_by_role("button", name="Teaser")
    teaser.click()
    until(page, "document.querySelector('[data-preset=teaser]')?.ariaPressed === 'true'")
    page.get_by_text("All steps are valid.").wait_for()
    page.get_by_role("button", name="API call").click()
    assert '"moments":{"from":"best.items"}' in page.locator(".code-block pre").inner_text().replace(" ", "")
