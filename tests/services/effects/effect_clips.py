"""Clips for the effects' tests: a disc that moves over a moving texture."""

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from services.effects.motion_trails import MotionTrailsParams, MotionTrailsResult, motion_trails
from shared.operation import Progress
from shared.video import Frame, VideoWriter, read_frames
from shared.video.frames.planes import picture_from

WIDTH, HEIGHT = 320, 180
Gray = NDArray[np.uint8]
Spot = Callable[[int], tuple[float, float]]


class RecordingProgress:
    """A Progress that records fractions and warnings."""

    def __init__(self) -> None:
        self.fractions: list[float] = []
        self.warnings: list[str] = []

    def __call__(self, done: float, total: float) -> None:
        self.fractions.append(done / total)

    def part(self, stage: str, start: float, end: float) -> Progress:
        return self

    def warn(self, message: str) -> None:
        self.warnings.append(message)


def ground(seed: int = 1, *, height: int = 720, width: int = 1280, low: int = 60, high: int = 160) -> Gray:
    """Draw a soft random texture, larger than a frame."""
    noise = np.random.default_rng(seed).normal(size=(height, width)).astype(np.float32)
    soft = cv2.GaussianBlur(noise, (0, 0), 4) * 8 + cv2.GaussianBlur(noise, (0, 0), 1.2)
    soft = (soft - soft.min()) / (soft.max() - soft.min())
    return (low + soft * (high - low)).astype(np.uint8)


def still(index: int) -> tuple[float, float]:
    """Return the constant position of a camera on a tripod."""
    return 200.0, 200.0


def view(texture: Gray, camera: tuple[float, float], *, width: int = WIDTH, height: int = HEIGHT) -> Gray:
    """Cut out the part of the texture whose upper left corner is at `camera`."""
    shift = np.array([[1, 0, -camera[0]], [0, 1, -camera[1]]], np.float64)
    return cv2.warpAffine(texture, shift, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)


def with_disc(luma: Gray, centre: tuple[float, float], *, radius: float = 16, level: int = 225) -> Gray:
    """Draw a bright disc with a smooth edge over `luma`."""
    rows, columns = np.mgrid[0 : luma.shape[0], 0 : luma.shape[1]]
    part = np.clip(radius + 0.5 - np.hypot(columns - centre[0], rows - centre[1]), 0, 1)
    return np.rint(luma * (1 - part) + level * part).astype(np.uint8)


def scene(camera: Spot, disc: Spot | None, *, seed: int = 1, **size: int) -> Callable[[int], Gray]:
    """Return a function that draws frame `i` with a disc.

    It shows the view at `camera(i)`; the disc is at `disc(i)`.
    """
    texture = ground(seed)

    def luma(index: int) -> Gray:
        picture = view(texture, camera(index), **size)
        return picture if disc is None else with_disc(picture, disc(index))

    return luma


def write(
    path: Path,
    luma: Callable[[int], Gray],
    *,
    frames: int,
    rate: Fraction = Fraction(30),
    times: Callable[[int], int] | None = None,
    quality: int = 95,
    pixel_format: str = "yuv420p",
    sound: bool = False,
    **more: Any,
) -> Path:
    """Write a clip whose frame `i` has the luma plane `luma(i)`.

    `times`: times of the frames in units of 1 / (4 * rate).
    """
    height, width = luma(0).shape
    deep = 4 if "10le" in pixel_format else 1
    half = (height, width) if "444" in pixel_format else (-(-height // 2), -(-width // 2))
    gray = np.full(half, 128 * deep, np.uint16 if deep > 1 else np.uint8)
    base = 1 / rate / 4 if times else None
    with VideoWriter(
        path, width=width, height=height, frame_rate=rate, time_base=base, quality=quality, pixel_format=pixel_format, **more
    ) as writer:
        track = writer.add_audio(48000, "stereo") if sound else None
        for index in range(frames):
            plane = luma(index).astype(gray.dtype) * deep
            alpha = (np.full((height, width), 255, np.uint8),) if "yuva" in pixel_format else ()
            writer.write((plane, gray, gray, *alpha), times(index) if times else index)
            if track is not None:
                at = np.arange(round(index / rate * 48000), round((index + 1) / rate * 48000)) / 48000
                track.write(np.tile((0.3 * np.sin(2 * np.pi * 440 * at)).astype(np.float32), (2, 1)))
    return path


def lumas(path: Path) -> list[Gray]:
    """Read the luma planes of a short clip."""
    with read_frames(path, to_sdr8=True) as frames:
        return [frame.luma().copy() for frame in frames]


def frame_of(luma: Gray, index: int = 0) -> Frame:
    """Convert luma to a gray frame, as if decoded from a file."""
    chroma = np.full((-(-luma.shape[0] // 2), -(-luma.shape[1] // 2)), 128, np.uint8)
    picture = picture_from((luma, chroma, chroma), luma.shape[1], luma.shape[0], "yuv420p")
    return Frame(index, Fraction(1, 30), 1, index, picture)


def trails_of(
    path: Path, output: Path, *, matte: Path | None = None, progress: RecordingProgress | None = None, **params: Any
) -> MotionTrailsResult:
    """Run `effects.motion-trails` on the clip `path`; return its result."""
    request = MotionTrailsParams.model_validate({"quality": 95} | params)
    return motion_trails(request, video=path, matte=matte, output=output, progress=progress or RecordingProgress())


def psnr(a: NDArray[Any], b: NDArray[Any]) -> float:
    """Return the peak signal-to-noise ratio of 8-bit pictures in dB."""
    error = float(np.mean((a.astype(np.float64) - b) ** 2))
    return 99.0 if error == 0 else float(10 * np.log10(255**2 / error))
