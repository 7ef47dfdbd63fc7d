"""Choice of comparison frames for each frame of a shot."""

from collections import deque
from collections.abc import Iterable, Iterator

from services.effects.scene.moments import SceneFrame, View

LOOK_S = 0.3
"""Distance in seconds between a frame and the frames to compare with it."""
_MAX_LOOK_FRAMES = 20


def look_frames(rate: float) -> int:
    """Return the distance from a frame to its comparison frames, in frames.

    It is LOOK_S seconds at `rate` frames per second, but at least 2 and at most 20 frames.
    """
    return min(max(round(LOOK_S * rate), 2), _MAX_LOOK_FRAMES)


def neighbours(frames: Iterable[SceneFrame], look: int) -> Iterator[tuple[SceneFrame, list[View]]]:
    """Yield each frame with other frames of its shot to compare with.

    The others are views without decoded frames, the most useful first: those `look` frames before and after, then nearer ones. Near the
    ends of a shot, where one side is short, the other side reaches up to twice as far. Holds at most 2 * `look` decoded frames.
    """
    waiting: deque[SceneFrame] = deque()
    views: deque[View] = deque()

    def take() -> tuple[SceneFrame, list[View]]:
        frame = waiting.popleft()
        while views[0].index < frame.index - 2 * look:
            views.popleft()
        same_shot = [view.index for view in views if view.shot == frame.shot]
        before, after = frame.index - same_shot[0], same_shot[-1] - frame.index
        before, after = min(before, max(look, 2 * look - after)), min(after, max(look, 2 * look - before))
        far = [frame.index - before, frame.index + after]
        nearer = [frame.index + side * away // part for part in (2, 4) for side, away in ((1, after), (-1, before))]
        # At the ends of a shot one side is too near to show much: those views come last.
        order = sorted(dict.fromkeys(far + nearer), key=lambda index: abs(index - frame.index) < look // 2)
        return frame, [views[index - views[0].index] for index in order if index != frame.index]

    first = 0
    for frame in frames:
        while waiting and waiting[0].shot != frame.shot:
            yield take()
        if not waiting and (not views or views[-1].shot != frame.shot):
            first = frame.index
        waiting.append(frame)
        views.append(frame.without_frame())
        while frame.index - waiting[0].index >= max(look, 2 * look - (waiting[0].index - first)):
            yield take()
    while waiting:
        yield take()
