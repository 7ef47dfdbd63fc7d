"""Damaged and hostile lengths in containers.

No function hangs, fails or finds a false file.
"""

from io import BytesIO
from pathlib import Path

import pytest

from shared.video import probe_video, read_frames
from shared.video.reading.containers import asf, avi, matroska, mp4, mpegts, mxf, png, webp
from shared.video.reading.containers.beginnings import ASF, MXF, PNG, bytes_at, demuxer_at
from shared.video.reading.containers.flv_parts import flv_parts
from shared.video.reading.containers.following_files import FollowingFiles, following_files
from tests.shared.video.video_clips import Make

EBML_HEAD = bytes.fromhex("1a45dfa380")
BEGINNINGS = {
    "matroska": EBML_HEAD + bytes.fromhex("18538067"),
    "mp4": b"\0\0\0\x08ftyp",
    "avi": b"RIFF\x04\0\0\0AVI ",
    "asf": ASF,
    "mxf": MXF + bytes.fromhex("00000083"),
    "png": PNG,
    "webp": b"RIFF\xff\xff\xff\xffWEBP",
    "mpegts": (b"G" + bytes(187)) * 3,
}


def test_a_length_that_the_data_cuts_off_ends_the_walk() -> None:
    # The last element is cut off in the middle of its length.
    data = EBML_HEAD + bytes.fromhex("18538067 82 ec80") + EBML_HEAD + bytes.fromhex("ec80") * 2_000 + bytes.fromhex("428640")
    assert matroska.coding(BytesIO(data), 0) is None
    unknown = EBML_HEAD + bytes.fromhex("18538067 ff") + bytes.fromhex("ec80") * 2_000 + bytes.fromhex("428640")
    assert matroska.coding(BytesIO(unknown), 0) is None
    assert matroska.end(BytesIO(bytes.fromhex("1a45dfa30100")), 0) is None


def test_tracks_behind_the_segment_do_not_count() -> None:
    tracks = bytes.fromhex("1654ae6b 85 ae83 d78101")
    assert matroska.coding(BytesIO(EBML_HEAD + bytes.fromhex("18538067 8a") + tracks), 0) == [(b"\1", None, None)]
    assert matroska.coding(BytesIO(EBML_HEAD + bytes.fromhex("18538067 82 ec80") + tracks), 0) is None


@pytest.mark.parametrize("name", BEGINNINGS)
@pytest.mark.parametrize("tail", [b"", b"\xff" * 1024, b"\x7f" * 1024, bytes(1024), b"\x01" * 1024, bytes.fromhex("00000001") * 256])
def test_each_walker_ends_on_any_bytes(name: str, tail: bytes) -> None:
    walkers = {"matroska": matroska, "mp4": mp4, "avi": avi, "asf": asf, "mxf": mxf, "png": png, "webp": webp, "mpegts": mpegts}
    data = BEGINNINGS[name] + tail
    for count in {*range(len(BEGINNINGS[name]), min(len(BEGINNINGS[name]) + 80, len(data))), len(data)}:
        file = BytesIO(data[:count])
        end = walkers[name].end(file, 0)
        assert end is None or end > 0
        if coding := getattr(walkers[name], "coding", None):
            coding(file, 0)
        if end is not None:
            bytes_at(file, end, 16)
    assert matroska.last_element(BytesIO(data), 0) <= len(data)
    assert mp4.last_box(BytesIO(data), 0) <= len(data)


def test_a_header_cut_off_at_the_end_of_an_flv_file_begins_no_part(make: Make, tmp_path: Path) -> None:
    data = make("a.flv", "-f lavfi -i testsrc2=s=64x48:r=25:d=0.4", "-c:v flv").read_bytes()
    for count in (9, 11, 13):
        path = tmp_path / f"{count}.flv"
        path.write_bytes(data + data[:count])
        assert all(begin < end <= path.stat().st_size for begin, end in flv_parts(path).ranges)
        assert (len(flv_parts(path).ranges), flv_parts(path).unread) == (1, None)


TAILS = {
    "a huge box": bytes.fromhex("00000001") + b"GPSx" + b"\xff" * 40,
    "a box beyond a file system's largest file": bytes.fromhex("00000001") + b"GPSx" + bytes.fromhex("0004000000000000") + bytes(40),
    "a large box": bytes.fromhex("00000001") + b"GPSx" + bytes.fromhex("7ffffffffffffff0") + bytes(40),
    "text that begins like a stream": b"G\1\2\3" + bytes(600),
}


@pytest.mark.parametrize("name", TAILS)
def test_bytes_behind_an_mp4_file_are_no_file(name: str, make: Make, tmp_path: Path) -> None:
    whole = make("a.mp4", "-f lavfi -i testsrc2=s=64x48:r=25:d=0.4", "-c:v libx264")
    path = tmp_path / "tail.mp4"
    path.write_bytes(whole.read_bytes() + TAILS[name])
    info = probe_video(path)
    assert (info.frames, info.warnings) == (10, ())
    with read_frames(path) as frames:
        assert len(list(frames)) == 10


def test_only_three_packets_in_step_begin_a_stream() -> None:
    packet = b"G" + bytes(187)
    assert [demuxer_at(BytesIO(packet * count), 0) for count in (1, 2, 3)] == [None, None, "mpegts"]


class CountedReads(BytesIO):
    """A file in memory that counts the bytes read from it."""

    count = 0

    def read(self, size: int | None = -1) -> bytes:
        data = super().read(size)
        self.count += len(data)
        return data


def test_damage_in_a_stream_makes_little_be_read_again() -> None:
    packet = bytes.fromhex("471fff10") + b"\xff" * 184
    file = CountedReads((packet * 400 + b"\0" * 100) * 50 + packet * 20_000)
    assert mpegts.end(file, 0) is None
    assert file.count < 3 * len(file.getvalue())


TABLES = {"the table applies later": (10, 1), "a damaged number of the video": (19, 4), "a damaged kind of the video": (17, 4)}


@pytest.mark.parametrize("name", TABLES)
def test_a_table_that_does_not_apply_divides_no_stream(name: str, make: Make, tmp_path: Path) -> None:
    data = make("a.ts", "-f lavfi -i testsrc2=s=64x48:r=25:d=1.2", "-c:v libx264").read_bytes()
    packets = [bytearray(data[place : place + 188]) for place in range(0, len(data), 188)]
    tables = [packet for packet in packets if packet[5:7] == b"\2\xb0"]
    assert len(tables) > 3
    place, bits = TABLES[name]
    for packet in tables[1::2]:
        packet[place] ^= bits
        if name == "the table applies later":
            packet[19] ^= 4
            end = 8 + packet[7]
            packet[end - 4 : end] = checked(bytes(packet[5 : end - 4]))
    path = tmp_path / "tables.ts"
    path.write_bytes(b"".join(packets))
    assert following_files(path, "mpegts") == FollowingFiles()
    assert probe_video(path).frames == 30


def checked(section: bytes) -> bytes:
    """Return the check sum of a section, bit by bit (ISO/IEC 13818-1, annex A)."""
    register = 0xFFFFFFFF
    for byte in section:
        for bit in range(7, -1, -1):
            register = (register << 1 & 0xFFFFFFFF) ^ (0x04C11DB7 if (register >> 31) ^ (byte >> bit & 1) else 0)
    return register.to_bytes(4, "big")
