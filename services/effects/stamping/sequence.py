"""The sequence picture of a clip: the panorama of the shot with the most stamps."""

import numpy as np
from numpy.typing import NDArray

from services.effects.scene.moments import MaskedFrame
from services.effects.stamping.panorama import Panorama
from services.effects.stamping.stamps import Stamp, StampedFrame

_Result = tuple[NDArray[np.uint8], list[float]]


class SequencePicture:
    """The sequence picture of a clip, built frame by frame.

    `stamps`: maximum number of stamps. `growth`: see `Panorama`. `opacity`: opacity of the stamps, 0 to 1. `clipped`: whether the picture
    is too small for all that the camera saw.
    """

    def __init__(self, *, stamps: int, growth: float, opacity: float) -> None:
        self._max_stamps, self._growth, self._opacity = stamps, growth, opacity
        self._shot = -1
        self._panorama: Panorama | None = None
        self._unpainted: MaskedFrame | None = None
        self._stamps: list[tuple[Stamp, NDArray[np.uint8]]] = []
        self._best: _Result | None = None
        self.clipped = False

    def add(self, stamped: StampedFrame) -> None:
        """Add the next frame of the clip."""
        frame = stamped.frame
        if frame.shot != self._shot or self._panorama is None:
            self._end_shot()
            self._shot = frame.shot
            self._panorama = Panorama(frame.frame.width, frame.frame.height, growth=self._growth)
        self._unpainted = frame
        if stamped.own is not None or self._panorama.has_moved(frame.pose):
            self._paint()
        if stamped.own is not None:
            (left, top), (high, wide) = stamped.own.corner, stamped.own.planes[0].shape
            self._stamps.append((stamped.own, frame.frame.rgb()[top : top + high, left : left + wide].copy()))
            del self._stamps[: -self._max_stamps]

    def finished(self) -> _Result:
        """Return the picture and the times of its stamps in seconds.

        For the picture, see `Panorama.finished`. Needs at least one frame.
        """
        self._end_shot()
        assert self._best is not None
        return self._best

    def _paint(self) -> None:
        if self._panorama is not None and self._unpainted is not None:
            self._panorama.paint(self._unpainted)
            self._unpainted = None

    def _end_shot(self) -> None:
        """Finish the current shot.

        Paints its last frame, and keeps its picture if it has more stamps than the best picture so far.
        """
        self._paint()
        if self._panorama is not None and (self._best is None or len(self._stamps) > len(self._best[1])):
            picture = self._panorama.finished(self._stamps, opacity=self._opacity)
            self._best = picture, [stamp.seconds for stamp, _ in self._stamps]
            self.clipped = self._panorama.clipped
        self._panorama, self._stamps = None, []
