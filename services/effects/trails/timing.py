"""Which frames a trail is made of."""

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from services.effects.scene.moments import Moment

Direction = Literal["behind", "ahead", "both"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """`layers` ghosts, `spacing` frames or (`seconds`) seconds apart, on the sides that `direction` names."""

    layers: int
    spacing: float
    seconds: bool
    direction: Direction

    @property
    def length(self) -> float:
        """Distance from the frame to its last ghost."""
        return self.layers * self.spacing

    def frames(self, rate: float) -> int:
        """Frames from the first to the last that a trail needs, the frame itself among them, at `rate` frames a second."""
        one_side = int(self.length * rate if self.seconds else self.length) + 1
        return 1 + one_side * (2 if self.direction == "both" else 1)


@dataclass(frozen=True, slots=True, eq=False)
class Trailed:
    """A frame and its ghosts: each with its number, 1 for the one next to the frame."""

    moment: Moment
    ghosts: list[tuple[int, Moment]]


def trails(moments: Iterable[Moment], reach: Reach, *, most: int) -> Iterator[Trailed]:
    """Every frame with its ghosts, all of one shot. At most `most` frames are held, those of one trail.

    Where a shot does not reach back (or ahead) far enough, the ghosts move together: the trail grows out of the subject in the first
    frame of a shot, and ghosts that lie ahead close in on it in the last. A ghost that would be the frame itself is left out.
    """
    held: deque[Moment] = deque()
    current = 0
    for moment in moments:
        held.append(moment)
        # More than `most` only where a file's frames are much closer in time than its rate says: then the trail is shorter.
        while current < len(held) and (_complete(held, current, reach) or len(held) > most):
            yield _trailed(held, current, reach)
            current = _forget(held, current + 1, reach, most)
    while current < len(held):
        yield _trailed(held, current, reach)
        current = _forget(held, current + 1, reach, most)


def _complete(held: deque[Moment], current: int, reach: Reach) -> bool:
    last = held[-1]
    return reach.direction == "behind" or last.shot != held[current].shot or _distance(held[current], last, reach) >= reach.length


def _forget(held: deque[Moment], current: int, reach: Reach, most: int) -> int:
    """Let go of what the trail of `current` and those after it do not need; its new place."""
    following = held[min(current, len(held) - 1)]
    behind = 0.0 if reach.direction == "ahead" else reach.length
    while current > 0:
        first = held[0]
        if len(held) < most and first.shot == following.shot and _distance(first, following, reach) <= behind:
            break
        held.popleft()
        current -= 1
    return current


def _trailed(held: deque[Moment], current: int, reach: Reach) -> Trailed:
    moment = held[current]
    ghosts: list[tuple[int, Moment]] = []
    for side in {"behind": (-1,), "ahead": (1,), "both": (-1, 1)}[reach.direction]:
        places = range(current, -1, -1) if side < 0 else range(current, len(held))
        away = [(_distance(moment, held[place], reach), held[place]) for place in places if held[place].shot == moment.shot]
        spacing = min(reach.spacing, away[-1][0] / reach.layers)
        at = 0
        for number in range(1, reach.layers + 1):
            while at + 1 < len(away) and abs(away[at + 1][0] - number * spacing) < abs(away[at][0] - number * spacing):
                at += 1
            if at:
                ghosts.append((number, away[at][1]))
    return Trailed(moment, ghosts)


def _distance(a: Moment, b: Moment, reach: Reach) -> float:
    return abs(float(b.seconds - a.seconds)) if reach.seconds else abs(b.index - a.index)
