"""Fragments of MP4 whose times are wrong: all pictures and all sound, at even times."""

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from services.speed_ramp.render import RenderParams, render
from shared.video import probe_video, read_audio, read_frames
from shared.video.reading.times.even_times import even_times
from shared.worker.progress import Report
from tests.shared.video.video_clips import Make, flash_times, heard, part

EACH = ["empty_moov+default_base_moof", "delay_moov", "empty_moov+negative_cts_offsets", "frag_discont+delay_moov"]
CODING = "-c:v libx264 -bf {} -c:a aac -movflags frag_every_frame+{}"


@pytest.mark.parametrize("flags", EACH)
@pytest.mark.parametrize("rate", ["25", "60", "24000/1001"])
@pytest.mark.parametrize("bframes", [0, 3])
def test_a_fragment_for_each_frame_gives_even_times(flags: str, rate: str, bframes: int, make: Make) -> None:
    source = f"-f lavfi -i testsrc2=s=64x48:r={rate}:d=1.5 -f lavfi -i sine=440:d=1.5:sample_rate=48000"
    plain = make("plain.mp4", source, f"-c:v libx264 -bf {bframes} -c:a aac")
    path = make("a.mp4", source, CODING.format(bframes, flags))
    info = probe_video(path)
    with read_frames(plain) as frames:
        expected = [frame.luma() for frame in frames]
    with read_frames(path) as frames:
        shown = [(frame.time, frame.luma()) for frame in frames]
    assert info.frames == len(shown) == len(expected)
    assert all(np.array_equal(luma, other) for (_, luma), other in zip(shown, expected, strict=True))
    steps = np.diff([float(time) for time, _ in shown])
    assert steps[1:] == pytest.approx([float(1 / Fraction(rate))] * (len(shown) - 2), abs=0.001)
    # Without reordered pictures, the writer moves all but the first, because the sound begins earlier.
    assert steps[0] == pytest.approx(steps[1], abs=0.022 if bframes == 0 else 0.001)
    assert (info.variable_frame_rate, Fraction(info.frame_rate)) == (False, Fraction(rate))
    with read_audio(path) as blocks:
        assert sum(Fraction(block.samples.shape[1], block.sample_rate) for block in blocks) == pytest.approx(1.5, abs=0.04)


@pytest.mark.parametrize("flags", EACH)
def test_picture_and_sound_of_fragments_are_in_step(flags: str, tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    path.write_bytes(part("mp4", CODING.format(2, flags)))
    assert heard(path) == pytest.approx(flash_times(path), abs=0.045)
    for number, speed in enumerate((1, 0.5)):
        output, messages = tmp_path / f"{number}.mp4", []
        progress = Report(lambda update, messages=messages: messages.append(str(update)))
        render(RenderParams(speeds=[speed]), video=path, output=output, progress=progress)
        assert probe_video(output).frames == pytest.approx(50 / speed, abs=2 / speed)
        assert heard(output) == pytest.approx(flash_times(output), abs=0.045 / speed)


def test_only_times_that_repeat_on_an_even_grid_are_made_even() -> None:
    steady = [512 * number for number in range(20)]
    late = [time + 512 * (number in (6, 7, 12)) for number, time in enumerate(steady)]
    even = even_times(late, 1024)
    assert even is not None
    assert [even.decoding_time(number) for number in range(20)] == steady
    assert list(even.display_times(3)) == [1024, 1536, 2048]
    assert even_times(steady, 0) is None
    assert even_times([0, 512, 512, 4096, 4100, 9000, 9300, 9310, 12000], 0) is None


def test_a_first_frame_that_the_sound_lengthens_does_not_vary_the_rate(make: Make) -> None:
    source = "-f lavfi -i testsrc2=s=64x48:r=60:d=2 -f lavfi -i sine=440:d=2:sample_rate=48000"
    info = probe_video(make("a.mp4", source, "-c:v libx264 -bf 0 -c:a aac -movflags frag_keyframe+empty_moov"))
    assert (info.variable_frame_rate, info.frame_rate) == (False, "60/1")
