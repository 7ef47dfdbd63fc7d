"""Screens of a clip from a phone: vertical pictures, words for fingers, and what a small screen must show."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from benchmarks.material.clips import ffmpeg
from shared.sample_ids import SAMPLE_ID, SAMPLE_MATTE_ID
from tests.studio.acting import TOOL, HeldRequests, fits_the_width, until, until_known
from tests.studio.conftest import Restartable

pytestmark = [pytest.mark.studio, pytest.mark.timeout(900)]
Opener = Callable[..., Any]


@pytest.fixture(scope="module")
def vertical(studio: Restartable, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Upload a vertical clip with sound; return its id."""
    path = tmp_path_factory.mktemp("vertical") / "vertical.mp4"
    sources = ["-f", "lavfi", "-i", "testsrc2=s=202x360:r=25:d=2", "-f", "lavfi", "-i", "sine=440:d=2"]
    ffmpeg(*sources, "-pix_fmt", "yuv420p", "-c:v", "libx264", "-c:a", "aac", str(path))
    return str(studio.suite.upload(path)["id"])


def edges_of(page: Any, selector: str) -> tuple[float, float]:
    """Return the top and bottom of an element in CSS pixels."""
    box = page.locator(selector).first.bounding_box()
    return box["y"], box["y"] + box["height"]


def test_the_controls_of_a_vertical_clip_end_above_the_raised_sheet(open_page: Opener, vertical: str) -> None:
    page = open_page(f"#/clip/{vertical}", size="phone")
    page.locator(".strip.lanes-2").wait_for()
    assert edges_of(page, ".transport")[1] <= edges_of(page, ".sheet")[0] + 1
    page.get_by_role("button", name="Play", exact=True).tap()
    page.get_by_role("button", name="Pause", exact=True).wait_for()
    assert fits_the_width(page)


def test_the_speed_curve_of_a_vertical_clip_is_in_view(open_page: Opener, vertical: str) -> None:
    page = open_page(f"#/clip/{vertical}/speed-ramp.render", size="phone")
    page.locator(".curve-field .line").wait_for()
    top, bottom = edges_of(page, ".curve-field")
    assert min(bottom, edges_of(page, ".sheet")[0]) - top > (bottom - top) / 2


@pytest.mark.parametrize(("size", "press"), [("phone", "double-tap"), ("desktop", "double-click")])
def test_the_press_that_adds_a_point_is_named_for_the_device(open_page: Opener, size: str, press: str) -> None:
    page = open_page(f"#/clip/{SAMPLE_ID}/speed-ramp.render", size=size)
    page.get_by_text(f"Drag the points; {press} to add one.").wait_for()


def test_another_tool_begins_at_its_top(open_page: Opener) -> None:
    page = open_page(f"#/clip/{SAMPLE_ID}/{TOOL}", size="phone")
    page.get_by_label("Height", exact=True).first.wait_for()
    page.locator(".sheet > .panel").evaluate("(panel) => panel.scrollTo(0, 300)")
    page.evaluate("(hash) => { location.hash = hash; }", f"#/clip/{SAMPLE_ID}/effects.motion-trails")
    page.get_by_label("Ghosts", exact=True).first.wait_for()
    assert page.locator(".sheet > .panel").evaluate("(panel) => panel.scrollTop") == 0


def test_only_a_clip_with_sound_has_a_button_for_it(open_page: Opener) -> None:
    page = open_page(f"#/clip/{SAMPLE_ID}", size="phone")
    page.get_by_role("button", name="Sound off").wait_for()
    page.evaluate("(hash) => { location.hash = hash; }", f"#/clip/{SAMPLE_MATTE_ID}")
    page.get_by_role("heading", name="sample matte.mp4").wait_for()
    page.get_by_role("button", name="Play", exact=True).wait_for()
    assert page.get_by_role("button", name="Sound off").count() == 0


def test_position_and_length_have_the_same_form(open_page: Opener) -> None:
    page = open_page(f"#/clip/{SAMPLE_ID}", size="phone")
    page.locator(".timecode", has_text="0:00:00 / 0:06:00").wait_for()


def test_a_refusal_stands_once_with_its_code_marked(open_page: Opener) -> None:
    page = open_page(f"#/clip/{SAMPLE_ID}/{TOOL}", size="phone", refusals=("422",))
    refusal = {"type": "/problems/invalid", "title": "Invalid request", "status": 422, "detail": "Give a smaller `height`."}
    page.route("**/v1/media/transcode/jobs", lambda route: route.fulfill(status=422, json=refusal))
    page.get_by_role("button", name="Make it").tap()
    page.locator(".panel-error code", has_text="height").wait_for()
    assert page.locator(".action-bar").inner_text().count("Give a smaller") == 1


def test_a_notice_names_the_tool(open_page: Opener) -> None:
    page = open_page("#/", size="phone")
    page.locator(".media-card").first.wait_for()
    until(page, "document.querySelector('studio-app').store.isReady")
    end = "(job) => document.querySelector('studio-app').store.dispatchEvent(new CustomEvent('ended', { detail: job }))"
    job = {"id": "x", "service": "media", "operation": TOOL}
    page.evaluate(end, job | {"status": "succeeded"})
    page.get_by_text("Convert and trim: your result is ready.").wait_for()
    page.evaluate(end, job | {"status": "failed"})
    page.get_by_text("Convert and trim: the job failed.").wait_for()


def test_used_space_follows_an_upload_at_once(open_page: Opener, clip: Path, tmp_path: Path) -> None:
    page = open_page("#/")
    page.locator(".media-card").first.wait_for()
    used = "document.querySelector('studio-app').store.used?.bytes"
    until(page, f"{used} !== undefined")
    before = page.evaluate(used)
    later_lists = HeldRequests(page, "**/v1/media?*")
    bytes_ = b"\0" * 3_000_000
    path = tmp_path / "larger.mp4"
    path.write_bytes(clip.read_bytes() + bytes_)
    page.locator("#file").set_input_files(path)
    until_known(page, lambda: page.evaluate(used) >= before + len(bytes_), "the upload counts")
    later_lists.release()


def test_a_card_whose_preview_lacks_a_model_says_so(open_page: Opener) -> None:
    page = open_page(f"#/clip/{SAMPLE_ID}/matting.matte", size="desktop")
    page.locator(".preset-card", has_text="Cut out the subject").get_by_text("Needs a model").wait_for()


def test_a_picture_is_shown_until_the_clip_has_loaded(open_page: Opener) -> None:
    page = open_page("#/", size="phone")
    page.locator(".media-card").first.wait_for()
    held = HeldRequests(page, f"**/v1/media/{SAMPLE_ID}/content*")
    page.evaluate("(hash) => { location.hash = hash; }", f"#/clip/{SAMPLE_ID}")
    until_known(page, lambda: held.routes, "the clip's file is read")
    until(page, "document.querySelector('.fit .still img')?.naturalWidth > 0")
    held.release()
    until(page, "document.querySelector('video.clip').readyState >= 2 && !document.querySelector('.fit .still img')")
