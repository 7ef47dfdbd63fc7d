"""Scan: the measurements of a video's frames.

The detectors and the choice of keyframes read them.
"""

from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from services.keyframes.analysis.readable_frames import ReadablePart
from services.keyframes.analysis.thumbnail_film import ThumbnailFilm

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scan:
    """Measurements of a video's scanned frames.

    The video has n frames, of which k were scanned; k = n unless frames were skipped. `film.frames` holds the numbers of the scanned
    frames. A frame takes a few dozen bytes.
    """

    pts: NDArray[np.int64]
    """Presentation times of all frames in units of `time_base`, (n,). They count from the start of the file's timeline."""
    time_base: Fraction
    end: Fraction
    """Time at which the last frame ends, in seconds."""
    pixel_change: Floats
    """Mean change of luma since the previous frame, (k,), 0 to 255. It is 0 at the first frame."""
    content_change: Floats
    """Change of colours and edges since the previous frame, (k,), 0 to 255. Colours are hue, saturation and brightness. It is 0 at the
    first frame.

    (0,) if it was not measured."""
    histogram_change: Floats
    """Change of the brightness histogram since the previous frame, (k,), 0 to 1. It is 0 at the first frame. (0,) if it was not
    measured."""
    sharpness: Floats
    """`FrameQuality.sharpness` of each scanned frame, (k,)."""
    exposure: Floats
    """`FrameQuality.exposure` of each scanned frame, (k,)."""
    layout: NDArray[np.uint8]
    """`FrameQuality.layout` of each scanned frame, (k, 48)."""
    film: ThumbnailFilm
    """Thumbnails of the scanned frames, readable as long as the thumbnail file exists."""
    key: NDArray[np.bool_] | None = None
    """Whether decoding can begin at each frame, (n,). None if unknown."""
    readable: tuple[ReadablePart, ...] = ()
    """Parts of a damaged video that were read; empty for a whole one. If its end cannot be read, the video counts as ending before that."""

    def spread(self, values: Floats) -> Floats:
        """Extend values of scanned frames (k,) to all frames (n,).

        Skipped frames get 0.
        """
        if len(values) == len(self.pts):
            return values
        spread = np.zeros(len(self.pts), np.float32)
        spread[self.film.frames] = values
        return spread

    def frames_since_key(self) -> NDArray[np.int64]:
        """Count the frames to decode before each frame, (n,).

        Zeros if the keyframes are unknown.
        """
        if self.key is None:
            return np.zeros(len(self.pts), np.int64)
        numbers = np.arange(len(self.key))
        since: NDArray[np.int64] = numbers - np.maximum.accumulate(np.where(self.key, numbers, 0))
        return since

    def exact_time(self, frame: int) -> Fraction:
        """Return the exact time of frame `frame` in seconds."""
        return int(self.pts[frame]) * self.time_base

    @property
    def frame_rate(self) -> float:
        """Typical number of frames per second."""
        step = float(np.median(np.diff(self.pts)) * self.time_base) if len(self.pts) > 1 else 0.0
        return 1 / step if step > 0 else 25.0

    @property
    def times(self) -> Sequence[float]:
        """Times of all frames in seconds."""
        # Unlike a list, it takes 8 bytes per frame. Floats hold the products exactly, so that only the division rounds.
        return array("d", self.pts * float(self.time_base.numerator) / self.time_base.denominator)
