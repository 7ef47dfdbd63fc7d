"""Take screenshots of every studio screen, into `docs/studio/`.

On a real clip; `make studio-shots`.
"""

import os
import shutil
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from playwright.sync_api import Browser, Page, sync_playwright

from benchmarks.material.clips import sample_clip
from shared.testing import RunningSuite, suite

FOLDER = Path(__file__).parent / "studio"
CHROMIUM = os.environ.get("REELWRIGHT_CHROMIUM") or shutil.which("chromium")
SIZES = {"phone": (390, 844), "desktop": (1360, 850)}
PATIENCE_MS = 180_000
SETTLED_MS = 2500


@dataclass(frozen=True, kw_only=True)
class Shot:
    """A screenshot of the studio.

    Where, at which size and in which scheme, and what is done before it is taken.
    """

    name: str
    address: str
    size: str = "desktop"
    scheme: Literal["light", "dark"] = "light"
    before: Callable[[Page], object] = lambda _page: None


def wait_until(page: Page, expression: str) -> None:
    """Wait until a JavaScript expression is true.

    Playwright's own wait needs `eval`, which the page's policy forbids.
    """
    deadline = time.monotonic() + PATIENCE_MS / 1000
    while not page.evaluate(expression) and time.monotonic() < deadline:
        page.wait_for_timeout(200)


def wait_for_previews(page: Page) -> None:
    """Wait until all visible cards show their previews."""
    page.wait_for_timeout(SETTLED_MS)
    wait_until(page, "!document.querySelector('.preset-state')")


def choose_curve(page: Page) -> None:
    """Choose the curve preset "hero" and wait for its motion."""
    page.get_by_label("Curve", exact=True).select_option("hero")
    wait_until(page, "Boolean(document.querySelector('.curve-field .motion'))")


def show_wipe(page: Page) -> None:
    """Compare the source and the result with the wipe view."""
    page.get_by_role("button", name="Wipe").click(timeout=PATIENCE_MS)
    page.locator(".scrub").fill("1.0")


def show_frame(page: Page) -> None:
    """Wait until a keyframe is shown."""
    wait_until(page, "Boolean(document.querySelector('.fit canvas')?.dataset.frame)")


def shots(clip: str, job: str, picked: str) -> tuple[Shot, ...]:
    """Return the list of screenshots to take."""
    return (
        Shot(name="library", address=""),
        Shot(name="clip", address=f"#/clip/{clip}", scheme="dark", before=wait_for_previews),
        Shot(name="clip-phone", address=f"#/clip/{clip}", size="phone"),
        Shot(name="tool-phone", address=f"#/clip/{clip}/effects.motion-trails", size="phone", scheme="dark"),
        Shot(name="ramp", address=f"#/clip/{clip}/speed-ramp.render", scheme="dark", before=choose_curve),
        Shot(name="result", address=f"#/job/{job}", before=show_wipe),
        Shot(
            name="mask",
            address=f"#/clip/{clip}/matting.mask",
            before=lambda page: page.get_by_role("button", name="Add", exact=True).click(),
        ),
        Shot(name="keyframes", address=f"#/job/{picked}", scheme="dark", before=show_frame),
        Shot(name="pipelines", address=f"#/pipelines?clip={clip}"),
        Shot(name="jobs", address="", scheme="dark", before=lambda page: page.get_by_role("button", name="Jobs").click()),
    )


def take(browser: Browser, url: str, shot: Shot) -> None:
    """Open the screen of `shot` and save a screenshot of it."""
    width, height = SIZES[shot.size]
    is_phone = shot.size == "phone"
    context = browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme=shot.scheme,
        is_mobile=is_phone,
        has_touch=is_phone,
    )
    page = context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    page.goto(f"{url}/{shot.address}")
    page.locator("main :is(.cards, .panel, .pipeline-main)").first.wait_for()
    shot.before(page)
    page.wait_for_timeout(SETTLED_MS)
    page.screenshot(path=FOLDER / f"{shot.name}.jpg", type="jpeg", quality=80)
    context.close()
    print(shot.name)


def prepare(running: RunningSuite) -> tuple[str, str, str]:
    """Upload the clip, render a ramp of it, and find its keyframes.

    Returns the ids of the medium and of both jobs.
    """
    clip = running.upload(sample_clip("bikes.mp4"))["id"]
    job: dict[str, Any] = running.start("speed-ramp.render", {"video": clip}, {"min_speed": 0.3, "max_speed": 3})
    picked = running.start("keyframes.detect", {"video": clip})
    return clip, running.wait(job["id"], timeout_s=600)["id"], running.wait(picked["id"], timeout_s=600)["id"]


def main() -> None:
    """Start a suite and take all screenshots."""
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, suite(Path(folder)) as running, sync_playwright() as playwright:
        ids = prepare(running)
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        for shot in shots(*ids):
            take(browser, running.url, shot)
        browser.close()


if __name__ == "__main__":
    main()
