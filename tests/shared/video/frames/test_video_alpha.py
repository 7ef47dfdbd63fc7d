"""Mattes in gray video, and alpha in colour video, written and read.

Alpha is in ProRes 4444, VP9 and PNG.
"""

import zipfile
from fractions import Fraction
from io import BytesIO
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from PIL import Image

from shared.video import Frame, PngWriter, VideoWriter, list_pictures, read_frames
from shared.video.frames.color import MATTE
from shared.video.frames.planes import empty_picture, planes_of
from tests.shared.video.video_clips import Make, run_ffmpeg

WIDTH, HEIGHT, FRAMES = 64, 48, 3
RGB = (200, 60, 40)


def alpha_of(number: int) -> np.ndarray:
    """Draw frame `number` of a full-scale alpha ramp that moves.

    The ramp is soft enough for every encoder.
    """
    return np.tile(np.abs((np.arange(WIDTH) * 8 + 40 * number) % 510 - 255).astype(np.uint8), (HEIGHT, 1))


def picture() -> av.VideoFrame:
    return av.VideoFrame.from_ndarray(np.full((HEIGHT, WIDTH, 3), RGB, np.uint8), format="rgb24")


def first_frame(path: Path) -> Frame:
    with read_frames(path) as frames:
        return next(frames)


FILES = [("a.mov", "yuva444p10le", "prores", 3), ("a.webm", "yuva420p", "libvpx-vp9", 4)]


@pytest.mark.parametrize(("name", "pixel_format", "decoder", "tolerance"), FILES)
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_alpha_is_written_and_read_back(name, pixel_format, decoder, tolerance, dtype, tmp_path: Path) -> None:
    factor = 1 if dtype == np.uint8 else 257
    with VideoWriter(tmp_path / name, width=WIDTH, height=HEIGHT, frame_rate=Fraction(10), pixel_format=pixel_format, quality=95) as writer:
        for number in range(FRAMES):
            writer.write(picture(), number, alpha=alpha_of(number).astype(dtype) * dtype(factor))
    raw = run_ffmpeg("-c:v", decoder, "-i", str(tmp_path / name), "-vf", "alphaextract,format=gray", "-f", "rawvideo", "-")
    judged = np.frombuffer(raw, np.uint8).reshape(FRAMES, HEIGHT, WIDTH)
    with read_frames(tmp_path / name) as frames:
        for number, frame in enumerate(frames):
            for matte in (judged[number], frame.matte()):
                assert np.abs(matte.astype(int) - alpha_of(number)).max() <= tolerance, number
            # The colour is straight: transparency leaves it alone.
            assert np.abs(frame.rgb().astype(int) - RGB).max() <= 12


def test_writing_alpha_does_not_change_the_given_picture(tmp_path: Path) -> None:
    source = empty_picture(WIDTH, HEIGHT, "yuva420p")
    for plane in planes_of(source):
        plane[:] = 128
    with VideoWriter(tmp_path / "a.webm", width=WIDTH, height=HEIGHT, frame_rate=Fraction(10), pixel_format="yuva420p") as writer:
        writer.write(source, 0, alpha=alpha_of(0))
    assert all((plane == 128).all() for plane in planes_of(source))


def test_a_matte_is_written_as_gray_video_of_full_scale(tmp_path: Path) -> None:
    path = tmp_path / "matte.mp4"
    with VideoWriter(path, width=WIDTH, height=HEIGHT, frame_rate=Fraction(10), pixel_format="gray", color=MATTE, quality=95) as writer:
        assert writer.encoder == "libx264"
        for number in range(FRAMES):
            writer.write((alpha_of(number),), number)
    raw = run_ffmpeg("-i", str(path), "-f", "rawvideo", "-pix_fmt", "gray", "-")
    judged = np.frombuffer(raw, np.uint8).reshape(FRAMES, HEIGHT, WIDTH)
    with read_frames(path) as frames:
        for number, frame in enumerate(frames):
            assert frame.alpha() is None
            for matte in (judged[number], frame.matte()):
                assert np.abs(matte.astype(int) - alpha_of(number)).max() <= 4, number


@pytest.mark.parametrize("pixel_format", ["rgba", "rgba64le"])
def test_pngs_with_alpha_are_written_to_a_zip_file(pixel_format, tmp_path: Path) -> None:
    path = tmp_path / "frames.zip"
    with PngWriter(path, width=WIDTH, height=HEIGHT, pixel_format=pixel_format) as writer:
        for number in range(FRAMES):
            writer.write(picture(), number, alpha=alpha_of(number))
    with zipfile.ZipFile(path) as archive:
        assert archive.namelist() == [f"frame-{number:06d}.png" for number in range(FRAMES)]
        for number, name in enumerate(archive.namelist()):
            pixels = cv2.imdecode(np.frombuffer(archive.read(name), np.uint8), cv2.IMREAD_UNCHANGED)
            factor = 257 if pixel_format == "rgba64le" else 1
            assert np.array_equal(pixels[..., 3], alpha_of(number).astype(int) * factor)
            assert np.abs(pixels[..., 2::-1] - np.array(RGB) * factor).max() <= factor
            assert Image.open(BytesIO(archive.read(name))).size == (WIDTH, HEIGHT)
    assert np.array_equal(list_pictures([path])[1].matte(), alpha_of(1))


def test_alpha_that_does_not_fit_is_refused(tmp_path: Path) -> None:
    with VideoWriter(tmp_path / "a.webm", width=WIDTH, height=HEIGHT, frame_rate=Fraction(10), pixel_format="yuva420p") as writer:
        with pytest.raises(ValueError, match="uint8 or uint16 of shape"):
            writer.write(picture(), 0, alpha=alpha_of(0)[:4])
        with pytest.raises(ValueError, match="alpha is float64"):
            writer.write(picture(), 0, alpha=alpha_of(0) / 255)
        writer.write(picture(), 0, alpha=alpha_of(0))
    with VideoWriter(tmp_path / "a.mp4", width=WIDTH, height=HEIGHT, frame_rate=Fraction(10)) as writer:
        with pytest.raises(ValueError, match="yuv420p has no alpha plane"):
            writer.write(picture(), 0, alpha=alpha_of(0))
        writer.write(picture(), 0)
    with PngWriter(tmp_path / "a.zip", width=WIDTH, height=HEIGHT) as writer:
        with pytest.raises(ValueError, match="rgb24 has no alpha"):
            writer.write(picture(), 0, alpha=alpha_of(0))
        writer.write(picture(), 0)


def test_alpha_of_a_video_from_another_program_is_read(make: Make) -> None:
    ramp = "color=red:s=64x32:r=10:d=0.3,format=yuva444p,geq=lum='lum(X,Y)':cb='cb(X,Y)':cr='cr(X,Y)':a='4*X'"
    for name, coding in (("a.mov", "-c:v png -pix_fmt rgba"), ("b.mov", "-c:v prores_ks -profile:v 4444 -pix_fmt yuva444p10le")):
        frame = first_frame(make(name, ["-f", "lavfi", "-i", ramp], coding))
        assert np.abs(frame.matte().astype(int) - np.arange(64) * 4).max() <= 2
        assert frame.alpha() is not None


@pytest.mark.parametrize(("pixel_format", "black", "white"), [("gray", 16, 235), ("gray10le", 64, 940)])
def test_the_luma_of_a_matte_in_limited_range_is_stretched(pixel_format, black, white) -> None:
    source = empty_picture(16, 4, pixel_format)
    planes_of(source)[0][:] = np.linspace(black, white, 16).round()
    frame = Frame(0, Fraction(1, 10), 1, 0, source)
    assert np.abs(frame.matte()[0] - np.linspace(0, 255, 16)).max() <= 1


def test_the_matte_of_a_picture_file_is_its_gray_or_its_alpha(tmp_path: Path) -> None:
    Image.fromarray(alpha_of(0)).save(tmp_path / "gray.png")
    clear = Image.fromarray(np.full((HEIGHT, WIDTH, 3), RGB, np.uint8))
    clear.putalpha(Image.fromarray(alpha_of(0)))
    clear.save(tmp_path / "clear.png")
    for picture_file in list_pictures([tmp_path / "gray.png", tmp_path / "clear.png"]):
        assert np.array_equal(picture_file.matte(), alpha_of(0))
