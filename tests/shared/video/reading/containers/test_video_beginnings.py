"""The search for files within a file: every beginning is found, and no byte is read twice."""

import io
import random

import pytest

from shared.video.reading.containers import beginnings
from shared.video.reading.containers.beginnings import EBML, SEGMENT, Beginnings
from shared.video.reading.containers.following_files import _MOST_FILES, following_files

MATROSKA = EBML + b"\x93\x42\x82\x88matroska" + SEGMENT + b"\x01\xff\xff\xff\xff\xff\xff\xff"
MP4 = b"\x00\x00\x00\x14ftypisom\x00\x00\x02\x00isom\x00\x00\x00\x08free"
KINDS = {"matroska": (MATROSKA, EBML, 0), "mp4": (MP4, b"ftyp", 4)}


class CountingFile(io.BytesIO):
    """A file in memory that counts the bytes that are read."""

    bytes_read = 0

    def read(self, size: int | None = -1) -> bytes:
        data = super().read(size)
        self.bytes_read += len(data)
        return data


def test_every_beginning_is_found_wherever_it_lies(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(beginnings, "_CHUNK", 512)
    chance = random.Random(5)
    for start, magic, back in KINDS.values():
        places, data = [], b""
        for length in [*chance.choices(range(700), k=60), 512, 0]:
            data += chance.randbytes(length) + magic * chance.randrange(3) + chance.randbytes(256)
            places.append(len(data))
            data += start
        search, found = Beginnings(io.BytesIO(data), magic, back), [-1]
        while (place := search.next(found[-1] + 1)) is not None:
            assert search.next(place) == place
            found.append(place)
        assert found[1:] == places


def test_bytes_that_look_like_beginnings_are_read_once() -> None:
    for _, magic, back in KINDS.values():
        file = CountingFile((bytes(back) + magic) * 400_000)
        search = Beginnings(file, magic, back)
        assert [search.next(begin) for begin in range(0, 100_000, 1000)] == [None] * 100
        assert file.bytes_read == len(file.getvalue())


@pytest.mark.parametrize(("name", "part"), [("cut.mp4", MP4 + b"\x00\xff\xff\xffmdat"), ("other.mkv", MATROSKA)])
def test_the_files_that_are_listed_have_a_limit(name, part, tmp_path) -> None:
    path = tmp_path / name
    path.write_bytes(part * (_MOST_FILES + 500))
    following = following_files(path, "mov" if name.endswith("mp4") else "matroska")
    assert len(following.parts) + len(following.lost) + len(following.others) <= _MOST_FILES
