"""In-between pictures made along the motion, for the output frames that fall between two source frames."""

import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, groupby

import av

from services.speed_ramp.picture.flow.pair import FlowPair
from services.speed_ramp.picture.picks import Pick
from services.speed_ramp.picture.shutter import Exposure
from shared.video import Frame, map_ordered
from shared.video.frames.color import apply_tags
from shared.video.frames.planes import picture_from

LONGEST_S = 0.25
"""Where the source holds a picture for longer than this, it stands, and moves on in the last so many seconds only."""

_NEARLY = 1 / 64  # of the way between two frames: what is nearer to one of them is shown as that


class Pair:
    """Two neighbouring frames; their flow is computed when it is first needed, by whichever thread needs it."""

    def __init__(self, before: Frame, after: Frame) -> None:
        self._before, self._after = before, after
        self._lock = threading.Lock()
        self._flow: FlowPair | None = None
        self._last: tuple[float, av.VideoFrame] | None = None

    def is_of(self, before: Frame, after: Frame) -> bool:
        """Whether these are its frames."""
        return self._before is before and self._after is after

    def flow(self) -> FlowPair:
        """The pair with its flow."""
        with self._lock:
            if self._flow is None:
                bits = self._before.picture.format.components[0].bits
                self._flow = FlowPair(self._before.planes(), self._after.planes(), bits=bits)
            return self._flow

    def picture(self, t: float) -> av.VideoFrame:
        """The picture at `t`, between 0 and 1, in the format and with the tags of the frames. A frozen one is made once."""
        if self._last is not None and self._last[0] == t:
            return self._last[1]
        first = self._before
        picture = picture_from(self.flow().at(t), first.width, first.height, first.picture.format.name)
        apply_tags(picture, first.color)
        self._last = (t, picture)
        return picture


@dataclass(frozen=True, slots=True, kw_only=True)
class Between:
    """Output frame `number` shows the moment `t` (0 to 1) of a pair of frames; `before` is the first of them."""

    number: int
    before: Frame
    t: float
    pair: Pair

    def picture(self) -> av.VideoFrame:
        """The picture to write."""
        return self.pair.picture(self.t)


Shown = Pick | Between | Exposure


def between(picks: Iterable[Pick]) -> Iterator[Pick | Between]:
    """The picks, those that fall between two frames of the same kind replaced by what lies there along the motion."""
    pair = None
    for pick in picks:
        a, b = pick.before.picture, pick.after.picture
        alike = (a.width, a.height, a.format.name) == (b.width, b.height, b.format.name)
        if not alike or not _NEARLY < pick.weight < 1 - _NEARLY:
            yield pick
            continue
        if pair is None or not pair.is_of(pick.before, pick.after):
            pair = Pair(pick.before, pick.after)
        yield Between(number=pick.number, before=pick.before, t=pick.weight, pair=pair)


def computed_ahead(shown: Iterable[Shown]) -> Iterator[Shown]:
    """The same, the flow of the next pairs computed meanwhile: a pair to each core."""

    def ready(group: list[Shown]) -> list[Shown]:
        if isinstance(group[0], Between):
            group[0].pair.flow()
        return group

    return chain.from_iterable(map_ordered(ready, _by_pair(shown), ahead=0))


def _by_pair(shown: Iterable[Shown]) -> Iterator[list[Shown]]:
    # In small portions: a frozen picture may be shown for an hour.
    for _, group in groupby(enumerate(shown), key=lambda one: (id(one[1].pair) if isinstance(one[1], Between) else None, one[0] // 16)):
        yield [one for _, one in group]
