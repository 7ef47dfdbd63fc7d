"""Timelines checked against their formats' rules, and read by OpenTimelineIO."""

import json
import xml.etree.ElementTree as ET
from fractions import Fraction

import numpy as np
import opentimelineio as otio
import pytest

from services.speed_ramp.curve.clock import Clock
from services.speed_ramp.curve.points import Point
from services.speed_ramp.curve.slow_parts import slow_parts
from services.speed_ramp.handover.ramped_clip import RampedClip
from services.speed_ramp.handover.timelines import as_fcpxml, as_otio
from shared.video import AudioTrackInfo, ColorInfo, VideoInfo
from tests.services.speed_ramp.fcpxml_rules import broken

RATES = [Fraction(25), Fraction(30000, 1001), Fraction(60)]


def ramped_clip(
    rate: Fraction,
    seed: int,
    *,
    name: str = "clip.mov",
    sound: bool = True,
    media_rate: Fraction | None = None,
    timecode: str | None = None,
    points: list[Point] | None = None,
    length_s: float = 11.0,
    whole: bool = False,
) -> RampedClip:
    """Make a RampedClip of a part, with `points` or a random curve.

    `whole`: the part is the whole clip.
    """
    random = np.random.default_rng(seed)
    easings = random.choice(["linear", "smooth", "hold"], 12)
    points = points or [
        Point(float(t), float(speed), str(easing), float(freeze))  # type: ignore[arg-type]
        for t, speed, easing, freeze in zip(
            range(12), np.exp(random.uniform(-2.3, 2.7, 12)), easings, random.choice([0, 0, 0.4], 12), strict=True
        )
    ]
    track = AudioTrackInfo.model_construct(channels=6)
    info = VideoInfo.model_construct(
        width=1920, height=1080, duration_s=length_s, start_timecode=timecode, audio=[track] if sound else [], color=ColorInfo()
    )
    start, end = (0.0, length_s) if whole else (0.5, length_s - 0.5)
    return RampedClip(
        name=name,
        media_url="file:///a%20b.mov",
        info=info,
        points=points,
        start=start,
        end=end,
        rate=rate,
        media_rate=media_rate or rate,
        slow_parts=slow_parts(points, start=start, end=end),
    )


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("seed", range(3))
def test_fcpxml_keeps_the_rules(rate: Fraction, seed: int) -> None:
    clip = ramped_clip(rate, seed, sound=seed != 1)
    document = as_fcpxml(clip)
    assert broken(document) == []
    root = ET.fromstring(document)
    (piece,) = root.iter("asset-clip")
    frame = Fraction(str(root.find("resources/format").get("frameDuration")).removesuffix("s"))  # type: ignore[union-attr]
    assert frame == 1 / rate
    # Everything on the timeline starts and ends on frames, within the clip.
    length = _seconds(piece, "duration")
    for element, names in ((piece, ("offset", "duration")), *((mark, ("start", "duration")) for mark in piece.iter("marker"))):
        assert all(_seconds(element, name) % frame == 0 for name in names)
    for mark in piece.iter("marker"):
        assert _seconds(mark, "start") >= 0
        assert _seconds(mark, "start") + _seconds(mark, "duration") <= length + frame
    times = [_seconds(point, "time") for point in piece.iter("timept")]
    assert times[0] == 0
    assert abs(times[-1] - length) <= frame
    assert _seconds(next(root.iter("asset")), "duration") >= max(_seconds(point, "value") for point in piece.iter("timept"))


def test_names_that_xml_cannot_hold_do_not_break_it() -> None:
    assert broken(as_fcpxml(ramped_clip(RATES[0], 0, name='a & b <"c">\n\x01\u2028.mov'))) == []


def test_the_rules_detect_violations() -> None:
    right = as_fcpxml(ramped_clip(RATES[0], 0))
    for old, new, reason in (
        ('ref="r2"', 'ref="r9"', "names 'r9'"),
        ('interp="linear"', 'interp="line"', "timept interp"),
        ('tcFormat="NDF"', "", ""),  # may be left out
        ('<format id="r1"', '<format id="r2"', "names two"),
        ("<spine>", "<spine><marker/>", "spine may not hold"),
        ('time="0s"', 'time="0"', "timept time"),
    ):
        assert old in right
        violations = broken(right.replace(old, new, 1))
        assert any(reason in violation for violation in violations) if reason else violations == []


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("seed", range(3))
def test_otio_survives_reading_and_writing(rate: Fraction, seed: int) -> None:
    clip = ramped_clip(rate, seed)
    text = as_otio(clip)
    timeline = otio.adapters.read_from_string(text, "otio_json")
    # Except for the last bits of numbers, which the library does not preserve.
    again = otio.adapters.write_to_string(timeline, "otio_json")
    assert _rounded(json.loads(again)) == _rounded(json.loads(text))
    (track,) = timeline.video_tracks()
    clock, at = Clock(clip.points, start=clip.start), 0
    assert track.duration().to_frames() == clip.frames
    for piece in track:
        # What each of its frames shows, in source seconds.
        (effect,) = piece.effects
        first, frames = piece.source_range.start_time.to_seconds(), piece.source_range.duration.to_frames()
        shown = first + np.arange(frames) * float(1 / rate) * effect.time_scalar
        true = clock.source((at + np.arange(frames)) * float(1 / rate))
        assert np.abs(shown - true).max() < 0.5 / rate
        at += frames
    assert [(mark.name, round(mark.marked_range.start_time.to_seconds(), 6)) for mark in track.markers] == [
        ("Freeze" if part.speed == 0 else f"Slow, {part.speed:g}x", round(part.start_s, 6)) for part in clip.slow_parts
    ]


def _rounded(body: object) -> object:
    if isinstance(body, dict):
        return {name: _rounded(value) for name, value in body.items()}
    if isinstance(body, list):
        return [_rounded(value) for value in body]
    return round(body, 9) if isinstance(body, float) else body


def _seconds(element: ET.Element, name: str) -> Fraction:
    return Fraction(element.get(name, "").removesuffix("s"))
