"""One pass over a video: what every detector and the choice of keyframes need to know of each frame."""

from array import array
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain, pairwise
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from services.keyframes.difference import difference
from services.keyframes.small import Small, shrink, small_size
from shared.operation import Progress
from shared.video import VideoInfo, map_ordered, read_frames

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """Some numbers of each frame (n frames), a few dozen bytes each."""

    pts: NDArray[np.int64]
    """Exact times in units of `time_base`, from the start of the file's timeline."""
    time_base: Fraction
    end: Fraction
    """When the last frame is over, in seconds."""
    change: dict[str, Floats]
    """Name -> (n,): change from the frame before; 0 at the first."""
    sharpness: Floats
    """(n,): mean strength of the edges."""
    exposure: Floats
    """(n,): 0 to 1, how much of the picture is neither black nor burnt out, and how far its brightness spreads."""
    layout: NDArray[np.uint8]
    """(n, 48): the picture as 4 x 4 tiles of Y, U, V."""

    @property
    def times(self) -> list[float]:
        """Seconds of all frames."""
        return [float(pts * self.time_base) for pts in self.pts.tolist()]


@dataclass(frozen=True, slots=True)
class _Look:
    small: Small
    sharpness: float
    exposure: float
    layout: NDArray[np.uint8]
    end: Fraction
    time_base: Fraction


def measure(video: Path, info: VideoInfo, progress: Progress) -> Measured:
    """Look at every frame of `video` once, in small. Raises what `read_frames` raises."""
    size = small_size(info.width, info.height)
    pts, sharpness, exposure, layout = array("q"), array("f"), array("f"), bytearray()
    changes = {"difference": array("f")}
    end, base = Fraction(0), Fraction(1)
    for before, now in _pairs(video, size):
        pts.append(now.small.pts)
        sharpness.append(now.sharpness)
        exposure.append(now.exposure)
        layout += now.layout.tobytes()
        changes["difference"].append(difference(before.small, now.small) if before else 0.0)
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
    )


def _pairs(video: Path, size: tuple[int, int]) -> Iterator[tuple[_Look | None, _Look]]:
    with closing(read_frames(video)) as frames:

        def look(frame) -> _Look:
            small = shrink(frame, size)
            laplacian = cv2.Laplacian(small.y, cv2.CV_16S, ksize=1)
            spread = float(np.std(small.y))
            lost = float(np.mean((small.y < 20) | (small.y > 232)))
            layout = np.concatenate(
                [cv2.resize(plane, (4, 4), interpolation=cv2.INTER_AREA).ravel() for plane in (small.y, small.u, small.v)]
            )
            exposed = (1 - lost) * min(spread / 48, 1.0)
            return _Look(
                small, float(np.mean(np.abs(laplacian))), exposed, layout, frame.time + frame.duration * frame.time_base, frame.time_base
            )

        yield from pairwise(chain([None], map_ordered(look, frames, ahead=2)))
