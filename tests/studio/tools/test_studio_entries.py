"""Lists and tables in the studio's forms, filled without JSON.

They hold moments of a reel, or times to snap to.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from shared.sample_ids import SAMPLE_ID
from shared.video import probe_video
from tests.studio.acting import PATIENCE_S, Hand, Way, fits_the_width, until, violations_of
from tests.studio.conftest import Restartable

pytestmark = [pytest.mark.studio, pytest.mark.timeout(900)]
Opener = Callable[..., Any]
REEL, RAMP = "media.reel", "speed-ramp.render"


def button(page: Any, name: str) -> Any:
    return page.get_by_role("button", name=name, exact=True).first


def job_of(page: Any, studio: Restartable) -> dict[str, Any]:
    """Press "Make it"; return the ended job."""
    until(page, "location.hash.startsWith('#/job/')")
    return studio.suite.wait(page.evaluate("location.hash.slice(6)"), timeout_s=PATIENCE_S)


def shown_request(page: Any, hand: Hand, tab: str) -> str:
    """Return the text of a tab, and go back to the form."""
    hand.press(page.get_by_role("tab", name=tab, exact=True))
    text = page.locator(".code-block pre").inner_text()
    hand.press(page.get_by_role("tab", name="Form", exact=True))
    return str(text)


@pytest.mark.parametrize(
    ("size", "scheme", "way"), [("phone", "light", "touch"), ("tablet", "dark", "keyboard"), ("desktop", "dark", "mouse")]
)
def test_a_reel_is_made_of_moments_entered_by_hand(
    open_page: Opener, studio: Restartable, tmp_path: Path, size: str, scheme: str, way: Way
) -> None:
    page = open_page(f"#/clip/{SAMPLE_ID}/{REEL}", size=size, scheme=scheme, refusals=("422",))
    hand = Hand(page, way)
    page.get_by_text("Still missing: moments.").wait_for()
    until(page, "document.querySelector('video.clip')?.readyState >= 2")
    page.keyboard.press("Home")
    page.keyboard.press("Shift+ArrowRight")
    page.keyboard.press("Shift+ArrowRight")
    page.keyboard.press("Shift+ArrowRight")  # frame 30
    hand.press(page.get_by_role("button", name="Add at the playhead (0:01.01)"))  # half a frame after its start
    first = page.get_by_label("Time 1", exact=True)
    assert float(first.input_value()) == pytest.approx(1, abs=0.02)
    hand.fill(first, "1")
    hand.press(page.get_by_role("group", name="Moments").get_by_role("button", name="Add", exact=True))
    hand.fill(page.get_by_label("Time 2", exact=True), "-4")
    error = page.locator(".rows-list > li").nth(1).locator(".error")
    error.wait_for()
    assert error.inner_text() == "Time: must be at least 0, not -4"
    assert page.locator(".rows-list > li").first.locator(".error").count() == 0
    hand.fill(page.get_by_label("Time 2", exact=True), "4")
    error.wait_for(state="detached")
    hand.fill(page.get_by_label("Score 2", exact=True), "2.5")
    hand.fill(page.get_by_role("spinbutton", name="Seconds of each"), "1")
    hand.press(page.get_by_role("group", name="Moments").get_by_role("button", name="Add", exact=True))
    hand.press(page.get_by_role("button", name="Remove moments 3"))
    assert violations_of(page) == []
    assert fits_the_width(page)
    assert page.locator("textarea").count() == 0
    moments = [{"timestamp_s": 1}, {"timestamp_s": 4, "score": 2.5}]
    moments_text = json.dumps(moments, separators=(",", ":"))
    curl = shown_request(page, hand, "curl")
    assert f'"moments":{moments_text}' in curl
    assert '"around":1' in curl
    assert f"moments={json.dumps(moments)}" in shown_request(page, hand, "Python")
    assert f"--moments '{moments_text}'" in shown_request(page, hand, "CLI")
    page.reload()
    assert page.get_by_label("Time 2", exact=True).input_value() == "4"  # what was entered stays
    hand.press(page.get_by_role("button", name="Make it"))
    job = job_of(page, studio)
    assert [(part["start_s"], part["end_s"]) for part in job["result"]["parts"]] == [(0.5, 1.5), (3.5, 4.5)]
    result = hand.download(page.get_by_role("link", name="Download", exact=True).first, tmp_path)
    assert probe_video(result).duration_s == pytest.approx(2, abs=0.05)


def test_chosen_frames_of_another_tool_become_moments(open_page: Opener, studio: Restartable) -> None:
    params = {"scorer": "technical", "sample_rate": 2}
    stills = studio.suite.wait(studio.suite.start("aesthetics.best-frames", {"video": SAMPLE_ID}, params)["id"], timeout_s=PATIENCE_S)
    page = open_page(f"#/clip/{SAMPLE_ID}/{REEL}")
    menu = page.get_by_label("Take over moments")
    menu.wait_for()
    menu.select_option(index=1)
    page.get_by_label("Time 1", exact=True).wait_for()
    times = [
        float(value)
        for value in page.locator(".rows-list li label:first-child input").evaluate_all("(all) => all.map(({ value }) => value)")
    ]
    assert times == [item["timestamp_s"] for item in stills["result"]["items"]][: len(times)]
    until(page, "[...document.querySelectorAll('button')].some((b) => b.textContent.trim().startsWith('Make it') && !b.disabled)")


def test_a_curve_snaps_to_times_entered_by_hand(open_page: Opener, studio: Restartable) -> None:
    page = open_page(f"#/clip/{SAMPLE_ID}/{RAMP}", size="phone", scheme="dark")
    hand = Hand(page, "touch")
    hand.choose(page.get_by_label("Curve", exact=True), "Hero")
    hand.press(page.locator("summary", has_text="More").first)
    hand.press(button(page, "Beats of the sound"))
    assert '"snap_to":"beats"' in shown_request(page, hand, "curl")
    hand.press(page.locator("summary", has_text="More").first)
    hand.press(button(page, "Beats of the sound"))
    times = page.get_by_role("group", name="Snap to")
    hand.press(times.get_by_role("button", name="Add", exact=True))
    first = times.get_by_label("Time 1", exact=True)
    first.focus()
    page.evaluate("""() => {
      const data = new DataTransfer();
      data.setData("text", "2.5, 3.5\\n4");
      document.activeElement.dispatchEvent(new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true }));
    }""")
    times.get_by_label("Time 3", exact=True).wait_for()
    assert "--snap-to '[2.5,3.5,4]'" in shown_request(page, hand, "CLI")
    assert violations_of(page) == []
    assert fits_the_width(page)
    hand.press(page.get_by_role("button", name="Make it"))
    job = job_of(page, studio)
    assert {point["t"] for point in job["result"]["curve"][1:-1]} <= {2.5, 3.5, 4.0}


def test_a_redraw_keeps_what_is_being_typed(open_page: Opener) -> None:
    page = open_page(f"#/clip/{SAMPLE_ID}/matting.mask", refusals=("503",))
    field = page.get_by_label("Time", exact=True)
    field.click()
    page.keyboard.type("1.2")
    page.evaluate("document.querySelector('clip-viewer').seek(2)")  # as playback does, the fields are drawn with another position
    page.get_by_role("button", name="Use the playhead position (0:02.00)").wait_for()
    page.keyboard.type("5")
    page.keyboard.press("Tab")
    page.get_by_role("tab", name="curl", exact=True).click()
    until(page, "document.querySelector('.code-block pre')?.innerText.includes('1.25')")
