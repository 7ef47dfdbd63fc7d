"""`speed-ramp.render`, measured in the rendered files."""

import hashlib
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from services.speed_ramp.curve.clock import Clock
from services.speed_ramp.curve.points import CurvePoint
from services.speed_ramp.render import RenderParams, render
from shared.video import VideoInfo, probe, read_frames
from tests.services.speed_ramp.ramp_clips import RATE, Recorder, beep, beeps, flash, flashes, lumas, sound, write_clip

VARIED = [(0.0, 1.0), (1.0, 2.0), (1.75, 0.4), (2.5, 0.5), (3.5, 3.0), (4.0, 0.3), (5.0, 1.5), (6.0, 0.7)]


def points(pairs: list[tuple[float, float]]) -> list[CurvePoint]:
    return [CurvePoint(t=t, speed=speed) for t, speed in pairs]


def info_of(path: Path) -> VideoInfo:
    info = probe(path)
    assert isinstance(info, VideoInfo)
    return info


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write a clip of 6 s at 60 fps with flashes and beeps.

    A white flash and a beep come at 0.5 s, 1.5 s and so on. There are a stereo track and a track with six channels.
    """
    path = tmp_path_factory.mktemp("ramp") / "source.mp4"
    rate = Fraction(60)
    tracks = (("stereo", beep), ("5.1", beep))
    return write_clip(path, lambda i: flash(i / 60), frames=360, frame_rate=rate, tracks=tracks)


@pytest.mark.parametrize("interpolation", ["nearest", "blend"])
def test_picture_and_sound_follow_the_curve_together(source: Path, tmp_path: Path, interpolation: str) -> None:
    output, recorder = tmp_path / "out.mp4", Recorder()
    params = RenderParams(curve=points(VARIED), interpolation=interpolation)  # type: ignore[arg-type]
    result = render(params, video=source, output=output, progress=recorder)
    clock = Clock(VARIED)
    total = float(clock.out(6.0))

    info = info_of(output)
    times, _ = lumas(output)
    assert result.frames == len(times) == round(total * 60)
    assert np.allclose(np.diff(times), 1 / 60, atol=1e-4)
    assert result.duration_s == pytest.approx(total, abs=0.5 / 60 + 1e-9)
    assert [track.channels for track in info.audio] == [2, 6]
    assert result.audio_tracks == 2
    for number in range(2):
        samples, rate, start = sound(output, number)
        assert rate == RATE
        assert start + samples.shape[1] / rate == pytest.approx(total, abs=1024 / RATE + 1e-6)

    expected = clock.out(np.arange(6) + 0.5)
    flash_times, heard = flashes(output), beeps(output, expected)
    assert len(flash_times) == 6
    assert np.abs(heard - expected).max() < 0.010
    if interpolation == "nearest":
        assert np.abs(flash_times - expected).max() < 0.5 / 60 + 0.001
        assert np.abs(flash_times - heard).max() < 0.020
    assert recorder.fractions == sorted(recorder.fractions)
    assert recorder.fractions[-1] == 1
    assert recorder.stages == ["rendering"]
    assert recorder.warnings == []


def test_channels_keep_their_places(source: Path, tmp_path: Path) -> None:
    render(RenderParams(curve=points([(0, 0.8)])), video=source, output=tmp_path / "out.mp4")
    levels = np.sqrt(np.mean(sound(tmp_path / "out.mp4", 1)[0] ** 2, axis=1))
    # The subwoofer's channel (the fourth) is band-limited by the encoder.
    ratios = np.delete(levels / levels[0], 3)
    assert ratios == pytest.approx(np.delete(np.linspace(1, 0.5, 6), 3), abs=0.08)


def test_speed_one_gives_back_the_same_frames_and_sound(source: Path, tmp_path: Path) -> None:
    output, recorder = tmp_path / "out.mp4", Recorder()
    result = render(RenderParams(curve=points([(0, 1), (6, 1)])), video=source, output=output, progress=recorder)
    assert (result.encoder, result.frames, result.duration_s) == ("copy", 360, pytest.approx(6))
    assert digest(output) == digest(source)
    for track in range(2):
        np.testing.assert_array_equal(sound(output, track)[0], sound(source, track)[0])
    assert recorder.fractions[-1] == 1


def test_speed_one_is_encoded_where_it_cannot_be_copied(tmp_path: Path) -> None:
    video = write_clip(tmp_path / "in.webm", lambda i: flash(i / 30), frames=30, tracks=(("mono", beep),))
    recorder = Recorder()
    result = render(RenderParams(speeds=[1], audio="drop"), video=video, output=tmp_path / "out.mp4", progress=recorder)
    assert result.encoder != "copy"
    assert result.frames == 30
    assert result.audio_tracks == 0
    assert info_of(tmp_path / "out.mp4").audio == ()
    assert np.abs(lumas(tmp_path / "out.mp4")[1] - lumas(video)[1]).max() < 3


def test_listed_speeds_give_their_total(source: Path, tmp_path: Path) -> None:
    params = RenderParams(speeds=[2, 0.5, 1, 4], segment_duration=1.5)
    result = render(params, video=source, output=tmp_path / "out.mp4")
    total = 1.5 * (1 / 2 + 1 / 0.5 + 1 + 1 / 4)
    assert result.frames == round(total * 60)
    assert (result.curve[0].t, result.curve[-1].t) == (0, 6)


def test_the_analysed_curve_is_followed_and_both_parts_are_reported(source: Path, tmp_path: Path) -> None:
    recorder = Recorder()
    result = render(RenderParams(min_speed=1.5, max_speed=3), video=source, output=tmp_path / "out.mp4", progress=recorder)
    total = float(Clock([(point.t, point.speed) for point in result.curve]).out(6.0))
    assert result.duration_s == pytest.approx(total, abs=0.5 / 60 + 1e-9)
    assert recorder.stages == ["analysing", "rendering"]
    assert recorder.fractions == sorted(recorder.fractions)
    assert recorder.fractions[-1] == 1


def test_a_varying_rate_becomes_a_constant_one_in_time(tmp_path: Path) -> None:
    # 1 s at 30, then 1 s at 10, then 1 s at 30 frames a second.
    places = [*range(30), *range(30, 60, 3), *range(60, 90)]
    video = write_clip(tmp_path / "in.mkv", lambda i: flash(places[i] / 30), frames=len(places), times=lambda i: places[i])
    recorder = Recorder()
    result = render(RenderParams(curve=points([(0, 0.5)])), video=video, output=tmp_path / "out.mp4", progress=recorder)
    times, _ = lumas(tmp_path / "out.mp4")
    rate = Fraction(result.frame_rate)
    assert np.allclose(np.diff(times), float(1 / rate), atol=1e-4)
    assert times[-1] + float(1 / rate) == pytest.approx(6, abs=0.6 / rate + 0.002)
    assert flashes(tmp_path / "out.mp4") == pytest.approx([1, 3, 5], abs=0.5 / rate + 0.002)
    assert any("varies" in sentence for sentence in recorder.warnings)


@pytest.mark.parametrize("late", ["sound", "picture"])
def test_a_late_start_is_late_in_proportion(tmp_path: Path, late: str) -> None:
    # The other one begins at 0; the late one at 0.3 s.
    if late == "sound":
        video = write_clip(
            tmp_path / "in.mkv",
            lambda i: flash(i / 30),
            frames=60,
            tracks=(("mono", lambda t: np.where(t < 0.3, 0, 0.3 * np.sin(2765 * t))),),
        )
    else:
        video = write_clip(tmp_path / "in.mkv", lambda i: flash(i / 30), frames=60, times=lambda i: i + 9, tracks=(("mono", beep),))
    render(RenderParams(curve=points([(0, 0.5)])), video=video, output=tmp_path / "out.mp4")
    if late == "sound":
        assert beeps(tmp_path / "out.mp4", np.array([0.6]), level=0.1) == pytest.approx([0.6], abs=0.02)
    else:
        # Flashes of frames that come 0.3 s late, against beeps that do not.
        assert flashes(tmp_path / "out.mp4") == pytest.approx([1.6, 3.6], abs=0.02)
        assert beeps(tmp_path / "out.mp4", np.array([1.0, 3.0])) == pytest.approx([1, 3], abs=0.02)


@pytest.mark.parametrize("size", [(47, 63), (48, 64)])
@pytest.mark.parametrize("frames", [1, 2])
def test_tiny_clips_of_any_size_work(tmp_path: Path, size: tuple[int, int], frames: int) -> None:
    video = write_clip(tmp_path / "in.mkv", lambda i: flash(i / 30, size=size), frames=frames)
    result = render(RenderParams(curve=points([(0, 0.25)])), video=video, output=tmp_path / "out.mp4")
    assert result.frames == len(lumas(tmp_path / "out.mp4")[0]) == 4 * frames


def test_a_failed_render_leaves_no_files(source: Path, tmp_path: Path) -> None:
    class Stop(Exception): ...

    class Stopping(Recorder):
        def part(self, stage: str, start: float, end: float) -> "Stopping":
            return self

        def __call__(self, done: float, total: float) -> None:
            if done > 20:
                raise Stop

    with pytest.raises(Stop):
        render(RenderParams(curve=points(VARIED)), video=source, output=tmp_path / "out.mp4", progress=Stopping())
    assert list(tmp_path.iterdir()) == []


def digest(path: Path) -> str:
    whole = hashlib.sha256()
    with read_frames(path) as frames:
        for frame in frames:
            whole.update(str(frame.time).encode() + frame.luma().tobytes())
    return whole.hexdigest()
