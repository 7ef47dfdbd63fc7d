"""Refusals of the server are shown, even without a field for them.

Nothing counts as saved that is not.
"""

import json
from collections.abc import Callable
from typing import Any

import pytest

from shared.sample_ids import SAMPLE_ID
from tests.studio.acting import until, violations_of

pytestmark = [pytest.mark.studio, pytest.mark.timeout(900)]
Opener = Callable[..., Any]
TOO_LONG = "Point 1, freeze: must be at most 3600"
FROZEN = [{"t": 0, "speed": 1, "freeze": 9999}]
STALE = {
    "id": "trails",
    "operation": "effects.motion-trails",
    "inputs": {"video": "<video>", "plate": "<video>"},
    "params": {"colour_of_old": "red"},
}


def set_curve(place: Any, points: list[dict[str, float]]) -> None:
    """Set a curve without its fields, which keep every point within its limits."""
    place.evaluate("(element, detail) => element.dispatchEvent(new CustomEvent('curve', { detail }))", points)


def test_a_wrong_point_of_a_curve_is_explained(open_page: Opener) -> None:
    page = open_page(f"#/clip/{SAMPLE_ID}/speed-ramp.render", refusals=("422",))
    page.get_by_label("Curve", exact=True).select_option(label="Hero")
    set_curve(page.locator("curve-bench"), FROZEN)
    error = page.locator(".panel-error")
    error.wait_for()
    assert error.inner_text() == f"Curve: {TOO_LONG}, not 9999"
    set_curve(page.locator("curve-bench"), [{"t": 0, "speed": 1}])
    error.wait_for(state="detached")
    page.goto(page.url.split("#")[0] + f"#/pipelines?clip={SAMPLE_ID}")
    page.get_by_role("button", name="Empty your own steps").click()
    page.get_by_label("Add a step").select_option("speed-ramp.render")
    step = page.get_by_role("article", name="Step 1", exact=False)
    step.locator("summary", has_text="Settings").first.click()
    step.get_by_label("Curve", exact=True).select_option(label="Hero")
    set_curve(step.locator("curve-field"), FROZEN)
    step.get_by_text(TOO_LONG, exact=False).wait_for()


def test_settings_of_an_earlier_release_are_named_and_removed(open_page: Opener) -> None:
    page = open_page("#/", refusals=("422",))
    draft = {"chosen": "", "base": [], "steps": [STALE], "media": {"video": SAMPLE_ID}}
    page.evaluate("(draft) => localStorage.setItem('reelwright-pipeline-draft', draft)", json.dumps(draft))
    page.goto(page.url.split("#")[0] + "#/pipelines")
    step = page.get_by_role("article", name="Step 1", exact=False)
    step.get_by_text("This server's tool does not have: colour_of_old, plate.").wait_for()
    step.locator(".error", has_text="colour_of_old").wait_for()
    assert page.get_by_role("button", name="Make it").is_disabled()
    assert violations_of(page) == []
    step.get_by_role("button", name="Remove from the step").click()
    page.get_by_text("All steps are valid.").wait_for()


def test_a_pipeline_that_is_not_saved_counts_as_changed(open_page: Opener) -> None:
    page = open_page(f"#/pipelines?clip={SAMPLE_ID}", refusals=("503",))
    page.get_by_text("All steps are valid.").wait_for()
    page.get_by_label("Add a step").select_option("effects.strobe")
    unsaved = page.get_by_text("Unsaved changes.")
    unsaved.wait_for()
    problem = {"title": "Full", "detail": "The disk of the server is full.", "status": 503}
    page.route("**/v1/pipelines/saved/*", lambda route: route.fulfill(status=503, json=problem))
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_role("dialog").get_by_role("button", name="Save").click()
    page.get_by_text("The disk of the server is full.").wait_for()
    assert unsaved.is_visible()
    page.unroute_all(behavior="ignoreErrors")
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_role("dialog").get_by_role("button", name="Save").click()
    unsaved.wait_for(state="detached")


@pytest.mark.parametrize("size", ["phone", "desktop"])
def test_an_added_row_of_a_step_lies_above_the_action_bar(open_page: Opener, size: str) -> None:
    page = open_page(f"#/pipelines?clip={SAMPLE_ID}", size=size, refusals=("422",))
    page.get_by_role("button", name="Empty your own steps").click()
    page.get_by_label("Add a step").select_option("media.reel")
    step = page.get_by_role("article", name="Step 1", exact=False)
    add = step.get_by_role("group", name="Moments").get_by_role("button", name="Add", exact=True)
    for number in range(1, 6):
        add.click()
        until(page, f"document.activeElement.getAttribute('aria-label') === 'Time {number}'", 20)
        page.wait_for_timeout(100)
        row, bar = (page.locator(place).bounding_box() for place in ("li:has(> label > * :focus)", ".action-bar"))
        assert row["y"] + row["height"] <= bar["y"], number


def test_every_added_row_is_shown_and_gets_the_focus(open_page: Opener) -> None:
    page = open_page(f"#/clip/{SAMPLE_ID}/media.reel", refusals=("422",))
    add = page.get_by_role("group", name="Moments").get_by_role("button", name="Add", exact=True)
    for number in range(1, 15):  # more than are drawn at first
        add.click()
        page.get_by_label(f"Time {number}", exact=True).wait_for()
        until(page, f"document.activeElement.getAttribute('aria-label') === 'Time {number}'", 20)
