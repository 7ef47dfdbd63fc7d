"""FLV files joined byte by byte: all parts, in little memory.

Few files are open at once.
"""

import os
import resource
from pathlib import Path

import pytest

from shared.video import probe_video, read_frames
from shared.video.reading import file_copies
from shared.video.reading.containers.flv_parts import flv_parts
from tests.shared.video.video_clips import Make

HEADER = b"FLV\x01\x01\0\0\0\x09\0\0\0\0"
CODING = "-c:v flv -g 5 -flvflags no_duration_filesize"


def tag(length: int = 1) -> bytes:
    """Return a tag with a keyframe of H.263 of `length` bytes."""
    return b"\x09" + length.to_bytes(3, "big") + bytes(7) + b"\x12" + bytes(length - 1) + (length + 11).to_bytes(4, "big")


def written(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


def short(make: Make, name: str, frames: int, sound: str = "") -> bytes:
    return make(name, f"-f lavfi -i testsrc2=s=64x48:r=25:d={frames / 25}", sound, f"{CODING} -c:a mp3 -ar 44100").read_bytes()


def read(path: Path) -> int:
    """Return the number of frames that `read_frames` yields."""
    with read_frames(path) as frames:
        return sum(1 for _ in frames)


def test_large_files_take_no_memory(tmp_path: Path) -> None:
    path = tmp_path / "large.flv"
    with open(path, "wb") as file:
        file.write(HEADER)
        for number in range(6_000):
            file.seek(13 + number * 8_015)
            file.write(tag(8_000)[:12])
        file.truncate(13 + 6_000 * 8_015)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    size = path.stat().st_size
    assert flv_parts(path).ranges == ((0, size),)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 8_000


def test_parts_beyond_the_limit_are_not_read(tmp_path: Path) -> None:
    one = HEADER + tag()
    parts = flv_parts(written(tmp_path / "many.flv", one * 5_000))
    assert len(parts.ranges) == 200
    assert parts.unread == 200 * len(one)


def test_empty_parts_are_skipped(tmp_path: Path) -> None:
    parts = flv_parts(written(tmp_path / "empty.flv", HEADER * 3 + tag() + HEADER))
    assert parts.ranges == ((0, 13), (39, 39 + len(tag())))
    assert parts.unread is None


def test_bytes_before_a_header_leave_the_last_tag(tmp_path: Path) -> None:
    one = HEADER + tag(300) * 20
    parts = flv_parts(written(tmp_path / "stray.flv", one + b"\xff" * 4 + one))
    assert parts.ranges == ((0, len(one)), (len(one) + 17, 2 * len(one) + 4))


def test_a_tag_that_is_longer_than_the_rest_hides_no_part(tmp_path: Path) -> None:
    one = HEADER + tag(300) * 2
    path = written(tmp_path / "cut.flv", HEADER + tag() + tag(5_000)[:100] + one)
    assert flv_parts(path).ranges == ((0, 13 + len(tag())), (126 + len(tag()), os.stat(path).st_size))


@pytest.mark.parametrize(("frames", "parts", "sound"), [(50, 3, ""), (5, 50, ""), (5, 2, "-f lavfi -i sine=440:d=1")])
def test_all_frames_of_short_parts_count(frames: int, parts: int, sound: str, make: Make, tmp_path: Path) -> None:
    path = written(tmp_path / "joined.flv", short(make, f"{frames}{bool(sound)}.flv", frames, sound) * parts)
    assert probe_video(path).frames == read(path) == frames * parts


def test_parts_are_read_whatever_the_path(make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Lists of parts lie in a folder for temporary files, which may have such a name, too.
    folder = tmp_path / "a|b 'c' \\ d"
    folder.mkdir()
    monkeypatch.setattr(file_copies, "_folder", lambda: str(folder))
    path = written(folder / "a|b.flv", short(make, "bar.flv", 5) * 2)
    assert probe_video(path).frames == read(path) == 10


@pytest.mark.parametrize("tail", [HEADER, HEADER[:9], HEADER * 2], ids=["header", "short header", "two headers"])
def test_a_header_without_tags_behind_a_finished_file_cuts_nothing_off(tail: bytes, make: Make, tmp_path: Path) -> None:
    picture, sound = "-f lavfi -i testsrc2=s=64x48:r=25:d=1", "-f lavfi -i sine=440:d=1:sample_rate=44100"
    single = make("finished.flv", picture, sound, "-c:v flv -c:a mp3").read_bytes()
    for number, parts in enumerate([single + tail, single + tail + single]):
        path = written(tmp_path / f"{number}.flv", parts)
        info = probe_video(path)
        assert info.frames == read(path) == 25 * (number + 1)
        assert not any("truncated" in warning for warning in info.warnings)
        assert info.duration_s == pytest.approx(number + 1, abs=0.09)


@pytest.mark.parametrize("presets", [("fast", "ultrafast"), ("ultrafast", "fast"), ("ultrafast", "fast", "ultrafast")], ids="-".join)
def test_the_last_picture_of_parts_with_other_settings_counts(presets: tuple[str, ...], make: Make, tmp_path: Path) -> None:
    source, coding = "-f lavfi -i testsrc2=s=64x48:r=25:d=1", "-c:v libx264 -g 10 -pix_fmt yuv420p -flvflags no_duration_filesize"
    parts = [make(f"{preset}.flv", source, f"{coding} -preset {preset}").read_bytes() for preset in presets]
    path = written(tmp_path / "joined.flv", b"".join(parts))
    info = probe_video(path)
    assert info.frames == read(path) == 25 * len(presets)
    assert not any("truncated" in warning for warning in info.warnings)
