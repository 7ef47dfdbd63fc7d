"""Interlaced video in slow motion: one picture per field."""

from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from services.speed_ramp.render import RenderParams, render
from shared.video import probe_video, read_frames
from tests.shared.video.video_clips import Make

# A white bar that moves by two pixels with each field: 50 fields a second in 25 pictures.
BAR = "color=black:s=160x96:r=50:d=1.2,format=yuv420p,geq=lum='if(between(X,10+2*N,25+2*N),235,16)':cb=128:cr=128"
KINDS = {
    "upper.ts": ("interleave_top", "-c:v mpeg2video -flags +ilme+ildct -qscale:v 2"),
    "lower.mov": ("interleave_bottom", "-c:v mpeg2video -flags +ilme+ildct -qscale:v 2"),
    "coarse.mxf": ("interleave_top", "-c:v mpeg2video -flags +ilme+ildct -qscale:v 2"),
    "camera.mp4": ("interleave_top", "-c:v libx264 -flags +ilme+ildct -x264-params tff=1 -crf 10"),
}


def interlaced(make: Make, name: str) -> Path:
    mode, coding = KINDS[name]
    return make(name, ["-f", "lavfi", "-i", f"{BAR},tinterlace={mode},setfield={'bff' if 'bottom' in mode else 'tff'}"], coding)


def places(path: Path, **options: bool) -> tuple[list[Fraction], list[float]]:
    """Return the frame times and the horizontal positions of the bright bar."""
    with read_frames(path, **options) as frames:
        shown = [(frame.time, frame.luma()[20:76].astype(float).mean(axis=0)) for frame in frames]
    return [time for time, _ in shown], [float((np.arange(160) * (row - 16).clip(0)).sum() / (row - 16).clip(0).sum()) for _, row in shown]


@pytest.mark.parametrize("name", KINDS)
def test_fields_have_their_own_times(name: str, make: Make) -> None:
    path = interlaced(make, name)
    assert probe_video(path).interlaced
    times, bars = places(path, fields=True)
    assert len(times) == pytest.approx(60, abs=1)
    steps = [float(after - before) for before, after in pairwise(times)]
    assert steps == pytest.approx([0.02] * len(steps), abs=1e-3)
    assert np.diff(bars)[3:-3].tolist() == pytest.approx([2] * (len(bars) - 7), abs=0.7)
    whole, _ = places(path)
    assert len(whole) == pytest.approx(30, abs=1)
    with read_frames(path, fields=True, start=0.5) as frames:
        assert [frame.time for frame in frames] == [time for time in times if time >= Fraction(1, 2) - Fraction(1, 2000)]


@pytest.mark.parametrize("name", ["upper.ts", "camera.mp4", "coarse.mxf"])
def test_slowed_down_fields_are_shown_one_by_one(name: str, make: Make, tmp_path: Path) -> None:
    path = interlaced(make, name)
    result = render(RenderParams(speeds=[0.5]), video=path, output=tmp_path / "out.mp4")
    assert result.duration_s == pytest.approx(2.4, abs=0.05)
    times, bars = places(tmp_path / "out.mp4")
    assert len(times) == pytest.approx(60, abs=1)
    assert np.diff(bars)[3:-3].tolist() == pytest.approx([2] * (len(bars) - 7), abs=0.7)
    full = render(RenderParams(speeds=[1], start=0.1), video=path, output=tmp_path / "full.mp4")
    assert full.frames == pytest.approx(27, abs=2)
