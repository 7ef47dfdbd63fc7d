"""`media.transcode`, measured in the output: size, rate, range, part, format."""

import subprocess
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError

from services.media.output.frame_rate import FRAME_RATE, at_constant_rate
from services.media.transcode import TranscodeParams, TranscodeResult, refuse_output_size, transcode
from shared.errors import Invalid, TooLarge
from shared.memory_need import FrameSize
from shared.video import Frame, VideoInfo, ffmpeg_path, probe_video, read_frames
from shared.video.frames.planes import empty_picture
from tests.warning_log import WarningLog


def made(tmp_path: Path, arguments: str, name: str = "in.mp4") -> Path:
    path = tmp_path / name
    subprocess.run([ffmpeg_path(), "-v", "error", "-y", *arguments.split(), str(path)], check=True)
    return path


def run(video: Path, tmp_path: Path, **params: object) -> tuple[TranscodeResult, VideoInfo, list[str]]:
    output, log = tmp_path / "out.mp4", WarningLog()
    result = transcode(TranscodeParams.model_validate(params), video=video, output=output, progress=log)
    info = probe_video(output)
    assert (result.width, result.height, result.frames) == (info.width, info.height, info.frames)
    assert result.duration_s == pytest.approx(info.duration_s, abs=0.02)
    assert sorted(path.name for path in tmp_path.iterdir() if "part" in path.name) == []
    return result, info, log.warnings


@pytest.mark.parametrize(
    ("params", "size"),
    [
        ({"height": 180}, (320, 180)),
        ({"width": 200}, (200, 112)),
        ({"width": 300, "height": 300}, (300, 168)),
        ({"max_edge": 101}, (100, 56)),
        ({"max_edge": 4000}, (640, 360)),
        ({"height": 720}, (1280, 720)),
    ],
)
def test_sizes_are_even_and_keep_the_shape(clip, tmp_path, params, size):
    _, info, warnings = run(clip, tmp_path, duration=0.2, **params)
    assert (info.width, info.height, info.sample_aspect_ratio) == (*size, "1/1")
    assert not [text for text in warnings if "sound" not in text]


def test_an_enlarging_conversion_that_needs_too_much_memory_is_refused() -> None:
    clip = FrameSize(width=320, height=240, pixel_format="yuv420p", frame_rate=Fraction(25))
    for params in ({"height": 4320}, {"width": 5760}, {"width": 7680, "height": 4320}):
        with pytest.raises(TooLarge, match=r"5760x4320 needs about 2\.4 GB") as refusal:
            refuse_output_size(TranscodeParams(**params), clip, limit_bytes=2 * 10**9)
        assert refusal.value.errors[0].field == f"params.{'height' if 'height' in params else 'width'}"
    for params in ({"height": 4320, "format": "prores"}, {"height": 1080}, {"max_edge": 16384}):
        refuse_output_size(TranscodeParams(**params), clip, limit_bytes=2 * 10**9)


def test_a_whole_clip_keeps_times_and_sound(clip, tmp_path):
    result, info, warnings = run(clip, tmp_path, height=90)
    assert (result.frames, result.frame_rate, info.duration_s) == (180, "30/1", 6.0)
    assert [(track.codec, track.duration_s) for track in info.audio] == [("aac", pytest.approx(6.0, abs=0.03))]
    assert warnings == []


def test_a_part_is_cut_with_its_sound(clip, tmp_path):
    result, info, _ = run(clip, tmp_path, height=90, start=1.5, duration=1)
    assert (result.frames, info.duration_s, info.audio[0].duration_s) == (30, 1.0, pytest.approx(1.0, abs=0.03))
    with read_frames(clip, start=1.5) as source, read_frames(tmp_path / "out.mp4") as written:
        before, after = next(source).small_luma(32, 18).astype(int), next(written).small_luma(32, 18).astype(int)
    assert np.abs(before - after).mean() < 2
    assert run(clip, tmp_path, duration=0.2, audio="drop")[1].audio == ()
    with pytest.raises(Invalid, match="has no part that starts at"):
        run(clip, tmp_path, start=7)


def test_varying_times_are_kept_or_made_constant(tmp_path):
    chosen = "-vf select='not(between(n,10,19))' -fps_mode vfr -pix_fmt yuv420p"
    varying = made(tmp_path, f"-f lavfi -i testsrc2=s=96x64:r=30:d=2 {chosen}", "v.mkv")
    with read_frames(varying) as frames:
        times = [frame.time for frame in frames]
    _, info, _ = run(varying, tmp_path, height=32)
    with read_frames(tmp_path / "out.mp4") as frames:
        assert [float(frame.time) for frame in frames] == pytest.approx([float(time) for time in times], abs=0.001)
    assert info.variable_frame_rate
    result, info, _ = run(varying, tmp_path, height=32, frame_rate="constant")
    assert (result.frames, info.variable_frame_rate) == (60, False)
    assert float(info.rate) == pytest.approx(30, rel=0.002)


@pytest.mark.parametrize(("rate", "exact"), [("15", "15/1"), (29.97, "30000/1001"), ("24000/1001", "24000/1001"), (60, "60/1")])
def test_a_rate_keeps_the_length(clip, tmp_path, rate, exact):
    result, info, _ = run(clip, tmp_path, height=32, frame_rate=rate, duration=2)
    assert (result.frame_rate, info.frame_rate) == (exact, exact)
    assert abs(info.duration_s - 2) <= 1 / Fraction(exact)


def test_each_moment_shows_the_frame_visible_then():
    picture = empty_picture(16, 16, "yuv420p")

    def shown(times: list[float], rate: int, length: float = 0.04) -> list[int]:
        base = Fraction(1, 1000)
        frames = [Frame(round(time * 1000), base, round(length * 1000), index, picture) for index, time in enumerate(times)]
        return [each.frame.index for each in at_constant_rate(frames, Fraction(rate)) for _ in range(each.count)]

    assert shown([n / 50 for n in range(10)], 25, 0.02) == [0, 2, 4, 6, 8]
    assert shown([round(n / 60, 3) for n in range(10)], 30, 0.017) == [0, 2, 4, 6, 8], "times rounded to milliseconds"
    assert shown([0, 0.04, 0.08], 50) == [0, 0, 1, 1, 2, 2]
    assert shown([0, 1], 5) == [0, 0, 0, 0, 0, 1], "a held frame stays until the next one"
    assert shown([0], 1) == [0]


def test_turned_and_anamorphic_clips_come_out_upright(tmp_path):
    flat = made(tmp_path, "-f lavfi -i testsrc2=s=128x64:r=10:d=0.3 -pix_fmt yuv420p", "flat.mp4")
    turned = tmp_path / "turned.mp4"
    subprocess.run([ffmpeg_path(), "-v", "error", "-display_rotation", "90", "-i", str(flat), "-c", "copy", str(turned)], check=True)
    _, info, warnings = run(turned, tmp_path, height=64)
    assert (info.width, info.height, info.rotation) == (32, 64, 0)
    assert any("upright" in text for text in warnings)
    wide = made(tmp_path, "-f lavfi -i testsrc2=s=72x58:r=10:d=0.3 -vf setsar=16/9 -pix_fmt yuv420p", "wide.mp4")
    _, info, _ = run(wide, tmp_path, height=58)
    assert (info.width, info.height, info.sample_aspect_ratio) == (128, 58, "1/1")


def test_high_dynamic_range_is_tone_mapped_or_kept(tmp_path):
    tags = "setparams=color_primaries=bt2020:color_trc=smpte2084:colorspace=bt2020nc"
    coding = f"-vf {tags},format=yuv420p10le -c:v libx265 -x265-params log-level=error"
    hdr = made(tmp_path, f"-f lavfi -i testsrc2=s=128x96:r=10:d=0.3 {coding}", "hdr.mp4")
    _, info, warnings = run(hdr, tmp_path, height=48)
    assert (info.pixel_format, info.color.transfer) == ("yuv420p", "bt709")
    assert any("tone-mapped" in text for text in warnings)
    result, info, warnings = run(hdr, tmp_path, height=48, sdr=False)
    assert (result.pixel_format, info.pixel_format, info.color.transfer) == ("yuv420p10le", "yuv420p10le", "smpte2084")
    assert warnings == []


@pytest.mark.parametrize("name", ["prores", "vp9"])
def test_transparency_is_kept_where_the_format_has_it(tmp_path, name):
    source = made(tmp_path, "-f lavfi -i color=red@0.5:s=64x48:r=10:d=0.3,format=yuva444p10le -c:v prores_ks -profile:v 4444", "alpha.mov")
    run(source, tmp_path, height=24, format=name)
    with read_frames(tmp_path / "out.mp4") as frames:
        frame = next(frames)
    assert frame.alpha() is not None
    assert abs(float(frame.matte().mean()) / 255 - 0.5) < 0.02
    _, _, warnings = run(source, tmp_path, height=24)
    assert any("no transparency" in text for text in warnings)


def test_an_untagged_clip_keeps_its_colours_when_its_size_changes_the_guess(tmp_path):
    bars = made(tmp_path, "-f lavfi -i smptehdbars=s=1280x720:r=10:d=0.2 -pix_fmt yuv420p -bsf:v h264_metadata=matrix_coefficients=2")
    with read_frames(bars) as frames:
        before = next(frames).rgb((32, 18)).astype(int)
    _, info, _ = run(bars, tmp_path, height=180)
    assert info.color.matrix == "bt709"
    with read_frames(tmp_path / "out.mp4") as frames:
        after = next(frames).rgb((32, 18)).astype(int)
    assert np.abs(before - after).mean() < 3


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"height": 181}, "multiple of 2"),
        ({"height": 180, "max_edge": 200}, "max_edge excludes"),
        ({"frame_rate": "fast"}, "not a frame rate"),
        ({"frame_rate": "30/0"}, "divides by zero"),
        ({"frame_rate": 1000}, "outside the range from 0.1 to 240"),
        ({"format": "avi"}, "'mp4', 'prores' or 'vp9'"),
    ],
)
def test_wrong_params_are_refused(params, message):
    with pytest.raises(ValidationError, match=message):
        TranscodeParams.model_validate(params)


def test_a_size_above_the_limit_is_refused(clip, tmp_path, use_settings):
    use_settings(max_pixels=640 * 360)
    with pytest.raises(TooLarge, match="1280x720"):
        run(clip, tmp_path, height=720)


def test_equal_frame_rates_have_one_spelling():
    assert [FRAME_RATE(value) for value in (25, 25.0, "25/1", "50/2", 23.976, "59.94", "29.97", 12.5)] == [
        "25", "25", "25", "25", "24000/1001", "60000/1001", "30000/1001", "25/2",
    ]  # fmt: skip
