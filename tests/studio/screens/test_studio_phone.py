"""The studio on a phone: tools in a sheet, no sideways scrolling.

The viewer stays in view.
"""

import json
from collections.abc import Callable
from typing import Any

import pytest

from shared.sample_ids import SAMPLE_ID, SAMPLE_MATTE_ID, SAMPLE_PLATE_ID
from tests.studio.acting import PATIENCE_S, TOOL, Hand, fits_the_width, middle_of, until, violations_of
from tests.studio.conftest import SIZES, Restartable

pytestmark = [pytest.mark.studio, pytest.mark.timeout(900)]
Opener = Callable[..., Any]
RAISED = "document.querySelector('.sheet-grip')?.getAttribute('aria-expanded') === 'true'"
LOWERED = "document.querySelector('.sheet-grip')?.getAttribute('aria-expanded') === 'false'"
SHEET_HAS_FOCUS = "document.activeElement.className === 'sheet-grip'"
FOCUSABLE = """(element) => { element.focus(); return document.activeElement === element; }"""


def box_of(target: Any) -> dict[str, float]:
    """Return an element's bounding box, with top, bottom, left and right."""
    box = target.bounding_box()
    assert box is not None
    return box | {"left": box["x"], "right": box["x"] + box["width"], "top": box["y"], "bottom": box["y"] + box["height"]}


def picture_is_above_the_sheet(page: Any) -> bool:
    """Return whether the whole picture is in view, between the header and the sheet."""
    header, picture, sheet = (box_of(page.locator(place).first) for place in (".top", ".stage", ".sheet"))
    return header["bottom"] <= picture["top"] < picture["bottom"] <= sheet["top"] + 1


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", ["phone", "tablet"])
def test_tools_lie_over_the_lower_part_below_the_picture(open_page: Opener, size: str, scheme: str) -> None:
    page = open_page(f"#/clip/{SAMPLE_ID}", size=size, scheme=scheme)
    page.locator(".chips .chip").first.wait_for()
    for hash_ in ("", f"/{TOOL}", "/effects.motion-trails"):
        page.goto(f"{page.url.split('#')[0]}#/clip/{SAMPLE_ID}{hash_}")
        page.get_by_role("button", name="Make it" if hash_ else "Looks and tools").wait_for()
        until(page, RAISED)
        assert picture_is_above_the_sheet(page)
        assert box_of(page.locator(".sheet"))["bottom"] == pytest.approx(SIZES[size][1], abs=1)
        assert fits_the_width(page)
        before = box_of(page.locator(".stage"))
        page.locator(".sheet > .panel").evaluate("(panel) => panel.scrollTo(0, panel.scrollHeight)")
        page.evaluate("scrollTo(0, document.documentElement.scrollHeight)")
        assert box_of(page.locator(".stage")) == before, "it does not scroll away"
        assert violations_of(page) == []


def test_the_sheet_is_raised_and_lowered(open_page: Opener) -> None:
    page = open_page(f"#/clip/{SAMPLE_ID}/{TOOL}", size="phone")
    hand = Hand(page, "touch")
    field = page.locator("details").first.locator("summary")
    grip = page.locator(".sheet-grip")
    field.focus()
    page.keyboard.press("Escape")
    until(page, f"{LOWERED} && {SHEET_HAS_FOCUS}")
    assert not field.evaluate(FOCUSABLE), "what is hidden takes no focus"
    assert box_of(page.locator(".sheet"))["height"] < 200
    assert page.get_by_role("button", name="Make it").is_visible()
    page.get_by_role("button", name="Play", exact=True).tap()
    page.get_by_role("button", name="Pause", exact=True).tap()
    grip.tap()
    until(page, RAISED)
    page.go_back()
    until(page, LOWERED)
    assert page.url.endswith(TOOL), "Back lowers the sheet before it leaves the tool"
    x, y = middle_of(grip)
    hand.drag((x, y), (x, y - 300))
    until(page, RAISED)
    x, y = middle_of(grip)
    hand.drag((x, y), (x, y + 300))
    until(page, LOWERED)
    assert page.locator(".sheet").get_attribute("style") in (None, ""), "no height of the drag stays"
    page.reload()
    until(page, LOWERED)
    assert violations_of(page) == []


def test_an_editor_below_the_picture_is_not_reached_under_the_sheet(open_page: Opener) -> None:
    page = open_page(f"#/clip/{SAMPLE_ID}/speed-ramp.render", size="phone")
    preset = page.get_by_label("Curve", exact=True)
    preset.wait_for()
    until(page, LOWERED)  # the curve comes first
    assert box_of(page.locator(".bench"))["bottom"] <= box_of(page.locator(".sheet"))["top"] + 1
    assert preset.evaluate(FOCUSABLE)
    assert violations_of(page) == []
    page.locator(".sheet-grip").tap()
    until(page, RAISED)
    assert not preset.evaluate(FOCUSABLE)
    assert picture_is_above_the_sheet(page)
    assert violations_of(page) == []
    page.get_by_role("link", name="All tools").first.tap()
    page.get_by_role("button", name="Looks and tools").wait_for()
    until(page, f"{RAISED} && document.querySelectorAll('.clip .transport[inert]').length === 0")


def test_a_sheet_becomes_a_column_on_a_wide_screen(open_page: Opener) -> None:
    page = open_page(f"#/clip/{SAMPLE_ID}/speed-ramp.render", size="phone")
    until(page, LOWERED)
    page.set_viewport_size({"width": 1440, "height": 900})
    assert not page.locator(".sheet-grip").is_visible()
    page.locator("details").first.locator("summary").wait_for()
    assert box_of(page.locator(".sheet"))["left"] > box_of(page.locator(".stage"))["right"]
    page.set_viewport_size({"width": 844, "height": 390})  # a phone on its side
    assert not page.locator(".sheet-grip").is_visible()
    assert box_of(page.locator(".sheet"))["left"] >= box_of(page.locator(".stage"))["right"]
    assert fits_the_width(page)


def test_the_picture_stays_while_shots_scroll(open_page: Opener, studio: Restartable) -> None:
    job = studio.suite.wait(studio.suite.start("keyframes.detect", {"video": SAMPLE_ID})["id"], timeout_s=PATIENCE_S)
    page = open_page(f"#/job/{job['id']}", size="phone")
    until(page, "document.querySelector('.fit canvas')?.dataset.frame !== undefined")
    page.get_by_role("button", name="Play", exact=True).wait_for()
    for frame in range(16):  # as many keyframes as make a long list
        page.keyboard.press("Home")
        for _ in range(frame % 4):
            page.keyboard.press("ArrowRight")
        for _ in range(frame // 4):
            page.keyboard.press("Shift+ArrowRight")
        pick = page.get_by_role("button", name="Pick this frame")
        if pick.count():
            pick.tap()
    before = box_of(page.locator(".stage"))
    last = page.locator(".tile").last
    last.scroll_into_view_if_needed()
    assert page.evaluate("scrollY") > 200
    picture, bar, tile = box_of(page.locator(".stage")), box_of(page.locator(".picker-view .bench-bar")), box_of(last)
    assert box_of(page.locator(".top"))["bottom"] <= picture["top"] <= before["top"]
    assert picture["bottom"] <= bar["top"] < bar["bottom"] <= tile["top"] + 1
    assert tile["bottom"] <= SIZES["phone"][1]
    last.tap()
    until(page, "document.querySelector('.tile[aria-pressed=true]') === [...document.querySelectorAll('.tile')].at(-1)")
    page.evaluate("scrollTo(0, document.documentElement.scrollHeight)")
    assert box_of(page.locator(".stage"))["top"] == picture["top"], "also below the shots"
    assert fits_the_width(page)
    assert violations_of(page) == []


def test_another_tool_opens_its_sheet_as_it_needs_it(open_page: Opener) -> None:
    page = open_page(f"#/clip/{SAMPLE_ID}/speed-ramp.render", size="phone")
    page.get_by_label("Curve", exact=True).wait_for()
    for tool, state in ((TOOL, RAISED), ("speed-ramp.render", LOWERED)):  # at once, as "Change" in the drawer of jobs does
        page.evaluate("(hash) => { location.hash = hash; }", f"#/clip/{SAMPLE_ID}/{tool}")
        until(page, state, 30)


UNFINISHED = {"id": "x", "status": "queued", "service": "media", "operation": TOOL, "inputs": {}, "outputs": {}, "urls": {}}
PUT_JOBS = """(job) => {
  const { store } = document.querySelector("studio-app");
  for (let number = 0; number < 12; number += 1) store.putJob({ ...job, id: `x${number}` });
}"""


def show_unfinished_jobs(page: Any) -> None:
    """Show a badge of two digits in the header."""
    page.evaluate(PUT_JOBS, UNFINISHED | {"created_at": "2026-01-01T00:00:00Z"})
    page.locator(".jobs-button .badge").wait_for()


def beyond_the_edge(page: Any) -> list[str]:
    """Return the width of a page that is too wide, and the elements beyond its right edge.

    If the page is not too wide, only elements of the header are examined.
    """
    return list(
        page.evaluate("""() => {
      const width = document.documentElement.clientWidth;
      const isCut = ({ parentElement: around }) => around && (getComputedStyle(around).overflowX !== "visible" || isCut(around));
      const isBeyond = (element) => element.checkVisibility() && element.getBoundingClientRect().right > width + 0.5 && !isCut(element);
      const isWide = document.documentElement.scrollWidth > width;
      const wide = [...document.querySelectorAll(isWide ? "body *" : ".top *")].filter(isBeyond);
      return [...(isWide ? [`${document.documentElement.scrollWidth} px`] : []), ...wide.map((element) => element.outerHTML.slice(0, 100))];
    }""")
    )


@pytest.mark.parametrize("keyed", [False, True], ids=["open", "with a key"])
@pytest.mark.parametrize("width", [390, 320])
def test_no_screen_scrolls_sideways_while_jobs_are_unfinished(open_page: Opener, studio: Restartable, width: int, keyed: bool) -> None:
    plate = {"plate": SAMPLE_PLATE_ID}
    jobs = [
        studio.suite.start(TOOL, {"video": SAMPLE_ID}),
        studio.suite.start("keyframes.detect", {"video": SAMPLE_ID}),
        studio.suite.start("aesthetics.extract-frames", {"video": SAMPLE_ID}),
        studio.suite.start("matting.matte", {"video": SAMPLE_ID} | plate, {"backend": "difference", "duration": 1}),
    ]
    for job in jobs:
        studio.suite.wait(job["id"])
    page = open_page(size="phone", refusals=("404", "503", "422"))  # the made-up jobs, missing networks and inputs
    page.set_viewport_size({"width": width, "height": 844})
    if keyed:
        page.evaluate("sessionStorage.setItem('reelwright-api-key', 'any')")  # without keys, the server ignores it
    draft = json.dumps({"params": {}, "inputs": {"alpha": SAMPLE_MATTE_ID, "background": SAMPLE_PLATE_ID}, "preset": None})
    page.evaluate("([key, draft]) => sessionStorage.setItem(key, draft)", [f"reelwright-draft {SAMPLE_ID} background.studio", draft])
    tools = {
        "speed-ramp.render": "curve-editor",
        "matting.matte": ".mask-bench",
        "background.studio": ".composite-bench input",
        "media.reel": ".rows",
    }
    screens = {
        "": ".media-card, .welcome",
        f"#/clip/{SAMPLE_ID}": ".chips .chip",
        **{f"#/clip/{SAMPLE_ID}/{tool}": place for tool, place in tools.items()},
        f"#/pipelines?clip={SAMPLE_ID}": ".step-card",
        **{f"#/job/{job['id']}": ".files" for job in jobs},
    }
    page.reload()
    wide = {}
    for address, place in screens.items():
        page.evaluate("(hash) => { location.hash = hash; }", address or "#/")
        page.locator(place).first.wait_for(state="attached")
        show_unfinished_jobs(page)
        page.evaluate("document.querySelectorAll('details').forEach((section) => (section.open = true))")
        page.wait_for_timeout(300)
        wide[address] = beyond_the_edge(page)
    page.locator(".jobs-button").tap()
    page.locator(".drawer .job").first.wait_for()
    wide["drawer"] = beyond_the_edge(page)
    assert {address: parts for address, parts in wide.items() if parts} == {}
