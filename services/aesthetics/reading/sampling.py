"""Sampling of video frames at a given rate."""

from collections.abc import Generator
from pathlib import Path

from pydantic import Field

from shared.operation import Params, form
from shared.video import Frame, read_frames


class SampleParams(Params):
    """Params that choose frames of a video."""

    sample_rate: float = Field(
        1.0,
        ge=0.001,
        le=240,
        description="Frames per second to use; at most all frames of the video.",
        title="Frames per second",
        json_schema_extra=form("basics", unit="fps"),
    )
    start: float = Field(
        0.0,
        ge=0,
        le=1e6,
        description="Start of the part to use, in seconds of each video.",
        title="Start",
        json_schema_extra=form("more", unit="s", widget="time", role="part_start"),
    )
    duration: float | None = Field(
        None,
        gt=0,
        le=1e6,
        description="Length of the part to use, in seconds. Empty: up to the end.",
        title="Length",
        json_schema_extra=form("more", unit="s", role="part_length"),
    )


def sampled(video: Path, params: SampleParams, *, prefetch: int = 4) -> Generator[Frame, None, None]:
    """Yield the sampled frames of a video as 8-bit SDR.

    Close the generator to end early.
    """
    with read_frames(
        video,
        opaque=True,
        start=params.start or None,
        duration=params.duration,
        per_second=params.sample_rate,
        to_sdr8=True,
        prefetch=prefetch,
    ) as frames:
        yield from frames
