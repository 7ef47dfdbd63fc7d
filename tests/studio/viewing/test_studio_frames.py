"""Frames of clips with a varying rate: steps land on source frames.

Frame numbers are the source's.
"""

from collections.abc import Callable
from typing import Any

import pytest

from shared.video import probe_video
from tests.studio.acting import until
from tests.studio.conftest import Restartable
from tests.studio.viewing.numbered_clips import NUMBER_OF, numbered_clip

pytestmark = [pytest.mark.studio, pytest.mark.timeout(900)]
Opener = Callable[..., Any]
VARYING = ",".join(
    (
        r"select='not(between(n\,40\,69))*(lt(n\,80)+not(mod(n\,3)))'",  # a gap of a second, and a third of the rate at the end
        "settb=1/1000",
        r"setpts='if(between(N\,10\,14)\,(10/30+(N-10)*0.01)/TB\,PTS+0.006*mod(N\,3)/TB)'",  # a burst, and uneven times
    )
)
BEHIND_GAP = 40
SHOWN = f"""(() => {{
  const fit = document.querySelector(".fit");
  const picture = fit.querySelector(".exact img") ?? fit.querySelector("video.clip");
  if (picture.matches("img") && !picture.complete) return -1;
  const canvas = Object.assign(document.createElement("canvas"), {{ width: 320, height: 180 }});
  canvas.getContext("2d").drawImage(picture, 0, 0, 320, 180);
  return ({NUMBER_OF})(canvas, 0, 320);
}})()"""


@pytest.fixture(scope="module", params=["mp4", "mkv"])
def varying(request: pytest.FixtureRequest, studio: Restartable, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Upload a clip of varying rate whose frames show their numbers.

    Browsers play the MP4 file; of the Matroska file they get the proxy, which leaves out frames of the burst.
    """
    clip = numbered_clip(tmp_path_factory.mktemp("varying") / f"varying.{request.param}", choice=VARYING)
    assert probe_video(clip).variable_frame_rate
    return str(studio.suite.upload(clip)["id"])


def opened(open_page: Opener, clip: str, tool: str = "") -> Any:
    """Open a clip and wait until its frames have numbers."""
    page = open_page(f"#/clip/{clip}{tool}", refusals=("Canvas2D", "503"))  # the test reads the canvas
    page.locator(".timecode", has_text="frame 0").wait_for()
    until(page, "document.querySelector('video.clip')?.readyState >= 2")
    return page


def shows(page: Any, number: int) -> None:
    """Wait until the viewer shows a frame: its picture and its number."""
    until(page, f"{SHOWN} === {number}", seconds=60)
    page.locator(".timecode", has_text=f"frame {number}").wait_for()


def test_steps_land_on_every_source_frame(open_page: Opener, varying: str) -> None:
    page = opened(open_page, varying)
    shows(page, 0)
    for number in range(1, 18):
        page.keyboard.press("ArrowRight")
        shows(page, number)
    for number in range(16, 7, -1):
        page.keyboard.press("ArrowLeft")
        shows(page, number)
    for number in (18, 28, 38):
        page.keyboard.press("Shift+ArrowRight")
        shows(page, number)
    for number in (39, BEHIND_GAP, BEHIND_GAP + 1):
        page.keyboard.press("ArrowRight")
        shows(page, number)
    for number in (BEHIND_GAP, 39, 38):
        page.get_by_role("button", name="Previous frame").click()
        shows(page, number)
    page.keyboard.press("End")
    shows(page, 62)
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowLeft")
    shows(page, 61)
    page.keyboard.press("Home")
    shows(page, 0)


def test_frame_fields_show_and_take_source_numbers(open_page: Opener, varying: str) -> None:
    page = opened(open_page, varying, "/matting.mask")
    page.locator("summary", has_text="More").click()
    field = page.get_by_label("Frame", exact=True)
    for number in (BEHIND_GAP, 12):
        field.fill(str(number))
        field.blur()
        shows(page, number)
    page.locator(".stage").click(position={"x": 3, "y": 3})
    page.keyboard.press("ArrowRight")
    shows(page, 13)
    page.get_by_role("button", name="Use the playhead position (frame 13)").click()
    assert field.input_value() == "13"


def test_places_are_marked_on_the_frame_of_a_time(open_page: Opener, varying: str) -> None:
    page = open_page(f"#/pipelines?clip={varying}", refusals=("503",))
    page.get_by_role("button", name="Empty your own steps").click()
    page.get_by_label("Add a step").select_option("matting.mask")
    page.locator("summary", has_text="Settings").click()
    for time, number in (("2.0", BEHIND_GAP - 1), ("2.36", BEHIND_GAP), ("0", 0)):
        field = page.get_by_label("Time", exact=True)
        field.fill(time)
        field.blur()
        until(page, f"document.querySelector('.mark-picture img')?.src.endsWith('/frame?n={number}')")


def test_keys_play_and_fill_the_screen(open_page: Opener, varying: str) -> None:
    page = opened(open_page, varying)
    playing = "!document.querySelector('video.clip').paused"
    page.keyboard.press(" ")
    until(page, playing)
    until(page, "document.querySelector('video.clip').currentTime > 0.2")
    page.keyboard.press(" ")
    until(page, f"!({playing})")
    page.keyboard.press("Home")
    shows(page, 0)
    page.keyboard.press("l")
    until(page, f"{playing} && document.querySelector('video.clip').playbackRate === 1")
    page.keyboard.press("l")
    until(page, "document.querySelector('video.clip').playbackRate === 2")
    page.keyboard.press("k")
    until(page, f"!({playing})")
    page.keyboard.press("End")
    shows(page, 62)
    page.keyboard.press("j")
    until(page, f"document.querySelector('clip-viewer').number < {BEHIND_GAP}")  # backwards over the gap
    page.keyboard.press("k")
    until(page, f"{SHOWN} === document.querySelector('clip-viewer').number")
    page.keyboard.press("f")
    until(page, "document.fullscreenElement?.matches('.stage') ?? false")
    page.keyboard.press("f")
    until(page, "document.fullscreenElement === null")
