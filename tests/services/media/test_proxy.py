"""`media.proxy`, `media.strip` and `media.peaks` on odd clips, measured in the files."""

import json
import subprocess
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from services.media.peaks import PeaksParams, peaks
from services.media.proxy import ProxyParams, proxy, proxy_size
from services.media.strip import StripParams, strip
from shared.video import VideoInfo, ffmpeg_path, probe_video, read_frames
from tests.services.media.test_transcode import made


def run(video: Path, tmp_path: Path, alpha: Path | None = None, **params: object) -> tuple[VideoInfo, dict[str, Any]]:
    outputs = {"proxy": tmp_path / "proxy.mp4", "frames": tmp_path / "frames.json"}
    proxy(ProxyParams.model_validate(params), video=video, alpha=alpha, outputs=outputs)
    info, frames = probe_video(outputs["proxy"]), json.loads(outputs["frames"].read_text())
    assert (info.codec, info.pixel_format, info.variable_frame_rate, info.color.transfer) == ("h264", "yuv420p", False, "bt709")
    assert (info.frames, info.frame_rate) == (frames["frames"], frames["frame_rate"])
    assert {track.codec for track in info.audio} <= {"aac"}
    assert len(info.audio) <= 1
    with av.open(str(outputs["proxy"])) as container:
        assert all(packet.is_keyframe for packet in container.demux(video=0) if packet.size)
    data = outputs["proxy"].read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")
    return info, frames


def test_proxy_sizes_keep_the_shape_within_bounds():
    assert proxy_size(3840, 2160, 540) == (960, 540)
    assert proxy_size(1080, 1920, 540) == (540, 960)
    assert proxy_size(640, 361, 540) == (640, 360)
    assert proxy_size(8000, 1000, 540) == (1920, 240)


def test_a_varying_rate_becomes_constant_and_the_map_names_the_frames(tmp_path):
    chosen = "-vf select='not(between(n,10,19))' -fps_mode vfr -pix_fmt yuv420p"
    varying = made(tmp_path, f"-f lavfi -i testsrc2=s=96x64:r=30:d=1 -f lavfi -i sine=d=1 {chosen} -c:a libopus", "v.mkv")
    info, frames = run(varying, tmp_path)
    assert (info.frames, frames["source_frames"]) == (30, 20)
    assert frames["numbers"] == [*range(10), *[9] * 10, *range(10, 20)]
    assert [round(time * 30) for time in frames["times_s"]] == [*range(10), *range(20, 30)]
    assert abs(info.audio[0].duration_s - 1) < 0.05
    with read_frames(varying) as source, read_frames(tmp_path / "proxy.mp4") as written:
        pictures, shown = ([frame.rgb().astype(int) for frame in read] for read in (source, written))
    nearest = [int(np.argmin([np.abs(picture - frame).mean() for picture in pictures])) for frame in shown]
    assert nearest == frames["numbers"]


def test_a_turned_deep_anamorphic_hdr_clip_is_upright_and_sdr(tmp_path):
    tags = "setparams=color_primaries=bt2020:color_trc=smpte2084:colorspace=bt2020nc,setsar=2/1"
    coding = f"-vf {tags},format=yuv420p10le -c:v libx265 -x265-params log-level=error"
    flat = made(tmp_path, f"-f lavfi -i testsrc2=s=128x96:r=10:d=0.3 {coding}", "flat.mp4")
    turned = tmp_path / "turned.mp4"
    subprocess.run([ffmpeg_path(), "-v", "error", "-display_rotation", "90", "-i", str(flat), "-c", "copy", str(turned)], check=True)
    info, frames = run(turned, tmp_path, shorter=64)
    assert (info.width, info.height) == (64, 170)
    assert (frames["source_width"], frames["source_height"], frames["numbers"]) == (96, 256, None)
    assert info.audio == ()
    assert any("tone-mapped" in text for text in frames["warnings"])


def test_a_matte_is_below_the_picture_of_the_same_moment(clip, samples, tmp_path):
    matte = next(path for sample, path in samples.items() if sample.value == "matte")
    info, frames = run(clip, tmp_path, alpha=matte, shorter=180)
    assert (info.width, info.height, frames["height"], frames["alpha"]) == (320, 360, 180, True)
    with read_frames(tmp_path / "proxy.mp4", start=2) as packed, read_frames(matte, start=2) as mattes:
        below, own = next(packed).rgb()[180:, :, 0].astype(int), next(mattes).rgb((320, 180))[:, :, 0].astype(int)
    assert np.abs(below - own).mean() < 3


def test_strips_and_peaks_follow_the_clip(clip, tmp_path):
    outputs = {"strip": tmp_path / "strip.png", "times": tmp_path / "times.json"}
    result = strip(StripParams(tiles=12, tile_width=64), video=clip, outputs=outputs)
    assert (result.columns, result.tile_height, result.times_s) == (10, 36, [pytest.approx(0.5 * n, abs=0.02) for n in range(12)])
    still = made(tmp_path, "-f lavfi -i testsrc2=s=64x64:r=10:d=0.1 -pix_fmt yuv420p", "still.mp4")
    assert strip(StripParams(), video=still, outputs=outputs).times_s == [0]
    peaks(PeaksParams(rate=10), video=clip, output=tmp_path / "peaks.json")
    left, right = json.loads((tmp_path / "peaks.json").read_text())["peaks"]
    assert left == right
    assert len(left) == 60
    assert [left[10 * second] for second in range(6)] > [left[10 * second + 5] for second in range(6)]
    assert peaks(PeaksParams(), video=still, output=tmp_path / "peaks.json").channels == 0
