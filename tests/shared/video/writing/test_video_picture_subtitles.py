"""Subtitles that are pictures: one warning in every operation that writes picture and sound."""

import struct
from pathlib import Path

import pytest

from services.effects.motion_trails import MotionTrailsParams, motion_trails
from services.effects.strobe import StrobeParams, strobe
from services.media.proxy import ProxyParams, proxy
from services.media.reel import Moment, ReelParams, reel
from services.media.transcode import TranscodeParams, transcode
from services.speed_ramp.render import RenderParams, render
from shared.video import probe_video
from shared.worker.progress import Report
from tests.shared.video.video_clips import run_ffmpeg

CODECS = {
    "pgs.mkv": ("copy", "hdmv_pgs_subtitle"),
    "dvb.mkv": ("dvbsub", "dvb_subtitle"),
    "dvb.ts": ("dvbsub", "dvb_subtitle"),
    "vobsub.mkv": ("dvdsub", "dvd_subtitle"),
}


def presentation_graphics() -> bytes:
    """Return a PGS stream: a white rectangle from 0.2 s to 0.8 s."""
    width, height = 16, 8
    lines = (b"\x01" * width + b"\0\0") * height
    window = struct.pack(">BBHHHH", 1, 0, 8, 8, width, height)
    palette = bytes((0, 0, 1, 235, 128, 128, 255))
    picture = struct.pack(">HBB", 0, 0, 0xC0) + (len(lines) + 4).to_bytes(3, "big") + struct.pack(">HH", width, height) + lines
    shown = struct.pack(">HHBHBBBB", 64, 48, 0x10, 0, 0x80, 0, 0, 1) + struct.pack(">HBBHH", 0, 0, 0, 8, 8)
    hidden = struct.pack(">HHBHBBBB", 64, 48, 0x10, 1, 0, 0, 0, 0)

    def segment(seconds: float, kind: int, data: bytes) -> bytes:
        return b"PG" + struct.pack(">IIBH", round(90000 * seconds), 0, kind, len(data)) + data

    first = [(0x16, shown), (0x17, window), (0x14, palette), (0x15, picture), (0x80, b"")]
    last = [(0x16, hidden), (0x17, window), (0x80, b"")]
    return b"".join(segment(0.2, *part) for part in first) + b"".join(segment(0.8, *part) for part in last)


def with_subtitles(folder: Path, name: str, coding: str) -> Path:
    (folder / "a.sup").write_bytes(presentation_graphics())
    sources = ["-f", "lavfi", "-i", "testsrc2=s=64x48:r=25:d=1", "-f", "lavfi", "-i", "sine=440:d=1:sample_rate=48000", "-i"]
    coding_words = f"-map 0 -map 1 -map 2 -c:v libx264 -g 25 -pix_fmt yuv420p -c:a aac -c:s {coding} -metadata:s:s:0 language=deu".split()
    run_ffmpeg(*sources, str(folder / "a.sup"), *coding_words, str(folder / name))
    return folder / name


@pytest.mark.parametrize("name", CODECS)
def test_subtitles_that_are_pictures_are_named_once_in_every_operation(name: str, tmp_path: Path) -> None:
    coding, codec = CODECS[name]
    path = with_subtitles(tmp_path, name, coding)
    assert [(track.kind, track.codec) for track in probe_video(path).other_tracks] == [("subtitle", codec)]
    output = tmp_path / "out.mp4"
    stamps = {"video": output, "picture": tmp_path / "out.png"}
    proxies = {"proxy": output, "frames": tmp_path / "frames.json"}
    runs = {
        "ramp": lambda progress: render(RenderParams(speeds=[0.5]), video=path, output=output, progress=progress),
        "copy": lambda progress: render(RenderParams(speeds=[1]), video=path, output=output, progress=progress),
        "part": lambda progress: render(RenderParams(speeds=[1], start=0.4), video=path, output=output, progress=progress),
        "trails": lambda progress: motion_trails(MotionTrailsParams(), video=path, matte=None, output=output, progress=progress),
        "strobe": lambda progress: strobe(StrobeParams(start=0.2), video=path, matte=None, outputs=stamps, progress=progress),
        "mp4": lambda progress: transcode(TranscodeParams(), video=path, output=output, progress=progress),
        "webm": lambda progress: transcode(TranscodeParams(format="vp9"), video=path, output=tmp_path / "out.webm", progress=progress),
        "reel": lambda progress: reel(ReelParams(moments=[Moment(timestamp_s=0.5)]), video=path, output=output, progress=progress),
        "proxy": lambda progress: proxy(ProxyParams(), video=path, outputs=proxies, progress=progress),
    }
    for label, run in runs.items():
        messages: list[str] = []
        run(Report(lambda update, messages=messages: messages.append(str(update))))
        assert sum(f"A subtitle track ({codec}" in message for message in messages) == 1, label
