"""The studio's composites of single frames equal the server's, pixel by pixel."""

import base64
import io
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from benchmarks.material.clips import ffmpeg
from shared.sample_ids import SAMPLE_ID, SAMPLE_MATTE_ID, SAMPLE_PLATE_ID
from shared.video import read_frames
from tests.studio.acting import PATIENCE_S, HeldRequests, until, until_known
from tests.studio.conftest import Restartable

pytestmark = [pytest.mark.studio, pytest.mark.timeout(900)]
Opener = Callable[..., Any]
Pixels = NDArray[np.float32]
COMPOSITE = "background.composite"
TIME_S, SIZE = 0.5, (640, 360)
PLAIN = {"grain": False, "decontaminate": False}
"""Params that leave out grain and cleaned edges, which the page does not draw."""

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
    job = studio.suite.wait(studio.suite.start(COMPOSITE, inputs, PLAIN | part | params)["id"], timeout_s=PATIENCE_S)
    path.write_bytes(studio.suite.client.get(job["outputs"]["video"]["urls"]["content"]).content)
    with read_frames(path) as frames:
        return next(frames).rgb(SIZE).astype(np.float32)


def frames_of(studio: Restartable, inputs: dict[str, Any], params: dict[str, Any], folder: Path) -> list[Pixels]:
    """Return all frames of a composite, each (height, width, 3)."""
    job = studio.suite.wait(studio.suite.start(COMPOSITE, inputs, PLAIN | params | {"quality": 100})["id"], timeout_s=PATIENCE_S)
    path = folder / "made.mp4"
    path.write_bytes(studio.suite.client.get(job["outputs"]["video"]["urls"]["content"]).content)
    with read_frames(path) as frames:
        return [frame.rgb(SIZE).astype(np.float32) for frame in frames]


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
    show_time(page)
    error = np.abs(pixels_of(page, ".composite-canvas") - server)
    assert error.mean() < MOST_ERROR
    assert error[clips.subject].mean() < MOST_ERROR
    if params["match"] == 1:
        unmatched = made_by_server(studio, clips, picture["id"], params | {"match": 0}, tmp_path / "unmatched.mp4")
        assert np.abs(unmatched - server)[clips.subject].mean() > 4 * MOST_ERROR


def moving_background(path: Path) -> Path:
    """Write a clip of nine frames that differ."""
    ffmpeg("-f", "lavfi", "-i", "testsrc2=s=640x360:r=30:d=0.3", "-pix_fmt", "yuv420p", "-c:v", "libx264", "-crf", "8", str(path))
    return path


def show_time(page: Any) -> None:
    """Show the frame at TIME_S of the clip, from the frame's middle on."""
    time = TIME_S + 1 / 60
    page.evaluate("(time) => document.querySelector('clip-viewer').seek(time)", time)
    page.get_by_text("The frame at 0:00.51", exact=False).wait_for()
    until(page, f"Math.abs(document.querySelector('.composite-canvas').dataset.time - {time}) < 0.001")


def show_composite(page: Any, clips: Clips, draft: dict[str, Any]) -> None:
    """Open the tool with the entries `draft`, and show the frame at TIME_S."""
    key = f"reelwright-draft {clips.clip} {COMPOSITE}"
    page.evaluate("() => { location.hash = '#/'; }")
    page.locator(".library").wait_for()
    page.evaluate("([key, draft]) => sessionStorage.setItem(key, draft)", [key, json.dumps(draft)])
    page.evaluate("(hash) => { location.hash = hash; }", f"#/clip/{clips.clip}/{COMPOSITE}")
    page.locator(".composite-canvas").wait_for()
    show_time(page)


def test_a_moving_background_is_shown_at_the_playhead(open_page: Opener, studio: Restartable, clips: Clips, tmp_path: Path) -> None:
    moving = studio.suite.upload(moving_background(tmp_path / "moving.mp4"))
    inputs = {"video": clips.clip, "alpha": clips.matte, "background": moving["id"]}
    params = {"match": 0, "light_wrap": 0}
    written = frames_of(studio, inputs, params, tmp_path)
    number = round(30 * TIME_S)  # the clip is repeated until then
    page = open_page("#/", refusals=("Canvas2D",))
    show_composite(page, clips, {"params": params, "inputs": {name: inputs[name] for name in ("alpha", "background")}, "preset": None})
    shown = pixels_of(page, ".composite-canvas")
    errors = [np.abs(shown - frame).mean() for frame in written]
    assert int(np.argmin(errors)) % 9 == number % 9, "no other frame of the background is as near"
    assert errors[number] < 2 * MOST_ERROR  # a picture of many edges


LOOPED: list[tuple[dict[str, Any], int]] = [
    ({"background_start": 0.05}, round(30 * TIME_S)),
    ({"background_end": "hold"}, round(30 * TIME_S)),
    ({"start": 0.1}, round(30 * (TIME_S - 0.1))),
]
"""Settings that choose another frame of a moving background -> number of the result's frame at TIME_S of the clip."""


def test_a_setting_that_chooses_another_frame_of_the_background_shows_it(
    open_page: Opener, studio: Restartable, clips: Clips, tmp_path: Path
) -> None:
    inputs = {"alpha": clips.matte, "background": studio.suite.upload(moving_background(tmp_path / "moving.mp4"))["id"]}
    params = {"match": 0, "light_wrap": 0}
    page = open_page("#/", refusals=("Canvas2D",))
    show_composite(page, clips, {"params": params, "inputs": inputs, "preset": None})
    video = {"video": clips.clip} | inputs
    written = frames_of(studio, video, params, tmp_path)
    usual = written[:9]  # all frames of the background

    def nearest(picture: Pixels) -> int:
        return int(np.argmin([np.abs(picture - frame).mean() for frame in usual]))

    def shows(number: int) -> bool:
        return nearest(pixels_of(page, ".composite-canvas")) == number

    before = nearest(written[round(30 * TIME_S)])
    for setting, number in LOOPED:
        expected = nearest(frames_of(studio, video, params | setting, tmp_path)[number])
        assert expected != before, "the setting chooses another frame"
        until_known(page, partial(shows, before), "the usual frame", seconds=60)
        ((name, value),) = setting.items()
        page.evaluate("([name, value]) => document.querySelector('tool-panel').setParam(name, value)", [name, value])
        until_known(page, partial(shows, expected), f"the frame of the background with {setting}", seconds=60)
        page.evaluate("(name) => document.querySelector('tool-panel').setParam(name, undefined)", name)


def test_a_depth_estimate_belongs_to_its_moment(open_page: Opener, studio: Restartable) -> None:
    """The estimate is a made-up answer, because no model of depth is installed."""
    page = open_page("#/", refusals=("Canvas2D", "503"))
    media = [studio.suite.client.get(f"/v1/media/{SAMPLE_PLATE_ID}").json()] * 2
    asked: list[dict[str, Any]] = []
    held: list[Any] = []

    def install(route: Any) -> None:
        operations = route.fetch().json()
        for operation in operations:
            operation["presets"] = [preset | {"install": None} for preset in operation["presets"]]
        route.fulfill(json=operations)

    def answer(route: Any) -> None:
        body = route.request.post_data_json
        if body.get("preview_slot") != "depth":
            route.fulfill(json={"id": "c", "status": "failed", "urls": {}, "error": {"detail": "previews of cards are not tested here"}})
            return
        asked.append(body)
        if len(asked) == 2:
            held.append(route)
        else:
            route.fulfill(json=estimated)

    estimated = {
        "id": "d",
        "status": "succeeded",
        "operation": "background.studio",
        "urls": {"self": "/v1/jobs/d"},
        "outputs": dict(zip(("background", "depth"), media, strict=True)),
    }
    page.route("**/v1/operations", install)
    page.route("**/v1/background/studio/jobs", answer)
    page.reload()
    draft = {"params": {"depth_scale": 2}, "inputs": {"alpha": SAMPLE_MATTE_ID, "background": SAMPLE_PLATE_ID}, "preset": None}
    key = f"reelwright-draft {SAMPLE_ID} background.studio"
    page.evaluate("([key, draft]) => sessionStorage.setItem(key, draft)", [key, json.dumps(draft)])
    page.evaluate("(hash) => { location.hash = hash; }", f"#/clip/{SAMPLE_ID}/background.studio")
    used = page.get_by_text("Parallax uses the estimated depth of the background.", exact=False)
    used.wait_for()
    page.get_by_label("Camera", exact=True).fill("1")
    page.evaluate("document.querySelector('clip-viewer').seek(2)")
    page.get_by_text("Estimating the depth of the background for this moment", exact=False).wait_for()
    until_known(page, lambda: held, "a second estimate")
    assert not used.count(), "the first estimate is of another moment"
    assert asked[0]["preview_at_s"] < 0.1
    assert asked[1]["preview_at_s"] == pytest.approx(2, abs=0.1)
    approximate = pixels_of(page, ".composite-canvas")
    held[0].fulfill(json=estimated)
    used.wait_for()
    assert np.abs(pixels_of(page, ".composite-canvas") - approximate).max() > 10


def test_a_blurred_background_leaves_nothing_behind(open_page: Opener, studio: Restartable, clips: Clips, tmp_path: Path) -> None:
    """The subject reaches the frame's edge, where a blur would let the pixels before it through."""
    columns = np.mgrid[0 : SIZE[1], 0 : SIZE[0]][1]
    Image.fromarray((255 * np.clip((columns - 220) / 200, 0, 1)).astype(np.uint8)).save(tmp_path / "wide.png")
    encoding = ["-pix_fmt", "yuv420p", "-c:v", "libx264", "-crf", "8"]
    ffmpeg("-loop", "1", "-r", "30", "-t", "1", "-i", str(tmp_path / "wide.png"), *encoding, str(tmp_path / "wide.mp4"))
    matte = studio.suite.upload(tmp_path / "wide.mp4")["id"]
    light, dark = (
        studio.suite.upload(plain_picture(tmp_path / f"{name} backdrop.png", level)) for name, level in (("light", 255), ("dark", 5))
    )
    page = open_page("#/", refusals=("Canvas2D",))
    params = {"match": 0, "light_wrap": 1}

    def shown(background: str) -> None:
        show_composite(page, clips, {"params": params, "inputs": {"alpha": matte, "background": background}, "preset": None})

    shown(dark["id"])
    fresh = pixels_of(page, ".composite-canvas")
    shown(light["id"])
    bright = pixels_of(page, ".composite-canvas")
    assert np.abs(bright - fresh)[:12, 250:390].mean() > 40
    page.get_by_role("group", name="Background", exact=True).locator('.choice[title="dark backdrop.png"]').click()
    until_known(page, lambda: np.abs(pixels_of(page, ".composite-canvas") - bright).mean() > 20, "the other background", seconds=60)
    assert np.abs(pixels_of(page, ".composite-canvas") - fresh).max() <= 2


def plain_picture(path: Path, level: int) -> Path:
    """Write a gray picture of one level."""
    Image.fromarray(np.full((SIZE[1], SIZE[0], 3), level, np.uint8)).save(path)
    return path


@pytest.mark.parametrize("kind", ["picture", "clip"])
def test_a_matte_over_a_medium_of_the_library_is_the_server_s(
    open_page: Opener, studio: Restartable, clips: Clips, tmp_path: Path, kind: str
) -> None:
    cut_out = studio.suite.start("matting.matte", {"video": clips.clip, "plate": clips.plate}, {"backend": "difference"})
    made = replace(clips, matte=studio.suite.wait(cut_out["id"])["outputs"]["alpha"]["id"])
    behind = backdrop(tmp_path / "library picture.png") if kind == "picture" else moving_background(tmp_path / "library clip.mp4")
    record = studio.suite.upload(behind)
    plain = {"match": 0, "light_wrap": 0, "blobs": 0}
    inputs = {"video": made.clip, "alpha": made.matte, "background": record["id"]}
    written = frames_of(studio, inputs, plain, tmp_path)
    page = open_page(f"#/job/{cut_out['id']}", refusals=("Canvas2D",))
    page.get_by_label("Background from the library", exact=True).select_option(value=record["id"])
    until(page, "document.querySelector('compare-view').mode === 'matte-picture'")
    for number in (15, 4):
        page.evaluate("(frame) => { const view = document.querySelector('compare-view'); view.seek((frame + 0.5) / view.rate); }", number)
        until(page, f"document.querySelector('.fit canvas')?.dataset.frame === '{number}'")
        page.wait_for_timeout(300)
        shown = pixels_of(page, ".fit canvas")
        errors = [np.abs(shown - frame).mean() for frame in written]
        assert errors[number] < 2 * MOST_ERROR
        assert kind == "picture" or int(np.argmin(errors)) % 9 == number % 9, "no other frame of the background is as near"
    page.get_by_role("button", name="Play", exact=True).click()
    until(page, "document.querySelector('.fit canvas')?.dataset.frame > 6")


def test_a_late_background_does_not_replace_the_mode_chosen_since(
    open_page: Opener, studio: Restartable, clips: Clips, tmp_path: Path
) -> None:
    cut_out = studio.suite.start("matting.matte", {"video": clips.clip, "plate": clips.plate}, {"backend": "difference"})
    studio.suite.wait(cut_out["id"], timeout_s=PATIENCE_S)
    record = studio.suite.upload(backdrop(tmp_path / "slow picture.png"))
    page = open_page(f"#/job/{cut_out['id']}", refusals=("Canvas2D", "503"))
    choice = page.get_by_label("Background from the library", exact=True)
    choice.wait_for()
    held = HeldRequests(page, f"**/{record['id']}/**")
    choice.select_option(value=record["id"])
    until_known(page, lambda: held.routes, "the background is read")
    page.get_by_role("button", name="Wipe", exact=True).click()
    until(page, "document.querySelector('compare-view').mode === 'wipe'")
    held.release()
    until(page, "document.querySelector('compare-view').backdrop !== null")
    page.wait_for_timeout(500)
    assert page.evaluate("document.querySelector('compare-view').mode") == "wipe"


def test_a_matte_over_a_picture_is_the_server_s(open_page: Opener, studio: Restartable, clips: Clips, tmp_path: Path) -> None:
    cut_out = studio.suite.start("matting.matte", {"video": clips.clip, "plate": clips.plate}, {"backend": "difference"})
    matte = studio.suite.wait(cut_out["id"], timeout_s=PATIENCE_S)["outputs"]["alpha"]["id"]
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
