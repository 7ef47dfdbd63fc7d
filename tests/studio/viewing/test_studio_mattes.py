"""Mattes that begin late: each view shows one moment of the clip."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from tests.studio.acting import PATIENCE_S, until, until_known
from tests.studio.conftest import Restartable
from tests.studio.viewing.numbered_clips import BITS, HEIGHT, NUMBER_OF, STRIPE, numbered_clip

pytestmark = [pytest.mark.studio, pytest.mark.timeout(900)]
Opener = Callable[..., Any]
START_S, RATE = 2, 30
SHOWN = f"({NUMBER_OF})(document.querySelector('compare-view canvas'), 0, {STRIPE * BITS})"
FRAME = "Number(document.querySelector('compare-view canvas').dataset.frame)"


@pytest.fixture(scope="module")
def numbered(studio: Restartable, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Upload a clip whose frames show their numbers."""
    return str(studio.suite.upload(numbered_clip(tmp_path_factory.mktemp("mattes") / "numbered.mp4"))["id"])


def late_matte(studio: Restartable, clip: str, folder: Path, **params: Any) -> str:
    """Make a matte of the white stripes from `START_S` on.

    Returns the id of its job.
    """
    plate = folder / "black.png"
    cv2.imwrite(str(plate), np.zeros((HEIGHT, STRIPE * BITS, 3), np.uint8))
    inputs = {"video": clip, "plate": studio.suite.upload(plate)["id"]}
    settings = {"backend": "difference", "start": START_S, "steadiness": 0, **params}
    job = studio.suite.wait(studio.suite.start("matting.matte", inputs, settings)["id"], timeout_s=PATIENCE_S)
    assert job["status"] == "succeeded", job["error"]
    return str(job["id"])


def test_a_late_matte_lies_on_the_frame_it_was_made_of(open_page: Opener, studio: Restartable, numbered: str, tmp_path: Path) -> None:
    page = open_page(f"#/job/{late_matte(studio, numbered, tmp_path, keep_times=True)}", refusals=("Canvas2D",))
    for output, start in (("Composite", START_S), ("Alpha", 0)):
        page.locator(".files button", has_text=output).click()
        page.get_by_role("button", name="Source", exact=True).click()
        until(page, f"{SHOWN} >= {start * RATE}")
        page.get_by_role("slider", name="Position in the result").fill("1" if start else "3")
        for mode in ("Source", "Matte", "Colour"):  # over a colour, a stripe is white where clip and matte are
            page.get_by_role("button", name=mode, exact=True).click()
            until(page, f"{SHOWN} === {3 * RATE}", seconds=60)
            assert page.evaluate(FRAME) == (3 - start) * RATE


def test_a_matte_with_other_times_than_its_clip_is_not_shown_on_it(
    open_page: Opener, studio: Restartable, numbered: str, tmp_path: Path
) -> None:
    page = open_page(f"#/job/{late_matte(studio, numbered, tmp_path)}")
    page.get_by_role("button", name="Source", exact=True).wait_for()
    assert not page.get_by_role("button", name="Cut-out").count()


def seek(page: Any, time_s: float) -> None:
    """Show the frame that begins at `time_s`."""
    page.evaluate("(time) => document.querySelector('clip-viewer').seek(time)", time_s + 0.016)
    until(page, f"Math.abs(document.querySelector('clip-viewer').time - {time_s}) < 0.03")


def brushed(page: Any, time_s: float, *, instead: bool = False) -> None:
    """Paint a stroke on the frame at `time_s`, and give the mask to the tool.

    `instead`: a mask of another frame was given before.
    """
    until(page, "document.querySelector('video.clip')?.readyState >= 2")
    seek(page, time_s)
    page.get_by_role("button", name="Brush").click()
    if instead:  # the tool has returned to the frame of that mask
        seek(page, time_s)
        page.get_by_role("button", name="Draw on the frame", exact=False).click()
    box = page.locator(".mask-overlay").bounding_box()
    page.mouse.move(box["x"] + box["width"] / 3, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.up()
    page.get_by_role("button", name="Use this mask").click()
    page.get_by_text("This mask is now an input of the tool.").wait_for()


def request_of(page: Any) -> str:
    """Return the request of the tool's settings, as the page shows it."""
    page.get_by_role("tab", name="curl", exact=True).click()
    text = str(page.locator(".code-block pre").inner_text())
    page.get_by_role("tab", name="Form", exact=True).click()
    return text


def test_a_mask_of_a_late_frame_makes_a_matte_with_the_times_of_the_clip(open_page: Opener, numbered: str) -> None:
    page = open_page(f"#/clip/{numbered}/matting.matte", refusals=("503",))
    brushed(page, 2)
    request = request_of(page)
    assert '"keep_times":true' in request
    assert '"start":2' in request
    brushed(page, 0, instead=True)
    until_known(page, lambda: request_of(page) != request, "the request has the new mask")
    request = request_of(page)
    assert '"subject":"mask"' in request
    assert "keep_times" not in request
    assert "start" not in request


def test_a_format_without_the_times_of_the_clip_is_not_refused(open_page: Opener, numbered: str) -> None:
    page = open_page(f"#/clip/{numbered}/matting.matte", refusals=("503",))
    brushed(page, 2)
    page.evaluate("for (const section of document.querySelectorAll('details')) section.open = true")
    page.get_by_label("Matte format", exact=True).select_option("ProRes 4444")
    page.get_by_text("Only with Matte format: Gray video.").wait_for()
    brushed(page, 3, instead=True)
    page.get_by_text("The result begins at its frame, 0:03.00.", exact=False).wait_for()
    request = request_of(page)
    assert '"alpha_format":"prores"' in request
    assert '"start":3' in request
    assert "keep_times" not in request
