"""Small clips of kinds that mislead shot detection, with known shots.

Each kind of `KINDS` was reported by people who cut video: punch-in cuts, blank frames between shots, captions that pop in, flashes at 60
fps and more. A seed makes one clip per kind. Seeds below 1000 are for tuning; nothing is fitted to the seeds from 5001 on.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import av
import cv2
import numpy as np

from benchmarks.material.keyframe_corpus import HEIGHT, REAL, WIDTH, Film, Random, RealTake, RenderedTake, Rgb, Take, Truth

FIRST_TEST_SEED = 5001
"""First seed that nothing may be fitted to."""


@dataclass(slots=True)
class _Cut:
    """A clip in the making: its pictures and true transitions."""

    pictures: list[Rgb] = field(default_factory=list)
    truths: list[Truth] = field(default_factory=list)
    rate: int = 25

    def shot(self, pictures: list[Rgb], *, kind: str = "cut", transition: int = 0) -> None:
        """Append a shot that begins with a transition.

        `transition`: length of the transition, which the last appended pictures hold already.
        """
        at = len(self.pictures)
        if at:
            self.truths.append(Truth(kind, at - transition, at))
        self.pictures += pictures


def _takes(random: Random) -> Iterator[Callable[[int], list[Rgb]]]:
    """Yield endless takes of different places.

    A take is a function that returns its next `count` pictures.
    """
    order: list[int] = []
    while True:
        if random.random() < 0.6:
            order = order or random.permutation(len(REAL)).tolist()
            take: Take = RealTake(random, order.pop(), 1)
        else:
            take = RenderedTake(random, int(random.integers(0, 1 << 30)), "plain", 1)
        yield _played(take, int(random.integers(0, 30)))


def _played(take: Take, first: int) -> Callable[[int], list[Rgb]]:
    at = first

    def play(count: int) -> list[Rgb]:
        nonlocal at
        at += count
        return [take(frame) for frame in range(at - count, at)]

    return play


def _mixed(a: Rgb, b: Rgb | int, share: float) -> Rgb:
    other = np.full_like(a, b) if isinstance(b, int) else b
    return np.asarray(cv2.addWeighted(a, 1 - share, other, share, 0), np.uint8)


def _zoomed(picture: Rgb, factor: float, center: tuple[float, float]) -> Rgb:
    w, h = WIDTH / factor, HEIGHT / factor
    x, y = (WIDTH - w) * center[0], (HEIGHT - h) * center[1]
    matrix = np.array([[factor, 0, -x * factor], [0, factor, -y * factor]])
    return np.asarray(cv2.warpAffine(picture, matrix, (WIDTH, HEIGHT), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), np.uint8)


def punch_in(random: Random) -> _Cut:
    """One take at changing sizes of 110 to 150 percent, as in videos of a talking head."""
    made, play, factor = _Cut(), _standing(random), 1.0
    center = (random.uniform(0.3, 0.7), random.uniform(0.2, 0.6))
    for _ in range(int(random.integers(5, 8))):
        count = int(random.integers(16, 40))
        made.shot([_zoomed(picture, factor, center) for picture in play(count)])
        factor = 1.0 if factor > 1 and random.random() < 0.7 else factor * random.uniform(1.1, 1.5)
        factor = factor if factor < 1.8 else 1.0
    return made


def _standing(random: Random) -> Callable[[int], list[Rgb]]:
    """Return a take with a quiet camera."""
    number = int(random.choice([0, 6, 6, len(REAL)]))
    if number < len(REAL):
        take: Take = RealTake(random, number, 1)
        take._rate = 0.0  # type: ignore[attr-defined]
        return _played(take, int(random.integers(0, 30)))
    return _played(_Head(random), 0)


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


def blank_frames(random: Random) -> _Cut:
    """One to eight plain frames between shots; also inside a shot, where they are a glitch."""
    made, takes = _Cut(), _takes(random)
    colors = ((255, 255, 255), (0, 0, 0), (200, 20, 20), (128, 128, 128), (16, 16, 18))
    for number in range(int(random.integers(4, 7))):
        play = next(takes)
        blank = int(random.integers(1, 6)) if number else 0
        color = colors[int(random.choice(5, p=[0.35, 0.35, 0.14, 0.08, 0.08]))]
        made.pictures += [np.full((HEIGHT, WIDTH, 3), color, np.uint8)] * blank
        made.shot(play(int(random.integers(24, 50))), transition=blank)
        if random.random() < 0.25:
            made.pictures += [np.full((HEIGHT, WIDTH, 3), color, np.uint8)] * int(random.integers(1, 4)) + play(20)
    return made


def plain_ramps(random: Random) -> _Cut:
    """Titles on pulsing grounds, colour wheels and fades of a flat picture, between two shots."""
    made, takes = _Cut(), _takes(random)
    if random.random() < 0.5:
        made.shot(next(takes)(30))
    kind, count, pace = random.choice(["pulse", "wheel", "fade", "gradient"]), int(random.integers(70, 140)), random.uniform(0.04, 0.2)
    ink = random.integers(0, 255, 3).tolist()
    written = random.random() < 0.7
    low, high = sorted(random.uniform(0, 255, 2)) if random.random() < 0.5 else (20.0, 240.0)
    hue = int(random.integers(0, 180))
    pictures = []
    for frame in range(count):
        wave = (1 + np.sin(pace * frame)) / 2
        if kind == "wheel":
            color = cv2.cvtColor(np.array([[[(hue + 40 * pace * frame) % 180, 200, 220]]], np.uint8), cv2.COLOR_HSV2RGB)[0, 0]
        elif kind == "fade":
            color = np.clip(np.array([low, (low + high) / 2, high]) * min(abs(frame - count / 2) / count * 2.2, 1), 0, 255)
        else:
            color = np.full(3, low + (high - low) * wave)
        picture = np.full((HEIGHT, WIDTH, 3), color, np.uint8)
        if kind == "gradient":
            shade = np.linspace(-30, 30, WIDTH)[None, :, None]
            picture = np.clip(picture + shade, 0, 255).astype(np.uint8)
        if written:
            cv2.putText(picture, "LOGO", (90, 105), cv2.FONT_HERSHEY_DUPLEX, 1.7, ink, 4, cv2.LINE_AA)
        pictures.append(picture)
    made.shot(pictures)
    if random.random() < 0.7:
        made.shot(next(takes)(30))
    return made


def overlays(random: Random) -> _Cut:
    """Bars, lower thirds, letterboxes, logos and inset pictures that pop in and out."""
    made, takes = _Cut(), _takes(random)
    for _ in range(3):
        pictures = next(takes)(70)
        kind = random.choice(["third", "letterbox", "corner", "inset", "banner"])
        begins, ends = int(random.integers(12, 26)), int(random.integers(38, 56))
        light, size = random.random() < 0.5, random.uniform(0.1, 0.24)
        ground = (235, 235, 235) if light else tuple(int(value) for value in random.integers(0, 70, 3))
        inset = next(takes)(1)[0]
        drawn = []
        for frame, source in enumerate(pictures):
            picture = source.copy()
            if begins <= frame < ends:
                if kind == "third":
                    top = int(HEIGHT * (1 - size))
                    picture[top:] = ground
                    _write(picture, "BREAKING NEWS", 12, top + int(HEIGHT * size * 0.6), light, 0.7)
                elif kind == "banner":
                    picture[10 : 10 + int(HEIGHT * size), 30:-30] = ground
                    _write(picture, "NEXT: 20:15", 44, 10 + int(HEIGHT * size * 0.7), light, 0.7)
                elif kind == "letterbox":
                    bar = int(HEIGHT * size / 1.8)
                    picture[:bar] = picture[-bar:] = 0
                elif kind == "corner":
                    cv2.circle(picture, (WIDTH - 45, 40), 30, ground, -1, cv2.LINE_AA)
                else:
                    w, h = int(WIDTH * size**0.5), int(HEIGHT * size**0.5)
                    picture[-h - 8 : -8, -w - 8 : -8] = cv2.resize(inset, (w, h), interpolation=cv2.INTER_AREA)
            drawn.append(picture)
        made.shot(drawn)
    return made


def captions(random: Random) -> _Cut:
    """Karaoke captions whose bar and words change every half second."""
    made, takes = _Cut(), _takes(random)
    words = ["THIS", "IS", "SO", "COOL", "AND", "EASY", "TO", "SEE", "WHEN", "YOU", "READ"]
    at, wide, bars, high = random.uniform(0.6, 0.8), random.uniform(0.5, 0.9), random.random() < 0.7, random.uniform(0.1, 0.18)
    beat = int(random.integers(8, 18))
    for _ in range(2):
        drawn = []
        for frame, source in enumerate(next(takes)(80)):
            picture, word = source.copy(), frame // beat
            top, left = int(HEIGHT * at), int(WIDTH * (1 - wide) / 2)
            light = word % 2 == 0
            if bars:
                picture[top : top + int(HEIGHT * high), left : WIDTH - left] = (240, 240, 240) if light else (15, 15, 15)
            _write(picture, " ".join(words[word % 10 : word % 10 + 2]), left + 12, top + int(HEIGHT * high * 0.75), light, 0.8)
            drawn.append(picture)
        made.shot(drawn)
    return made


def _write(picture: Rgb, text: str, x: int, y: int, dark: bool, size: float) -> None:
    cv2.putText(picture, text, (x, y), cv2.FONT_HERSHEY_DUPLEX, size, (10, 10, 10) if dark else (245, 245, 245), 1, cv2.LINE_AA)


def flashes(random: Random) -> _Cut:
    """Flashes of 0.04 to 0.2 seconds at 25 to 60 fps, with a cut or two."""
    made, takes = _Cut(rate=int(random.choice([25, 30, 50, 60, 60]))), _takes(random)
    for _ in range(2):
        pictures = next(takes)(int(2.2 * made.rate))
        for at in (0.5, 1.2):
            begins = int((at + random.uniform(0, 0.3)) * made.rate)
            length = max(round(random.uniform(0.04, 0.2) * made.rate), 1)
            strength, decays = random.uniform(0.5, 0.95), random.random() < 0.4
            for index in range(length):
                share = strength * (1 - index / length) if decays else strength
                pictures[begins + index] = _mixed(pictures[begins + index], 255, share)
        made.shot(pictures)
    return made


def intercuts(random: Random) -> _Cut:
    """Two takes in turn, each for three to five frames."""
    made, takes = _Cut(), _takes(random)
    made.shot(next(takes)(35))
    plays, length = (next(takes), next(takes)), int(random.integers(3, 6))
    for number in range(int(random.integers(6, 12))):
        made.shot(plays[number % 2](length))
    made.shot(next(takes)(35))
    return made


def every_frame(random: Random) -> _Cut:
    """A run of shots of one or two frames."""
    made, takes = _Cut(), _takes(random)
    made.shot(next(takes)(30))
    length = int(random.integers(1, 3))
    for _ in range(int(random.integers(6, 16))):
        made.shot(next(takes)(length))
    made.shot(next(takes)(30))
    return made


def flash_cuts(random: Random) -> _Cut:
    """Cuts under a flash of two to five frames that covers both shots."""
    made, takes = _Cut(rate=int(random.choice([25, 25, 30, 50]))), _takes(random)
    made.shot(next(takes)(40))
    for _ in range(3):
        length = max(round(random.uniform(0.06, 0.2) * made.rate), 2)
        light = [random.uniform(0.75, 1.0) for _ in range(length)]
        under = int(random.integers(0, length + 1))
        count = len(made.pictures)
        for index in range(under):
            made.pictures[count - under + index] = _mixed(made.pictures[count - under + index], 255, light[index])
        pictures = next(takes)(42)
        for index in range(under, length):
            pictures[index - under] = _mixed(pictures[index - under], 255, light[index])
        made.pictures += pictures[: length - under]
        made.truths.append(Truth("cut", count - under, count - under + length))
        made.pictures += pictures[length - under :]
    return made


def black_and_fade(random: Random) -> _Cut:
    """Hard cuts to black followed by a fade in, and fades to black followed by a hard cut."""
    made, takes = _Cut(), _takes(random)
    made.shot(next(takes)(40))
    for _ in range(3):
        length, hold = int(random.integers(10, 26)), int(random.integers(10, 30))
        black = [np.zeros((HEIGHT, WIDTH, 3), np.uint8)] * hold
        play = next(takes)
        if random.random() < 0.6:
            made.shot(black)
            at = len(made.pictures)
            made.pictures += [_mixed(picture, 0, 1 - (index + 1) / (length + 1)) for index, picture in enumerate(play(length))]
            made.truths.append(Truth("fade", at, at + length))
            made.pictures += play(40)
        else:
            at = len(made.pictures) - length
            for index in range(length):
                made.pictures[at + index] = _mixed(made.pictures[at + index], 0, (index + 1) / (length + 1))
            made.truths.append(Truth("fade", at, at + length))
            made.pictures += black
            made.shot(play(40))
    return made


def long_black(random: Random) -> _Cut:
    """Fades to two seconds of black or more, and out of it."""
    made, takes = _Cut(), _takes(random)
    made.shot(next(takes)(60))
    for _ in range(2):
        length, back, hold = int(random.integers(8, 30)), int(random.integers(8, 30)), int(random.integers(50, 140))
        at = len(made.pictures) - length
        for index in range(length):
            made.pictures[at + index] = _mixed(made.pictures[at + index], 0, (index + 1) / (length + 1))
        made.truths.append(Truth("fade", at, at + length))
        made.pictures += [np.zeros((HEIGHT, WIDTH, 3), np.uint8)] * hold
        play, at = next(takes), len(made.pictures)
        made.pictures += [_mixed(picture, 0, 1 - (index + 1) / (back + 1)) for index, picture in enumerate(play(back))]
        made.truths.append(Truth("fade", at, at + back))
        made.pictures += play(60)
    return made


def exposure(random: Random) -> _Cut:
    """Exposure and white balance that settle after a cut, or change in a second."""
    made, takes = _Cut(), _takes(random)
    for _ in range(3):
        pictures = next(takes)(75)
        begins, length = int(random.integers(0, 40)), int(random.integers(5, 30))
        first = random.choice([random.uniform(0.3, 0.6), random.uniform(1.4, 1.9)])
        tint = random.uniform(0.8, 1.2, 3) if random.random() < 0.5 else np.ones(3)
        settled = []
        for frame, picture in enumerate(pictures):
            share = float(np.clip((frame - begins) / length, 0, 1))
            settled.append(np.clip(picture * (first * tint * (1 - share) + share), 0, 255).astype(np.uint8))
        made.shot(settled)
    return made


def inner_window(random: Random) -> _Cut:
    """A picture in a still frame: only the inner window cuts."""
    made, takes = _Cut(), _takes(random)
    frame = cv2.GaussianBlur(next(takes)(1)[0], (0, 0), random.uniform(1, 4))
    w, h = int(WIDTH * random.uniform(0.55, 0.75)), int(HEIGHT * random.uniform(0.55, 0.75))
    x, y = int(random.integers(0, WIDTH - w)), int(random.integers(0, HEIGHT - h))
    for _ in range(5):
        pictures = []
        for source in next(takes)(int(random.integers(25, 45))):
            picture = frame.copy()
            picture[y : y + h, x : x + w] = cv2.resize(source, (w, h), interpolation=cv2.INTER_AREA)
            pictures.append(picture)
        made.shot(pictures)
    return made


def slides(random: Random) -> _Cut:
    """Slides with nothing but text, on one ground."""
    made = _Cut()
    dark = random.random() < 0.3
    ground, ink = ((28, 30, 36), (230, 230, 230)) if dark else ((250, 250, 250), (25, 25, 30))
    header = tuple(int(value) for value in random.integers(20, 160, 3)) if random.random() < 0.6 else ground
    for number in range(int(random.integers(4, 7))):
        picture = np.full((HEIGHT, WIDTH, 3), ground, np.uint8)
        picture[:22] = header
        cv2.putText(
            picture,
            f"Topic {number}",
            (8, 16),
            cv2.FONT_HERSHEY_SIMPLEX,
            0.45,
            (245, 245, 245) if header != ground else ink,
            1,
            cv2.LINE_AA,
        )
        rows = int(random.integers(4, 8))
        count, builds = int(random.integers(30, 60)), random.random() < 0.25
        shown, pictures = picture.copy(), []
        for row in range(rows):
            text = "- " + "".join(random.choice(list("abcdefghijklmnopqrstuvwxyz   "), int(random.integers(14, 38))))
            cv2.putText(picture, text, (10, 42 + 18 * row), cv2.FONT_HERSHEY_SIMPLEX, 0.36, ink, 1, cv2.LINE_AA)
            if row == rows - 2:
                shown = picture.copy()
        pictures = [shown] * (count // 2) + [picture] * (count // 2) if builds else [picture] * count
        made.shot(pictures)
    return made


def jumps(random: Random) -> _Cut:
    """Fast motion, shakes and stutter with a few hard cuts: nothing else is a cut."""
    made = _Cut()
    for _ in range(3):
        take = RenderedTake(random, int(random.integers(0, 1 << 30)), str(random.choice(["pans", "shakes"])), 1)
        pictures = [take(frame) for frame in range(60)]
        if random.random() < 0.5:  # every fourth picture is missing and the one before stands
            pictures = [pictures[frame - (frame % 4 == 3)] for frame in range(60)]
        made.shot(pictures)
    return made


KINDS: Mapping[str, Callable[[Random], _Cut]] = {
    kind.__name__.replace("_", " "): kind
    for kind in (
        punch_in,
        blank_frames,
        plain_ramps,
        overlays,
        captions,
        flashes,
        intercuts,
        every_frame,
        flash_cuts,
        black_and_fade,
        long_black,
        exposure,
        inner_window,
        slides,
        jumps,
    )
}


def trouble(path: Path, *, kind: str, seed: int) -> Film:
    """Write the clip of a kind and seed as MP4 with H.264, 320x180."""
    random = np.random.default_rng([seed, list(KINDS).index(kind)])
    made = KINDS[kind](random)
    options = {
        "crf": str(random.integers(17, 27)),
        "preset": str(random.choice(["veryfast", "medium"])),
        "g": str(random.choice([50, 250])),
        "bf": str(random.choice([0, 2, 3])),
        "threads": "2",
    }
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=made.rate, options=options)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for picture in made.pictures:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")))
        container.mux(stream.encode(None))
    return Film(path, kind, len(made.pictures), made.truths)
