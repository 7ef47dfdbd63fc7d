"""Clips whose cuts are small, close together, or amid fast motion."""

from collections.abc import Callable

import cv2
import numpy as np

from benchmarks.material.keyframe_corpus import HEIGHT, REAL, WIDTH, Random, RealTake, RenderedTake, Rgb, Take
from benchmarks.material.trouble.takes import TroubleClip, played, takes_of_places


def punch_in(random: Random) -> TroubleClip:
    """Make a clip that cuts between a take and enlargements of it.

    Videos of a talking head do this. Each cut enlarges the picture by 10 to 50 percent, or goes back to the whole picture.
    """
    clip, play, factor = TroubleClip(), _standing(random), 1.0
    center = (random.uniform(0.3, 0.7), random.uniform(0.2, 0.6))
    for _ in range(int(random.integers(5, 8))):
        count = int(random.integers(16, 40))
        clip.shot([zoomed(picture, factor, center) for picture in play(count)])
        factor = 1.0 if factor > 1 and random.random() < 0.7 else factor * random.uniform(1.1, 1.5)
        factor = factor if factor < 1.8 else 1.0
    return clip


def zoomed(picture: Rgb, factor: float, center: tuple[float, float]) -> Rgb:
    """Enlarge a picture by `factor` around `center`.

    `center`: in shares of width and height.
    """
    w, h = WIDTH / factor, HEIGHT / factor
    x, y = (WIDTH - w) * center[0], (HEIGHT - h) * center[1]
    matrix = np.array([[factor, 0, -x * factor], [0, factor, -y * factor]])
    return np.asarray(cv2.warpAffine(picture, matrix, (WIDTH, HEIGHT), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), np.uint8)


def _standing(random: Random) -> Callable[[int], list[Rgb]]:
    """Return a function that plays a take with a nearly still camera."""
    number = int(random.choice([0, 6, 6, len(REAL)]))
    if number < len(REAL):
        take: Take = RealTake(random, number, 1)
        take._rate = 0.0  # type: ignore[attr-defined]
        return played(take, int(random.integers(0, 30)))
    return played(_Head(random), 0)


class _Head:
    """A drawn head that talks and nods before a still room."""

    def __init__(self, random: Random):
        rendered = RenderedTake(random, int(random.integers(0, 1 << 30)), "plain", 1)
        self._room = rendered(0) if random.random() < 0.7 else np.full((HEIGHT, WIDTH, 3), random.integers(40, 220, 3), np.uint8)
        self._skin, self._coat = random.integers(60, 230, 3), random.integers(10, 200, 3)
        self._x, self._pace = WIDTH * random.uniform(0.4, 0.6), random.uniform(0.1, 0.3, 3)

    def __call__(self, frame: int) -> Rgb:
        picture = self._room.copy()
        x, y = self._x + 5 * np.sin(self._pace[0] * frame), 80 + 4 * np.sin(self._pace[1] * frame)
        cv2.ellipse(picture, ((x, 185), (150, 110), 0), self._coat.tolist(), -1, cv2.LINE_AA)
        cv2.ellipse(picture, ((x, y), (62, 84), 0), self._skin.tolist(), -1, cv2.LINE_AA)
        dark = (self._skin * 0.35).astype(int).tolist()
        for side in (-14, 14):
            cv2.ellipse(picture, ((x + side, y - 12), (9, 5), 0), dark, -1, cv2.LINE_AA)
        cv2.ellipse(picture, ((x, y + 22), (22, 5 + 5 * abs(np.sin(3 * self._pace[2] * frame))), 0), dark, -1, cv2.LINE_AA)
        return picture


def intercuts(random: Random) -> TroubleClip:
    """Make a clip that alternates between two takes.

    They change every three to five frames.
    """
    clip, takes = TroubleClip(), takes_of_places(random)
    clip.shot(next(takes)(35))
    plays, length = (next(takes), next(takes)), int(random.integers(3, 6))
    for number in range(int(random.integers(6, 12))):
        clip.shot(plays[number % 2](length))
    clip.shot(next(takes)(35))
    return clip


def every_frame(random: Random) -> TroubleClip:
    """Make a clip with a series of shots of only one or two frames."""
    clip, takes = TroubleClip(), takes_of_places(random)
    clip.shot(next(takes)(30))
    length = int(random.integers(1, 3))
    for _ in range(int(random.integers(6, 16))):
        clip.shot(next(takes)(length))
    clip.shot(next(takes)(30))
    return clip


def jumps(random: Random) -> TroubleClip:
    """Make a clip of fast motion, shakes and stutter, with two hard cuts.

    Nothing else is a cut.
    """
    clip = TroubleClip()
    for _ in range(3):
        take = RenderedTake(random, int(random.integers(0, 1 << 30)), str(random.choice(["pans", "shakes"])), 1)
        pictures = [take(frame) for frame in range(60)]
        if random.random() < 0.5:  # every fourth picture is missing and the one before stands
            pictures = [pictures[frame - (frame % 4 == 3)] for frame in range(60)]
        clip.shot(pictures)
    return clip
