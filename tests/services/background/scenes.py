"""Drawn clips whose background is known.

They show a wide drawn wall, a camera that pans, rolls, zooms and tilts, and a subject with a soft matte.
"""

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from shared.video import VideoWriter

RGB = NDArray[np.uint8]
RATE = Fraction(25)


@dataclass(frozen=True, kw_only=True)
class Shoot:
    """The settings of a drawn clip: size, camera motion, light and subject.

    `pan` is a share of the width, `roll` is in degrees, `zoom` and `light` are shares, `tilt` is per pixel.
    """

    frames: int = 40
    width: int = 480
    height: int = 270
    pan: float = 0.25
    roll: float = 2.0
    zoom: float = 0.06
    tilt: float = 4e-5
    light: float = 0.0
    noise: float = 2.0
    bystander: float = 0.0  # share of the clip in which a second person, who is not in the matte, stands in view; from 1/4 of the clip on
    subject: bool = True
    wander: float = 0.22
    seed: int = 0


def wall(width: int, height: int, seed: int = 0) -> RGB:
    """Draw a wide picture with detail at every scale.

    It has noise, discs, boxes, lines and flat areas.
    """
    random = np.random.default_rng(seed)
    picture = np.full((height, width, 3), 120, np.float32)
    for octave in range(2, 9):
        size = max(width >> octave, 2), max(height >> octave, 2)
        noise = random.standard_normal((size[1], size[0], 3)).astype(np.float32)
        picture += cv2.resize(noise, (width, height), interpolation=cv2.INTER_CUBIC) * 2.0 ** (octave - 8) * 26
    for _ in range(90):
        x, y = int(random.integers(0, width)), int(random.integers(0, height))
        colour = tuple(float(value) for value in random.integers(20, 235, 3))
        thickness = -1 if random.random() < 0.4 else int(random.integers(1, 5))
        if random.random() < 0.5:
            corner = x + int(random.integers(8, width // 10)), y + int(random.integers(8, height // 5))
            cv2.rectangle(picture, (x, y), corner, colour, thickness)
        else:
            cv2.circle(picture, (x, y), int(random.integers(5, height // 9)), colour, thickness)
    return np.clip(cv2.GaussianBlur(picture, (0, 0), 0.7), 0, 255).astype(np.uint8)


def camera(shoot: Shoot, k: int) -> NDArray[np.float64]:
    """Return the matrix from pixels of frame `k` to those of a camera at rest."""
    t = k / max(shoot.frames - 1, 1)
    w, h = shoot.width, shoot.height
    across, down = shoot.pan * w * (t - 0.5) + (4 * np.sin(7 * t) if shoot.pan else 0), (0.03 * h * np.sin(5 * t) if shoot.pan else 0)
    angle, size = np.deg2rad(shoot.roll * np.sin(6.3 * t)), 1 + shoot.zoom * np.sin(4 * t + 1)
    centre = np.array([[1, 0, -w / 2], [0, 1, -h / 2], [0, 0, 1.0]])
    turn = np.array(
        [
            [size * np.cos(angle), -size * np.sin(angle), 0],
            [size * np.sin(angle), size * np.cos(angle), 0],
            [shoot.tilt * np.sin(3 * t), shoot.tilt * np.cos(4 * t), 1],
        ]
    )
    back = np.array([[1, 0, w / 2 + across], [0, 1, h / 2 + down], [0, 0, 1.0]])
    matrix = back @ turn @ centre
    return np.asarray(matrix / matrix[2, 2], np.float64)


def subject_alpha(shoot: Shoot, k: int) -> NDArray[np.uint8]:
    """Draw the matte of a swaying, person-like shape, uint8 (height, width)."""
    w, h = shoot.width, shoot.height
    picture = np.zeros((h, w), np.uint8)
    if not shoot.subject:
        return picture
    t = k / max(shoot.frames - 1, 1)
    head, feet = w * (0.5 + shoot.wander * np.sin(5.1 * t)), w * (0.5 + 0.4 * shoot.wander * np.sin(5.1 * t))
    cv2.ellipse(picture, ((head, h * 0.28), (h * 0.17, h * 0.22), 0), 255, -1)
    cv2.line(picture, (int(head), int(h * 0.36)), (int(feet), int(h * 0.98)), 255, int(h * 0.2))
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), 1.2), np.uint8)


class Clip:
    """A drawn clip with known backgrounds and mattes."""

    def __init__(self, shoot: Shoot) -> None:
        self.shoot = shoot
        self.wall = wall(int(shoot.width * 2.2), int(shoot.height * 1.8), shoot.seed)
        self._centre = np.array(
            [[1, 0, (self.wall.shape[1] - shoot.width) / 2], [0, 1, (self.wall.shape[0] - shoot.height) / 2], [0, 0, 1.0]]
        )

    def matrix(self, k: int) -> NDArray[np.float64]:
        """Return the matrix from pixels of frame `k` to pixels of the wall."""
        return np.asarray(self._centre @ camera(self.shoot, k), np.float64)

    def background(self, k: int, *, left: int = 0, top: int = 0, size: tuple[int, int] | None = None) -> RGB:
        """Draw the background of frame `k` without subject, light and noise.

        With `size`, draw a canvas on which the frame lies at `left`, `top`.
        """
        shift = np.array([[1, 0, left], [0, 1, top], [0, 0, 1.0]])
        matrix = shift @ np.linalg.inv(self.matrix(k))
        size = size or (self.shoot.width, self.shoot.height)
        return np.asarray(cv2.warpPerspective(self.wall, matrix, size, flags=cv2.INTER_CUBIC), np.uint8)

    def frame(self, k: int) -> tuple[RGB, NDArray[np.uint8]]:
        """Draw frame `k` and its matte."""
        shoot, t = self.shoot, k / max(self.shoot.frames - 1, 1)
        w, h = shoot.width, shoot.height
        picture = self.background(k).astype(np.float32)
        if shoot.bystander and 0.22 < t < 0.22 + shoot.bystander:
            place = cv2.perspectiveTransform(np.array([[[w * 0.86, h * 0.6]]]), np.linalg.inv(self.matrix(k)) @ self._centre)[0, 0]
            cv2.ellipse(picture, ((float(place[0]), float(place[1])), (h * 0.16, h * 0.4), 0), (30, 160, 40), -1)
        alpha = subject_alpha(shoot, k)
        y, x = np.mgrid[0:h, 0:w]
        person = np.stack([180 + 40 * np.sin(x / 9), 60 + 30 * np.sin(y / 13), 70 + 30 * np.cos((x + y) / 17)], axis=-1)
        weight = alpha.astype(np.float32)[..., None] / 255
        picture = (picture * (1 - weight) + person * weight) * (1 + shoot.light * np.sin(6 * t))
        picture += np.random.default_rng(shoot.seed * 1000 + k).standard_normal(picture.shape) * shoot.noise
        return np.clip(np.rint(picture), 0, 255).astype(np.uint8), alpha

    def write(self, folder: Path, **options: Any) -> tuple[Path, Path]:
        """Write the clip and its matte as MP4 files; return their paths."""
        video, matte = folder / "clip.mp4", folder / "matte.mp4"
        shoot = self.shoot
        with (
            VideoWriter(video, width=shoot.width, height=shoot.height, frame_rate=RATE, quality=95, **options) as clip,
            VideoWriter(matte, width=shoot.width, height=shoot.height, frame_rate=RATE, quality=95) as gray,
        ):
            for k in range(shoot.frames):
                rgb, alpha = self.frame(k)
                clip.write(rgb_picture(rgb), k)
                gray.write(rgb_picture(np.repeat(alpha[..., None], 3, axis=2)), k)
        return video, matte


def rgb_picture(rgb: RGB) -> Any:
    """Convert an RGB array to a PyAV frame."""
    import av

    return av.VideoFrame.from_ndarray(np.ascontiguousarray(rgb), format="rgb24")


def psnr(a: RGB, b: RGB, where: NDArray[np.bool_] | None = None) -> float:
    """Return the PSNR of `a` and `b` in dB, within a mask.

    `where` is the mask.
    """
    squared = (a.astype(np.float32) - b.astype(np.float32)) ** 2
    error = squared[where].mean() if where is not None else squared.mean()
    return float(10 * np.log10(255**2 / max(float(error), 1e-9)))
