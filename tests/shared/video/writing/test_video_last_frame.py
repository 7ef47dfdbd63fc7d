"""Output length: the durations of all frames, including the last frame's own."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from shared.video import VideoWriter, probe_video, read_frames, remux
from shared.video.reading.times.timeline import timeline

BASE = Fraction(1, 1000)
LONG_LAST = ([0, 33, 67, 100, 300, 310, 320, 330, 340, 900, 933, 967, 1000, 1010, 1300], 400)
LONG_FIRST = ([0, 2000, 4000, 6000, 6033, 6067, 6100, 6133, 6167, 6200], 21)
FILES = {
    "a.mp4": ("libx264", "yuv420p"),
    "a.mov": ("libx264", "yuv420p"),
    "a.mkv": ("libx264", "yuv420p"),
    "hevc.mp4": ("libx265", "yuv420p"),
    "a.webm": ("libvpx-vp9", "yuv420p"),
    "prores.mov": ("prores_ks", "yuv422p10le"),
    "a.webp": ("auto", "yuv420p"),
}


def write(path: Path, times: list[int], last: int, encoder: str, pixel_format: str) -> None:
    with VideoWriter(
        path, width=96, height=64, frame_rate=Fraction(30), time_base=BASE, pixel_format=pixel_format, encoder=encoder
    ) as writer:
        for number, (pts, end) in enumerate(zip(times, [*times[1:], times[-1] + last], strict=True)):
            rgb = np.full((64, 96, 3), number * 12, np.uint8)
            rgb[:, number * 5 : number * 5 + 10] = 255
            writer.write(av.VideoFrame.from_ndarray(rgb, format="rgb24"), pts, duration=end - pts)


def shown(path: Path) -> list[tuple[int, int]]:
    """Return start and duration of each frame, in milliseconds."""
    with read_frames(path) as frames:
        return [(round(frame.time * 1000), round(frame.duration * frame.time_base * 1000)) for frame in frames]


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize(("times", "last"), [LONG_LAST, LONG_FIRST], ids=["long last", "long first"])
def test_an_output_lasts_as_long_as_its_pictures(name: str, times: list[int], last: int, tmp_path: Path) -> None:
    path = tmp_path / name
    if path.suffix == ".webp":  # there, 10 ms stands for 100 ms
        times, last = [2 * pts for pts in times], 2 * last
    write(path, times, last, *FILES[name])
    expected = [(pts, end - pts) for pts, end in zip(times, [*times[1:], times[-1] + last], strict=True)]
    assert shown(path) == expected
    assert probe_video(path).duration_s == pytest.approx((times[-1] + last) / 1000, abs=0.0005)
    if path.suffix in (".mp4", ".mkv"):
        whole = timeline(path)
        assert whole is not None
        assert round(whole.end * 1000) == times[-1] + last
        remux(path, tmp_path / "copy.mp4")
        assert shown(tmp_path / "copy.mp4") == expected
        assert probe_video(tmp_path / "copy.mp4").duration_s == pytest.approx((times[-1] + last) / 1000, abs=0.0005)


def test_a_length_that_leaves_out_the_last_pictures_is_not_believed(tmp_path: Path) -> None:
    # Written as other programs do: the packets' lengths are those of an average picture.
    path, times = tmp_path / "other.mp4", LONG_LAST[0]
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=30, width=96, height=64, time_base=BASE)
        for number, pts in enumerate(times):
            picture = av.VideoFrame.from_ndarray(np.full((64, 96, 3), number * 12, np.uint8), format="rgb24")
            picture.pts, picture.time_base = pts, BASE
            container.mux(stream.encode(picture))
        container.mux(stream.encode(None))
    with av.open(str(path)) as container:
        assert float(container.streams.video[0].duration * container.streams.video[0].time_base) < 1.2
    assert probe_video(path).duration_s == pytest.approx(1.333, abs=0.002)
    assert shown(path)[-2:] == [(1010, 290), (1300, 33)]


def test_the_last_picture_of_a_part_ends_where_the_next_begins(tmp_path: Path) -> None:
    path = tmp_path / "a.mkv"
    write(path, *LONG_LAST, "libx264", "yuv420p")
    with read_frames(path, start=0.3, duration=0.1) as frames:
        assert [(frame.pts, frame.duration) for frame in frames] == [(300, 10), (310, 10), (320, 10), (330, 10), (340, 560)]
