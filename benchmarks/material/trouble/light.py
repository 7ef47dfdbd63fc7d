"""Clips with flashes, blank frames, fades to black and changing exposure."""

import numpy as np

from benchmarks.material.keyframe_corpus import HEIGHT, WIDTH, Random, Truth
from benchmarks.material.trouble.takes import TroubleClip, mixed, takes_of_places


def blank_frames(random: Random) -> TroubleClip:
    """Make a clip with plain frames between shots and within a shot.

    There are 1 to 5 of them between shots, and 1 to 3 within a shot (a glitch).
    """
    clip, takes = TroubleClip(), takes_of_places(random)
    colors = ((255, 255, 255), (0, 0, 0), (200, 20, 20), (128, 128, 128), (16, 16, 18))
    for number in range(int(random.integers(4, 7))):
        play = next(takes)
        blank = int(random.integers(1, 6)) if number else 0
        color = colors[int(random.choice(5, p=[0.35, 0.35, 0.14, 0.08, 0.08]))]
        clip.pictures += [np.full((HEIGHT, WIDTH, 3), color, np.uint8)] * blank
        clip.shot(play(int(random.integers(24, 50))), transition=blank)
        if random.random() < 0.25:
            clip.pictures += [np.full((HEIGHT, WIDTH, 3), color, np.uint8)] * int(random.integers(1, 4)) + play(20)
    return clip


def flashes(random: Random) -> TroubleClip:
    """Make a clip of two shots with flashes of 0.04 to 0.2 seconds.

    The clip has 25 to 60 fps.
    """
    clip, takes = TroubleClip(rate=int(random.choice([25, 30, 50, 60, 60]))), takes_of_places(random)
    for _ in range(2):
        pictures = next(takes)(int(2.2 * clip.rate))
        for at in (0.5, 1.2):
            begins = int((at + random.uniform(0, 0.3)) * clip.rate)
            length = max(round(random.uniform(0.04, 0.2) * clip.rate), 1)
            strength, decays = random.uniform(0.5, 0.95), random.random() < 0.4
            for index in range(length):
                share = strength * (1 - index / length) if decays else strength
                pictures[begins + index] = mixed(pictures[begins + index], 255, share)
        clip.shot(pictures)
    return clip


def flash_cuts(random: Random) -> TroubleClip:
    """Make a clip with flashes that hide the cuts.

    A flash covers both shots. It lasts 0.06 to 0.2 seconds, and at least two frames.
    """
    clip, takes = TroubleClip(rate=int(random.choice([25, 25, 30, 50]))), takes_of_places(random)
    clip.shot(next(takes)(40))
    for _ in range(3):
        length = max(round(random.uniform(0.06, 0.2) * clip.rate), 2)
        light = [random.uniform(0.75, 1.0) for _ in range(length)]
        under = int(random.integers(0, length + 1))
        count = len(clip.pictures)
        for index in range(under):
            clip.pictures[count - under + index] = mixed(clip.pictures[count - under + index], 255, light[index])
        pictures = next(takes)(42)
        for index in range(under, length):
            pictures[index - under] = mixed(pictures[index - under], 255, light[index])
        clip.pictures += pictures[: length - under]
        clip.truths.append(Truth("cut", count - under, count - under + length))
        clip.pictures += pictures[length - under :]
    return clip


def black_and_fade(random: Random) -> TroubleClip:
    """Make a clip with black frames between a cut and a fade.

    The order is random.
    """
    clip, takes = TroubleClip(), takes_of_places(random)
    clip.shot(next(takes)(40))
    for _ in range(3):
        length, hold = int(random.integers(10, 26)), int(random.integers(10, 30))
        black = [np.zeros((HEIGHT, WIDTH, 3), np.uint8)] * hold
        play = next(takes)
        if random.random() < 0.6:
            clip.shot(black)
            at = len(clip.pictures)
            clip.pictures += [mixed(picture, 0, 1 - (index + 1) / (length + 1)) for index, picture in enumerate(play(length))]
            clip.truths.append(Truth("fade", at, at + length))
            clip.pictures += play(40)
        else:
            at = len(clip.pictures) - length
            for index in range(length):
                clip.pictures[at + index] = mixed(clip.pictures[at + index], 0, (index + 1) / (length + 1))
            clip.truths.append(Truth("fade", at, at + length))
            clip.pictures += black
            clip.shot(play(40))
    return clip


def long_black(random: Random) -> TroubleClip:
    """Make a clip that fades to black for at least two seconds, then back."""
    clip, takes = TroubleClip(), takes_of_places(random)
    clip.shot(next(takes)(60))
    for _ in range(2):
        length, back, hold = int(random.integers(8, 30)), int(random.integers(8, 30)), int(random.integers(50, 140))
        at = len(clip.pictures) - length
        for index in range(length):
            clip.pictures[at + index] = mixed(clip.pictures[at + index], 0, (index + 1) / (length + 1))
        clip.truths.append(Truth("fade", at, at + length))
        clip.pictures += [np.zeros((HEIGHT, WIDTH, 3), np.uint8)] * hold
        play, at = next(takes), len(clip.pictures)
        clip.pictures += [mixed(picture, 0, 1 - (index + 1) / (back + 1)) for index, picture in enumerate(play(back))]
        clip.truths.append(Truth("fade", at, at + back))
        clip.pictures += play(60)
    return clip


def exposure(random: Random) -> TroubleClip:
    """Make a clip in which exposure and white balance change within a shot.

    They settle within about a second, at the start of a shot or later.
    """
    clip, takes = TroubleClip(), takes_of_places(random)
    for _ in range(3):
        pictures = next(takes)(75)
        begins, length = int(random.integers(0, 40)), int(random.integers(5, 30))
        first = random.choice([random.uniform(0.3, 0.6), random.uniform(1.4, 1.9)])
        tint = random.uniform(0.8, 1.2, 3) if random.random() < 0.5 else np.ones(3)
        settled = []
        for frame, picture in enumerate(pictures):
            share = float(np.clip((frame - begins) / length, 0, 1))
            settled.append(np.clip(picture * (first * tint * (1 - share) + share), 0, 255).astype(np.uint8))
        clip.shot(settled)
    return clip
