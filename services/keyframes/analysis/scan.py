"""One pass over a video: what every detector and the choice of keyframes need to know of each frame."""

from array import array
from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain, pairwise
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from services.keyframes.analysis.content_change import Content, content, content_change
from services.keyframes.analysis.frame_quality import Looks, looks
from services.keyframes.analysis.histogram_change import histogram_change
from services.keyframes.analysis.packet_prescan import Span, quiet_spans
from services.keyframes.analysis.pixel_change import difference
from services.keyframes.analysis.small_frame import Small, shrink, small_size
from services.keyframes.analysis.thumbnail_film import Planes, TinyFile, TinyFilm, tiny
from shared.operation import Progress
from shared.video import Frame, Timeline, VideoInfo, map_ordered, read_frames, timeline

Floats = NDArray[np.float32]
_NONE = (0.0, 0.0, 0.0)  # changes
_HELD = 4  # frames: what detectors compare a cut with on either side


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """Some numbers of each of the k frames that were looked at, a few dozen bytes each; their numbers are `film.frames`."""

    pts: NDArray[np.int64]
    """(n,): exact times of all frames of the video, in units of `time_base`, from the start of the file's timeline."""
    time_base: Fraction
    end: Fraction
    """When the last frame is over, in seconds."""
    change: dict[str, Floats]
    """Name of the measure -> (k,): change from the frame before; 0 at the first."""
    sharpness: Floats
    exposure: Floats
    layout: NDArray[np.uint8]
    """(k, 48): see `Looks`."""
    film: TinyFilm
    """The frames in tiny; of use as long as the file that it was made with."""

    def of_all(self, values: Floats) -> Floats:
        """(k,) of the frames that were looked at -> (n,) of all: what was not looked at has 0."""
        if len(values) == len(self.pts):
            return values
        spread = np.zeros(len(self.pts), np.float32)
        spread[self.film.frames] = values
        return spread

    @property
    def times(self) -> list[float]:
        """Seconds of all frames."""
        return [float(pts * self.time_base) for pts in self.pts.tolist()]


@dataclass(frozen=True, slots=True)
class _Look:
    pts: int
    end: Fraction
    time_base: Fraction
    small: Small
    tiny: Planes
    content: Content
    looks: Looks


def measure(
    video: Path,
    info: VideoInfo,
    kept: Path,
    progress: Progress,
    *,
    rough: bool = False,
    fast: bool = False,
    watch: Callable[[Small], None] | None = None,
) -> Measured:
    """Look at every frame of `video` once, in small; tiny ones are kept in the file `kept`, `watch` is shown all.

    `rough`: frames that no other one needs are left out where the sizes of the packets are as usual: half the work. Which number a frame
    has is taken from the packets, then; where they do not tell, every frame is read. `fast`: rough, and only keyframes where those
    and the packets between leave no doubt. Raises what `read_frames` raises.
    """
    line = timeline(video) if rough or fast else None
    if line is not None:
        measured = _measure(video, info, kept, progress, line, None, quiet_spans(video, line, kept) if fast else [])
        if measured is not None:
            return measured
    measured = _measure(video, info, kept, progress, None, watch, [])
    assert measured is not None
    return measured


def _measure(
    video: Path,
    info: VideoInfo,
    kept: Path,
    progress: Progress,
    line: Timeline | None,
    watch: Callable[[Small], None] | None,
    quiet: list[Span],
) -> Measured | None:
    """See `measure`. With a `line` only what it needs is decoded; None if it does not fit what comes."""
    size = small_size(info.width, info.height)
    keys_only = [(int(line.pts[first]), int(line.pts[after])) for first, after in quiet] if line else []
    began = {after: first for first, after in quiet}
    pts, sharpness, exposure, layout = array("q"), array("f"), array("f"), bytearray()
    changes = {name: array("f") for name in ("difference", "content", "histogram")}
    end, base, total = Fraction(0), Fraction(1), len(line.pts) if line else info.frames
    with TinyFile(kept) as store, closing(_pairs(video, size, "rough" if line else "none", keys_only)) as pairs:

        def add(look: _Look, number: int, change: tuple[float, float, float]) -> None:
            store.add(look.tiny, number)
            sharpness.append(look.looks.sharpness)
            exposure.append(look.looks.exposure)
            layout.extend(look.looks.layout)
            for values, value in zip(changes.values(), change, strict=True):
                values.append(value)

        for before, now in pairs:
            number = int(np.searchsorted(line.pts, now.pts)) if line else len(pts)
            if line and (number == len(line.pts) or line.pts[number] != now.pts):
                return None
            if before and number in began:
                for between in _ends(began[number], number):
                    add(before, between, _NONE)
            if watch:
                watch(now.small)
            pts.append(now.pts)
            add(now, number, _changes(before, now) if before else _NONE)
            end, base = now.end, now.time_base
            progress(min(number + 1, total), total)
        progress(1, 1)
        return Measured(
            pts=line.pts if line else np.array(pts, dtype=np.int64),
            time_base=base,
            end=max(end, line.end) if line else end,
            change={name: np.array(values, dtype=np.float32) for name, values in changes.items()},
            sharpness=np.array(sharpness, dtype=np.float32),
            exposure=np.array(exposure, dtype=np.float32),
            layout=np.frombuffer(bytes(layout), dtype=np.uint8).reshape(-1, 48),
            film=store.film(),
        )


def _ends(first: int, after: int) -> list[int]:
    """The frames next to two keyframes between which nothing happens: they are taken to be as the first one is."""
    return [number for number in range(first + 1, after) if number <= first + _HELD or number >= after - _HELD]


def _changes(before: _Look, now: _Look) -> tuple[float, float, float]:
    """What changed in the pixels, the content and the histogram."""
    return difference(before.small, now.small), content_change(before.content, now.content), histogram_change(before.small, now.small)


def _pairs(
    video: Path, size: tuple[int, int], skip: Literal["none", "rough"], keys_only: list[tuple[int, int]]
) -> Generator[tuple[_Look | None, _Look], None, None]:
    def look(frame: Frame) -> _Look:
        small = shrink(frame, size)
        end = frame.time + frame.duration * frame.time_base
        return _Look(frame.pts, end, frame.time_base, small, tiny(small), content(small), looks(small))

    with closing(read_frames(video, skip=skip, keys_only=keys_only)) as frames:
        yield from pairwise(chain([None], map_ordered(look, frames, ahead=2)))
