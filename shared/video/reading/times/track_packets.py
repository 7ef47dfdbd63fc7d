"""The packets of one track, as a scan of a file records them."""

from array import array
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from shared.video.reading.times.even_times import EvenTimes
from shared.video.reading.times.joins import TrackClock
from shared.video.reading.times.sound_format import sound_format

FARTHEST = 2**60
"""Largest usable time. Larger ones count as missing."""
UNTIMED = -(2**62)
"""The time of a packet that states none."""


@dataclass(slots=True)
class TrackPackets:
    """A record of one track's packets while a file is scanned."""

    base: Fraction
    kind: str
    pts: "array[int]" = field(default_factory=lambda: array("q"))
    keys: "array[int]" = field(default_factory=lambda: array("b"))
    count: int = 0
    last: float | None = None
    shown: float = float("-inf")
    """Latest time of a shown picture in the present joined part, in seconds."""
    part: int = 0
    duration: int = 0
    numbered: bool = False
    """Whether presentation times are missing, because AVI numbers packets in decoding order."""
    codec: str = ""
    sound: tuple[int, ...] | None = None
    """Format of the sound packet that was recorded last, where its header states it."""
    varies: bool = False
    """Whether the format of the sound changes."""
    stamps: "array[int] | None" = None
    """Decoding times of all packets; None unless the file is a fragmented MP4."""
    even: EvenTimes | None = None
    clock: TrackClock = field(default_factory=TrackClock)
    untimed: int = 0
    """Duration of the packets since the last one with a time, in ticks."""
    decoded: int | None = None
    """Decoding time at which the last packet with a time ends."""
    delay: int | None = None
    """Ticks by which the first picture is shown later than it is decoded."""
    begun: int | None = None
    """Decoding time of the first packet, if it has one."""
    timed: int = 0
    """Number of packets up to the last one with a decoding time."""
    _ends: tuple[int, int] | None = None
    """`untimed` and the end of the last part, as before the latest packet."""

    def skip(self, packet: Any) -> None:
        """Count a packet without a usable time. Its picture follows those before it."""
        self.count += 1
        self.untimed += packet.duration or 0
        if self.decoded is not None and self.untimed:
            part = self.clock.parts[-1]
            self._ends = self.untimed - (packet.duration or 0), part.end
            part.end = max(part.end, self.decoded + self.untimed + (self.delay or 0))
        if self.kind == "video":
            self.pts.append(UNTIMED)
            self.keys.append(bool(packet.is_keyframe and packet.size))

    def add(self, packet: Any, part: int, *, hidden: bool = False) -> None:
        """Record a packet of joined part `part`.

        `hidden`: an edit list hides its picture, so that its time does not count.
        """
        numbered = self.numbered and packet.dts is not None
        stamp = packet.dts if numbered or packet.pts is None or abs(packet.pts) > FARTHEST else packet.pts
        key = bool(packet.is_keyframe and packet.size)
        self.clock.add(part, self.count, stamp, stamp + (packet.duration or 0), key=key, hidden=hidden)
        self.count += 1
        self.untimed = 0
        if packet.dts is not None:
            self.begun = packet.dts if self.count == 1 else self.begun
            self.decoded, self.timed = packet.dts + (packet.duration or 0), self.count
            self.delay = stamp - packet.dts if self.delay is None else self.delay
        if self.kind == "audio" and (sound := sound_format(self.codec, packet)) is not None:
            self.varies = self.varies or self.sound not in (None, sound)
            self.sound = sound
        if self.stamps is not None:
            self.stamps.append(stamp if packet.dts is None else packet.dts)
        if self.kind == "video":
            self.pts.append(UNTIMED if hidden else stamp)
            self.keys.append(key)
        self.duration = packet.duration or self.duration
        self.part = part

    @property
    def last_stamp(self) -> int | None:
        """The time of the video packet that was recorded last."""
        return self.pts[-1] if self.pts and self.pts[-1] != UNTIMED else None

    def decoded_evenly(self, step: int) -> bool:
        """Return whether the decoding times of the packets are `step` ticks apart.

        If so, packets without times can be counted.
        """
        if len(self.clock.parts) != 1 or self.begun is None or self.decoded is None or not (self.keys and self.keys[0]):
            return False
        return UNTIMED in self.pts and self.decoded - self.begun == self.timed * step

    def drop_last(self) -> None:
        """Remove the last packet of a video track, because its picture is incomplete."""
        self.keys.pop()
        self.count -= 1
        if self.pts.pop() == UNTIMED:
            if self._ends is not None and self.untimed:
                self.untimed, self.clock.parts[-1].end = self._ends
            return
        self.clock.drop_last()
        if self.stamps is not None:
            self.stamps.pop()
