"""Files whose timestamps jump: one continuous clock, and a warning."""

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from services.speed_ramp.render import RenderParams, render
from shared.video import Limits, probe_video, read_audio, read_frames
from shared.video.reading.times.scan import scan
from shared.worker.progress import Report
from tests.shared.video.video_clips import flash_times, heard, part, run_ffmpeg

BACK, AHEAD = 0, 500
# Files of two parts of 2 s: container, coding, and the seconds by which the second part's clock starts later than the first part's.
JOINED = {
    "back.ts": ("mpegts", "-c:v libx264 -bf 2 -c:a aac", BACK),
    "ahead.ts": ("mpegts", "-c:v libx264 -bf 2 -c:a aac", AHEAD),
    "mpeg2.ts": ("mpegts", "-c:v mpeg2video -bf 2 -c:a mp2", BACK),
    "far_back.ts": ("mpegts", "-c:v libx264 -c:a aac", -90),
    "vob.mpg": ("mpeg", "-c:v mpeg2video -bf 0 -c:a mp2", BACK),
    "back.flv": ("flv", "-c:v libx264 -bf 0 -c:a aac", BACK),
    "back.webm": ("webm", "-c:v libvpx -deadline realtime -c:a libopus", BACK),
    "fragments.mp4": ("mp4", "-c:v libx264 -bf 2 -c:a aac -movflags empty_moov+default_base_moof+frag_keyframe", BACK),
    "silent.ts": ("mpegts", "-c:v libx264 -an", BACK),
    "silent_ahead.ts": ("mpegts", "-c:v libx264 -an", AHEAD),
}


def joined(path: Path, container: str, coding: str, offset: float) -> Path:
    first = 100 if offset < 0 else 0
    second = part(container, coding, first + offset)
    # A stream that was recorded on and on has one header.
    path.write_bytes(part(container, coding, first) + (second[13:] if container == "flv" else second))
    return path


@pytest.mark.parametrize("name", JOINED)
def test_a_clock_that_restarts_or_jumps_is_read_as_continuous(name: str, tmp_path: Path) -> None:
    container, coding, offset = JOINED[name]
    path = joined(tmp_path / name, container, coding, offset)
    info = probe_video(path)
    assert info.duration_s == pytest.approx(4, abs=0.13)
    assert info.frames == pytest.approx(100, abs=1)
    assert info.steady_rate == 25
    flashes = flash_times(path)
    assert [flash - flashes[0] for flash in flashes] == pytest.approx([0, 1, 2, 3], abs=0.09)
    if info.audio:
        assert heard(path) == pytest.approx(flashes, abs=0.045)
    jump_s = float(info.warnings[0].partition(" at ")[2].partition(" s ")[0])
    assert jump_s == pytest.approx(2, abs=0.13)


def test_parts_may_count_time_in_different_units(tmp_path: Path) -> None:
    first = part("matroska", "-c:v libx264 -bf 2 -c:a aac", 0)
    unit, half = bytes.fromhex("2ad7b1830f4240"), bytes.fromhex("2ad7b18307a120")  # TimestampScale: 1 ms and 0.5 ms
    assert first.count(unit) == 1
    path = tmp_path / "units.mkv"
    path.write_bytes(first + first.replace(unit, half))
    assert probe_video(path).frames == 100
    with read_frames(path) as frames:
        times = [float(frame.time) for frame in frames]
    assert times == pytest.approx([*np.arange(0, 2, 0.04), *np.arange(2, 3, 0.02)], abs=0.002)


@pytest.mark.parametrize("name", ["back.ts", "ahead.ts", "back.flv"])
def test_picture_and_sound_of_outputs_stay_in_step(name: str, tmp_path: Path) -> None:
    path = joined(tmp_path / name, *JOINED[name])
    messages: list[str] = []
    progress = Report(lambda update: messages.append(str(update)))
    for number, speed in enumerate((1.0, 0.5)):
        output = tmp_path / f"{number}.mp4"
        render(RenderParams(speeds=[speed]), video=path, output=output, progress=progress)
        flashes = flash_times(output)
        assert [flash - flashes[0] for flash in flashes] == pytest.approx([n / speed for n in range(4)], abs=0.09 / speed)
        assert heard(output) == pytest.approx(flashes, abs=0.06)
    assert any("timestamps in the file jump" in message for message in messages)


def test_a_read_may_start_behind_the_join(tmp_path: Path) -> None:
    path = joined(tmp_path / "a.ts", *JOINED["back.ts"])
    with read_frames(path) as frames:
        times = [frame.time for frame in frames]
    with read_frames(path, start=3) as frames:
        assert [frame.time for frame in frames] == [time for time in times if time >= 3]
    with read_frames(path, per_second=1) as frames:
        assert [frame.time for frame in frames] == [next(time for time in times if time >= second) for second in range(4)]
    with read_audio(path, start=2.2, duration=1) as blocks:
        assert next(blocks).start == pytest.approx(2.2, abs=0.001)


def test_three_joined_parts_give_two_warnings(tmp_path: Path) -> None:
    coding = "-c:v libx264 -c:a aac"
    path = tmp_path / "a.ts"
    path.write_bytes(part("mpegts", coding, 50, 1) + part("mpegts", coding, 0, 1) + part("mpegts", coding, 300, 1))
    info = probe_video(path)
    assert info.duration_s == pytest.approx(3, abs=0.13)
    assert len(info.warnings) == 2


def test_a_long_standing_picture_is_no_jump(tmp_path: Path) -> None:
    # The sound continues while the picture stands still for 15 s.
    source = "testsrc2=s=64x48:r=25:d=20,select='lt(t,2)+gt(t,17)'"
    words = ["-f", "lavfi", "-i", source, *["-f", "lavfi", "-i", "sine=440:d=20:sample_rate=48000", "-fps_mode", "passthrough"]]
    (tmp_path / "a.ts").write_bytes(run_ffmpeg(*words, *["-c:v", "libx264", "-c:a", "aac", "-f", "mpegts", "-"]))
    info = probe_video(tmp_path / "a.ts")
    assert info.warnings == ()
    assert info.duration_s == pytest.approx(20, abs=0.15)


SHORT = {
    "a.mp4": ("mp4", "-c:v libx264 -bf 2 -c:a aac -movflags delay_moov+default_base_moof+frag_keyframe"),
    "b.mp4": ("mp4", "-c:v libx264 -bf 0 -c:a aac -movflags empty_moov+frag_keyframe"),
    "a.webm": ("webm", "-c:v libvpx -deadline realtime -c:a libopus"),
    "a.mkv": ("matroska", "-c:v libx264 -bf 2 -c:a aac"),
    "a.ts": ("mpegts", "-c:v libx264 -bf 2 -c:a aac"),
}


@pytest.mark.parametrize("name", SHORT)
@pytest.mark.parametrize("seconds", [0.8, 2])
def test_picture_and_sound_of_parts_are_read_whole(name: str, seconds: float, tmp_path: Path) -> None:
    container, coding = SHORT[name]
    path = tmp_path / name
    path.write_bytes(part(container, coding, 0, seconds) * 2)
    info = probe_video(path)
    with read_frames(path) as frames:
        count = sum(1 for _ in frames)
    with read_audio(path) as blocks:
        sound = sum(Fraction(block.samples.shape[1], block.sample_rate) for block in blocks)
    assert count == info.frames == round(50 * seconds)
    assert info.duration_s == pytest.approx(2 * seconds, abs=0.05)
    assert sound == pytest.approx(2 * seconds, abs=0.055)
    assert heard(path) == pytest.approx(flash_times(path), abs=0.045)


@pytest.mark.parametrize("coding", ["-c:v libx264 -bf 2 -c:a aac", "-c:v libx264 -bf 0 -an", "-c:v mpeg2video -bf 2 -c:a mp2"])
@pytest.mark.parametrize("overlap", [1, 2, 3])
def test_parts_that_overlap_by_some_pictures_are_joined(coding: str, overlap: int, tmp_path: Path) -> None:
    path = tmp_path / "a.ts"
    path.write_bytes(part("mpegts", coding, 0) + part("mpegts", coding, 2 - overlap / 25))
    info = probe_video(path)
    with read_frames(path) as frames:
        times = [frame.time for frame in frames]
    assert len(times) == info.frames == 100
    assert min(np.diff(times)) > 0.03
    assert (info.steady_rate, info.variable_frame_rate) == (25, False)
    flashes = flash_times(path)
    assert [flash - flashes[0] for flash in flashes] == pytest.approx([0, 1, 2, 3], abs=0.09)
    if info.audio:
        assert heard(path) == pytest.approx(flashes, abs=0.045)
    assert "timestamps in the file jump" in info.warnings[0]


def test_a_scan_stopped_by_its_time_limit_is_read_to_the_end_later(tmp_path: Path) -> None:
    path = tmp_path / "long.ts"
    run_ffmpeg("-f", "lavfi", "-i", "testsrc2=s=16x16:r=100:d=4", "-c:v", "mpeg4", "-g", "400", str(path))
    limits = Limits.current()
    assert scan(path, limits, seconds=0) is None
    assert scan(path, limits, seconds=0) is None
    whole = scan(path, limits)
    assert whole is not None
    assert len(whole.times) == 400
    assert scan(path, limits, seconds=0) is whole
