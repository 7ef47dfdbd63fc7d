"""PNG files and animations, decoded by other libraries."""

import os
import threading
import zipfile
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image, ImageSequence

from shared.video import PngWriter, VideoWriter, read_frames
from shared.video.preview import preview
from tests.shared.video.video_clips import Make, run_ffmpeg

SOLID = "color=0xC86432:s=33x17:r=10:d=0.5"


def clip_of(make: Make, coding: str, name: str = "a.mkv", source: str = SOLID) -> Path:
    return make(name, ["-f", "lavfi", "-i", source], coding)


def write(source: Path, output: Path, pixel_format: str, **options: int) -> None:
    with read_frames(source) as frames:
        first = next(frames)
        with PngWriter(output, width=first.width, height=first.height, pixel_format=pixel_format, **options) as writer:  # type: ignore[arg-type]
            for frame in (first, *frames):
                writer.write(frame.picture, frame.pts)


@pytest.mark.parametrize(
    ("pixel_format", "shape", "dtype", "color"),
    [
        ("rgb24", (17, 33, 3), np.uint8, (200, 100, 50)),
        ("rgba", (17, 33, 4), np.uint8, (200, 100, 50, 255)),
        ("rgb48le", (17, 33, 3), np.uint16, (200 * 257, 100 * 257, 50 * 257)),
        ("rgba64le", (17, 33, 4), np.uint16, (200 * 257, 100 * 257, 50 * 257, 65535)),
    ],
)
def test_pngs_are_written_in_every_depth(
    make: Make, tmp_path: Path, pixel_format: str, shape: tuple[int, ...], dtype: type, color: tuple[int, ...]
) -> None:
    source = clip_of(make, "-c:v ffv1 -pix_fmt bgra")
    write(source, tmp_path / "out", pixel_format)
    assert sorted(os.listdir(tmp_path / "out")) == [f"frame-{index:06d}.png" for index in range(5)]
    picture = cv2.imread(str(tmp_path / "out" / "frame-000004.png"), cv2.IMREAD_UNCHANGED)
    assert picture.shape == shape
    assert picture.dtype == dtype
    full = 255 if dtype is np.uint8 else 65535
    shown = picture[8, 16].astype(float)
    shown[:3] = shown[2::-1]
    assert np.abs(shown - color).max() <= full * 2 / 255
    assert len(shown) == 3 or shown[3] == full


@pytest.mark.parametrize(("bits", "pixel_format", "full"), [(8, "rgba", 255), (8, "rgba64le", 65535), (10, "rgba64le", 65535)])
def test_transparency_is_kept(make: Make, tmp_path: Path, bits: int, pixel_format: str, full: int) -> None:
    # The source is a transparency ramp from 0 to full.
    ramp = f"color=red:s=64x8:r=10:d=0.1,format=yuva444p{'' if bits == 8 else '10le'},geq=lum='lum(X,Y)':cb='cb(X,Y)':cr='cr(X,Y)'"
    ramp += f":a='floor(X*{(1 << bits) - 1}/63)'"
    source = clip_of(make, "-c:v ffv1", source=ramp)
    write(source, tmp_path / "a.zip", pixel_format)
    with zipfile.ZipFile(tmp_path / "a.zip") as archive:
        picture = cv2.imdecode(np.frombuffer(archive.read("frame-000000.png"), np.uint8), cv2.IMREAD_UNCHANGED)
    expected = np.floor(np.arange(64) * ((1 << bits) - 1) / 63) * full / ((1 << bits) - 1)
    assert np.abs(picture[4, :, 3] - expected).max() <= 1
    assert (picture[4, 0, 3], picture[4, -1, 3]) == (0, full)


@pytest.mark.parametrize(("pixel_format", "dtype"), [("gray", np.uint8), ("gray16le", np.uint16)])
def test_a_matte_is_full_scale(tmp_path: Path, pixel_format: str, dtype: type) -> None:
    """Planes are written unchanged: 0 is black, full scale is white."""
    full = np.iinfo(dtype).max
    matte = np.tile(np.linspace(0, full, 65).astype(dtype), (33, 1))
    with PngWriter(tmp_path / "m.zip", width=65, height=33, pixel_format=pixel_format) as writer:  # type: ignore[arg-type]
        for index in range(3):
            writer.write((np.roll(matte, index, 1),), index)
    with zipfile.ZipFile(tmp_path / "m.zip") as archive:
        assert archive.testzip() is None
        assert len(archive.namelist()) == 3
        for index, name in enumerate(archive.namelist()):
            picture = cv2.imdecode(np.frombuffer(archive.read(name), np.uint8), cv2.IMREAD_UNCHANGED)
            np.testing.assert_array_equal(picture, np.roll(matte, index, 1))


def test_the_same_pictures_give_the_same_file(make: Make, tmp_path: Path) -> None:
    source = clip_of(make, "-c:v ffv1")
    for name in ("a.zip", "b.zip"):
        write(source, tmp_path / name, "rgb24")
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()


@pytest.mark.parametrize("name", ["a.zip", "folder"])
@pytest.mark.parametrize("at", [0, 1, 9])
def test_an_error_leaves_no_files_and_threads(tmp_path: Path, name: str, at: int) -> None:
    before = threading.active_count()

    def work() -> None:
        with PngWriter(tmp_path / name, width=16, height=16, pixel_format="gray") as writer:
            for index in range(10):
                if index == at:
                    raise RuntimeError("stop")
                writer.write((np.zeros((16, 16), np.uint8),), index)

    with pytest.raises(RuntimeError, match="stop"):
        work()
    assert list(tmp_path.iterdir()) == []
    assert threading.active_count() == before


def test_a_folder_with_something_in_it_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine").write_text("mine")
    with pytest.raises(OSError), PngWriter(tmp_path / "full", width=8, height=8, pixel_format="gray") as writer:
        writer.write((np.zeros((8, 8), np.uint8),), 0)
    assert os.listdir(tmp_path) == ["full"]
    assert os.listdir(tmp_path / "full") == ["mine"]


def test_wrong_use_is_refused_clearly(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="pixel_format = 'yuv420p'"):
        PngWriter(tmp_path / "a", width=8, height=8, pixel_format="yuv420p")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="compression = 10"):
        PngWriter(tmp_path / "a", width=8, height=8, compression=10)
    with pytest.raises(ValueError, match="no picture"), PngWriter(tmp_path / "a", width=8, height=8):
        pass
    with pytest.raises(ValueError, match="greater than"), PngWriter(tmp_path / "a", width=8, height=8, pixel_format="gray") as writer:
        writer.write((np.zeros((8, 8), np.uint8),), 1)
        writer.write((np.zeros((8, 8), np.uint8),), 1)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("name", "pixel_format"), [("a.mov", "yuva444p10le"), ("a.webm", "yuva420p"), ("a.webp", "yuva420p")])
def test_written_transparency_is_there_when_it_is_decoded(make: Make, tmp_path: Path, name: str, pixel_format: str) -> None:
    ramp = "color=red:s=64x32:r=10:d=0.3,format=yuva444p,geq=lum='lum(X,Y)':cb='cb(X,Y)':cr='cr(X,Y)':a='4*X'"
    source, output = clip_of(make, "-c:v ffv1", source=ramp), tmp_path / name
    with (
        read_frames(source) as frames,
        VideoWriter(output, width=64, height=32, frame_rate=Fraction(10), pixel_format=pixel_format, quality=95) as writer,
    ):
        for frame in frames:
            writer.write(frame.picture, frame.index)
    if name == "a.webp":
        with Image.open(output) as image:
            alpha = np.asarray(image.convert("RGBA"))[None, ..., 3]
    else:
        decoder = ("-c:v", "libvpx-vp9") if name == "a.webm" else ()
        alpha = alpha_of(output, decoder)
    assert alpha.shape[0] == (1 if name == "a.webp" else 3)
    assert np.abs(alpha.astype(int) - np.arange(64) * 4).max() <= 4


def alpha_of(path: Path, decoder: tuple[str, ...]) -> np.ndarray:
    """Return the alpha planes of a video's frames, decoded by ffmpeg."""
    output = run_ffmpeg(*decoder, "-i", str(path), "-vf", "alphaextract,format=gray", "-f", "rawvideo", "-")
    return np.frombuffer(output, np.uint8).reshape(-1, 32, 64)


def test_a_preview_moves_as_the_video_does(make: Make, tmp_path: Path) -> None:
    path = make("a.mp4", "-f lavfi -i testsrc2=s=128x96:r=30:d=4 -c:v libx264")
    turned = make("turned.mp4", f"-display_rotation 90 -i {path} -c copy")
    assert preview(turned, tmp_path / "p.webp", width=60, per_second=5, start=1, duration=2) == 10
    with Image.open(tmp_path / "p.webp") as image:
        assert (image.format, image.n_frames, image.size, image.info["loop"]) == ("WEBP", 10, (60, 80), 0)
        durations = [(frame.load(), frame.info["duration"])[1] for frame in ImageSequence.Iterator(image)]
        image.seek(5)
        shown = np.asarray(image.convert("RGB")).astype(int)
    assert sum(durations) == 2000
    assert set(durations) == {200}
    with read_frames(turned, start=1, duration=2, every=6) as frames:
        whole = [cv2.resize(frame.rgb(), (60, 80), interpolation=cv2.INTER_AREA) for frame in frames]
    errors = [float(np.abs(shown - picture).mean()) for picture in whole]
    assert int(np.argmin(errors)) == 5
    assert errors[5] < 20


def test_a_preview_of_nothing_is_refused(make: Make, tmp_path: Path) -> None:
    path = clip_of(make, "-c:v ffv1")
    with pytest.raises(ValueError, match="no frame of the video"):
        preview(path, tmp_path / "p.webp", start=100)
    with pytest.raises(ValueError, match="width = 0"):
        preview(path, tmp_path / "p.webp", width=0)
    assert [item.name for item in tmp_path.glob("*.webp")] == []
