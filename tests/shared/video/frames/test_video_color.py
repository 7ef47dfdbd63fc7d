"""Colours through reading and writing: matrices, ranges, tags, HDR, alpha."""

from fractions import Fraction
from itertools import pairwise, product
from pathlib import Path

import av
import numpy as np
import pytest

from shared.video import ColorInfo, VideoWriter, probe, read_frames
from tests.shared.video.video_clips import Make, decoded, run_ffmpeg

PATCHES = [tuple(patch) for patch in product((0, 255), repeat=3)] + [(128, 128, 128), (180, 40, 40), (40, 180, 40), (40, 40, 180)]
MATRICES = {"bt709": (0.2126, 0.0722), "smpte170m": (0.299, 0.114), "bt2020nc": (0.2627, 0.0593)}


def yuv_of(rgb: tuple[int, ...], matrix: str, span: str) -> tuple[int, int, int]:
    """Convert 8-bit RGB to Y, Cb, Cr by `matrix` and range `span`.

    By the formulas of BT.601, BT.709 and BT.2020.
    """
    kr, kb = MATRICES[matrix]
    red, green, blue = (value / 255 for value in rgb)
    luma = kr * red + (1 - kr - kb) * green + kb * blue
    cb, cr = (blue - luma) / (2 - 2 * kb), (red - luma) / (2 - 2 * kr)
    if span == "pc":
        return round(255 * luma), round(min(128 + 255 * cb, 255)), round(min(128 + 255 * cr, 255))
    return round(16 + 219 * luma), round(128 + 224 * cb), round(128 + 224 * cr)


def patch_planes(matrix: str, span: str) -> tuple[np.ndarray, ...]:
    """Draw the colours PATCHES as 16x16 squares side by side, as yuv420p planes."""
    values = np.array([yuv_of(patch, matrix, span) for patch in PATCHES], np.uint8)
    luma = np.repeat(values[:, 0], 16)[None].repeat(16, axis=0)
    chroma = [np.repeat(values[:, part], 8)[None].repeat(8, axis=0) for part in (1, 2)]
    return np.ascontiguousarray(luma), *(np.ascontiguousarray(plane) for plane in chroma)


def patch_error(rgb: np.ndarray) -> int:
    """Return the largest colour error of all patches, each measured at its centre."""
    return max(int(np.abs(rgb[8, 16 * index + 8].astype(int) - patch).max()) for index, patch in enumerate(PATCHES))


@pytest.mark.parametrize(("matrix", "span"), list(product(MATRICES, ("tv", "pc"))))
def test_saturated_patches_survive_a_round_trip(tmp_path: Path, matrix: str, span: str) -> None:
    color = ColorInfo(primaries="bt709", transfer="bt709", matrix=matrix, range=span)
    path = tmp_path / "patches.mp4"
    with VideoWriter(path, width=16 * len(PATCHES), height=16, frame_rate=Fraction(25), color=color, quality=100) as writer:
        for index in range(3):
            writer.write(patch_planes(matrix, span), index)
    info = probe(path)
    assert info.kind == "video"
    assert info.color == color
    with read_frames(path) as frames:
        first = next(frames)
    assert patch_error(first.rgb()) <= 2
    # ffmpeg, told nothing, agrees by the tags alone.
    shown = decoded(path, "rgb24", "-vf", "scale=flags=accurate_rnd+full_chroma_int").reshape(-1, 16, 16 * len(PATCHES), 3)[0]
    assert patch_error(shown) <= 3


@pytest.mark.parametrize("target", list(product(MATRICES, ("tv", "pc"))))
@pytest.mark.parametrize("source", [("bt709", "tv"), ("smpte170m", "pc")])
def test_pictures_are_converted_to_the_colours_of_the_file(tmp_path: Path, source: tuple[str, str], target: tuple[str, str]) -> None:
    first, second = tmp_path / "first.mp4", tmp_path / "second.mp4"
    width = 16 * len(PATCHES)
    colors = [ColorInfo(primaries="bt709", transfer="bt709", matrix=matrix, range=span) for matrix, span in (source, target)]
    with VideoWriter(first, width=width, height=16, frame_rate=Fraction(25), color=colors[0], quality=100) as writer:
        writer.write(patch_planes(*source), 0)
    with (
        read_frames(first) as frames,
        VideoWriter(second, width=width, height=16, frame_rate=Fraction(25), color=colors[1], quality=100) as writer,
    ):
        for frame in frames:
            writer.write(frame.picture, frame.index)
    info = probe(second)
    assert info.kind == "video"
    assert info.color == colors[1]
    with read_frames(second) as frames:
        assert patch_error(next(frames).rgb()) <= 3


def test_rgb_pictures_are_written_as_bt709(tmp_path: Path) -> None:
    rgb = np.repeat(np.repeat(np.array(PATCHES, np.uint8)[None], 16, axis=1), 16, axis=0)
    path = tmp_path / "rgb.mp4"
    with VideoWriter(path, width=rgb.shape[1], height=16, frame_rate=Fraction(25), quality=100) as writer:
        writer.write(av.VideoFrame.from_ndarray(rgb, format="rgb24"), 0)
    info = probe(path)
    assert info.kind == "video"
    assert (info.color.matrix, info.color.range) == ("bt709", "tv")
    with read_frames(path) as frames:
        assert patch_error(next(frames).rgb()) <= 3


def test_tags_are_kept_when_no_others_are_asked_for(make: Make, tmp_path: Path) -> None:
    tags = "setparams=color_primaries=bt470bg:color_trc=bt470bg:colorspace=bt470bg:range=tv"
    path = make("tagged.mp4", ["-f", "lavfi", "-i", f"testsrc2=s=64x48:r=25:d=0.2,format=yuv420p,{tags}"], "-c:v libx264")
    with read_frames(path) as frames, VideoWriter(tmp_path / "out.mp4", width=64, height=48, frame_rate=Fraction(25)) as writer:
        for frame in frames:
            writer.write(frame.picture, frame.index)
    before, after = probe(path), probe(tmp_path / "out.mp4")
    assert before.kind == after.kind == "video"
    assert before.color == after.color == ColorInfo(primaries="bt470bg", transfer="bt470bg", matrix="bt470bg", range="tv")


def test_turning_changes_neither_tags_nor_colours(make: Make) -> None:
    plain = make("plain.mp4", ["-f", "lavfi", "-i", "color=0x20C040:s=640x360:r=25:d=0.2"], "-c:v libx264")
    turned = make("turned.mp4", f"-display_rotation 90 -i {plain} -c copy")
    with read_frames(plain) as plain_frames, read_frames(turned) as other:
        before, after = next(plain_frames), next(other)
    assert before.color == after.color
    assert np.abs(before.rgb()[100, 100].astype(int) - after.rgb()[100, 100]).max() <= 1


GRAYS = (0.02, 0.1, 0.25, 0.5, 0.75, 1.0)


def hdr_clip(make: Make, transfer: str) -> Path:
    """Write patches of BT.709 grays and colours as PQ or HLG.

    Converted by zscale, with a white of 203 cd/m2.
    """
    grays = ",".join(
        f"drawbox=x={32 * index}:w=32:h=32:t=fill:color=0x{round(255 * gray):02x}{round(255 * gray):02x}{round(255 * gray):02x}"
        for index, gray in enumerate(GRAYS)
    )
    colors = (
        "drawbox=y=32:w=64:h=32:t=fill:color=red,drawbox=y=32:x=64:w=64:h=32:t=fill:color=lime,drawbox=y=32:x=128:h=32:t=fill:color=blue"
    )
    sdr = "format=gbrp,setparams=color_primaries=bt709:color_trc=bt709:colorspace=gbr:range=pc"
    hdr = f"zscale=transfer={transfer}:primaries=bt2020:matrix=bt2020nc:range=tv:npl=203,format=yuv420p10le"
    tags = f"-color_primaries bt2020 -color_trc {transfer} -colorspace bt2020nc -color_range tv"
    source = f"color=black:s=192x64:r=25:d=0.12,format=rgb24,{grays},{colors},{sdr},{hdr}"
    return make(f"{transfer}.mp4", ["-f", "lavfi", "-i", source], f"-c:v libx265 -crf 4 -x265-params log-level=none -tag:v hvc1 {tags}")


@pytest.mark.parametrize("transfer", ["smpte2084", "arib-std-b67"])
def test_hdr_is_found_and_tone_mapped(make: Make, transfer: str) -> None:
    path = hdr_clip(make, transfer)
    info = probe(path)
    assert info.kind == "video"
    assert info.color.hdr
    assert info.color == ColorInfo(primaries="bt2020", transfer=transfer, matrix="bt2020nc", range="tv")
    with read_frames(path) as frames:
        frame = next(frames)
    assert frame.picture.format.name == "yuv420p10le"
    assert frame.luma().dtype == np.uint16
    assert frame.color == info.color
    with read_frames(path, to_sdr8=True) as frames:
        shown = next(frames)
    assert shown.picture.format.name == "yuv420p"
    assert shown.color == ColorInfo(primaries="bt709", transfer="bt709", matrix="bt709", range="tv")
    rgb = shown.rgb().astype(int)
    levels = [rgb[16, 32 * index + 16] for index in range(len(GRAYS))]
    for level in levels:
        assert np.ptp(level) <= 4
    means = [level.mean() for level in levels]
    assert all(before < after for before, after in pairwise(means))
    assert 200 < means[-1] < 250
    if transfer == "smpte2084":
        # Below the knee nothing changes.
        assert np.abs(np.array(means[:4]) - [255 * gray for gray in GRAYS[:4]]).max() < 8
    for index, channel in enumerate((0, 1, 2)):
        patch = rgb[48, 64 * index + 32]
        assert patch[channel] > 150
        assert patch[channel] > 2 * np.delete(patch, channel).max()


def test_ten_bits_are_kept_when_asked_for(make: Make, tmp_path: Path) -> None:
    path = hdr_clip(make, "smpte2084")
    output = tmp_path / "ten.mp4"
    with read_frames(path) as frames:
        first = next(frames)
        with VideoWriter(output, width=192, height=64, frame_rate=Fraction(25), pixel_format="yuv420p10le", quality=95) as writer:
            writer.write(first.picture, 0)
    info = probe(output)
    assert info.kind == "video"
    assert (info.pixel_format, info.codec) == ("yuv420p10le", "hevc")
    assert info.color.transfer == "smpte2084"
    with read_frames(output) as frames:
        assert np.abs(next(frames).luma()[16, 16::32].astype(int) - first.luma()[16, 16::32]).max() <= 6


@pytest.mark.parametrize(("suffix", "pixel_format"), [(".mov", "yuva444p10le"), (".webm", "yuva420p")])
def test_alpha_is_written_and_read_back(tmp_path: Path, suffix: str, pixel_format: str) -> None:
    path = tmp_path / f"alpha{suffix}"
    depth = 4 if "10" in pixel_format else 1
    dtype = np.uint16 if depth == 4 else np.uint8
    chroma = (48, 64) if "444" in pixel_format else (24, 32)
    ramp = np.tile(np.linspace(0, 255, 64), (48, 1)).astype(dtype) * dtype(depth)
    planes = (np.full((48, 64), 100 * depth, dtype), *(np.full(chroma, 128 * depth, dtype),) * 2, ramp)
    with VideoWriter(path, width=64, height=48, frame_rate=Fraction(25), pixel_format=pixel_format, quality=95) as writer:
        for index in range(3):
            writer.write(planes, index)
    info = probe(path)
    assert info.kind == "video"
    assert info.has_alpha
    with read_frames(path) as frames:
        frame = next(frames)
    alpha = frame.planes()[3].astype(float)
    scale = 2 ** (frame.picture.format.components[3].bits - 8)
    assert np.abs(alpha / scale - ramp / depth).max() <= 3
    decoder = ["-c:v", "libvpx-vp9"] if suffix == ".webm" else []
    raw = run_ffmpeg(*decoder, "-i", str(path), "-vf", "alphaextract", "-frames:v", "1", "-f", "rawvideo", "-pix_fmt", "gray", "-")
    assert np.abs(np.frombuffer(raw, np.uint8).reshape(48, 64).astype(float) - ramp / depth).max() <= 3
