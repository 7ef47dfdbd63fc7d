"""Changes of size, pixel ratio or rotation within a stream.

Pictures keep their shape; transparent pictures are put on black.
"""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from reelwright import ROOMS
from services.speed_ramp.render import RenderParams, render
from shared.file_calls import ThumbnailRequest
from shared.operation import SUFFIXES
from shared.video import probe_video, read_frames, thumbnail
from shared.worker.operation_run import output_arguments
from shared.worker.progress import Report
from tests.shared.video.video_clips import Make, run_ffmpeg

CIRCLE = "hypot(X-W/2,Y-H/2)"


def circle(size: str, coding: str, seconds: float = 1) -> bytes:
    """Encode a white circle of radius 40 in the middle of gray."""
    source = f"color=gray:s={size}:r=25:d={seconds},format=yuv420p,geq=lum='if(lt({CIRCLE},40),235,100)':cb=128:cr=128"
    return run_ffmpeg("-f", "lavfi", "-i", source, *coding.split(), "-")


def shape(luma: NDArray[np.uint8]) -> tuple[int, int]:
    """Return the width and height of the circle."""
    rows, columns = np.nonzero(luma > 180)
    return int(np.ptp(columns)) + 1, int(np.ptp(rows)) + 1


TS = "-c:v libx264 -g 10 -f mpegts"
CHANGES = {
    "call.ts": (TS, "160x120", "120x160"),
    "grows.ts": (TS, "120x160", "240x160"),
    "same_shape.ts": (TS, "160x120", "320x240"),
    "broadcast.ts": ("-c:v mpeg2video -g 10 -f mpegts", "160x128", "128x160"),
    "hevc.ts": ("-c:v libx265 -x265-params log-level=error:keyint=10 -f mpegts", "160x120", "120x160"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_circle_stays_a_circle_when_the_size_changes(name: str, tmp_path: Path) -> None:
    coding, first, second = CHANGES[name]
    path = tmp_path / name
    path.write_bytes(circle(first, coding) + circle(second, coding))
    info = probe_video(path)
    assert f"{info.width}x{info.height}" == first
    assert any(f"from {first} to {second}" in warning and " at 1.0" in warning for warning in info.warnings)
    messages: list[str] = []
    progress = Report(lambda update: messages.append(str(update)))
    for speed in (0.5, 1):
        render(RenderParams(speeds=[speed]), video=path, output=tmp_path / f"{speed}.mp4", progress=progress)
    for file in (path, tmp_path / "0.5.mp4", tmp_path / "1.mp4"):
        with read_frames(file) as frames:
            pictures = [frame.luma().copy() for frame in frames]
        for luma in (pictures[3], pictures[-3]):
            width, height = shape(luma)
            assert luma.shape == (info.height, info.width)
            assert width == pytest.approx(height, abs=2)
            assert width > 30
    assert sum("size changes" in message for message in messages) == 1
    # Black bars at the sides of a picture of another shape.
    if first.partition("x")[0] != second.partition("x")[0] and name != "same_shape.ts":
        edge = pictures[-3][:, 1] if int(first.partition("x")[0]) > int(second.partition("x")[0]) else pictures[-3][1]
        assert edge.mean() < 30


# Container in which the parts are made, and their coding. Parts in MPEG-TS and AVI hold their parameters in each keyframe.
CODECS = {
    "vp8.mkv": ("webm", "libvpx -deadline realtime"),
    "vp9.webm": ("webm", "libvpx-vp9 -deadline realtime -cpu-used 8"),
    "vp9.mp4": ("webm", "libvpx-vp9 -deadline realtime -cpu-used 8"),
    "av1.mkv": ("mkv", "libsvtav1 -preset 12"),
    "av1.mp4": ("mkv", "libsvtav1 -preset 12"),
    "mpeg4.mkv": ("avi", "mpeg4"),
    "mpeg4.avi": ("avi", "mpeg4"),
    "mpeg2.mkv": ("ts", "mpeg2video"),
    "mpeg1.mkv": ("ts", "mpeg1video"),
    "hevc.mkv": ("ts", "libx265 -preset ultrafast -x265-params log-level=error"),
    "mjpeg.avi": ("avi", "mjpeg -pix_fmt yuvj420p"),
    "mjpeg.mkv": ("avi", "mjpeg -pix_fmt yuvj420p"),
    "mjpeg.mov": ("avi", "mjpeg -pix_fmt yuvj420p"),
    "png.mov": ("mov", "png -pix_fmt rgb24"),
    "prores.mov": ("mov", "prores_ks"),
}


@pytest.mark.parametrize("name", CODECS)
def test_a_size_that_changes_is_named_and_fitted_with_each_codec(name: str, tmp_path: Path) -> None:
    suffix, coding = CODECS[name]
    path, sizes = tmp_path / name, ("160x120", "120x160")
    with av.open(str(path), "w") as joined:
        for number, size in enumerate(sizes):
            part = tmp_path / f"{number}.{suffix}"
            # More keyframes before the change than a scan decodes.
            source = f"color=gray:s={size}:r=25:d=1,format=yuv420p,geq=lum='if(lt({CIRCLE},40),235,100)':cb=128:cr=128"
            run_ffmpeg("-f", "lavfi", "-i", source, "-g", "1", "-c:v", *coding.split(), str(part))
            with av.open(str(part)) as container:
                track = container.streams.video[0]
                stream = joined.streams.video[0] if number else joined.add_stream_from_template(track, opaque=True)
                for place, packet in enumerate(packet for packet in container.demux(track) if packet.size):
                    packet.pts = packet.dts = round((number + Fraction(place, 25)) / track.time_base)
                    packet.stream = stream
                    joined.mux(packet)
    info = probe_video(path)
    assert (info.width, info.height) == (160, 120)
    (warning,) = (warning for warning in info.warnings if "size changes" in warning)
    assert f"size changes at 1.00 s (from {sizes[0]} to {sizes[1]})" in warning
    with read_frames(path) as frames:
        pictures = [frame.luma().copy() for frame in frames]
    assert len(pictures) == 50
    for luma in (pictures[3], pictures[-3]):
        assert luma.shape == (120, 160)
        width, height = shape((luma >> 2 if luma.dtype == np.uint16 else luma).astype(np.uint8))
        assert width == pytest.approx(height, abs=2)
    assert pictures[-3][:, 1].mean() < pictures[3][:, 1].mean() / 2


PIXELS = "-vf scale=160:120,setsar=3/2 -c:v libx264 -g 10 -f mpegts"
TURN = "-c:v libx264 -g 10 -bsf:v h264_metadata=display_orientation=insert:rotate=90 -f mpegts"


@pytest.mark.parametrize(
    ("size", "coding", "change", "suffix"),
    [
        ("240x120", PIXELS, "pixel aspect ratio changes at 1.0", "ts"),
        ("240x120", PIXELS, "pixel aspect ratio changes at 1.0", "mkv"),
        ("240x120", PIXELS, "pixel aspect ratio changes at 1.0", "mp4"),
        ("160x120", TURN, "rotation changes at 1.0", "ts"),
        ("160x120", TURN, "rotation changes at 1.0", "mp4"),
        ("320x120", TS, "size changes at 1.0", "mkv"),
        ("320x120", TS, "size changes at 1.0", "mp4"),
    ],
)
def test_pixels_and_turns_that_change_are_fitted_in_every_container(
    size: str, coding: str, change: str, suffix: str, tmp_path: Path
) -> None:
    stream, path = tmp_path / "joined.ts", tmp_path / f"clip.{suffix}"
    stream.write_bytes(circle("160x120", TS) + circle(size, coding))
    if suffix != "ts":
        # In "avc3", unlike "avc1", samples hold their own parameters.
        run_ffmpeg("-fflags", "+genpts", "-i", str(stream), "-c", "copy", *(["-tag:v", "avc3"] if suffix == "mp4" else []), str(path))
    else:
        stream.rename(path)
    info = probe_video(path)
    assert (info.width, info.height, info.sample_aspect_ratio) == (160, 120, "1/1")
    assert sum(change in warning for warning in info.warnings) == 1
    with read_frames(path) as frames:
        pictures = [frame.luma().copy() for frame in frames]
    with read_frames(path, start=1.3) as frames:
        pictures.append(next(frames).luma().copy())
    for luma in (pictures[3], pictures[-8], pictures[-1]):
        width, height = shape(luma)
        assert luma.shape == (120, 160)
        assert width == pytest.approx(height, abs=2)
        assert width > 30


CLEAR = {
    "a.mov": ("-c:v qtrle -pix_fmt argb", "argb"),
    "b.mov": ("-c:v png -pix_fmt rgba", "rgba"),
    "c.webm": ("-c:v libvpx-vp9 -pix_fmt yuva420p -crf 10 -b:v 0", "yuva420p"),
    "d.mov": ("-c:v prores_ks -profile:v 4444 -pix_fmt yuva444p10le", "yuva444p10le"),
    "e.mkv": ("-c:v ffv1 -pix_fmt bgra", "bgra"),
}


@pytest.mark.parametrize("name", CLEAR)
def test_hidden_colours_stay_hidden(name: str, make: Make, tmp_path: Path) -> None:
    # The picture: opaque red, half transparent white, fully transparent green.
    red, green, blue = "if(lt(X,64),255,if(lt(X,128),255,0))", "if(lt(X,64),0,255)", "if(between(X,64,127),255,0)"
    source = f"color=black:s=192x64:r=10:d=0.5,format=rgba,geq=r='{red}':g='{green}':b='{blue}':a='if(lt(X,64),255,if(lt(X,128),128,0))'"
    path = make(name, ["-f", "lavfi", "-i", source], CLEAR[name][0])
    messages: list[str] = []
    render(
        RenderParams(speeds=[0.5]), video=path, output=tmp_path / "out.mp4", progress=Report(lambda update: messages.append(str(update)))
    )
    with read_frames(tmp_path / "out.mp4") as frames:
        written = next(frames).rgb()
    with read_frames(path, opaque=True) as frames:
        opaque = next(frames)
        assert opaque.alpha() is None
    with read_frames(path, opaque=True, background="#ff8000") as frames:
        colored = next(frames)
        assert colored.alpha() is None
    for place, color in ((32, [255, 0, 0]), (96, [255, 192, 128]), (170, [255, 128, 0])):
        assert colored.rgb()[32, place].tolist() == pytest.approx(color, abs=14)
    thumbnail(ThumbnailRequest(path=str(path), output=str(tmp_path / "t.jpg"), width=192), None)
    for picture in (written, opaque.rgb()):
        assert picture[32, 32].tolist() == pytest.approx([255, 0, 0], abs=14)
        assert picture[32, 96].tolist() == pytest.approx([128, 128, 128], abs=8)
        assert picture[32, 170].tolist() == pytest.approx([0, 0, 0], abs=6)
    assert any("filled with black" in message for message in messages)


BACKGROUND = {
    "speed-ramp.render": {"speeds": [0.5]},
    "effects.motion-trails": {"mask": False, "layers": 1, "spacing": 1},
    "effects.strobe": {},
    "media.transcode": {},
    "media.reel": {"moments": [{"timestamp_s": 0.2}]},
}


@pytest.mark.parametrize("name", BACKGROUND)
def test_transparent_parts_get_the_chosen_background(name: str, make: Make, tmp_path: Path) -> None:
    source = "color=red:s=96x64:r=10:d=0.6,format=rgba,geq=r=255:g=0:b=0:a='if(lt(X,32),255,0)'"
    path = make("clip.mov", ["-f", "lavfi", "-i", source], "-c:v qtrle -pix_fmt argb")
    operation = {operation.name: operation for room in ROOMS for operation in room.service.operations}[name]
    params = operation.params(**BACKGROUND[name], background="#2040c0")
    files = {output: tmp_path / f"{output}{SUFFIXES[kind]}" for output, kind in operation.outputs.items()}
    inputs = dict.fromkeys(operation.ports) | {"video": path}
    messages: list[str] = []
    progress = Report(lambda update: messages.append(str(update)))
    operation.run(params, **inputs, **output_arguments(files), progress=progress)
    with read_frames(files["video"]) as frames:
        written = next(frames).rgb()
    assert written[32, 16].tolist() == pytest.approx([255, 0, 0], abs=14)
    assert written[32, 70].tolist() == pytest.approx([0x20, 0x40, 0xC0], abs=10)
    assert any("filled with #2040c0" in message for message in messages)
