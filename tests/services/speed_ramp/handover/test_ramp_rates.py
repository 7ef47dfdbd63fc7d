"""Frame rates of renders and timelines; timecode, sound and end of exports."""

import xml.etree.ElementTree as ET
import zipfile
from fractions import Fraction
from pathlib import Path

import numpy as np
import opentimelineio as otio
import pytest
from pydantic import ValidationError
from test_ramp_timelines import ramped_clip

from services.speed_ramp.curve.points import Point, to_points
from services.speed_ramp.export import ExportParams, export
from services.speed_ramp.handover import edl
from services.speed_ramp.handover.rates import FRAME_RATE, timeline_rate
from services.speed_ramp.handover.timelines import as_fcpxml, as_otio
from services.speed_ramp.render import RenderParams, render
from shared.video import VideoInfo, probe_video
from shared.video.probing.timecode import Timecode
from tests.services.speed_ramp.fcpxml_rules import broken
from tests.services.speed_ramp.ramp_clips import Recorder, lumas, write_clip


def level(i: int) -> np.ndarray:
    return np.full((48, 64), 16 + i % 220, np.uint8)


@pytest.fixture(scope="module")
def fast(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write one second at 240 fps; dark and bright frames alternate and get brighter."""
    path = tmp_path_factory.mktemp("rates") / "in.mp4"
    return write_clip(path, lambda i: np.full((48, 64), 16 + i // 2 + 100 * (i % 2), np.uint8), frames=240, frame_rate=Fraction(240))


@pytest.mark.parametrize(
    ("value", "text"),
    [("source", "source"), (24, "24"), ("23.976", "24000/1001"), (29.97, "30000/1001"), ("120", "120"), ("50/2", "25"), (12.5, "25/2")],
)
def test_equal_frame_rates_have_one_spelling(value: object, text: str) -> None:
    assert FRAME_RATE(value) == text


@pytest.mark.parametrize("value", ["240", "0", "1/0", "fast", "-24", True, "constant", 0.5])
def test_other_rates_are_refused(value: object) -> None:
    with pytest.raises(ValidationError):
        RenderParams.model_validate({"frame_rate": value})


@pytest.mark.parametrize(
    ("source", "timeline"),
    [
        ("240", "60"),
        ("120", "60"),
        ("100", "50"),
        ("120000/1001", "60000/1001"),
        ("15", "30"),
        ("12", "24"),
        ("25", "25"),
        ("7", "24000/1001"),
    ],
)
def test_timelines_have_rates_of_editing_programs(source: str, timeline: str) -> None:
    assert timeline_rate("source", VideoInfo.model_construct(frame_rate=source)) == Fraction(timeline)


@pytest.mark.parametrize("way", ["nearest", "blend", "flow"])
def test_slow_motion_material_shows_its_own_frames(fast: Path, tmp_path: Path, way: str) -> None:
    params = RenderParams(curve=to_points([Point(0, 1), Point(1, 0.11)]), interpolation=way, frame_rate="24")
    result = render(params, video=fast, output=tmp_path / "out.mp4")
    assert (result.frame_rate, result.interpolated_frames) == ("24/1", 0)
    assert probe_video(tmp_path / "out.mp4").frame_rate == "24/1"
    assert result.duration_s == pytest.approx(np.log(1 / 0.11) / 0.89, abs=0.03)
    # Frames alternate between dark and bright halves of the scale, so a mixture of two would stand out.
    _, means = lumas(tmp_path / "out.mp4")
    nearest = render(params.model_copy(update={"interpolation": "nearest"}), video=fast, output=tmp_path / "nearest.mp4")
    assert len(means) == nearest.frames
    index = np.where(means > 16 + 119.5 + 1, (means - 116) * 2 + 1, (means - 16) * 2)
    assert np.all(np.abs(index - np.rint(index)) < 2)


def test_frames_are_interpolated_where_the_source_has_too_few(fast: Path, tmp_path: Path) -> None:
    params = RenderParams(curve=to_points([Point(0, 0.1, "hold"), Point(0.5, 1)]), interpolation="blend", frame_rate="60", duration=0.6)
    result = render(params, video=fast, output=tmp_path / "out.mp4")
    assert 150 < result.interpolated_frames < 300
    assert result.frames == round(60 * 5.1)


def test_a_chosen_rate_is_not_copied_and_not_warned_about(fast: Path, tmp_path: Path) -> None:
    recorder = Recorder()
    curve = to_points([Point(0, 1)])
    assert render(RenderParams(curve=curve), video=fast, output=tmp_path / "out.mp4").encoder == "copy"
    result = render(RenderParams(curve=curve, frame_rate="30000/1001"), video=fast, output=tmp_path / "out.mp4", progress=recorder)
    assert (result.encoder == "copy", result.frame_rate, result.frames) == (False, "30000/1001", 30)
    assert not any("rate" in warning for warning in recorder.warnings)


def test_exports_of_slow_motion_fit_editing_programs(fast: Path, tmp_path: Path) -> None:
    outputs = {"files": tmp_path / "files.zip", "plot": tmp_path / "plot.png"}
    curve, recorder = to_points([Point(0, 1), Point(1, 0.2)]), Recorder()
    rates = {}
    for rate in ("source", "24", "120"):
        result = export(ExportParams(curve=curve, frame_rate=rate), video=fast, outputs=outputs, progress=recorder)
        rates[rate] = result.frame_rate
        assert ("curve.edl" in result.files) == (rate != "120")
        with zipfile.ZipFile(outputs["files"]) as archive:
            assert archive.namelist() == result.files
            assert broken(archive.read("curve.fcpxml").decode()) == []
    assert rates == {"source": "60/1", "24": "24/1", "120": "120/1"}
    assert len(recorder.warnings) == 2


@pytest.mark.parametrize(("rate", "text"), [(Fraction(25), "09:24:53:14"), (Fraction(30000, 1001), "01:00:00;02"), (Fraction(60), None)])
@pytest.mark.parametrize("timeline", [None, Fraction(24)])
@pytest.mark.parametrize("seed", range(2))
def test_exports_count_from_the_timecode_and_end_inside_the_media(
    rate: Fraction, text: str | None, timeline: Fraction | None, seed: int
) -> None:
    clip = ramped_clip(timeline or rate, seed, media_rate=rate, timecode=text, whole=True)
    first = Timecode.parse(text or "00:00:00:00", rate)
    end = float((first + clip.media_frames).seconds)

    timeline_read = otio.adapters.read_from_string(as_otio(clip), "otio_json")
    assert [track.kind for track in timeline_read.tracks] == ["Video", "Audio"]
    for track in timeline_read.tracks:
        assert track.duration().to_frames() == clip.frames
        for piece in track:
            media = piece.available_range()
            assert (media.start_time.value, media.start_time.rate) == (first.frame, float(rate))
            source = piece.source_range
            played = source.duration.to_seconds() * getattr(piece.effects[0], "time_scalar", 0)
            assert source.start_time.to_seconds() >= float(first.seconds) + clip.start - 1e-6
            assert source.start_time.to_seconds() + played <= end + 1e-6
            if not isinstance(piece.effects[0], otio.schema.FreezeFrame):
                over = 0 if clip.rate >= rate else float(1 / clip.rate)
                assert source.end_time_exclusive().to_seconds() <= end + over + 1e-6

    document = as_fcpxml(clip)
    assert broken(document) == []
    root = ET.fromstring(document)
    (asset,) = root.iter("asset")
    start, length = (Fraction(asset.get(name, "").removesuffix("s")) for name in ("start", "duration"))
    assert start == first.seconds
    values = [Fraction(point.get("value", "").removesuffix("s")) for point in root.iter("timept")]
    assert start <= values[0]
    assert values[-1] <= start + length == (first + clip.media_frames).seconds
    assert asset.get("hasAudio") == "1"

    lines = (edl.as_edl(clip) or "").splitlines()
    events = [line.split() for line in lines if line[:3].isdigit()]
    assert lines[1] == ("FCM: DROP FRAME" if first.drop and not timeline else "FCM: NON-DROP FRAME")
    counted = clip.timeline_timecode
    last = counted + int(clip.media_end * clip.rate + 1e-6)
    at = 0
    for event in events:
        assert event[2] == "AA/V"
        source_in, source_out, record_in, record_out = (Timecode.parse(part, clip.rate).frame for part in event[4:])
        assert counted.frame <= source_in < source_out <= last.frame
        assert record_in == at
        at = record_out
    assert at == clip.frames
    assert len([line for line in lines if line.startswith("M2")]) == len(events)


def test_pieces_are_joined_where_an_edl_has_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(edl, "MAX_EVENTS", 20)
    clip = ramped_clip(Fraction(25), 0)
    assert len(clip.pieces) > 40
    events = [line.split() for line in (edl.as_edl(clip) or "").splitlines() if line[:3].isdigit()]
    assert 10 <= len(events) <= 20
    assert Timecode.parse(events[-1][-1], clip.rate).frame == clip.frames
