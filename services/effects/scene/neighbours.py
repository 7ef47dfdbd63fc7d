"""Choice of comparison frames for each frame of a shot."""

from collections import deque
from collections.abc import Iterable, Iterator

from services.effects.scene.moments import SceneFrame, View

LOOK_S = 0.3
"""Distance between a frame and its comparison frames, in seconds."""
_MAX_LOOK_FRAMES = 20  # largest distance between a frame and its comparison frames, in frames


def look_frames(rate: float) -> int:
    """Return the distance from a frame to its comparison frames, in frames.

    It is LOOK_S seconds at `rate` frames per second, but at least 2 and at most 20 frames.
    """
    return min(max(round(LOOK_S * rate), 2), _MAX_LOOK_FRAMES)


def neighbours(frames: Iterable[SceneFrame], look: int) -> Iterator[tuple[SceneFrame, list[View]]]:
    """Yield each frame with its comparison frames, which are of the same shot.

    Comparison frames are views without decoded frames. The most useful come first: those `look` frames before and after, then nearer ones.
    If the shot begins or ends within `look` frames, the frame on the other side is up to twice as far away. Holds at most 2 * `look`
    decoded frames.
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
        # Near the ends of a shot, the views on one side are so near that they differ little. They come last.
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
