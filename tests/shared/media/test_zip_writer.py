"""Zip files that operations write: complete or absent, and reproducible."""

import zipfile
from pathlib import Path

import pytest

from shared.errors import TooLarge
from shared.media.zip_files import picture_zip
from shared.media.zip_files.picture_zip import PictureZip
from shared.media.zip_files.writer import ZipWriter


def write(path: Path, *, packed: bool = True) -> bytes:
    with ZipWriter(path, packed=packed) as archive:
        archive.add("a/text.csv", "größe,1\n" * 1000)
        with archive.entry("pieces.bin") as file:
            for _ in range(3):
                file.write(bytes(1000))
        assert not path.exists()
    return path.read_bytes()


def test_the_same_content_gives_the_same_file_whenever_it_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = write(tmp_path / "a.zip")
    monkeypatch.setattr("time.time", lambda: 2e9)
    assert write(tmp_path / "b.zip") == first
    assert len(first) < len(write(tmp_path / "c.zip", packed=False))
    with zipfile.ZipFile(tmp_path / "a.zip") as archive:
        assert archive.testzip() is None
        assert archive.read("a/text.csv").decode() == "größe,1\n" * 1000
        assert archive.read("pieces.bin") == bytes(3000)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.zip", "b.zip", "c.zip"]


def test_a_folder_is_added_in_the_order_of_its_paths(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    (folder / "in" / "it").mkdir(parents=True)
    for name in ("z.txt", "in/it/b.txt", "in/a.txt"):
        (folder / name).write_text(name)
    with ZipWriter(tmp_path / "a.zip", packed=True) as archive:
        archive.add_folder(folder)
    with zipfile.ZipFile(tmp_path / "a.zip") as archive:
        assert archive.namelist() == ["in/a.txt", "in/it/b.txt", "z.txt"]
        assert archive.read("in/it/b.txt") == b"in/it/b.txt"


def test_an_unfinished_zip_leaves_nothing_and_keeps_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    path.write_bytes(b"before")
    with pytest.raises(RuntimeError), ZipWriter(path, packed=True) as archive, archive.entry("a") as file:
        file.write(b"half")
        raise RuntimeError
    assert path.read_bytes() == b"before"
    assert list(tmp_path.iterdir()) == [path]


def test_a_name_cannot_be_added_twice(tmp_path: Path) -> None:
    with ZipWriter(tmp_path / "a.zip", packed=True) as archive:
        archive.add("a", b"")
        with pytest.raises(ValueError, match="there is a file 'a' already"):
            archive.add("a", b"other")


def test_no_more_pictures_are_written_than_can_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(picture_zip, "MOST_ENTRIES", 3)
    with pytest.raises(TooLarge, match="at most 3 pictures"), PictureZip(tmp_path / "a.zip") as archive:
        for number in range(4):
            archive.add(f"{number}.png", b"")
    assert not list(tmp_path.iterdir())
