"""Truncated fragments, animations, and pictures that start late."""

from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from services.effects.motion_trails import MotionTrailsParams, motion_trails
from services.media.transcode import TranscodeParams, transcode
from services.speed_ramp.render import RenderParams, render
from shared.errors import BrokenMedia
from shared.file_calls import FileRequest, PictureSize, ThumbnailRequest
from shared.video import ImageInfo, VideoInfo, VideoWriter, inspect, probe, probe_video, read_frames, thumbnail
from shared.worker.progress import Report
from tests.shared.video.video_clips import Make, run_ffmpeg

FRAGMENTS = "-f lavfi -i testsrc2=s=96x64:r=25:d=4 -f lavfi -i sine=440:d=4:sample_rate=48000 -c:v libx264 -bf {} -g 25 -c:a aac"


@pytest.mark.parametrize("bframes", [0, 2])
@pytest.mark.parametrize("share", [0.35, 0.6, 0.9])
@pytest.mark.parametrize("flags", ["frag_keyframe+empty_moov", "frag_keyframe+empty_moov+default_base_moof"])
def test_a_fragmented_file_that_is_cut_off_is_read_up_to_there(flags: str, share: float, bframes: int, tmp_path: Path) -> None:
    data = run_ffmpeg(*FRAGMENTS.format(bframes).split(), "-movflags", flags, "-f", "mp4", "-")
    path = tmp_path / "killed.mp4"
    path.write_bytes(data[: int(len(data) * share)])
    info = probe_video(path)
    with read_frames(path) as frames:
        times = [frame.time for frame in frames]
    assert len(times) == pytest.approx(100 * share, abs=26)
    assert info.duration_s == pytest.approx(float(times[-1]) + 1 / 25, abs=0.02)
    assert any("truncated" in warning for warning in info.warnings)
    messages: list[str] = []
    render(
        RenderParams(speeds=[0.5]), video=path, output=tmp_path / "out.mp4", progress=Report(lambda update: messages.append(str(update)))
    )
    assert sum("truncated" in message for message in messages) == 1
    assert probe_video(tmp_path / "out.mp4").duration_s == pytest.approx(2 * (info.duration_s or 0), abs=0.1)


def test_a_whole_fragmented_file_is_not_cut_off(tmp_path: Path) -> None:
    data = run_ffmpeg(*FRAGMENTS.format(2).split(), *["-movflags", "frag_keyframe+empty_moov", "-f", "mp4", "-"])
    (tmp_path / "a.mp4").write_bytes(data)
    assert probe_video(tmp_path / "a.mp4").warnings == ()
    (tmp_path / "b.mp4").write_bytes(data[:1500])
    with pytest.raises(BrokenMedia):
        probe(tmp_path / "b.mp4")


@pytest.mark.parametrize("flags", ["frag_keyframe+empty_moov", "faststart", "use_metadata_tags"])
@pytest.mark.parametrize("tail", [b"TAG" + b"song".ljust(125, b"\0"), b"SEFHk\0\0\0\1\0\0\0SEFT", b"some words, no box", bytes(64)])
def test_bytes_behind_the_last_box_change_nothing(flags: str, tail: bytes, tmp_path: Path) -> None:
    # Tagging programs append ID3v1 tags, and phones their own data.
    run_ffmpeg(*FRAGMENTS.format(0).split(), "-movflags", flags, "-f", "mp4", "-y", str(tmp_path / "whole.mp4"))
    data = (tmp_path / "whole.mp4").read_bytes()
    path = tmp_path / "tail.mp4"
    path.write_bytes(data + tail)
    info = probe_video(path)
    assert info.warnings == ()
    assert info.duration_s == probe_video(tmp_path / "whole.mp4").duration_s
    with read_frames(path) as frames:
        assert sum(1 for _ in frames) == 100


def animation(path: Path, count: int = 12, shown_ms: int = 80) -> Path:
    pictures = [Image.fromarray(np.full((48, 64, 3), 20 * number, np.uint8)) for number in range(count)]
    options = {"lossless": True} if path.suffix == ".webp" else {}
    pictures[0].save(path, save_all=True, append_images=pictures[1:], duration=shown_ms, loop=0, **options)
    return path


@pytest.mark.parametrize("name", ["a.webp", "a.png", "a.gif"])
def test_an_animated_picture_is_a_video(name: str, tmp_path: Path) -> None:
    path = animation(tmp_path / name)
    inspected = inspect(FileRequest(path=str(path)), None)
    info = probe(path)
    assert isinstance(info, VideoInfo)
    types = {"a.webp": "image/webp", "a.png": "image/png", "a.gif": "image/gif"}
    assert (inspected.kind, inspected.content_type, inspected.suffix) == ("video", types[name], path.suffix)
    assert (info.frames, info.width, info.height, Fraction(info.frame_rate)) == (12, 64, 48, Fraction(25, 2))
    assert info.duration_s == pytest.approx(0.96, abs=0.01)
    with read_frames(path, opaque=True) as frames:
        shown = [(frame.time, int(frame.rgb()[20, 20, 0])) for frame in frames]
    assert [time for time, _ in shown] == [Fraction(2 * number, 25) for number in range(12)]
    assert [level for _, level in shown] == pytest.approx([20 * number for number in range(12)], abs=3)
    with read_frames(path, start=0.5) as frames:
        assert next(frames).time == Fraction(14, 25)
    assert thumbnail(ThumbnailRequest(path=str(path), output=str(tmp_path / "t.jpg"), width=64), None) == PictureSize(width=64, height=48)
    result = render(RenderParams(speeds=[0.5]), video=path, output=tmp_path / "out.mp4")
    assert (result.frames, result.duration_s) == (24, pytest.approx(1.92, abs=0.01))


@pytest.mark.parametrize("name", ["a.webp", "a.png"])
def test_a_still_picture_stays_one(name: str, tmp_path: Path) -> None:
    assert isinstance(probe(animation(tmp_path / name, count=1)), ImageInfo)


def test_the_suites_own_animation_is_read(tmp_path: Path, clip: Path) -> None:
    with read_frames(clip) as frames, VideoWriter(tmp_path / "a.webp", width=96, height=64, frame_rate=Fraction(25)) as writer:
        for number, frame in enumerate(frames):
            writer.write(frame.picture, number)
    info = probe_video(tmp_path / "a.webp")
    assert (info.container, info.frames, info.frame_rate) == ("webp", 50, "25/1")


@pytest.mark.parametrize("late", ["0.033", "0.5"])
@pytest.mark.parametrize("name", ["a.mp4", "a.ts"])
def test_results_begin_with_a_picture_and_keep_an_even_rate(name: str, late: str, make: Make, tmp_path: Path) -> None:
    # The picture starts later than the sound.
    picture = f"-itsoffset {late} -f lavfi -i testsrc2=s=96x64:r=30:d=2"
    path = make(name, "-f lavfi -i sine=440:d=2.5:sample_rate=48000", picture, "-c:v libx264 -c:a aac")
    assert (probe_video(path).frame_rate, probe_video(path).frames) == ("30/1", 60)
    with read_frames(path) as frames:
        last = [frame.time for frame in frames][-1]
    for operation, params in (
        (render, RenderParams(speeds=[0.5])),
        (motion_trails, MotionTrailsParams(layers=1)),
        (transcode, TranscodeParams(height=32)),
    ):
        matte = {"matte": None} if operation is motion_trails else {}
        result = operation(params, video=path, output=tmp_path / "out.mp4", **matte)
        speed = 0.5 if operation is render else 1
        with read_frames(tmp_path / "out.mp4") as frames:
            times = [frame.time for frame in frames]
        assert times[0] == 0
        assert float(times[-1]) * speed == pytest.approx(float(last), abs=0.021)
        assert [float(after - before) for before, after in pairwise(times)] == pytest.approx([1 / 30] * (len(times) - 1), abs=0.002)
        info = probe_video(tmp_path / "out.mp4")
        assert (info.frame_rate, info.variable_frame_rate, info.frames) == ("30/1", False, len(times))
        assert result.frames == len(times)


@pytest.mark.parametrize("bframes", [0, 2])
@pytest.mark.parametrize("late_ms", [0, 21, 45, 300])
def test_a_copy_begins_with_a_picture_too(late_ms: int, bframes: int, make: Make, tmp_path: Path) -> None:
    # Matroska shows pictures later by the samples with which AAC begins.
    source = f"-f lavfi -i sine=440:d=1.4:sample_rate=48000 -itsoffset {late_ms / 1000} -f lavfi -i testsrc2=s=96x64:r=25:d=1"
    path = make("late.mkv", source, f"-c:v libx264 -bf {bframes} -c:a flac")
    result = render(RenderParams(speeds=[1]), video=path, output=tmp_path / "out.mp4")
    assert (result.encoder == "copy") == (late_ms <= 50)
    with read_frames(tmp_path / "out.mp4") as frames:
        times = [float(frame.time) for frame in frames]
    assert times[0] == 0
    assert times[-1] == pytest.approx(0.96 + late_ms / 1000, abs=0.021)
    info = probe_video(tmp_path / "out.mp4")
    assert (info.frame_rate, info.variable_frame_rate, info.frames) == ("25/1", False, len(times))
    assert info.duration_s == pytest.approx(1 + late_ms / 1000, abs=0.021)


def test_a_sequence_of_avif_is_a_video_and_its_still_is_left_out(make: Make) -> None:
    path = make("sequence.avif", "-f lavfi -i testsrc2=s=64x48:r=12:d=1", "-c:v libsvtav1 -preset 12 -f avif")
    info = probe_video(path)
    assert (info.frames, info.frame_rate, info.constant_rate) == (12, "12/1", "12/1")
    with read_frames(path) as frames:
        assert len(list(frames)) == 12


def test_pictures_that_an_edit_list_hides_do_not_count(make: Make) -> None:
    whole = make("whole.mp4", "-f lavfi -i testsrc2=s=64x48:r=25:d=2", "-c:v libx264 -g 50 -pix_fmt yuv420p")
    path = make("cut.mp4", f"-ss 0.72 -i {whole}", "-c copy")
    info = probe_video(path)
    with read_frames(path) as frames:
        assert info.frames == len(list(frames)) == 32
    assert info.duration_s == pytest.approx(1.28, abs=0.02)
