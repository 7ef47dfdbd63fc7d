"""media.peaks: compute the waveform of a clip's sound."""

import math
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, Field

from shared.operation import Kind, Operation, Params, Progress, Silent, form
from shared.video import probe_video, read_audio

_MAX_VALUES = 30_000  # maximum number of values per channel if no rate is given
_FINEST = 50  # maximum number of values per second if no rate is given


class PeaksParams(Params):
    """Params of the waveform's resolution."""

    rate: int | None = Field(
        None,
        ge=1,
        le=1000,
        description="Values per second. Empty: 50, or fewer for clips of more than ten minutes.",
        title="Values per second",
        json_schema_extra=form("basics"),
    )


class PeaksResult(BaseModel):
    """Size of the written waveform."""

    channels: int = Field(description="Number of sound channels; 0 without sound.")
    rate: int = Field(description="Values per second; 0 without sound.")
    duration_s: float = Field(description="Length of the picture in seconds.")


class Peaks(PeaksResult):
    """Contents of a waveform file."""

    peaks: list[list[int]] = Field(description="For each channel the largest amplitude in each 1 / `rate` s, 0 to 255.")


def peaks(params: PeaksParams, *, video: Path, output: Path, progress: Progress = Silent()) -> PeaksResult:
    """Write the waveform of the first audio track as JSON.

    The file `output` contains `Peaks`. The waveform begins at time 0 of the picture, and is as long as the picture. A clip without sound
    has no peaks. Raises UnsupportedMedia and BrokenMedia.
    """
    info = probe_video(video)
    for warning in info.warnings:
        progress.warn(warning)
    length = info.length_s
    channels = info.audio[0].channels if info.audio else 0
    rate = (params.rate or max(min(_FINEST, int(_MAX_VALUES / max(length, 0.1))), 1)) if channels else 0
    loudest = np.zeros((channels, math.ceil(length * rate)), np.float32)
    if channels:
        with read_audio(video) as blocks:
            for block in blocks:
                _raise_to(loudest, block.samples, float(block.start), block.sample_rate, rate)
                progress(min(float(block.end), length), length)
    levels = np.rint(np.minimum(loudest, 1) * 255).astype(int)
    result = PeaksResult(channels=channels, rate=rate, duration_s=length)
    output.write_text(Peaks(**result.model_dump(), peaks=levels.tolist()).model_dump_json(), encoding="utf-8")
    progress(length, length)
    return result


def _raise_to(loudest: NDArray[np.float32], samples: NDArray[np.float32], start: float, sample_rate: int, rate: int) -> None:
    """Raise the peaks in `loudest` to the peaks of a block of sound, `samples`.

    `loudest`: (channels, values), changed in place. `samples`: (channels, n), from second `start` on. Their number of channels may differ,
    because it can change within a file.
    """
    places = ((start + np.arange(samples.shape[1]) / sample_rate) * rate).astype(np.int64)
    inside = (places >= 0) & (places < loudest.shape[1])
    for target, channel in zip(loudest, np.abs(samples), strict=False):
        np.maximum.at(target, places[inside], channel[inside])


PEAKS = Operation(
    name="media.peaks",
    title="Waveform",
    summary="Measure the waveform of a clip's sound",
    params=PeaksParams,
    result=PeaksResult,
    inputs={"video": Kind.VIDEO},
    outputs={"peaks": Kind.JSON},
    is_tool=False,
    run=peaks,
    version=4,
    example=PeaksParams(),
)
