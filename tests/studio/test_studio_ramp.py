"""The studio's speed ramp: the curve, and the frames it plays."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import pytest

from benchmarks.material.clips import ffmpeg
from shared.sample_ids import SAMPLE_ID
from tests.studio.acting import until, violations_of
from tests.studio.conftest import Restartable

pytestmark = [pytest.mark.studio, pytest.mark.timeout(900)]
Opener = Callable[..., Any]
RAMP = "speed-ramp.render"
CURVE = [
    {"t": 0, "speed": 16},
    {"t": 1, "speed": 4, "easing": "smooth"},
    {"t": 2, "speed": 0.25, "easing": "smooth"},
    {"t": 3, "speed": 0.5, "freeze": 0.3},
    {"t": 3.5, "speed": 2},
]
BITS, STRIPE, HEIGHT = 8, 40, 180
"""A frame's number is drawn as white and black stripes, the lowest bit on the left."""
NUMBER_OF = f"""(canvas, from, width) => {{
  const {{ data }} = canvas.getContext("2d").getImageData(from, canvas.height / 2, width, 1);
  const bit = (at) => (data[4 * Math.floor((width * (at + 0.5)) / {BITS})] > 128 ? 2 ** at : 0);
  return Array.from({{ length: {BITS} }}, (_, at) => bit(at)).reduce((sum, value) => sum + value);
}}"""
READ_COMPARED = f"""() => {{
  const numberOf = {NUMBER_OF};
  const canvas = document.querySelector(".fit canvas");
  const {{ width }} = canvas;
  const [left, right] = [numberOf(canvas, 0, width / 2), numberOf(canvas, width / 2, width / 2)];
  return {{ all: numberOf(canvas, 0, width), left, right }};
}}"""
READ_NUMBERS = f"""() => {{
  window.shown = {{}};
  const draw = CanvasRenderingContext2D.prototype.drawImage;
  CanvasRenderingContext2D.prototype.drawImage = function (...given) {{
    draw.apply(this, given);
    if (this.canvas.className === "ramp-canvas") window.shown[this.canvas.dataset.frame] = ({NUMBER_OF})(this.canvas, 0, this.canvas.width);
  }};
}}"""


def numbered_clip(path: Path) -> Path:
    """Write a clip of four seconds whose frames show their numbers."""
    boxes = ",".join(
        f"drawbox=x={STRIPE * bit}:w={STRIPE}:h={HEIGHT}:c=white:t=fill:enable='mod(floor(n/{2**bit})\\,2)'" for bit in range(BITS)
    )
    ffmpeg(
        "-f", "lavfi", "-i", f"color=black:s={STRIPE * BITS}x{HEIGHT}:r=30:d=4,{boxes}", "-c:v", "libx264", "-pix_fmt", "yuv420p", str(path)
    )
    return path


def numbers_in(path: Path) -> list[int]:
    """Read the frame numbers that a video shows."""
    numbers, video = [], cv2.VideoCapture(str(path))
    while (read := video.read())[0]:
        row = read[1][HEIGHT // 2, :, 0]
        numbers.append(sum(2**bit for bit in range(BITS) if row[STRIPE * bit + STRIPE // 2] > 128))
    return numbers


def test_a_ramp_is_edited_played_and_undone(open_page: Opener) -> None:
    page = open_page(f"#/clip/{SAMPLE_ID}/speed-ramp.render")
    page.get_by_label("Curve", exact=True).select_option("hero")
    page.locator(".point").nth(5).wait_for()
    figures = page.locator(".bench-figures").inner_text()
    page.locator(".point").nth(2).focus()
    page.keyboard.press("ArrowUp")
    assert page.locator(".bench-figures").inner_text() != figures
    page.get_by_role("button", name="Undo").click()
    assert page.locator(".bench-figures").inner_text() == figures
    page.get_by_role("button", name="Play the ramp").click()
    page.locator("canvas.ramp-canvas").wait_for()
    page.get_by_text("on time", exact=False).wait_for()
    page.reload()
    page.locator(".point").nth(5).wait_for()  # what was entered survives a reload
    assert violations_of(page) == []


def test_a_ramp_is_frozen_and_made_to_last_a_given_time(open_page: Opener) -> None:
    page = open_page(f"#/clip/{SAMPLE_ID}/speed-ramp.render")
    page.get_by_label("Curve", exact=True).select_option("montage")
    page.get_by_label("Length of the result in seconds").fill("12")
    page.keyboard.press("Tab")
    page.locator(".bench-figures", has_text="→ 12.0 s").wait_for()
    page.locator(".point").nth(1).focus()
    page.keyboard.press("Enter")
    page.get_by_label("Freeze", exact=False).fill("1.5")
    page.keyboard.press("Tab")
    page.locator(".bench-figures", has_text="→ 13.5 s").wait_for()
    page.get_by_role("tab", name="curl", exact=True).click()
    page.locator(".code-block pre", has_text='"freeze":1.5').wait_for()


@pytest.fixture
def ramped(studio: Restartable, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, dict[str, Any]]:
    """Upload and ramp the numbered clip; return its id and the job.

    The server remembers both.
    """
    clip = studio.suite.upload(numbered_clip(tmp_path_factory.mktemp("numbered") / "numbers.mp4"))["id"]
    params = {"curve": CURVE, "interpolation": "nearest"}
    return clip, studio.suite.wait(studio.suite.start(RAMP, {"video": clip}, params, cache=True)["id"], timeout_s=300)


@pytest.mark.brief
def test_the_played_frames_are_those_of_the_render(
    open_page: Opener, studio: Restartable, ramped: tuple[str, dict[str, Any]], tmp_path: Path
) -> None:
    clip, job = ramped
    rendered = tmp_path / "rendered.mp4"
    rendered.write_bytes(studio.suite.client.get(job["outputs"]["video"]["urls"]["content"]).content)
    written = numbers_in(rendered)
    page = open_page("#/", refusals=("Canvas2D",))  # the test reads the canvas
    draft = json.dumps({"params": {"curve": CURVE}, "inputs": {}, "preset": None})
    page.evaluate("([key, draft]) => sessionStorage.setItem(key, draft)", [f"reelwright-draft {clip} {RAMP}", draft])
    page.evaluate(READ_NUMBERS)
    page.evaluate("(hash) => { location.hash = hash; }", f"#/clip/{clip}/{RAMP}")
    page.locator(".point").nth(4).wait_for()
    page.get_by_role("button", name="Play the ramp").click()
    page.get_by_text("on time", exact=False).wait_for()
    shown = {int(frame): number for frame, number in page.evaluate("window.shown").items()}
    assert len(shown) > 20
    assert {frame: number for frame, number in shown.items() if frame < len(written) and written[frame] != number} == {}


def test_a_comparison_never_shows_two_different_frames(open_page: Opener, ramped: tuple[str, dict[str, Any]]) -> None:
    page = open_page(f"#/job/{ramped[1]['id']}", refusals=("Canvas2D",))  # the test reads the canvas

    def shown(mode: str, frame: int) -> dict[str, int]:
        page.get_by_role("button", name=mode, exact=True).click()
        page.evaluate("(frame) => { const view = document.querySelector('compare-view'); view.seek((frame + 0.5) / view.rate); }", frame)
        until(page, f"document.querySelector('.fit canvas')?.dataset.frame === '{frame}'")
        page.wait_for_timeout(100)
        return dict(page.evaluate(READ_COMPARED))

    frames = (0, 1, 3, 8, 9, 20, 33, 50, 70, 71, 90, 100)
    sides = [shown("Side by side", frame) for frame in frames]
    assert [side["left"] for side in sides] == [side["right"] for side in sides]
    assert len({side["left"] for side in sides}) > 8  # the curve moves on
    assert [shown("Source", frame)["all"] for frame in frames] == [side["right"] for side in sides]
    assert [shown("Wipe", frame)["all"] for frame in frames] == [side["right"] for side in sides]  # four bits of each
    assert {shown("Difference", frame)["all"] for frame in frames} == {0}
    shown("Side by side", 50)
    page.get_by_role("button", name="Result", exact=True).click()
    flip = page.get_by_role("button", name="Flip", exact=True)
    box = flip.bounding_box()
    page.mouse.move(box["x"] + 5, box["y"] + 5)
    page.mouse.down()
    until(page, "document.querySelector('.fit canvas')?.dataset.frame === '50'")
    page.wait_for_timeout(100)
    assert page.evaluate(READ_COMPARED)["all"] == sides[frames.index(50)]["left"]
    page.mouse.up()
    until(page, "document.querySelector('.flip').ariaPressed === 'false'")
    page.get_by_role("button", name="Side by side", exact=True).click()
    page.evaluate(f"""() => {{
      const read = {READ_COMPARED};
      window.pairs = [];
      const draw = CanvasRenderingContext2D.prototype.drawImage;
      CanvasRenderingContext2D.prototype.drawImage = function (...given) {{
        draw.apply(this, given);
        if (given[1] > 0 && this.canvas.matches(".fit canvas")) window.pairs.push(read()); // the second of both
      }};
    }}""")
    page.get_by_role("button", name="Play", exact=True).click()
    until(page, "window.pairs.length > 40")
    pairs = page.evaluate("window.pairs")
    assert [pair["left"] for pair in pairs] == [pair["right"] for pair in pairs]


def test_a_ramp_goes_to_editors_and_its_result_becomes_the_next_clip(
    open_page: Opener, ramped: tuple[str, dict[str, Any]], tmp_path: Path
) -> None:
    page = open_page(f"#/job/{ramped[1]['id']}")
    page.get_by_role("link", name="Export for editors").click()
    page.get_by_role("button", name="Make it").click()
    page.locator(".state.succeeded").first.wait_for()
    with page.expect_download() as waiting:
        page.get_by_role("link", name="Download", exact=True).first.click()
    waiting.value.save_as(tmp_path / waiting.value.suggested_filename)
    assert (tmp_path / waiting.value.suggested_filename).stat().st_size > 100
    page.goto(page.url.split("#")[0] + f"#/job/{ramped[1]['id']}")
    page.get_by_role("link", name="Continue with this").click()
    page.get_by_role("link", name="Motion trails").first.click()
    page.get_by_role("button", name="Make it").wait_for()
    assert violations_of(page) == []
