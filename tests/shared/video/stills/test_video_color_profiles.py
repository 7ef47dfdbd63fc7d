"""Colour profiles of still pictures, converted to sRGB and measured on patches."""

import re
import struct
import zlib
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms

from shared.file_calls import ThumbnailRequest
from shared.video import list_pictures
from shared.video.color_profiles.heif_boxes import code_points
from shared.video.stills.thumbnail import thumbnail
from tests.shared.video.color_spaces import PATCHES, SPACES, cmyk_profile, ink, measured, patches

SAVING = {"jpg": {"quality": 100, "subsampling": 0}, "webp": {"lossless": True}, "avif": {"quality": 100, "subsampling": "4:4:4"}}


def off(path: Path, colors: np.ndarray = PATCHES) -> int:
    """Return the largest difference of a picture's patches from sRGB `colors`."""
    return int(np.abs(measured(np.asarray(list_pictures([path])[0].image()), len(colors)) - colors.astype(int)).max())


@pytest.mark.parametrize("space", SPACES)
@pytest.mark.parametrize("suffix", ["png", "jpg", "webp", "tif", "avif"])
def test_an_embedded_profile_is_applied(tmp_path: Path, space: str, suffix: str) -> None:
    path = tmp_path / f"picture.{suffix}"
    coded = SPACES[space].coded(PATCHES)
    Image.fromarray(patches(coded)).save(path, icc_profile=SPACES[space].profile, **SAVING.get(suffix, {}))
    # A level of a wide space is several levels of sRGB, in the shadows above all.
    assert off(path) <= (10 if space == "ProPhoto" or suffix == "avif" else 7)
    assert np.abs(coded.astype(int) - PATCHES).max() > 25, "without its profile the picture has other colours"


@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_a_profile_is_applied_whatever_the_orientation(tmp_path: Path, orientation: int) -> None:
    space, path = SPACES["AdobeRGB"], tmp_path / "turned.jpg"
    turns = {1: 0, 3: 2, 6: 1, 8: 3}[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored = np.rot90(patches(space.coded(PATCHES)), turns)
    Image.fromarray(np.ascontiguousarray(stored)).save(path, exif=exif, icc_profile=space.profile, quality=100, subsampling=0)
    assert off(path) <= 7


def test_a_palette_and_transparency_keep_their_colours(tmp_path: Path) -> None:
    space, path = SPACES["Display P3"], tmp_path / "picture.png"
    coded = Image.fromarray(patches(space.coded(PATCHES)))
    coded.quantize(16, dither=Image.Dither.NONE).save(path, icc_profile=space.profile)
    assert off(path) <= 7
    alpha = np.full((24, 24 * len(PATCHES)), 255, np.uint8)
    alpha[:3] = 0
    coded.putalpha(Image.fromarray(alpha))
    coded.save(path, icc_profile=space.profile)
    assert off(path) <= 7
    rgba = list_pictures([path])[0].image(alpha=True)
    assert np.array_equal(np.asarray(rgba)[..., 3], alpha)
    assert "icc_profile" not in rgba.info, "or files made of the converted picture would be converted again"


def test_cmyk_is_converted_by_its_profile(tmp_path: Path) -> None:
    inks = np.array([(0, 0, 0, 0), (200, 20, 180, 20), (10, 200, 190, 10), (0, 0, 0, 200), (30, 20, 210, 0), (180, 140, 10, 30)], np.uint8)
    expected = np.rint(ink(inks / 255) * 255).astype(np.uint8)
    picture = Image.fromarray(patches(inks), "CMYK")
    for name in ("print.tif", "print.jpg"):
        picture.save(tmp_path / name, icc_profile=cmyk_profile(), **SAVING["jpg"])
        # Black point compensation maps the darkest ink to black.
        assert off(tmp_path / name, expected) <= 8
    picture.save(tmp_path / "plain.tif")
    assert off(tmp_path / "plain.tif", expected) > 30


def test_a_gray_profile_is_applied(tmp_path: Path) -> None:
    levels = np.linspace(20, 250, 8)
    linear = ((levels / 255 + 0.055) / 1.055) ** 2.4
    gray = np.rint(linear ** (1 / 1.8) * 255).astype(np.uint8)
    Image.fromarray(patches(gray[:, None])[..., 0]).save(tmp_path / "gray.png", icc_profile=_gray_profile(1.8))
    assert off(tmp_path / "gray.png", np.repeat(np.rint(levels)[:, None], 3, axis=1)) <= 2


def test_lab_is_converted(tmp_path: Path) -> None:
    to_lab = ImageCms.buildTransform(ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), "RGB", "LAB")
    ImageCms.applyTransform(Image.fromarray(patches(PATCHES[:7])), to_lab).save(tmp_path / "lab.tif")
    assert off(tmp_path / "lab.tif", PATCHES[:7]) <= 4


def test_adobe_rgb_that_only_exif_names_is_converted(tmp_path: Path) -> None:
    # As cameras write such files: no profile, and in Exif `Uncalibrated` and the index R03.
    path = tmp_path / "_DSC0001.jpg"
    picture = Image.fromarray(patches(SPACES["AdobeRGB"].coded(PATCHES)))
    for exif in (_exif(0xFFFF, b"R03"), _exif(2, b"R98")):
        picture.save(path, exif=exif, **SAVING["jpg"])
        assert off(path) <= 7
    Image.fromarray(patches(PATCHES)).save(path, exif=_exif(1, b"R98"), **SAVING["jpg"])
    assert off(path) <= 2


def test_png_chunks_that_name_a_space_are_read(tmp_path: Path) -> None:
    adobe, wide, path = SPACES["AdobeRGB"], SPACES["Display P3"], tmp_path / "picture.png"
    points = [round(100_000 * value) for xy in (adobe.white, *adobe.primaries) for value in xy]
    chunks = ((b"gAMA", struct.pack(">I", round(100_000 * 256 / 563))), (b"cHRM", struct.pack(">8I", *points)))
    path.write_bytes(_with_chunks(patches(adobe.coded(PATCHES)), *chunks))
    assert off(path) <= 7
    path.write_bytes(_with_chunks(patches(wide.coded(PATCHES)), (b"cICP", bytes((12, 13, 0, 1)))))
    assert off(path) <= 7
    path.write_bytes(_with_chunks(patches(PATCHES), (b"tEXt", b"Comment\0cICP" + bytes((9, 16, 0, 1)))))
    assert off(path) == 0, "a text that mentions the chunk is none"
    points = [31270, 32900, 64000, 33000, 30000, 60000, 15000, 6000]
    path.write_bytes(_with_chunks(patches(PATCHES), (b"gAMA", struct.pack(">I", 45455)), (b"cHRM", struct.pack(">8I", *points))))
    assert off(path) == 0


def test_avif_that_names_display_p3_by_code_points_is_converted(tmp_path: Path) -> None:
    path = tmp_path / "picture.avif"
    Image.fromarray(patches(SPACES["Display P3"].coded(PATCHES))).save(path, **SAVING["avif"])
    data = path.read_bytes()
    place = data.index(b"colrnclx") + 8
    path.write_bytes(data[:place] + struct.pack(">HH", 12, 13) + data[place + 4 :])
    assert off(path) <= 9


def test_code_points_outside_their_box_count_for_nothing(tmp_path: Path) -> None:
    path = tmp_path / "picture.avif"
    Image.fromarray(patches(PATCHES)).save(path, **SAVING["avif"])
    data = path.read_bytes()
    misleading = _box(b"free", b"colrnclx" + struct.pack(">HHH", 12, 13, 0))
    ftyp = int.from_bytes(data[:4], "big")
    assert code_points(data[:ftyp] + misleading + data[ftyp:]) == code_points(data) == (1, 13)
    assert code_points(data[:ftyp] + misleading) is None


@pytest.mark.parametrize("wide", [False, True])
def test_the_code_points_of_the_main_picture_count(wide: bool) -> None:
    colors = [_box(b"colr", b"nclx" + struct.pack(">HHHB", primaries, 13, 0, 0)) for primaries in (9, 12)]
    size = _box(b"ispe", bytes(12))
    # Item 1 has the first two properties, and item 7, the main picture, the first and the third.
    form = ">IBHH" if wide else ">HBBB"
    entries = struct.pack(form, 1, 2, 1, 2) + struct.pack(form, 7, 2, 1, 3)
    assigned = _box(b"ipma", bytes([wide, 0, 0, wide]) + struct.pack(">I", 2) + entries)
    main = _box(b"pitm", bytes(4) + struct.pack(">H", 7))
    meta = _box(b"meta", bytes(4) + main + _box(b"iprp", _box(b"ipco", size + colors[0] + colors[1]) + assigned))
    file = _box(b"ftyp", b"heic" + bytes(4)) + meta
    assert code_points(file) == (12, 13)
    for count in range(len(file)):
        code_points(file[:count])


def _box(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content) + 8) + kind + content


def test_an_hdr_png_is_shown_without_clipping(tmp_path: Path) -> None:
    """Eight PQ grays up to 1000 cd/m2 stay distinct; only the brightest becomes white."""
    ramp = np.linspace(0, 191, 8).astype(np.uint8)  # up to about 1000 cd/m2
    (tmp_path / "hdr.png").write_bytes(_with_chunks(patches(np.repeat(ramp[:, None], 3, axis=1)), (b"cICP", bytes((9, 16, 0, 1)))))
    shown = measured(np.asarray(list_pictures([tmp_path / "hdr.png"])[0].image()), 8)[:, 0]
    assert (np.diff(shown.astype(int)) > 0).all()
    assert shown[-1] >= 245
    assert shown[-2] < 240


@pytest.mark.parametrize("profile", [b"no profile", b"", SPACES["AdobeRGB"].profile[:300], cmyk_profile()])
def test_a_profile_that_cannot_be_used_does_no_harm(tmp_path: Path, profile: bytes) -> None:
    Image.fromarray(patches(PATCHES)).save(tmp_path / "picture.png", icc_profile=profile)
    assert off(tmp_path / "picture.png") == 0


def test_srgb_stays_as_it_is(tmp_path: Path) -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    Image.fromarray(noise).save(tmp_path / "picture.png", icc_profile=profile)
    assert np.array_equal(np.asarray(list_pictures([tmp_path / "picture.png"])[0].image()), noise)


def test_thumbnails_have_the_colours_of_the_picture(tmp_path: Path) -> None:
    Image.fromarray(patches(SPACES["ProPhoto"].coded(PATCHES))).save(tmp_path / "wide.png", icc_profile=SPACES["ProPhoto"].profile)
    thumbnail(ThumbnailRequest(path=str(tmp_path / "wide.png"), output=str(tmp_path / "small.jpg"), width=24 * len(PATCHES)), None)
    assert off(tmp_path / "small.jpg") <= 14


def test_still_pictures_are_opened_in_one_place() -> None:
    """Only the source files listed here open pictures without the shared reader.

    They open the suite's own pictures, which have no profile, and animations, which are videos.

    The contact sheet converts copied files itself.
    """
    root = Path(__file__).parents[4]
    files = [path for folder in ("shared", "gateway", "services") for path in (root / folder).rglob("*.py")]
    opening = {str(path.relative_to(root)) for path in files if re.search(r"Image\.open\(|imread\(|imdecode\(", path.read_text())}
    assert opening <= {
        "shared/video/stills/image.py",
        "shared/video/reading/animated_webp.py",
        "services/aesthetics/output/contact_sheet.py",
        "services/keyframes/output/gallery.py",
    }


def _exif(color_space: int, index: bytes) -> bytes:
    """Make Exif data with a colour space and an interoperability index."""
    main = struct.pack("<HHHLLL", 1, 0x8769, 4, 1, 26, 0)
    camera = struct.pack("<HHHLHxxHHLLL", 2, 0xA001, 3, 1, color_space, 0xA005, 4, 1, 56, 0)
    return b"Exif\0\0II*\0\x08\0\0\0" + main + camera + struct.pack("<HHHL4sL", 1, 1, 2, 4, index + b"\0", 0)


def _with_chunks(picture: np.ndarray, *chunks: tuple[bytes, bytes]) -> bytes:
    """Encode a PNG file with extra chunks after its header."""
    file = BytesIO()
    Image.fromarray(picture).save(file, "PNG")
    data = file.getvalue()
    more = b"".join(struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body)) for name, body in chunks)
    return data[:33] + more + data[33:]


def _gray_profile(gamma: float) -> bytes:
    """Make a gray ICC profile with a power curve."""
    white = b"XYZ " + bytes(4) + struct.pack(">3i", 63190, 65536, 54061)
    desc = b"desc" + struct.pack(">II", 0, 5) + b"gray\0" + bytes(78)
    curve = b"curv" + struct.pack(">IIH", 0, 1, round(gamma * 256))
    tags, body = b"", b""
    for name, data in ((b"desc", desc), (b"wtpt", white), (b"kTRC", curve)):
        tags += name + struct.pack(">II", 168 + len(body), len(data))
        body += data + bytes(-len(data) % 4)
    header = struct.pack(">I4xI4s4s4s12x4s", 168 + len(body), 0x02400000, b"mntr", b"GRAY", b"XYZ ", b"acsp")
    header = (header + bytes(28) + struct.pack(">3i", 63190, 65536, 54061)).ljust(128, b"\0")
    return header + struct.pack(">I", 3) + tags + body
