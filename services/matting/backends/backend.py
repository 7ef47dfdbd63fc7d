"""Interface of matting backends.

Defines the row of the table of backends, and the inputs and outputs of a backend.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shared.errors import Invalid
from shared.operation import Progress
from shared.video import Frame

Rgb = NDArray[np.uint8]
"""A picture, (height, width, 3), R, G, B."""
Mask = NDArray[np.uint8]
"""A mask of a subject, (height, width), 0 to 255 (subject)."""
Alpha = NDArray[np.float32]
"""A matte, (height, width), 0 (background) to 1 (subject)."""


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """Input of a backend for one frame, scaled to the backend's working size.

    `rgb`: upright, square pixels, SDR; shared, so treat it as read-only. `gray`: luma (h, w) uint8 of at most 270 lines, for measuring
    motion. `frame`: the same frame at its own size and in its own format.
    `cut`: whether the frame is the first of a shot, or of the clip. A backend then drops its memory of earlier frames.
    `masks`: the user's masks of this frame, by the name of their subject; empty for most frames. A subject has one name in all frames.
    """

    index: int
    time_s: float
    rgb: Rgb
    gray: NDArray[np.uint8]
    frame: Frame
    cut: bool
    masks: Mapping[str, Mask] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class Matte:
    """Output of a backend for one frame.

    `foreground`: the subject's own colours, free of background; None if the backend does not compute them. Both may have the size of
    `View.rgb` or another; they are scaled to the output's size.
    """

    alpha: Alpha
    foreground: Rgb | None = None


@dataclass(frozen=True, kw_only=True)
class Setup:
    """Input of a backend for a whole clip: sizes, plate and masks.

    `width`, `height`: size of `View.rgb`. `frame_width`, `frame_height`: size of the clip as displayed. `frames`: expected number.
    `plate`: picture of the scene without subjects, in the clip's size. `foreground`: whether `Matte.foreground` is used.
    `garbage`, `core`: masks in the size of views, white where the matte has to be 0 or 1 in every frame. They are also applied to the
    mattes of every backend. `sample()`: reads a few pictures, spread over the clip.
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
    sample: Callable[[], tuple[Rgb, ...]] = lambda: ()


@dataclass(frozen=True, kw_only=True)
class Runtime:
    """Model, library, precision and device of a running network.

    `model`: catalog name. `precision`: as the library reports it.
    """

    model: str
    library: str
    precision: str
    device: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedBackend:
    """A backend that is ready to compute mattes.

    `mattes` yields one matte for each view, in order; it may read several views before it yields the first. `runtime`: None for a backend
    without a network.
    """

    mattes: Callable[[Iterator[View]], Iterator[Matte]]
    runtime: Runtime | None = None


class SubjectKind(StrEnum):
    """Kind of subject that a backend detects."""

    PEOPLE = "people"
    OBJECTS = "foreground objects"
    MASKED = "the object in the mask"
    UNLIKE_SCREEN = "objects in front of the screen"
    UNLIKE_PLATE = "differences from the clean plate"


@dataclass(frozen=True, kw_only=True, eq=False)
class Sample:
    """Sample of a clip, from which `auto` chooses a backend.

    `pictures`: a few frames of the clip, at most 360 pixels on the shorter side; `mask`: whether the user gave a mask; `plate`: the user's
    plate, in the clip's size.
    """

    pictures: tuple[Rgb, ...]
    mask: bool
    plate: Rgb | None


Open = Callable[[Setup, Any, Progress], AbstractContextManager[OpenedBackend]]


@dataclass(frozen=True, kw_only=True)
class Backend:
    """A matting backend, as a row of `BACKENDS`.

    `title`: a label of two or three words.
    `open(setup, options, progress)`: returns a context manager of an OpenedBackend. `options` are the operation's params; a backend reads
    those that its own options class declares (`MatteParams` inherits them all). Raises ModelMissing or Invalid.
    `inference_size(width, height, resolution)`: returns the size of `View.rgb` for the displayed size of a clip; `resolution` None is
    automatic.
    `suits(sample)`: returns why `auto` should choose the backend, a clause such as "a green screen is behind the subject"; None if it
    should not.
    `models`: catalog names of models. One of them is needed; the first that is installed is used. `chosen(options)`: returns the
    catalog name of the model that the options require; None if they require none.
    `missing()`: returns the command that installs other requirements (a package); None if nothing is missing.
    `uses_plate`: whether a clean plate, if given, is used.
    `steady`: whether the backend uses several frames, so that its mattes need no smoothing over time.
    `memory_bytes`: memory of a loaded network while it runs, beyond what a job without a large network needs.
    `licence`, `commercial_use`: licence of a backend without models, and whether it allows commercial use. Models have their own.
    """

    name: str
    title: str
    description: str
    finds: SubjectKind
    open: Open
    inference_size: Callable[[int, int, int | None], tuple[int, int]]
    suits: Callable[[Sample], str | None] = lambda _sample: None
    models: tuple[str, ...] = ()
    chosen: Callable[[Any], str | None] = lambda _options: None
    memory_bytes: int = 0
    missing: Callable[[], str | None] = lambda: None
    needs_mask: bool = False
    needs_plate: bool = False
    uses_plate: bool = False
    steady: bool = True
    licence: str = ""
    commercial_use: bool = True

    def check_plate(self, *, has_plate: bool) -> None:
        """Raise Invalid if a required clean plate is missing."""
        if self.needs_plate and not has_plate:
            sentence = (
                f"The backend {self.name} needs a clean plate, a picture of the scene without the subject. Take one, "
                "or make one with background.plate."
            )
            raise Invalid.field("inputs.plate", f"the backend {self.name} needs a clean plate", sentence)


def limited_size(width: int, height: int, resolution: int | None) -> tuple[int, int]:
    """Scale a size down to at most `resolution` pixels on the shorter side."""
    short = min(width, height)
    if resolution is None or resolution >= short:
        return width, height
    return max(round(width * resolution / short), 1), max(round(height * resolution / short), 1)
