"""The studio in a browser: from a file to a downloaded result, by mouse, touch and keyboard, at three sizes, in both schemes."""

import json
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from shared.http.service import SAMPLE_ID, SAMPLE_MATTE_ID, SAMPLE_PLATE_ID
from shared.video import probe_video
from tests.studio.conftest import Restartable

pytestmark = [pytest.mark.studio, pytest.mark.timeout(600)]
Opener = Callable[..., Any]
TOOL = "media.transcode"  # the lightest operation that makes a video


def has_no_violations(page: Any) -> list[str]:
    """Return the faults that axe finds on the page."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    violations = axe.run(page).response["violations"]
    return [f"{violation['id']}: {node['html'][:200]}" for violation in violations for node in violation["nodes"]]


def until(page: Any, expression: str, seconds: float = 150) -> None:
    """Wait for an expression to hold. Playwright's own wait needs `eval`, which the page's policy forbids."""
    deadline = time.monotonic() + seconds
    while not page.evaluate(expression):
        assert time.monotonic() < deadline, expression
        page.wait_for_timeout(100)


def take_download(page: Any, folder: Path) -> Path:
    """Press Download; return the saved file."""
    with page.expect_download() as waiting:
        page.get_by_role("link", name="Download", exact=True).first.click()
    path = folder / waiting.value.suggested_filename
    waiting.value.save_as(path)
    return path


def test_an_empty_library_shows_results_of_the_sample_clip(open_page: Opener, studio: Restartable) -> None:
    for record in studio.suite.client.get("/v1/media").json()["items"]:
        if not record["id"].startswith("0" * 24):
            studio.suite.client.delete(record["urls"]["self"])
    page = open_page(size="phone")
    result = page.locator('.welcome-examples a[href^="#/job/"]').first
    result.wait_for()
    assert has_no_violations(page) == []
    result.tap()
    page.get_by_role("link", name="Download", exact=True).first.wait_for()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", ["phone", "tablet", "desktop"])
def test_a_clip_becomes_a_downloaded_result(open_page: Opener, clip: Path, tmp_path: Path, size: str, scheme: str) -> None:
    own = tmp_path / f"clip on {size} <b>&.mp4"
    own.write_bytes(clip.read_bytes() + f"{size} {scheme}".encode())  # not the same bytes as the others, which would be recognised
    page = open_page(size=size, scheme=scheme)
    press = (lambda locator: locator.tap()) if size != "desktop" else (lambda locator: locator.click())
    page.locator("#file").set_input_files(own)
    page.get_by_role("heading", name=f"clip on {size} <b>&.mp4").wait_for()
    assert has_no_violations(page) == []
    press(page.locator(f'a[href*="{TOOL}"]').first)
    press(page.get_by_role("button", name="Make it"))
    page.locator(".state.succeeded").first.wait_for()
    page.reload()
    result = take_download(page, tmp_path)
    assert probe_video(result).duration_s == pytest.approx(6, abs=0.1)
    assert has_no_violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_by_keyboard_alone(open_page: Opener, studio: Restartable, tmp_path: Path) -> None:
    page = open_page(f"#/clip/{SAMPLE_ID}/{TOOL}")
    page.get_by_role("button", name="Make it").wait_for()
    for _ in range(80):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.textContent.trim().startsWith('Make it')"):
            break
    page.keyboard.press("Enter")
    page.get_by_role("link", name="Continue with this").wait_for()
    page.get_by_role("link", name="Download", exact=True).first.focus()
    with page.expect_download():
        page.keyboard.press("Enter")


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


def test_an_upload_survives_a_restart_of_the_server(open_page: Opener, studio: Restartable, clip: Path, tmp_path: Path) -> None:
    own = tmp_path / "long.mp4"
    own.write_bytes(clip.read_bytes() + b"\0" * 40_000_000)  # bytes after the last box do not matter
    page = open_page(refusals=("ERR_", "Failed to load", "503", "502"))
    page.locator("#file").set_input_files(own)
    page.get_by_text("of 40", exact=False).first.wait_for()
    studio.stop()
    page.get_by_text("The server does not answer", exact=False).wait_for()
    studio.start()
    page.get_by_role("heading", name="long.mp4").wait_for()


def test_a_job_survives_a_restart_of_the_server(open_page: Opener, studio: Restartable) -> None:
    page = open_page(f"#/clip/{SAMPLE_ID}/{TOOL}", refusals=("ERR_", "Failed to load", "503", "502"))
    page.get_by_label("Quality", exact=True).first.wait_for(state="attached")
    page.evaluate("for (const section of document.querySelectorAll('details')) section.open = true")
    page.get_by_label("Quality", exact=True).first.fill("37")  # a result that no other test made
    page.get_by_role("button", name="Make it").click()
    page.wait_for_url("**/#/job/*")
    studio.stop()
    page.get_by_text("The server does not answer", exact=False).wait_for()
    studio.start()
    page.locator(".state.succeeded").first.wait_for()
    page.get_by_role("link", name="Continue with this").wait_for()


def test_refusals_are_shown_where_they_belong(open_page: Opener, tmp_path: Path) -> None:
    page = open_page(refusals=("415", "422"))
    bad = tmp_path / "notes.mp4"
    bad.write_text("not a video")
    page.locator("#file").set_input_files(bad)
    alert = page.locator(".upload [role=alert]")
    alert.wait_for()
    assert "video" in alert.inner_text()
    page.get_by_role("button", name="Remove notes.mp4").click()
    page.goto(page.url.split("#")[0] + f"#/clip/{SAMPLE_ID}/{TOOL}")
    page.get_by_role("button", name="Make it").wait_for()
    page.evaluate("for (const section of document.querySelectorAll('details')) section.open = true")
    quality = page.get_by_label("Quality", exact=True).first
    quality.fill("101")
    quality.press("Tab")
    page.locator(".wrong .error").wait_for()
    assert "101" in page.locator(".wrong .error").inner_text()


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
    assert has_no_violations(page) == []


def test_source_and_result_are_compared_on_the_same_frame(open_page: Opener, studio: Restartable) -> None:
    job = studio.suite.wait(studio.suite.start(TOOL, {"video": SAMPLE_ID})["id"], timeout_s=300)
    page = open_page(f"#/job/{job['id']}")
    page.get_by_role("button", name="Difference").click()
    until(page, "document.querySelector('.fit canvas')?.width > 0 && !document.querySelector('.fit canvas').hidden")
    page.locator(".scrub").fill("3")
    until(page, "document.querySelector('.fit canvas').dataset.frame === '90'")
    brightest = page.evaluate("""() => {
      const canvas = document.querySelector(".fit canvas");
      const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
      let sum = 0;
      for (let at = 0; at < data.length; at += 4) sum += data[at] + data[at + 1] + data[at + 2];
      return sum / (data.length / 4) / 3;
    }""")
    assert brightest < 4 * 4  # shown four times as strong; the same moment: nothing is left but what compression changed


def test_a_newcomer_needs_three_taps_on_a_phone(open_page: Opener, clip: Path, tmp_path: Path) -> None:
    own = tmp_path / "first.mp4"
    own.write_bytes(clip.read_bytes() + b"newcomer")
    page = open_page(size="phone")
    page.locator("#file").set_input_files(own)  # the first tap: Choose a clip
    card = page.get_by_role("link", name="Motion trails").first
    card.locator("video, .preset-picture > img").wait_for()  # its preview of this clip
    card.tap()
    make = page.get_by_role("button", name="Make it")
    make.wait_for()
    box = make.bounding_box()
    assert box is not None
    assert box["y"] + box["height"] <= 844, "it is on the screen without scrolling"
    make.tap()
    page.locator(".state.succeeded").first.wait_for()


def test_a_mask_is_clicked_painted_and_used(open_page: Opener) -> None:
    page = open_page(f"#/clip/{SAMPLE_ID}/matting.matte", refusals=("Canvas2D",))  # the test itself reads the overlay
    page.get_by_role("button", name="Box", exact=True).click()
    overlay = page.locator(".mask-overlay")
    overlay.wait_for()
    left, top, width, height = (overlay.bounding_box() or {}).values()
    page.mouse.move(left + 0.3 * width, top + 0.2 * height)
    page.mouse.down()
    page.mouse.move(left + 0.7 * width, top + 0.9 * height, steps=5)
    page.mouse.up()
    page.locator(".mask-bench .spinner").wait_for()
    page.locator(".mask-bench .spinner").wait_for(state="detached")
    covered = """(() => {
      const canvas = document.querySelector(".mask-overlay");
      const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
      return data.filter((level, at) => at % 4 === 3 && level > 100).length;
    })()"""
    found = page.evaluate(covered)
    page.get_by_role("button", name="Brush").click()
    page.mouse.move(left + 0.05 * width, top + 0.1 * height)
    page.mouse.down()
    page.mouse.move(left + 0.2 * width, top + 0.1 * height, steps=5)
    page.mouse.up()
    page.mouse.move(left + 0.5 * width, top + 0.02 * height)
    until(page, f"{covered} > {found}")
    page.get_by_role("button", name="Undo").click()
    page.get_by_role("button", name="Redo").click()
    page.get_by_role("button", name="Use this mask").click()
    page.get_by_text("The mask is in use.").wait_for()
    assert has_no_violations(page) == []


def test_keyframes_are_picked_cut_again_and_downloaded(open_page: Opener, studio: Restartable, tmp_path: Path) -> None:
    job = studio.suite.wait(studio.suite.start("keyframes.detect", {"video": SAMPLE_ID})["id"], timeout_s=300)
    page = open_page(f"#/job/{job['id']}")
    until(page, "document.querySelector('.fit canvas')?.dataset.frame !== undefined")
    head = page.locator(".picker-head h2")
    before = head.inner_text()
    page.keyboard.press("Home")
    page.keyboard.press("Shift+ArrowRight")
    page.get_by_role("button", name="Pick this frame").click()
    page.get_by_role("button", name="Cut here").click()
    assert head.inner_text() != before
    page.get_by_role("slider", name="Threshold of cuts").fill("1")
    page.get_by_text("in 1 shot", exact=False).wait_for()
    for _ in range(3):
        page.get_by_role("button", name="Undo").click()
    assert head.inner_text() == before
    page.get_by_role("button", name="Redo").click()
    page.reload()
    page.get_by_role("button", name="Take out frame 10").wait_for()  # what was picked survives a reload
    assert has_no_violations(page) == []
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Download these").click()
    path = tmp_path / "made.zip"
    waiting.value.save_as(path)
    with zipfile.ZipFile(path) as made:
        assert {"keyframes.csv", "shots.edl"} < set(made.namelist())
        assert any(name.endswith("000010.png") for name in made.namelist())


def test_a_composite_changes_with_its_sliders(open_page: Opener) -> None:
    page = open_page(f"#/clip/{SAMPLE_ID}", refusals=("Canvas2D", "503"))  # the test reads the canvas; no model of depth is installed
    draft = json.dumps({"params": {}, "inputs": {"alpha": SAMPLE_MATTE_ID, "background": SAMPLE_PLATE_ID}, "preset": None})
    page.evaluate("([key, draft]) => sessionStorage.setItem(key, draft)", [f"reelwright-draft {SAMPLE_ID} background.studio", draft])
    page.goto(page.url.split("#")[0] + f"#/clip/{SAMPLE_ID}/background.studio")
    camera = page.get_by_label("Camera", exact=True)
    camera.wait_for()
    page.get_by_text("Parallax is approximate here", exact=False).wait_for()  # no model of depth is installed
    sample = """(() => {
      const canvas = document.querySelector(".composite-canvas");
      const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
      return data.reduce((sum, level, at) => (sum * 31 + level * (at % 7)) % 1000003, 0);
    })()"""
    for label, value in (("Camera", "1"), ("Parallax", "2"), ("Light on the edges", "1")):
        before = page.evaluate(sample)
        page.get_by_label(label, exact=True).first.fill(value)
        until(page, f"{sample} !== {before}")
    assert has_no_violations(page) == []


def test_pipelines_check_every_edit(open_page: Opener) -> None:
    page = open_page(f"#/pipelines?clip={SAMPLE_ID}", size="phone")
    page.get_by_text("Every step fits.").wait_for()
    page.get_by_label("Add a step").select_option("effects.motion-trails")
    page.get_by_role("article", name="Step 2", exact=False).wait_for()
    assert page.locator("#step-1-video").input_value().endswith(".video")
    page.get_by_text("Every step fits.").wait_for()
    assert has_no_violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.get_by_role("button", name="Save").click()
    page.get_by_label("Name", exact=True).fill("Ramp & trails")
    page.get_by_role("dialog").get_by_role("button", name="Save").click()
    page.get_by_text("is saved").wait_for()
    page.reload()
    page.get_by_role("button", name="Ramp & trails yours").click()
    page.get_by_role("article", name="Step 2", exact=False).wait_for()
    page.get_by_role("button", name="Preview", exact=True).click()
    until(page, "document.querySelector('.pipeline-preview video')?.readyState >= 2")


def test_a_deleted_clip_comes_back(open_page: Opener, studio: Restartable, clip: Path) -> None:
    studio.suite.upload(clip)
    page = open_page()
    page.get_by_role("button", name="Delete ball.mp4").first.click()
    page.get_by_role("button", name="Undo").click()
    page.get_by_role("button", name="Delete ball.mp4").first.wait_for()
