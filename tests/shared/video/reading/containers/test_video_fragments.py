"""MP4 fragments with wrong times: all pictures and all sound are read, at even times."""

from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from services.speed_ramp.render import RenderParams, render
from shared.video import probe_video, read_audio, read_frames
from shared.video.limits import Limits
from shared.video.reading.audio import AudioBlock
from shared.video.reading.open_input import open_input
from shared.video.reading.times.clock import clock_of
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
    # A default duration of 0.
    assert even_times([0] * 12, 0) is None
    assert even_times([0] * 11 + [1], 0) is None


@pytest.mark.parametrize("sound", ["aac", "libopus"])
def test_a_part_of_such_fragments_is_that_of_the_whole(sound: str, make: Make) -> None:
    # Pitch and brightness tell each time from others.
    source = "-f lavfi -i testsrc2=s=64x48:r=25:d=2 -f lavfi -i aevalsrc='sin(400*t*t)':d=2:s=48000"
    path = make("a.mp4", source, f"-c:v libx264 -c:a {sound} -movflags frag_every_frame+empty_moov")
    with read_audio(path) as blocks:
        heard_whole = samples_at(blocks)
    with read_audio(path, start=1, duration=0.5) as blocks:
        heard_part = samples_at(blocks)
    assert sorted(heard_part) == list(range(48_000, 72_000))
    assert all(heard_whole[at] == pytest.approx(value, abs=0.001) for at, value in list(heard_part.items())[::97])
    with read_frames(path) as frames:
        shown_whole = {frame.time: frame.luma() for frame in frames}
    with read_frames(path, start=1) as frames:
        shown_part = {frame.time: frame.luma() for frame in frames}
    assert list(shown_part) == [time for time in shown_whole if time >= 1]
    assert shown_part
    assert all(np.array_equal(luma, shown_whole[time]) for time, luma in shown_part.items())


def samples_at(blocks: Iterable[AudioBlock]) -> dict[int, float]:
    """Return the first channel's samples by their number on the timeline."""
    return {round(block.start * 48_000) + number: float(value) for block in blocks for number, value in enumerate(block.samples[0])}


def test_even_times_are_not_counted_after_a_seek(make: Make) -> None:
    source = "-f lavfi -i testsrc2=s=64x48:r=25:d=3 -f lavfi -i sine=440:d=3:sample_rate=48000"
    path = make("a.mp4", source, "-c:v libx264 -c:a aac -movflags frag_every_frame+empty_moov")
    limits = Limits.current()
    with open_input(path, limits=limits) as container:
        sound = container.streams.audio[0]
        clock = clock_of(container, path, limits)
        container.seek(96_000, stream=sound)
        with pytest.raises(RuntimeError, match="from the start"):
            next(clock.packets(container.demux(sound)))


def test_a_first_frame_that_the_sound_lengthens_does_not_vary_the_rate(make: Make) -> None:
    source = "-f lavfi -i testsrc2=s=64x48:r=60:d=2 -f lavfi -i sine=440:d=2:sample_rate=48000"
    info = probe_video(make("a.mp4", source, "-c:v libx264 -bf 0 -c:a aac -movflags frag_keyframe+empty_moov"))
    assert (info.variable_frame_rate, info.frame_rate) == (False, "60/1")
