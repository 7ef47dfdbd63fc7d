"""The studio's tools, each with its own controls."""

import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from shared.sample_ids import SAMPLE_ID, SAMPLE_MATTE_ID, SAMPLE_PLATE_ID
from shared.video import probe_video
from tests.studio.acting import PATIENCE_S, TOOL, Hand, fits_the_width, until, violations_of
from tests.studio.conftest import Restartable

pytestmark = [pytest.mark.studio, pytest.mark.timeout(900)]
Opener = Callable[..., Any]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", ["phone", "tablet", "desktop"])
def test_a_clip_becomes_a_downloaded_result(open_page: Opener, clip: Path, tmp_path: Path, size: str, scheme: str) -> None:
    own = tmp_path / f"clip on {size} <b>&.mp4"
    own.write_bytes(clip.read_bytes() + f"{size} {scheme}".encode())  # not the same bytes as the others, which would be recognised
    page = open_page(size=size, scheme=scheme)
    press = (lambda locator: locator.tap()) if size != "desktop" else (lambda locator: locator.click())
    page.locator("#file").set_input_files(own)
    page.get_by_role("heading", name=f"clip on {size} <b>&.mp4").wait_for()
    assert violations_of(page) == []
    press(page.locator(f'a[href*="{TOOL}"]').first)
    press(page.get_by_role("button", name="Make it"))
    page.locator(".state.succeeded").first.wait_for()
    page.reload()
    result = Hand(page, "mouse").download(page.get_by_role("link", name="Download", exact=True).first, tmp_path)
    assert probe_video(result).duration_s == pytest.approx(6, abs=0.1)
    assert violations_of(page) == []
    assert fits_the_width(page)


@pytest.mark.usefixtures("studio")
def test_a_result_is_made_by_keyboard_alone(open_page: Opener) -> None:
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


@pytest.mark.brief
def test_source_and_result_are_compared_on_the_same_frame(open_page: Opener, studio: Restartable) -> None:
    job = studio.suite.wait(studio.suite.start(TOOL, {"video": SAMPLE_ID})["id"], timeout_s=PATIENCE_S)
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


def test_a_comparison_follows_the_scrubber_although_the_video_had_just_started(open_page: Opener, studio: Restartable) -> None:
    job = studio.suite.wait(studio.suite.start(TOOL, {"video": SAMPLE_ID})["id"])
    page = open_page(f"#/job/{job['id']}")
    page.get_by_role("button", name="Difference").wait_for()
    page.locator("video.clip").evaluate("(video) => { video.pause(); }")
    page.wait_for_timeout(200)
    page.evaluate("""() => {
      document.querySelector("video.clip").play().catch(() => {}); // tells of it later, when the comparison is shown
      [...document.querySelectorAll(".compare-bar button")].find(({ textContent }) => textContent === "Difference").click();
    }""")
    page.locator(".scrub").fill("3")
    until(page, "document.querySelector('.fit canvas').dataset.frame === '90'", 20)
    page.get_by_role("button", name="Play", exact=True).click()  # the canvas' own clock
    until(page, "document.querySelector('.fit canvas').dataset.frame > 95", 60)


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
    marked_pixels = page.evaluate(covered)
    page.get_by_role("button", name="Brush").click()
    page.mouse.move(left + 0.05 * width, top + 0.1 * height)
    page.mouse.down()
    page.mouse.move(left + 0.2 * width, top + 0.1 * height, steps=5)
    page.mouse.up()
    page.mouse.move(left + 0.5 * width, top + 0.02 * height)
    until(page, f"{covered} > {marked_pixels}")
    page.get_by_role("button", name="Undo").click()
    page.get_by_role("button", name="Redo").click()
    painted_pixels = page.evaluate(covered)
    page.get_by_role("button", name="Invert").click()
    until(page, f"{covered} !== {painted_pixels}")
    page.get_by_role("button", name="Invert").click()
    until(page, f"{covered} === {painted_pixels}")
    page.get_by_role("button", name="Use this mask").click()
    page.get_by_text("This mask is now an input of the tool.").wait_for()
    assert violations_of(page) == []


def test_a_mask_of_a_later_frame_starts_the_matte_there(open_page: Opener) -> None:
    page = open_page(f"#/clip/{SAMPLE_ID}/matting.matte", refusals=("503",))  # MatAnyone is not installed
    page.get_by_role("button", name="Brush").click()
    overlay = page.locator(".mask-overlay")
    overlay.wait_for()
    until(page, "document.querySelector('video.clip')?.readyState >= 2")
    page.keyboard.press("End")  # frame 179 of 180, at 5.967 s
    page.get_by_role("button", name="Draw on the frame at", exact=False).click()
    left, top, width, height = (overlay.bounding_box() or {}).values()
    page.mouse.move(left + 0.4 * width, top + 0.4 * height)
    page.mouse.down()
    page.mouse.move(left + 0.6 * width, top + 0.6 * height, steps=5)
    page.mouse.up()
    page.get_by_role("button", name="Use this mask").click()
    page.get_by_text("This mask is now an input of the tool.").wait_for()
    page.get_by_label("Backend", exact=True).first.select_option(label="Masked subject")
    page.get_by_role("tab", name="curl", exact=True).click()
    for text in ('"mask":"', '"start":5.966', '"backend":"matanyone"', '"subject":"mask"'):
        page.locator(".code-block pre", has_text=text).wait_for()


def test_keyframes_are_picked_cut_again_and_downloaded(open_page: Opener, studio: Restartable, tmp_path: Path) -> None:
    job = studio.suite.wait(studio.suite.start("keyframes.detect", {"video": SAMPLE_ID})["id"], timeout_s=PATIENCE_S)
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
    assert violations_of(page) == []
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Download these").click()
    path = tmp_path / "made.zip"
    waiting.value.save_as(path)
    with zipfile.ZipFile(path) as archive:
        assert {"keyframes.csv", "shots.edl"} < set(archive.namelist())
        assert any(name.endswith("000010.png") for name in archive.namelist())


def test_all_picks_are_downloaded_however_many(open_page: Opener, studio: Restartable, tmp_path: Path) -> None:
    slow = studio.suite.start("speed-ramp.render", {"video": SAMPLE_ID}, {"curve": [{"t": 0, "speed": 0.4}]})
    record = studio.suite.wait(slow["id"], timeout_s=PATIENCE_S)["outputs"]["video"]
    job = studio.suite.wait(studio.suite.start("keyframes.detect", {"video": record["id"]})["id"], timeout_s=PATIENCE_S)
    page = open_page()
    picks = json.dumps({"picks": list(range(350)), "cuts": [], "threshold": 1})
    page.evaluate("([key, picks]) => sessionStorage.setItem(key, picks)", [f"reelwright-picks-2 {job['id']}", picks])
    page.route("**/frame?n=*", lambda route: route.fulfill(body=route.request.url.rpartition("=")[2], content_type="image/png"))
    page.goto(page.url.split("#")[0] + f"#/job/{job['id']}")
    until(page, "document.querySelector('.fit canvas')?.dataset.frame !== undefined")
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Download these").click()
    waiting.value.save_as(tmp_path / "made.zip")
    with zipfile.ZipFile(tmp_path / "made.zip") as archive:
        pictures = [archive.read(name).decode() for name in sorted(archive.namelist()) if name.endswith(".png")]
        rows = archive.read("keyframes.csv").decode().splitlines()[1:]
    assert pictures == [str(number) for number in range(350)]
    assert [row.split(",")[0] for row in rows] == pictures


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
    for label, value in (("Camera", "1"), ("Parallax", "2"), ("Light wrap", "1")):
        before = page.evaluate(sample)
        page.get_by_label(label, exact=True).first.fill(value)
        until(page, f"{sample} !== {before}")
    assert violations_of(page) == []


def test_pipelines_check_every_edit(open_page: Opener) -> None:
    page = open_page(f"#/pipelines?clip={SAMPLE_ID}", size="phone")
    page.get_by_text("All steps are valid.").wait_for()
    page.get_by_label("Add a step").select_option("effects.motion-trails")
    page.get_by_role("article", name="Step 2", exact=False).wait_for()
    assert page.locator("#step-1-video").input_value().endswith(".video")
    page.get_by_text("All steps are valid.").wait_for()
    assert violations_of(page) == []
    assert fits_the_width(page)
    page.get_by_role("button", name="Save").click()
    page.get_by_label("Name", exact=True).fill("Ramp & trails")
    page.get_by_role("dialog").get_by_role("button", name="Save").click()
    page.get_by_text("is saved").wait_for()
    page.reload()
    page.get_by_role("button", name="Ramp & trails yours").click()
    page.get_by_role("article", name="Step 2", exact=False).wait_for()
    page.get_by_role("button", name="Preview", exact=True).click()
    until(page, "document.querySelector('.pipeline-preview video')?.readyState >= 2")


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.2, "about 1 s"), (7.4, "about 7 s"), (41.2, "about 40 s"), (97.6, "about 100 s"), (260, "about 4 min"), (7300, "about 2.0 h")],
)
def test_an_estimate_is_rounded(open_page: Opener, seconds: float, text: str) -> None:
    page = open_page()
    answer = {"operation": TOOL, "inputs": {}, "params": {}, "estimate": {"seconds": seconds}}
    page.route("**/check", lambda route: route.fulfill(json=answer))
    page.evaluate("(hash) => { location.hash = hash; }", f"#/clip/{SAMPLE_ID}/{TOOL}")
    page.locator(".estimate").wait_for()
    assert page.locator(".estimate").inner_text().lstrip("· ") == text
