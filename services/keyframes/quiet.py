"""The parts of a video in which nothing changes, found without decoding more than its keyframes."""

from contextlib import closing
from pathlib import Path

import numpy as np

from services.keyframes.apart import apart
from services.keyframes.small import shrink
from services.keyframes.tiny import HEIGHT, WIDTH, tiny
from shared.video import Timeline, read_frames

_ALIKE = 0.3  # as `Apart.distance` has it; of another shot is what is 0.45 apart
_MOST_KEYS = 0.25  # of all frames: of more, to look at them first would cost more than leaving out the others saves


def quiet_spans(video: Path, line: Timeline) -> list[tuple[int, int]]:
    """Spans of time (in units of the timeline's base) from one keyframe to the next, both of which look alike, without a packet between
    them that is nearly as large: what changed within would have to be coded anew, and at the end be as it was.

    There are none in a video much of which is keyframes, as all of it is in codecs for editing.
    """
    if line.key.mean() > _MOST_KEYS:
        return []
    keys: list[tuple[int, np.ndarray]] = []
    spans = []
    at_keys = set(line.pts[line.key].tolist())
    with closing(read_frames(video, skip="nonkey")) as frames:
        for frame in frames:
            # Some decoders, such as that of FFV1, hand out every frame whatever they are asked for.
            if frame.pts not in at_keys:
                continue
            keys.append((frame.pts, tiny(shrink(frame, (2 * WIDTH, 2 * HEIGHT)))))
            if len(keys) < 2:
                continue
            (first, before), (after, now) = keys[-2:]
            keys = keys[-2:]
            inner = slice(int(np.searchsorted(line.pts, first)) + 1, int(np.searchsorted(line.pts, after)))
            if not line.large[inner].any() and apart(before, now).distance <= _ALIKE:
                spans.append((first, after))
    return spans
