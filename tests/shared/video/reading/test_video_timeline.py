"""Timelines: frame times without decoding, and reads that skip frames."""

from fractions import Fraction

import av
import numpy as np
import pytest

from shared.video import VideoWriter, read_frames, timeline
from shared.video.frames.planes import picture_from
from shared.video.reading.decoding.packet_sizes import PacketSizes

WIDTH, HEIGHT = 320, 180


@pytest.fixture(scope="module")
def cut_clip(tmp_path_factory):
    """Write two grainy still scenes, with a cut at frame 45 and uneven times."""
    path, random = tmp_path_factory.mktemp("cut") / "cut.mp4", np.random.default_rng(5)
    scenes = [random.integers(30, 220, (HEIGHT // 20, WIDTH // 20), dtype=np.uint8).repeat(20, axis=0).repeat(20, axis=1) for _ in range(2)]
    chroma = np.full((HEIGHT // 2, WIDTH // 2), 128, np.uint8)
    ticks = np.cumsum(random.choice([20, 40, 60], 100)) - 20
    with VideoWriter(path, width=WIDTH, height=HEIGHT, frame_rate=Fraction(25), time_base=Fraction(1, 1000), encoder="libx264") as writer:
        for index, pts in enumerate(ticks.tolist()):
            luma = scenes[index >= 45] + random.integers(0, 6, (HEIGHT, WIDTH), dtype=np.uint8)
            writer.write(picture_from((luma, chroma, chroma), WIDTH, HEIGHT, "yuv420p"), pts)
    return path


def test_a_timeline_has_the_times_of_all_frames(cut_clip):
    line = timeline(cut_clip)
    with read_frames(cut_clip) as frames:
        read = [(frame.pts, frame.time_base, frame.time + frame.duration * frame.time_base) for frame in frames]
    assert line.pts.tolist() == [pts for pts, _, _ in read]
    assert line.time_base == read[0][1]
    assert line.end == read[-1][2]


def test_a_timeline_has_the_size_and_kind_of_each_frames_packet(cut_clip):
    line = timeline(cut_clip)
    with av.open(str(cut_clip)) as file:
        packets = [packet for packet in file.demux(video=0) if packet.size]
    shown = sorted(range(len(packets)), key=lambda place: packets[place].pts)
    assert line.size.tolist() == [packets[place].size for place in shown]
    assert line.key.tolist() == [packets[place].is_keyframe for place in shown]
    # A frame leads if all packets before it are shown earlier.
    leads = [all(packets[place].pts > earlier.pts for earlier in packets[:place]) for place in shown]
    assert line.leads.tolist() == leads
    assert not all(leads)


def test_rough_reading_leaves_frames_out_but_none_at_a_cut(cut_clip):
    line = timeline(cut_clip)
    with read_frames(cut_clip, skip="rough") as frames:
        read = [frame.pts for frame in frames]
    places = np.searchsorted(line.pts, read)
    assert line.pts[places].tolist() == read
    assert len(read) < 100
    assert {44, 45} <= set(places.tolist())


def test_packet_sizes_are_compared_within_their_kind():
    sizes = PacketSizes()
    assert sizes.unusual(0, 9000, True)
    assert [sizes.unusual(pts, 1000, False) for pts in (3, 6, 9)] == [False, False, False]
    assert [sizes.unusual(pts, 100, False) for pts in (7, 8)] == [False, False]
    assert sizes.unusual(12, 2500, False)
    assert sizes.unusual(10, 50, False)
    assert not sizes.unusual(15, 1100, False)
