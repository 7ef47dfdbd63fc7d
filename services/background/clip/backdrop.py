"""Backgrounds of a composite: a colour, a picture or another clip."""

from collections.abc import Generator, Iterator
from contextlib import closing
from fractions import Fraction
from pathlib import Path
from typing import Literal

import av
import cv2
import numpy as np

from services.background.clip.planes import Plane, Planes, planes_420
from shared.errors import Invalid
from shared.video import Frame, VideoInfo, probe, read_frames
from shared.video.frames.color import matrix_or_guess, sws_matrix
from shared.video.frames.cover import cover
from shared.video.frames.frame import EXACT_SCALING, Reformatters
from shared.video.frames.planes import planes_of

Fit = Literal["cover", "contain", "stretch"]
End = Literal["loop", "hold", "trim"]


class Backdrop:
    """Converter of backgrounds to planes of one size and colour matrix.

    Planes are Y, U, V for frames of `width` x `height`, in limited range, with chroma coded by `matrix` (FFmpeg's name).
    """

    def __init__(self, width: int, height: int, matrix: str) -> None:
        self._width, self._height, self._matrix = width, height, matrix
        self._reformatters = Reformatters()

    def color(self, text: str) -> Planes:
        """Return planes filled with a colour given as #RRGGBB."""
        red, green, blue = (int(text[place : place + 2], 16) for place in (1, 3, 5))
        return self.picture(np.full((self._height, self._width, 3), (red, green, blue), np.uint8), "stretch")

    def picture(self, rgb: np.ndarray[tuple[int, ...], np.dtype[np.uint8]], fit: Fit) -> Planes:
        """Convert an RGB picture `rgb`, uint8 (height, width, 3), to planes."""
        fitted = np.ascontiguousarray(_fitted(rgb, self._width, self._height, fit, fill=0))
        frame = av.VideoFrame.from_ndarray(fitted, format="rgb24")
        return self._planes(frame, full=True, matrix=None)

    def clip(self, path: Path, *, fit: Fit, end: End, start_s: float, times: Iterator[Fraction]) -> Generator[Planes | None, None, None]:
        """Yield a background clip's planes at each of `times`.

        Times are seconds from the start of the composite. After the clip's end `loop` starts again, `hold` keeps the last frame, and
        `trim` yields None. Raises Invalid if no frame begins at or after `start_s`.
        """
        following = self._endless(path, end=end, start_s=start_s)
        with closing(following) as frames:
            begins, current = next(frames)
            planes, coming = self._of(current, fit), next(frames, None)
            for time in times:
                fresh = None
                while coming is not None and coming[0] <= time:
                    (begins, fresh), coming = coming, next(frames, None)
                if fresh is not None:
                    current, planes = fresh, self._of(fresh, fit)
                is_over = coming is None and end == "trim" and time >= begins + _duration_s(current)
                yield None if is_over else planes

    def _endless(self, path: Path, *, end: End, start_s: float) -> Generator[tuple[Fraction, Frame], None, None]:
        """Yield (seconds, frame) of a clip, endlessly repeated if `end` is `loop`."""
        offset, start = Fraction(0), start_s
        while True:
            first: Fraction | None = None
            over = offset
            with read_frames(path, opaque=True, start=start or None, to_sdr8=True, prefetch=3) as frames:
                for frame in frames:
                    first = frame.time if first is None else first
                    time = offset + frame.time - first
                    over = time + _duration_s(frame)
                    yield time, frame
            if first is None:
                raise Invalid(f"No frame of the background begins at or after {start:g} s. Choose an earlier `background_start`.")
            if end != "loop":
                return
            offset = over

    def _of(self, frame: Frame, fit: Fit) -> Planes:
        same_matrix = matrix_or_guess(frame.color, frame.width, frame.height) == self._matrix
        planes = planes_420(frame) if same_matrix else self._converted(frame)
        if planes[0].shape == (self._height, self._width):
            return planes
        half = (self._width + 1) // 2, (self._height + 1) // 2
        return (
            _fitted(planes[0], self._width, self._height, fit, fill=16),
            _fitted(planes[1], *half, fit, fill=128),
            _fitted(planes[2], *half, fit, fill=128),
        )

    def _converted(self, frame: Frame) -> Planes:
        """Convert a frame to planes in the backdrop's colour matrix."""
        matrix = matrix_or_guess(frame.color, frame.width, frame.height)
        return self._planes(frame.picture, full=frame.color.range == "pc", matrix=matrix)

    def _planes(self, picture: av.VideoFrame, *, full: bool, matrix: str | None) -> Planes:
        source = {} if matrix is None else {"src_colorspace": sws_matrix(matrix)}
        ready = self._reformatters.reformatter.reformat(
            picture,
            format="yuv420p",
            dst_colorspace=sws_matrix(self._matrix),
            src_color_range=2 if full else 1,
            dst_color_range=1,
            interpolation=EXACT_SCALING,
            threads=1,
            **source,
        )
        luma, u, v = planes_of(ready)[:3]
        return luma.copy(), u.copy(), v.copy()


def is_clip(path: Path) -> bool:
    """Return whether a file is a video rather than a still image."""
    return isinstance(probe(path), VideoInfo)


def _duration_s(frame: Frame) -> Fraction:
    """Return the display duration of a frame in seconds."""
    return frame.duration * frame.time_base


def _fitted(plane: np.ndarray[tuple[int, ...], np.dtype[np.uint8]], width: int, height: int, fit: Fit, *, fill: int) -> Plane:
    """Scale a picture or plane to `width` x `height`, as `fit` says.

    `cover` crops, `contain` adds bars of the value `fill`, `stretch` changes the shape.
    """
    if fit == "cover":
        return np.asarray(cover(plane, width, height), np.uint8)
    if fit == "contain":
        high, wide = plane.shape[:2]
        factor = min(width / wide, height / high)
        inner = max(round(wide * factor), 1), max(round(high * factor), 1)
        canvas = np.full((height, width, *plane.shape[2:]), fill, np.uint8)
        left, top = (width - inner[0]) // 2, (height - inner[1]) // 2
        canvas[top : top + inner[1], left : left + inner[0]] = _scaled(plane, *inner)
        return canvas
    return _scaled(plane, width, height)


def _scaled(plane: np.ndarray[tuple[int, ...], np.dtype[np.uint8]], width: int, height: int) -> Plane:
    if plane.shape[:2] == (height, width):
        return np.ascontiguousarray(plane)
    smaller = width <= plane.shape[1] and height <= plane.shape[0]
    return np.asarray(cv2.resize(plane, (width, height), interpolation=cv2.INTER_AREA if smaller else cv2.INTER_CUBIC), np.uint8)
