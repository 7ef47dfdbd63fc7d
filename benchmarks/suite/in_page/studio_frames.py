"""Frames that the studio draws while a user types or drags."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from shared.sample_ids import SAMPLE_ID, SAMPLE_MATTE_ID, SAMPLE_PLATE_ID
from shared.testing import RunningSuite

INPUT_S = 0.008
"""Seconds between two inputs, as from a mouse with 125 reports per second."""

MOVES = 250
SWEEP = 50
"""Number of mouse moves from one end of a drag to the other."""

KEYS = "the quick brown fox jumps over the lazy dog " * 4
KEY_S = 0.03
RAMP, MATTE, PLACE = "speed-ramp.render", "matting.matte", "background.studio"
BEGIN = """() => {
  const times = [];
  const note = (now) => { times.push(now); window.frameRequest = requestAnimationFrame(note); };
  window.frameTimes = times;
  window.frameRequest = requestAnimationFrame(note);
}"""
END = """() => { cancelAnimationFrame(window.frameRequest); return window.frameTimes; }"""


@dataclass(frozen=True, slots=True)
class DrawnFrames:
    """Frames that the page drew: their rate, and the longest gap."""

    per_second: float
    longest_ms: float

    def __str__(self) -> str:
        """Return both figures as text."""
        return f"{self.per_second:.1f} frames/s, longest {self.longest_ms:.0f} ms"


def frames_during(page: Any, act: Callable[[], None]) -> DrawnFrames:
    """Return the frames that the page draws while `act` runs."""
    page.evaluate(BEGIN)
    act()
    times = page.evaluate(END)
    gaps = [after - before for before, after in pairwise(times)]
    return DrawnFrames(1000 * len(gaps) / (times[-1] - times[0]), max(gaps))


def drag(page: Any, target: Any, reach: tuple[float, float]) -> None:
    """Drag `target` by its middle to and fro.

    `reach`: by how much it moves, (x, y) in CSS pixels.
    """
    box = target.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    for move in range(MOVES):
        part = abs((move + SWEEP / 2) % SWEEP - SWEEP / 2) / SWEEP * 2
        page.mouse.move(x + part * reach[0], y + part * reach[1])
        time.sleep(INPUT_S)
    page.mouse.up()


def type_into(page: Any, field: Any) -> None:
    """Type a sentence into a field, faster than people do."""
    field.click()
    for key in KEYS:
        page.keyboard.type(key)
        time.sleep(KEY_S)


def frame_rows(page: Any, running: RunningSuite, clip: str) -> list[tuple[str, DrawnFrames]]:
    """Measure the frames drawn during each kind of typing and dragging.

    Returns (name, frames).
    """
    rows = []

    def measure(name: str, act: Callable[[], None]) -> None:
        rows.append((name, frames_during(page, act)))

    page.goto(f"{running.url}/#/")
    search = page.get_by_label("Search names")
    search.wait_for()
    measure("typing in the search", lambda: type_into(page, search))
    _open(page, running.url, clip, "background.generate")
    text = page.get_by_label("Description", exact=True)
    text.wait_for()
    measure("typing in a form", lambda: type_into(page, text))
    _open(page, running.url, clip, RAMP)
    page.get_by_text("Measuring the motion").wait_for(state="detached")
    page.get_by_label("Curve", exact=True).select_option("hero")
    point = page.locator(".point").nth(2)
    point.wait_for()
    measure("dragging a point of the curve", lambda: drag(page, point, (4, -30)))
    _open(page, running.url, clip, MATTE)
    page.get_by_role("button", name="Brush").click()
    overlay = page.locator(".mask-overlay")
    overlay.wait_for()
    measure("brushing a mask", lambda: drag(page, overlay, (160, 90)))
    job = running.wait(running.start("media.transcode", {"video": clip})["id"], timeout_s=600)
    page.goto(f"{running.url}/#/job/{job['id']}")
    page.get_by_role("button", name="Wipe").click()
    page.locator(".fit canvas[data-frame]").wait_for()
    wipe = page.locator(".wipe")
    measure("dragging the wipe of a result", lambda: drag(page, wipe, (200, 0)))
    draft = json.dumps({"params": {}, "inputs": {"alpha": SAMPLE_MATTE_ID, "background": SAMPLE_PLATE_ID}, "preset": None})
    page.evaluate("([key, draft]) => sessionStorage.setItem(key, draft)", [f"reelwright-draft {SAMPLE_ID} {PLACE}", draft])
    _open(page, running.url, SAMPLE_ID, PLACE)
    camera = page.get_by_label("Camera", exact=True)
    camera.wait_for()
    measure("dragging a slider of a composite", lambda: drag(page, camera, (40, 0)))
    return rows


def _open(page: Any, url: str, clip: str, tool: str) -> None:
    """Open a tool on a clip, on a freshly loaded page."""
    page.goto(f"{url}/#/clip/{clip}/{tool}")
    page.reload()
    page.get_by_role("button", name="Make it").wait_for()
