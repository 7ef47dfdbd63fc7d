"""Written files: times, sizes, playback, and no partial files."""

import os
import threading
import time
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from shared.errors import Invalid, OperationFailed, ReelwrightError, UnsupportedMedia
from shared.video import (
    VideoWriter,
    encoders,
    ffmpeg_path,
    map_beside_decoding,
    map_ordered,
    opencv_on_one_thread,
    probe,
    read_frames,
    remux,
)
from tests.shared.video.video_clips import Make, decoded, run_ffmpeg


def planes(width: int, height: int, value: int) -> tuple[np.ndarray, ...]:
    """Draw a yuv420p ramp that depends on `value`."""
    luma = np.tile((np.arange(width) * 2 + value) % 200 + 16, (height, 1)).astype(np.uint8)
    half = (-(-height // 2), -(-width // 2))
    return luma, np.full(half, 100, np.uint8), np.full(half, 150, np.uint8)


def atoms(path: Path) -> list[bytes]:
    """Return the names of an MP4 file's top-level boxes, in order."""
    data, position, names = path.read_bytes(), 0, []
    while position < len(data):
        size = int.from_bytes(data[position : position + 4], "big")
        names.append(data[position + 4 : position + 8])
        position += size if size > 1 else int.from_bytes(data[position + 8 : position + 16], "big")
    return names


def test_a_written_file_is_playable_in_browsers(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    with VideoWriter(path, width=64, height=48, frame_rate=Fraction(30000, 1001)) as writer:
        assert writer.encoder in ("libx264", "h264_nvenc")
        for index in range(10):
            writer.write(planes(64, 48, index), index)
    info = probe(path)
    assert info.kind == "video"
    assert (info.codec, info.pixel_format, info.frame_rate, info.frames) == ("h264", "yuv420p", "30000/1001", 10)
    assert info.duration_s == pytest.approx(10 * 1001 / 30000, abs=1e-4)
    names = atoms(path)
    assert names.index(b"moov") < names.index(b"mdat")
    assert os.listdir(tmp_path) == ["a.mp4"]


def test_times_are_kept_as_they_are(make: Make, tmp_path: Path) -> None:
    uneven = "settb=1/1000,setpts='40*N+7*mod(N,3)+if(gt(N,20),1200,0)'"
    encoding = "-fps_mode passthrough -enc_time_base 1/1000 -c:v libx264 -bf 2"
    path = make("vfr.mkv", "-f lavfi -i testsrc2=s=64x48:r=25:d=1", ["-vf", uneven], encoding)
    with read_frames(path) as frames:
        source = list(frames)
    output = tmp_path / "out.mp4"
    with VideoWriter(output, width=64, height=48, frame_rate=Fraction(25), time_base=source[0].time_base) as writer:
        for frame in source:
            writer.write(frame.picture, frame.pts, duration=frame.duration)
    with read_frames(output) as frames:
        assert [frame.time for frame in frames] == [frame.time for frame in source]


def test_a_picture_may_be_written_twice(tmp_path: Path, clip: Path) -> None:
    with read_frames(clip) as frames:
        first = next(frames)
    with VideoWriter(tmp_path / "a.mp4", width=96, height=64, frame_rate=Fraction(25), quality=95) as writer:
        for index in range(30):
            writer.write(first.picture, index)
    with read_frames(tmp_path / "a.mp4") as frames:
        written = list(frames)
    assert [frame.time for frame in written] == [Fraction(index, 25) for index in range(30)]
    assert all(np.abs(frame.luma().astype(int) - first.luma()).mean() < 2 for frame in written)
    assert first.pts == 0


@pytest.mark.parametrize(("width", "height"), [(65, 49), (65, 48), (64, 49), (1, 1)])
def test_odd_sizes_are_padded_with_a_warning(tmp_path: Path, width: int, height: int) -> None:
    path = tmp_path / "odd.mp4"
    with VideoWriter(path, width=width, height=height, frame_rate=Fraction(25), quality=95) as writer:
        for index in range(3):
            writer.write(planes(width, height, index), index)
        assert len(writer.warnings) == 1
        assert f"{width}x{height}" in writer.warnings[0]
    info = probe(path)
    assert info.kind == "video"
    assert (info.width, info.height) == (width + width % 2, height + height % 2)
    with read_frames(path) as frames:
        luma = next(frames).luma().astype(int)
    assert np.abs(luma[:height, :width] - planes(width, height, 0)[0]).mean() < 3


def test_frames_of_another_size_or_format_are_converted(tmp_path: Path, clip: Path) -> None:
    with (
        read_frames(clip) as frames,
        VideoWriter(tmp_path / "a.mp4", width=48, height=32, frame_rate=Fraction(25), pixel_format="yuv444p") as writer,
    ):
        for frame in frames:
            writer.write(frame.picture, frame.index)
    info = probe(tmp_path / "a.mp4")
    assert info.kind == "video"
    assert (info.width, info.height, info.pixel_format) == (48, 32, "yuv444p")


@pytest.mark.parametrize("at", [0, 1, 5, 20])
def test_an_error_leaves_no_files_and_threads(tmp_path: Path, at: int) -> None:
    def work() -> None:
        with VideoWriter(tmp_path / "a.mp4", width=64, height=48, frame_rate=Fraction(25)) as writer:
            for index in range(30):
                if index == at:
                    raise RuntimeError("stop")
                writer.write(planes(64, 48, index), index)

    before = threading.active_count()
    with pytest.raises(RuntimeError, match="stop"):
        work()
    assert list(tmp_path.iterdir()) == []
    assert threading.active_count() == before


def test_no_file_has_the_final_name_before_the_end(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    path.write_bytes(b"before")
    with VideoWriter(path, width=64, height=48, frame_rate=Fraction(25)) as writer:
        for index in range(60):
            writer.write(planes(64, 48, index), index)
        assert path.read_bytes() == b"before"
    assert probe(path).kind == "video"


def test_a_writer_without_pictures_raises_an_error(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no picture"), VideoWriter(tmp_path / "a.mp4", width=64, height=48, frame_rate=Fraction(25)):
        pass
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_not_there_is_an_error_of_the_writer(tmp_path: Path) -> None:
    with (
        pytest.raises((OperationFailed, OSError)),
        VideoWriter(tmp_path / "missing" / "a.mp4", width=64, height=48, frame_rate=Fraction(25)) as writer,
    ):
        for index in range(50):
            writer.write(planes(64, 48, index), index)


def test_wrong_use_is_refused_clearly(tmp_path: Path) -> None:
    def writer(name: str = "a.mp4", **options: object) -> VideoWriter:
        return VideoWriter(tmp_path / name, **{"width": 64, "height": 48, "frame_rate": Fraction(25), **options})  # type: ignore[arg-type]

    with pytest.raises(ValueError, match=r"must end in one of \.mp4"):
        writer("a.avi")
    with pytest.raises(ValueError, match="quality = 101"):
        writer(quality=101)
    with pytest.raises(Invalid, match=r"Working encoders: .*libx264"):
        writer(encoder="h264_vaapi")
    with pytest.raises(ValueError, match="width = 0"):
        writer(width=0)
    with pytest.raises(ValueError, match="greater than"), writer() as late:
        late.write(planes(64, 48, 0), 5)
        late.write(planes(64, 48, 0), 5)
    with pytest.raises(ValueError, match="before the first picture"), writer() as late:
        late.write(planes(64, 48, 0), 0)
        late.add_audio(48000, "mono")
    with pytest.raises(ValueError, match="shape"), writer() as late:
        late.write(planes(62, 48, 0), 0)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("encoder", "name", "pixel_format", "codec"),
    [
        ("libx264", "a.mp4", "yuv420p", "h264"),
        ("libx264", "a.mkv", "yuv444p", "h264"),
        ("libx265", "a.mp4", "yuv420p10le", "hevc"),
        ("libvpx-vp9", "a.webm", "yuv420p", "vp9"),
        ("libsvtav1", "a.mp4", "yuv420p", "av1"),
        ("prores_ks", "a.mov", "yuv422p10le", "prores"),
        ("auto", "a.webm", "yuv420p", "vp9"),
        ("auto", "a.mov", "yuva444p10le", "prores"),
        ("auto", "a.mp4", "yuv420p10le", "hevc"),
    ],
)
def test_every_encoder_writes_the_frames(make: Make, tmp_path: Path, encoder: str, name: str, pixel_format: str, codec: str) -> None:
    source = make("source.mkv", f"-f lavfi -i testsrc2=s=128x96:r=25:d=0.4 -c:v ffv1 -pix_fmt {pixel_format}")
    with read_frames(source) as frames:
        pictures = list(frames)
    with VideoWriter(tmp_path / name, width=128, height=96, frame_rate=Fraction(25), pixel_format=pixel_format, encoder=encoder) as writer:
        for frame in pictures:
            writer.write(frame.picture, frame.index)
    info = probe(tmp_path / name)
    assert info.kind == "video"
    assert info.codec == codec
    with read_frames(tmp_path / name) as frames:
        written = list(frames)
    assert len(written) == len(pictures) == 10
    for before, after in zip(pictures, written, strict=True):
        assert abs(after.time - before.time) <= Fraction(1, 1000)
        assert np.abs(before.rgb().astype(int) - after.rgb()).mean() < 6


def test_more_quality_is_more_like_the_source(make: Make, tmp_path: Path) -> None:
    source = make("source.mkv", "-f lavfi -i testsrc2=s=160x128:r=25:d=0.4,noise=alls=20 -c:v ffv1 -pix_fmt yuv420p")
    errors, sizes = [], []
    for quality in (0, 30, 70, 100):
        path = tmp_path / f"{quality}.mp4"
        with read_frames(source) as frames, VideoWriter(path, width=160, height=128, frame_rate=Fraction(25), quality=quality) as writer:
            for frame in frames:
                writer.write(frame.picture, frame.index)
        errors.append(float(np.abs(decoded(source, "gray").astype(int) - decoded(path, "gray")).mean()))
        sizes.append(path.stat().st_size)
    assert errors == sorted(errors, reverse=True)
    assert sizes == sorted(sizes)


def framehash(path: Path) -> list[bytes]:
    lines = run_ffmpeg("-i", str(path), "-map", "0:v:0", "-f", "framehash", "-hash", "md5", "-").splitlines()
    return [line.split(b",")[-1].strip() for line in lines if not line.startswith(b"#")]


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "ts", "flv"])
def test_remuxed_frames_are_the_same_bit_for_bit(clip: Path, make: Make, tmp_path: Path, suffix: str) -> None:
    source = make(f"source.{suffix}", f"-i {clip} -c copy -output_ts_offset 3")
    output = tmp_path / "out.mp4"
    remux(source, output)
    assert framehash(output) == framehash(source)
    names = atoms(output)
    assert names.index(b"moov") < names.index(b"mdat")
    info = probe(output)
    assert info.kind == "video"
    assert (info.frames, info.frame_rate, len(info.audio)) == (50, "25/1", 1)
    with read_frames(source) as before_frames, read_frames(output) as after_frames:
        times = [(before.time, after.time) for before, after in zip(before_frames, after_frames, strict=True)]
    assert times[0][1] == 0, "a picture from the first instant on"
    assert max(abs(after - before) for before, after in times[1:]) < Fraction(1, 500)


def test_remuxing_keeps_the_orientation(clip: Path, make: Make, tmp_path: Path) -> None:
    remux(make("turned.mp4", f"-display_rotation 90 -i {clip} -c copy"), tmp_path / "out.mp4")
    info = probe(tmp_path / "out.mp4")
    assert info.kind == "video"
    assert (info.rotation, info.width, info.height) == (270, 64, 96)


def test_hevc_has_the_name_that_all_players_know(make: Make, tmp_path: Path) -> None:
    source = make("hevc.mkv", "-f lavfi -i testsrc2=s=64x48:r=25:d=0.2 -c:v libx265 -x265-params log-level=none")
    remux(source, tmp_path / "copied.mp4")
    assert b"hvc1" in (tmp_path / "copied.mp4").read_bytes()
    with read_frames(source) as frames:
        first = next(frames)
    with VideoWriter(tmp_path / "written.mp4", width=64, height=48, frame_rate=Fraction(25), encoder="libx265") as writer:
        writer.write(first.picture, 0)
    assert b"hvc1" in (tmp_path / "written.mp4").read_bytes()


def test_what_mp4_cannot_hold_is_not_remuxed(make: Make, tmp_path: Path) -> None:
    video = make("video.mkv", "-f lavfi -i testsrc2=s=32x32:r=25:d=0.2 -c:v ffv1")
    sound = make("sound.mkv", "-f lavfi -i testsrc2=s=32x32:r=25:d=0.2 -f lavfi -i sine=d=0.2 -c:v libx264 -c:a libvorbis -ac 2")
    for source in (video, sound):
        with pytest.raises(UnsupportedMedia, match="cannot contain"):
            remux(source, tmp_path / "out.mp4")
    assert not (tmp_path / "out.mp4").exists()
    assert not list(tmp_path.glob(".*"))


def test_a_fast_reader_waits_for_the_slowest_stage() -> None:
    count = 0

    def endless() -> object:
        nonlocal count
        while True:
            count += 1
            yield count

    results = map_ordered(lambda value: (time.sleep(0.002), value)[1], endless(), workers=2, ahead=3)
    assert [next(results) for _ in range(20)] == list(range(1, 21))
    assert count <= 20 + 5
    results.close()  # type: ignore[attr-defined]


def test_mapping_raises_an_error_in_its_turn() -> None:
    values = []
    with pytest.raises(ZeroDivisionError):
        for value in map_ordered(lambda number: 10 // (5 - number), range(10), workers=3):
            values.append(value)
    assert values == [2, 2, 3, 5, 10]


@pytest.mark.parametrize("cores", [2, 3])
def test_mapping_beside_decoding_keeps_order_and_opencv_on_the_calling_thread(cores: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.video.threads.parallel_map.usable_cores", lambda: cores)
    before, names = cv2.getNumThreads(), set()

    def squared(number: int) -> tuple[int, int]:
        names.add(threading.current_thread().name)
        return number * number, cv2.getNumThreads()

    with opencv_on_one_thread():
        assert list(map_beside_decoding(squared, range(20))) == [(number * number, 1) for number in range(20)]
    assert (threading.current_thread().name in names) == (cores == 2)
    assert cv2.getNumThreads() == before


def test_installed_encoders_are_listed() -> None:
    listed = encoders()
    assert listed["libx264"]
    assert set(listed) >= {"h264_nvenc", "libx265", "libvpx-vp9", "libsvtav1", "prores_ks"}
    assert os.access(ffmpeg_path(), os.X_OK)
    assert issubclass(Invalid, ReelwrightError)


@pytest.mark.parametrize("name", ["a.mp4", "a.mov", "a.mkv", "a.webm"])
def test_chapters_are_read_back(tmp_path: Path, name: str) -> None:
    with VideoWriter(tmp_path / name, width=32, height=32, frame_rate=Fraction(10)) as writer:
        for pts in range(20):
            writer.write(planes(32, 32, 10 * pts), pts)
        writer.add_chapter("First", Fraction(0), Fraction(1, 2))
        writer.add_chapter("Zweites, größer", Fraction(1, 2), Fraction(2))
    with av.open(str(tmp_path / name)) as container:
        chapters = [
            (chapter["metadata"]["title"], chapter["start"] * chapter["time_base"], chapter["end"] * chapter["time_base"])
            for chapter in container.chapters()
        ]
        assert chapters == [("First", 0, Fraction(1, 2)), ("Zweites, größer", Fraction(1, 2), 2)]
        assert container.duration == 2_000_000


def test_chapters_must_follow_each_other(tmp_path: Path) -> None:
    writer = VideoWriter(tmp_path / "a.mp4", width=32, height=32, frame_rate=Fraction(10))
    writer.add_chapter("a", Fraction(0), Fraction(1))
    for start, end in ((Fraction(1, 2), Fraction(2)), (Fraction(2), Fraction(2)), (Fraction(-1), Fraction(2))):
        with pytest.raises(ValueError, match="'b'"):
            writer.add_chapter("b", start, end)
    for second in range(1, 255):
        writer.add_chapter("c", Fraction(second), Fraction(second + 1))
    with pytest.raises(ValueError, match="255"):
        writer.add_chapter("d", Fraction(300), Fraction(301))
    writer.abort()
