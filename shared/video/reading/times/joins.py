"""Construction of one continuous clock from a file's joined parts.

The file's own clock restarts or jumps between the parts.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import pairwise

_OVERLAP_S = Fraction(1, 10)
"""Maximum seconds by which tracks of joined parts may overlap. With a longer overlap, the later part begins later."""
_Tracks = Mapping[int, tuple[Fraction, str, "TrackClock"]]


@dataclass(frozen=True, slots=True)
class Join:
    """A jump of the file's clock.

    `at`: the jump's time on the continuous clock. `before`, `after`: the times between which the file's own clock jumps. All in seconds.
    """

    at: Fraction
    before: Fraction
    after: Fraction


@dataclass(frozen=True, slots=True)
class _Gap:
    """One track's gap between two joined parts, in seconds.

    `before`, `after`: end of the earlier and beginning of the later part, on the file's own clock. `offset`: moves the later part to the
    end of the earlier one.
    """

    offset: Fraction
    before: Fraction
    after: Fraction


@dataclass(slots=True)
class _Part:
    """The range of one track's packets within a joined part.

    Times are in ticks of the track's own clock. `ticks`: the number to add for times on the continuous clock.
    """

    number: int
    first: int
    start: int
    end: int
    first_key: int | None = None
    ticks: int = 0
    latest: int = 0
    """Start of the packet that begins last."""
    hidden: bool = False
    """Whether all packets of the part so far are hidden."""


@dataclass(slots=True)
class TrackClock:
    """The clock of a track: its joined parts, each with a time offset."""

    parts: list[_Part] = field(default_factory=list)
    _before: tuple[int, int, int, int | None] | None = None
    """The last part without its last packet: start, end, latest start, first keyframe. None if it has no other packet."""

    def add(self, number: int, packet: int, start: int, end: int, *, key: bool, hidden: bool = False) -> None:
        """Record packet number `packet` in joined part `number`.

        `start`, `end`: the packet's times in ticks. `hidden`: they do not count.
        """
        new = not self.parts or self.parts[-1].number != number
        if new:
            self.parts.append(_Part(number, packet, start, end, latest=start, hidden=hidden))
        part = self.parts[-1]
        if part.hidden and not hidden:
            part.start, part.end, part.latest, part.hidden = start, end, start, False
        self._before = None if new else (part.start, part.end, part.latest, part.first_key)
        if part.hidden == hidden:
            part.start, part.end, part.latest = min(part.start, start), max(part.end, end), max(part.latest, start)
        if key and part.first_key is None:
            part.first_key = packet

    def drop_last(self) -> None:
        """Forget the packet that was recorded last.

        Works once, directly after `add`.
        """
        if self._before is None:
            self.parts.pop()
        else:
            part = self.parts[-1]
            part.start, part.end, part.latest, part.first_key = self._before

    def lengthen(self, ticks: int) -> None:
        """Extend parts whose last packet states no duration by `ticks`.

        `ticks` takes the place of the duration.
        """
        for part in self.parts:
            if part.end == part.latest:
                part.end += ticks

    def settle(self, offsets: Mapping[int, Fraction], base: Fraction) -> None:
        """Set the time offset of each part; `offsets` are in seconds, by part number."""
        for part in self.parts:
            part.ticks = round(offsets.get(part.number, Fraction(0)) / base)

    def end(self, base: Fraction) -> Fraction | None:
        """Return the end of the track in seconds.

        None for an empty track. On the continuous clock. `base`: seconds per tick.
        """
        return max(((part.end + part.ticks) * base for part in self.parts), default=None)

    def spans(self, count: int) -> Iterator[tuple[int, int, int]]:
        """Yield each part's range of packet numbers, and the part's offset in ticks.

        The range: the first number, and the number after the last. `count`: the number of packets of the track.
        """
        for part, following in zip(self.parts, [*self.parts[1:], None], strict=False):
            yield part.first, count if following is None else following.first, part.ticks

    def at(self, packet: int) -> _Part | None:
        """Return the part that contains packet number `packet`, or None."""
        place = bisect_right(self.parts, packet, key=lambda part: part.first)
        return self.parts[place - 1] if place else None

    def ticks(self, packet: int) -> int:
        """Return the number of ticks to add to the time of packet number `packet`.

        The sum is the packet's time on the continuous clock. 0 for a packet before all parts.
        """
        part = self.at(packet)
        return part.ticks if part is not None else 0

    def unite(self, number: int) -> None:
        """Merge joined part `number` into the part before it."""
        place = self.place(number)
        if place:
            part, earlier = self.parts.pop(place), self.parts[place - 1]
            earlier.start, earlier.end = min(earlier.start, part.start), max(earlier.end, part.end)
            earlier.latest = max(earlier.latest, part.latest)
            earlier.first_key = part.first_key if earlier.first_key is None else earlier.first_key

    def part(self, number: int) -> _Part | None:
        """Return the range of the track's packets in joined part `number`, or None."""
        place = self.place(number)
        return None if place is None else self.parts[place]

    def place(self, number: int) -> int | None:
        """Return the index in `parts` of joined part `number`, or None."""
        place = bisect_left(self.parts, number, key=lambda part: part.number)
        return place if place < len(self.parts) and self.parts[place].number == number else None


def offsets_of(tracks: _Tracks, video: int) -> tuple[tuple[Join, ...], dict[int, Fraction]]:
    """Compute the jumps of the file's clock, and each joined part's offset in seconds.

    All tracks have the same offset, so that picture and sound stay in step. A part's first picture follows the last picture of the part
    before; where sound of that part goes on for longer, it follows the sound.
    """
    numbers = sorted({part.number for _, _, clock in tracks.values() for part in clock.parts})
    offsets: dict[int, Fraction] = {number: Fraction(0) for number in numbers[:1]}
    joins: list[Join] = []
    for earlier, number in pairwise(numbers):
        sounding = ((index, clock, base) for index, (base, kind, clock) in tracks.items() if kind in ("video", "audio"))
        gaps = {index: gap for index, clock, base in sounding if (gap := _gap(clock, number, base, offsets))}
        if not gaps:
            offsets[number] = offsets[earlier]
            continue
        lead = video if video in gaps else min(gaps)
        offset = gaps[lead].offset
        latest = max(gap.offset for gap in gaps.values())
        if latest - offset > _OVERLAP_S:
            offset = latest
        offsets[number] = offset
        joins.append(Join(gaps[lead].after + offset, gaps[lead].before, gaps[lead].after))
    return tuple(joins), offsets


def _gap(clock: TrackClock, number: int, base: Fraction, offsets: Mapping[int, Fraction]) -> _Gap | None:
    """Return a track's gap before joined part `number`, or None.

    None if the track has no such part, or none before it. `base`: seconds per tick. `offsets`: those of the earlier parts.
    """
    place = clock.place(number)
    if not place:
        return None
    part, before = clock.parts[place], clock.parts[place - 1]
    ended, begins = before.end * base, part.start * base
    return _Gap(ended + offsets.get(before.number, Fraction(0)) - begins, ended, begins)
