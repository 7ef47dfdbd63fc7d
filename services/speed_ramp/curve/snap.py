"""The times that a curve's changes are moved to: those that were given, or the beats of the sound."""

from collections.abc import Iterator
from pathlib import Path
from typing import TypeVar

from services.speed_ramp.curve.beats import SAMPLE_RATE, beats
from services.speed_ramp.params import AnalyzeParams
from shared.errors import BrokenMedia, Invalid
from shared.operation import Progress
from shared.video import AudioBlock, VideoInfo, read_audio

P = TypeVar("P", bound=AnalyzeParams)


def with_times(params: P, video: Path, info: VideoInfo, progress: Progress) -> P:
    """The same params, with the beats of the first audio track (of the part that is used) in `snap_to` if it asks for beats.

    Raises Invalid if there is no sound, or no beat in it.
    """
    if params.snap_to != "beats":
        return params
    if not info.audio:
        raise _without_beats("the video has no sound to find beats in")
    length_s = params.duration or max(info.duration_s - params.start, 1e-3)
    with read_audio(video, sample_rate=SAMPLE_RATE, start=params.start or None, duration=params.duration) as blocks:

        def told() -> Iterator[AudioBlock]:
            for block in blocks:
                progress(min(float(block.end) - params.start, length_s), length_s)
                yield block

        try:
            found = beats(told())
        except BrokenMedia as error:
            raise _without_beats(f"the sound cannot be read ({error.detail})") from error
    progress(length_s, length_s)
    if not found:
        raise _without_beats("no beats were found in the sound")
    return params.model_copy(update={"snap_to": found})


def _without_beats(reason: str) -> Invalid:
    detail = f"{reason}. Give the times of the beats instead, or leave it empty"
    return Invalid(f"snap_to: {detail}.", errors=[{"field": "params.snap_to", "detail": detail}])
