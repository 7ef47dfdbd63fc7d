"""Cut lists, read back with OpenTimelineIO and parsers of XML and CSV."""

import csv
import io
import re
import xml.etree.ElementTree as ET
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from urllib.parse import unquote

import opentimelineio as otio
import pytest
from reports import HOSTILE, report_of

from services.keyframes.output.cutlists.frame_grid import FrameGrid
from services.keyframes.output.cutlists.qpfile import qpfile
from services.keyframes.output.exports import lists_of, write_lists
from services.keyframes.output.report import VideoReport
from shared.video.probing.timecode import Timecode

NTSC = Fraction(30000, 1001)
FILM = Fraction(24000, 1001)
EDGES = [0, 40, 41, 1800, 2000]


def events(edl: str) -> list[tuple[str, str, str, str]]:
    """Return each EDL event's timecodes: source in and out, record in and out."""
    return [tuple(line.split()[4:8]) for line in edl.splitlines() if line[:3].isdigit()]  # type: ignore[misc]


def seconds(text: str | None) -> Fraction:
    return Fraction((text or "").removesuffix("s"))


@pytest.mark.parametrize(
    ("rate", "start", "drop"),
    [
        (Fraction(25), None, False),
        (Fraction(25), "10:00:00:00", False),
        (NTSC, "00:59:30;00", True),
        (NTSC, "01:00:00:00", False),
        (FILM, "01:00:00:00", False),
        (Fraction(60000, 1001), "23:59:50;00", True),
        (Fraction(25), "no timecode", False),
    ],
)
def test_all_lists_have_the_same_frames(rate: Fraction, start: str | None, drop: bool) -> None:
    report = report_of(EDGES, rate=rate, kinds=["start", "cut", "dissolve", "fade"], start_timecode=start, audio_channels=2)
    files = dict(lists_of(report))
    first = Timecode.parse(start, rate).frame if start and start[0].isdigit() else 0

    assert VideoReport.model_validate_json(files["report.json"]) == report

    edl = files["shots.edl"]
    assert ("FCM: DROP FRAME" in edl) == drop
    assert ("NON-DROP" in edl) != drop
    read = events(edl)
    assert [event[:2] for event in read] == [event[2:] for event in read]
    expected = [first + edge for edge in EDGES]
    day = otio.opentime.RationalTime
    for (source_in, source_out, *_), (begin, end) in zip(read, pairwise(expected), strict=True):
        assert source_in == str(Timecode(begin, rate, drop))
        assert source_out == str(Timecode(end, rate, drop))
        if begin < 23 * 3600 * round(rate):
            assert round(otio.opentime.from_timecode(source_in, float(rate)).to_frames()) == begin
            assert day(begin, float(rate)).to_timecode(float(rate), drop_frame=drop) == source_in
    assert "* COMMENT: BEGINS WITH A DISSOLVE OF 10 FRAMES" in edl
    assert edl.count("* FROM CLIP NAME: clip.mp4\n") == 4

    timeline = otio.adapters.read_from_string(files["shots.otio"], "otio_json")
    clips = list(timeline.find_clips())
    assert [clip.source_range.start_time.to_frames() for clip in clips] == expected[:-1]
    assert [clip.source_range.duration.to_frames() for clip in clips] == [b - a for a, b in pairwise(EDGES)]
    assert timeline.duration().to_frames() == EDGES[-1]
    assert timeline.global_start_time.to_frames() == first
    assert [clip.range_in_parent().start_time.to_frames() for clip in clips] == EDGES[:-1]
    available = {(clip.available_range().start_time.to_frames(), clip.available_range().duration.to_frames()) for clip in clips}
    assert available == {(first, EDGES[-1])}

    root = ET.fromstring(files["shots.fcpxml"])
    pieces = list(root.iter("asset-clip"))
    assert [seconds(piece.get("start")) * rate for piece in pieces] == expected[:-1]
    assert [seconds(piece.get("offset")) * rate for piece in pieces] == expected[:-1]
    assert [seconds(piece.get("duration")) * rate for piece in pieces] == [b - a for a, b in pairwise(EDGES)]
    (asset,) = root.iter("asset")
    assert seconds(asset.get("start")) * rate == first
    assert asset.get("audioChannels") == "2"
    assert {node.get("tcFormat") for node in [*pieces, *root.iter("sequence")]} == {"DF" if drop else "NDF"}
    for piece, keyframe in zip(pieces, report.keyframes, strict=True):
        (marker,) = piece.iter("marker")
        assert seconds(marker.get("start")) * rate == first + keyframe.frame

    rows = list(csv.DictReader(io.StringIO(files["shots.csv"])))
    assert [int(row["start_frame"]) for row in rows] == EDGES[:-1]
    assert [float(row["start_s"]) for row in rows] == pytest.approx([float(edge / rate) for edge in EDGES[:-1]], abs=1e-6)
    assert [row["start_timecode"] for row in rows] == [event[0] for event in read]
    marks = list(csv.DictReader(io.StringIO(files["keyframes.csv"])))
    assert [int(row["frame"]) for row in marks] == [keyframe.frame for keyframe in report.keyframes]


def test_shots_of_a_variable_rate_are_placed_by_time_and_numbered_by_frame() -> None:
    # Frames now every 20 ms, now every 40 ms; the average is 33 a second, so the timeline has 50.
    times = [0.0]
    for number in range(200):
        times.append(times[-1] + (0.02 if number // 50 % 2 else 0.04))
    report = report_of([0, 50, 75, 150, 151, 200], times=times, rate=Fraction(333, 10), variable_frame_rate=True)
    grid, files = FrameGrid(report), dict(lists_of(report))
    assert grid.rate == 50
    clips = list(otio.adapters.read_from_string(files["shots.otio"], "otio_json").find_clips())
    for clip, shot in zip(clips, report.shots, strict=True):
        assert clip.source_range.start_time.to_seconds() == pytest.approx(shot.start_s, abs=0.0101)
    assert files["shots.qp"].splitlines()[1] == "50 I -1", "numbers of frames as they are in the file"
    assert grid.frames == round(times[-1] * 50)


def test_shots_that_round_to_no_frame_are_left_out() -> None:
    times = [0.0, 0.004, 0.008, 0.012, 1.0, 2.0]
    report = report_of([0, 1, 2, 3, 4, 5], times=times, rate=Fraction(5, 2), variable_frame_rate=True)
    events = FrameGrid(report).events
    assert [(event.start, event.end) for event in events] == [(0, 24), (24, 48)]
    assert sum(clip.source_range.duration.to_frames() for clip in otio.adapters.read_from_string(
        dict(lists_of(report))["shots.otio"], "otio_json").find_clips()) == 48  # fmt: skip


def test_a_long_edl_is_split() -> None:
    report = report_of(list(range(0, 25 * 2501, 25)))
    files = {name: text for name, text in lists_of(report) if name.endswith(".edl")}
    assert list(files) == ["shots.edl", "shots-2.edl", "shots-3.edl"]
    parts = [events(text) for text in files.values()]
    assert [len(part) for part in parts] == [999, 999, 502]
    assert all(a[-1][1] == b[0][0] for a, b in pairwise(parts))


def test_a_hostile_name_stays_a_name(tmp_path: Path) -> None:
    report = report_of([0, 10, 20], name=HOSTILE)
    write_lists(report, tmp_path)
    edl = (tmp_path / "shots.edl").read_text()
    assert len(edl.splitlines()) == 3 + 2 * 3
    assert "\u2028" not in edl
    assert [line for line in edl.splitlines() if line.startswith("* FROM:")] == []
    root = ET.parse(tmp_path / "shots.fcpxml").getroot()
    (media,) = root.iter("media-rep")
    assert unquote(media.get("src") or "") == HOSTILE
    timeline = otio.adapters.read_from_file(str(tmp_path / "shots.otio"))
    assert timeline.name == HOSTILE
    assert VideoReport.model_validate_json((tmp_path / "report.json").read_text()).name == HOSTILE


def test_the_qp_file_sets_a_keyframe_at_each_shot() -> None:
    lines = qpfile(report_of([0, 7, 30, 31, 60])).splitlines()
    # What x264's command line takes: a frame number, a type of which I is an IDR picture, a quantiser or -1.
    assert [re.fullmatch(r"(\d+) I -1", line)[1] for line in lines] == ["0", "7", "30", "31"]  # type: ignore[index]


def test_a_single_shot_makes_valid_lists() -> None:
    files = dict(lists_of(report_of([0, 1])))
    assert events(files["shots.edl"]) == [("00:00:00:00", "00:00:00:01") * 2]
    assert len(list(csv.reader(io.StringIO(files["shots.csv"])))) == 2
