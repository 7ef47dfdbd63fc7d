"""GPU decoding: used only if it works and is faster, with equal results.

The processor stands in for the GPU.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from shared.errors import BrokenMedia
from shared.video import Frame, read_frames
from shared.video.frames.display import DisplayFilter
from shared.video.limits import Limits
from shared.video.reading import hardware, reader
from shared.video.reading.open_input import open_input
from tests.shared.video.video_clips import Make, run_ffmpeg


@pytest.fixture(autouse=True)
def forget() -> Iterator[None]:
    yield
    hardware.cuda_works.cache_clear()
    hardware.faster.cache_clear()


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("large") / "large.mp4"
    run_ffmpeg("-f", "lavfi", "-i", "testsrc2=s=1280x720:r=25:d=1", "-c:v", "libx264", "-preset", "ultrafast", "-g", "10", str(path))
    return path


def frames_of(path: Path, **options: Any) -> list[Frame]:
    with read_frames(path, **options) as frames:
        return list(frames)


def assert_same(frames: list[Frame], expected: list[Frame]) -> None:
    assert [(frame.pts, frame.index, frame.duration) for frame in frames] == [
        (frame.pts, frame.index, frame.duration) for frame in expected
    ]
    for left_frame, other in zip(frames, expected, strict=True):
        assert left_frame.picture.format.name == other.picture.format.name
        assert left_frame.color == other.color
        for plane, same in zip(left_frame.planes(), other.planes(), strict=True):
            np.testing.assert_array_equal(plane, same)
        # Where chroma lies shows in RGB only.
        np.testing.assert_array_equal(left_frame.rgb(), other.rgb())


@pytest.mark.parametrize(
    ("codec", "pixel_format", "size", "fitting"),
    [
        ("h264", "yuv420p", (1920, 1080), True),
        ("hevc", "yuv420p10le", (3840, 2160), True),
        ("av1", "yuv420p", (1280, 720), True),
        ("h264", "yuv420p", (640, 360), False),
        ("h264", "yuv444p", (1920, 1080), False),
        ("vp9", "yuva420p", (1920, 1080), False),
        ("prores", "yuv422p10le", (1920, 1080), False),
        ("h264", None, (1920, 1080), False),
    ],
)
def test_formats_and_sizes_suited_to_a_gpu_are_recognized(
    codec: str, pixel_format: str | None, size: tuple[int, int], fitting: bool
) -> None:
    assert hardware.fits(codec, pixel_format, *size) is fitting


@pytest.mark.parametrize(("layout", "planar"), [("nv12", "yuv420p"), ("p010le", "yuv420p10le")])
def test_the_layouts_of_a_gpu_become_planar_without_a_change(layout: str, planar: str) -> None:
    levels = (
        np.random.default_rng(4).integers(0, 255 if planar == "yuv420p" else 1023, (96, 64)).astype("u1" if planar == "yuv420p" else "<u2")
    )
    stored = av.VideoFrame.from_ndarray(levels, format=planar)
    shown = DisplayFilter(pixel_ratio=None, time_base=Fraction(1, 25), limits=Limits(), to_sdr8=False, from_gpu="h264")
    frames = list(shown.push(stored.reformat(format=layout)))
    frames += list(shown.flush())
    assert [picture.format.name for picture in frames] == [planar]
    np.testing.assert_array_equal(frames[0].to_ndarray(), levels)


@pytest.mark.parametrize(("setting", "meant"), [("auto", "auto"), ("cpu", "cpu"), ("cuda", "cuda"), ("cuda:1", "cuda")])
def test_the_setting_device_chooses_the_decoder(use_settings: Callable[..., None], setting: str, meant: str) -> None:
    use_settings(device=setting)
    assert hardware.device_choice() == meant


@pytest.mark.parametrize(("setting", "device"), [("auto", None), ("cuda", None), ("cuda:0", "0"), ("cuda:2", "2")])
def test_the_chosen_gpu_decodes(
    large: Path, use_settings: Callable[..., None], monkeypatch: pytest.MonkeyPatch, setting: str, device: str | None
) -> None:
    requested: list[tuple[str, str | None]] = []

    def accelerator(kind: str, *, device: str | None, allow_software_fallback: bool) -> None:
        requested.append((kind, device))
        raise RuntimeError("no GPU")

    monkeypatch.setattr(hardware, "HWAccel", accelerator)
    use_settings(device=setting)
    assert not hardware.cuda_works()
    with pytest.raises(BrokenMedia, match="no GPU"), open_input(large, limits=Limits(), hardware=True):
        raise AssertionError("opened without the accelerator")
    assert requested == [("cuda", device)] * 2


@pytest.mark.parametrize(("gpu_s", "cpu_s", "least", "chosen"), [(1.0, 3.0, 1.0, True), (3.0, 1.0, 1.0, False), (3.0, 1.0, 0.0, True)])
def test_the_faster_decoder_is_chosen_and_tried_once(gpu_s: float, cpu_s: float, least: float, chosen: bool) -> None:
    now, runs = [0.0], []

    def run(gpu: bool) -> None:
        runs.append(gpu)
        now[0] += gpu_s if gpu else cpu_s

    def clock() -> float:
        return now[0]

    for _ in range(3):
        trial = hardware.Trial("h264", "yuv420p", 80, run)
        assert hardware.faster(trial, least=least, clock=clock) is chosen
    assert runs == ([True, True, False] if least else [True, True])


def test_a_gpu_that_fails_the_trial_is_not_used() -> None:
    def run(gpu: bool) -> None:
        raise BrokenMedia("no")

    assert hardware.faster(hardware.Trial("h264", "yuv420p", 1, run), least=0.0) is False


@contextmanager
def played(monkeypatch: pytest.MonkeyPatch, *, breaks_after: int | None = None) -> Iterator[list[bool]]:
    """Give the reader a fake GPU that fails after `breaks_after` frames.

    It never fails if `breaks_after` is None. Yields a list with an entry per opened file: whether the GPU was to decode it.
    """
    opened: list[bool] = []
    original = reader.open_input

    @contextmanager
    def opening(path: Any, *, limits: Any, hardware: bool = False) -> Iterator[Any]:
        opened.append(hardware)
        with original(path, limits=limits) as container:
            yield container

    pictures = reader.PictureStream._from_here

    def breaking(self: Any, aim: Any = None) -> Iterator[Any]:
        for count, shown in enumerate(pictures(self, aim)):
            if opened[-1] and breaks_after is not None and count >= breaks_after:
                raise BrokenMedia("the GPU has fallen off the bus")
            yield shown

    monkeypatch.setattr(hardware, "device_choice", lambda: "cuda")
    monkeypatch.setattr(hardware, "cuda_works", lambda: True)
    monkeypatch.setattr(hardware, "faster", lambda trial, least: True)
    monkeypatch.setattr(reader, "open_input", opening)
    monkeypatch.setattr(reader.PictureStream, "_from_here", breaking)
    yield opened


@pytest.mark.parametrize("breaks_after", [None, 0, 1, 7, 24])
@pytest.mark.parametrize("options", [{}, {"start": 0.5}, {"every": 3}, {"per_second": 5}])
def test_frames_are_the_same_if_the_gpu_fails_while_decoding(
    large: Path, monkeypatch: pytest.MonkeyPatch, breaks_after: int | None, options: dict[str, Any]
) -> None:
    expected = frames_of(large, **options)
    with monkeypatch.context() as patched, played(patched, breaks_after=breaks_after) as opened:
        frames = frames_of(large, **options)
        assert True in opened
    assert_same(frames, expected)


def test_small_or_sparse_reading_stays_in_software(large: Path, clip: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with played(monkeypatch) as opened:
        frames_of(clip)
        frames_of(large, per_second=0.1)
        frames_of(large, skip="nonkey")
        monkeypatch.setattr(hardware, "device_choice", lambda: "cpu")
        frames_of(large)
    assert opened
    assert not any(opened)


def test_damage_is_reported_by_the_software_decoder(large: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(large.read_bytes()[:-20000])
    with played(monkeypatch), pytest.raises(BrokenMedia, match=r"broken\.mp4"):
        frames_of(broken)


def test_a_request_for_a_missing_gpu_changes_nothing(large: Path, use_settings: Callable[..., None]) -> None:
    expected = frames_of(large, duration=0.2)
    use_settings(device="cuda")
    if hardware.cuda_works():
        pytest.skip("this machine has a GPU")
    assert_same(frames_of(large, duration=0.2), expected)


@pytest.mark.gpu
@pytest.mark.parametrize(("coding", "shown"), [
    ("-c:v libx264 -bf 3 -color_primaries bt709 -color_trc bt709 -colorspace bt709", "yuv420p"),
    ("-c:v libx265 -x265-params log-level=none -pix_fmt yuv420p10le", "yuv420p10le"),
    ("-c:v libvpx-vp9 -deadline realtime -cpu-used 8", "yuv420p"),
])  # fmt: skip
@pytest.mark.parametrize("turn", [0, 90])
def test_a_gpu_gives_the_same_pictures(
    make: Make, monkeypatch: pytest.MonkeyPatch, use_settings: Callable[..., None], coding: str, shown: str, turn: int
) -> None:
    if not hardware.cuda_works():
        assert os.environ.get("REELWRIGHT_REQUIRE_GPU") != "1", "REELWRIGHT_REQUIRE_GPU=1, and no GPU decodes here"
        pytest.skip("no GPU decodes here")
    flat = make("flat.mp4", "-f lavfi -i testsrc2=s=1280x720:r=25:d=2", coding)
    path = make("a.mp4", f"-display_rotation {turn} -i {flat} -c copy")
    use_settings(device="cpu")
    expected = frames_of(path)
    assert expected[0].picture.format.name == shown
    use_settings(device="cuda")
    with av.open(str(path), hwaccel=hardware.accelerator()) as container:
        assert container.streams.video[0].codec_context.is_hwaccel
    used: list[bool] = []
    original = hardware.use_hardware
    monkeypatch.setattr(hardware, "use_hardware", lambda stream, run: used.append(original(stream, run)) or used[-1])
    assert_same(frames_of(path), expected)
    assert used == [True]
