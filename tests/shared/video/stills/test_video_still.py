"""Still images, single and in zip files, including hostile files."""

import stat
import unicodedata
import zipfile
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps

from shared.errors import BrokenMedia, NotFound, TooLarge, UnsupportedMedia
from shared.file_calls import ThumbnailRequest
from shared.media.zip_files import picture_zip
from shared.media.zip_files.picture_zip import PictureZip, open_picture, read_chunks
from shared.video import ImageInfo, Limits, list_pictures, probe
from shared.video.stills.thumbnail import thumbnail


def picture(color: str, size: tuple[int, int] = (32, 24), format: str = "PNG") -> bytes:
    data = BytesIO()
    Image.new("RGB", size, color).save(data, format)
    return data.getvalue()


def packed(path: Path, **entries: bytes) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in entries.items():
            archive.writestr(name.replace("__", "/").replace("_dot_", "."), data)
    return path


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    path = tmp_path / "pictures.zip"
    with PictureZip(path) as archive:
        archive.add("b/red.png", picture("red"))
        archive.add("a.jpg", picture("blue", format="JPEG"))
        with pytest.raises(ValueError, match="already"):
            archive.add("a.jpg", b"")
        assert not path.exists()
    assert probe(path).model_dump() == {
        "kind": "images",
        "pictures": 2,
        "unpacked_bytes": sum(len(picture.data()) for picture in list_pictures([path])),
        "other_files": (),
    }
    assert [picture.name for picture in list_pictures([path])] == ["a.jpg", "b/red.png"]
    assert list_pictures([path])[1].image().getpixel((3, 3)) == (255, 0, 0)
    assert list(tmp_path.iterdir()) == [path]


def test_an_unfinished_zip_leaves_no_files(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError), PictureZip(tmp_path / "pictures.zip") as archive:
        archive.add("red.png", picture("red"))
        raise RuntimeError
    assert list(tmp_path.iterdir()) == []


def test_pictures_come_in_the_order_given(tmp_path: Path) -> None:
    single = tmp_path / "z.png"
    single.write_bytes(picture("green"))
    archive = packed(tmp_path / "pictures.zip", two_dot_png=picture("red"), one_dot_png=picture("blue"))
    assert [picture.name for picture in list_pictures([single, archive])] == ["z.png", "one.png", "two.png"]
    assert list_pictures([single])[0].image().size == (32, 24)
    with pytest.raises(UnsupportedMedia, match="neither"):
        (tmp_path / "text.txt").write_text("no picture at all, just words")
        list_pictures([tmp_path / "text.txt"])


def test_extra_files_of_packing_programs_are_skipped(tmp_path: Path) -> None:
    path = packed(
        tmp_path / "pictures.zip",
        good_dot_png=picture("red"),
        __MACOSX___dot__good_dot_png=picture("red"),
        _dot_hidden_dot_png=picture("red"),
        notes_dot_txt=b"words",
        empty_dot_png=b"",
    )
    with zipfile.ZipFile(path, "a") as archive:
        archive.mkdir("folder")
        for name in ("../up.png", "/root.png", "a//b.png", "new\nline.png", "a/../../b.png"):
            archive.writestr(zipfile.ZipInfo(name), picture("red"))
        link = zipfile.ZipInfo("link.png")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, "/etc/passwd")
    assert [picture.name for picture in list_pictures([path])] == ["good.png"]
    for name in ("../up.png", "notes.txt", "link.png", "nothing.png", "folder/"):
        with pytest.raises(NotFound), open_picture(path, name):
            raise AssertionError("was opened")


def test_a_zip_without_a_picture_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnsupportedMedia, match="contains no picture"):
        probe(packed(tmp_path / "words.zip", notes_dot_txt=b"words"))
    with zipfile.ZipFile(tmp_path / "empty.zip", "w"):
        pass
    with pytest.raises(UnsupportedMedia, match="contains no picture"):
        probe(tmp_path / "empty.zip")


def test_zip_bombs_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bomb = packed(tmp_path / "bomb.zip", huge_dot_png=picture("red") + bytes(3_000_000))
    assert bomb.stat().st_size < 10_000
    with pytest.raises(TooLarge, match="at most 1000000"):
        probe(bomb, limits=Limits(max_bytes=1_000_000))
    monkeypatch.setattr(picture_zip, "MOST_PICTURE_BYTES", 1_000_000)
    with pytest.raises(TooLarge, match=r"'huge.png' has 3000"):
        probe(bomb)
    monkeypatch.setattr(picture_zip, "MOST_ENTRIES", 2)
    with pytest.raises(TooLarge, match="holds 3 files"):
        probe(packed(tmp_path / "many.zip", a_dot_png=b"", b_dot_png=b"", c_dot_png=b""))


def test_an_entry_with_a_false_size_yields_no_more_than_declared(tmp_path: Path) -> None:
    path = packed(tmp_path / "lies.zip", red_dot_png=picture("red") + bytes(500_000))
    data = path.read_bytes()
    size = (len(picture("red")) + 500_000).to_bytes(4, "little")
    assert data.count(size) == 2
    path.write_bytes(data.replace(size, (100).to_bytes(4, "little")))
    with pytest.raises(BrokenMedia, match=r"red\.png"), open_picture(path, "red.png") as (_, file):
        assert sum(map(len, read_chunks(file))) <= 100


def test_damaged_encrypted_and_oddly_packed_zip_files_are_refused(tmp_path: Path) -> None:
    path = packed(tmp_path / "pictures.zip", red_dot_png=picture("red"))
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(BrokenMedia, match="zip file"):
        probe(path)
    encrypted = bytearray(whole)
    for start in (b"PK\x03\x04", b"PK\x01\x02"):
        encrypted[whole.index(start) + (6 if start.endswith(b"\x04") else 8)] |= 1
    path.write_bytes(encrypted)
    with pytest.raises(UnsupportedMedia, match="password"):
        probe(path)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_LZMA) as archive:
        archive.writestr("red.png", picture("red"))
    with pytest.raises(UnsupportedMedia, match="Deflate"):
        probe(path)


def test_a_damaged_or_too_large_picture_in_a_zip_is_refused(tmp_path: Path) -> None:
    path = packed(tmp_path / "pictures.zip", broken_dot_png=picture("red")[:40], red_dot_png=picture("red"))
    broken, red = list_pictures([path])
    with pytest.raises(BrokenMedia, match=r"'broken.png'"):
        broken.image()
    with pytest.raises(TooLarge):
        replace(red, limits=Limits(max_pixels=100)).image()


def test_the_thumbnail_of_a_zip_is_the_first_picture(tmp_path: Path) -> None:
    path = packed(tmp_path / "pictures.zip", b_dot_png=picture("red"), a_dot_png=picture("blue"))
    thumbnail(ThumbnailRequest(path=str(path), output=str(tmp_path / "small.jpg"), width=64), None)
    with Image.open(tmp_path / "small.jpg") as small:
        assert small.size == (64, 48)
        assert small.getpixel((9, 9))[2] > 240


def test_a_list_of_files_that_fills_the_memory_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "pictures.zip"
    with zipfile.ZipFile(path, "w") as archive:
        entry = zipfile.ZipInfo("red.png")
        entry.comment = bytes(60_000)
        archive.writestr(entry, picture("red"))
    monkeypatch.setattr(picture_zip, "MOST_LIST_BYTES", 50_000)
    with pytest.raises(TooLarge, match=r"directory of the zip file has 60\d\d\d bytes; at most 50000"):
        probe(path)


def test_damaged_compression_is_reported(tmp_path: Path) -> None:
    path = packed(tmp_path / "pictures.zip", red_dot_png=picture("red"))
    data = bytearray(path.read_bytes())
    data[30 + len("red.png")] = 0xFF  # no kind of block has this number
    path.write_bytes(data)
    with pytest.raises(BrokenMedia, match="zip file"):
        probe(path)
    with pytest.raises(BrokenMedia, match=r"'red\.png' is damaged"), open_picture(path, "red.png"):
        raise AssertionError("was opened")


def test_names_with_combining_accents_work(tmp_path: Path) -> None:
    name = unicodedata.normalize("NFD", "müde katze.png")
    path = tmp_path / "pictures.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(name, picture("red"))
    assert [picture.name for picture in list_pictures([path])] == [name]
    assert list_pictures([path])[0].image().size == (32, 24)


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_the_last_of_entries_with_the_same_name_is_used(tmp_path: Path) -> None:
    path = tmp_path / "pictures.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in (("a.png", picture("red")), ("a.png", picture("blue")), ("b.png", picture("red")), ("b.png", b"words")):
            archive.writestr(name, data)
    assert [(picture.name, picture.image().getpixel((3, 3))) for picture in list_pictures([path])] == [("a.png", (0, 0, 255))]


@pytest.mark.parametrize(
    ("kind", "format"), [("uint16", "PNG"), ("uint16", "TIFF"), (">u2", "TIFF"), ("int32", "TIFF"), ("float32", "TIFF")]
)
def test_more_than_8_bits_of_grey_are_not_cut_off(tmp_path: Path, kind: str, format: str) -> None:
    data = BytesIO()
    Image.fromarray(np.linspace(0, 65535, 256).reshape(16, 16).astype(kind)).save(data, format)
    (tmp_path / "grey").write_bytes(data.getvalue())
    grey = np.asarray(list_pictures([tmp_path / "grey"])[0].image())
    assert np.abs(grey[..., 0].ravel() - np.arange(256.0)).max() <= 1


@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_orientation_is_turned_upright(tmp_path: Path, orientation: int) -> None:
    source = Image.fromarray(np.arange(4 * 6, dtype=np.uint8).reshape(4, 6) * 10).convert("RGB")
    exif = Image.Exif()
    exif[0x0112] = orientation
    source.save(tmp_path / "turned.png", exif=exif)
    upright = list_pictures([tmp_path / "turned.png"])[0].image()
    assert upright.tobytes() == ImageOps.exif_transpose(Image.open(tmp_path / "turned.png")).tobytes()
    info = probe(tmp_path / "turned.png")
    assert isinstance(info, ImageInfo)
    assert (info.width, info.height) == upright.size


def test_damaged_exif_data_does_no_harm(tmp_path: Path) -> None:
    data = BytesIO()
    Image.new("RGB", (32, 24), "red").save(data, "JPEG", exif=b"Exif\x00\x00no TIFF at all")
    (tmp_path / "a.jpg").write_bytes(data.getvalue())
    info = probe(tmp_path / "a.jpg")
    assert isinstance(info, ImageInfo)
    assert (info.width, info.rotation) == (32, 0)
    assert list_pictures([tmp_path / "a.jpg"])[0].image().size == (32, 24)


def test_a_jpeg_with_several_pictures_gives_the_first(tmp_path: Path) -> None:
    path = tmp_path / "phone.jpg"
    first = Image.new("RGB", (32, 24), "red")
    first.save(path, "MPO", save_all=True, append_images=[Image.new("RGB", (16, 12), "blue")])
    info = probe(path)
    assert isinstance(info, ImageInfo)
    assert (info.codec, info.width, info.height) == ("jpeg", 32, 24)
    assert np.abs(np.asarray(list_pictures([path])[0].image(), int) - np.asarray(first)).max() < 8


def test_a_picture_without_the_palette_that_it_needs_is_damaged(tmp_path: Path) -> None:
    data = BytesIO()
    Image.new("P", (4, 4)).save(data, "PNG")
    chunks = data.getvalue()
    at = chunks.index(b"PLTE") - 4
    path = tmp_path / "bare.png"
    path.write_bytes(chunks[:at] + chunks[at + 12 + int.from_bytes(chunks[at : at + 4], "big") :])
    for look in (probe, lambda path: list_pictures([path])[0].image()):
        with pytest.raises(BrokenMedia, match=r"'bare.png' is a damaged image .*no palette"):
            look(path)
