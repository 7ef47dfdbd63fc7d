"""Takes of different places, and clips edited from them with known transitions."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import cv2
import numpy as np

from benchmarks.material.keyframe_corpus import REAL, Random, RealTake, RenderedTake, Rgb, Take, Truth


@dataclass(slots=True)
class TroubleClip:
    """A clip under construction: its pictures and true transitions."""

    pictures: list[Rgb] = field(default_factory=list)
    truths: list[Truth] = field(default_factory=list)
    rate: int = 25

    def shot(self, pictures: list[Rgb], *, kind: str = "cut", transition: int = 0) -> None:
        """Append a shot, and record the transition that leads to it.

        `transition`: length of the transition, whose pictures have been appended already.
        """
        at = len(self.pictures)
        if at:
            self.truths.append(Truth(kind, at - transition, at))
        self.pictures += pictures


def takes_of_places(random: Random) -> Iterator[Callable[[int], list[Rgb]]]:
    """Yield an endless series of takes, each of another place.

    A take is a function that returns its next `count` pictures.
    """
    order: list[int] = []
    while True:
        if random.random() < 0.6:
            order = order or random.permutation(len(REAL)).tolist()
            take: Take = RealTake(random, order.pop(), 1)
        else:
            take = RenderedTake(random, int(random.integers(0, 1 << 30)), "plain", 1)
        yield played(take, int(random.integers(0, 30)))


def played(take: Take, first: int) -> Callable[[int], list[Rgb]]:
    """Return a function that plays a take piece by piece, from picture `first` on.

    Each call returns the next `count` pictures.
    """
    at = first

    def play(count: int) -> list[Rgb]:
        nonlocal at
        at += count
        return [take(frame) for frame in range(at - count, at)]

    return play


def mixed(a: Rgb, b: Rgb | int, share: float) -> Rgb:
    """Blend `b`, a picture or a gray level, into picture `a` with weight `share`."""
    second = np.full_like(a, b) if isinstance(b, int) else b
    return np.asarray(cv2.addWeighted(a, 1 - share, second, share, 0), np.uint8)
