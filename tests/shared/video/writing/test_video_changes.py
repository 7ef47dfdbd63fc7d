"""Warnings about conversions: one for each change, and no others."""

import pytest

from shared.video import VideoInfo, conversion_warnings, probe
from tests.shared.video.video_clips import Make

PLAIN = "-f lavfi -i testsrc2=s=64x48:r=25:d=0.2"
HDR = "-vf setparams=color_trc=smpte2084:color_primaries=bt2020:colorspace=bt2020nc"


def info_of(make: Make, name: str, *arguments: str | list[str]) -> VideoInfo:
    info = probe(make(name, *arguments))
    assert info.kind == "video"
    return info


CASES = [
    ("a.mp4", "-c:v libx264 -pix_fmt yuv420p", []),
    ("a.mp4", "-c:v libx264 -pix_fmt yuv420p10le", ["from 10 to 8 bits"]),
    ("a.mp4", f"-c:v libx265 -x265-params log-level=none -pix_fmt yuv420p10le {HDR}", ["(PQ) was tone-mapped to BT.709"]),
    ("a.mov", "-c:v prores_ks -profile:v 4444 -pix_fmt yuva444p10le", ["bits", "parts were filled with black"]),
    ("a.mp4", "-c:v libx264 -pix_fmt yuv420p -vf setsar=4/3", ["their aspect ratio was 4/3), which gives 86x48"]),
    ("a.mpg", "-c:v mpeg2video -flags +ilme+ildct -vf setfield=tff", ["deinterlaced"]),
    ("a.gif", "", []),
    ("a.mkv", "-c:v ffv1 -pix_fmt gray16le", ["from 16 to 8 bits"]),
]


@pytest.mark.parametrize(("name", "coding", "parts"), CASES)
def test_each_change_is_reported(make: Make, name: str, coding: str, parts: list[str]) -> None:
    info = info_of(make, name, PLAIN, coding)
    sentences = conversion_warnings(info, to_sdr8=True)
    assert len(sentences) == len(parts), sentences
    for part, sentence in zip(parts, sentences, strict=True):
        assert part in sentence
        assert sentence.endswith(".")


def test_kept_properties_are_not_reported(make: Make) -> None:
    info = info_of(make, "a.mp4", PLAIN, f"-c:v libx265 -x265-params log-level=none -pix_fmt yuv420p10le {HDR}")
    assert conversion_warnings(info, written_as="yuv420p10le") == []
    assert conversion_warnings(info, written_as=None) == []
    assert len(conversion_warnings(info, written_as="yuv420p")) == 2
    clear = info_of(make, "a.mov", PLAIN, "-c:v prores_ks -profile:v 4444 -pix_fmt yuva444p10le")
    assert conversion_warnings(clear, written_as=None) == []
    assert [("bits" in sentence) for sentence in conversion_warnings(clear, written_as="yuva444p10le")] == [True] * (
        clear.pixel_format != "yuva444p10le"
    )


def test_turned_and_mirrored_pictures_are_reported(make: Make) -> None:
    flat = make("flat.mp4", PLAIN, "-c:v libx264")
    assert "stored rotated by 90 degrees" in conversion_warnings(info_of(make, "a.mp4", f"-display_rotation 270 -i {flat} -c copy"))[0]
    assert "stored mirrored;" in conversion_warnings(info_of(make, "b.mp4", f"-display_hflip -i {flat} -c copy"))[0]
