"""Sequence picture: cut-outs of the subject at several times on one panorama.

The cut-outs are called stamps. The picture shows the shot with the most stamps.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.effects.scene.moments import MaskedFrame
from services.effects.stamping.panorama import Panorama
from services.effects.stamping.stamps import Stamp, StampedFrame


@dataclass(frozen=True, slots=True, eq=False)
class Sequence:
    """A finished sequence picture, with the times of its stamps.

    `picture`: uint8 (height, width, 3 or 4), see `Panorama.finished`. `seconds`: times of its stamps. `subject_shares`: for each stamp, the
    share of the subject's area that it contains, 0 to 1.
    """

    picture: NDArray[np.uint8]
    seconds: list[float]
    subject_shares: list[float]


class SequencePicture:
    """Builder of a clip's sequence picture, to which frames are added one by one.

    `stamps`: maximum number of stamps. `growth`, `clipped`: see `Panorama`. `opacity`: opacity of the stamps, 0 to 1.
    """

    def __init__(self, *, stamps: int, growth: float, opacity: float) -> None:
        self._max_stamps, self._growth, self._opacity = stamps, growth, opacity
        self._shot = -1
        self._panorama: Panorama | None = None
        self._unpainted: MaskedFrame | None = None
        self._stamps: list[tuple[Stamp, NDArray[np.uint8]]] = []
        self._best: Sequence | None = None
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

    def finished(self) -> Sequence:
        """Return the finished picture. Needs at least one added frame."""
        self._end_shot()
        assert self._best is not None
        return self._best

    def _paint(self) -> None:
        if self._panorama is not None and self._unpainted is not None:
            self._panorama.paint(self._unpainted)
            self._unpainted = None

    def _end_shot(self) -> None:
        """Finish the current shot's picture; keep it if it is the best so far.

        Paints the shot's last frame first. The best picture is the one with the most stamps.
        """
        self._paint()
        if self._panorama is not None and (self._best is None or len(self._stamps) > len(self._best.seconds)):
            picture = self._panorama.finished(self._stamps, opacity=self._opacity)
            stamps = [stamp for stamp, _ in self._stamps]
            self._best = Sequence(picture, [stamp.seconds for stamp in stamps], [stamp.subject_share for stamp in stamps])
            self.clipped = self._panorama.clipped
        self._panorama, self._stamps = None, []
