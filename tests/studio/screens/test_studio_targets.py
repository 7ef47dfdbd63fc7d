"""Targets of at least 44 by 44 pixels on a phone.

Every screen of the studio is measured.
"""

import json
from collections.abc import Callable
from typing import Any

import pytest

from reelwright import ROOMS
from shared.operation import Kind
from shared.sample_ids import SAMPLE_ID, SAMPLE_MATTE_ID, SAMPLE_PLATE_ID
from tests.studio.acting import PATIENCE_S, TOOL, fits_the_width, until
from tests.studio.conftest import Restartable

pytestmark = [pytest.mark.studio, pytest.mark.timeout(900)]
Opener = Callable[..., Any]
SMALL_TARGETS = """() => {
  const HALF = 21; // of 44 pixels, less the pixel under the middle
  const isHit = (element, x, y) => {
    const hit = document.elementFromPoint(x, y);
    if (!hit) return false;
    const isOtherPoint = element.matches(".point") && hit.closest(".point");
    return element.contains(hit) || isOtherPoint || [...(element.labels ?? [])].some((label) => label.contains(hit));
  };
  const CONTROLS = "a[href], button, select, summary, textarea, input, [role=slider], [role=button]";
  const isMeant = (element) =>
    element.checkVisibility({ visibilityProperty: true }) && !element.disabled && !element.closest("[inert]")
    && !element.matches(".skip, .unseen, p a, iframe, [aria-hidden=true]");
  const page = document.querySelector("dialog[open]") ?? document;
  const targetOf = (element) => (element.matches("[type=checkbox], [type=radio]") && element.closest("label")) || element;
  const isSmall = (control) => {
    const element = targetOf(control);
    element.scrollIntoView({ block: "center", inline: "center" });
    const { left, top, width, height } = element.getBoundingClientRect();
    const [x, y] = [left + width / 2, top + height / 2];
    const isWide = width >= 44 || (isHit(element, x - HALF, y) && isHit(element, x + HALF, y));
    const isHigh = height >= 44 || (isHit(element, x, y - HALF) && isHit(element, x, y + HALF));
    return !(isWide && isHigh);
  };
  const textOf = (element) => {
    const { width, height } = element.getBoundingClientRect();
    return `${Math.round(width)}x${Math.round(height)} ${element.outerHTML.slice(0, 120)}`;
  };
  return [...page.querySelectorAll(CONTROLS)].filter(isMeant).filter(isSmall).map(textOf);
}"""
"""Small controls of the page, or of its open dialog. A finger 21 CSS pixels beside, above or below their middle misses them.

Links within a text may be smaller, and points of a curve may lie close together. What a sheet covers is tested when it is lowered."""

TOOLS = [
    operation.name
    for room in ROOMS
    for operation in room.service.operations
    if any(Kind.VIDEO in port.kinds for port in operation.ports.values())
]


def small_targets(page: Any) -> list[str]:
    """Return the targets that are too small on a page.

    All sections are open, and the sheet is seen in both its states.
    """
    page.evaluate("document.querySelectorAll('details').forEach((section) => (section.open = true))")
    small = list(page.evaluate(SMALL_TARGETS))
    grip = page.locator(".sheet-grip")
    if grip.count():
        before = grip.get_attribute("aria-expanded")
        grip.tap()
        until(page, f"document.querySelector('.sheet-grip').getAttribute('aria-expanded') !== '{before}'")
        small += page.evaluate(SMALL_TARGETS)
    assert fits_the_width(page)
    return small


def go(page: Any, hash_: str) -> None:
    page.goto(page.url.split("#")[0] + hash_)


def test_on_every_tool(open_page: Opener) -> None:
    page = open_page(f"#/clip/{SAMPLE_ID}", size="phone", refusals=("503", "422", "ERR_"))  # missing networks and inputs; no previews
    page.route("**/jobs", lambda route: route.abort())  # those of all tools would keep the suite busy for minutes
    page.locator(".chips .chip").first.wait_for()
    small = {"": small_targets(page)}
    for tool in TOOLS:
        go(page, f"#/clip/{SAMPLE_ID}/{tool}")
        page.locator("tool-panel .tabs").wait_for(state="attached")
        until(page, f"location.hash.endsWith({tool!r}) && document.querySelector('tool-panel').operation.name === {tool!r}")
        small[tool] = small_targets(page)
    assert {tool: targets for tool, targets in small.items() if targets} == {}


@pytest.mark.parametrize("mode", ["Brush", "Add"])
def test_on_a_mask(open_page: Opener, mode: str) -> None:
    page = open_page(f"#/clip/{SAMPLE_ID}/matting.matte", size="phone", refusals=("503",))
    page.get_by_role("button", name=mode, exact=True).tap()
    page.locator(".mask-overlay").wait_for()
    page.locator(".mask-overlay").tap()
    until(page, "[...document.querySelectorAll('.mask-bench button.primary')].some(({ disabled }) => !disabled)")
    assert small_targets(page) == []


def test_on_a_ramp_with_a_curve_of_its_own(open_page: Opener) -> None:
    page = open_page(f"#/clip/{SAMPLE_ID}/speed-ramp.render", size="phone")
    page.get_by_label("Curve", exact=True).select_option("hero")
    page.locator(".point").nth(3).wait_for()
    assert small_targets(page) == []


def test_on_a_composite(open_page: Opener) -> None:
    page = open_page("#/", size="phone", refusals=("503",))
    draft = json.dumps({"params": {}, "inputs": {"alpha": SAMPLE_MATTE_ID, "background": SAMPLE_PLATE_ID}, "preset": None})
    page.evaluate("([key, draft]) => sessionStorage.setItem(key, draft)", [f"reelwright-draft {SAMPLE_ID} background.studio", draft])
    go(page, f"#/clip/{SAMPLE_ID}/background.studio")
    page.get_by_label("Camera", exact=True).wait_for(state="attached")
    assert small_targets(page) == []


def test_in_the_library_the_drawer_and_dialogs(open_page: Opener, studio: Restartable) -> None:
    studio.suite.wait(studio.suite.start(TOOL, {"video": SAMPLE_ID})["id"], timeout_s=PATIENCE_S)
    page = open_page("#/", size="phone", refusals=("401",))
    page.locator(".media-card").first.wait_for()
    small = {"library": small_targets(page)}
    page.get_by_role("button", name="Rename", exact=False).first.tap()
    page.get_by_label("New name").wait_for()
    small["name of a clip"] = small_targets(page)
    page.keyboard.press("Escape")
    page.get_by_role("button", name="From a link").tap()
    small["link"] = small_targets(page)
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Jobs", exact=False).first.tap()
    page.get_by_role("button", name="Log").first.tap()
    page.get_by_label("Log").first.wait_for()
    small["drawer"] = small_targets(page)
    page.route(
        "**/v1/operations",
        lambda route: route.fulfill(status=401, json={"title": "Key needed", "detail": "A key is needed.", "status": 401}),
    )
    page.reload()
    page.get_by_label("Key", exact=True).wait_for()
    small["key"] = small_targets(page)
    assert {place: targets for place, targets in small.items() if targets} == {}


@pytest.mark.parametrize("operation", ["media.transcode", "keyframes.detect", "aesthetics.best-frames", "speed-ramp.analyze"])
def test_on_a_result(open_page: Opener, studio: Restartable, operation: str) -> None:
    params = {"scorer": "technical"} if operation == "aesthetics.best-frames" else {}
    job = studio.suite.wait(studio.suite.start(operation, {"video": SAMPLE_ID}, params)["id"], timeout_s=PATIENCE_S)
    page = open_page(f"#/job/{job['id']}", size="phone")
    page.locator("details").first.wait_for()
    if operation != "speed-ramp.analyze":
        page.locator(".files").wait_for()
    small = {"result": small_targets(page)}
    if operation == "media.transcode":
        for mode in ("Side by side", "Difference", "Wipe"):
            page.get_by_role("button", name=mode).tap()
            small[mode] = small_targets(page)
    if operation == "aesthetics.best-frames":
        page.locator(".picture-tile").first.tap()
        page.get_by_role("dialog").wait_for()
        small["picture"] = small_targets(page)
    assert {place: targets for place, targets in small.items() if targets} == {}


def test_on_a_matte(open_page: Opener, studio: Restartable) -> None:
    inputs = {"video": SAMPLE_ID, "plate": SAMPLE_PLATE_ID}
    job = studio.suite.wait(
        studio.suite.start("matting.matte", inputs, {"backend": "difference", "duration": 1})["id"], timeout_s=PATIENCE_S
    )
    page = open_page(f"#/job/{job['id']}", size="phone")
    page.get_by_role("button", name="Cut-out").wait_for()
    small = {}
    for mode in ("Cut-out", "Colour", "Matte", "Overlay"):
        page.get_by_role("button", name=mode, exact=True).tap()
        small[mode] = small_targets(page)
    assert {mode: targets for mode, targets in small.items() if targets} == {}


@pytest.mark.usefixtures("studio")
def test_on_pipelines(open_page: Opener) -> None:
    page = open_page(f"#/pipelines?clip={SAMPLE_ID}", size="phone", refusals=("422",))
    page.get_by_text("All steps are valid.").wait_for()
    page.get_by_label("Add a step").select_option("effects.motion-trails")
    page.get_by_role("article", name="Step 2", exact=False).wait_for()
    small = {"pipelines": small_targets(page)}
    page.get_by_role("button", name="Save").tap()
    small["name"] = small_targets(page)
    assert {place: targets for place, targets in small.items() if targets} == {}
