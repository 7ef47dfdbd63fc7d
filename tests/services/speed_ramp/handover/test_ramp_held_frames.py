"""Freezes in the files for editing programs: each lasts as long as in the rendered clip."""

import re
import xml.etree.ElementTree as ET
from fractions import Fraction
from itertools import pairwise

import opentimelineio as otio
import pytest

from services.speed_ramp.curve.points import Point
from services.speed_ramp.handover.edl import MAX_EVENTS, as_edl, loss_warning
from services.speed_ramp.handover.timelines import as_fcpxml, as_otio
from shared.video.probing.timecode import Timecode
from tests.services.speed_ramp.handover.test_ramp_timelines import RATES, ramped_clip

POINTS = [
    Point(0, 1.0, freeze=0.5),
    Point(3, 0.4, "smooth", 1.2),
    Point(5, 2.0, "hold"),
    Point(7, 1.0, freeze=2.0),
    Point(11, 1.0, freeze=0.7),
]
FREEZES_S = [0.5, 1.2, 2.0, 0.7]


def otio_freezes(text: str) -> list[tuple[int, float]]:
    """Return frames and source second of each freeze on the video track."""
    track = otio.adapters.read_from_string(text, "otio_json").video_tracks()[0]
    clips = [clip for clip in track if isinstance(clip.effects[0], otio.schema.FreezeFrame)]
    return [(clip.source_range.duration.to_frames(), clip.source_range.start_time.to_seconds()) for clip in clips]


def fcpxml_freezes(text: str) -> list[tuple[float, float]]:
    """Return output seconds and source second of each freeze."""
    points = [
        (float(Fraction(point.get("time", "").rstrip("s"))), float(Fraction(point.get("value", "").rstrip("s"))))
        for point in ET.fromstring(text).iter("timept")
    ]
    return [(after[0] - before[0], before[1]) for before, after in pairwise(points) if after[1] == before[1]]


def edl_events(text: str, rate: Fraction) -> list[tuple[int, int, float]]:
    """Return record frames, source frame and M2 speed of each event."""
    events = re.findall(r"^\d+ .* C +(\S+) (\S+) (\S+) (\S+)\nM2 +AX +(\S+)", text, re.MULTILINE)
    read = [[Timecode.parse(time, rate).frame for time in event[:4]] + [float(event[4])] for event in events]
    assert all(source_end > source for source, source_end, *_ in read)
    return [(int(end - begin), int(source), speed) for source, _, begin, end, speed in read]


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("sound", [True, False])
def test_every_file_holds_freezes_at_their_length(rate: Fraction, sound: bool) -> None:
    clip = ramped_clip(rate, 0, points=POINTS, sound=sound, whole=True)
    frames = [round(freeze * rate) for freeze in FREEZES_S]
    in_otio = otio_freezes(as_otio(clip))
    assert [count for count, _ in in_otio] == pytest.approx(frames, abs=1)
    assert [second for _, second in in_otio] == pytest.approx([0, 3, 7, 11], abs=float(2 / rate))  # the last one shows the last whole frame
    in_fcpxml = fcpxml_freezes(as_fcpxml(clip))
    assert [length for length, _ in in_fcpxml] == pytest.approx(FREEZES_S, abs=1e-4)
    assert [second for _, second in in_fcpxml] == pytest.approx([0, 3, 7, float(clip.media_end)], abs=1e-4)
    events = edl_events(as_edl(clip) or "", rate)
    still = [(count, source) for count, source, speed in events if speed == 0]
    assert [count for count, _ in still] == pytest.approx(frames, abs=1)
    assert [source / rate for _, source in still] == pytest.approx([0, 3, 7, 11], abs=float(2 / rate))
    assert sum(count for count, *_ in events) == clip.frames
    assert loss_warning(clip) is None


def test_a_long_list_of_events_keeps_its_freezes_and_says_that_it_is_coarse() -> None:
    points = [Point(float(t), 0.5 + (t % 7) / 3, freeze=0.5 * (t % 5 == 0)) for t in range(2400)]
    clip = ramped_clip(Fraction(25), 0, points=points, length_s=2400.0, whole=True)
    events = edl_events(as_edl(clip) or "", Fraction(25))
    assert len(clip.pieces) > MAX_EVENTS >= len(events)
    assert sum(count for count, *_ in events) == clip.frames
    still = [count for count, _, speed in events if speed == 0]
    assert len(still) == 480
    assert set(still) <= {12, 13}
    assert f"the curve has {len(clip.pieces)} pieces" in (loss_warning(clip) or "")
