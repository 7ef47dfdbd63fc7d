"""Files whose packets state no times, or only some: count and length are those of the pictures that are read."""

from itertools import pairwise
from pathlib import Path

import pytest

from services.effects.motion_trails import MotionTrailsParams, motion_trails
from services.media.strip import StripParams, strip
from services.speed_ramp.render import RenderParams, render
from shared.video import probe, probe_video, read_frames
from shared.video.reading.decoding import decoder
from tests.shared.video.video_clips import Make

PICTURES = "-f lavfi -i testsrc2=s=64x48:r=25:d=2.04"
SOUND = "-f lavfi -i sine=440:d=2.04"
H264 = "-c:v libx264 -g 25 -pix_fmt yuv420p"


def times_read(path: Path) -> list[float]:
    with read_frames(path) as frames:
        return [float(frame.time) for frame in frames]


@pytest.mark.parametrize("coding", ["-crf 48 -bf 2", "-crf 30 -bf 2", "-crf 30 -bf 0", "-crf 30 -bf 2 -r 30000/1001"])
@pytest.mark.parametrize("sound", ["", SOUND])
def test_pictures_that_share_a_packet_of_the_container_are_counted(coding: str, sound: str, make: Make) -> None:
    # Only the first picture that begins in a packet of MPEG program streams has a time.
    path = make("shared.mpg", PICTURES, sound, f"{H264} {coding} -f mpeg")
    info, times = probe_video(path), times_read(path)
    step = float(1 / info.rate)
    assert info.frames == len(times)
    assert info.duration_s == pytest.approx(times[-1] + step, abs=0.1 * step)
    assert (info.variable_frame_rate, info.warnings) == (False, ())
    assert [after - before for before, after in pairwise(times)] == pytest.approx([step] * (len(times) - 1), abs=0.001)


@pytest.mark.parametrize("rate", [24, 25, 50])
@pytest.mark.parametrize("coding", ["-bf 0", "-bf 2", "-bf 3", "-bf 3 -x264-params b-adapt=0"])
@pytest.mark.parametrize("sound", ["", SOUND])
def test_reordered_pictures_that_share_packets_are_counted_to_the_last(rate: int, coding: str, sound: str, make: Make) -> None:
    # The picture that is shown last may be decoded several packets before the last one.
    path = make("reordered.mpg", f"-f lavfi -i testsrc2=s=160x120:r={rate}:d=2", sound, f"-c:v libx264 {coding} -f mpeg")
    info, times = probe_video(path), times_read(path)
    assert (info.frames, len(times)) == (2 * rate, 2 * rate)
    assert times == pytest.approx([times[0] + number / rate for number in range(2 * rate)], abs=0.001)
    assert info.duration_s == pytest.approx(times[0] + 2, abs=0.001)


def untimed(path: Path) -> Path:
    """Remove the times of all pictures from an MPEG-TS file; return the path of the new file."""
    data = bytearray(path.read_bytes())
    for packet in range(0, len(data), 188):
        begin = packet + 4 + (1 + data[packet + 4] if data[packet + 3] & 0x20 else 0)
        if data[packet + 1] & 0x40 and data[begin : begin + 4] == b"\0\0\1\xe0":
            data[begin + 7] &= 0x3F
            data[begin + 9 : begin + 9 + data[begin + 8]] = b"\xff" * data[begin + 8]
    changed = path.with_name(f"untimed-{path.name}")
    changed.write_bytes(data)
    return changed


@pytest.mark.parametrize("sound", ["", SOUND])
def test_operations_read_a_file_without_times_to_its_end(sound: str, make: Make, tmp_path: Path) -> None:
    path = untimed(make("a.ts", PICTURES, sound, f"{H264} -bf 2"))
    record = probe(path)
    assert (record.duration_s, record.frames) == (None, 51)  # type: ignore[union-attr]
    info = probe_video(path)
    assert (info.duration_s, info.frames, len(times_read(path))) == (pytest.approx(2.04), 51, 51)
    ramped = render(RenderParams(speeds=[0.5], segment_duration=10), video=path, output=tmp_path / "ramped.mp4")
    assert ramped.duration_s == pytest.approx(4.08, abs=0.05)
    trails = motion_trails(MotionTrailsParams(start=1), video=path, matte=None, output=tmp_path / "trails.mp4")
    assert (trails.frames, trails.duration_s) == (26, pytest.approx(1.04, abs=0.001))
    tiles = strip(StripParams(tiles=3), video=path, outputs={"strip": tmp_path / "s.jpg", "times": tmp_path / "t.json"})
    assert tiles.times_s == pytest.approx([0, 0.68, 1.36], abs=0.05)


@pytest.mark.parametrize("hole", [0.3, 0.41, 0.5, 0.62])
def test_a_stream_with_holes_gives_the_same_frames_with_any_number_of_threads(
    hole: float, make: Make, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    data = make("a.ts", "-f lavfi -i testsrc2=s=160x120:r=25:d=4", f"{H264} -bf 2").read_bytes()
    begin = int(len(data) * hole) // 188 * 188
    path = tmp_path / "hole.ts"
    path.write_bytes(data[:begin] + data[begin + 3 * 188 :])
    runs = set()
    for threads in (1, 2, 3, 8):
        monkeypatch.setattr(decoder, "THREADS", threads)
        for _ in range(2):
            lumas, error = [], ""
            try:
                with read_frames(path) as frames:
                    lumas = [(float(frame.time), float(frame.luma().mean())) for frame in frames]
            except Exception as broken:
                error = str(broken)
            runs.add((tuple(lumas), error))
    assert len(runs) == 1
