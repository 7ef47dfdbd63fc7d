"""Sampled frames at even or listed times, equal to a full read's."""

import math
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from shared.video import Frame, read_frames
from shared.video.reading.decoding import picture_stream
from tests.shared.video.video_clips import Make, run_ffmpeg

RATES = [Fraction(1), Fraction(1, 3), Fraction(7, 2), Fraction(1, 60), 0.1, 24, 25, 1000]


@pytest.fixture(scope="module")
def long(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a clip of 40 s at 25 fps.

    It has B-frames that other frames refer to, and a keyframe every 4 s.
    """
    path = tmp_path_factory.mktemp("long") / "long.mp4"
    coding = ["-c:v", "libx264", "-preset", "veryfast", "-g", "100", "-bf", "3", "-x264-params", "b-pyramid=normal:scenecut=0"]
    run_ffmpeg("-f", "lavfi", "-i", "testsrc2=s=64x48:r=25:d=40", *coding, str(path))
    return path


def expected(path: Path, per_second: Fraction | float, start: float = 0, duration: float | None = None) -> dict[Fraction, np.ndarray]:
    """Read all frames; return luma of those that sampling must give.

    The keys are their times.
    """
    rate = Fraction(per_second).limit_denominator(1000)
    pictures: dict[Fraction, np.ndarray] = {}
    moment = 0
    with read_frames(path, start=start, duration=duration) as frames:
        for frame in frames:
            since = frame.time - Fraction(start) + frame.time_base / 2
            if since * rate >= moment:
                pictures[frame.time] = frame.luma().copy()
                moment = math.floor(since * rate) + 1
    return pictures


def check(path: Path, per_second: Fraction | float, **options: Any) -> None:
    expected_frames = expected(path, per_second, **options)
    with read_frames(path, per_second=per_second, **options) as frames:
        sampled = list(frames)
    assert [frame.time for frame in sampled] == list(expected_frames)
    assert [frame.index for frame in sampled] == list(range(len(sampled)))
    for frame in sampled:
        np.testing.assert_array_equal(frame.luma(), expected_frames[frame.time])
    listed = list(expected_frames)[1::3]
    with read_frames(path, at=listed) as frames:
        for time, frame in zip(listed, frames, strict=True):
            assert frame.time == time
            np.testing.assert_array_equal(frame.luma(), expected_frames[time])


@pytest.mark.parametrize("per_second", RATES)
def test_sampling_gives_what_reading_everything_would(long: Path, per_second: float) -> None:
    check(long, per_second)
    assert len(expected(long, Fraction(1))) == 40


@pytest.mark.parametrize("suffix", ["mkv", "ts", "avi", "flv", "mov"])
@pytest.mark.parametrize("per_second", [Fraction(1), Fraction(1, 13)])
def test_sampling_works_in_every_container(long: Path, make: Make, suffix: str, per_second: Fraction) -> None:
    check(make(f"a.{suffix}", f"-i {long} -c copy"), per_second)


@pytest.mark.parametrize("options", ["-movflags frag_keyframe+empty_moov", "-movflags dash"])
def test_sampling_works_in_fragmented_files(long: Path, make: Make, options: str) -> None:
    check(make("a.mp4", f"-i {long} -c copy {options}"), Fraction(1, 7))


@pytest.mark.parametrize("coding", [
    "-c:v libx265 -x265-params log-level=none:keyint=50:open-gop=1",
    "-c:v libx264 -x264-params open-gop=1:keyint=60:scenecut=0:bframes=4",
    "-c:v libvpx-vp9 -deadline realtime -cpu-used 8 -g 50", "-c:v mpeg4 -bf 2 -g 40", "-c:v libsvtav1 -preset 12 -g 48",
    "-c:v mpeg2video -g 50", "-c:v libx264 -g 9999",
])  # fmt: skip
@pytest.mark.parametrize("per_second", [Fraction(2), Fraction(1, 5)])
def test_sampling_works_with_several_codecs(make: Make, coding: str, per_second: Fraction) -> None:
    check(make("a.mkv", "-f lavfi -i testsrc2=s=64x64:r=25:d=16", coding), per_second)


@pytest.mark.parametrize(("name", "coding"), [
    ("a.avi", "-vf scale=720:576,format=yuv420p -c:v dvvideo"), ("a.mov", "-vf setfield=tff -flags +ildct -c:v prores_ks"),
    ("b.mxf", "-vf scale=1920:1080,format=yuv422p,setfield=tff -flags +ildct -c:v dnxhd -b:v 120M"),
])  # fmt: skip
@pytest.mark.parametrize("per_second", [Fraction(5), Fraction(1)])
def test_sampling_works_with_interlaced_keyframes(make: Make, name: str, coding: str, per_second: Fraction) -> None:
    check(make(name, "-f lavfi -i testsrc2=s=64x64:r=25:d=2", coding), per_second)


@pytest.mark.parametrize(("start", "duration"), [(3.5, 21), (11.96, 4), (0.04, 0.5), (39.9, None), (50, None)])
def test_sampling_works_with_start_and_duration(long: Path, start: float, duration: float | None) -> None:
    for per_second in (Fraction(1), Fraction(1, 6)):
        check(long, per_second, start=start, duration=duration)


def test_where_the_rate_varies_each_frame_comes_once(make: Make) -> None:
    uneven = "settb=1/1000,setpts='40*N+7*mod(N,3)+if(gt(N,30),7200,0)'"
    path = make(
        "vfr.mp4", "-f lavfi -i testsrc2=s=64x48:r=25:d=3", ["-vf", uneven], "-fps_mode passthrough -enc_time_base 1/1000 -c:v libx264"
    )
    check(path, 2)
    with read_frames(path, per_second=2) as frames:
        times = [float(frame.time) for frame in frames]
    assert times[:3] == [0, pytest.approx(0.52, abs=0.03), pytest.approx(1.0, abs=0.04)]
    assert times[3] > 7


def test_sampled_interlaced_pictures_are_deinterlaced(make: Make) -> None:
    moving = "testsrc2=s=128x96:r=50:d=6,tinterlace=interleave_top"
    path = make("fields.mkv", ["-f", "lavfi", "-i", moving], "-c:v libx264 -flags +ilme+ildct -g 30")
    expected_frames = expected(path, Fraction(1))
    with read_frames(path, per_second=1) as frames:
        for frame in frames:
            # The first picture after a jump has no picture before it to take lines from.
            assert np.abs(frame.luma().astype(int) - expected_frames[frame.time]).mean() < 3
    assert len(expected_frames) == 6


def test_sampling_may_use_keyframes_alone(long: Path) -> None:
    with read_frames(long, per_second=Fraction(1, 6), skip="nonkey") as frames:
        assert [frame.time for frame in frames] == [0, 8, 12, 20, 24, 32, 36]


class Counting:
    """A decoder that counts its packets."""

    def __init__(self, decoder: Any):
        self.__dict__.update(decoder=decoder, packets=0)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.decoder, name)

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(self.decoder, name, value)

    def decode(self, packet: Any) -> Any:
        self.__dict__["packets"] += packet is not None
        return self.decoder.decode(packet)


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Counting]]:
    readers: list[Counting] = []
    original = picture_stream.open_decoder

    def counting(*arguments: Any, **options: Any) -> Counting:
        readers.append(Counting(original(*arguments, **options)))
        return readers[-1]

    monkeypatch.setattr(picture_stream, "open_decoder", counting)
    return readers


def times(path: Path, **options: Any) -> list[Frame]:
    with read_frames(path, **options) as frames:
        return list(frames)


@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
def test_groups_of_pictures_without_a_sample_are_not_decoded(long: Path, make: Make, counted: list[Counting], suffix: str) -> None:
    path = make(f"b.{suffix}", f"-i {long} -c copy")
    assert len(times(path, per_second=Fraction(1, 20), duration=30)) == 2
    # 0 s and 20 s are keyframes: a few packets each, of 1000.
    assert counted[0].packets < 30
    assert len(times(path, per_second=Fraction(1, 9), duration=40)) == 5
    assert counted[1].packets < 300  # 9, 18, 27 and 36 lie 25, 50, 75 and 0 frames after a keyframe


@pytest.mark.parametrize("per_second", [1, 3, 12, 24])
def test_hardly_a_picture_is_decoded_twice_where_keyframes_lie_between(make: Make, counted: list[Counting], per_second: int) -> None:
    coding = "-c:v libx264 -preset veryfast -x264-params keyint=37:scenecut=0:b-pyramid=normal:bframes=3"
    path = make("c.mp4", "-f lavfi -i testsrc2=s=64x48:r=25:d=12", coding)
    check(path, per_second)
    everything, sampled, listed = (decoder.packets for decoder in counted)
    assert sampled <= 1.1 * everything
    assert listed <= 1.3 * everything


def test_wrong_rates_are_refused(long: Path) -> None:
    with pytest.raises(ValueError, match="per_second = 0"):
        read_frames(long, per_second=0)
    with pytest.raises(ValueError, match="every = 2"):
        read_frames(long, per_second=1, every=2)
    with pytest.raises(ValueError, match="at cannot be combined"):
        read_frames(long, at=[1], start=1)
