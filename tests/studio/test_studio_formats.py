"""Clips that browsers cannot play show a picture in the studio, and say why it takes a moment."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from benchmarks.material.clips import ffmpeg
from tests.studio.conftest import Restartable
from tests.studio.test_flows import until

pytestmark = [pytest.mark.studio, pytest.mark.timeout(300)]
Opener = Callable[..., Any]
HDR = "-vf setparams=color_trc=smpte2084:color_primaries=bt2020:colorspace=bt2020nc"
FORMATS = {
    "hdr10.mp4": (f"{HDR} -pix_fmt yuv420p10le -c:v libx265 -x265-params log-level=none", "HDR"),
    "prores.mov": ("-pix_fmt yuv422p10le -c:v prores_ks", "a format that browsers cannot play"),
    "ten-bit.mp4": ("-pix_fmt yuv420p10le -c:v libx264", "a format that browsers cannot play"),
    "rates.mp4": ("-vf select=lt(n\\,30)+not(mod(n\\,3)) -fps_mode vfr -pix_fmt yuv420p -c:v libx264", ""),
}
"""File name -> how it is written, and what the viewer says about it; empty: browsers play it."""


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Two seconds of a test picture in each format, and one that is shown upright by its rotation."""
    folder = tmp_path_factory.mktemp("formats")
    made = {name: folder / name for name in FORMATS}
    for name, (coding, _) in FORMATS.items():
        ffmpeg("-f", "lavfi", "-i", "testsrc2=s=320x180:r=30:d=2", *coding.split(), str(made[name]))
    made["rotated.mp4"] = folder / "rotated.mp4"
    ffmpeg("-display_rotation", "90", "-i", str(made["rates.mp4"]), "-c", "copy", str(made["rotated.mp4"]))
    return made


@pytest.mark.parametrize("name", [*FORMATS, "rotated.mp4"])
def test_a_clip_of_any_format_shows_a_picture(open_page: Opener, studio: Restartable, files: dict[str, Path], name: str) -> None:
    record = studio.suite.upload(files[name])
    page = open_page("#/")
    note = FORMATS.get(name, ("", ""))[1]
    notes = "window.notes = []; setInterval(() => notes.push(document.querySelector('.stage-note')?.textContent ?? ''), 20)"
    page.evaluate(f"() => {{ {notes} }}")
    page.goto(f"{page.url.split('#')[0]}#/clip/{record['id']}")
    until(page, "document.querySelector('video.clip')?.readyState >= 2")
    assert page.evaluate("document.querySelector('video.clip').videoWidth") == (180 if name == "rotated.mp4" else 320)
    assert any(note in text for text in page.evaluate("window.notes"))
    assert page.locator(".stage-note").count() == 0
