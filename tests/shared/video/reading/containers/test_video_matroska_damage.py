"""Matroska and WebM files with a hole, and without their end."""

import re
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from shared.errors import BrokenMedia
from shared.video import probe_video, read_frames
from shared.video.reading.containers.truncation import ends_as_stated
from tests.shared.video.video_clips import Make

SOURCE = "-f lavfi -i testsrc2=s=160x120:r=25:d=4,noise=alls=12 -f lavfi -i sine=d=4"
CODINGS = {
    "back.mkv": "-c:v libx264 -g 25 -c:a aac",
    "front.mkv": "-c:v libx264 -g 25 -c:a aac -cues_to_front 1 -reserve_index_space 4096",
    "live.mkv": "-c:v libx264 -g 25 -c:a aac -live 1",
    "short_clusters.mkv": "-c:v libx264 -g 100 -c:a aac -cluster_time_limit 200",
    "vp9.webm": "-c:v libvpx-vp9 -deadline realtime -cpu-used 8 -g 25 -c:a libopus",
}
HOLES: dict[str, Callable[[bytes, int, int], bytes]] = {
    "zeros": lambda data, at, length: data[:at] + bytes(length) + data[at + length :],
    "missing": lambda data, at, length: data[:at] + data[at + length :],
}


def pictures(path: Path) -> dict[Fraction, np.ndarray]:
    with read_frames(path) as frames:
        return {frame.time: frame.luma().copy() for frame in frames}


def places(path: Path) -> list[tuple[int, int]]:
    """Return start and size of the picture packets of a file."""
    with av.open(str(path)) as container:
        return [(packet.pos, packet.size) for packet in container.demux(video=0) if packet.size]


@pytest.mark.parametrize("hole", HOLES)
@pytest.mark.parametrize("name", CODINGS)
def test_reading_stops_before_a_hole_and_says_where(name: str, hole: str, make: Make, tmp_path: Path) -> None:
    source = make(name, f"{SOURCE} {CODINGS[name]}")
    whole, packets, data = pictures(source), places(source), source.read_bytes()
    for share in (0.3, 0.55, 0.7):
        number = int(len(packets) * share)
        at, size = packets[number]
        path = tmp_path / f"{hole}-{share}-{name}"
        # From the middle of a picture over the heads of several blocks.
        path.write_bytes(HOLES[hole](data, at + size // 2, 3 * size + 500))
        read = {}
        with pytest.raises(BrokenMedia, match=r"cannot be decoded from \d\.\d\d s on") as broken, read_frames(path) as frames:
            for frame in frames:
                read[frame.time] = frame.luma().copy()
        assert number - 4 <= len(read) <= number
        assert all(np.array_equal(picture, whole[time]) for time, picture in read.items())
        second = float(re.search(r"from (\d+\.\d\d) s", broken.value.detail)[1])
        assert 0 <= second - float(max(read)) < 0.01


@pytest.mark.parametrize(
    "coding",
    [
        "-c:v libx264 -g 25",
        "-c:v libvpx -deadline realtime -cpu-used 8 -b:v 2M",
        "-c:v libvpx-vp9 -deadline realtime -cpu-used 8 -b:v 2M",
        "-c:v libsvtav1 -preset 12 -crf 5 -svtav1-params pred-struct=1",
        "-c:v ffv1 -level 3",
        "-c:v ffv1 -level 1",
    ],
)
def test_zeros_within_one_picture_are_noticed(coding: str, make: Make, tmp_path: Path) -> None:
    source = make("one.mkv", f"{SOURCE} {coding} -c:a flac")
    packets, data = places(source), source.read_bytes()
    at, size = packets[50]
    path = tmp_path / "zeros.mkv"
    path.write_bytes(data[: at + size // 3] + bytes(size // 3) + data[at + 2 * (size // 3) :])
    with pytest.raises(BrokenMedia, match=r"cannot be decoded from [12]\.\d\d s on"):
        pictures(path)


@pytest.mark.parametrize("coding", ["-level 3", "-level 3 -slices 9 -coder 1", "-level 3 -pix_fmt yuv422p10le"])
def test_a_changed_byte_in_ffv1_with_checksums_is_noticed(coding: str, make: Make, tmp_path: Path) -> None:
    source = make("one.mkv", f"{SOURCE} -frames:v 20 -c:v ffv1 {coding} -c:a flac")
    assert len(pictures(source)) == 20
    at, size = places(source)[10]
    data = bytearray(source.read_bytes())
    data[at + size // 2] ^= 0x10
    path = tmp_path / "changed.mkv"
    path.write_bytes(data)
    with pytest.raises(BrokenMedia, match=r"cannot be decoded from 0\.\d\d s on"):
        pictures(path)


@pytest.mark.parametrize("coding", ["-c:v libvpx", "-c:v libvpx-vp9", "-c:v libvpx-vp9 -lossless 1", "-c:v libsvtav1", "-c:v ffv1"])
@pytest.mark.parametrize("picture", ["color=black:s=320x180", "smptebars=s=320x180", "color=gray:s=320x180,noise=alls=60:allf=t"])
def test_flat_and_noisy_pictures_are_not_damaged(picture: str, coding: str, make: Make) -> None:
    assert len(pictures(make("a.mkv", f"-f lavfi -i {picture} -frames:v 6 {coding}"))) == 6


@pytest.mark.parametrize("name", [name for name in CODINGS if name != "live.mkv"])
def test_a_file_that_is_cut_off_is_read_to_its_last_whole_picture(name: str, make: Make, tmp_path: Path) -> None:
    source = make(name, f"{SOURCE} {CODINGS[name]}")
    whole, packets, data = pictures(source), places(source), source.read_bytes()
    assert ends_as_stated(source)
    for share in (0.2, 0.5, 0.8):
        end = int(len(data) * share)
        # The head of a block is 4 bytes: track, time, flags.
        count = sum(at + 4 + size <= end for at, size in packets)
        path = tmp_path / f"{share}-{name}"
        path.write_bytes(data[:end])
        info, read = probe_video(path), pictures(path)
        assert (len(read), info.frames) == (count, count)
        assert all(np.array_equal(picture, whole[time]) for time, picture in read.items())
        assert info.duration_s == pytest.approx(float(max(read)) + 0.04, abs=0.002)
        assert info.warnings == (f"The file is truncated: only the part before {info.duration_s:.2f} s is used.",)
