"""Grouping of pictures by count or by shot."""

from bisect import bisect_right
from collections.abc import Callable, Sequence

from pydantic import BaseModel, ConfigDict, Field

from shared.operation import cell

MAX_SHOTS = 100_000
"""Maximum number of shots of one video."""
_SLACK_S = 0.0005  # largest rounding error of a shot's times, in seconds

Grouping = Callable[[int, float | None], int | None]
"""A function that returns the number of a picture's group. Its arguments are the picture's number in its series and its time in seconds.
None means no group."""


class Shot(BaseModel):
    """A shot of a video.

    Other fields of a shot in a `keyframes.detect` result are ignored.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    start_s: float = Field(
        ge=0, le=1e6, description="Start of the shot, in seconds.", title="Start", json_schema_extra=cell(unit="s", widget="time")
    )
    end_s: float = Field(
        ge=0, le=1e6, description="End of the shot, in seconds.", title="End", json_schema_extra=cell(unit="s", widget="time")
    )


class VideoShots(BaseModel):
    """List of the shots of one video.

    Other fields of a video in a `keyframes.detect` result are ignored.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    shots: list[Shot] = Field(max_length=MAX_SHOTS, description="Shots in the order of time.", title="Shots")


def by_number(size: int) -> Grouping:
    """Return a function that groups every `size` consecutive pictures."""
    return lambda number, _time_s: number // size


def by_shot(shots: Sequence[Shot]) -> Grouping:
    """Return a function that groups pictures by shot.

    Pictures outside of all shots are in no group.
    """
    ordered = sorted(shots, key=lambda shot: shot.start_s)
    starts = [shot.start_s - _SLACK_S for shot in ordered]

    def group(_number: int, time_s: float | None) -> int | None:
        seconds = time_s or 0.0
        index = bisect_right(starts, seconds) - 1
        return index if index >= 0 and seconds < ordered[index].end_s - _SLACK_S else None

    return group
