"""Entry names of zip files, in any script and from different programs."""

import struct
import unicodedata
import zipfile
import zlib
from pathlib import Path

import pytest

from shared.errors import NotFound, UnsupportedMedia
from shared.media.zip_files.picture_zip import open_picture, zip_contents

NAMES = [
    "été à la plage.png",
    "Отпуск на море.png",
    "夏の海.png",
    "휴가.png",
    "假期照片.png",
    "עברית.png",
    "عطلة.png",
    "می‌روم.png",
    "दीवाली.png",
    "ภาพถ่าย.png",
    "ελλάδα.png",
    "👩‍👧 🏖️.png",
    "photo.png",
]
PNG = b"\x89PNG\r\n\x1a\n" + bytes(20)
LIMIT = 10**6


def write(path: Path, names: list[str], *, encoding: str = "utf-8", flag: bool = False, extra: bool = False) -> Path:
    """Write a zip file as other programs do, with names in `encoding`.

    `flag`: names are marked as UTF-8.
    """
    with zipfile.ZipFile(path, "w") as archive:
        for number, name in enumerate(names):
            info = zipfile.ZipInfo(f"{number:02}".ljust(len(name.encode(encoding)), "~"))
            raw = name.encode(encoding)
            if extra:
                body = b"\x01" + zlib.crc32(raw).to_bytes(4, "little") + name.encode()
                info.extra = struct.pack("<HH", 0x7075, len(body)) + body
            archive.writestr(info, PNG + name.encode())
    data = path.read_bytes()
    for number, name in enumerate(names):
        raw = name.encode(encoding)
        data = data.replace(f"{number:02}".ljust(len(raw), "~").encode(), raw)
    if flag:
        for start, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
            parts = data.split(start)
            data = start.join([parts[0]] + [part[: offset - 4] + struct.pack("<H", 0x800) + part[offset - 2 :] for part in parts[1:]])
    path.write_bytes(data)
    return path


def names_in(path: Path) -> list[str]:
    """Check that each entry name of a zip file opens its file.

    Return the names.
    """
    names = [picture.name for picture in zip_contents(path, LIMIT).pictures]
    for name in names:
        with open_picture(path, name) as (_, file):
            assert file.read()[len(PNG) :].decode() in (name, unicodedata.normalize("NFD", name))
    return names


@pytest.mark.parametrize("flag", [True, False])
def test_names_in_utf8_are_read_with_and_without_the_flag(tmp_path: Path, flag: bool) -> None:
    assert names_in(write(tmp_path / "names.zip", NAMES, flag=flag)) == sorted(NAMES)


@pytest.mark.parametrize(
    ("encoding", "names"),
    [
        ("cp866", ["Отпуск на море.png", "2019 лето.png", "photo.png"]),
        ("cp932", ["夏の海.png", "新しいフォルダー 写真.png", "photo 1.png"]),
        ("euc_kr", ["휴가.png", "여름 바다 2.png"]),
        ("gb2312", ["假期照片.png", "北京 2024.png"]),
        ("cp437", ["été à la plage.png", "château.png", "schön.png", "año.png", "ä.png", "âme.png", "Über.png"]),
    ],
)
def test_names_in_the_code_page_of_a_country_are_read(tmp_path: Path, encoding: str, names: list[str]) -> None:
    path = write(tmp_path / "names.zip", names, encoding=encoding)
    assert [picture.name for picture in zip_contents(path, LIMIT).pictures] == sorted(names)


@pytest.mark.parametrize("name", ["été.png", "château.png", "schön.png", "âme.png", "Ä.png", "naïve.png", "Ålesund.png"])
def test_an_accented_letter_alone_does_not_become_another_script(tmp_path: Path, name: str) -> None:
    path = write(tmp_path / "names.zip", [name], encoding="cp437")
    assert [picture.name for picture in zip_contents(path, LIMIT).pictures] == [name]


def test_a_name_in_the_extra_field_is_used(tmp_path: Path) -> None:
    path = write(tmp_path / "names.zip", ["Отпуск.png"], encoding="koi8-r", extra=True)
    assert [picture.name for picture in zip_contents(path, LIMIT).pictures] == ["Отпуск.png"]


def test_accents_as_characters_of_their_own_stay(tmp_path: Path) -> None:
    name = unicodedata.normalize("NFD", "été.png")
    assert names_in(write(tmp_path / "names.zip", [name])) == [name]


def test_hidden_direction_marks_are_removed_and_no_picture_is_lost(tmp_path: Path) -> None:
    path = write(tmp_path / "names.zip", ["gpj.\u202egnp.png", "gpj.gnp.png", "a" * 240 + ".png", "photo. "])
    names = [picture.name for picture in zip_contents(path, LIMIT).pictures]
    assert names == ["a" * 196 + ".png", "gpj.gnp-2.png", "gpj.gnp.png", "photo"]
    for name in names:
        with open_picture(path, name) as (_, file):
            assert file.read().startswith(PNG)


def test_backslashes_of_windows_separate_folders(tmp_path: Path) -> None:
    path = write(tmp_path / "names.zip", ["Fotos\\été.png", "Fotos\\2.png"], encoding="cp437")
    assert [picture.name for picture in zip_contents(path, LIMIT).pictures] == ["Fotos/2.png", "Fotos/été.png"]


def test_files_that_are_not_read_are_named(tmp_path: Path) -> None:
    path = tmp_path / "mixed.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.mkdir("folder")
        for name, data in {
            "a.png": PNG,
            "anim.gif": b"GIF89a" + bytes(20),
            "folder/photo.jp2": b"\0\0\0\x0cjP  \r\n\x87\n" + bytes(20),
            "raw.CR2": b"II\x1a\0\0\0HEAPCCDR",
            "notes.txt": b"words",
            "../up.png": PNG,
            "__MACOSX/._a.png": b"x",
            ".DS_Store": b"x",
            "folder/Thumbs.db": b"x",
            "desktop.ini": b"x",
        }.items():
            archive.writestr(name, data)
    contents = zip_contents(path, LIMIT)
    assert [picture.name for picture in contents.pictures] == ["a.png"]
    assert contents.others == ("anim.gif", "folder/photo.jp2", "notes.txt", "raw.CR2", "up.png")
    warning = contents.warning("mixed.zip")
    assert warning is not None
    assert warning.startswith("5 files were left out of 'mixed.zip'")
    assert all(repr(name) in warning for name in contents.others)
    with pytest.raises(NotFound), open_picture(path, "anim.gif"):
        raise AssertionError("was opened")


def test_a_warning_names_ten_files_and_counts_the_others(tmp_path: Path) -> None:
    path = tmp_path / "mixed.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.png", PNG)
        for number in range(13):
            archive.writestr(f"{number:02}.psd", b"8BPS")
    warning = zip_contents(path, LIMIT).warning("mixed.zip")
    assert warning is not None
    assert "'09.psd' and 3 more" in warning
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("only.psd", b"8BPS")
    with pytest.raises(UnsupportedMedia, match=r"contains no picture .*It holds 'only\.psd'"):
        zip_contents(path, LIMIT)
