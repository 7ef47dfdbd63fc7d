"""Clips with known shots: generated scenes, edited at known frames."""

from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from shared.video import VideoWriter
from shared.video.frames.planes import picture_from

WIDTH, HEIGHT = 320, 180
Rgb = NDArray[np.uint8]


def scene(seed: int, *, speed: float = 1.0) -> Iterator[Rgb]:
    """Yield endless frames of moving noise.

    The noise is soft and coloured, and drifts by `speed` pixels per frame.
    """
    random = np.random.default_rng(seed)
    palette = random.integers(30, 226, 3) + random.normal(0, 45, (5, 28, 3))
    colors = cv2.resize(palette, (4 * WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)
    fine = random.normal(0, 14, (HEIGHT, 4 * WIDTH, 1))
    wide = np.clip(colors + fine, 0, 255).astype(np.uint8)
    frame = 0
    while True:
        at = int(speed * frame) % (3 * WIDTH)
        yield wide[:, at : at + WIDTH]
        frame += 1


def frames_of(seed: int, count: int, *, speed: float = 0.3) -> list[Rgb]:
    """Return the first `count` frames of a scene."""
    source = scene(seed, speed=speed)
    return [np.ascontiguousarray(next(source)) for _ in range(count)]


def dissolve(a: Rgb, b: Rgb, share: float) -> Rgb:
    return cv2.addWeighted(a, 1 - share, b, share, 0)


def wipe(a: Rgb, b: Rgb, share: float) -> Rgb:
    mixed, edge = a.copy(), round(share * WIDTH)
    mixed[:, :edge] = b[:, :edge]
    return mixed


def fade(a: Rgb, b: Rgb, share: float) -> Rgb:
    black = np.zeros_like(a)
    return dissolve(a, black, 2 * share) if share < 0.5 else dissolve(black, b, 2 * share - 1)


MIXES = {"dissolve": dissolve, "wipe": wipe, "fade": fade}


def cut_together(parts: Sequence[tuple[int, str | None, int]], *, speed: float = 1.0) -> tuple[list[Rgb], list[tuple[int, int]]]:
    """Join scenes with transitions; return the frames and the transitions' ranges.

    `parts`: (frames, kind of transition to the next scene, frames of the transition). Returns the frames, and for each transition its first
    frame and the frame after its last.
    """
    frames: list[Rgb] = []
    truths = []
    scenes = [scene(seed, speed=speed) for seed in range(len(parts))]
    for number, (count, kind, length) in enumerate(parts):
        frames += [next(scenes[number]) for _ in range(count)]
        if number + 1 < len(parts):
            truths.append((len(frames), len(frames) + length))
            for index in range(length):
                share = (index + 1) / (length + 1)
                frames.append(MIXES[str(kind)](next(scenes[number]), next(scenes[number + 1]), share))
    return frames, truths


def write(path: Path, frames: Sequence[Rgb], *, ticks: Sequence[int] | None = None, quality: int = 70) -> Path:
    """Write frames at 25 fps, or at the times `ticks` in milliseconds."""
    height, width = frames[0].shape[:2]
    times = ticks or [40 * index for index in range(len(frames))]
    with VideoWriter(
        path, width=width, height=height, frame_rate=Fraction(25), time_base=Fraction(1, 1000), quality=quality, encoder="libx264"
    ) as writer:
        for rgb, pts in zip(frames, times, strict=True):
            planes = cv2.cvtColor(np.ascontiguousarray(rgb), cv2.COLOR_RGB2YUV_I420)
            y, u, v = planes[:height], planes[height : height * 5 // 4], planes[height * 5 // 4 :]
            half = (height // 2, width // 2)
            writer.write(picture_from((y, u.reshape(half), v.reshape(half)), width, height, "yuv420p"), pts, duration=40)
    return path


def write_with_keys(path: Path, frames: Sequence[Rgb], distance: int) -> Path:
    """Write frames at 25 fps with a keyframe every `distance` frames.

    Cuts get no keyframes of their own.
    """
    height, width = frames[0].shape[:2]
    with av.open(str(path), "w") as file:
        stream = file.add_stream("libx264", rate=25, options={"g": str(distance), "sc_threshold": "0", "preset": "veryfast"})
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for frame in frames:
            file.mux(stream.encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(frame), format="rgb24")))
        file.mux(stream.encode())
    return path
