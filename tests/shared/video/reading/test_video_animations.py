"""Animated GIF, PNG and WebP files: equal rates, and true transparency."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from services.media.transcode import TranscodeParams, transcode
from shared.video import probe_video, read_frames
from shared.worker.progress import Report

HOLE = (slice(8, 16), slice(8, 16))


def pictures(count: int, mode: str = "RGB") -> list[Image.Image]:
    """Draw different opaque pictures."""
    return [Image.fromarray(np.full((24, 32, 3), (8 * number, 100, 200), np.uint8)).convert(mode) for number in range(count)]


def animation(path: Path, frames: list[Image.Image], delays_ms: list[int], **options: Any) -> Path:
    """Save an animation; its delays repeat `delays_ms`."""
    delays = [delays_ms[number % len(delays_ms)] for number in range(len(frames))]
    frames[0].save(path, save_all=True, append_images=frames[1:], duration=delays, **options)
    return path


def said(path: Path, output: Path) -> list[str]:
    """Transcode a file; return the messages of the job."""
    messages: list[str] = []
    transcode(TranscodeParams(), video=path, output=output, progress=Report(lambda update: messages.append(str(update))))
    return messages


@pytest.mark.parametrize("count", [4, 10, 16, 31])
@pytest.mark.parametrize(("delays", "rate"), [([33, 33, 34], "30/1"), ([41, 42, 42], "24/1"), ([16, 17, 17], "60/1"), ([40], "25/1")])
def test_the_rate_does_not_depend_on_the_format(delays: list[int], rate: str, count: int, tmp_path: Path) -> None:
    for name in ("a.png", "a.webp"):
        info = probe_video(animation(tmp_path / name, pictures(count), delays))
        assert (info.frame_rate, info.constant_rate, info.variable_frame_rate, info.frames) == (rate, rate, False, count), name


@pytest.mark.parametrize("name", ["a.webp", "a.gif"])
@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_opaque_animations_have_no_transparency(name: str, mode: str, tmp_path: Path) -> None:
    # Both formats store what stays the same from picture to picture as transparent.
    frames = pictures(6, mode)
    for frame in frames:
        frame.paste((250, 250, 250), (0, 0, 8, 8))
    path = animation(tmp_path / name, frames, [100], **({"lossless": True} if name == "a.webp" else {}))
    assert not probe_video(path).has_alpha
    assert not any("transparent" in text for text in said(path, tmp_path / "out.mp4"))
    with read_frames(path) as read:
        last = list(read)[-1].rgb()
    assert np.abs(last[12, 20].astype(int) - (40, 100, 200)).max() <= 8
    assert np.abs(last[4, 4].astype(int) - 250).max() <= 8


@pytest.mark.parametrize(("name", "place"), [("a.webp", 0), ("a.webp", 3), ("a.gif", 0)])
def test_a_transparent_part_of_one_picture_counts(name: str, place: int, tmp_path: Path) -> None:
    frames = pictures(6, "RGBA")
    colors = np.array(frames[place])
    colors[HOLE] = (0, 255, 0, 0)
    frames[place] = Image.fromarray(colors)
    options: dict[str, Any] = {"lossless": True} if name == "a.webp" else {"disposal": 2}
    path = animation(tmp_path / name, frames, [100], **options)
    assert probe_video(path).has_alpha
    assert any("transparent" in text for text in said(path, tmp_path / "out.mp4"))
    with read_frames(tmp_path / "out.mp4") as read:
        assert list(read)[place].luma()[11:13, 11:13].max() < 40, "the hole is black"
