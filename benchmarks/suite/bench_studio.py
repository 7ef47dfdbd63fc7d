"""Speed of the web studio in Chromium.

Weight of the first visit, frames on time along a speed curve, frames drawn while typing and dragging, and accessibility.
`python -m benchmarks.suite.bench_studio` after `make test-studio`, which installs Playwright and axe.
"""

import importlib.util
import json
import os
import shutil
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.machine import machine
from benchmarks.material.clips import sample_clip
from benchmarks.material.formats import format_clips
from benchmarks.suite.in_page.studio_feel import drag_work, flash_clip, sound_offsets, text_of, typing_work
from benchmarks.suite.in_page.studio_frames import frame_rows
from shared.testing import RunningSuite, suite

SPEEDS = (0.1, 0.25, 1.0, 4.0, 16.0)
PART = 0.8  # share of the clip to skip before playing below normal speed, to save time
SOUND_SPEEDS = (0.5, 1.0, 2.0)
PATIENCE_S = 180
VISITS = 5
SETTLED_MS = 300
POLL_MS = 50
USABLE = ".library-bar ~ * .media-card >> nth=0"
MARK = """new MutationObserver((_, observer) => {
  if (!document.querySelector(".library-bar button.primary") || !document.querySelector(".media-card")) return;
  observer.disconnect();
  requestAnimationFrame(() => requestAnimationFrame(() => performance.mark("usable"))); // the frame is on the screen
}).observe(document, { subtree: true, childList: true });"""
TOOL = "speed-ramp.render"
WEIGHT = """() => {
  const files = performance.getEntriesByType("resource").filter(({ name }) => name.includes("/studio/"));
  const page = performance.getEntriesByType("navigation")[0];
  const bytes = [page, ...files].reduce((sum, { encodedBodySize }) => sum + encodedBodySize, 0);
  return { bytes, files: files.length };
}"""


def main() -> None:
    """Measure and print a table."""
    console = Console()
    chromium = os.environ.get("REELWRIGHT_CHROMIUM") or shutil.which("chromium")
    if not importlib.util.find_spec("playwright") or not chromium:
        console.print("Skipped: `make test-studio` installs Playwright; it needs chromium.")
        return
    from playwright.sync_api import sync_playwright

    table = Table("figure", "value", title=f"{machine()}; load before: {os.getloadavg()[0]:.1f}")
    with tempfile.TemporaryDirectory() as folder, suite(Path(folder), PROBE_TIMEOUT_S="90") as running, sync_playwright() as playwright:
        clip = running.upload(sample_clip("bikes.mp4"))["id"]
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page()
        page.set_default_timeout(PATIENCE_S * 1000)
        visits = [_first_visit(browser, running.url) for _ in range(VISITS)]
        table.add_row(f"first visit, usable after (median of {VISITS})", f"{statistics.median(visits):.2f} s")
        page.goto(running.url)
        page.locator(USABLE).wait_for()
        weight = page.evaluate(WEIGHT)
        table.add_row("first visit, compressed, without media", f"{weight['bytes'] / 1000:.1f} kB in {weight['files'] + 1} files")
        table.add_row("typing: work of the page per key (60 fps: below 16.7)", f"{typing_work(page):.1f} ms")
        for size, label in ((200_000_000, "the browser's own"), (400_000_000, "in parts")):
            table.add_row(f"hashing of files before they are sent, {label}", f"{_hashing(page, Path(folder), size):.0f} MB/s")
        for speed in SPEEDS:
            table.add_row(f"frames on time at {speed:g}x", _played(page, running.url, clip, speed))
        page.get_by_label("Curve", exact=True).select_option("hero")
        page.locator(".point").nth(5).wait_for()
        table.add_row("dragging a point: work of the page per move", f"{drag_work(page):.1f} ms")
        for name, frames in frame_rows(page, running, clip):
            table.add_row(f"{name} (60 wanted)", str(frames))
        flashing = running.upload(flash_clip(Path(folder) / "flashes.mp4"))["id"]
        for speed in SOUND_SPEEDS:
            offsets = sound_offsets(browser, running.url, flashing, speed)
            table.add_row(f"picture after its sound at {speed:g}x", text_of(offsets))
        for name, path in format_clips(Path(folder)).items():
            waited = _picture_after_proxy(browser, running, running.upload(path)["id"])
            table.add_row(f"{name}: picture after its proxy is ready (3 s at most)", f"{waited:.2f} s")
        for hash_ in ("#/", f"#/clip/{clip}", f"#/clip/{clip}/{TOOL}", f"#/pipelines?clip={clip}"):
            page.goto(f"{running.url}/{hash_}")
            page.locator("main :is(.cards, .panel, .pipeline-main)").first.wait_for()
            table.add_row(f"axe violations at {hash_.replace(clip, 'ID')}", str(_violations(page)))
        browser.close()
    console.print(table)
    console.print(f"load after: {os.getloadavg()[0]:.1f}")


def _first_visit(browser: Any, url: str) -> float:
    """Open the studio in a new profile; return the seconds until it is usable.

    Usable: the clips are on the screen, and files can be added.
    """
    context = browser.new_context()
    page = context.new_page()
    page.add_init_script(MARK)
    page.goto(url)
    page.locator(USABLE).wait_for()
    page.wait_for_timeout(SETTLED_MS)
    took = float(page.evaluate("performance.getEntriesByName('usable')[0].startTime")) / 1000
    context.close()
    return took


def _played(page: Any, url: str, clip: str, speed: float) -> str:
    """Play a clip at a constant speed; return the page's text about late frames."""
    page.goto(f"{url}/#/")
    draft = json.dumps({"params": {"curve": [{"t": 0, "speed": speed}]}, "inputs": {}, "preset": None})
    page.evaluate("([key, draft]) => sessionStorage.setItem(key, draft)", [f"reelwright-draft {clip} {TOOL}", draft])
    page.goto(f"{url}/#/clip/{clip}/{TOOL}")
    page.reload()
    page.get_by_text("Measuring the motion").wait_for(state="detached")
    while not page.evaluate("document.querySelector('clip-viewer')?.duration > 0"):  # the page's policy allows no `wait_for_function`
        page.wait_for_timeout(POLL_MS)
    if speed < 1:
        page.evaluate("(part) => { const viewer = document.querySelector('clip-viewer'); viewer.seek(part * viewer.duration); }", PART)
    page.get_by_role("button", name="Play the ramp").click()
    text = page.get_by_text("on time", exact=False)
    text.wait_for()
    return str(text.inner_text())


def _hashing(page: Any, folder: Path, size: int) -> float:
    """Return the MB/s at which the page's worker hashes a file of `size` bytes."""
    path = folder / f"{size}.bin"
    with path.open("wb") as file:
        file.truncate(size)
    main = page.evaluate("document.querySelector('script[src$=\"main.js\"]').src")
    page.evaluate("document.body.append(Object.assign(document.createElement('input'), { type: 'file', id: 'hashed' }))")
    page.locator("#hashed").set_input_files(path)
    took_s = page.evaluate(
        """(main) => new Promise((resolve) => {
          const worker = new Worker(new URL("server/hash_worker.js", main), { type: "module" });
          const began = performance.now();
          worker.onmessage = ({ data }) => data.sha256 && resolve((performance.now() - began) / 1000);
          worker.postMessage(document.querySelector("#hashed").files[0]);
        })""",
        main,
    )
    page.evaluate("document.querySelector('#hashed').remove()")
    return float(size / 1e6 / took_s)


def _picture_after_proxy(browser: Any, running: RunningSuite, clip: str) -> float:
    """Open a clip; return the seconds from its proxy's completion to its first picture.

    They count from the moment that the proxy is ready until the picture is on the page. 0 if the picture is there first.
    """
    context = browser.new_context()
    page = context.new_page()
    page.goto(f"{running.url}/#/clip/{clip}")
    ready, shown = 0.0, 0.0
    while not (ready and shown):
        now = time.monotonic()
        if not ready and running.client.get(f"/v1/media/{clip}/proxy").status_code == 200:
            ready = now
        if not shown and page.evaluate("document.querySelector('video.clip')?.readyState >= 2"):
            shown = now
        page.wait_for_timeout(POLL_MS)
    context.close()
    return max(0.0, shown - ready)


def _violations(page: Any) -> int:
    """Return the number of accessibility violations that axe reports for the page."""
    from axe_playwright_python.sync_playwright import Axe

    return len(Axe().run(page).response["violations"])


if __name__ == "__main__":
    main()
