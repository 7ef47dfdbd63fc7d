"""`speed-ramp.export`: files for editing programs, read back and compared with the Clock."""

import csv
import io
import json
import xml.etree.ElementTree as ET
import zipfile
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import numpy as np
import opentimelineio as otio
import pytest
from PIL import Image

from services.speed_ramp.curve.clock import Clock
from services.speed_ramp.curve.points import CurvePoint, Point, from_points, to_points
from services.speed_ramp.curve.slow_parts import slow_parts
from services.speed_ramp.curve.straight_pieces import time_map
from services.speed_ramp.export import ExportParams, ExportResult, export
from services.speed_ramp.render import RenderParams, render
from tests.services.speed_ramp.motion.test_ramp_motion import texture
from tests.services.speed_ramp.ramp_clips import beep, write_clip

RATE = Fraction(30000, 1001)
CURVE = [Point(0, 1.0, "smooth"), Point(1.5, 0.3, "hold", 0.8), Point(2.5, 4.0), Point(3.5, 1.0, "linear", 0.5), Point(6, 2.0)]


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write a clip of 5 s that pans for the first 3 s."""
    path, picture = tmp_path_factory.mktemp("export") / "a clip.mp4", texture(1, height=48, width=600)
    places = np.minimum(np.arange(150), 90) * 5
    return write_clip(path, lambda i: picture[:, places[i] : places[i] + 64], frames=150, frame_rate=RATE, tracks=(("stereo", beep),))


def run(video: Path, folder: Path, **params: object) -> tuple[ExportResult, dict[str, str], Image.Image]:
    outputs = {"files": folder / "files.zip", "plot": folder / "plot.png"}
    result = export(ExportParams.model_validate(params), video=video, outputs=outputs)
    with zipfile.ZipFile(outputs["files"]) as archive:
        files = {name: archive.read(name).decode() for name in archive.namelist()}
    with Image.open(outputs["plot"]) as drawn:
        return result, files, drawn.copy()


def seconds(text: str) -> Fraction:
    return Fraction(text.removesuffix("s"))


@pytest.mark.parametrize(("start", "duration"), [(0.0, None), (1.0, 3.1)])
def test_every_file_says_what_render_does(video: Path, tmp_path: Path, start: float, duration: float | None) -> None:
    options = {"curve": [point.model_dump() for point in to_points(CURVE)], "start": start, "duration": duration}
    result, files, _ = run(video, tmp_path, **options)
    rendered = render(RenderParams.model_validate(options), video=video, output=tmp_path / "out.mp4")
    assert result.files == list(files) == ["curve.csv", "curve.json", "curve.otio", "curve.fcpxml", "curve.edl"]
    assert result.ramped_duration_s == pytest.approx(rendered.duration_s, abs=0.6 / RATE)
    clock = Clock(from_points(result.curve), start=start)

    rows = list(csv.DictReader(io.StringIO(files["curve.csv"])))
    assert [float(row["source_s"]) for row in rows] == pytest.approx([point.t for point in result.curve], abs=1e-6)
    assert [float(row["output_s"]) for row in rows] == pytest.approx(clock.out([point.t for point in result.curve]), abs=1e-5)

    body = json.loads(files["curve.json"])
    assert [CurvePoint(**point) for point in body["curve"]] == result.curve
    out, source = np.array([(pair["output_s"], pair["source_s"]) for pair in body["time_map"]]).T
    moments = np.linspace(0, result.ramped_duration_s, 5000)
    assert np.abs(np.interp(moments, out, source) - clock.source(moments)).max() < 0.0015

    timeline = otio.adapters.read_from_string(files["curve.otio"], "otio_json")
    clips = list(timeline.video_tracks()[0])
    assert timeline.duration().to_frames() == rendered.frames == sum(clip.source_range.duration.to_frames() for clip in clips)
    at = 0.0
    for clip in clips:
        assert clip.source_range.start_time.to_seconds() == pytest.approx(float(clock.source(at)), abs=float(1 / RATE))
        at += clip.source_range.duration.to_seconds()
    assert sum(isinstance(clip.effects[0], otio.schema.FreezeFrame) for clip in clips) >= 2
    assert clips[0].media_reference.target_url == "a%20clip.mp4"

    root = ET.fromstring(files["curve.fcpxml"])
    points = [(seconds(point.get("time", "")), seconds(point.get("value", ""))) for point in root.iter("timept")]
    assert all(b[0] > a[0] and b[1] >= a[1] for a, b in pairwise(points))
    fine = np.array([(float(a), float(b)) for a, b in points]).T
    assert np.abs(np.interp(moments, *fine) - clock.source(moments)).max() < 0.3 / RATE
    (clip,) = root.iter("asset-clip")
    assert seconds(clip.get("duration", "")) == rendered.frames / RATE
    assert [seconds(mark.get("start", "")) * RATE % 1 for mark in clip.iter("marker")] == [0] * len(result.slow_parts)


def test_slow_parts_are_found_and_marked(video: Path, tmp_path: Path) -> None:
    result, files, _ = run(video, tmp_path, curve=[point.model_dump() for point in to_points(CURVE)])
    slow, freeze, held, late = result.slow_parts
    clock = Clock(CURVE)
    assert (slow.speed, freeze.speed, held.speed, late.speed) == (pytest.approx(0.3, abs=0.01), 0, 0.3, 0)
    assert (freeze.start_s, freeze.end_s) == (pytest.approx(float(clock.out(1.5))), pytest.approx(float(clock.left(1.5))))
    assert held.end_s == pytest.approx(float(clock.out(2.5)))
    marks = [mark.get("value") for mark in ET.fromstring(files["curve.fcpxml"]).iter("marker")]
    assert marks[1:] == ["Freeze", "Slow, 0.3x", "Freeze"]
    timeline = otio.adapters.read_from_string(files["curve.otio"], "otio_json")
    assert [marker.name for marker in timeline.tracks[0].markers] == marks


def test_an_analysed_curve_is_drawn_with_its_motion(video: Path, tmp_path: Path) -> None:
    result, files, drawn = run(video, tmp_path, media_url="file:///Volumes/Cut%202/clip.mov", mode="speed_action")
    assert drawn.size == (1600, 800)
    assert drawn.mode == "RGB"
    pixels = np.asarray(drawn).reshape(-1, 3).astype(int)
    for color in ((214, 84, 39), (190, 208, 226)):
        assert (np.abs(pixels - color).max(axis=1) < 12).sum() > 300, color
    assert 'src="file:///Volumes/Cut%202/clip.mov"' in files["curve.fcpxml"]
    assert 'name="clip.mov"' in files["curve.fcpxml"]
    assert result.curve[-1].t == pytest.approx(float(150 / RATE))
    again = tmp_path / "again"
    again.mkdir()
    assert run(video, again, media_url="file:///Volumes/Cut%202/clip.mov", mode="speed_action")[1] == files


@pytest.mark.parametrize("seed", range(4))
def test_straight_pieces_keep_their_tolerance(seed: int) -> None:
    rng = np.random.default_rng(seed)
    points = [Point(float(t), float(s), str(e), float(f)) for t, s, e, f in zip(  # type: ignore[arg-type]
        range(8), np.exp(rng.uniform(-2, 2, 8)), rng.choice(["linear", "smooth", "hold"], 8), rng.choice([0, 0.3], 8), strict=True
    )]  # fmt: skip
    clock = Clock(points, start=0.7)
    out, source = np.array(time_map(points, start=0.7, end=6.5, tolerance_s=0.004)).T
    assert out[0] == 0
    assert source[0] == 0.7
    assert source[-1] == 6.5
    assert np.all(np.diff(out) > 0)
    moments = np.linspace(0, out[-1], 20_001)
    assert np.abs(np.interp(moments, out, source) - clock.source(moments)).max() < 0.006
    assert len(out) < 400
    parts = slow_parts(points, start=0.7, end=6.5)
    assert all(a.end_s <= b.start_s for a, b in pairwise(parts))
    assert all(part.speed < 0.9 for part in parts)
