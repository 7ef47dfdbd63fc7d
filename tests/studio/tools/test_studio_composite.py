"""The studio's composites of single frames equal the server's, pixel by pixel."""

import base64
import io
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from benchmarks.material.clips import ffmpeg
from shared.video import read_frames
from tests.studio.acting import until
from tests.studio.conftest import Restartable

pytestmark = [pytest.mark.studio, pytest.mark.timeout(900)]
Opener = Callable[..., Any]
Pixels = NDArray[np.float32]
COMPOSITE = "background.composite"
TIME_S, SIZE = 0.5, (640, 360)
PLAIN = {"grain": False, "decontaminate": False}
"""Words by which the page states what it leaves out. Fine hair and grain appear only in the result."""

MOST_ERROR = 2.5
"""Largest mean difference, in levels of 256. The page has a smaller copy of the clip, whose compression moves an even chroma by up to a
level."""


def backdrop(path: Path) -> Path:
    """Write a picture that is brighter and much warmer than the clip."""
    rows, columns = np.mgrid[0:360, 0:640]
    picture = np.stack([200 + 50 * np.sin(columns / 40), 150 + 60 * np.sin(rows / 30), 40 + rows / 9], axis=-1)
    Image.fromarray(picture.astype(np.uint8)).save(path)
    return path


@dataclass(frozen=True)
class Clips:
    """Ids of a clip, its matte, its empty scene and a mask.

    The mask covers the opaque subject.
    """

    clip: str
    matte: str
    plate: str
    subject: NDArray[np.bool_]


@pytest.fixture(scope="module")
def clips(studio: Restartable, tmp_path_factory: pytest.TempPathFactory) -> Clips:
    """Upload a clip of a bluish ball with soft edges, and its matte.

    All colours are within RGB: browsers cut off those beyond, before the page can match them.
    """
    folder = tmp_path_factory.mktemp("ball")
    rows, columns = np.mgrid[0 : SIZE[1], 0 : SIZE[0]]
    alpha = np.clip((120 - np.hypot(rows - 200, columns - 300)) / 8, 0, 1)
    scene = np.stack([60 + columns / 16, 70 + rows / 8, 80 + columns / 20], axis=-1)
    ball = np.stack([110 + 20 * np.sin(rows / 9), 120 + 20 * np.sin(columns / 11), 150 + rows / 12], axis=-1)
    Image.fromarray((ball * alpha[..., None] + scene * (1 - alpha[..., None])).astype(np.uint8)).save(folder / "clip.png")
    Image.fromarray((255 * alpha).astype(np.uint8)).save(folder / "matte.png")
    Image.fromarray(scene.astype(np.uint8)).save(folder / "plate.png")
    for name in ("clip", "matte"):
        colours = ["-vf", "scale=out_color_matrix=bt709", "-colorspace", "bt709", "-color_primaries", "bt709", "-color_trc", "bt709"]
        encoding = ["-pix_fmt", "yuv420p", "-c:v", "libx264", "-crf", "8"]
        ffmpeg("-loop", "1", "-r", "30", "-t", "1", "-i", str(folder / f"{name}.png"), *colours, *encoding, str(folder / f"{name}.mp4"))
    clip, matte, plate = (studio.suite.upload(folder / name)["id"] for name in ("clip.mp4", "matte.mp4", "plate.png"))
    return Clips(clip, matte, plate, alpha > 0.98)


def made_by_server(studio: Restartable, clips: Clips, background: str, params: dict[str, Any], path: Path) -> Pixels:
    """Return the frame at TIME_S of a composite, (height, width, 3)."""
    inputs = {"video": clips.clip, "alpha": clips.matte, "background": background}
    part = {"start": TIME_S, "duration": 0.2, "quality": 100}
    job = studio.suite.wait(studio.suite.start(COMPOSITE, inputs, PLAIN | part | params)["id"], timeout_s=300)
    path.write_bytes(studio.suite.client.get(job["outputs"]["video"]["urls"]["content"]).content)
    with read_frames(path) as frames:
        return next(frames).rgb(SIZE).astype(np.float32)


def pixels_of(page: Any, selector: str) -> Pixels:
    """Return the pixels of a canvas, (height, width, 3)."""
    url = page.evaluate(f"document.querySelector({json.dumps(selector)}).toDataURL()")
    picture = Image.open(io.BytesIO(base64.b64decode(url.partition(",")[2]))).convert("RGB")
    return np.asarray(picture.resize(SIZE, Image.Resampling.BOX), np.float32)


@pytest.mark.parametrize(
    "params",
    [
        pytest.param({"match": 0, "light_wrap": 0}, id="plain"),
        pytest.param({"match": 1, "light_wrap": 0}, id="matched"),
        pytest.param({"match": 0.5, "light_wrap": 1}, id="lit"),
        pytest.param({"match": 0, "light_wrap": 0, "light": "linear", "fit": "contain"}, id="linear"),
    ],
)
def test_the_composite_of_a_frame_is_the_server_s(
    open_page: Opener, studio: Restartable, clips: Clips, tmp_path: Path, params: dict[str, Any]
) -> None:
    picture = studio.suite.upload(backdrop(tmp_path / "warm.png"))
    server = made_by_server(studio, clips, picture["id"], params, tmp_path / "made.mp4")
    page = open_page("#/", refusals=("Canvas2D",))
    draft = json.dumps({"params": params, "inputs": {"alpha": clips.matte}, "preset": None})
    page.evaluate("([key, draft]) => sessionStorage.setItem(key, draft)", [f"reelwright-draft {clips.clip} {COMPOSITE}", draft])
    page.evaluate("(hash) => { location.hash = hash; }", f"#/clip/{clips.clip}/{COMPOSITE}")
    library = page.get_by_role("group", name="Background", exact=True)
    library.locator(f'.choice[title="{picture["name"]}"]').first.click()
    page.locator(".composite-canvas").wait_for()
    page.evaluate("(time) => document.querySelector('clip-viewer').seek(time)", TIME_S + 1 / 60)
    page.get_by_text("The frame at 0:00.51", exact=False).wait_for()
    page.wait_for_timeout(1000)  # until a slower request has drawn, too
    error = np.abs(pixels_of(page, ".composite-canvas") - server)
    assert error.mean() < MOST_ERROR
    assert error[clips.subject].mean() < MOST_ERROR
    if params["match"] == 1:
        unmatched = made_by_server(studio, clips, picture["id"], params | {"match": 0}, tmp_path / "unmatched.mp4")
        assert np.abs(unmatched - server)[clips.subject].mean() > 4 * MOST_ERROR


def test_a_moving_background_is_shown_at_the_playhead(open_page: Opener, studio: Restartable, clips: Clips, tmp_path: Path) -> None:
    moving = tmp_path / "moving.mp4"
    ffmpeg("-f", "lavfi", "-i", "testsrc2=s=640x360:r=30:d=0.3", "-pix_fmt", "yuv420p", "-c:v", "libx264", "-crf", "8", str(moving))
    inputs = {"video": clips.clip, "alpha": clips.matte, "background": studio.suite.upload(moving)["id"]}
    params = {"match": 0, "light_wrap": 0}
    job = studio.suite.wait(studio.suite.start(COMPOSITE, inputs, PLAIN | params | {"quality": 100})["id"], timeout_s=300)
    path = tmp_path / "made.mp4"
    path.write_bytes(studio.suite.client.get(job["outputs"]["video"]["urls"]["content"]).content)
    with read_frames(path) as frames:
        written = [frame.rgb(SIZE).astype(np.float32) for frame in frames]
    number = round(30 * TIME_S)  # the clip is repeated until then
    page = open_page("#/", refusals=("Canvas2D",))
    draft = json.dumps({"params": params, "inputs": {name: inputs[name] for name in ("alpha", "background")}, "preset": None})
    page.evaluate("([key, draft]) => sessionStorage.setItem(key, draft)", [f"reelwright-draft {clips.clip} {COMPOSITE}", draft])
    page.evaluate("(hash) => { location.hash = hash; }", f"#/clip/{clips.clip}/{COMPOSITE}")
    page.locator(".composite-canvas").wait_for()
    page.evaluate("(time) => document.querySelector('clip-viewer').seek(time)", TIME_S + 1 / 60)
    page.get_by_text("The frame at 0:00.51", exact=False).wait_for()
    page.wait_for_timeout(1000)  # until a slower request has drawn, too
    shown = pixels_of(page, ".composite-canvas")
    errors = [np.abs(shown - frame).mean() for frame in written]
    assert int(np.argmin(errors)) % 9 == number % 9, "no other frame of the background is as near"
    assert errors[number] < 2 * MOST_ERROR  # a picture of many edges


def test_a_matte_over_a_picture_is_the_server_s(open_page: Opener, studio: Restartable, clips: Clips, tmp_path: Path) -> None:
    cut_out = studio.suite.start("matting.matte", {"video": clips.clip, "plate": clips.plate}, {"backend": "difference"})
    matte = studio.suite.wait(cut_out["id"], timeout_s=300)["outputs"]["alpha"]["id"]
    made = replace(clips, matte=matte)
    picture = backdrop(tmp_path / "warm.png")
    plain = {"match": 0, "light_wrap": 0, "blobs": 0}
    server = made_by_server(studio, made, studio.suite.upload(picture)["id"], plain, tmp_path / "made.mp4")
    page = open_page(f"#/job/{cut_out['id']}", refusals=("Canvas2D",))
    page.get_by_label("Picture behind the subject").set_input_files(picture)
    page.get_by_role("button", name="Picture", exact=True).wait_for()
    until(page, "document.querySelector('compare-view').mode === 'matte-picture'")
    frame = round(30 * TIME_S)
    page.evaluate("(frame) => { const view = document.querySelector('compare-view'); view.seek((frame + 0.5) / view.rate); }", frame)
    until(page, f"document.querySelector('.fit canvas')?.dataset.frame === '{frame}'")
    page.wait_for_timeout(300)
    error = np.abs(pixels_of(page, ".fit canvas") - server)
    assert error.mean() < MOST_ERROR
    assert error[clips.subject].mean() < MOST_ERROR
