"""Which pictures compete with each other."""

from bisect import bisect_right
from collections.abc import Callable

from services.aesthetics.params import BestFramesParams, VideoShots
from services.aesthetics.scoring import Scored
from shared.errors import Invalid

Grouping = Callable[[int, Scored], int | None]
"""From the number of a picture in its series, and the picture, to the number of its group; None for those in no group."""

_SLACK_S = 0.0005


def grouping(params: BestFramesParams, source: int, sources: int) -> Grouping:
    """How the pictures of one video are grouped. Raises Invalid where `shots` are not one list for each video."""
    if params.group_by == "time":
        return lambda number, one: number // params.group_size
    assert params.shots is not None  # the params see to it
    if len(params.shots) != sources:
        raise Invalid(f"shots are given for {len(params.shots)} videos, but there are {sources}: give one list for each, in their order.")
    return by_shot(params.shots[source])


def by_shot(given: VideoShots) -> Grouping:
    """One group for each shot; what lies between shots is in none."""
    shots = sorted(given.shots, key=lambda shot: shot.start_s)
    starts = [shot.start_s - _SLACK_S for shot in shots]

    def group(number: int, one: Scored) -> int | None:
        time_s = one.look.time_s or 0.0
        index = bisect_right(starts, time_s) - 1
        return index if index >= 0 and time_s < shots[index].end_s - _SLACK_S else None

    return group
