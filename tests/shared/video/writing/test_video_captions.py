"""Closed captions in video streams: listed, kept, or named in a warning.

A transcode of all frames keeps them.
"""

from pathlib import Path

import av
import pytest

from services.effects.motion_trails import MotionTrailsParams, motion_trails
from services.effects.strobe import StrobeParams, strobe
from services.media.proxy import ProxyParams, proxy
from services.media.reel import Moment, ReelParams, reel
from services.media.transcode import TranscodeParams, transcode
from services.speed_ramp.render import RenderParams, render
from shared.video import probe_video, read_frames
from shared.worker.progress import Report
from tests.shared.video.video_clips import run_ffmpeg

PICTURE = ["-f", "lavfi", "-i", "testsrc2=s=64x48:r=25:d={}", "-f", "lavfi", "-i", "sine=440:d={}:sample_rate=48000"]


def captions(number: int) -> bytes:
    """Return one picture's captions as in ATSC A/53: two CEA-608 letters."""
    letters = bytes((0x80 | 0x41 + number % 26, 0x80 | 0x61 + number % 26))
    return b"GA94\x03" + bytes((0x40 | 1, 0xFF, 0xFC)) + letters + b"\xff"


def h264(number: int, data: bytes) -> bytes:
    """Return a picture's packet with captions in front (ITU-T H.264, D.1.6)."""
    message = b"\xb5\x00\x31" + captions(number)
    unit = b"\x06\x04" + bytes([len(message)]) + message + b"\x80"
    return len(unit).to_bytes(4, "big") + unit + data


def mpeg2(number: int, data: bytes) -> bytes:
    """Return a picture's packet with captions behind its headers (ISO/IEC 13818-2, 6.2.2.2.2)."""
    first_slice = data.index(b"\x00\x00\x01\x01")
    return data[:first_slice] + b"\x00\x00\x01\xb2" + captions(number) + data[first_slice:]


CODINGS = {
    "a.mp4": ("-c:v libx264 -bf 2 -c:a aac", h264),
    "a.mov": ("-c:v libx264 -c:a pcm_s16le", h264),
    "a.mkv": ("-c:v libx264 -bf 2 -c:a aac", h264),
    "b.mkv": ("-c:v mpeg2video -bf 2 -c:a mp2", mpeg2),
    "fragments.mp4": ("-c:v libx264 -bf 2 -c:a aac", h264),
}


def captioned(folder: Path, name: str, *, seconds: int = 1, begin: int = 0) -> Path:
    """Encode a clip whose pictures from number `begin` on, in decoding order, carry captions."""
    coding, insert = CODINGS[name]
    words = [word.format(seconds) for word in PICTURE]
    run_ffmpeg(*words, *coding.split(), "-g", "10", "-pix_fmt", "yuv420p", str(folder / f"plain-{name}"))
    flags = {"movflags": "empty_moov+default_base_moof+frag_keyframe"} if name == "fragments.mp4" else {}
    with av.open(str(folder / f"plain-{name}")) as source, av.open(str(folder / name), "w", container_options=flags) as target:
        streams = {stream.index: target.add_stream_from_template(stream, opaque=True) for stream in source.streams}
        number = 0
        for packet in source.demux():
            if not packet.size:
                continue
            copy = av.Packet(insert(number, bytes(packet)) if packet.stream.type == "video" and number >= begin else bytes(packet))
            number += packet.stream.type == "video"
            copy.stream, copy.time_base = streams[packet.stream_index], packet.time_base
            copy.pts, copy.dts, copy.duration, copy.is_keyframe = packet.pts, packet.dts, packet.duration, packet.is_keyframe
            target.mux(copy)
    return folder / name


def shown(path: Path) -> list[bytes]:
    """Return the captions of each frame from a decoder; b"" for none."""
    with read_frames(path) as frames:
        return [b"".join(bytes(data) for data in frame.picture.side_data if data.type.name == "A53_CC") for frame in frames]


@pytest.mark.parametrize("name", CODINGS)
def test_captions_are_listed(name: str, tmp_path: Path) -> None:
    path = captioned(tmp_path, name)
    assert len(set(shown(path))) == 25
    assert [(track.kind, track.codec) for track in probe_video(path).other_tracks] == [("captions", "eia_608")]
    assert probe_video(tmp_path / f"plain-{name}").other_tracks == ()


@pytest.mark.parametrize("name", ["a.mp4", "fragments.mp4"])
def test_captions_that_begin_later_are_listed(name: str, tmp_path: Path) -> None:
    path = captioned(tmp_path, name, seconds=30, begin=600)
    assert [track.kind for track in probe_video(path).other_tracks] == ["captions"]


def test_each_operation_names_them_once_and_writes_no_part_of_them(tmp_path: Path) -> None:
    path = captioned(tmp_path, "a.mp4")
    output = tmp_path / "out.mp4"
    stamps = {"video": output, "picture": tmp_path / "out.png"}
    proxies = {"proxy": output, "frames": tmp_path / "frames.json"}
    runs = {
        "render": lambda progress: render(RenderParams(speeds=[2.0]), video=path, output=output, progress=progress),
        "trails": lambda progress: motion_trails(MotionTrailsParams(), video=path, matte=None, output=output, progress=progress),
        "strobe": lambda progress: strobe(StrobeParams(), video=path, matte=None, outputs=stamps, progress=progress),
        "proxy": lambda progress: proxy(ProxyParams(), video=path, outputs=proxies, progress=progress),
        "reel": lambda progress: reel(ReelParams(moments=[Moment(timestamp_s=0.5)]), video=path, output=output, progress=progress),
        "transcode": lambda progress: transcode(TranscodeParams(frame_rate="10"), video=path, output=output, progress=progress),
    }
    for name, run in runs.items():
        messages: list[str] = []
        run(Report(lambda update, messages=messages: messages.append(str(update))))
        assert sum("losed captions" in message for message in messages) == 1, name
        assert set(shown(output)) == {b""}, name


@pytest.mark.parametrize("start", [0, 0.4])
def test_a_transcode_of_every_frame_keeps_them(start: float, tmp_path: Path) -> None:
    path = captioned(tmp_path, "a.mp4")
    messages: list[str] = []
    progress = Report(lambda update: messages.append(str(update)))
    transcode(TranscodeParams(height=32, start=start), video=path, output=tmp_path / "out.mp4", progress=progress)
    assert shown(tmp_path / "out.mp4") == shown(path)[round(start * 25) :]
    assert not any("losed captions" in message for message in messages)
