"""Reader of a composite's layers: clip, alpha, background, clean plate."""

from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from services.background.clip.aligned_plate import AlignedPlate
from services.background.clip.backdrop import Backdrop, End, Fit, is_clip
from services.background.clip.planes import Planes, alpha_of, planes_420
from services.background.mixing.compositor import Layers
from shared.media_info import ColorInfo
from shared.operation import Progress
from shared.video import read_together
from shared.video.clip.rewrite import Times
from shared.video.frames.color import matrix_or_guess
from shared.video.stills.opaque_picture import opaque_picture


@dataclass(frozen=True, slots=True, kw_only=True)
class CompositeSources:
    """Input files and options of a composite."""

    video: Path
    alpha: Path
    background: Path | None
    """A picture or a clip; None for `color`."""
    plate: Path | None
    width: int
    height: int
    start_s: float
    duration_s: float | None
    color: str
    """The background colour as #RRGGBB."""
    fit: Fit
    background_end: End
    background_start_s: float


@dataclass(frozen=True, slots=True, eq=False)
class TimedLayers:
    """The layers of one frame, with times and colour tags."""

    times: Times
    color: ColorInfo
    layers: Layers


class LayerReader:
    """Reader of a composite's layers, frame by frame."""

    def __init__(self, sources: CompositeSources, progress: Progress) -> None:
        self._sources, self._progress = sources, progress
        self.size = sources.width, sources.height
        self.moving = sources.background is not None and is_clip(sources.background)
        """Whether the background is a clip."""
        self._plate: AlignedPlate | None = None

    @property
    def unaligned(self) -> int:
        """Number of frames to which the plate could not be aligned."""
        return self._plate.lost if self._plate is not None else 0

    def read(self) -> Generator[TimedLayers, None, None]:
        """Yield the layers of each frame.

        They end with a background clip whose `background_end` is `trim`.
        """
        sources = self._sources
        with ExitStack() as stack:
            frames = stack.enter_context(
                read_together(
                    sources.video,
                    sources.alpha,
                    opaque=True,
                    start=sources.start_s or None,
                    duration=sources.duration_s,
                    to_sdr8=True,
                    prefetch=4,
                )
            )
            background_at: Callable[[Fraction], Planes | None] | None = None
            begin = Fraction(0)
            for number, (frame, matte) in enumerate(frames):
                if background_at is None:
                    backdrop = Backdrop(*self.size, matrix_or_guess(frame.color, *self.size))
                    begin = frame.time
                    background_at = self._backgrounds(backdrop, stack)
                    if sources.plate is not None:
                        self._plate = AlignedPlate(backdrop.picture(opaque_picture(sources.plate, self._progress), "stretch"))
                background = background_at(frame.time - begin)
                if background is None:
                    return
                planes, alpha = planes_420(frame), alpha_of(matte, self.size)
                plate = self._plate.at(planes[0], alpha) if self._plate is not None else None
                yield TimedLayers(Times.of(frame), frame.color, Layers(number, planes, alpha, background, plate))

    def _backgrounds(self, backdrop: Backdrop, stack: ExitStack) -> Callable[[Fraction], Planes | None]:
        """Return a function that gives the background's planes at a time.

        Times are seconds from the first frame and must rise. The function returns None after the end of a clip with `trim`.
        """
        sources = self._sources
        if sources.background is None:
            color = backdrop.color(sources.color)
            return lambda _: color
        if not self.moving:
            still = backdrop.picture(opaque_picture(sources.background, self._progress), sources.fit)
            return lambda _: still
        requested: list[Fraction] = []

        def times() -> Iterator[Fraction]:
            while True:
                yield requested.pop()

        pictures = backdrop.clip(
            sources.background,
            fit=sources.fit,
            end=sources.background_end,
            start_s=sources.background_start_s,
            times=times(),
        )
        clip = stack.enter_context(closing(pictures))

        def at(time: Fraction) -> Planes | None:
            requested.append(time)
            return next(clip)

        return at
