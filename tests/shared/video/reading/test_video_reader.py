"""Frames: exact times, seeking, sampling, orientation, formats, early ends."""

import gc
import threading
import time
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from shared.errors import NotFound, TooLarge, UnsupportedMedia
from shared.video import Frame, Limits, probe, read_frames
from shared.video.frames.planes import picture_from
from tests.shared.video.video_clips import Make, decoded

GRAY_STEPS = "-f lavfi -i testsrc2=s=64x48:r=25:d=1"


def packet_times(path: Path) -> list[Fraction]:
    """Return the presentation times of all frames, read from packets.

    Sorted, in seconds from the first frame.
    """
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        assert stream.time_base is not None
        times = sorted(packet.pts * stream.time_base for packet in container.demux(stream) if packet.pts is not None)
    return [Fraction(moment - times[0]) for moment in times]


def times_of(path: Path) -> list[Fraction]:
    with read_frames(path) as frames:
        return [frame.time for frame in frames]


@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
def test_variable_frame_rate_keeps_every_time(make: Make, suffix: str) -> None:
    uneven = "settb=1/1000,setpts='40*N+7*mod(N,3)+if(gt(N,20),1200,0)'"
    path = make(f"vfr.{suffix}", GRAY_STEPS, ["-vf", uneven], "-fps_mode passthrough -enc_time_base 1/1000 -c:v libx264 -bf 2")
    info = probe(path)
    assert info.kind == "video"
    assert info.variable_frame_rate
    times = times_of(path)
    assert len(times) == 25
    assert times == packet_times(path)
    assert len({after - before for before, after in pairwise(times)}) > 2


@pytest.mark.parametrize("rate", ["24000/1001", "30000/1001", "60000/1001", "25/1", "12/1", "48/1"])
@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
def test_fractional_rates_are_exact(make: Make, rate: str, suffix: str) -> None:
    path = make(f"rate.{suffix}", f"-f lavfi -i testsrc2=s=32x32:r={rate}:d=2 -c:v libx264 -preset ultrafast")
    info = probe(path)
    assert info.kind == "video"
    assert (info.frame_rate, info.variable_frame_rate) == (rate, False)
    if suffix == "mp4":
        times = times_of(path)
        assert times == [index / Fraction(rate) for index in range(len(times))]


@pytest.mark.parametrize("codec", ["libx264 -bf 3", "mpeg4 -bf 2"])
def test_reordered_pictures_in_avi_have_even_times(make: Make, codec: str) -> None:
    # AVI stores the decoding order but no presentation times.
    path = make("b.avi", f"-f lavfi -i testsrc2=s=64x48:r=25:d=2 -c:v {codec} -g 20")
    assert times_of(path) == [Fraction(index, 25) for index in range(50)]
    with read_frames(path) as frames, read_frames(path, start=1.2) as rest:
        whole = {frame.time: frame.luma().copy() for frame in frames}
        for number, frame in enumerate(rest, start=30):
            assert frame.time == Fraction(number, 25)
            np.testing.assert_array_equal(frame.luma(), whole[frame.time])


def test_a_long_fractional_clip_does_not_drift(make: Make) -> None:
    path = make("long.mp4", "-f lavfi -i color=gray:s=16x16:r=24000/1001:d=600 -c:v libx264 -preset ultrafast -g 500")
    with read_frames(path, start=599) as frames:
        last = list(frames)[-1]
    assert last.time == 14385 * Fraction(1001, 24000)


@pytest.mark.parametrize("start", [0, Fraction(3, 25), 0.48, 0.5, 1.0, 1.25, 1.96])
@pytest.mark.parametrize("suffix", ["mp4", "mkv", "ts"])
def test_seeking_gives_the_same_frames_as_reading_from_the_start(clip: Path, make: Make, start: float, suffix: str) -> None:
    path = make(f"seek.{suffix}", f"-i {clip} -c copy")
    with read_frames(path) as frames:
        whole = {frame.pts: frame.luma().copy() for frame in frames}
    with read_frames(path, start=start, duration=0.2) as frames:
        part = list(frames)
    half = Fraction(1, 50)
    expected = [pts for pts in whole if start - 1e-6 < pts * part[0].time_base < start + 0.2 - 1e-6]
    assert part[0].time - start < 2 * half
    assert [frame.pts for frame in part] == expected
    for frame in part:
        np.testing.assert_array_equal(frame.luma(), whole[frame.pts])


def test_starting_after_the_end_gives_nothing(clip: Path) -> None:
    with read_frames(clip, start=100) as frames:
        assert list(frames) == []


def test_every_nth_frame_is_read(clip: Path) -> None:
    with read_frames(clip, every=7) as frames:
        assert [(frame.index, frame.time) for frame in frames] == [(index, Fraction(index, 25)) for index in range(0, 50, 7)]


def test_frames_that_no_other_refers_to_can_be_left_out(clip: Path) -> None:
    whole = set(times_of(clip))
    with read_frames(clip, skip="nonref") as frames:
        times = [frame.time for frame in frames]
    assert 10 < len(times) < 40
    assert set(times) < whole


def test_keyframes_alone_can_be_read(clip: Path) -> None:
    with read_frames(clip, skip="nonkey") as frames:
        assert [frame.time for frame in frames] == [Fraction(index, 25) for index in range(0, 50, 12)]


def test_luma_is_what_ffmpeg_decodes(clip: Path) -> None:
    reference = decoded(clip, "gray", "-vf", "extractplanes=y").reshape(-1, 64, 96)
    with read_frames(clip) as frames:
        for frame, expected in zip(frames, reference, strict=True):
            np.testing.assert_array_equal(frame.luma(), expected)
            assert not frame.luma().flags.owndata


CORNERS = (
    "color=red:s=48x32:r=10:d=0.3,drawbox=w=24:h=16:color=white:t=fill,drawbox=x=24:w=24:h=16:color=lime:t=fill,"
    "drawbox=y=16:w=24:h=16:color=blue:t=fill"
)
WHITE, LIME, BLUE, RED = (255, 255, 255), (0, 255, 0), (0, 0, 255), (255, 0, 0)
UPRIGHT = {
    # what the file says -> displayed top left, top right, bottom left, bottom right
    (0, False): (WHITE, LIME, BLUE, RED),
    (90, False): (LIME, RED, WHITE, BLUE),
    (180, False): (RED, BLUE, LIME, WHITE),
    (270, False): (BLUE, WHITE, RED, LIME),
    (0, True): (LIME, WHITE, RED, BLUE),
    (180, True): (BLUE, RED, WHITE, LIME),
}


@pytest.mark.parametrize(("turn", "mirrored"), [(turn, mirrored) for turn in (0, 90, 180, 270) for mirrored in (False, True)])
def test_turned_and_mirrored_clips_come_out_upright(make: Make, turn: int, mirrored: bool) -> None:
    stored = make("stored.mp4", ["-f", "lavfi", "-i", CORNERS], "-c:v libx264 -qp 0 -pix_fmt yuv444p")
    flip = "-display_hflip" if mirrored else ""
    path = make("turned.mp4", f"-display_rotation {turn} {flip} -i {stored} -c copy")
    info = probe(path)
    assert info.kind == "video"
    with read_frames(path) as frames:
        shown = next(frames)
    assert (info.width, info.height) == (shown.width, shown.height) == ((32, 48) if turn in (90, 270) else (48, 32))
    # ffmpeg's own automatic rotation is the reference.
    reference = decoded(path).reshape(-1, shown.height, shown.width, 3)[0]
    assert np.abs(shown.rgb().astype(int) - reference).max() <= 2
    if (turn, mirrored) in UPRIGHT:
        height, width = shown.height, shown.width
        points = [
            (height // 4, width // 4),
            (height // 4, 3 * width // 4),
            (3 * height // 4, width // 4),
            (3 * height // 4, 3 * width // 4),
        ]
        for point, color in zip(points, UPRIGHT[turn, mirrored], strict=True):
            assert np.abs(shown.rgb()[point].astype(int) - color).max() <= 4


def test_pixels_that_are_not_square_are_made_so(make: Make) -> None:
    path = make("pal.mp4", ["-f", "lavfi", "-i", "testsrc2=s=72x58:r=25:d=0.2,setsar=64/45"], "-c:v libx264")
    info = probe(path)
    assert info.kind == "video"
    assert info.sample_aspect_ratio == "64/45"
    assert (info.width, info.height) == (102, 58)
    with read_frames(path) as frames:
        assert {(frame.width, frame.height, frame.luma().shape) for frame in frames} == {(102, 58, (58, 102))}


def test_interlaced_clips_are_deinterlaced(make: Make) -> None:
    moving = "testsrc2=s=128x96:r=50:d=1,tinterlace=interleave_top"
    path = make("fields.mpg", ["-f", "lavfi", "-i", moving], "-c:v mpeg2video -flags +ilme+ildct -b:v 8M")
    info = probe(path)
    assert info.kind == "video"
    assert info.interlaced

    def combing(luma: np.ndarray) -> float:
        rows = luma.astype(float)
        return float(np.abs(rows[1:-1] - (rows[:-2] + rows[2:]) / 2).mean())

    stored = decoded(path, "gray").reshape(-1, 96, 128)
    with read_frames(path) as frames:
        shown = list(frames)
    assert len(shown) == len(stored) == 25
    assert all(frame.deinterlaced for frame in shown)
    assert [frame.time - shown[0].time for frame in shown] == [Fraction(index, 25) for index in range(25)]
    assert np.mean([combing(frame.luma()) for frame in shown[1:-1]]) < 0.7 * np.mean([combing(picture) for picture in stored[1:-1]])


FORMATS = [
    ("a.mov", "-c:v png -pix_fmt rgba", "yuva444p"),
    ("a.mov", "-c:v qtrle -pix_fmt rgb24", "yuv444p"),
    ("a.mov", "-c:v v210", "yuv422p10le"),
    ("a.mov", "-c:v rawvideo -pix_fmt uyvy422", "yuv422p"),
    ("a.avi", "-c:v rawvideo -pix_fmt nv12", "nv12"),
    ("a.mkv", "-c:v ffv1 -pix_fmt gray", "gray"),
    ("a.mkv", "-c:v ffv1 -pix_fmt gray16le", "gray16le"),
    ("a.mkv", "-c:v ffv1 -pix_fmt yuv411p", "yuv411p"),
    ("a.mkv", "-c:v ffv1 -pix_fmt yuv420p", "yuv420p"),
    ("a.mp4", "-c:v libx264 -pix_fmt yuv420p10le", "yuv420p10le"),
    ("a.mp4", "-c:v libx264rgb -pix_fmt rgb24", "yuv444p"),
    ("a.gif", "", "yuva444p"),
    ("a.webm", "-c:v libvpx-vp9 -pix_fmt yuva420p -deadline realtime -cpu-used 8", "yuva420p"),
    ("a.mov", "-c:v prores_ks -profile:v 4444 -pix_fmt yuva444p10le", "yuva444p12le"),
    ("a.avi", "-c:v mjpeg -pix_fmt yuvj422p", "yuvj422p"),
]
ODD = [row for row in FORMATS if row[0] == "a.gif" or any(word in row[1] for word in ("png", "qtrle", "ffv1", "vp9", "rgb24", "mjpeg"))]


@pytest.mark.parametrize(("name", "codec", "expected", "size"), [(*row, "64x48") for row in FORMATS] + [(*row, "65x49") for row in ODD])
def test_every_pixel_format_comes_as_planar_yuv(make: Make, name: str, codec: str, expected: str, size: str) -> None:
    path = make(name, ["-f", "lavfi", "-i", f"color=red:s={size}:r=10:d=0.5"], codec)
    width, height = (int(part) for part in size.split("x"))
    with read_frames(path) as frames:
        shown = list(frames)
    assert len(shown) == 5
    frame = shown[0]
    assert frame.picture.format.name == expected
    planes = frame.planes()
    assert planes[0].shape == (height, width)
    assert frame.luma().shape == (height, width)
    assert all(plane.shape[0] in (height, -(-height // 2)) for plane in planes)
    assert frame.rgb().shape == (height, width, 3)
    if "gray" not in expected:
        assert np.abs(frame.rgb()[height // 2, width // 2].astype(int) - (255, 0, 0)).max() <= 4
    small = frame.small_luma(16, 12)
    assert small.shape == (12, 16)
    assert small.dtype == np.uint8
    assert abs(float(small.mean()) - float(decoded(path, "gray", "-vf", "format=yuv444p,extractplanes=y")[: width * height].mean())) < 40


def test_a_clip_of_one_frame_is_read(make: Make) -> None:
    path = make("one.mp4", "-f lavfi -i testsrc2=s=32x32:r=25 -frames:v 1 -c:v libx264")
    info = probe(path)
    assert info.kind == "video"
    assert (info.frames, info.duration_s, info.frame_rate) == (1, 0.04, "25/1")
    assert times_of(path) == [0]


def test_a_picture_that_starts_late_keeps_its_distance_from_the_sound(make: Make, clip: Path) -> None:
    path = make("late.mp4", f"-itsoffset 0.4 -i {clip} -i {clip} -map 0:v -map 1:a -c copy")
    assert abs(times_of(path)[0] - Fraction(2, 5)) < Fraction(1, 1000)


def test_leaving_early_ends_the_thread(clip: Path) -> None:
    before = threading.active_count()
    with read_frames(clip, prefetch=2) as frames:
        next(frames)
        assert threading.active_count() == before + 1
    assert threading.active_count() == before
    frames = read_frames(clip, prefetch=2)
    next(frames)
    del frames
    deadline = time.monotonic() + 5
    while threading.active_count() > before and time.monotonic() < deadline:
        time.sleep(0.01)
    assert threading.active_count() == before


def test_only_a_few_frames_are_decoded_ahead(clip: Path) -> None:
    with read_frames(clip, prefetch=3) as frames:
        time.sleep(0.2)
        # At most what the queue holds is ready: the rest is decoded on request.
        assert len(frames._queue._items) == 3


def test_wrong_options_and_files_without_picture_are_refused_clearly(make: Make, clip: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="every = 0"):
        read_frames(clip, every=0)
    with pytest.raises(NotFound), read_frames(tmp_path / "missing.mp4") as frames:
        next(frames)
    with pytest.raises(TooLarge, match="96x64"), read_frames(clip, limits=Limits(max_pixels=100)) as frames:
        next(frames)
    with pytest.raises(TooLarge, match="s are allowed"), read_frames(clip, limits=Limits(max_duration_s=1)) as frames:
        assert len(list(frames)) > 50
    sound = make("sound.m4a", f"-i {clip} -vn -c copy")
    with pytest.raises(UnsupportedMedia, match="sound but no picture"):
        probe(sound)


@pytest.mark.parametrize("frames", [1, 2, 5])
@pytest.mark.parametrize("name", ["short.mpg", "short.ts", "short.flv", "short.mkv"])
def test_a_few_frames_are_enough_in_every_container(make: Make, name: str, frames: int) -> None:
    codec = {"mpg": "mpeg2video", "flv": "flv"}.get(name[-3:], "libx264")
    path = make(name, f"-f lavfi -i testsrc2=s=64x48:r=25 -frames:v {frames} -c:v {codec}")
    info = probe(path)
    assert info.kind == "video"
    assert (info.width, info.height) == (64, 48)
    assert len(times_of(path)) == frames


@pytest.mark.parametrize(("pixel_format", "most"), [("gray", 255), ("yuv420p10le", 1023)])
def test_small_luma_is_the_mean_of_each_area(pixel_format: str, most: int) -> None:
    noise = np.random.default_rng(1)
    luma = noise.integers(0, most + 1, (96, 160), dtype=np.uint16).astype(np.uint8 if most == 255 else np.uint16)
    chroma = np.full((48, 80), (most + 1) // 2, luma.dtype)
    picture = picture_from((luma,) if pixel_format == "gray" else (luma, chroma, chroma), 160, 96, pixel_format)
    frame = Frame(0, Fraction(1, 25), 1, 0, picture)
    for width, height, far in ((20, 12, 2.5), (160, 96, 1.01), (32, 19, 40.0)):
        means = cv2.resize(luma.astype(np.float64) * (256 / (most + 1)), (width, height), interpolation=cv2.INTER_AREA)
        off = frame.small_luma(width, height) - means
        # Rounded at each halving; where a place ends within a halved pixel it takes in a little of its neighbour, here of pure noise.
        assert np.abs(off).max() < far
        assert abs(off.mean()) < 1.0


def test_frames_are_freed_when_reading_ends(clip: Path) -> None:
    def read() -> None:
        with read_frames(clip) as frames:
            next(frames)

    read()
    gc.collect()
    gc.disable()
    try:
        read()
        gc.set_debug(gc.DEBUG_SAVEALL)
        gc.collect()
        assert not [item for item in gc.garbage if isinstance(item, av.VideoFrame)]
    finally:
        gc.set_debug(0)
        gc.garbage.clear()
        gc.enable()
