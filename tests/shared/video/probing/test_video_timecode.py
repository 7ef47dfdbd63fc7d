"""Timecode read from files, and counted as in other programs."""

from fractions import Fraction
from pathlib import Path

import opentimelineio as otio
import pytest

from services.media.transcode import TranscodeParams, transcode
from shared.video import probe
from shared.video.probing.timecode import Timecode, start_timecode
from shared.worker.progress import Report
from tests.shared.video.video_clips import Make

NTSC = Fraction(30000, 1001)


@pytest.mark.parametrize(
    ("name", "timecode", "rate", "expected"),
    [
        ("a.mov", "01:00:00:00", "25", "01:00:00:00"),
        ("a.mp4", "10:59:58;28", "30000/1001", "10:59:58;28"),
        ("a.mkv", "00:00:10:05", "24000/1001", "00:00:10:05"),
        ("a.mxf", "22:10:00:24", "25", "22:10:00:24"),
    ],
)
def test_the_start_timecode_of_a_file_is_read(make: Make, name: str, timecode: str, rate: str, expected: str) -> None:
    coder = "mpeg2video" if name.endswith("mxf") else "libx264"
    video = make(name, f"-f lavfi -i testsrc2=s=128x96:r={rate}:d=0.4 -pix_fmt yuv420p -c:v {coder} -timecode", [timecode])
    assert probe(video).start_timecode == expected


def test_results_carry_the_timecode_of_their_first_picture(make: Make, tmp_path: Path) -> None:
    video = make("a.mov", "-f lavfi -i testsrc2=s=64x48:r=25:d=1 -pix_fmt yuv420p -c:v libx264 -timecode", ["09:59:59:20"])
    warnings: list[str] = []
    progress = Report(lambda update: warnings.append(str(update)))
    for params, expected in (({}, "09:59:59:20"), ({"start": 0.4, "audio": "drop"}, "10:00:00:05"), ({"frame_rate": "12"}, None)):
        warnings.clear()
        transcode(TranscodeParams(**params), video=video, output=tmp_path / "out.mp4", progress=progress)
        assert probe(tmp_path / "out.mp4").start_timecode == expected
        assert any("timecode" in warning for warning in warnings) == (expected is None)


def test_a_file_without_timecode_has_none(make: Make) -> None:
    assert probe(make("a.mp4", "-f lavfi -i testsrc2=s=48x32:r=25:d=0.4 -c:v libx264")).start_timecode is None


def test_invalid_timecodes_are_ignored() -> None:
    assert start_timecode({"title": "x"}, {"TIMECODE": "24:00:00:00"}, {"timecode": "<b>"}, {"Timecode": " 01:02:03.04 "}) == "01:02:03;04"
    assert start_timecode({"timecode": "01:02:03:04\n* COMMENT"}, {}) is None


@pytest.mark.parametrize("rate", [NTSC, Fraction(60000, 1001)])
def test_drop_frame_counts_as_opentimelineio_does(rate: Fraction) -> None:
    day = 24 * 6 * (600 * round(rate) - 9 * (round(rate) // 15))
    for frame in (*range(0, 20_000), *range(0, day, 997), day - 1):
        other = otio.opentime.to_timecode(otio.opentime.RationalTime(frame, float(rate)), float(rate), drop_frame=True)
        assert str(Timecode(frame, rate, True)) == other
        assert Timecode.parse(other, rate) == Timecode(frame, rate, True)
    assert str(Timecode(day, rate, True)) == "00:00:00;00", "it wraps at midnight"


@pytest.mark.parametrize("rate", [Fraction(24000, 1001), Fraction(25), NTSC, Fraction(50), Fraction(120)])
def test_whole_counts_survive_a_round_trip(rate: Fraction) -> None:
    for frame in range(0, 24 * 3600 * round(rate), 9_973):
        assert Timecode.parse(str(Timecode(frame, rate)), rate).frame == frame


def test_drop_frame_keeps_up_with_the_clock() -> None:
    hour = Timecode.parse("01:00:00;00", NTSC)
    assert abs(hour.seconds - 3600) < Fraction(1, 200)
    assert str(hour + -1) == "00:59:59;29"
    assert Timecode.parse("01:00:00:00", NTSC).seconds == Fraction(36036, 10)


@pytest.mark.parametrize("text", ["1:00:00:00", "00:61:00:00", "24:00:00:00", "00:00:00:30", "00:01:00;00", "hello", ""])
def test_impossible_timecodes_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"not a timecode|does not exist"):
        Timecode.parse(text, NTSC)


def test_only_some_rates_drop_frames() -> None:
    with pytest.raises(ValueError, match="25"):
        Timecode(0, Fraction(25), True)
    assert Timecode.parse("00:00:10;05", Fraction(25)) == Timecode(255, Fraction(25))
