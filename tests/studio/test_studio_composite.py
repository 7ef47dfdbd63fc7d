"""The studio's composites of single frames, compared with those of the server, pixel by pixel."""

import base64
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from shared.sample_ids import SAMPLE_ID, SAMPLE_MATTE_ID
from shared.video import read_frames
from tests.studio.conftest import Restartable

pytestmark = [pytest.mark.studio, pytest.mark.timeout(900)]
Opener = Callable[..., Any]
Pixels = NDArray[np.float32]
COMPOSITE = "background.composite"
TIME_S, SIZE = 2.0, (640, 360)
PLAIN = {"grain": False, "decontaminate": False}
"""What the page leaves out: it says that fine hair and grain appear only in the result."""

MOST_ERROR = 1.5
"""Mean difference in levels of 256: both sides encode and scale the clip by themselves."""


def backdrop(path: Path) -> Path:
    """Write a picture that is brighter and much warmer than the sample clip."""
    rows, columns = np.mgrid[0:360, 0:640]
    picture = np.stack([200 + 50 * np.sin(columns / 40), 150 + 60 * np.sin(rows / 30), 40 + rows / 9], axis=-1)
    Image.fromarray(picture.astype(np.uint8)).save(path)
    return path


def made_by_server(studio: Restartable, background: str, params: dict[str, Any], path: Path) -> Pixels:
    """Return the frame at TIME_S of a composite, (height, width, 3)."""
    inputs = {"video": SAMPLE_ID, "alpha": SAMPLE_MATTE_ID, "background": background}
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


def subject(studio: Restartable, path: Path) -> NDArray[np.bool_]:
    """Return where the subject is fully visible at TIME_S."""
    path.write_bytes(studio.suite.client.get(f"/v1/media/{SAMPLE_MATTE_ID}/content").content)
    with read_frames(path, start=TIME_S) as frames:
        return np.asarray(cv2.resize(next(frames).matte(), SIZE, interpolation=cv2.INTER_AREA) > 250)


@pytest.mark.parametrize(
    "params",
    [
        pytest.param({"match": 0, "light_wrap": 0}, id="plain"),
        pytest.param({"match": 1, "light_wrap": 0}, id="matched"),
        pytest.param({"match": 0.5, "light_wrap": 1}, id="lit"),
        pytest.param({"match": 0, "light_wrap": 0, "light": "linear", "fit": "contain"}, id="linear"),
    ],
)
def test_the_composite_of_a_frame_is_the_server_s(open_page: Opener, studio: Restartable, tmp_path: Path, params: dict[str, Any]) -> None:
    picture = studio.suite.upload(backdrop(tmp_path / "warm.png"))
    server = made_by_server(studio, picture["id"], params, tmp_path / "made.mp4")
    page = open_page("#/", refusals=("Canvas2D",))
    draft = json.dumps({"params": params, "inputs": {"alpha": SAMPLE_MATTE_ID}, "preset": None})
    page.evaluate("([key, draft]) => sessionStorage.setItem(key, draft)", [f"reelwright-draft {SAMPLE_ID} {COMPOSITE}", draft])
    page.evaluate("(hash) => { location.hash = hash; }", f"#/clip/{SAMPLE_ID}/{COMPOSITE}")
    library = page.get_by_role("group", name="Background", exact=True)
    library.locator(f'.choice[title="{picture["name"]}"]').first.click()
    page.locator(".composite-canvas").wait_for()
    page.evaluate("(time) => document.querySelector('clip-viewer').seek(time)", TIME_S + 1 / 60)
    page.get_by_text("The frame at 0:02.01", exact=False).wait_for()
    deadline_error = None
    for _ in range(100):  # until the matte, the picture and the frame have come
        own = pixels_of(page, ".composite-canvas")
        error = np.abs(own - server)
        if deadline_error == float(error.mean()):
            break
        deadline_error = float(error.mean())
        page.wait_for_timeout(700)
    inside = subject(studio, tmp_path / "matte.mp4")
    assert error.mean() < MOST_ERROR
    assert error[inside].mean() < MOST_ERROR
    if params["match"] == 1:
        unmatched = made_by_server(studio, picture["id"], params | {"match": 0}, tmp_path / "unmatched.mp4")
        assert np.abs(unmatched - server)[inside].mean() > 4 * MOST_ERROR
