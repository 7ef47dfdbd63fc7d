"""The exposure of a composite's background on a still equals the server's."""

import base64
import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from benchmarks.material.clips import ffmpeg
from services.background.analysis.clip_analysis import analyze
from shared.operation import Silent
from shared.video.clip.part import ClipPart
from tests.studio.acting import until
from tests.studio.conftest import Restartable

pytestmark = [pytest.mark.studio, pytest.mark.timeout(900)]
Opener = Callable[..., Any]
SIZE, FRAMES, RATE, LEVEL = (320, 180), 60, 30, 110


@dataclass(frozen=True)
class Clips:
    """Ids of a clip whose light changes, its matte and a gray picture, and the server's exposure of each frame."""

    clip: str
    matte: str
    picture: str
    exposure: NDArray[np.float64]


@pytest.fixture(scope="module")
def clips(studio: Restartable, tmp_path_factory: pytest.TempPathFactory) -> Clips:
    """Upload a clip that becomes brighter and darker, its matte, and a gray picture."""
    folder = tmp_path_factory.mktemp("light")
    rows, columns = np.mgrid[0 : SIZE[1], 0 : SIZE[0]]
    inside = np.hypot(rows - 95, columns - 150) < 60
    scene = np.where(inside, 110 + 30 * np.sin(columns / 9), 70 + columns / 6)
    for number in range(FRAMES):
        light = 1 + 0.3 * np.sin(2 * np.pi * number / FRAMES)
        Image.fromarray(np.repeat((scene * light).astype(np.uint8)[..., None], 3, axis=2)).save(folder / f"clip{number:03}.png")
        Image.fromarray(np.where(inside, 255, 0).astype(np.uint8)).save(folder / f"matte{number:03}.png")
    for name in ("clip", "matte"):
        encoding = ["-pix_fmt", "yuv420p", "-c:v", "libx264", "-crf", "8"]
        ffmpeg("-r", str(RATE), "-i", str(folder / f"{name}%03d.png"), *encoding, str(folder / f"{name}.mp4"))
    Image.fromarray(np.full((SIZE[1], SIZE[0], 3), LEVEL, np.uint8)).save(folder / "gray.png")
    clip, matte, picture = (studio.suite.upload(folder / name)["id"] for name in ("clip.mp4", "matte.mp4", "gray.png"))
    measured = analyze(folder / "clip.mp4", folder / "matte.mp4", ClipPart(), size=SIZE, frames=FRAMES, smooth=15, progress=Silent())
    return Clips(clip, matte, picture, measured.exposure)


def corner_of(page: Any) -> float:
    """Return the mean level of the composite's upper left corner, which shows the background."""
    url = page.evaluate("document.querySelector('.composite-canvas').toDataURL()")
    picture = Image.open(io.BytesIO(base64.b64decode(url.partition(",")[2]))).convert("RGB")
    return float(np.asarray(picture, np.float32)[:20, :20].mean())


def test_the_background_follows_the_measured_exposure(open_page: Opener, clips: Clips) -> None:
    page = open_page("#/", refusals=("Canvas2D", "503"))  # the check says that depth has no model
    params = {"match": 0, "light_wrap": 0}
    draft = json.dumps({"params": params, "inputs": {"alpha": clips.matte, "background": clips.picture}, "preset": None})
    page.evaluate("([key, draft]) => sessionStorage.setItem(key, draft)", [f"reelwright-draft {clips.clip} background.studio", draft])
    page.evaluate("(hash) => { location.hash = hash; }", f"#/clip/{clips.clip}/background.studio")
    page.locator(".composite-canvas").wait_for()
    for number in (15, 45, 30):
        time = (number + 0.5) / RATE
        page.evaluate("(time) => document.querySelector('clip-viewer').seek(time)", time)
        until(page, f"Math.abs(document.querySelector('.composite-canvas').dataset.time - {time}) < 0.02")
        until(page, "document.querySelector('.composite-canvas').dataset.exposure !== ''")
        exposure = float(page.evaluate("document.querySelector('.composite-canvas').dataset.exposure"))
        assert exposure == pytest.approx(clips.exposure[number], abs=0.02)
        assert corner_of(page) == pytest.approx(LEVEL * clips.exposure[number], abs=2.5)
    assert clips.exposure[15] > 1.2
    assert clips.exposure[45] < 0.8
