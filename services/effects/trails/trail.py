"""Choice of the frames whose ghosts form a trail."""

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Annotated, Generic, TypeVar

from services.effects.scene.moments import Moment
from shared.choices import OneOf

SIDES: dict[str, tuple[int, ...]] = {"behind": (-1,), "ahead": (1,), "both": (-1, 1)}
"""Direction of a trail -> its ghosts' sides in time: -1 earlier, 1 later."""

Direction = Annotated[str, OneOf(SIDES)]

P = TypeVar("P")
M = TypeVar("M", bound=Moment)


@dataclass(frozen=True, slots=True, kw_only=True)
class TrailExtent:
    """Number, spacing and direction of a trail's ghosts."""

    layers: int
    """Number of ghosts on each side."""
    spacing: float
    """Distance between two ghosts, in frames or seconds."""
    seconds: bool
    """Whether `spacing` is in seconds."""
    direction: Direction

    @property
    def length(self) -> float:
        """Distance from a frame to its farthest ghost, in frames or seconds."""
        return self.layers * self.spacing

    @property
    def sides(self) -> int:
        """Number of directions in time that have ghosts, 1 or 2."""
        return len(SIDES[self.direction])

    def frames(self, rate: float) -> int:
        """Return the number of frames that a trail spans at `rate` fps.

        Includes the frame itself.
        """
        one_side = int(self.length * rate if self.seconds else self.length) + 1
        return 1 + one_side * self.sides


@dataclass(frozen=True, slots=True, eq=False)
class Trail(Generic[P, M]):
    """A frame with the ghosts of its trail."""

    picture: P
    own: M
    """Ghost made of the frame itself."""
    ghosts: list[tuple[int, M]]
    """Pairs of number and ghost, for ghosts of other frames. On each side in time, ghost 1 is the nearest."""


def trails(frames: Iterable[tuple[P, M]], reach: TrailExtent, *, max_held: int) -> Iterator[Trail[P, M]]:
    """Yield the trail of every frame, in order.

    `frames`: each frame's picture and the ghost made of it. All ghosts of a trail are of one shot. Near the ends of a shot, where there are
    too few frames for the trail, ghosts are closer together: the trail grows out of the subject at the start of a shot, and ghosts ahead
    close in on the subject at the end. The frame's own ghost is left out. Holds the ghosts of one trail, at most `max_held`, and pictures
    only until their trail is complete.
    """
    held: deque[M] = deque()
    pictures: deque[P] = deque()
    current = 0
    for picture, ghost in frames:
        held.append(ghost)
        pictures.append(picture)
        # More than `max_held` ghosts occur only if frames are much denser than the file's frame rate. The trail is then shortened.
        while current < len(held) and (_complete(held, current, reach) or len(held) > max_held):
            yield Trail(pictures.popleft(), held[current], _ghosts(held, current, reach))
            current = _forget(held, current + 1, reach, max_held)
    while current < len(held):
        yield Trail(pictures.popleft(), held[current], _ghosts(held, current, reach))
        current = _forget(held, current + 1, reach, max_held)


def _complete(held: deque[M], current: int, reach: TrailExtent) -> bool:
    """Return whether `held` contains all ghosts for `held[current]`."""
    last = held[-1]
    return reach.direction == "behind" or last.shot != held[current].shot or _distance(held[current], last, reach) >= reach.length


def _forget(held: deque[M], current: int, reach: TrailExtent, max_held: int) -> int:
    """Drop ghosts that no later trail needs, from the start of `held`.

    `current`: index of the next frame's ghost in `held`. Returns its new index.
    """
    following = held[min(current, len(held) - 1)]
    behind = 0.0 if reach.direction == "ahead" else reach.length
    while current > 0:
        first = held[0]
        if len(held) < max_held and first.shot == following.shot and _distance(first, following, reach) <= behind:
            break
        held.popleft()
        current -= 1
    return current


def _ghosts(held: deque[M], current: int, reach: TrailExtent) -> list[tuple[int, M]]:
    """Choose the ghosts for the trail of `held[current]`."""
    own = held[current]
    ghosts: list[tuple[int, M]] = []
    for side in SIDES[reach.direction]:
        places = range(current, -1, -1) if side < 0 else range(current, len(held))
        away = [(_distance(own, held[place], reach), held[place]) for place in places if held[place].shot == own.shot]
        spacing = min(reach.spacing, away[-1][0] / reach.layers)
        at = 0
        for number in range(1, reach.layers + 1):
            while at + 1 < len(away) and abs(away[at + 1][0] - number * spacing) < abs(away[at][0] - number * spacing):
                at += 1
            if at:
                ghosts.append((number, away[at][1]))
    return ghosts


def _distance(a: Moment, b: Moment, reach: TrailExtent) -> float:
    return abs(float(b.seconds - a.seconds)) if reach.seconds else abs(b.index - a.index)
