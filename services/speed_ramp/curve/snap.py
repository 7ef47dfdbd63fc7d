"""Times to which a curve's points snap: given times, or a clip's beats."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal

from services.speed_ramp.curve.beats import SAMPLE_RATE, beats
from shared.errors import BrokenMedia, Invalid
from shared.operation import Progress
from shared.video import AudioBlock, VideoInfo, read_audio

SnapTo = Sequence[float] | Literal["beats"] | None


def snap_times(
    snap_to: SnapTo, video: Path, info: VideoInfo, *, start: float, duration: float | None, progress: Progress
) -> Sequence[float] | None:
    """Return the source seconds to snap to: listed times, or the clip's beats.

    `snap_to` lists times. None without `snap_to`. The beats are those of the first audio track. `start`, `duration`: the part of the source
    to search, in seconds. Raises Invalid if the video has no sound or the sound no beats.
    """
    if snap_to is None or not isinstance(snap_to, str):
        return snap_to
    if not info.audio:
        raise _no_beats("`beats` needs sound, and the video has none")
    length_s = duration or max(info.length_s - start, 1e-3)
    with read_audio(video, sample_rate=SAMPLE_RATE, start=start or None, duration=duration) as blocks:

        def reporting() -> Iterator[AudioBlock]:
            for block in blocks:
                progress(min(float(block.end) - start, length_s), length_s)
                yield block

        try:
            times = beats(reporting())
        except BrokenMedia as error:
            raise _no_beats(f"the sound cannot be read for `beats` ({error.detail})") from error
    progress(length_s, length_s)
    if not times:
        raise _no_beats("no beats were found in the sound")
    return times


def _no_beats(reason: str) -> Invalid:
    detail = f"{reason}. Give a list of times instead, or leave snap_to empty"
    return Invalid.field("params.snap_to", detail)
