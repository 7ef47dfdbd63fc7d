"""Pictures and clips of known quality, and a Progress that records reports."""

from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.material.clips import sample_clip
from shared.video import VideoWriter, read_frames

WIDTH, HEIGHT, RATE = 320, 180, 10
REAL_VIEWS = {"bikes.mp4": (0.5, 2, 4, 6, 8.5, 9.8), "carphone_pristine.mp4": (1, 3), "bigbuckbunny.mp4": (1, 4)}
"""Real clips, and the seconds of the frames that tests rate."""


def scenery(seed: int, width: int = WIDTH, height: int = HEIGHT) -> NDArray[np.uint8]:
    """Draw a sharp, well exposed picture, (height, width, 3).

    It shows overlapping discs in many sizes and colours.
    """
    random = np.random.default_rng(seed)
    picture = np.full((height, width, 3), 110, np.uint8)
    for radius in sorted(random.pareto(1.5, 500) * 4 + 2, reverse=True):
        centre = int(random.integers(width)), int(random.integers(height))
        cv2.circle(picture, centre, int(min(radius, 60)), random.integers(20, 215, 3).tolist(), -1, cv2.LINE_AA)
    return picture


def ten_views() -> list[NDArray[np.uint8]]:
    """Draw ten pictures (448, 672, 3) as different from each other as photographs.

    They differ in content, light, colour, focus and noise.
    """
    width, height = 672, 448
    plain = [scenery(seed, width, height) for seed in range(10)]
    random = np.random.default_rng(0)
    sunset = np.linspace((250, 160, 90), (40, 20, 60), height).astype(np.uint8)[:, None].repeat(width, axis=1)
    portrait = cv2.GaussianBlur(plain[8], (0, 0), 12)
    cv2.ellipse(portrait, (336, 260), (110, 150), 0, 0, 360, (205, 160, 135), -1, cv2.LINE_AA)
    letters = np.full((height, width, 3), 245, np.uint8)
    for line in range(8):
        cv2.putText(letters, "the quick brown fox jumps", (20, 50 + 50 * line), cv2.FONT_HERSHEY_SIMPLEX, 1.4, (30, 30, 30), 3, cv2.LINE_AA)
    return [
        plain[0],
        (plain[1] * 0.2).astype(np.uint8),
        np.clip(plain[2] * 1.8 + 40, 0, 255).astype(np.uint8),
        (plain[3] * (1.0, 0.75, 0.4)).astype(np.uint8),
        cv2.GaussianBlur(plain[4], (0, 0), 6),
        np.clip(plain[5] + random.normal(0, 25, plain[5].shape), 0, 255).astype(np.uint8),
        np.repeat(cv2.cvtColor(plain[6], cv2.COLOR_RGB2GRAY)[..., None], 3, axis=2),
        sunset,
        portrait,
        letters,
    ]


def ten_real_views() -> list[NDArray[np.uint8]]:
    """Return ten frames (height, width, 3) of real clips, of eight shots."""
    views = []
    for name, seconds in REAL_VIEWS.items():
        for second in seconds:
            with read_frames(sample_clip(name), start=second) as frames:
                views.append(next(frames).rgb())
    return views


def write_video(path: Path, frames: list[NDArray[np.uint8]], *, rate: int = RATE, times: list[int] | None = None) -> Path:
    """Write a video of RGB frames.

    `times`: times of the frames in milliseconds; without them the frames are evenly spaced at `rate`.
    """
    height, width = frames[0].shape[:2]
    base = {"time_base": Fraction(1, 1000)} if times else {}
    with VideoWriter(path, width=width, height=height, frame_rate=Fraction(rate), quality=100, **base) as writer:
        for number, frame in enumerate(frames):
            writer.write(av.VideoFrame.from_ndarray(frame, "rgb24"), times[number] if times else number)
    return path


class RecordingProgress:
    """A Progress that records fractions and warnings."""

    def __init__(self):
        self.fractions, self.warnings, self._span = [], [], (0.0, 1.0)

    def __call__(self, done, total):
        start, end = self._span
        self.fractions.append(round(start + (end - start) * done / total, 9))

    def part(self, stage, start, end):
        inner = type(self)()
        inner.fractions, inner.warnings, inner._span = self.fractions, self.warnings, (start, end)
        return inner

    def warn(self, message):
        self.warnings.append(message)
