"""Clips with titles, captions, overlays, picture-in-picture and slides."""

import cv2
import numpy as np

from benchmarks.material.keyframe_corpus import HEIGHT, WIDTH, Random, Rgb
from benchmarks.material.trouble.takes import TroubleClip, takes_of_places


def plain_ramps(random: Random) -> TroubleClip:
    """Make a clip of a plain picture that pulses, changes its hue or fades.

    It mostly has a title. A shot may precede it, and another may follow.
    """
    clip, takes = TroubleClip(), takes_of_places(random)
    if random.random() < 0.5:
        clip.shot(next(takes)(30))
    kind, count, pace = random.choice(["pulse", "wheel", "fade", "gradient"]), int(random.integers(70, 140)), random.uniform(0.04, 0.2)
    ink = random.integers(0, 255, 3).tolist()
    has_text = random.random() < 0.7
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
        if has_text:
            cv2.putText(picture, "LOGO", (90, 105), cv2.FONT_HERSHEY_DUPLEX, 1.7, ink, 4, cv2.LINE_AA)
        pictures.append(picture)
    clip.shot(pictures)
    if random.random() < 0.7:
        clip.shot(next(takes)(30))
    return clip


def overlays(random: Random) -> TroubleClip:
    """Make a clip in which overlays appear and disappear abruptly.

    Bars, lower thirds, letterboxes, logos and inset pictures.
    """
    clip, takes = TroubleClip(), takes_of_places(random)
    for _ in range(3):
        pictures = next(takes)(70)
        kind = random.choice(["third", "letterbox", "corner", "inset", "banner"])
        begins, ends = int(random.integers(12, 26)), int(random.integers(38, 56))
        light, size = random.random() < 0.5, random.uniform(0.1, 0.24)
        ground = (235, 235, 235) if light else tuple(int(value) for value in random.integers(0, 70, 3))
        inset = next(takes)(1)[0]
        frames = []
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
            frames.append(picture)
        clip.shot(frames)
    return clip


def captions(random: Random) -> TroubleClip:
    """Make a clip with karaoke captions that change about every half second."""
    clip, takes = TroubleClip(), takes_of_places(random)
    words = ["THIS", "IS", "SO", "COOL", "AND", "EASY", "TO", "SEE", "WHEN", "YOU", "READ"]
    at, wide, bars, high = random.uniform(0.6, 0.8), random.uniform(0.5, 0.9), random.random() < 0.7, random.uniform(0.1, 0.18)
    beat = int(random.integers(8, 18))
    for _ in range(2):
        frames = []
        for frame, source in enumerate(next(takes)(80)):
            picture, word = source.copy(), frame // beat
            top, left = int(HEIGHT * at), int(WIDTH * (1 - wide) / 2)
            light = word % 2 == 0
            if bars:
                picture[top : top + int(HEIGHT * high), left : WIDTH - left] = (240, 240, 240) if light else (15, 15, 15)
            _write(picture, " ".join(words[word % 10 : word % 10 + 2]), left + 12, top + int(HEIGHT * high * 0.75), light, 0.8)
            frames.append(picture)
        clip.shot(frames)
    return clip


def _write(picture: Rgb, text: str, x: int, y: int, dark: bool, size: float) -> None:
    cv2.putText(picture, text, (x, y), cv2.FONT_HERSHEY_DUPLEX, size, (10, 10, 10) if dark else (245, 245, 245), 1, cv2.LINE_AA)


def inner_window(random: Random) -> TroubleClip:
    """Make a clip of a still picture with an inner window that shows cuts."""
    clip, takes = TroubleClip(), takes_of_places(random)
    frame = cv2.GaussianBlur(next(takes)(1)[0], (0, 0), random.uniform(1, 4))
    w, h = int(WIDTH * random.uniform(0.55, 0.75)), int(HEIGHT * random.uniform(0.55, 0.75))
    x, y = int(random.integers(0, WIDTH - w)), int(random.integers(0, HEIGHT - h))
    for _ in range(5):
        pictures = []
        for source in next(takes)(int(random.integers(25, 45))):
            picture = frame.copy()
            picture[y : y + h, x : x + w] = cv2.resize(source, (w, h), interpolation=cv2.INTER_AREA)
            pictures.append(picture)
        clip.shot(pictures)
    return clip


def slides(random: Random) -> TroubleClip:
    """Make a clip of slides that show only text, on a common background."""
    clip = TroubleClip()
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
        half_built, pictures = picture.copy(), []
        for row in range(rows):
            text = "- " + "".join(random.choice(list("abcdefghijklmnopqrstuvwxyz   "), int(random.integers(14, 38))))
            cv2.putText(picture, text, (10, 42 + 18 * row), cv2.FONT_HERSHEY_SIMPLEX, 0.36, ink, 1, cv2.LINE_AA)
            if row == rows - 2:
                half_built = picture.copy()
        pictures = [half_built] * (count // 2) + [picture] * (count // 2) if builds else [picture] * count
        clip.shot(pictures)
    return clip
