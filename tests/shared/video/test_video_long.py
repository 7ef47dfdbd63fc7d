"""Long films in constant memory, and real clips from a given folder."""

import os
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from shared.video import VideoWriter, probe, read_audio, read_frames, remux
from tests.shared.video.video_clips import Make, run_ffmpeg

MEASURE = """
import sys
from pathlib import Path
from shared.video import VideoWriter, probe, read_audio, read_frames
source, output = sys.argv[1:3]
info = probe(source)
with read_frames(source) as frames, read_audio(source) as sound:
    first = next(frames)
    with VideoWriter(output, width=info.width, height=info.height, frame_rate=info.rate, time_base=first.time_base) as writer:
        writer.copy_audio(source)
        track = writer.add_audio(info.audio[0].sample_rate, info.audio[0].layout)
        writer.write(first.picture, first.pts)
        for frame in frames:
            writer.write(frame.planes(), frame.pts)
            block = next(sound, None)
            if block is not None:
                track.write(block.samples)
        for block in sound:
            track.write(block.samples)
print(next(line.split()[1] for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM")))
"""


def peak_bytes(source: Path, output: Path) -> int:
    root = str(Path(__file__).resolve().parents[3])
    child = subprocess.run([sys.executable, "-c", MEASURE, str(source), str(output)], check=True, capture_output=True, text=True, cwd=root)
    return int(child.stdout) * 1024


@pytest.mark.slow
def test_memory_does_not_grow_with_length(make: Make, tmp_path: Path) -> None:
    coding = "-c:v libx264 -preset ultrafast -c:a aac"
    peaks = []
    for seconds in (10, 160):
        source = make(f"{seconds}.mp4", f"-f lavfi -i testsrc2=s=320x240:r=30:d={seconds} -f lavfi -i sine=d={seconds} {coding}")
        peaks.append(peak_bytes(source, tmp_path / "out.mp4"))
    assert peaks[1] - peaks[0] < 24 * 2**20


@pytest.mark.slow
def test_a_film_of_four_hours_is_read_near_its_end(make: Make, tmp_path: Path) -> None:
    rate = Fraction(24000, 1001)
    minute = make("minute.mp4", f"-f lavfi -i testsrc2=s=64x36:r={rate}:d=60 -f lavfi -i sine=d=60 -c:v libx264 -preset ultrafast -c:a aac")
    path = tmp_path / "film.mp4"
    run_ffmpeg("-stream_loop", "239", "-i", str(minute), "-c", "copy", str(path))
    info = probe(path)
    assert info.kind == "video"
    assert abs(info.duration_s - 4 * 3600) < 15
    assert info.frames > 345_000
    with read_frames(path, start=4 * 3600 - 30, duration=5) as frames:
        times = [frame.time for frame in frames]
    assert 118 <= len(times) <= 121
    assert abs(times[0] - (4 * 3600 - 30)) < Fraction(1, 20)
    with read_audio(path, start=4 * 3600 - 30, duration=1) as blocks:
        assert next(blocks).start - (4 * 3600 - 30) < Fraction(1, 44100)


CLIPS = sorted(Path(os.environ["REELWRIGHT_CLIPS"]).glob("**/*.mp4")) if os.environ.get("REELWRIGHT_CLIPS") else []


@pytest.mark.slow
@pytest.mark.parametrize("path", CLIPS, ids=lambda path: path.name)
def test_real_clips_are_read_and_written_completely(path: Path, tmp_path: Path) -> None:
    info = probe(path)
    assert info.kind == "video"
    count = 0
    previous = Fraction(-1)
    with (
        read_frames(path) as frames,
        VideoWriter(
            tmp_path / "out.mp4", width=info.width, height=info.height, frame_rate=info.rate, time_base=Fraction(1, 90000)
        ) as writer,
    ):
        writer.copy_audio(path)
        for frame in frames:
            assert frame.time > previous
            assert (frame.width, frame.height) == (info.width, info.height)
            previous = frame.time
            writer.write(frame.picture, round(frame.time * 90000))
            count += 1
    written = probe(tmp_path / "out.mp4")
    assert written.kind == "video"
    assert written.frames == count
    assert abs(count - info.frames) <= 1
    assert len(written.audio) == len(info.audio)
    with read_frames(path, duration=0.5) as source, read_frames(tmp_path / "out.mp4", duration=0.5) as other:
        for before, after in zip(source, other, strict=False):
            assert np.abs(before.small_luma(64, 36).astype(int) - after.small_luma(64, 36)).mean() < 4
    remux(path, tmp_path / "copy.mp4")
    assert len(list(read_frames(tmp_path / "copy.mp4"))) == count
