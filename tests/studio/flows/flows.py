"""The studio's flow for each operation: prepare the tool, inspect the result, download."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest

from shared.video import probe_video
from tests.services.background.diffusion.tiny_diffusion import write_pipeline
from tests.studio.acting import Hand, Way, middle_of, until, violations_of

Step = Callable[[Any, Hand], None]
Setting = tuple[str, str, Way]
"""Size of the screen, colour scheme, and way of using the page."""

EVERY_SETTING: tuple[Setting, ...] = (
    ("phone", "light", "touch"),
    ("phone", "dark", "touch"),
    ("tablet", "light", "touch"),
    ("tablet", "dark", "keyboard"),
    ("desktop", "light", "keyboard"),
    ("desktop", "dark", "mouse"),
)


def button(page: Any, name: str, **options: Any) -> Any:
    return page.get_by_role("button", name=name, exact=True, **options).first


def choose_card(title: str) -> Step:
    """Return a step that chooses the preset card `title`."""

    def step(page: Any, hand: Hand) -> None:
        card = page.locator("button.preset-card", has_text=title).first
        hand.press(card)
        until(page, "document.querySelector('button.preset-card[aria-pressed=true]') !== null")

    return step


def shape_curve(page: Any, hand: Hand) -> None:
    """Choose a curve preset and move a point of the curve."""
    hand.choose(page.get_by_label("Curve", exact=True), "Hero")
    point = page.locator(".point").nth(2)
    point.wait_for()
    figures = page.locator(".bench-figures").inner_text()
    if hand.way == "keyboard":
        hand.reach(point)
        page.keyboard.press("Shift+ArrowDown")
    else:
        x, y = middle_of(point)
        hand.drag((x, y), (x, y + 12))
    until(page, f"document.querySelector('.bench-figures').innerText !== {figures!r}")


def compare(page: Any, hand: Hand) -> None:
    """Compare source and result in all viewer modes."""
    for mode in ("Wipe", "Side by side", "Difference"):
        hand.press(button(page, mode))
        until(page, "document.querySelector('.fit canvas')?.dataset.frame !== undefined")
    assert violations_of(page) == []


def pick_frames(page: Any, hand: Hand) -> None:
    """Pick a frame in addition to the detected keyframes."""
    until(page, "document.querySelector('.fit canvas')?.dataset.frame !== undefined")
    hand.press(button(page, "Next frame"))
    hand.press(button(page, "Pick this frame"))


def look_at_a_picture(page: Any, hand: Hand) -> None:
    """Open a result picture and close it again."""
    hand.press(page.locator(".picture-tile").first)
    hand.press(page.get_by_role("dialog").get_by_role("button", name="Next"))
    hand.press(page.get_by_role("dialog").get_by_role("button", name="Close"))


def choose_medium(page: Any, hand: Hand, title: str, name: str) -> None:
    """Choose a medium for the input `title`, also where newer media hide it at first."""
    group = page.get_by_role("group", name=title, exact=True)
    group.locator(".choice.add").first.wait_for()
    if not group.get_by_role("button", name=name).count():
        hand.press(group.get_by_role("button", name=re.compile("more$", re.IGNORECASE)))
    hand.press(group.get_by_role("button", name=name))


def give_matte(page: Any, hand: Hand) -> None:
    """Choose an existing matte in place of a generated one; wait for the composite."""
    hand.press(page.get_by_role("checkbox", name="Make it automatically"), key="Space")
    choose_medium(page, hand, "Matte", "sample matte.mp4")
    until(page, "document.querySelector('.composite-canvas') !== null")


def give_matte_and_background(page: Any, hand: Hand) -> None:
    """Choose a matte, a background and the preset that needs no depth model."""
    choose_card("Flat")(page, hand)
    give_matte(page, hand)
    choose_medium(page, hand, "Background", "sample plate.png")


def subtract_the_plate(page: Any, hand: Hand) -> None:
    """Choose a clean plate and the backend Difference."""
    hand.press(page.locator("details", has_text="The scene without the subject.").first.locator("summary"))
    choose_medium(page, hand, "Clean plate", "sample plate.png")
    hand.choose(page.get_by_label("Backend", exact=True).first, "Clean plate")


def show_matte(page: Any, hand: Hand) -> None:
    """Look at the matte in all viewer modes."""
    for mode in ("Cut-out", "Matte", "Colour", "Overlay"):
        hand.press(button(page, mode))
        until(page, "document.querySelector('.fit canvas')?.dataset.frame !== undefined")


def mark_the_subject(page: Any, hand: Hand) -> None:
    """Click on the subject, wait for its mask, and use the clicks."""
    hand.press(button(page, "Add"))
    overlay = page.locator(".mask-overlay")
    overlay.wait_for()
    if hand.way == "keyboard":
        until(page, "document.activeElement.className === 'mask-overlay'")
        page.keyboard.press("ArrowDown")
        page.keyboard.press("Space")
    elif hand.way == "touch":
        page.touchscreen.tap(*middle_of(overlay))
    else:
        page.mouse.click(*middle_of(overlay))
    use = page.get_by_role("button", name="Use these clicks")
    until(page, "document.querySelector('.mask-bench button.primary')?.disabled === false")
    hand.press(use)


def see_the_request(page: Any, hand: Hand) -> None:
    """Show the form's request as curl, Python and command line."""
    choose_card("Small")(page, hand)
    for tab, text in (("curl", '"height":360'), ("Python", "height=360"), ("CLI", "--height 360")):
        hand.press(page.get_by_role("tab", name=tab, exact=True))
        page.locator(".code-block pre", has_text=text).wait_for()
    hand.press(page.get_by_role("tab", name="Form"))


def take_pipeline(page: Any, hand: Hand) -> None:
    """Choose a preset pipeline and wait until its check succeeds."""
    hand.press(page.get_by_role("button", name="A speed ramp with motion trails", exact=False))
    page.get_by_text("All steps are valid.").wait_for()


def steps_are_done(page: Any, hand: Hand) -> None:
    page.locator(".step.succeeded, .step.cached").nth(1).wait_for()
    page.locator(".step img").first.wait_for()  # finished steps show their picture


def write_moments(page: Any, hand: Hand) -> None:
    """Enter two moments of one second each."""
    for number, time in ((1, "1"), (2, "4.5")):
        hand.press(page.get_by_role("group", name="Moments").get_by_role("button", name="Add", exact=True))
        hand.fill(page.get_by_label(f"Time {number}", exact=True), time)
    hand.fill(page.get_by_role("spinbutton", name="Seconds of each"), "1")


def rate_without_network(page: Any, hand: Hand) -> None:
    """Rate pictures by their technical quality, which needs no weights."""
    hand.check(page.get_by_role("radio", name="Technical quality"))


def compare_with_the_plate(page: Any, hand: Hand) -> None:
    """Select only the backend "Clean plate", and choose a plate."""
    for name in ("Clean plate", "People, fast", "Anything, light"):
        hand.press(page.locator("button.chip", has_text=name).first)
    hand.press(page.locator("details", has_text="The scene without the subject.").first.locator("summary"))
    choose_medium(page, hand, "Clean plate", "sample plate.png")


def give_plain_matte(page: Any, hand: Hand) -> None:
    """Choose an existing matte in place of a generated one."""
    hand.press(page.get_by_role("checkbox", name="Make it automatically"), key="Space")
    choose_medium(page, hand, "Matte", "sample matte.mp4")


def describe_the_background(page: Any, hand: Hand) -> None:
    """Describe a background and paint it small, in few steps."""
    give_plain_matte(page, hand)
    hand.fill(page.get_by_label("Description", exact=True), "a beach")
    more = page.locator("details", has_text="Steps").first.locator("summary")
    hand.press(more)
    hand.fill(page.get_by_label("Steps", exact=True).first, "2")
    hand.fill(page.get_by_label("Largest height", exact=True).first, "96")


def read_the_curve(page: Any, hand: Hand) -> None:
    """Check the measured curve in the JSON of the job, which makes no file."""
    page.get_by_text("This tool makes no file", exact=False).wait_for()
    hand.press(page.locator("summary", has_text="Job as JSON"))
    text = page.locator("details", has_text="Job as JSON").locator("pre").last
    text.wait_for()
    result = json.loads(text.inner_text())["result"]
    assert len(result["curve"]) > 2
    assert {point["speed"] for point in result["curve"]} != {1}
    assert result["duration_s"] == pytest.approx(6, abs=0.1)
    shown = {
        name.inner_text(): value.inner_text()
        for name, value in zip(page.locator(".figures dt").all(), page.locator(".figures dd").all(), strict=True)
    }
    assert "→" in shown["Length"]


def nothing(_page: Any, _hand: Hand) -> None:
    pass


def is_video(path: Path) -> bool:
    return float(probe_video(path).duration_s) > 1


def is_longer(path: Path) -> bool:
    return float(probe_video(path).duration_s) > 7


def has_pictures(path: Path) -> bool:
    with ZipFile(path) as file:
        return any(name.endswith((".png", ".jpg")) for name in file.namelist())


def has_picks(path: Path) -> bool:
    with ZipFile(path) as file:
        return {"keyframes.csv", "shots.edl"} < set(file.namelist())


def is_picture(path: Path) -> bool:
    return path.suffix == ".png" and path.stat().st_size > 100


def is_reel_of_two(path: Path) -> bool:
    return abs(float(probe_video(path).duration_s) - 2) < 0.15


def has_six_pictures(path: Path) -> bool:
    with ZipFile(path) as file:
        return len(file.namelist()) == 6


def has_timelines(path: Path) -> bool:
    with ZipFile(path) as file:
        return {"curve.fcpxml", "curve.otio", "curve.edl"} <= set(file.namelist())


@dataclass(frozen=True, kw_only=True)
class Flow:
    """One path to a result: tool, preparation, inspection, download.

    `download`: name of the link or button that downloads; empty if the tool makes no file. `settings`: screen sizes, colour schemes and
    ways. `refusals`: answers that the page may log. `weights`: writes the weights that the tool needs into a models folder; the page says
    that they are missing before.
    """

    tool: str
    prepare: Step = nothing
    look: Step = nothing
    is_right: Callable[[Path], bool] = is_video
    download: str = "Download"
    settings: tuple[Setting, ...] = EVERY_SETTING
    refusals: tuple[str, ...] = ()
    weights: Callable[[Path], None] | None = None


NETWORKS = ("503", "Canvas2D")
"""Answers that a page may log because no networks are installed. The check of a request that needs a network is refused."""

FLOWS = {
    "ramp": Flow(tool="speed-ramp.render", prepare=shape_curve, look=compare, is_right=is_longer),
    "trails": Flow(tool="effects.motion-trails", prepare=choose_card("Echo")),
    "strobe": Flow(tool="effects.strobe", prepare=choose_card("Few steps")),
    "keyframes": Flow(
        tool="keyframes.detect", prepare=choose_card("All cuts"), look=pick_frames, is_right=has_picks, download="Download these"
    ),
    "stills": Flow(
        tool="aesthetics.best-frames", prepare=choose_card("Many to choose from"), look=look_at_a_picture, is_right=has_pictures
    ),
    "matte": Flow(tool="matting.matte", prepare=subtract_the_plate, look=show_matte, refusals=NETWORKS),
    "mask": Flow(tool="matting.mask", prepare=mark_the_subject, is_right=is_picture, refusals=NETWORKS),
    "composite": Flow(tool="background.composite", prepare=give_matte, refusals=NETWORKS),
    "studio": Flow(tool="background.studio", prepare=give_matte_and_background, refusals=(*NETWORKS, "422")),  # without a background, too
    "convert": Flow(tool="media.transcode", prepare=see_the_request),
    "pipeline": Flow(tool="pipelines", prepare=take_pipeline, look=steps_are_done),
    "reel": Flow(
        tool="media.reel",
        prepare=write_moments,
        look=compare,
        is_right=is_reel_of_two,
        refusals=("422",),
    ),
    "curve": Flow(tool="speed-ramp.analyze", look=read_the_curve, download=""),
    "handover": Flow(
        tool="speed-ramp.export",
        prepare=shape_curve,
        is_right=has_timelines,
        download="Download Files",
    ),
    "pictures": Flow(
        tool="aesthetics.top-images",
        prepare=rate_without_network,
        is_right=has_pictures,
        refusals=("503",),
    ),
    "frames": Flow(tool="aesthetics.extract-frames", look=look_at_a_picture, is_right=has_six_pictures),
    "backends": Flow(tool="matting.compare", prepare=compare_with_the_plate, refusals=(*NETWORKS, "422")),
    "plate": Flow(tool="background.plate", prepare=give_plain_matte, is_right=is_picture, refusals=NETWORKS),
    "painting": Flow(
        tool="background.generate",
        prepare=describe_the_background,
        is_right=is_picture,
        settings=(("desktop", "light", "mouse"),),  # its network of random weights takes minutes; "studio" has the same kinds of fields
        refusals=(*NETWORKS, "422"),
        weights=lambda models: write_pipeline(models / "sd15-inpainting"),
    ),
}
