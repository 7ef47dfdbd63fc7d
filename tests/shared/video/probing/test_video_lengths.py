"""Picture lengths that containers omit, or confuse with the sound's length."""

from fractions import Fraction
from pathlib import Path

import pytest

from services.effects.motion_trails import MotionTrailsParams, motion_trails
from services.media.transcode import TranscodeParams, transcode
from services.speed_ramp.export import ExportParams, export
from services.speed_ramp.render import RenderParams, render
from shared.file_calls import ThumbnailRequest
from shared.video import VideoInfo, preview, probe, probe_video, read_frames, thumbnail
from shared.worker.progress import Report
from tests.shared.video.video_clips import Make, run_ffmpeg

SOUND = "-f lavfi -i sine=440:d=2.4:sample_rate=48000"
# Written to a pipe, so that no length can be filled in at the end.
PIPED = {
    "chrome.webm": ("25", "webm", "-c:v libvpx -deadline realtime -c:a libopus"),
    "vp9.webm": ("30000/1001", "webm", "-c:v libvpx-vp9 -deadline realtime -cpu-used 8 -c:a libopus"),
    "live.webm": ("15", "webm", "-live 1 -c:v libvpx -deadline realtime -an"),
    "obs.mkv": ("60", "matroska", "-c:v libx264 -bf 2 -c:a aac"),
    "silent.mkv": ("24000/1001", "matroska", "-c:v libx264 -an"),
    "chrome.mp4": ("30", "mp4", "-c:v libx264 -c:a aac -movflags empty_moov+default_base_moof+frag_keyframe -g 10"),
    "screen.flv": ("25", "flv", "-c:v libx264 -bf 0 -c:a aac -flvflags no_duration_filesize"),
    "camera.ts": ("50", "mpegts", "-c:v libx264 -c:a aac"),
}


def piped(path: Path, rate: str, container: str, coding: str) -> Path:
    words = f"-f lavfi -i testsrc2=s=64x48:r={rate}:d=2 {SOUND} {coding} -shortest -pix_fmt yuv420p -f {container} -".split()
    path.write_bytes(run_ffmpeg(*words))
    return path


@pytest.mark.parametrize("name", PIPED)
def test_the_length_of_a_recording_that_states_none_is_found(name: str, tmp_path: Path) -> None:
    rate, container, coding = PIPED[name]
    path = piped(tmp_path / name, rate, container, coding)
    info = probe_video(path)
    with read_frames(path) as frames:
        times = [(frame.time, frame.duration * frame.time_base) for frame in frames]
    step = 1 / Fraction(rate)
    assert info.duration_s == pytest.approx(float(times[-1][0] + step), abs=float(step) / 2)
    assert info.frames == len(times)
    assert Fraction(info.frame_rate) == Fraction(rate)
    assert not info.variable_frame_rate
    with read_frames(path, start=1) as frames:
        assert [frame.time for frame in frames] == [time for time, _ in times if time >= Fraction(1) - Fraction(1, 2000)]


@pytest.mark.parametrize("name", ["chrome.webm", "obs.mkv", "screen.flv"])
def test_the_length_of_a_killed_recording_is_found(name: str, tmp_path: Path) -> None:
    path = piped(tmp_path / name, *PIPED[name])
    data = path.read_bytes()
    path.write_bytes(data[: len(data) * 2 // 3])
    info = probe_video(path)
    assert info.duration_s is not None
    assert 0.9 < info.duration_s < 1.9


KILLED = {
    "h264.ts": ("25", "mpegts", "-c:v libx264 -bf 2 -g 25 -c:a aac -vf scale=320:240,noise=alls=30 -pix_fmt yuv420p"),
    "slices.ts": ("25", "mpegts", "-c:v libx264 -tune zerolatency -g 30 -c:a aac -vf scale=320:240,noise=alls=30 -pix_fmt yuv420p"),
    "a.flv": ("30000/1001", "flv", "-c:v libx264 -bf 3 -c:a aac"),
    "sorenson.flv": ("25", "flv", "-c:v flv -c:a mp3 -ar 44100"),
    "a.mkv": ("25", "matroska", "-c:v libx264 -bf 3 -c:a aac"),
    "a.ts": ("25", "mpegts", "-c:v mpeg2video -bf 2 -c:a mp2"),
    "a.mpg": ("25", "mpeg", "-c:v mpeg2video -bf 2 -c:a mp2"),
    "a.wmv": ("25", "asf", "-c:v wmv2 -c:a wmav2"),
    "a.ogv": ("25", "ogg", "-c:v libtheora -c:a libvorbis"),
    "a.avi": ("25", "avi", "-c:v mpeg4 -bf 2 -c:a mp3"),
    "a.mp4": ("25", "mp4", "-c:v libx264 -bf 2 -c:a aac -movflags empty_moov+default_base_moof+frag_keyframe -g 10"),
}


@pytest.mark.parametrize("name", KILLED)
def test_a_killed_recording_counts_the_pictures_that_can_be_read(name: str, tmp_path: Path) -> None:
    # The cuts fall within a picture, a header, or a fragment's list of samples.
    path = piped(tmp_path / name, *KILLED[name])
    data = path.read_bytes()
    for keep in (0.62, 0.71, 0.78, 0.87, 0.9, 0.96):
        path.write_bytes(data[: int(len(data) * keep)])
        info = probe_video(path)
        with read_frames(path) as frames:
            ends = [frame.time + frame.duration * frame.time_base for frame in frames]
        assert (info.frames, info.duration_s) == (len(ends), pytest.approx(float(ends[-1]), abs=0.002)), keep
        assert Fraction(info.constant_rate) == Fraction(KILLED[name][0]), keep
        if name.endswith((".flv", ".mp4")):
            assert "The file is truncated" in info.warnings[0], keep


def test_a_fragmented_file_that_ends_within_a_list_of_samples_is_read_up_to_there(tmp_path: Path) -> None:
    path = piped(tmp_path / "a.mp4", *KILLED["a.mp4"])
    data = path.read_bytes()
    last = data.rindex(b"moof") - 4
    for end in (last + 4, last + 30, last + int.from_bytes(data[last : last + 4], "big")):
        path.write_bytes(data[:end])
        with read_frames(path) as frames:
            assert sum(1 for _ in frames) == probe_video(path).frames == 40


@pytest.mark.parametrize(("keep", "placeholder"), [(1, b"\xff" * 4), (0.6, b"\xff" * 4), (0.6, bytes(4))])
def test_the_length_of_an_unfinished_avi_is_found(keep: float, placeholder: bytes, tmp_path: Path) -> None:
    # The AVI file's header has placeholders in place of lengths.
    words = "-f lavfi -i testsrc2=s=96x64:r=25:d=2 -f lavfi -i sine=d=2 -c:v mpeg4 -bf 2 -c:a mp3 -f avi -"
    data = run_ffmpeg(*words.split())
    path = tmp_path / "killed.avi"
    path.write_bytes(data[:4] + placeholder + data[8 : int(len(data) * keep)])
    info = probe_video(path)
    with read_frames(path) as frames:
        times = [frame.time for frame in frames]
    assert len(times) == pytest.approx(50 * keep, abs=5)
    assert info.frames == pytest.approx(len(times), abs=1)  # the last picture is incomplete
    assert info.duration_s == pytest.approx(len(times) / 25, abs=0.1)
    assert not info.variable_frame_rate
    assert "was not finished" in info.warnings[0]


@pytest.mark.parametrize("name", ["chrome.webm", "chrome.mp4"])
def test_operations_know_the_length_of_a_recording_that_states_none(name: str, tmp_path: Path) -> None:
    path = piped(tmp_path / name, *PIPED[name])
    length = probe_video(path).duration_s or 0
    result = render(RenderParams(speeds=[0.5, 1], segment_duration=1.0, smoothing=0), video=path, output=tmp_path / "out.mp4")
    assert result.duration_s == pytest.approx(3, abs=0.15)
    assert probe_video(tmp_path / "out.mp4").duration_s == pytest.approx(result.duration_s, abs=0.05)
    target = render(RenderParams(speeds=[1, 2], target_duration=1.5), video=path, output=tmp_path / "target.mp4")
    assert target.duration_s == pytest.approx(1.5, abs=0.05)
    part = render(RenderParams(speeds=[1], start=1.2), video=path, output=tmp_path / "part.mp4")
    assert part.duration_s == pytest.approx(length - 1.2, abs=0.05)
    outputs = {"files": tmp_path / "files.zip", "plot": tmp_path / "plot.png"}
    assert export(ExportParams(speeds=[0.5]), video=path, outputs=outputs).ramped_duration_s == pytest.approx(
        2 * (probe_video(path).duration_s or 0), abs=0.1
    )
    assert preview(path, tmp_path / "preview.webp") > 0
    assert thumbnail(ThumbnailRequest(path=str(path), output=str(tmp_path / "t.jpg")), None).width == 320


LONGER = {
    "a.mkv": "-c:v libx264 -c:a aac",
    "a.webm": "-c:v libvpx -deadline realtime -c:a libopus",
    "a.mp4": "-c:v libx264 -c:a aac",
    "a.mov": "-c:v libx264 -c:a pcm_s16le",
    "a.flv": "-c:v libx264 -c:a aac",
    "a.ts": "-c:v libx264 -c:a aac",
    "a.avi": "-c:v mpeg4 -c:a mp3",
}


@pytest.mark.parametrize("name", LONGER)
def test_the_length_is_that_of_the_picture(name: str, make: Make, tmp_path: Path) -> None:
    path = make(name, "-f lavfi -i testsrc2=s=64x48:r=30:d=2 -f lavfi -i sine=440:d=5:sample_rate=44100", LONGER[name], "-pix_fmt yuv420p")
    info = probe_video(path)
    assert info.duration_s == pytest.approx(2, abs=0.07)
    assert info.frames == pytest.approx(60, abs=1)
    messages: list[str] = []
    progress = Report(lambda update: messages.append(getattr(update, "text", "") or str(update)))
    result = render(RenderParams(speeds=[1, 2], target_duration=3.0), video=path, output=tmp_path / "out.mp4", progress=progress)
    assert result.duration_s == pytest.approx(3, abs=0.05)
    written = probe_video(tmp_path / "out.mp4")
    assert written.duration_s == pytest.approx(3, abs=0.05)
    assert written.audio[0].duration_s == pytest.approx(3, abs=0.06)
    assert any("longer than the picture" in message for message in messages)


@pytest.mark.parametrize("coding", ["-c:v libx264 -c:a aac", "-c:v libx264 -c:a flac", "-c:v libvpx -c:a libopus"])
@pytest.mark.parametrize("sound_s", [1.1, 1.6, 3.0])
def test_every_output_ends_with_the_picture(coding: str, sound_s: float, make: Make, tmp_path: Path) -> None:
    path = make("a.mkv", f"-f lavfi -i testsrc2=s=64x48:r=25:d=1 -f lavfi -i sine=440:d={sound_s}:sample_rate=48000 {coding}")
    for operation, params in (
        (render, RenderParams(speeds=[1])),
        (transcode, TranscodeParams()),
        (transcode, TranscodeParams(start=0.2)),
        (motion_trails, MotionTrailsParams(layers=1)),
    ):
        messages: list[str] = []
        more = {"matte": None} if operation is motion_trails else {}
        report = Report(lambda update, messages=messages: messages.append(str(update)))
        result = operation(params, video=path, output=tmp_path / "out.mp4", progress=report, **more)
        written = probe_video(tmp_path / "out.mp4")
        assert result.duration_s == pytest.approx(written.duration_s, abs=0.002)
        assert written.duration_s == pytest.approx(0.8 if getattr(params, "start", 0) else 1, abs=0.042)
        # Sound that is only a little longer is kept as it is.
        assert written.audio[0].duration_s <= written.duration_s + (0.2 if sound_s == 1.1 else 0.05)
        assert sum("longer than the picture" in message for message in messages) == (sound_s > 1.25)


@pytest.mark.parametrize("offset", ["-0.2", "-0.5", "-0.9"])
@pytest.mark.parametrize("group", [10, 15, 250])
def test_pictures_before_time_0_are_counted(offset: str, group: int, make: Make) -> None:
    """FFmpeg returns the pictures before time 0 without times."""
    options = f"-output_ts_offset {offset} -avoid_negative_ts disabled"
    path = make("a.mkv", f"-f lavfi -i testsrc2=s=64x48:r=25:d=2 {SOUND} -shortest -c:v libx264 -g {group} -bf 2 -c:a aac", options)
    with read_frames(path) as frames:
        assert probe_video(path).frames == sum(1 for _ in frames) == 50


def test_an_unknown_length_is_null(clip: Path) -> None:
    known = probe_video(clip)
    info = known.model_copy(update={"duration_s": None})
    assert info.model_dump()["duration_s"] is None
    with pytest.raises(Exception, match="Convert it to MP4"):
        _ = info.length_s


def test_a_plain_clip_has_its_exact_length_and_rate(clip: Path) -> None:
    info = probe(clip)
    assert isinstance(info, VideoInfo)
    assert (info.duration_s, info.frames, info.frame_rate, info.constant_rate, info.warnings) == (2.0, 50, "25/1", "25/1", ())


@pytest.mark.parametrize(
    ("name", "coding"),
    [
        ("a.mkv", "-c:v libx264 -c:a aac"),
        ("a.ts", "-c:v libx264 -c:a aac"),
        ("a.flv", "-c:v libx264 -c:a aac -ar 44100"),
        ("a.mpg", "-c:v mpeg2video -c:a mp2"),
        ("a.wmv", "-c:v wmv2 -c:a wmav2"),
        ("a.avi", "-c:v mpeg4 -c:a mp3"),
        ("a.webm", "-c:v libvpx -c:a libopus"),
    ],
)
def test_one_picture_counts_as_one(name: str, coding: str, make: Make) -> None:
    picture, sound = "-f lavfi -i testsrc2=s=64x48:r=25:d=0.04", "-f lavfi -i sine=440:d=0.5:sample_rate=48000"
    path = make(name, picture, sound, "-frames:v 1", coding)
    info = probe_video(path)
    assert info.frames == 1
    assert 9 <= info.rate <= 60
    with read_frames(path) as frames:
        assert len(list(frames)) == 1


def test_an_mxf_file_that_is_cut_off_is_read_up_to_there(make: Make, tmp_path: Path) -> None:
    picture, sound = "-f lavfi -i testsrc2=s=160x120:r=25:d=2", "-f lavfi -i sine=440:d=2:sample_rate=48000"
    whole = make("whole.mxf", picture, sound, "-c:v mpeg2video -b:v 3M -c:a pcm_s16le")
    assert (probe_video(whole).frames, probe_video(whole).warnings) == (50, ())
    path = tmp_path / "cut.mxf"
    path.write_bytes(whole.read_bytes()[: whole.stat().st_size * 3 // 5])
    info = probe_video(path)
    with read_frames(path) as frames:
        count = sum(1 for _ in frames)
    assert info.frames == count < 45
    # The index with the order of display is missing, too.
    assert info.duration_s == pytest.approx(count / 25, abs=0.041)
    assert info.warnings == (f"The file is truncated: only the part before {info.duration_s:.2f} s is used.",)
