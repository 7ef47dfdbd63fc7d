"""Take screenshots of every studio screen.

`make studio-shots` takes the pictures of `docs/studio/` on real clips; with a model in `REELWRIGHT_MODELS_DIR`, also those of cut-outs.
`python -m docs.studio_shots FOLDER` takes pictures of each screen in the sizes of a phone and a desktop, light and dark, for review.
"""

import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import cv2
from playwright.sync_api import Browser, Page, sync_playwright

from benchmarks.material.clips import sample_clip
from benchmarks.material.drawn_scene import evening
from shared.testing import RunningSuite, suite

FOLDER = Path(__file__).parent / "studio"
CHROMIUM = os.environ.get("REELWRIGHT_CHROMIUM") or shutil.which("chromium")
MODELS = os.environ.get("REELWRIGHT_MODELS_DIR")
SIZES = {"phone": (390, 844), "desktop": (1360, 850)}
PATIENCE_MS = 180_000  # longest wait, in milliseconds, for the screen of a screenshot
SETTLED_MS = 2500  # wait, in milliseconds, before a screenshot, so that the screen comes to rest
Scheme = Literal["light", "dark"]


@dataclass(frozen=True, kw_only=True)
class Shot:
    """A screenshot to take of a studio screen.

    `address`: address of the screen within the studio. `before`: steps on the page before the screenshot.
    """

    name: str
    address: str
    size: str = "desktop"
    scheme: Scheme = "light"
    before: Callable[[Page], object] = lambda _page: None


@dataclass(frozen=True, kw_only=True)
class Ids:
    """Ids of the media and jobs that the screens show.

    `matte` is the ended matting job; None without a model.
    """

    clip: str
    person: str
    scene: str
    ramped: str
    picked: str
    stills: str
    matte: dict[str, Any] | None


def wait_until(page: Page, expression: str) -> None:
    """Wait until a JavaScript expression is true, for PATIENCE_MS at most.

    Playwright's own wait needs `eval`, which the page's policy forbids.
    """
    deadline = time.monotonic() + PATIENCE_MS / 1000
    while not page.evaluate(expression) and time.monotonic() < deadline:
        page.wait_for_timeout(200)


def wait_for_previews(page: Page) -> None:
    """Wait until all visible cards show their previews."""
    page.wait_for_timeout(SETTLED_MS)
    wait_until(page, "!document.querySelector('.preset-state .spinner')")


def wait_for_examples(page: Page) -> None:
    """Wait until an empty library shows its example results."""
    wait_until(page, "document.querySelectorAll('.welcome-examples a[href^=\"#/job/\"]').length >= 3")


def choose_curve(page: Page) -> None:
    """Choose the curve preset "hero"; wait for the graph of motion behind the curve."""
    page.get_by_label("Curve", exact=True).select_option("hero")
    wait_until(page, "Boolean(document.querySelector('.curve-field .motion'))")
    wait_for_previews(page)


def show_mode(mode: str) -> Callable[[Page], None]:
    """Return a step that compares source and result in the viewer mode `mode`."""

    def step(page: Page) -> None:
        page.get_by_role("button", name=mode, exact=True).click(timeout=PATIENCE_MS)
        show_frame(page)
        page.locator(".scrub").fill("1.0")

    return step


def show_frame(page: Page) -> None:
    """Wait until the canvas shows a frame."""
    wait_until(page, "Boolean(document.querySelector('.fit canvas')?.dataset.frame)")


def click_subject(page: Page) -> None:
    """Click on the subject and wait for its mask."""
    page.get_by_role("button", name="Add", exact=True).click()
    overlay = page.locator(".mask-overlay")
    overlay.wait_for()
    overlay.scroll_into_view_if_needed()
    box = overlay.bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + 0.45 * box["width"], box["y"] + 0.45 * box["height"])
    wait_until(page, "!document.querySelector('.mask-bench .spinner')")


def choose_background(page: Page) -> None:
    """Choose a matte and a background; wait for the composite."""
    make_first = page.get_by_role("checkbox", name="Make it automatically")
    if make_first.is_checked():
        make_first.dispatch_event("click")
    page.get_by_role("group", name="Matte").locator("button.choice").first.dispatch_event("click")
    page.get_by_role("group", name="Background", exact=True).get_by_role("button", name="evening").dispatch_event("click")
    wait_until(page, "Boolean(document.querySelector('.composite-canvas'))")
    page.evaluate("scrollTo(0, 0)")


def shape_step(page: Page) -> None:
    """Open the settings of the first step and choose a curve for it."""
    page.get_by_role("button", name="A speed ramp with motion trails").click()
    step = page.get_by_role("article", name="Step 1")
    step.locator("summary").first.click()
    step.get_by_label("Curve", exact=True).select_option("hero")
    page.get_by_text("All steps are valid.").wait_for()
    wait_until(page, "Boolean(document.querySelector('curve-editor')?.strip)")
    step.locator("curve-field").evaluate("(field) => field.scrollIntoView({ block: 'center' })")


def open_jobs(page: Page) -> None:
    """Open the drawer of jobs."""
    page.locator(".jobs-button").click()


def first_run() -> tuple[Shot, ...]:
    """Return the screenshots to take of an empty library."""
    return (
        Shot(name="welcome", address="", before=wait_for_examples),
        Shot(name="welcome-phone", address="", size="phone", scheme="dark", before=wait_for_examples),
    )


def shots(ids: Ids) -> Iterator[Shot]:
    """Yield the screenshots to take of a library with clips."""
    clip = ids.clip
    yield Shot(name="library", address="")
    yield Shot(name="clip", address=f"#/clip/{clip}", scheme="dark", before=wait_for_previews)
    yield Shot(name="clip-phone", address=f"#/clip/{clip}", size="phone", before=wait_for_previews)
    yield Shot(name="tool", address=f"#/clip/{clip}/effects.motion-trails", before=wait_for_previews)
    yield Shot(name="tool-phone", address=f"#/clip/{clip}/effects.motion-trails", size="phone", scheme="dark", before=wait_for_previews)
    yield Shot(name="ramp", address=f"#/clip/{clip}/speed-ramp.render", scheme="dark", before=choose_curve)
    yield Shot(name="result", address=f"#/job/{ids.ramped}", before=show_mode("Wipe"))
    yield Shot(name="mask", address=f"#/clip/{ids.person}/matting.mask", before=click_subject)
    if ids.matte:
        yield Shot(name="matte", address=f"#/job/{ids.matte['id']}", scheme="dark", before=show_mode("Cut-out"))
        yield Shot(name="composite", address=f"#/clip/{ids.person}/background.studio", before=choose_background)
    yield Shot(name="keyframes", address=f"#/job/{ids.picked}", scheme="dark", before=show_frame)
    yield Shot(name="stills", address=f"#/job/{ids.stills}")
    yield Shot(name="pipelines", address=f"#/pipelines?clip={clip}", before=shape_step)
    yield Shot(name="jobs", address="", scheme="dark", before=open_jobs)


def variants(originals: Iterable[Shot]) -> Iterator[Shot]:
    """Yield each given Shot at both sizes and in both colour schemes."""
    schemes: tuple[Scheme, ...] = ("light", "dark")
    screens = {shot.name.removesuffix("-phone"): shot for shot in originals}
    for name, shot in screens.items():
        for size in SIZES:
            for scheme in schemes:
                yield replace(shot, name=f"{name}-{size}-{scheme}", size=size, scheme=scheme)


def take(browser: Browser, url: str, shot: Shot, path: Path) -> None:
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
    page.screenshot(path=path, **({"type": "jpeg", "quality": 80} if path.suffix == ".jpg" else {}))
    context.close()
    print(path.name)


def prepare(running: RunningSuite, folder: Path) -> Ids:
    """Upload the clips and run the jobs that the screens show.

    Returns their ids.
    """
    clip = running.upload(sample_clip("bikes.mp4"))["id"]
    person = running.upload(sample_clip("carphone_pristine.mp4"))["id"]
    evening_file = folder / "evening.png"
    cv2.imwrite(str(evening_file), evening())
    jobs = {
        "ramped": running.start("speed-ramp.render", {"video": clip}, {"min_speed": 0.3, "max_speed": 3}),
        "picked": running.start("keyframes.detect", {"video": clip}),
        "stills": running.start("aesthetics.best-frames", {"video": clip}, {"scorer": "technical"}),
    }
    if MODELS:
        jobs["matte"] = running.start("matting.matte", {"video": person}, {"backend": "rvm"})
    ended = {name: running.wait(job["id"], timeout_s=600) for name, job in jobs.items()}
    return Ids(
        clip=clip,
        person=person,
        scene=running.upload(evening_file)["id"],
        ramped=ended["ramped"]["id"],
        picked=ended["picked"]["id"],
        stills=ended["stills"]["id"],
        matte=ended.get("matte"),
    )


def main() -> None:
    """Start a suite and take all screenshots."""
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER
    is_review = target != FOLDER
    suffix = ".png" if is_review else ".jpg"
    target.mkdir(exist_ok=True)
    settings = {"MODELS_DIR": str(Path(MODELS).resolve())} if MODELS else {}
    with tempfile.TemporaryDirectory() as folder, suite(Path(folder) / "data", **settings) as running, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])

        def take_all(batch: Iterable[Shot]) -> None:
            for shot in variants(batch) if is_review else batch:
                take(browser, running.url, shot, target / f"{shot.name}{suffix}")

        take_all(first_run())
        take_all(shots(prepare(running, Path(folder))))
        browser.close()


if __name__ == "__main__":
    main()
