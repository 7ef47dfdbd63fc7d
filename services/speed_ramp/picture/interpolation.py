"""Tables of interpolation methods and of treatments of repeated frames."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction

from services.speed_ramp.curve.clock import Clock
from services.speed_ramp.picture.cadence import evenly, is_retimed
from services.speed_ramp.picture.inbetween import LONGEST_S, InbetweenFrame, Shown, compute_ahead, interpolated
from services.speed_ramp.picture.picks import Part, Pick, SourceEnd, picks
from services.speed_ramp.picture.repeats import Repeats
from services.speed_ramp.picture.shutter import FrameWindow, motion_blurred
from shared.video import Frame


@dataclass(frozen=True, slots=True, kw_only=True)
class Interpolation:
    """A method of interpolation, as a row of INTERPOLATIONS.

    `blend`: cross-fade. `flow`: replace cross-fades by pictures along the motion. `prefetch`: source frames to decode ahead.
    """

    name: str
    label: str
    """Label in a form."""
    description: str
    blend: bool
    flow: bool = False
    prefetch: int = 8


INTERPOLATIONS = {
    interpolation.name: interpolation
    for interpolation in (
        Interpolation(name="nearest", label="Nearest", description="shows the nearest source frame (sharp)", blend=False),
        Interpolation(name="blend", label="Blend", description="cross-fades neighbouring frames (smoother, but soft)", blend=True),
        # Making pictures takes much longer than decoding, so few frames ahead are enough.
        Interpolation(
            name="flow",
            label="Optical flow",
            description="makes new frames along the motion (smoothest, but slow to render)",
            blend=True,
            flow=True,
            prefetch=2,
        ),
    )
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Duplicates:
    """A treatment of repeated source frames, as a row of DUPLICATES.

    `dropped`: whether an interpolation leaves them out.
    """

    name: str
    label: str
    """Label in a form."""
    description: str
    dropped: Callable[[Interpolation], bool]


DUPLICATES = {
    duplicates.name: duplicates
    for duplicates in (
        Duplicates(
            name="auto",
            label="Automatic",
            description="leaves them out of `blend` and `flow`",
            dropped=lambda interpolation: interpolation.blend,
        ),
        Duplicates(name="keep", label="Keep", description="treats them like all others", dropped=lambda _interpolation: False),
        Duplicates(
            name="drop",
            label="Drop",
            description="leaves them out of `nearest` too, and so shows each picture for the same time",
            dropped=lambda _interpolation: True,
        ),
    )
}


def mixes_frames(frame: Shown) -> bool:
    """Return whether an output frame mixes two source frames."""
    return frame.mixed if isinstance(frame, Pick) else isinstance(frame, InbetweenFrame)


def shown_frames(
    frames: Iterable[Frame],
    clock: Clock,
    rate: Fraction,
    source_end: SourceEnd,
    *,
    interpolation: Interpolation,
    shutter: float,
    part: Part | None,
    repeats: Repeats | None = None,
    real_first: bool = False,
) -> Iterator[Shown]:
    """Yield the output frames in order.

    `rate`: output frames per second. `shutter`: 0 to 1, see `motion_blurred`; 0 for none. `source_end` and `part`: see `picks`. `repeats`:
    leaves repeated frames out. `real_first`: see `picks`.
    """
    if repeats is not None:
        frames = evenly(repeats.without(frames))
    window = FrameWindow(frames)
    source = window if shutter else frames
    fade_s = LONGEST_S if interpolation.flow else None
    picked = picks(
        source,
        clock,
        rate,
        source_end,
        blend=interpolation.blend,
        fade_s=fade_s,
        part=part,
        full_fade=is_retimed,
        real_first=real_first,
    )
    sharp = interpolated(picked) if interpolation.flow else picked
    contents = motion_blurred(sharp, window, clock, rate, shutter=shutter) if shutter else sharp
    return compute_ahead(contents) if interpolation.flow else iter(contents)
