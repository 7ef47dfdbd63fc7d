"""Output frames interpolated between two source frames."""

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
"""Longest interpolation in seconds. A frame that is shown for longer stands still until so many seconds before the next frame."""

_NEARLY = 1 / 64  # distance from a frame, as a share of the way between two frames, up to which a moment shows that frame


class Pair:
    """Two consecutive frames and the optical flow between them.

    The flow is computed on first use; several threads may ask for it.
    """

    def __init__(self, before: Frame, after: Frame) -> None:
        self._before, self._after = before, after
        self._lock = threading.Lock()
        self._flow: FlowPair | None = None
        self._last: tuple[float, av.VideoFrame] | None = None

    def is_of(self, before: Frame, after: Frame) -> bool:
        """Return whether the pair consists of `before` and `after`."""
        return self._before is before and self._after is after

    def flow(self) -> FlowPair:
        """Return the flow between the frames, computed on the first call."""
        with self._lock:
            if self._flow is None:
                bits = self._before.picture.format.components[0].bits
                self._flow = FlowPair(self._before.planes(), self._after.planes(), bits=bits)
            return self._flow

    def picture(self, t: float) -> av.VideoFrame:
        """Return the interpolated picture at `t` (0 to 1).

        The picture has the frames' format and tags. Repeated calls with one `t`, as in a freeze, return the same picture.
        """
        if self._last is not None and self._last[0] == t:
            return self._last[1]
        first = self._before
        picture = picture_from(self.flow().at(t), first.width, first.height, first.picture.format.name)
        apply_tags(picture, first.color)
        self._last = (t, picture)
        return picture


@dataclass(frozen=True, slots=True, kw_only=True)
class InbetweenFrame:
    """An output frame interpolated between two source frames.

    `t`: the moment, from 0 to 1. `before`: the first frame of the pair.
    """

    number: int
    before: Frame
    t: float
    pair: Pair

    def picture(self) -> av.VideoFrame:
        """Return the interpolated picture."""
        return self.pair.picture(self.t)


Shown = Pick | InbetweenFrame | Exposure


def interpolated(picks: Iterable[Pick]) -> Iterator[Pick | InbetweenFrame]:
    """Replace cross-fades among `picks` by in-between frames from optical flow.

    Cross-fades between frames of different size or format stay.
    """
    pair = None
    for pick in picks:
        a, b = pick.before.picture, pick.after.picture
        same_format = (a.width, a.height, a.format.name) == (b.width, b.height, b.format.name)
        if not same_format or not _NEARLY < pick.weight < 1 - _NEARLY:
            yield pick
            continue
        if pair is None or not pair.is_of(pick.before, pick.after):
            pair = Pair(pick.before, pick.after)
        yield InbetweenFrame(number=pick.number, before=pick.before, t=pick.weight, pair=pair)


def compute_ahead(output_frames: Iterable[Shown]) -> Iterator[Shown]:
    """Yield `output_frames`, with the flow of upcoming pairs computed in parallel.

    Each core computes one pair. The frames are yielded unchanged.
    """

    def with_flow(group: list[Shown]) -> list[Shown]:
        if isinstance(group[0], InbetweenFrame):
            group[0].pair.flow()
        return group

    return chain.from_iterable(map_ordered(with_flow, _by_pair(output_frames), ahead=0))


def _by_pair(output_frames: Iterable[Shown]) -> Iterator[list[Shown]]:
    """Group output frames by their pair of source frames.

    A group has at most 16: a frozen picture may be shown for an hour.
    """

    def key(numbered: tuple[int, Shown]) -> tuple[int | None, int]:
        i, frame = numbered
        return id(frame.pair) if isinstance(frame, InbetweenFrame) else None, i // 16

    for _, group in groupby(enumerate(output_frames), key=key):
        yield [frame for _, frame in group]
