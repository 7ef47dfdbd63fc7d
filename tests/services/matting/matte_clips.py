"""Clips for the matting tests: red discs on gray, at known positions."""

from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np

from services.matting.matte import MatteParams, MatteResult, matte
from shared.operation import Progress
from shared.video import VideoWriter, read_frames
from tests.warning_log import WarningLog

WIDTH, HEIGHT, RADIUS = 320, 180, 22
RED = (230, 40, 40)
Centres = Sequence[tuple[float, float]]


def picture(centres: Centres, *, ground: int = 90, size: tuple[int, int] = (WIDTH, HEIGHT)) -> np.ndarray:
    """Draw a picture (h, w, 3) with a red disc at each centre."""
    width, height = size
    rng = np.random.default_rng(3)
    rgb = np.clip(ground + cv2.GaussianBlur(rng.normal(0, 60, (height, width, 1)).astype(np.float32), (0, 0), 3)[..., None], 0, 255)
    rgb = np.repeat(rgb.astype(np.uint8), 3, axis=2)
    for x, y in centres:
        cv2.circle(rgb, (round(x * 16), round(y * 16)), RADIUS * 16, RED, -1, cv2.LINE_AA, shift=4)
    return rgb


def disc(x: float, y: float) -> np.ndarray:
    """Return the mask of one disc, (h, w) bool."""
    rows, columns = np.mgrid[0:HEIGHT, 0:WIDTH]
    return np.hypot(columns - x, rows - y) < RADIUS


def write_clip(path: Path, pictures: Sequence[np.ndarray], *, pts: Sequence[int] | None = None, sound: bool = False, **more: Any) -> Path:
    height, width = pictures[0].shape[:2]
    with VideoWriter(path, width=width, height=height, frame_rate=Fraction(25), quality=95, **more) as writer:
        track = writer.add_audio(48_000, "stereo") if sound else None
        for number, rgb in enumerate(pictures):
            writer.write(av.VideoFrame.from_ndarray(rgb, format="rgb24"), number if pts is None else pts[number])
            if track is not None:
                track.write(np.full((2, 1920), 0.1, np.float32))
    return path


def run(
    tmp_path: Path, clip: Path, progress: Progress | None = None, *, inputs: dict[str, Path] | None = None, **params: Any
) -> MatteResult:
    """Run `matting.matte`; write its outputs to `tmp_path`, as alpha.mp4 and so on."""
    files = dict.fromkeys(("mask", "masks", "plate", "background")) | (inputs or {})
    outputs = {name: tmp_path / f"{name}.mp4" for name in ("alpha", "composite", "foreground")}
    return matte(MatteParams(**params), video=clip, **files, outputs=outputs, progress=progress or WarningLog())


def alphas(path: Path) -> list[np.ndarray]:
    """Read the mattes of a gray video, (h, w), 0 to 1."""
    with read_frames(path) as frames:
        return [np.clip((frame.luma().astype(np.float32) - 16) / 219, 0, 1) for frame in frames]


def iou(alpha: np.ndarray, truth: np.ndarray) -> float:
    solid = alpha > 0.5
    return float((solid & truth).sum() / max((solid | truth).sum(), 1))


def pictures_along(paths: Sequence[Callable[[int], tuple[float, float]]], frames: int) -> list[np.ndarray]:
    return [picture([path(number) for path in paths]) for number in range(frames)]
