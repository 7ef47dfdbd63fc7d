"""Which pictures compete with each other."""

from bisect import bisect_right
from collections.abc import Callable

from services.aesthetics.params import VideoShots
from services.aesthetics.selection.scoring import Scored

Grouping = Callable[[int, Scored], int | None]
"""From the number of a picture in its series, and the picture, to the number of its group; None for those in no group."""

_SLACK_S = 0.0005


def by_number(size: int) -> Grouping:
    """Groups of `size` pictures, one after the other."""
    return lambda number, one: number // size


def by_shot(given: VideoShots) -> Grouping:
    """One group for each shot; what lies between shots is in none."""
    shots = sorted(given.shots, key=lambda shot: shot.start_s)
    starts = [shot.start_s - _SLACK_S for shot in shots]

    def group(number: int, one: Scored) -> int | None:
        time_s = one.look.time_s or 0.0
        index = bisect_right(starts, time_s) - 1
        return index if index >= 0 and time_s < shots[index].end_s - _SLACK_S else None

    return group
