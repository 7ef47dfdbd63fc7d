"""Frame rates: exact if constant, else the nearest standard rate."""

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from services.media.transcode import TranscodeParams, transcode
from services.speed_ramp.render import RenderParams, render
from shared.video import VideoWriter, probe_video, read_frames
from shared.video.probing.frame_rates import frame_rates, standard_rate
from tests.shared.video.video_clips import Make, run_ffmpeg

TS, MILLISECONDS, HUNDREDTHS = Fraction(1, 90000), Fraction(1, 1000), Fraction(1, 100)


def every(rate: str, count: int, base: Fraction) -> list[int]:
    return [round(number / (Fraction(rate) * base)) for number in range(count)]


@pytest.mark.parametrize("base", [TS, MILLISECONDS, Fraction(1, 15360), Fraction(1, 1_000_000)])
@pytest.mark.parametrize("rate", ["24000/1001", "24", "25", "30000/1001", "30", "50", "60000/1001", "60", "120", "240", "15", "25/2"])
def test_even_times_give_the_exact_rate(rate: str, base: Fraction) -> None:
    rates = frame_rates(every(rate, 300, base), base, None)
    assert (rates.average, rates.constant, rates.varies) == (Fraction(rate), Fraction(rate), False)


@pytest.mark.parametrize(("rate", "ticks"), [("24", 60), ("24", 90), ("25", 90), ("24", 50), ("24", 30), ("30", 50)])
@pytest.mark.parametrize("stated", [None, "ticks"])
def test_times_rounded_to_coarse_ticks_give_the_exact_rate(rate: str, ticks: int, stated: str | None) -> None:
    rates = frame_rates(every(rate, 240, Fraction(1, ticks)), Fraction(1, ticks), Fraction(ticks) if stated else None)
    assert (rates.average, rates.constant, rates.varies) == (Fraction(rate), Fraction(rate), False)


@pytest.mark.parametrize("steps", [[1] * 150 + [2] * 150, [3] * 60 + [1] * 120])
def test_steps_of_several_coarse_ticks_vary(steps: list[int]) -> None:
    times = [0, *np.cumsum(steps).tolist()]
    rates = frame_rates(times, Fraction(1, 30), None)
    assert (rates.average, rates.varies) == (Fraction(30 * len(steps), sum(steps)), True)


@pytest.mark.parametrize("counting", [False, True])
def test_a_stated_millisecond_is_no_rate(counting: bool) -> None:
    # Some writers state the tick of their clock as the length of a frame.
    rates = frame_rates(every("24", 240, MILLISECONDS), MILLISECONDS, Fraction(1000), counting=counting)
    assert (rates.average, rates.constant, rates.varies) == (24, 24, False)


def test_coarse_ticks_of_mp4_round_times(make: Make) -> None:
    info = probe_video(make("a.mp4", "-f lavfi -i testsrc2=s=64x48:r=24:d=4", "-c:v libx264 -video_track_timescale 60"))
    assert (info.frame_rate, info.constant_rate, info.variable_frame_rate) == ("24/1", "24/1", False)


@pytest.mark.parametrize("rate", ["10", "12", "25/2", "15", "20", "24", "25", "30", "50"])
def test_times_in_hundredths_of_a_second_give_the_exact_rate(rate: str) -> None:
    rates = frame_rates(every(rate, 40, HUNDREDTHS), HUNDREDTHS, Fraction(50, 3))
    assert (rates.average, rates.varies) == (Fraction(rate), False)


@pytest.mark.parametrize("base", [TS, MILLISECONDS, Fraction(1, 15360)])
@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        # Bursts of motion between standing pictures, as screens are recorded.
        ([1 / 60] * 40 + [0.5] * 4, "60"),
        ([1 / 60, 2 / 60, 1 / 60, 5 / 60], "60"),
        ([1 / 30] * 10 + [1.0] * 8, "30"),
        ([1 / 25] * 10 + [0.4] * 3, "25"),
        ([1001 / 30000] * 20 + [0.2], "30000/1001"),
        ([1 / 120] * 12 + [1 / 60] * 10, "120"),
        # Dropped pictures.
        ([1 / 30] * 9 + [2 / 30], "30"),
        ([1001 / 24000] * 11 + [2002 / 24000], "24000/1001"),
        # A film in 30 pictures a second whose repeats were dropped: even enough for its mean.
        ([1 / 30, 1 / 30, 1 / 30, 2 / 30], "30"),
        ([0.033, 0.05], "24"),
        # A single short step does not count.
        ([1 / 25] * 60 + [1 / 100], "25"),
        # Slides.
        ([1.0, 3.0, 2.0], "30"),
    ],
)
def test_a_varying_rate_gives_that_of_its_commonest_short_step(steps: list[float], expected: str, base: Fraction) -> None:
    times = np.rint(np.cumsum([0.0, *steps * 6]) / float(base)).astype(int).tolist()
    rates = frame_rates(times, base, None)
    assert (rates.varies, rates.constant) == (True, Fraction(expected))


@pytest.mark.parametrize(
    ("base", "rates"),
    [
        (MILLISECONDS, "24000/1001 24 25 30000/1001 30 48 50 60000/1001 60 120"),
        (Fraction(1, 15360), "24000/1001 24 25 30000/1001 30 48 50 60000/1001 60 120"),
        (Fraction(1, 600), "24000/1001 24 25 30000/1001 30 48 50 60000/1001 60 120"),
        (HUNDREDTHS, "24 25 30 48 50"),
    ],
)
@pytest.mark.parametrize("steps", [(1, 2), (1, 3, 1, 1, 2), (1, 4, 2)])
def test_coarse_ticks_and_mixed_steps_give_the_exact_rate(base: Fraction, rates: str, steps: tuple[int, ...]) -> None:
    for rate in map(Fraction, rates.split()):
        # A second of each step in turn, six seconds in all.
        places = [place for place in range(round(6 * rate)) if place % steps[int(place / rate) % len(steps)] == 0]
        measured = frame_rates([round(place / rate / base) for place in places], base, None)
        assert (measured.constant, measured.varies) == (rate, True)


def test_scattered_times_give_their_mean() -> None:
    steps = np.random.default_rng(5).normal(3000, 200, 400).astype(int)
    rates = frame_rates(np.cumsum(steps).tolist(), TS, None)
    assert (rates.varies, rates.constant) == (True, Fraction(30))


@pytest.mark.parametrize("base", [TS, MILLISECONDS])
@pytest.mark.parametrize(("rate", "scatter_ms"), [(24, 8), (25, 1), (30, 3), (30, 8), (50, 1), (50, 4), (60, 1), (60, 4), (120, 1)])
@pytest.mark.parametrize("pause_s", [0, 1.5])
def test_times_that_scatter_around_even_ones_give_their_rate(rate: int, scatter_ms: float, base: Fraction, pause_s: float) -> None:
    # Recorders of browsers, screens and phones write the moment at which a picture arrives.
    seconds = np.arange(200) / rate + np.random.default_rng(3).normal(0, scatter_ms / 1000, 200)
    seconds[80:] += pause_s
    rates = frame_rates(np.unique(np.rint((seconds - seconds.min()) / float(base)).astype(int)).tolist(), base, None)
    assert rates.varies
    assert float(rates.constant) == pytest.approx(rate, rel=0.0012)  # the rate, or that of NTSC beside it


@pytest.mark.parametrize("suffix", ["mkv", "mp4"])
def test_scattered_pictures_are_all_shown_at_their_constant_rate(suffix: str, tmp_path: Path) -> None:
    moments = [0, *(number * 100 // 3 + (-9, 4, 11, -5, 0, 9)[number % 6] for number in range(1, 60))]
    with VideoWriter(tmp_path / f"a.{suffix}", width=64, height=48, frame_rate=Fraction(30), time_base=MILLISECONDS) as writer:
        for number, moment in enumerate(moments):
            writer.write((np.full((48, 64), 20 + 3 * number, np.uint8), *[np.full((24, 32), 128, np.uint8)] * 2), moment)
    for rate, length in (("30", 60), ("60", 120)):
        result = transcode(TranscodeParams(frame_rate=rate), video=tmp_path / f"a.{suffix}", output=tmp_path / "out.mp4")
        with read_frames(tmp_path / "out.mp4") as frames:
            levels = [int(frame.luma().mean()) for frame in frames]
        assert result.frames == pytest.approx(length, abs=1)
        assert len({round((level - 20) / 3) for level in levels}) >= 59, "no picture is left out"


@pytest.mark.parametrize("suffix", ["mkv", "mp4"])
def test_a_last_picture_of_one_tick_is_shown(suffix: str, tmp_path: Path) -> None:
    path, output = tmp_path / f"a.{suffix}", tmp_path / "out.mp4"
    moments = [40 * number for number in range(50) if number % 20 < 12]
    with VideoWriter(path, width=64, height=48, frame_rate=Fraction(25), time_base=MILLISECONDS) as writer:
        for number, moment in enumerate(moments):
            planes = (np.full((48, 64), 20 + 6 * number, np.uint8), *[np.full((24, 32), 128, np.uint8)] * 2)
            writer.write(planes, moment, duration=1 if moment == moments[-1] else 40)
    assert probe_video(path).duration_s == pytest.approx(1.961, abs=0.001)
    for operation, params, scale in (
        (transcode, TranscodeParams(frame_rate="constant"), 1),
        (render, RenderParams(speeds=[1], frame_rate="50"), 2),
        (render, RenderParams(speeds=[0.5]), 2),
    ):
        result = operation(params, video=path, output=output)
        with read_frames(output) as frames:
            levels = [round((int(frame.luma().mean()) - 20) / 6) for frame in frames]
        assert set(levels) == set(range(len(moments)))
        assert result.frames == len(levels) == pytest.approx(50 * scale, abs=1)


def test_a_rate_gets_the_nearest_standard_rate() -> None:
    assert [standard_rate(Fraction(rate)) for rate in ("29.98", "29.99", "31", "65", "500", "5", "14.8")] == [
        Fraction(30000, 1001), 30, 30, 72, 240, 30, 15,
    ]  # fmt: skip


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "mov", "ts"])
@pytest.mark.parametrize("rate", [60, 50, 30])
def test_bursts_keep_all_their_pictures(suffix: str, rate: int, make: Make, tmp_path: Path) -> None:
    # Half a second of motion, then a still picture, three times. No frame of a burst may be dropped.
    numbered = f"nullsrc=s=64x48:r={rate}:d=3,geq=lum='20+mod(N*53,200)':cb=128:cr=128,select='lt(mod(n,{rate}),{rate // 2})'"
    path = make(f"screen.{suffix}", ["-f", "lavfi", "-i", numbered], "-fps_mode passthrough -c:v libx264 -bf 2 -crf 10")
    info = probe_video(path)
    assert (info.variable_frame_rate, info.steady_rate) == (True, rate)
    result = render(RenderParams(speeds=[1.0], interpolation="nearest", audio="drop"), video=path, output=tmp_path / "out.mp4")
    assert Fraction(result.frame_rate) == rate
    with read_frames(tmp_path / "out.mp4") as frames:
        shown = [float(frame.luma().mean()) for frame in frames]
    values = [20 + number * 53 % 200 for number in range(3 * rate) if number % rate < rate // 2]
    changes = [before for before, after in zip(shown, [*shown[1:], -99.0], strict=True) if abs(after - before) > 8]
    assert changes == pytest.approx(values, abs=4)


@pytest.mark.parametrize(("container", "codec"), [("mpegts", "libx264"), ("mpegts", "mpeg2video")])
def test_a_steady_stream_cut_between_keyframes_is_steady(container: str, codec: str, tmp_path: Path) -> None:
    words = f"-f lavfi -i testsrc2=s=64x48:r=30:d=4 -c:v {codec} -bf 2 -g 45 -pix_fmt yuv420p -f {container} -".split()
    data = run_ffmpeg(*words)
    start = len(data) // 188 // 3 * 188
    (tmp_path / "cut.ts").write_bytes(data[: 188 * 3] + data[start:])
    info = probe_video(tmp_path / "cut.ts")
    assert (info.variable_frame_rate, info.frame_rate, info.constant_rate) == (False, "30/1", "30/1")


@pytest.mark.parametrize("rate", ["15", "12", "30"])
def test_a_gif_keeps_its_rate(rate: str, make: Make, tmp_path: Path) -> None:
    path = make("a.gif", f"-f lavfi -i testsrc2=s=32x24:r={rate}:d=2")
    info = probe_video(path)
    assert (Fraction(info.frame_rate), info.variable_frame_rate) == (Fraction(rate), False)
    result = render(RenderParams(speeds=[0.5]), video=path, output=tmp_path / "out.mp4")
    assert result.duration_s == pytest.approx(4, abs=0.01)
    assert result.frames == 4 * int(rate)


@pytest.mark.parametrize("name", ["a.gif", "a.png", "a.webp"])
def test_pictures_of_ten_milliseconds_stand_for_a_tenth_of_a_second(name: str, tmp_path: Path) -> None:
    """Delays of 0 and 10 ms are read as 100 ms.

    Browsers do the same; 20 ms stay 20 ms.
    """
    pictures = [Image.fromarray(np.full((24, 32, 3), 12 * number, np.uint8)) for number in range(16)]
    for short, expected in ((10, 0.1), (20, 0.02), (0, 0.1)):
        steps = [50] * 16
        steps[7] = short
        options = {"lossless": True} if name.endswith("webp") else {}
        pictures[0].save(tmp_path / name, save_all=True, append_images=pictures[1:], duration=steps, loop=0, **options)
        with read_frames(tmp_path / name) as frames:
            times = [float(frame.time) for frame in frames]
        assert np.diff(times) == pytest.approx([0.05] * 7 + [expected] + [0.05] * 7, abs=0.002)
        info = probe_video(tmp_path / name)
        assert (info.steady_rate, info.duration_s) == (20, pytest.approx(0.75 + expected, abs=0.002))


@pytest.mark.parametrize(("rate", "suffix"), [("15", "gif"), ("30", "mkv"), ("24000/1001", "mkv"), ("60", "webm")])
@pytest.mark.parametrize("bframes", [0, 2])
def test_even_times_that_were_rounded_stay_even_in_mp4(rate: str, suffix: str, bframes: int, make: Make, tmp_path: Path) -> None:
    # GIF rounds times to hundredths of a second, Matroska and WebM to milliseconds; MP4 has finer ticks.
    coding = {"gif": "", "mkv": f"-c:v libx264 -bf {bframes}", "webm": "-c:v libvpx -deadline realtime"}[suffix]
    path = make(f"a.{suffix}", f"-f lavfi -i testsrc2=s=64x48:r={rate}:d=1.2", coding)
    transcode(TranscodeParams(), video=path, output=tmp_path / "out.mp4")
    for file in (path, tmp_path / "out.mp4"):
        info = probe_video(file)
        assert (info.variable_frame_rate, Fraction(info.frame_rate), info.steady_rate) == (False, Fraction(rate), Fraction(rate))


DROPPED = {"mpeg4.avi": "-c:v mpeg4", "reordered.avi": "-c:v mpeg4 -bf 2", "h264.avi": "-c:v libx264 -bf 0", "theora.ogv": "-c:v libtheora"}


@pytest.mark.parametrize("name", DROPPED)
def test_left_out_frames_make_the_rate_variable(name: str, make: Make) -> None:
    # A tick of the container's clock is one frame, and two of every seven frames are missing.
    path = make(
        name, ["-f", "lavfi", "-i", "testsrc2=s=64x48:r=25:d=2,select='not(between(mod(n,7),2,3))'"], "-fps_mode passthrough", DROPPED[name]
    )
    info = probe_video(path)
    with read_frames(path) as frames:
        times = [frame.time for frame in frames]
    assert len(times) == info.frames == 36
    assert set(np.diff(times)) == {Fraction(1, 25), Fraction(3, 25)}
    assert (info.variable_frame_rate, info.steady_rate, info.duration_s) == (True, 25, 2)


def test_empty_packets_repeat_the_picture_before(make: Make) -> None:
    # Theora stores repeated pictures as empty packets.
    path = make("a.ogv", "-f lavfi -i color=red:s=64x48:r=25:d=2 -c:v libtheora")
    info = probe_video(path)
    with read_frames(path) as frames:
        shown = [(frame.time, frame.luma().mean()) for frame in frames]
    assert [time for time, _ in shown] == pytest.approx([number / 25 for number in range(50)], abs=0.001)
    assert {brightness for _, brightness in shown} == {shown[0][1]}
    assert (info.frames, info.steady_rate, info.duration_s, info.variable_frame_rate) == (50, 25, pytest.approx(2, abs=0.001), False)
    with read_frames(path, start=1.2) as frames:
        assert len(list(frames)) == 20
