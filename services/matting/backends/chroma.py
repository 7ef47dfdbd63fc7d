"""Backend `chroma`: mattes of subjects in front of a green or blue screen."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial

import numpy as np
from pydantic import Field

from services.matting.backends.backend import Matte, OpenedBackend, Rgb, Sample, Setup, View
from services.matting.chroma.keyer import Keyer, KeyerControls
from services.matting.chroma.screen import Screen, detect_screen, find_screen, screen_of
from shared.errors import Invalid
from shared.operation import Params, Progress, form

_OTHER_COLOUR = 24.0
"""Largest difference in levels between two pictures of one screen. A new shot with a larger difference has another screen."""


class ChromaOptions(Params):
    """Params of the chroma keyer, which removes a green or blue screen."""

    key: str | None = Field(
        None,
        pattern=r"^#[0-9a-fA-F]{6}$",
        description="For chroma: the screen's colour, such as `#00b140`. Empty: detected.",
        title="Screen colour",
        json_schema_extra=form("expert", widget="colour"),
    )
    clip_black: float = Field(
        0.01,
        ge=0,
        le=0.9,
        description="For chroma: matte values up to this limit become 0.",
        title="Black point",
        json_schema_extra=form("expert"),
    )
    clip_white: float = Field(
        0.99,
        ge=0.1,
        le=1,
        description="For chroma: matte values from this limit on become 1.",
        title="White point",
        json_schema_extra=form("expert"),
    )
    despill: float = Field(
        1,
        ge=0,
        le=1,
        description="For chroma: how much of the screen's light is removed from the subject.",
        title="Despill",
        json_schema_extra=form("expert"),
    )
    screen_balance: float = Field(
        1,
        ge=0,
        le=1,
        description=(
            "For chroma: value of the screen's channel (green or blue) above which it counts as light of the screen. "
            "1: the value of the larger of the other two channels; 0: that of the smaller."
        ),
        title="Screen balance",
        json_schema_extra=form("expert"),
    )


def suits(sample: Sample) -> str | None:
    """Return why `chroma` suits the clip; None if it shows no screen."""
    screen = detect_screen(sample.pictures)
    return f"a {screen.name} screen is behind the subject" if screen else None


def clip_screen(pictures: Sequence[Rgb]) -> Screen | None:
    """Find the screen in pictures of a clip that is known to have one.

    `pictures`: a few frames of the clip. Returns the even screen that more than half of them show, or else the first strong green or blue.
    Returns None if no picture has such a colour.
    """
    screens = (screen for picture in pictures if (screen := find_screen(picture)))
    return detect_screen(pictures) or next(screens, None)


def no_screen() -> Invalid:
    """Return the error for a clip without a screen."""
    return _refused("key", "no green or blue screen was found: give the colour of the screen, or choose another backend")


@contextmanager
def open_chroma(setup: Setup, options: ChromaOptions, _progress: Progress) -> Iterator[OpenedBackend]:
    """Open the chroma keyer for a clip.

    Raises Invalid for a key that is neither green nor blue. `OpenedBackend.mattes` raises Invalid if no screen is found.
    """
    if options.clip_black >= options.clip_white:
        raise _refused("clip_black", f"clip_black {options.clip_black:g} must be less than clip_white {options.clip_white:g}")
    screen = None
    if options.key is not None:
        screen = screen_of((int(options.key[1:3], 16), int(options.key[3:5], 16), int(options.key[5:7], 16)))
        if screen is None:
            raise _refused(
                "key", f"{options.key} is neither green nor blue enough for a screen: give the colour of the screen, or leave key empty"
            )
    yield OpenedBackend(mattes=partial(_mattes, setup, options, screen))


def _mattes(setup: Setup, options: ChromaOptions, key_screen: Screen | None, views: Iterator[View]) -> Iterator[Matte]:
    controls = KeyerControls(
        clip_black=options.clip_black, clip_white=options.clip_white, despill=options.despill, balance=options.screen_balance
    )
    keyer: Keyer | None = None
    for view in views:
        if keyer is None:
            screen = key_screen or _first_screen(view.rgb, setup)
            keyer = Keyer(screen, controls, setup.plate)
        elif view.cut:
            keyer.reset()
            new = None if key_screen else detect_screen([view.rgb])
            if new and _differs(new, keyer.screen):
                same_channel = new.channel == keyer.screen.channel
                keyer = Keyer(new, controls, setup.plate if same_channel else None)
        keyed = keyer.key(view.rgb, garbage=setup.garbage, core=setup.core, foreground=setup.foreground)
        yield Matte(keyed.alpha, keyed.foreground)


def _first_screen(rgb: Rgb, setup: Setup) -> Screen:
    """Find the screen in a clip's first frame, or else in its sample.

    The sample is used if the first frame shows no even screen, as in a fade-in or a title. Raises Invalid if there is no screen.
    """
    if screen := detect_screen([rgb]):
        return screen
    sample = setup.sample()
    screen = detect_screen(sample) or clip_screen([rgb, *sample])
    if screen is None:
        raise no_screen()
    return screen


def _differs(screen: Screen, other: Screen) -> bool:
    return screen.channel != other.channel or float(np.abs(np.subtract(screen.colour, other.colour)).max()) > _OTHER_COLOUR


def _refused(field: str, detail: str) -> Invalid:
    return Invalid.field(f"params.{field}", detail, f"{detail[:1].upper()}{detail[1:]}.")
