"""Packets of one track, and removal of an incomplete last packet."""

from array import array
from fractions import Fraction
from types import SimpleNamespace

import pytest

from shared.video.reading.times.track_packets import TrackPackets


@pytest.mark.parametrize("part", [0, 1])
def test_dropping_the_last_packet_leaves_no_trace_of_it(part: int) -> None:
    track, shorter = _track(), _track()
    shorter.add(_packet(0), 0)
    shorter.add(_packet(2), 0)
    track.add(_packet(0), 0)
    track.add(_packet(2), 0)
    track.add(_packet(4), part)
    track.drop_last()
    assert (track.pts, track.keys, track.count, track.stamps) == (shorter.pts, shorter.keys, 2, shorter.stamps)
    assert track.clock.parts == shorter.clock.parts
    assert track.clock.end(track.base) == 4


def test_dropping_a_packet_without_a_time_keeps_the_clock() -> None:
    track = _track()
    track.add(_packet(0), 0)
    track.skip(_packet(2))
    assert track.clock.end(track.base) == 4
    track.drop_last()
    assert (len(track.pts), track.count, track.stamps, track.clock.end(track.base)) == (1, 1, array("q", [0]), 2)


def _track() -> TrackPackets:
    return TrackPackets(Fraction(1), "video", stamps=array("q"))


def _packet(time: int) -> SimpleNamespace:
    return SimpleNamespace(pts=time, dts=time, duration=2, size=9, is_keyframe=time == 0)
