"""One pass over a video: what every detector and the choice of keyframes need to know of each frame."""

from array import array
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain, pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from services.keyframes.content import Content, content, content_change
from services.keyframes.difference import difference
from services.keyframes.histogram import histogram_change
from services.keyframes.looks import Looks, looks
from services.keyframes.small import Small, shrink, small_size
from services.keyframes.tiny import Planes, TinyFile, TinyFilm, tiny
from shared.operation import Progress
from shared.video import Frame, VideoInfo, map_ordered, read_frames

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """Some numbers of each of n frames, a few dozen bytes each."""

    pts: NDArray[np.int64]
    """Exact times in units of `time_base`, from the start of the file's timeline."""
    time_base: Fraction
    end: Fraction
    """When the last frame is over, in seconds."""
    change: dict[str, Floats]
    """Name of the measure -> (n,): change from the frame before; 0 at the first."""
    sharpness: Floats
    exposure: Floats
    layout: NDArray[np.uint8]
    """(n, 48): see `Looks`."""
    film: TinyFilm
    """All frames in tiny; of use as long as the file that it was made with."""

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


def measure(video: Path, info: VideoInfo, kept: Path, progress: Progress, *, watch: Callable[[Small], None] | None = None) -> Measured:
    """Look at every frame of `video` once, in small; tiny ones are kept in the file `kept`, `watch` is shown all.

    Raises what `read_frames` raises."""
    size = small_size(info.width, info.height)
    pts, sharpness, exposure, layout = array("q"), array("f"), array("f"), bytearray()
    changes = {name: array("f") for name in ("difference", "content", "histogram")}
    end, base = Fraction(0), Fraction(1)
    with TinyFile(kept) as store:
        for before, now in _pairs(video, size):
            store.add(now.tiny, len(pts))
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
            progress(min(len(pts), info.frames), info.frames)
        progress(1, 1)
        return Measured(
            pts=np.array(pts, dtype=np.int64),
            time_base=base,
            end=end,
            change={name: np.array(values, dtype=np.float32) for name, values in changes.items()},
            sharpness=np.array(sharpness, dtype=np.float32),
            exposure=np.array(exposure, dtype=np.float32),
            layout=np.frombuffer(bytes(layout), dtype=np.uint8).reshape(-1, 48),
            film=store.film(),
        )


def _pairs(video: Path, size: tuple[int, int]) -> Iterator[tuple[_Look | None, _Look]]:
    def look(frame: Frame) -> _Look:
        small = shrink(frame, size)
        end = frame.time + frame.duration * frame.time_base
        return _Look(frame.pts, end, frame.time_base, small, tiny(small), content(small), looks(small))

    with closing(read_frames(video)) as frames:
        yield from pairwise(chain([None], map_ordered(look, frames, ahead=2)))
