"""The studio's speed ramp: the curve, and the frames it plays."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from shared.sample_ids import SAMPLE_ID
from tests.studio.acting import PATIENCE_S, HeldRequests, until, violations_of
from tests.studio.conftest import Restartable
from tests.studio.viewing.numbered_clips import NUMBER_OF, numbered_clip, numbers_in

pytestmark = [pytest.mark.studio, pytest.mark.timeout(900)]
Opener = Callable[..., Any]
RAMP = "speed-ramp.render"
PLANS = "**/speed-ramp/plan/jobs"
CURVE = [
    {"t": 0, "speed": 16},
    {"t": 1, "speed": 4, "easing": "smooth"},
    {"t": 2, "speed": 0.25, "easing": "smooth"},
    {"t": 3, "speed": 0.5, "freeze": 0.3},
    {"t": 3.5, "speed": 2},
]
READ_COMPARED = f"""() => {{
  const numberOf = {NUMBER_OF};
  const canvas = document.querySelector(".fit canvas");
  const {{ width }} = canvas;
  const [left, right] = [numberOf(canvas, 0, width / 2), numberOf(canvas, width / 2, width / 2)];
  return {{ all: numberOf(canvas, 0, width), left, right }};
}}"""
READ_NUMBERS = f"""() => {{
  window.shown = {{}};
  const draw = CanvasRenderingContext2D.prototype.drawImage;
  CanvasRenderingContext2D.prototype.drawImage = function (...given) {{
    draw.apply(this, given);
    if (this.canvas.className === "ramp-canvas") window.shown[this.canvas.dataset.frame] = ({NUMBER_OF})(this.canvas, 0, this.canvas.width);
  }};
}}"""


def test_a_ramp_is_edited_played_and_undone(open_page: Opener) -> None:
    page = open_page(f"#/clip/{SAMPLE_ID}/speed-ramp.render")
    page.get_by_label("Curve", exact=True).select_option("hero")
    page.locator(".point").nth(5).wait_for()
    figures = page.locator(".bench-figures").inner_text()
    page.locator(".point").nth(2).focus()
    page.keyboard.press("ArrowUp")
    assert page.locator(".bench-figures").inner_text() != figures
    page.get_by_role("button", name="Undo").click()
    assert page.locator(".bench-figures").inner_text() == figures
    page.get_by_role("button", name="Play the ramp").click()
    page.locator("canvas.ramp-canvas").wait_for()
    page.get_by_text("on time", exact=False).wait_for()
    page.reload()
    page.locator(".point").nth(5).wait_for()  # what was entered survives a reload
    assert violations_of(page) == []


def test_undo_returns_to_the_measured_curve(open_page: Opener) -> None:
    page = open_page(f"#/clip/{SAMPLE_ID}/{RAMP}")
    curve = page.get_by_label("Curve", exact=True)
    undo, redo = page.get_by_role("button", name="Undo"), page.get_by_role("button", name="Redo")
    page.locator(".point").nth(1).wait_for()
    page.locator(".point").nth(0).focus()
    page.keyboard.press("PageDown")
    until(page, "document.querySelector('#curve-preset').value === 'own'")
    curve.select_option("motion")
    until(page, "document.querySelector('#curve-preset').value === 'motion'")
    for button, value in ((undo, "own"), (undo, "motion"), (redo, "own"), (redo, "motion")):
        button.click()
        until(page, f"document.querySelector('#curve-preset').value === '{value}'")
        assert ("curve" in page.evaluate("document.querySelector('tool-panel').params")) == (value == "own")


def test_the_keys_of_a_point_work_with_caps_lock(open_page: Opener) -> None:
    page = open_page(f"#/clip/{SAMPLE_ID}/{RAMP}")
    page.get_by_label("Curve", exact=True).select_option("in")
    page.locator(".point").nth(2).wait_for()
    page.locator(".point").nth(0).focus()
    page.keyboard.press("E")
    until(page, "document.querySelector('.point-bar [aria-pressed=true]').textContent === 'Hold'")
    page.keyboard.press("N")
    page.locator(".point").nth(3).wait_for()


def test_numbers_of_a_point_stay_within_their_limits(open_page: Opener) -> None:
    page = open_page(f"#/clip/{SAMPLE_ID}/{RAMP}")
    page.get_by_label("Curve", exact=True).select_option("in")
    page.locator(".point").nth(2).wait_for()
    bar = page.locator(".point-bar")
    entries = (("Speed", "99", "16"), ("Speed", "98", "16"), ("Speed", "", "16"), ("Freeze", "99999", "3600"), ("Freeze", "-1", "0"))
    for name, entered, taken in entries:
        field = bar.get_by_role("spinbutton", name=name)
        field.fill(entered)
        page.keyboard.press("Enter")
        field.blur()
        assert field.input_value() == taken
    until(page, "document.querySelector('tool-panel').params.curve[0].speed === 16")
    assert "freeze" not in page.evaluate("document.querySelector('tool-panel').params.curve[0]")


def test_the_result_has_one_length(open_page: Opener) -> None:
    page = open_page("#/")
    show_ramp(page, SAMPLE_ID, {"curve": [{"t": 0, "speed": 1}, {"t": 5, "speed": 2}], "target_duration": 8, "start": 1, "duration": 3})
    length, figures = page.get_by_label("Length of the result in seconds"), page.locator(".bench-figures")
    until(page, "document.querySelector('curve-bench').isPlanned")
    page.locator(".bench-figures", has_text="→ 8.00 s").wait_for()
    assert length.input_value() == "8.0"
    length.fill("4")
    length.blur()
    page.locator(".bench-figures", has_text="→ 4.00 s").wait_for()
    assert "target_duration" not in page.evaluate("document.querySelector('tool-panel').params")
    until(page, "document.querySelector('curve-bench').isPlanned")
    assert "→ 4.00 s" in figures.inner_text()
    for entered, said, reached in (("500", "At most 30.0 s at 0.1×.", "30.0"), ("0.01", "At least 0.19 s at 16×.", "0.2")):
        length.fill(entered)
        length.blur()
        page.get_by_role("alert").filter(has_text=said).wait_for()
        assert length.input_value() == reached
    length.fill("5")
    length.blur()
    page.get_by_role("alert").wait_for(state="detached")


def test_a_ramp_is_frozen_and_made_to_last_a_given_time(open_page: Opener) -> None:
    page = open_page(f"#/clip/{SAMPLE_ID}/speed-ramp.render")
    page.get_by_label("Curve", exact=True).select_option("montage")
    page.get_by_label("Length of the result in seconds").fill("12")
    page.keyboard.press("Tab")
    page.locator(".bench-figures", has_text="→ 12.0 s").wait_for()
    page.locator(".point").nth(1).focus()
    page.keyboard.press("Enter")
    page.get_by_label("Freeze", exact=False).fill("1.5")
    page.keyboard.press("Tab")
    page.locator(".bench-figures", has_text="→ 13.5 s").wait_for()
    page.get_by_role("tab", name="curl", exact=True).click()
    page.locator(".code-block pre", has_text='"freeze":1.5').wait_for()


@pytest.fixture
def ramped(studio: Restartable, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, dict[str, Any]]:
    """Upload and ramp the numbered clip; return its id and the job.

    The server remembers both.
    """
    clip = studio.suite.upload(numbered_clip(tmp_path_factory.mktemp("numbered") / "numbers.mp4"))["id"]
    params = {"curve": CURVE, "interpolation": "nearest"}
    return clip, studio.suite.wait(studio.suite.start(RAMP, {"video": clip}, params, cache=True)["id"], timeout_s=PATIENCE_S)


SETTINGS: dict[str, dict[str, Any]] = {
    "curve": {"curve": CURVE},
    "measured": {"min_speed": 0.3, "max_speed": 5, "smoothing": 0.2, "mode": "speed_action"},
    "length and rate": {"curve": CURVE, "target_duration": 3, "frame_rate": "24"},
    "measured, of a length": {"min_speed": 0.5, "max_speed": 3, "target_duration": 3, "segment_duration": 1},
    "part": {"curve": CURVE, "start": 0.5, "duration": 2.2, "max_acceleration": 4},
    "listed speeds": {"speeds": [0.5, 4, 1, 2], "segment_duration": 0.8, "smoothing": 1},
    "repeats": {"curve": [{"t": 0, "speed": 0.5}, {"t": 4, "speed": 1.5}], "duplicates": "drop"},
}
"""Settings of a ramp that change which frame is shown when."""


@pytest.mark.parametrize("name", [pytest.param(name, marks=[pytest.mark.brief] if name == "curve" else []) for name in SETTINGS])
def test_the_played_frames_are_those_of_the_render(open_page: Opener, studio: Restartable, tmp_path: Path, name: str) -> None:
    params = SETTINGS[name]
    clip = studio.suite.upload(numbered_clip(tmp_path / f"{name}.mp4", moving=True, copies=2 if name == "repeats" else 1))["id"]
    job = studio.suite.wait(studio.suite.start(RAMP, {"video": clip}, params)["id"], timeout_s=PATIENCE_S)
    rendered = tmp_path / "rendered.mp4"
    rendered.write_bytes(studio.suite.client.get(job["outputs"]["video"]["urls"]["content"]).content)
    written = numbers_in(rendered)
    assert len({point["speed"] for point in job["result"]["curve"]}) > 1
    assert (job["result"]["repeated_frames"] > 20) == (name == "repeats")
    page = opened_with(open_page, clip, params)
    until(page, "document.querySelector('curve-bench').isPlanned")  # settings that only the server can apply
    page.get_by_role("button", name="Play the ramp").click()
    page.get_by_text("on time", exact=False).wait_for()
    shown = {int(frame): number for frame, number in page.evaluate("window.shown").items()}
    assert len(shown) > 20
    assert max(shown) < len(written)
    assert {frame: (number, written[frame]) for frame, number in shown.items() if written[frame] != number} == {}


def opened_with(open_page: Opener, clip: str, params: dict[str, Any]) -> Any:
    """Open the ramp tool with settings, and note the frames it plays.

    The page notes the frames' numbers.
    """
    page = open_page("#/", refusals=("Canvas2D",))  # the test reads the canvas
    show_ramp(page, clip, params)
    return page


def show_ramp(page: Any, clip: str, params: dict[str, Any]) -> None:
    """Open the ramp tool with settings on a page, which notes the numbers of the played frames."""
    draft = json.dumps({"params": params, "inputs": {}, "preset": None})
    page.evaluate("([key, draft]) => sessionStorage.setItem(key, draft)", [f"reelwright-draft {clip} {RAMP}", draft])
    page.evaluate(READ_NUMBERS)
    page.evaluate("(hash) => { location.hash = hash; }", f"#/clip/{clip}/{RAMP}")
    page.locator(".point").nth(1).wait_for()


def test_a_given_curve_plays_although_the_server_is_busy(
    open_page: Opener, studio: Restartable, ramped: tuple[str, dict[str, Any]], tmp_path: Path
) -> None:
    clip, job = ramped
    rendered = tmp_path / "rendered.mp4"
    rendered.write_bytes(studio.suite.client.get(job["outputs"]["video"]["urls"]["content"]).content)
    written = numbers_in(rendered)
    page = open_page("#/", refusals=("Canvas2D",))
    held = HeldRequests(page, PLANS)
    show_ramp(page, clip, {"curve": CURVE})
    page.get_by_role("button", name="Play the ramp").click()
    page.get_by_text("on time", exact=False).wait_for()
    shown = {int(frame): number for frame, number in page.evaluate("window.shown").items()}
    assert len(shown) > 20
    assert {frame: (number, written[frame]) for frame, number in shown.items() if written[frame] != number} == {}
    assert held.routes, "the plan was asked for, and did not come"
    held.release()


def test_settings_that_only_the_server_can_apply_follow_its_plan(open_page: Opener, ramped: tuple[str, dict[str, Any]]) -> None:
    page = open_page("#/", refusals=("Canvas2D",))
    held = HeldRequests(page, PLANS)
    show_ramp(page, ramped[0], {"curve": CURVE, "target_duration": 20})
    page.get_by_role("button", name="Play the ramp").click()
    note = page.get_by_text("The server has not applied all settings yet: this is your curve without them.")
    note.wait_for()
    held.release()
    note.wait_for(state="detached")
    until(page, "document.querySelector('curve-bench').isPlanned")
    page.locator(".bench-figures", has_text="→ 20.0 s").wait_for()
    page.evaluate("window.shown = {}")
    until(page, f"Object.keys(window.shown).some((frame) => frame > {30 * 12})")  # later than the curve itself lasts


def test_a_late_plan_does_not_stop_the_next_playing(open_page: Opener, ramped: tuple[str, dict[str, Any]]) -> None:
    page = open_page("#/", refusals=("Canvas2D",))
    held = HeldRequests(page, PLANS)
    show_ramp(page, ramped[0], {"curve": CURVE, "target_duration": 20})
    page.get_by_role("button", name="Play the ramp").click()
    page.get_by_text("The server has not applied all settings yet: this is your curve without them.").wait_for()
    page.get_by_role("button", name="Stop", exact=True).click()
    page.get_by_role("button", name="Play the ramp").wait_for()
    late = next(route for route in held.routes if "target_duration" in route.request.post_data)
    answer = late.fetch()
    page.evaluate("document.querySelector('tool-panel').setParam('target_duration', undefined)")
    page.evaluate("window.shown = {}")
    page.evaluate("document.querySelector('clip-viewer').seek(0)")
    page.get_by_role("button", name="Play the ramp").click()
    until(page, "Object.keys(window.shown).length > 3")
    late.fulfill(response=answer)  # the plan of the first playing
    until(page, "!document.querySelector('curve-bench').isPlaying")
    last = ramped[1]["result"]["frames"] - 1
    assert max(map(int, page.evaluate("Object.keys(window.shown)"))) > last - 30, "it was played to its end"
    held.release()


def test_the_ramp_follows_the_newest_settings(open_page: Opener, ramped: tuple[str, dict[str, Any]]) -> None:
    page = opened_with(open_page, ramped[0], {"curve": CURVE})
    for seconds in ("7", "3", "2.5"):
        page.get_by_label("Target length", exact=True).fill(seconds)
        page.keyboard.press("Tab")
    page.locator(".bench-figures", has_text="→ 2.50 s").wait_for()
    until(page, "document.querySelector('curve-bench').isPlanned")
    page.get_by_role("button", name="Play the ramp").click()
    page.get_by_text("on time", exact=False).wait_for()
    assert 60 < max(map(int, page.evaluate("Object.keys(window.shown)"))) < 75


def test_a_ramp_is_eased_and_redone(open_page: Opener, ramped: tuple[str, dict[str, Any]]) -> None:
    page = opened_with(open_page, ramped[0], {"curve": CURVE[:3]})
    figures = page.locator(".bench-figures")
    undo, redo = page.get_by_role("button", name="Undo"), page.get_by_role("button", name="Redo")
    page.locator(".point").nth(1).focus()
    seen = [figures.inner_text()]
    for label in ("Straight", "Hold", "Smooth"):
        button = page.get_by_role("group", name="Change of speed up to the next point").get_by_role("button", name=label)
        button.click()
        until(page, f"document.querySelector('.point-bar [aria-pressed=true]').textContent === '{label}'")
        seen.append(figures.inner_text())
    assert seen[3] == seen[0]
    assert len(set(seen)) == 3  # each easing takes another time
    undo.click()
    assert figures.inner_text() == seen[2]
    undo.click()
    assert figures.inner_text() == seen[1]
    redo.click()
    assert figures.inner_text() == seen[2]
    page.locator(".point").nth(1).focus()
    page.keyboard.press("ControlOrMeta+Shift+z")
    assert figures.inner_text() == seen[3]
    until(page, "document.querySelector('[aria-label=Redo]').disabled")
    page.get_by_role("tab", name="curl", exact=True).click()
    page.locator(".code-block pre", has_text='"easing":"smooth"').wait_for()


def test_a_comparison_never_shows_two_different_frames(open_page: Opener, ramped: tuple[str, dict[str, Any]]) -> None:
    page = open_page(f"#/job/{ramped[1]['id']}", refusals=("Canvas2D",))  # the test reads the canvas

    def shown(mode: str, frame: int) -> dict[str, int]:
        page.get_by_role("button", name=mode, exact=True).click()
        page.evaluate("(frame) => { const view = document.querySelector('compare-view'); view.seek((frame + 0.5) / view.rate); }", frame)
        until(page, f"document.querySelector('.fit canvas')?.dataset.frame === '{frame}'")
        page.wait_for_timeout(100)
        return dict(page.evaluate(READ_COMPARED))

    frames = (0, 1, 3, 8, 9, 20, 33, 50, 70, 71, 90, 100)
    sides = [shown("Side by side", frame) for frame in frames]
    assert [side["left"] for side in sides] == [side["right"] for side in sides]
    assert len({side["left"] for side in sides}) > 8  # the curve moves on
    assert [shown("Source", frame)["all"] for frame in frames] == [side["right"] for side in sides]
    assert [shown("Wipe", frame)["all"] for frame in frames] == [side["right"] for side in sides]  # four bits of each
    assert {shown("Difference", frame)["all"] for frame in frames} == {0}
    shown("Side by side", 50)
    page.get_by_role("button", name="Result", exact=True).click()
    flip = page.get_by_role("button", name="Flip", exact=True)
    box = flip.bounding_box()
    page.mouse.move(box["x"] + 5, box["y"] + 5)
    page.mouse.down()
    until(page, "document.querySelector('.fit canvas')?.dataset.frame === '50'")
    page.wait_for_timeout(100)
    assert page.evaluate(READ_COMPARED)["all"] == sides[frames.index(50)]["left"]
    page.mouse.up()
    until(page, "document.querySelector('.flip').ariaPressed === 'false'")
    page.get_by_role("button", name="Side by side", exact=True).click()
    page.evaluate(f"""() => {{
      const read = {READ_COMPARED};
      window.pairs = [];
      const draw = CanvasRenderingContext2D.prototype.drawImage;
      CanvasRenderingContext2D.prototype.drawImage = function (...given) {{
        draw.apply(this, given);
        if (given[1] > 0 && this.canvas.matches(".fit canvas")) window.pairs.push(read()); // the second of both
      }};
    }}""")
    page.get_by_role("button", name="Play", exact=True).click()
    until(page, "window.pairs.length > 40")
    pairs = page.evaluate("window.pairs")
    assert [pair["left"] for pair in pairs] == [pair["right"] for pair in pairs]


def test_a_ramp_goes_to_editors_and_its_result_becomes_the_next_clip(
    open_page: Opener, ramped: tuple[str, dict[str, Any]], tmp_path: Path
) -> None:
    page = open_page(f"#/job/{ramped[1]['id']}")
    page.get_by_role("link", name="Export for editors").click()
    page.get_by_role("button", name="Make it").click()
    page.locator(".state.succeeded").first.wait_for()
    with page.expect_download() as waiting:
        page.get_by_role("link", name="Download", exact=True).first.click()
    waiting.value.save_as(tmp_path / waiting.value.suggested_filename)
    assert (tmp_path / waiting.value.suggested_filename).stat().st_size > 100
    page.goto(page.url.split("#")[0] + f"#/job/{ramped[1]['id']}")
    page.get_by_role("link", name="Continue with this").click()
    page.get_by_role("link", name="Motion trails").first.click()
    page.get_by_role("button", name="Make it").wait_for()
    assert violations_of(page) == []
