"""Subtitles and chapters at their new times, and warnings about dropped tracks."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from services.effects.motion_trails import MotionTrailsParams, motion_trails
from services.speed_ramp.curve.points import CurvePoint
from services.speed_ramp.render import RenderParams, render
from shared.video import VideoInfo, probe, probe_video, read_frames
from shared.worker.progress import Report
from tests.shared.video.video_clips import Make, run_ffmpeg

SRT = "1\n00:00:00,500 --> 00:00:01,500\nQuoi\u00a0?\n\n2\n00:00:02,000 --> 00:00:03,000\n<i>می\u200cخواهم</i>\nyou\n\n"
CHAPTERS = ";FFMETADATA1\n" + "".join(
    f"[CHAPTER]\nTIMEBASE=1/1000\nSTART={start}\nEND={end}\ntitle={title}\n"
    for title, start, end in (("One", 0, 2000), ("Two", 2000, 4000))
)
Run = Callable[..., object]


def with_texts(folder: Path, make: Make, name: str, coding: str) -> Path:
    (folder / "a.srt").write_text(SRT)
    (folder / "a.txt").write_text(CHAPTERS)
    inputs = ["-i", str(folder / "a.srt"), "-i", str(folder / "a.txt"), "-map_metadata", "3"]
    pictures = "-f lavfi -i testsrc2=s=96x64:r=25:d=4 -f lavfi -i sine=440:d=4:sample_rate=48000"
    return make(name, pictures, inputs, "-map 0 -map 1 -map 2 -c:v libx264 -g 25 -metadata:s:s:0 language=fra", coding)


def cues(path: Path) -> list[tuple[float, float, str]]:
    """Return the subtitles as (start, end, text), read by ffmpeg."""
    text = run_ffmpeg("-i", str(path), "-map", "0:s:0", "-f", "srt", "-").decode()
    cues = re.findall(r"(\d+):(\d+):([\d,]+) --> (\d+):(\d+):([\d,]+)\n(.*?)\n\n", text + "\n", re.DOTALL)
    return [(seconds(*cue[:3]), seconds(*cue[3:6]), re.sub("<[^>]*>", "", cue[6]).strip()) for cue in cues]


def seconds(hours: str, minutes: str, rest: str) -> float:
    return int(hours) * 3600 + int(minutes) * 60 + float(rest.replace(",", "."))


def run(operation: Run, params: object, path: Path, output: Path) -> tuple[VideoInfo, list[str]]:
    messages: list[str] = []
    more = {"matte": None} if operation is motion_trails else {}
    operation(params, video=path, output=output, **more, progress=Report(lambda update: messages.append(str(update))))
    return probe_video(output), messages


TEXTS = {
    "subrip.mkv": "-c:a aac -c:s srt",
    "advanced.mkv": "-c:a aac -c:s ass",
    "web.mkv": "-c:a aac -c:s webvtt",
    "timed.mp4": "-c:a aac -c:s mov_text",
    "timed.mov": "-c:a pcm_s16le -c:s mov_text",
}
FIRST, SECOND = "Quoi\u00a0?", "می\u200cخواهم\nyou"  # a space that keeps a line together, and letters that must not join


@pytest.mark.parametrize("name", TEXTS)
def test_subtitles_and_chapters_follow_the_curve(name: str, make: Make, tmp_path: Path) -> None:
    path = with_texts(tmp_path, make, name, TEXTS[name])
    listed = probe_video(path)
    assert [track.language for track in listed.subtitles] == ["fra"]
    assert [(chapter.title, chapter.start_s, chapter.end_s) for chapter in listed.chapters] == [("One", 0, 2), ("Two", 2, 4)]
    curve = [CurvePoint(t=0, speed=0.5), CurvePoint(t=1.999, speed=0.5), CurvePoint(t=2, speed=2), CurvePoint(t=4, speed=2)]
    info, messages = run(render, RenderParams(curve=curve), path, tmp_path / "ramp.mp4")
    assert [(start, end) for start, end, _ in cues(tmp_path / "ramp.mp4")] == [
        pytest.approx((1, 3), abs=0.05),
        pytest.approx((4, 4.5), abs=0.05),
    ]
    assert [text for _, _, text in cues(tmp_path / "ramp.mp4")] == [FIRST, SECOND]
    assert [track.language for track in info.subtitles] == ["fra"]
    assert [chapter.title for chapter in info.chapters] == ["One", "Two"]
    assert [chapter.start_s for chapter in info.chapters] == pytest.approx([0, 4], abs=0.05)
    assert not any("left out" in message for message in messages)


@pytest.mark.parametrize("name", ["subrip.mkv", "timed.mp4"])
def test_subtitles_and_chapters_are_kept_in_parts_and_copies(name: str, make: Make, tmp_path: Path) -> None:
    path = with_texts(tmp_path, make, name, TEXTS[name])
    for number, (operation, whole, part) in enumerate(
        (
            (render, RenderParams(speeds=[1]), RenderParams(speeds=[1], start=1, duration=2)),
            (motion_trails, MotionTrailsParams(), MotionTrailsParams(start=1, duration=2)),
        )
    ):
        info, _ = run(operation, whole, path, tmp_path / f"whole{number}.mp4")
        assert [(start, end) for start, end, _ in cues(tmp_path / f"whole{number}.mp4")] == [(0.5, 1.5), (2, 3)]
        assert [(chapter.title, chapter.start_s) for chapter in info.chapters] == [("One", 0), ("Two", 2)]
        info, _ = run(operation, part, path, tmp_path / f"part{number}.mp4")
        assert cues(tmp_path / f"part{number}.mp4") == [(0, 0.5, FIRST), (1, 2, SECOND)]
        assert [(chapter.title, chapter.start_s) for chapter in info.chapters] == [("One", 0), ("Two", 1)]


@pytest.mark.parametrize("start", [0, 0.4])
@pytest.mark.parametrize("codec", ["wavpack", "tta"])
def test_sound_that_is_not_decoded_is_named(codec: str, start: float, make: Make, tmp_path: Path) -> None:
    sound = "-f lavfi -i sine=440:d=1:sample_rate=48000 -map 0 -map 1 -map 1"
    picture = "-f lavfi -i testsrc2=s=96x64:r=25:d=1"
    attached = ["-attach", __file__, "-metadata:s:t", "mimetype=text/plain"]
    path = make("a.mkv", picture, sound, f"-c:v libx264 -c:a:0 {codec} -c:a:1 aac", attached)
    listed = probe(path)
    assert isinstance(listed, VideoInfo)
    assert (listed.other_tracks[0].kind, listed.other_tracks[0].codec) == ("audio", codec)
    runs: tuple[tuple[Run, object], ...] = (
        (render, RenderParams(speeds=[0.5], start=start)),
        (render, RenderParams(speeds=[1], start=start)),
        (motion_trails, MotionTrailsParams(start=start)),
    )
    for operation, params in runs:
        info, messages = run(operation, params, path, tmp_path / "out.mp4")
        assert len(info.audio) == 1
        assert sum(f"({codec})" in message for message in messages) == 1
        assert sum("attached file" in message for message in messages) == 1


def test_a_dropped_timecode_track_is_named(make: Make, tmp_path: Path) -> None:
    source = "-f lavfi -i testsrc2=s=96x64:r=25:d=2"
    path = make("a.mov", source, "-c:v libx264 -timecode 01:00:00:00")
    _, messages = run(render, RenderParams(speeds=[0.5]), path, tmp_path / "out.mp4")
    assert sum("timecode" in message for message in messages) == 1


@pytest.mark.parametrize(("name", "more"), [("a.mkv", ""), ("a.mov", ""), ("a.ts", ""), ("a.flv", "-map 0:a -ar 44100")])
def test_sound_that_stands_before_the_picture_is_kept_without_a_warning(name: str, more: str, make: Make, tmp_path: Path) -> None:
    sources = "-f lavfi -i sine=440:d=1:sample_rate=48000 -f lavfi -i testsrc2=s=96x64:r=25:d=1"
    path = make(name, sources, f"{more or '-map 0:a -map 0:a'} -map 1:v -c:v libx264 -bf 0 -c:a aac")
    tracks = len(probe_video(path).audio)
    assert tracks == (1 if more else 2)
    for operation, params in (
        (motion_trails, MotionTrailsParams()),
        (render, RenderParams(speeds=[1])),
        (render, RenderParams(speeds=[0.5])),
    ):
        _, messages = run(operation, params, path, tmp_path / "out.mp4")
        assert not any("sound" in message for message in messages)
        written = probe_video(tmp_path / "out.mp4")
        assert [round(track.duration_s or 0) for track in written.audio] == [round(written.length_s)] * tracks


def test_a_track_without_sound_is_named(tmp_path: Path) -> None:
    # A killed recorder wrote the first fragment's pictures, but no sound.
    words = "-f lavfi -i testsrc2=s=96x64:r=25:d=3 -f lavfi -i sine=440:d=3:sample_rate=48000 -c:v libx264 -bf 0 -g 250 -c:a aac"
    data = run_ffmpeg(*words.split(), *["-movflags", "frag_keyframe+empty_moov", "-f", "mp4", "-"])
    path = tmp_path / "a.mp4"
    path.write_bytes(data[: len(data) * 2 // 5])
    for operation, params in (
        (render, RenderParams(speeds=[0.5])),
        (render, RenderParams(speeds=[1])),
        (motion_trails, MotionTrailsParams()),
        (motion_trails, MotionTrailsParams(start=0.2)),
    ):
        _, messages = run(operation, params, path, tmp_path / "out.mp4")
        assert any("no sound" in message for message in messages)


@pytest.mark.parametrize(
    ("dispositions", "colour", "left_out"),
    [
        ("-disposition:v:0 0 -disposition:v:1 0", "blue", ["video"]),
        ("-disposition:v:0 default -disposition:v:1 0", "red", ["video"]),
        ("-disposition:v:0 0 -disposition:v:1 default", "blue", ["video"]),
        ("-disposition:v:0 0 -disposition:v:1 attached_pic", "red", ["cover"]),
    ],
)
def test_the_default_picture_track_is_read_else_the_largest_and_never_a_cover(
    dispositions: str, colour: str, left_out: list[str], tmp_path: Path
) -> None:
    cover = "attached_pic" in dispositions
    path = tmp_path / ("cover.mp4" if cover else "two.mkv")
    tracks = "-f lavfi -i color=red:s=64x48:r=25:d=0.4 -f lavfi -i color=blue:s=128x96:r=25:d=0.4 -map 0 -map 1 -pix_fmt:v:0 yuv420p"
    coding = "-c:v:0 libx264 -c:v:1 png -frames:v:1 1" if cover else "-c:v libx264 -default_mode passthrough"
    run_ffmpeg(*f"{tracks} {coding} {dispositions} {path}".split())
    with read_frames(path) as frames:
        red, _, blue = next(frames).rgb().reshape(-1, 3).mean(axis=0)
    assert {"red": red, "blue": blue}[colour] > 200 > 60 > min(red, blue)
    assert [track.kind for track in probe_video(path).other_tracks] == left_out
