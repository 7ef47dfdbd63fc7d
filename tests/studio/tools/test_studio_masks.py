"""The studio's masks: brush, eraser, and the ring that shows their size."""

from collections.abc import Callable
from typing import Any

import pytest

from shared.sample_ids import SAMPLE_ID
from tests.studio.acting import HeldRequests, middle_of, until, until_known

pytestmark = [pytest.mark.studio, pytest.mark.timeout(900)]
Opener = Callable[..., Any]
OVERLAY_WIDTH = 640
COVERED = """(() => {
  const canvas = document.querySelector(".mask-overlay");
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  return data.filter((level, at) => at % 4 === 3 && level > 100).length;
})()"""
RING = """(share) => {
  const canvas = document.querySelector(".mask-overlay");
  const { data } = canvas.getContext("2d").getImageData(0, Math.round(canvas.height * share), canvas.width, 1);
  const white = [...Array(canvas.width).keys()].filter((x) => data[4 * x] > 140 && data[4 * x + 2] > 140 && data[4 * x + 3] > 200);
  return white.length ? white.at(-1) - white[0] : 0;
}"""


def stroke(page: Any, box: dict[str, float], start: tuple[float, float], end: tuple[float, float]) -> None:
    """Paint a stroke between two points, then leave the overlay.

    The points are shares of the overlay; the pointer leaves it.
    """
    page.mouse.move(box["x"] + start[0] * box["width"], box["y"] + start[1] * box["height"])
    page.mouse.down()
    page.mouse.move(box["x"] + end[0] * box["width"], box["y"] + end[1] * box["height"], steps=5)
    page.mouse.up()
    page.mouse.move(2, 2)
    page.wait_for_timeout(100)


def test_the_eraser_takes_away_what_the_brush_painted(open_page: Opener) -> None:
    page = open_page(f"#/clip/{SAMPLE_ID}/matting.matte", refusals=("Canvas2D", "503"))  # the test reads the overlay
    page.get_by_role("button", name="Brush").click()
    overlay = page.locator(".mask-overlay")
    overlay.wait_for()
    box = overlay.bounding_box()
    page.get_by_label("Size", exact=True).fill("0.1")
    stroke(page, box, (0.2, 0.5), (0.8, 0.5))
    painted = page.evaluate(COVERED)
    assert painted == pytest.approx(0.6 * OVERLAY_WIDTH * 64 + 3.14 * 32**2, rel=0.03)  # a line 64 pixels wide with round ends
    page.get_by_role("button", name="Eraser").click()
    page.get_by_label("Size", exact=True).fill("0.2")
    stroke(page, box, (0.5, 0.2), (0.5, 0.8))
    until(page, f"{COVERED} < {painted}")
    erased = page.evaluate(COVERED)
    assert painted - erased == pytest.approx(128 * 64, rel=0.03)
    page.get_by_role("button", name="Undo").click()
    until(page, f"{COVERED} === {painted}")
    page.get_by_role("button", name="Redo").click()
    until(page, f"{COVERED} === {erased}")


def test_strokes_and_clicks_survive_a_reload(open_page: Opener) -> None:
    page = open_page(f"#/clip/{SAMPLE_ID}/matting.matte", refusals=("Canvas2D", "503"))
    page.get_by_role("button", name="Add", exact=True).click()
    overlay = page.locator(".mask-overlay")
    overlay.wait_for()
    page.mouse.click(*middle_of(overlay))
    until(page, "document.querySelector('.mask-bench button.primary').disabled === false")
    page.get_by_role("button", name="Brush").click()
    page.get_by_label("Size", exact=True).fill("0.1")
    stroke(page, overlay.bounding_box(), (0.1, 0.1), (0.4, 0.1))
    painted = page.evaluate(COVERED)
    page.reload()
    overlay.wait_for()  # with the same tool
    until(page, f"Math.abs({COVERED} - {painted}) < {0.01 * painted}")  # the mask of the click is the server's
    assert page.get_by_label("Size", exact=True).input_value() == "0.1"
    page.get_by_role("button", name="Clear").click()
    page.reload()
    overlay.wait_for()
    page.wait_for_timeout(500)
    assert page.evaluate(COVERED) == 0


@pytest.mark.parametrize("tool", ["Brush", "Eraser"])
def test_a_ring_shows_the_size_of_the_brush(open_page: Opener, tool: str) -> None:
    page = open_page(f"#/clip/{SAMPLE_ID}/matting.matte", refusals=("Canvas2D", "503"))
    page.get_by_role("button", name=tool).click()
    overlay = page.locator(".mask-overlay")
    overlay.wait_for()
    for size in (0.06, 0.25, 0.1):
        page.get_by_label("Size", exact=True).fill(str(size))
        box = overlay.bounding_box()
        page.mouse.move(box["x"] + 0.5 * box["width"], box["y"] + 0.5 * box["height"])
        until(page, f"Math.abs(({RING})(0.5) - {size * OVERLAY_WIDTH}) <= 3")
    page.mouse.move(2, 2)
    until(page, f"({RING})(0.5) === 0")


@pytest.mark.parametrize("button", ["Clear", "Undo"])
def test_a_mask_that_comes_after_its_clicks_are_gone_is_not_shown(open_page: Opener, button: str) -> None:
    page = open_page(f"#/clip/{SAMPLE_ID}/matting.matte", refusals=("Canvas2D", "503"))
    page.get_by_role("button", name="Add", exact=True).click()
    overlay = page.locator(".mask-overlay")
    overlay.wait_for()
    held = HeldRequests(page, "**/v1/matting/mask/jobs*")
    page.mouse.click(*middle_of(overlay))
    until_known(page, lambda: held.routes, "the mask is asked for")
    page.get_by_role("button", name=button, exact=True).click()
    held.release()
    page.wait_for_timeout(3000)
    assert page.evaluate(COVERED) == 0
    assert page.locator(".bench-bar .spinner").count() == 0
