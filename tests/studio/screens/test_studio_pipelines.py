"""The pipelines screen: steps with the forms of their tools, kept over a reload."""

from collections.abc import Callable
from typing import Any

import pytest

from shared.sample_ids import SAMPLE_ID
from tests.studio.acting import PATIENCE_S, Hand, Way, fits_the_width, middle_of, until, violations_of
from tests.studio.conftest import Restartable

pytestmark = [pytest.mark.studio, pytest.mark.timeout(900)]
Opener = Callable[..., Any]
FIGURES = ".bench-figures"


def step(page: Any, number: int) -> Any:
    return page.get_by_role("article", name=f"Step {number}", exact=False)


def open_settings(page: Any, hand: Hand, number: int) -> Any:
    """Open the settings of a step; return the step."""
    card = step(page, number)
    hand.press(card.locator("summary", has_text="Settings").first)
    return card


@pytest.mark.parametrize(
    ("size", "scheme", "way"), [("phone", "dark", "touch"), ("tablet", "light", "keyboard"), ("desktop", "light", "mouse")]
)
def test_the_curve_of_a_step_is_edited_and_kept_over_a_reload(
    open_page: Opener, studio: Restartable, size: str, scheme: str, way: Way
) -> None:
    page = open_page(f"#/pipelines?clip={SAMPLE_ID}", size=size, scheme=scheme)
    hand = Hand(page, way)
    hand.press(page.get_by_role("button", name="Empty your own steps"))
    page.get_by_label("Add a step").select_option("speed-ramp.render")
    card = open_settings(page, hand, 1)
    hand.choose(card.get_by_label("Curve", exact=True), "Hero")
    point = card.locator(".point").nth(2)
    point.wait_for()
    figures = card.locator(FIGURES).inner_text()
    if way == "keyboard":
        hand.reach(point)
        page.keyboard.press("Shift+ArrowDown")
    else:
        x, y = middle_of(point)
        hand.drag((x, y), (x, y + 12))
    until(page, f"document.querySelector('{FIGURES}').innerText !== {figures!r}")
    changed = card.locator(FIGURES).inner_text()
    hand.press(page.get_by_role("button", name="API call"))
    assert '"curve":[{"t":0,"speed":1,"easing":"smooth"}' in page.locator(".code-block pre").inner_text()
    for group in ("More", "Expert"):
        hand.press(card.locator("summary", has_text=group).first)
    assert page.locator("textarea").count() == 0
    assert violations_of(page) == []
    assert fits_the_width(page)
    page.reload()
    page.get_by_text("All steps are valid.").wait_for()
    card = open_settings(page, hand, 1)
    card.locator(".point").nth(2).wait_for()
    assert card.locator(FIGURES).inner_text() == changed
    hand.press(page.get_by_role("button", name="Make it"))
    until(page, "location.hash.startsWith('#/job/')")
    job = studio.suite.wait(page.evaluate("location.hash.slice(6)"), timeout_s=PATIENCE_S)
    (made,) = job["result"]["steps"]
    slowest = min(made["result"]["curve"], key=lambda given: given["speed"])
    assert slowest["speed"] < 0.2  # the preset's slowest speed, before its point was moved


def test_a_draft_is_discarded_and_taken_back(open_page: Opener) -> None:
    page = open_page(f"#/pipelines?clip={SAMPLE_ID}")
    page.get_by_text("All steps are valid.").wait_for()
    names = "[...document.querySelectorAll('.step-title b')].map((title) => title.textContent).join()"
    preset = page.evaluate(names)
    page.get_by_label("Add a step").select_option("effects.strobe")
    page.get_by_text("Unsaved changes.").wait_for()
    page.reload()
    until(page, f"{names} === {preset + ',Strobe'!r}")
    assert page.locator(".media-input .choice[aria-pressed=true]").count() == 1  # the clip is kept, too
    page.get_by_role("button", name="Discard changes").click()
    until(page, f"{names} === {preset!r}")
    page.get_by_role("button", name="Undo", exact=True).click()
    until(page, f"{names} === {preset + ',Strobe'!r}")
    page.get_by_role("button", name="A speed ramp with motion trails", exact=False).click()
    page.get_by_text("Your unsaved steps are replaced.").wait_for()
    assert page.get_by_text("Unsaved changes.").count() == 0
    replaced = page.evaluate(names)
    page.reload()
    page.get_by_text("All steps are valid.").wait_for()
    assert page.evaluate(names) == replaced


def test_a_wrong_setting_of_a_step_is_marked_at_its_row(open_page: Opener) -> None:
    page = open_page(f"#/pipelines?clip={SAMPLE_ID}", refusals=("422",))
    page.get_by_role("button", name="Empty your own steps").click()
    page.get_by_label("Add a step").select_option("media.reel")
    card = step(page, 1)
    card.get_by_text("is required", exact=False).wait_for()
    card.get_by_role("button", name="Add", exact=True).first.click()
    card.get_by_label("Time 1", exact=True).fill("-1")
    card.get_by_label("Time 1", exact=True).blur()
    error = card.locator(".rows-list > li .error")
    error.wait_for()
    assert error.inner_text() == "Time: must be at least 0, not -1"
    assert page.get_by_role("button", name="Make it").is_disabled()
    card.get_by_label("Time 1", exact=True).fill("1")
    card.get_by_label("Time 1", exact=True).blur()
    page.get_by_text("All steps are valid.").wait_for()


def test_a_step_takes_the_result_of_an_earlier_step(open_page: Opener) -> None:
    page = open_page(f"#/pipelines?clip={SAMPLE_ID}")
    page.get_by_role("button", name="The best moment of the best shots", exact=False).click()
    page.get_by_text("All steps are valid.").wait_for()
    card = open_settings(page, Hand(page, "mouse"), 3)
    card.get_by_text("Items of step 2, best stills").wait_for()
    card.get_by_role("button", name="Reset").first.click()
    menu = card.get_by_label("Take over moments")
    menu.select_option(label="Items of step 2, best stills")
    menu.wait_for(state="detached")
    page.get_by_text("All steps are valid.").wait_for()
    assert violations_of(page) == []


def test_clicks_are_set_on_the_frame_of_a_step(open_page: Opener) -> None:
    page = open_page(f"#/pipelines?clip={SAMPLE_ID}")
    page.get_by_role("button", name="Empty your own steps").click()
    page.get_by_label("Add a step").select_option("matting.mask")
    card = open_settings(page, Hand(page, "mouse"), 1)
    picture = card.locator(".mark-picture").first
    picture.locator("img").wait_for()
    picture.scroll_into_view_if_needed()
    left, top, width, height = (picture.bounding_box() or {}).values()
    page.mouse.click(left + width / 2, top + height / 4)
    card.get_by_role("button", name="What to leave out").click()
    page.mouse.click(left + width / 4, top + height / 2)
    assert float(card.get_by_label("From the left 1", exact=True).input_value()) == pytest.approx(0.5, abs=0.01)
    assert float(card.get_by_label("From the top 2", exact=True).input_value()) == pytest.approx(0.5, abs=0.01)
    assert card.get_by_label("Marks 2", exact=True).locator("option:checked").inner_text() == "What to leave out"
    box = card.locator(".mark-picture").nth(1)
    box.scroll_into_view_if_needed()
    left, top, width, height = (box.bounding_box() or {}).values()
    Hand(page, "mouse").drag((left + 0.2 * width, top + 0.2 * height), (left + 0.8 * width, top + 0.9 * height))
    assert float(card.get_by_label("Right", exact=True).input_value()) == pytest.approx(0.8, abs=0.01)
    page.get_by_text("All steps are valid.").wait_for()
    assert violations_of(page) == []


def test_a_preview_whose_times_are_unknown_is_refused_in_words(open_page: Opener) -> None:
    page = open_page(f"#/pipelines?clip={SAMPLE_ID}")
    page.get_by_role("button", name="Empty your own steps").click()
    for operation in ("speed-ramp.render", "effects.strobe"):
        page.get_by_label("Add a step").select_option(operation)
    card = open_settings(page, Hand(page, "mouse"), 2)
    card.locator("summary", has_text="More").first.click()
    start = card.get_by_label("Start", exact=True).first
    start.fill("2")
    start.blur()
    page.get_by_text("All steps are valid.").wait_for()
    page.get_by_role("button", name="Preview", exact=True).click()
    refusal = page.locator(".action-bar [role=alert]")
    refusal.wait_for()
    assert refusal.inner_text().startswith("Step 2, Strobe, has a time of its own (Start).")
    assert page.get_by_role("button", name="Make it").is_enabled(), "the steps themselves are valid"
    assert violations_of(page) == []
    card.get_by_role("button", name="Reset").first.click()
    refusal.wait_for(state="detached")
    page.get_by_text("All steps are valid.").wait_for()
    page.get_by_role("button", name="Preview", exact=True).click()
    until(page, "document.querySelector('.pipeline-preview video')?.readyState >= 2")


def test_a_preview_begins_although_its_first_request_is_lost(open_page: Opener) -> None:
    page = open_page(f"#/pipelines?clip={SAMPLE_ID}", refusals=("ERR_",))
    page.get_by_role("button", name="Empty your own steps").click()
    page.get_by_label("Add a step").select_option("effects.motion-trails")
    page.get_by_text("All steps are valid.").wait_for()
    requests = []

    def lose_first(route: Any) -> None:
        requests.append(route.request.post_data_json)
        route.abort("connectionrefused") if len(requests) == 1 else route.continue_()

    page.route("**/v1/pipelines/jobs", lose_first)
    page.get_by_role("button", name="Preview", exact=True).click()
    until(page, "document.querySelector('.pipeline-preview video')?.readyState >= 2")
    assert len(requests) == 2
    assert requests[0] == requests[1]
