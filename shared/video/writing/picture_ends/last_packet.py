"""Muxing of video packets so that their track ends when its last picture does.

Encoders give packets the length of an average picture. Containers take a track's length from the last packet in decoding order, whose
picture need not be the last one shown.
"""

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any


@dataclass(slots=True, eq=False)
class LastPacket:
    """A muxer that holds the last video packet back, to set its duration.

    `by_decoding`: the container adds up lengths by decoding times, as MP4 does, not by presentation times.
    """

    mux: Callable[[Any], None]
    by_decoding: bool
    _held: Any = None
    _first_dts: Fraction = Fraction(0)
    _first_pts: Fraction | None = None

    def push(self, packet: Any) -> None:
        """Mux the held packet, and hold `packet` back.

        `packet` has both times.
        """
        base = packet.time_base
        if self._first_pts is None:
            self._first_dts, self._first_pts = packet.dts * base, packet.pts * base
        self._first_pts = min(self._first_pts, packet.pts * base)
        if self._held is not None:
            self.mux(self._held)
        self._held = packet

    def finish(self, end: Fraction) -> Fraction | None:
        """Mux the held packet, lasting until second `end`.

        Return the track's length if the header will differ. `set_picture_length` corrects such a header of an MP4 file. None if the header
        will state the right length.
        """
        packet, self._held = self._held, None
        if packet is None or self._first_pts is None:
            return None
        base, length = packet.time_base, end - self._first_pts
        after = length - (packet.dts * base - self._first_dts) if self.by_decoding else end - packet.pts * base
        packet.duration = max(round(after / base), 1)
        stated = packet.pts + packet.duration
        self.mux(packet)
        return length if self.by_decoding and stated != round(end / base) else None
