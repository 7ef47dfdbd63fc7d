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

from services.keyframes.content import Content, content, content_change
from services.keyframes.difference import difference
from services.keyframes.histogram import histogram_change
from services.keyframes.looks import Looks, looks
from services.keyframes.quiet import quiet_spans
from services.keyframes.small import Small, shrink, small_size
from services.keyframes.tiny import Planes, TinyFile, TinyFilm, tiny
from shared.operation import Progress
from shared.video import Frame, Timeline, VideoInfo, map_ordered, read_frames, timeline

Floats = NDArray[np.float32]


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
    has is taken from the packets, then; where they do not tell, every frame is read. `fast`: rough, and only keyframes where nothing
    changes from one to the next. Raises what `read_frames` raises.
    """
    line = timeline(video) if rough or fast else None
    if line is not None:
        measured = _measure(video, info, kept, progress, line, None, quiet_spans(video, line) if fast else [])
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
    quiet: list[tuple[int, int]],
) -> Measured | None:
    """See `measure`. With a `line` only what it needs is decoded; None if it does not fit what comes."""
    size = small_size(info.width, info.height)
    pts, sharpness, exposure, layout = array("q"), array("f"), array("f"), bytearray()
    changes = {name: array("f") for name in ("difference", "content", "histogram")}
    end, base, total = Fraction(0), Fraction(1), len(line.pts) if line else info.frames
    with TinyFile(kept) as store, closing(_pairs(video, size, "rough" if line else "none", quiet)) as pairs:
        for before, now in pairs:
            number = int(np.searchsorted(line.pts, now.pts)) if line else len(pts)
            if line and (number == len(line.pts) or line.pts[number] != now.pts):
                return None
            store.add(now.tiny, number)
            if watch:
                watch(now.small)
            pts.append(now.pts)
            sharpness.append(now.looks.sharpness)
            exposure.append(now.looks.exposure)
            layout += now.looks.layout
            changes["difference"].append(difference(before.small, now.small) if before else 0.0)
            changes["content"].append(content_change(before.content, now.content) if before else 0.0)
            changes["histogram"].append(histogram_change(before.small, now.small) if before else 0.0)
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


def _pairs(
    video: Path, size: tuple[int, int], skip: Literal["none", "rough"], quiet: list[tuple[int, int]]
) -> Generator[tuple[_Look | None, _Look], None, None]:
    def look(frame: Frame) -> _Look:
        small = shrink(frame, size)
        end = frame.time + frame.duration * frame.time_base
        return _Look(frame.pts, end, frame.time_base, small, tiny(small), content(small), looks(small))

    with closing(read_frames(video, skip=skip, keys_only=quiet)) as frames:
        yield from pairwise(chain([None], map_ordered(look, frames, ahead=2)))
