"""Films with known shots, for measuring the accuracy of shot detection.

Real and rendered footage is cut together with all kinds of transitions and difficulties. A seed makes one film, with the same pictures on
every machine. The `profile` of a film is its difficulty. Films of PROFILES change shot every second or two, so that few frames hold many
transitions. LONG has the shot lengths of feature films and series.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any, Protocol

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.material.clips import sample_clip
from shared.video import read_frames

WIDTH, HEIGHT, RATE = 320, 180, 25
PROFILES = ("plain", "flashes", "pans", "shakes", "letterbox", "dark", "grain", "low-bitrate", "vfr", "all")
"""Difficulties of a film; `all` mixes them."""

LONG = "long"
"""Profile with shots of 5 seconds on average, mostly hard cuts. Lengths are log-normal; nine of ten transitions are cuts; keyframes and
B-frames are x264's own."""

REAL = (
    ("bigbuckbunny.mp4", 0, 132),
    ("bikes.mp4", 0, 30),
    ("bikes.mp4", 30, 76),
    ("bikes.mp4", 76, 137),
    ("bikes.mp4", 137, 187),
    ("bikes.mp4", 187, 242),
    ("carphone_pristine.mp4", 0, 120),
)
"""Shots of the real clips: file, first frame, frame after the last. The cuts were determined by eye."""

_FLASHES = {"flashes": 0.8, "all": 0.3, LONG: 0.05}  # profile -> probability of a flash in a shot

Rgb = NDArray[np.uint8]
Random = np.random.Generator


@dataclass(frozen=True, slots=True)
class Truth:
    """A ground-truth transition of a film."""

    kind: str
    start: int
    """First frame that no longer shows the old shot alone."""
    end: int
    """First frame that shows the new shot alone."""

    @property
    def hard(self) -> bool:
        return self.kind == "cut"


@dataclass(slots=True)
class Film:
    """A video file with its ground-truth transitions."""

    path: Path
    profile: str
    frames: int
    truths: list[Truth] = field(default_factory=list)
    events: list[tuple[str, int]] = field(default_factory=list)
    """Flashes, which may look like a change of shot: kind and first frame."""


class Take(Protocol):
    """An endless shot: called with a frame number, it returns that frame's picture."""

    def __call__(self, frame: int) -> Rgb: ...


def film(path: Path, *, seed: int, profile: str, transitions: int = 28, scale: int = 1) -> Film:
    """Write a film with random shots of a profile; equal seeds give equal films.

    `path`: the file (MP4, H.264, 320 x 180 times `scale`). `transitions`: number of transitions.
    """
    random = np.random.default_rng([seed, [*PROFILES, LONG].index(profile)])
    film = Film(path, profile, 0)
    with _Encoder(path, random, profile, scale) as encoder:
        for picture in _finished(_cut_together(random, profile, transitions, film, scale), random, profile):
            encoder.write(picture)
            film.frames += 1
    return film


def _cut_together(random: Random, profile: str, transitions: int, film: Film, scale: int) -> Iterator[Rgb]:
    at, take, offset, family = 0, *_new_take(random, profile, None, scale)
    for number in range(transitions + 1):
        hold = _hold(random, profile)
        yield from _with_events(random, profile, take, offset, hold, film, at)
        at, offset = at + hold, offset + hold
        if number == transitions:
            return
        shares = [0.89, 0.03, 0.06, 0.02] if profile == LONG else [0.55, 0.12, 0.23, 0.1]
        kind = str(random.choice(["cut", "fade", "dissolve", "wipe"], p=shares))
        new, first, family = _new_take(random, profile, family, scale)
        length = 0 if kind == "cut" else int(random.choice([4, 7, 10, 14, 20, 28, 40]))
        film.truths.append(Truth(kind, at, at + length))
        yield from _mixed(random, kind, length, (take, offset), (new, first))
        at, take, offset = at + length, new, first + length


def _hold(random: Random, profile: str) -> int:
    """Choose the number of a shot's frames between its two transitions."""
    return int(np.clip(random.lognormal(np.log(4.05 * RATE), 0.65), 15, 500)) if profile == LONG else int(random.integers(10, 64))


def _mixed(random: Random, kind: str, length: int, old: tuple[Take, int], new: tuple[Take, int]) -> Iterator[Rgb]:
    """Yield `length` frames of a transition from the take `old` to the take `new`.

    The first frame has a little of the new picture, the last a little of the old.
    """
    light = 255 if random.random() < 0.25 else 0
    angle, soft = random.uniform(0, 2 * np.pi), random.choice([1.0, 20.0])
    height, width = old[0](old[1]).shape[:2]
    color = np.full((height, width, 3), light, np.uint8)
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    along = np.cos(angle) * (x - width / 2) + np.sin(angle) * (y - height / 2)
    along = (along - along.min()) / (along.max() - along.min())
    for index in range(length):
        share = (index + 1) / (length + 1)
        a, b = old[0](old[1] + index), new[0](new[1] + index)
        if kind == "dissolve":
            yield cv2.addWeighted(a, 1 - share, b, share, 0)
        elif kind == "fade":
            yield (
                cv2.addWeighted(a, 1 - 2 * share, color, 2 * share, 0)
                if share < 0.5
                else cv2.addWeighted(b, 2 * share - 1, color, 2 - 2 * share, 0)
            )
        else:
            edge = soft / WIDTH
            mask = np.clip((share * (1 + edge) - along) / edge, 0, 1)[..., None]
            yield (a * (1 - mask) + b * mask).astype(np.uint8)


def _with_events(random: Random, profile: str, take: Take, offset: int, hold: int, film: Film, at: int) -> Iterator[Rgb]:
    flash = profile in _FLASHES and hold > 34 and random.random() < _FLASHES[profile]
    begins = int(random.integers(12, hold - 14)) if flash else hold
    length = int(random.integers(1, 5))
    strength = random.uniform(0.5, 1.0)
    whole = random.random() < 0.6
    if flash:
        film.events.append(("flash", at + begins))
    for index in range(hold):
        picture = take(offset + index)
        if begins <= index < begins + length:
            light = np.full_like(picture, 255)
            if not whole:
                third = picture.shape[1] // 3
                light[:, :third] = picture[:, :third]
            picture = cv2.addWeighted(picture, 1 - strength, light, strength, 0)
        yield picture


def _finished(pictures: Iterator[Rgb], random: Random, profile: str) -> Iterator[Rgb]:
    """Add a profile's bars, darkness and grain to a film's pictures."""
    bars = profile == "letterbox" or (profile == "all" and random.random() < 0.5)
    gain = random.uniform(0.1, 0.2) if profile == "dark" else 1.0
    grain = {"grain": 14.0, "dark": 3.0, "all": 5.0}.get(profile, 0.0)
    grains = random.spawn(1)[0]  # a separate generator, so that grain does not change the shots of the film
    for picture in pictures:
        if gain < 1:
            picture = cv2.convertScaleAbs(picture, alpha=gain)
        if grain:
            noise = grain * grains.standard_normal(picture.shape, dtype=np.float32)
            picture = np.clip(picture + noise, 0, 255).astype(np.uint8)
        if bars:
            height, picture = len(picture), picture.copy()
            picture[: height // 8] = picture[-height // 8 :] = 0
        yield picture


def _new_take(random: Random, profile: str, family: int | None, scale: int) -> tuple[Take, int, int]:
    """Make a take of a scene; return it, its first frame and family.

    The scene is real or rendered. A family consists of similar takes. `family`: family of the previous take. After a rendered take, one
    take in five stays in its family.
    """
    if random.random() < 0.5:
        choices = [number for number in range(len(REAL)) if number != family]
        number = int(random.choice(choices))
        return RealTake(random, number, scale), int(random.integers(0, 40)), number
    if family is None or family < len(REAL) or random.random() > 0.4:
        family = len(REAL) + int(random.integers(0, 1 << 30))
    return RenderedTake(random, family, profile, scale), 0, family


class RealTake:
    """A part of a real clip, played back and forth.

    It is cropped, mirrored, graded, or slowly zoomed.
    """

    def __init__(self, random: Random, number: int, scale: int):
        self._frames = _clip(number, scale)
        self._size = (scale * WIDTH, scale * HEIGHT)
        self._mirror, self._reverse = random.random() < 0.5, random.random() < 0.5
        self._zoom, self._rate = random.uniform(1.0, 1.6), random.choice([0.0, 0.0, 0.002, -0.001])
        self._center = random.uniform(0.35, 0.65, 2)
        self._gain, self._gamma, self._tint = random.uniform(0.8, 1.15), random.uniform(0.8, 1.25), random.uniform(0.92, 1.08, 3)
        table = np.linspace(0, 1, 256)[:, None] ** self._gamma * self._gain * self._tint[None]
        self._table = np.clip(table * 255, 0, 255).astype(np.uint8)[:, None]

    def __call__(self, frame: int) -> Rgb:
        count = len(self._frames)
        at = frame % (2 * count - 2)
        at = at if at < count else 2 * count - 2 - at
        picture = self._frames[count - 1 - at if self._reverse else at]
        zoom = max(self._zoom + self._rate * frame, 1.0)
        height, width = picture.shape[:2]
        w, h = width / zoom, height / zoom
        x, y = (width - w) * self._center[0], (height - h) * self._center[1]
        grow = self._size[0] / w, self._size[1] / h
        matrix = np.array([[grow[0], 0, -x * grow[0]], [0, grow[1], -y * grow[1]]])
        small = cv2.warpAffine(picture, matrix, self._size, flags=cv2.INTER_LINEAR)
        graded = cv2.LUT(small, self._table)
        return np.ascontiguousarray(graded[:, ::-1]) if self._mirror else graded


@cache
def _clip(number: int, scale: int) -> list[Rgb]:
    name, first, stop = REAL[number]
    frames = []
    with read_frames(sample_clip(name)) as clip:
        for frame in clip:
            if frame.index >= stop:
                break
            if frame.index >= first:
                # Pictures are larger than the film, so that a zoom still has detail.
                frames.append(cv2.resize(frame.rgb(), (scale * WIDTH * 5 // 4, scale * HEIGHT * 5 // 4), interpolation=cv2.INTER_AREA))
    return frames


class RenderedTake:
    """A landscape of coloured noise with moving objects.

    The camera stands, pans, zooms, whips or shakes.
    """

    def __init__(self, random: Random, family: int, profile: str, scale: int):
        palette = np.random.default_rng(family)
        self._scale = scale
        self._back = _noise(
            random, 3 * WIDTH * scale, 2 * HEIGHT * scale, slope=palette.uniform(1.0, 1.9), colors=palette.uniform(0, 255, (4, 3))
        )
        self._objects = [_Object(random, palette) for _ in range(int(random.integers(0, 5)))]
        self._pan = random.normal(0, 2.0, 2) * (random.random() < 0.4)
        self._grow = random.choice([0.0, 0.0, 0.003, -0.002])
        shaky = {"shakes": 0.8, "all": 0.3}.get(profile, 0.1)
        self._shake = random.uniform(2, 9) * (random.random() < shaky)
        self._jitter = random.normal(0, 1, (64, 2))
        whips = {"pans": 0.8, "all": 0.3, LONG: 0.05}.get(profile, 0.0)
        self._whip = random.uniform(20, 60) * random.choice([-1, 1]) * (random.random() < whips)
        self._whip_at, self._whip_for = int(random.integers(10, 30)), int(random.integers(5, 12))

    def __call__(self, frame: int) -> Rgb:
        whipped = min(max(frame - self._whip_at, 0), self._whip_for) * self._whip
        shift = self._pan * frame + self._shake * self._jitter[frame % 64] + (whipped, 0)
        zoom = 1.0 + self._grow * frame
        scale = self._scale
        matrix = np.array([[zoom, 0, -scale * (shift[0] + WIDTH)], [0, zoom, -scale * (shift[1] + HEIGHT / 2)]])
        size = (scale * WIDTH, scale * HEIGHT)
        picture = cv2.warpAffine(self._back, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
        if self._whip and self._whip_at <= frame < self._whip_at + self._whip_for:
            picture = cv2.blur(picture, (max(int(abs(self._whip) / 2) * scale, 1), 1))
        for item in self._objects:
            item.draw(picture, frame, shift, scale)
        return picture


class _Object:
    def __init__(self, random: Random, palette: Random):
        self._color = tuple(int(value) for value in palette.uniform(0, 255, 3))
        self._at, self._speed = random.uniform(0, 1, 2) * (WIDTH, HEIGHT), random.normal(0, 3.0, 2)
        self._size, self._turn = random.uniform(10, 60, 2), random.normal(0, 4)

    def draw(self, picture: Rgb, frame: int, shift: NDArray[np.float64], scale: int) -> None:
        x, y = (self._at + self._speed * frame - shift) % (1.5 * WIDTH, 1.5 * HEIGHT) - (0.25 * WIDTH, 0.25 * HEIGHT)
        cv2.ellipse(picture, ((scale * x, scale * y), tuple(scale * self._size), self._turn * frame), self._color, -1, cv2.LINE_AA)


def _noise(random: Random, width: int, height: int, *, slope: float, colors: NDArray[np.float64]) -> Rgb:
    """Paint noise with a natural spectrum, in `colors` from dark to light."""
    fy, fx = np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width)[None]
    spectrum = np.fft.rfft2(random.normal(size=(height, width))) / np.maximum(np.hypot(fx, fy), 1 / width) ** slope
    field_ = np.fft.irfft2(spectrum, s=(height, width))
    field_ = np.clip((field_ - field_.mean()) / (4 * field_.std()) + 0.5, 0, 1)
    order = np.argsort(colors.sum(axis=1))
    steps = np.linspace(0, 1, len(colors))
    return np.stack([np.interp(field_, steps, colors[order, c]) for c in range(3)], axis=-1).astype(np.uint8)


class _Encoder:
    """An encoder that writes a film with x264.

    Keyframe distance, B-frames, quality and frame times vary from film to film.
    """

    def __init__(self, path: Path, random: Random, profile: str, scale: int):
        self._container: Any = av.open(str(path), "w")
        self._stream = self._container.add_stream("libx264", rate=RATE)
        self._stream.width, self._stream.height, self._stream.pix_fmt = scale * WIDTH, scale * HEIGHT, "yuv420p"
        crf = {"low-bitrate": random.integers(36, 42), "all": random.integers(20, 36)}.get(profile, random.integers(18, 26))
        self._stream.codec_context.time_base = self._base = Fraction(1, 12_800)
        own = {"crf": "18", "preset": "faster", "g": "250", "keyint_min": "25", "bf": "3", "sc_threshold": "40"}
        self._stream.options = (
            own
            if profile == LONG
            else {
                "crf": str(crf),
                "preset": str(random.choice(["veryfast", "veryfast", "fast"])),
                "g": str(random.choice([50, 125, 250])),
                "bf": str(random.choice([0, 2, 3])),
                "sc_threshold": str(random.choice([0, 40, 40])),
                "threads": "2",
            }
        )
        self._vary = random if profile == "vfr" or (profile == "all" and random.random() < 0.5) else None
        self._pts = 0

    def write(self, picture: Rgb) -> None:
        frame = av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(format="yuv420p", dst_colorspace="ITU709")
        frame.pts, frame.time_base = self._pts, self._base
        self._container.mux(self._stream.encode(frame))
        self._pts += 512 if self._vary is None else int(self._vary.choice([256, 512, 512, 768, 1024]))

    def __enter__(self) -> "_Encoder":
        return self

    def __exit__(self, *error: object) -> None:
        self._container.mux(self._stream.encode(None))
        self._container.close()
