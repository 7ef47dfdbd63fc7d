"""Interface of a matting backend: its table row, its opener, its inputs and outputs."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shared.operation import Progress
from shared.video import Frame

Rgb = NDArray[np.uint8]
"""A picture, (height, width, 3), R, G, B."""
Mask = NDArray[np.uint8]
"""Where a subject is, (height, width), 0 to 255."""
Alpha = NDArray[np.float32]
"""A matte, (height, width), 0 (background) to 1 (subject)."""


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """One frame as a backend sees it, at the size of inference.

    `rgb`: upright, square pixels, SDR; shared, so treat it as read-only. `gray`: luma (h, w) uint8 of at most 270 lines, for looking at
    motion. `frame`: the same frame at its own size and in its own format.
    `cut`: first frame of a shot, where what is remembered of earlier frames no longer holds (True for the first frame of the clip).
    `masks`: masks that the user gave for this frame, one for each subject; empty for most frames.
    """

    index: int
    time_s: float
    rgb: Rgb
    gray: NDArray[np.uint8]
    frame: Frame
    cut: bool
    masks: tuple[Mask, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Matte:
    """What a backend gives for one view. `foreground`: the subject's own colours, free of background; None where it finds none.

    Both have the size of `View.rgb`, or a size of the backend's own: they are scaled to the output's.
    """

    alpha: Alpha
    foreground: Rgb | None = None


@dataclass(frozen=True, kw_only=True)
class Setup:
    """Inputs of a backend that are known before the first frame.

    `width`, `height`: size of `View.rgb`. `frame_width`, `frame_height`: size of the clip as displayed. `frames`: expected number.
    `plate`: picture of the scene without subjects, in the clip's size. `foreground`: whether `Matte.foreground` is used.
    `garbage`, `core`: where the matte has to be 0 and 1 in every frame, in the size of views; applied to every backend's mattes.
    """

    width: int
    height: int
    frame_width: int
    frame_height: int
    frame_rate: float
    frames: int
    plate: Rgb | None = None
    foreground: bool = False
    garbage: Mask | None = None
    core: Mask | None = None


@dataclass(frozen=True, kw_only=True)
class Runtime:
    """How a network runs: catalog name, library, actual precision, device."""

    model: str
    library: str
    precision: str
    device: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A backend that is ready. `mattes` gives one matte for each view, in order; it may take several views before it gives one.

    `runtime`: None for a backend without a network.
    """

    mattes: Callable[[Iterator[View]], Iterator[Matte]]
    runtime: Runtime | None = None


class Finds(StrEnum):
    """Kinds of subjects that backends find."""

    PEOPLE = "people"
    OBJECTS = "foreground objects"
    MASKED = "what the mask shows"
    UNLIKE_SCREEN = "what is not the screen"
    UNLIKE_PLATE = "what differs from the plate"


@dataclass(frozen=True, kw_only=True, eq=False)
class Sample:
    """Inputs of the choice by `auto`.

    A few frames of the clip, at most 360 lines high, and which inputs were given.
    """

    pictures: tuple[Rgb, ...]
    mask: bool
    plate: Rgb | None


Open = Callable[[Setup, Any, Progress], AbstractContextManager[Opened]]


@dataclass(frozen=True, kw_only=True)
class Backend:
    """One row of the table.

    `open(setup, options, progress)`: a context manager that gives `Opened`. `options` are the operation's params; a backend uses those that
    its own options class declares (`MatteParams` inherits them all). Raises ModelMissing or Invalid.
    `inference_size(width, height, resolution)`: size of `View.rgb` for a clip of that displayed size; `resolution` None is automatic.
    `suits(sample)`: why `auto` should take it, a clause such as "a green screen is behind the subject"; None if it should not.
    `models`: names in the catalog of models. One is needed: the first that is installed is used.
    `missing()`: the command that installs what is needed besides (a package); None if nothing is missing.
    `steady`: it looks at more than single frames, so its mattes need no smoothing over time.
    `licence`, `commercial_use`: of an algorithm without models; a model's own count otherwise.
    """

    name: str
    description: str
    finds: Finds
    open: Open
    inference_size: Callable[[int, int, int | None], tuple[int, int]]
    suits: Callable[[Sample], str | None] = lambda _sample: None
    models: tuple[str, ...] = ()
    missing: Callable[[], str | None] = lambda: None
    needs_mask: bool = False
    needs_plate: bool = False
    steady: bool = True
    licence: str = ""
    commercial_use: bool = True


def limited_size(width: int, height: int, resolution: int | None) -> tuple[int, int]:
    """Return the clip's size, limited to `resolution` pixels on its shorter side."""
    short = min(width, height)
    if resolution is None or resolution >= short:
        return width, height
    return max(round(width * resolution / short), 1), max(round(height * resolution / short), 1)
