"""Pages in use while the server restarts: each goes on without a reload."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from shared.sample_ids import SAMPLE_ID
from tests.studio.acting import PATIENCE_S, TOOL, Hand, until
from tests.studio.conftest import Restartable

pytestmark = [pytest.mark.studio, pytest.mark.timeout(900)]
Opener = Callable[..., Any]
REFUSED = ("ERR_", "Failed to load", "503", "502")
"""Parts of a browser's messages about requests to a server that is down."""

DRAWN_PIXELS = """(() => {
  const canvas = document.querySelector(".mask-overlay");
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  return data.filter((level, at) => at % 4 === 3 && level > 100).length;
})()"""


@dataclass(frozen=True, kw_only=True)
class PageInUse:
    """A page in use: its address, and its steps before and after the restart.

    `address` may contain `{job}`: the id of an ended job of `media.transcode`.
    """

    address: str
    begin: Callable[[Any], None]
    go_on: Callable[[Any, Path], None]


def start_preview(page: Any) -> None:
    page.get_by_role("button", name="Make it").wait_for()
    page.get_by_role("button", name="Preview", exact=True).click()
    page.get_by_role("button", name="Preview…", exact=True).wait_for()


def see_preview(page: Any, _folder: Path) -> None:
    """Wait for the preview that was running, and play it."""
    page.get_by_role("group", name="What is shown").wait_for()
    until(page, "document.querySelector('video.made')?.readyState >= 2")
    page.get_by_role("button", name="Original", exact=True).click()
    until(page, "document.querySelector('video.clip')?.readyState >= 2 && !document.querySelector('video.clip').hidden")


def run_pipeline(page: Any) -> None:
    page.get_by_text("All steps are valid.").wait_for()
    page.get_by_role("button", name="Make it").click()
    page.locator("result-screen h1").wait_for()  # its module is loaded: without it, the page loads itself again after the restart


def see_pipeline(page: Any, folder: Path) -> None:
    page.locator(".state.succeeded").first.wait_for()
    page.locator(".step.succeeded, .step.cached").first.wait_for()
    download(page, folder)


def open_result(page: Any) -> None:
    page.get_by_role("button", name="Difference").click()
    until(page, "document.querySelector('.fit canvas')?.dataset.frame !== undefined")


def compare_result(page: Any, folder: Path) -> None:
    """Compare a frame that was not read before the restart, and download the result."""
    page.locator(".scrub").fill("5")
    until(page, "document.querySelector('.fit canvas').dataset.frame === '150'")
    page.get_by_role("button", name="Wipe").click()
    download(page, folder)


def begin_stroke(page: Any) -> None:
    """Press the brush on the picture and begin a stroke."""
    page.get_by_role("button", name="Brush").click()
    overlay = page.locator(".mask-overlay")
    overlay.wait_for()
    left, top, width, height = (overlay.bounding_box() or {}).values()
    page.mouse.move(left + 0.3 * width, top + 0.3 * height)
    page.mouse.down()
    page.mouse.move(left + 0.5 * width, top + 0.5 * height, steps=4)


def end_stroke(page: Any, _folder: Path) -> None:
    """Lift the brush and use the mask."""
    page.mouse.up()
    assert page.evaluate(DRAWN_PIXELS) > 1000, "what was drawn is still there"
    page.get_by_role("button", name="Use this mask").click()
    page.get_by_text("This mask is now an input of the tool.").wait_for()


def click_for_mask(page: Any) -> None:
    """Click on the subject, and do not wait for the mask."""
    page.get_by_role("button", name="Add", exact=True).click()
    page.locator(".mask-overlay").click()
    page.locator(".mask-bench .spinner").wait_for()


def see_mask(page: Any, _folder: Path) -> None:
    page.locator(".mask-bench .spinner").wait_for(state="detached")
    until(page, f"{DRAWN_PIXELS} > 1000")


def download(page: Any, folder: Path) -> None:
    path = Hand(page, "mouse").download(page.get_by_role("link", name="Download", exact=True).first, folder)
    assert path.stat().st_size > 1000


PAGES = {
    "preview": PageInUse(address=f"#/clip/{SAMPLE_ID}/effects.motion-trails", begin=start_preview, go_on=see_preview),
    "pipeline": PageInUse(address=f"#/pipelines?clip={SAMPLE_ID}", begin=run_pipeline, go_on=see_pipeline),
    "result": PageInUse(address="#/job/{job}", begin=open_result, go_on=compare_result),
    "stroke": PageInUse(address=f"#/clip/{SAMPLE_ID}/matting.matte", begin=begin_stroke, go_on=end_stroke),
    "clicks": PageInUse(address=f"#/clip/{SAMPLE_ID}/matting.matte", begin=click_for_mask, go_on=see_mask),
}


@pytest.mark.parametrize("name", PAGES)
def test_a_page_goes_on_after_a_restart(open_page: Opener, studio: Restartable, tmp_path: Path, name: str) -> None:
    used = PAGES[name]
    job = studio.suite.wait(studio.suite.start(TOOL, {"video": SAMPLE_ID})["id"], timeout_s=PATIENCE_S)
    assert job["status"] == "succeeded", job["error"]
    page = open_page(used.address.format(job=job["id"]), refusals=(*REFUSED, "Canvas2D"))  # the test itself reads the overlay
    page.evaluate("window.isSamePage = true")
    used.begin(page)
    studio.stop()
    page.get_by_text("The server does not answer", exact=False).first.wait_for()
    studio.start()
    page.locator(".offline").wait_for(state="detached")
    used.go_on(page, tmp_path)
    assert page.evaluate("window.isSamePage"), "the page was not loaded again"
