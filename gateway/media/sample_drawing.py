"""Drawing of the sample media: a clip, a picture, a matte, a background.

A child process calls the `draw_` functions, each of which writes the requested file.
"""

from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from shared.file_calls import FileRequest
from shared.operation import Progress

WIDTH, HEIGHT, RATE, SECONDS, SAMPLE_RATE, RADIUS = 640, 360, 30, 6, 48_000, 34


def draw_picture(request: FileRequest, _progress: Progress) -> None:
    """Draw a picture of coloured discs over a textured ground."""
    from PIL import Image

    rows, columns = np.mgrid[0:HEIGHT, 0:WIDTH]
    ground = 60 + 25 * np.sin(columns / 17) * np.sin(rows / 13) + 40 * rows / HEIGHT
    picture = np.stack([ground, ground * 0.9, ground * 1.1], axis=-1)
    for number, color in enumerate([(230, 90, 60), (70, 170, 90), (60, 110, 220), (240, 200, 80)]):
        distance = np.hypot(columns - WIDTH * (0.2 + 0.2 * number), rows - HEIGHT * (0.4 + 0.2 * (number % 2)))
        picture = np.where((distance < 60)[..., None], np.array(color) - distance[..., None], picture)
    Image.fromarray(np.clip(picture, 0, 255).astype(np.uint8)).save(request.path)


def draw_clip(request: FileRequest, progress: Progress) -> None:
    """Draw a clip of a ball that rolls slowly, dashes and rests.

    The sound ticks at each full second.
    """
    from shared.video import VideoWriter

    frames = RATE * SECONDS
    position = _ball_path(frames)
    rows, columns = np.mgrid[0:HEIGHT, 0:WIDTH]
    ground = _ground()
    chroma = np.full((HEIGHT // 2, WIDTH // 2), 128, np.uint8)
    with VideoWriter(Path(request.path), width=WIDTH, height=HEIGHT, frame_rate=Fraction(RATE)) as writer:
        track = writer.add_audio(sample_rate=SAMPLE_RATE, layout="stereo")
        for number in range(frames):
            left = 2 * int(position[number] * WIDTH / 2 - RADIUS / 2 - 1)
            part = slice(left, left + 2 * RADIUS + 4)  # the columns that the ball touches
            distance = np.hypot(columns[:, part] - position[number] * WIDTH, rows[:, part] - HEIGHT * 0.55)
            ball = np.clip(RADIUS - distance, 0, 1)
            luma, red = ground.copy(), chroma.copy()
            luma[:, part] = luma[:, part] * (1 - ball) + (200 - distance) * ball
            red[:, left // 2 : left // 2 + RADIUS + 2][distance[::2, ::2] < RADIUS] = 190
            writer.write((np.clip(luma, 16, 235).astype(np.uint8), chroma, red), pts=number)
            track.write(_sound(number))
            progress(number + 1, frames)


def draw_matte(request: FileRequest, progress: Progress) -> None:
    """Draw the matte of the sample clip: a white ball on black."""
    from shared.video import VideoWriter

    frames = RATE * SECONDS
    position = _ball_path(frames)
    rows, columns = np.mgrid[0:HEIGHT, 0:WIDTH]
    chroma = np.full((HEIGHT // 2, WIDTH // 2), 128, np.uint8)
    with VideoWriter(Path(request.path), width=WIDTH, height=HEIGHT, frame_rate=Fraction(RATE)) as writer:
        for number in range(frames):
            distance = np.hypot(columns - position[number] * WIDTH, rows - HEIGHT * 0.55)
            writer.write((np.rint(16 + 219 * np.clip(RADIUS - distance, 0, 1)).astype(np.uint8), chroma, chroma), pts=number)
            progress(number + 1, frames)


def draw_plate(request: FileRequest, _progress: Progress) -> None:
    """Draw the background of the sample clip, without the ball."""
    from PIL import Image

    gray = np.clip(np.rint((np.clip(_ground(), 16, 235) - 16) * 255 / 219), 0, 255).astype(np.uint8)
    Image.fromarray(np.repeat(gray[..., None], 3, axis=2)).save(request.path)


def _ground() -> np.ndarray[Any, np.dtype[np.float32]]:
    """Return the brightness (luma) of the textured ground, as (HEIGHT, WIDTH)."""
    rows, columns = np.mgrid[0:HEIGHT, 0:WIDTH]
    return np.asarray(60 + 25 * np.sin(columns / 17) * np.sin(rows / 13) + 40 * rows / HEIGHT, np.float32)


def _ball_path(frames: int) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Return the ball's horizontal position in each frame, in picture widths."""
    time = np.arange(frames) / RATE
    speed = 0.03 + 0.5 * np.exp(-(((time - 2.5) / 0.5) ** 2)) * (time < 4.5)  # widths a second
    return 0.1 + np.cumsum(np.where(time < 4.5, speed, 0)) / RATE


def _sound(frame: int) -> np.ndarray[Any, np.dtype[np.float32]]:
    """Return the sound that plays during frame number `frame`.

    A soft tone with a tick at each full second: float32 (2, samples), -1 to 1.
    """
    time = np.arange(SAMPLE_RATE // RATE) / SAMPLE_RATE + frame / RATE
    tick = np.sin(2 * np.pi * 1000 * time) * (time % 1 < 0.03)
    return np.tile((0.06 * np.sin(2 * np.pi * 220 * time) + 0.4 * tick).astype(np.float32), (2, 1))
