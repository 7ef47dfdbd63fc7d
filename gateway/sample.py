"""The sample clip that every installation has: the examples of the API pages run on it as they stand."""

import asyncio
import logging
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from shared.errors import ReelwrightError, UnknownMedia
from shared.operation import Kind, Progress
from shared.runtime import Runtime
from shared.service import SAMPLE_ID
from shared.settings import PUBLIC

WIDTH, HEIGHT, RATE, SECONDS, SAMPLE_RATE = 640, 360, 30, 6, 48_000
log = logging.getLogger(__name__)


async def ensure_sample(runtime: Runtime) -> None:
    """Make the clip for every owner that has none. A failure is logged: the suite works without it."""
    for owner in runtime.settings.owners.values() or [PUBLIC]:
        try:
            await asyncio.to_thread(runtime.media.get, owner, SAMPLE_ID)
        except UnknownMedia:
            try:
                await _make(runtime, owner)
            except (ReelwrightError, OSError) as error:
                log.warning("the sample clip could not be made: %s", error)


async def _make(runtime: Runtime, owner: str) -> None:
    with runtime.media.incoming() as incoming:
        path = incoming.folder / "sample.mp4"
        await runtime.work(f"{__name__}:draw", {"path": str(path)})
        found = await runtime.probe(path)
        await asyncio.to_thread(
            runtime.media.publish,
            incoming,
            file=path,
            media_id=SAMPLE_ID,
            owner=owner,
            name="sample.mp4",
            kind=Kind.VIDEO,
            content_type=found["content_type"],
            suffix=found["suffix"],
            source="upload",
            media=found["media"],
            expires=False,
        )


def draw(args: dict[str, Any], progress: Progress) -> dict[str, Any]:
    """Write the clip to `args["path"]`: a ball that rolls slowly, dashes, and rests, over a textured ground, with a tick each second."""
    from shared.video import VideoWriter

    frames = RATE * SECONDS
    time = np.arange(frames) / RATE
    speed = 0.03 + 0.5 * np.exp(-(((time - 2.5) / 0.5) ** 2)) * (time < 4.5)  # frame widths a second
    position = 0.1 + np.cumsum(np.where(time < 4.5, speed, 0)) / RATE
    rows, columns = np.mgrid[0:HEIGHT, 0:WIDTH]
    ground = (60 + 25 * np.sin(columns / 17) * np.sin(rows / 13) + 40 * rows / HEIGHT).astype(np.float32)
    chroma = np.full((HEIGHT // 2, WIDTH // 2), 128, np.uint8)
    with VideoWriter(Path(args["path"]), width=WIDTH, height=HEIGHT, frame_rate=Fraction(RATE)) as writer:
        track = writer.add_audio(sample_rate=SAMPLE_RATE, layout="stereo")
        for number in range(frames):
            distance = np.hypot(columns - position[number] * WIDTH, rows - HEIGHT * 0.55)
            ball = np.clip(34 - distance, 0, 1)
            luma = ground * (1 - ball) + (200 - distance) * ball
            red = np.where(distance[::2, ::2] < 34, 190, chroma).astype(np.uint8)
            writer.write((np.clip(luma, 16, 235).astype(np.uint8), chroma, red), pts=number)
            track.write(_sound(number))
            progress(number + 1, frames)
    return {}


def _sound(frame: int) -> np.ndarray[Any, np.dtype[np.float32]]:
    """One frame's worth of a soft tone, with a tick at each full second; float32 (2, samples)."""
    at = np.arange(SAMPLE_RATE // RATE) / SAMPLE_RATE + frame / RATE
    tick = np.sin(2 * np.pi * 1000 * at) * (at % 1 < 0.03)
    return np.tile((0.06 * np.sin(2 * np.pi * 220 * at) + 0.4 * tick).astype(np.float32), (2, 1))
