"""HEIC and AVIF pictures, as phones write them."""

from pathlib import Path

import numpy as np
import pillow_heif
import pytest
from PIL import Image

from shared.errors import BrokenMedia, TooLarge
from shared.file_calls import ThumbnailRequest
from shared.video import ImageInfo, Limits, list_pictures, probe
from shared.video.stills.thumbnail import thumbnail
from tests.shared.video.color_spaces import PATCHES, SPACES, measured, patches


def write_heic(path: Path, picture: Image.Image, **more) -> Path:
    pillow_heif.from_pillow(picture).save(path, quality=100, chroma=444, **more)
    return path


def colors(path: Path) -> np.ndarray:
    return measured(np.asarray(list_pictures([path])[0].image()), len(PATCHES)).astype(int)


@pytest.mark.parametrize("suffix", ["heic", "avif"])
def test_a_picture_is_read_with_its_colours(tmp_path: Path, suffix: str) -> None:
    path, picture = tmp_path / f"IMG_0001.{suffix}", Image.fromarray(patches(PATCHES))
    if suffix == "heic":
        write_heic(path, picture)
    else:
        picture.save(path, quality=100, subsampling="4:4:4")
    assert np.abs(colors(path) - PATCHES).max() <= 4
    info = probe(path)
    assert isinstance(info, ImageInfo)
    assert (info.width, info.height, info.has_alpha) == (picture.width, picture.height, False)
    thumbnail(ThumbnailRequest(path=str(path), output=str(tmp_path / "small.jpg"), width=picture.width), None)
    assert np.abs(colors(tmp_path / "small.jpg") - PATCHES).max() <= 8


@pytest.mark.parametrize("suffix", ["heic", "avif"])
def test_a_turned_picture_in_display_p3_is_upright_and_in_srgb(tmp_path: Path, suffix: str) -> None:
    path, space = tmp_path / f"IMG_0001.{suffix}", SPACES["Display P3"]
    turned = Image.fromarray(np.ascontiguousarray(np.rot90(patches(space.coded(PATCHES)))))
    exif = Image.Exif()
    exif[0x0112] = 6
    if suffix == "heic":
        file = pillow_heif.from_bytes("RGB", turned.size, turned.tobytes())
        file.info.update(icc_profile=space.profile, icc_profile_type="prof", exif=exif.tobytes())
        file.save(path, quality=100, chroma=444)
    else:
        turned.save(path, icc_profile=space.profile, exif=exif, quality=100, subsampling="4:4:4")
    assert list_pictures([path])[0].image().size == (24 * len(PATCHES), 24)
    assert np.abs(colors(path) - PATCHES).max() <= 9
    info = probe(path)
    assert isinstance(info, ImageInfo)
    assert (info.width, info.height) == (24 * len(PATCHES), 24)


@pytest.mark.parametrize("suffix", ["heic", "avif"])
def test_transparency_is_read(tmp_path: Path, suffix: str) -> None:
    picture = Image.fromarray(patches(PATCHES))
    alpha = np.zeros((picture.height, picture.width), np.uint8)
    alpha[:, : picture.width // 2] = 255
    picture.putalpha(Image.fromarray(alpha))
    path = tmp_path / f"cut.{suffix}"
    if suffix == "heic":
        write_heic(path, picture)
    else:
        picture.save(path, quality=100, subsampling="4:4:4")
    (read,) = list_pictures([path])
    assert np.abs(read.matte().astype(int) - alpha).mean() < 1
    assert np.asarray(read.image())[12, -12].min() > 250, "white where nothing is"


def test_ten_bits_are_scaled_to_eight(tmp_path: Path) -> None:
    wide = np.repeat(np.linspace(0, 65535, 192).astype(np.uint16)[None], 24, axis=0)
    path = tmp_path / "ten.heic"
    pillow_heif.from_bytes("RGB;16", (192, 24), np.dstack([wide] * 3).tobytes()).save(path, quality=100, chroma=444)
    read = np.asarray(list_pictures([path])[0].image())[12, :, 1].astype(int)
    assert np.abs(read - np.linspace(0, 255, 192)).max() <= 3


def test_brands_that_leave_the_codec_open_are_recognised(tmp_path: Path) -> None:
    path = write_heic(tmp_path / "camera.heic", Image.fromarray(patches(PATCHES)))
    data = path.read_bytes()
    assert data[8:12] in (b"heic", b"heix")
    path.write_bytes(data[:8] + b"mif1" + data[12:])
    assert probe(path).kind == "image"
    assert np.abs(colors(path) - PATCHES).max() <= 4


@pytest.mark.parametrize("suffix", ["heic", "avif"])
def test_damaged_and_huge_pictures_are_refused(tmp_path: Path, suffix: str) -> None:
    path, picture = tmp_path / f"IMG_0001.{suffix}", Image.fromarray(np.random.default_rng(0).integers(0, 256, (96, 128, 3), np.uint8))
    if suffix == "heic":
        write_heic(path, picture)
    else:
        picture.save(path)
    with pytest.raises(TooLarge):
        probe(path, limits=Limits(max_pixels=1000))
    whole = path.read_bytes()
    for share in (0.05, 0.3, 0.8):
        path.write_bytes(whole[: int(len(whole) * share)])
        with pytest.raises(BrokenMedia, match=r"IMG_0001"):
            list_pictures([path])[0].image()
