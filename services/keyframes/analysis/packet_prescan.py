"""Spans of a video that need no decoding, judged from packet sizes and keyframes.

Encoders spend far more bytes on a frame that differs from those before, and start a shot with a keyframe when they notice a cut. So
nothing happens between two keyframes when the packets between them are small and even. If the second keyframe is a different picture,
the cut lies at that keyframe.
"""

from contextlib import closing
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from services.keyframes.analysis.frame_changes import lagged_distances
from services.keyframes.analysis.thumbnail_film import ThumbnailFile, ThumbnailFilm, frame_thumbnail
from shared.video import Timeline, read_frames

_SAME_SHOT, _OTHER_SHOT = 0.3, 0.6
"""`FrameDistance.total` of two keyframes: up to the first they are of one shot, from the second on of two."""
_STILL = 1 / 3  # of the first keyframe's size: in a still span no packet is larger
_JUMP, _LITTLE = (
    10.0,
    0.02,
)  # times the median packet, of the keyframe's size: a packet larger than both may be a cut to a plain picture
_LARGE, _SPIKE = 0.6, 4.0  # of a keyframe's size, and times the median packet: before a trusted cut no packet is larger
_LATE_SIZE, _LATE_PACKETS = 0.2, 6  # of the second keyframe's size, and packets right before it: larger ones mean motion, not a cut
_REGULAR = 0.97  # of the longest distance between keyframes: such a keyframe was due anyway and does not mark a cut
_MOST_KEYFRAMES = 0.25  # of all frames: with more, decoding them first costs more than it saves

Span = tuple[int, int]


def quiet_spans(video: Path, line: Timeline, thumbnails: Path) -> list[Span]:
    """Find pairs of consecutive keyframes between which nothing has to be decoded, as frame numbers.

    Empty for videos that consist largely of keyframes, as editing codecs do. `thumbnails`: a temporary file for the keyframes.
    """
    keys = np.flatnonzero(line.key)
    if line.key.mean() > _MOST_KEYFRAMES or len(keys) < 2:
        return []
    film = _keyframe_film(video, line, thumbnails)
    if not np.array_equal(film.frames, keys):
        return []
    to_next, longest = lagged_distances(film, 1), int(np.diff(keys, append=len(line.pts)).max())
    # A picture that returns at the keyframe after next was interrupted by a flash.
    to_second_next = np.append(lagged_distances(film, 2), np.inf)
    spans = []
    for (first, second), distance, returning in zip(pairwise(keys.tolist()), to_next.tolist(), to_second_next.tolist(), strict=True):
        cut = distance >= _OTHER_SHOT and returning >= distance / 2 and second - first < _REGULAR * longest
        if (distance <= _SAME_SHOT and _is_still(line, first, second)) or (cut and _ends_with_cut(line, first, second)):
            spans.append((first, second))
    return spans


def _keyframe_film(video: Path, line: Timeline, thumbnails: Path) -> ThumbnailFilm:
    """Decode the keyframes of a video into a film."""
    numbers = {int(line.pts[key]): int(key) for key in np.flatnonzero(line.key)}
    with ThumbnailFile(thumbnails) as file, closing(read_frames(video, skip="nonkey")) as frames:
        for frame in frames:
            # Some decoders, such as FFV1, ignore the request and return every frame.
            if frame.pts in numbers:
                file.add(frame_thumbnail(frame), numbers[frame.pts])
        return file.film()


def _is_still(line: Timeline, first: int, second: int) -> bool:
    """Return whether no packet between two keyframes is large enough for a change of picture.

    A change to a plain picture takes few bytes, so packets are also compared with the median.
    """
    key, sizes = int(line.size[first]), _leading_sizes(line, first, second)
    median = float(np.median(sizes)) if len(sizes) else 0.0
    return bool((line.size[first + 1 : second] <= _STILL * key).all() and (sizes <= max(_JUMP * median, _LITTLE * key)).all())


def _ends_with_cut(line: Timeline, first: int, second: int) -> bool:
    """Return whether packets stay small and even up to the second keyframe, so that only a cut explains it."""
    # Frames shown before a keyframe but decoded after it may belong to the new shot.
    if not line.leads[second - 1]:
        return False
    sizes = _leading_sizes(line, first, second)
    if not len(sizes):
        return False
    largest, smaller_key = int(sizes.max()), min(int(line.size[first]), int(line.size[second]))
    late = int(sizes[-_LATE_PACKETS:].max())
    return largest <= _LARGE * smaller_key and largest <= _SPIKE * float(np.median(sizes)) and late <= _LATE_SIZE * int(line.size[second])


def _leading_sizes(line: Timeline, first: int, second: int) -> NDArray[np.int64]:
    """Return the sizes of the packets between two keyframes in bytes.

    Frames decoded after a later one are left out: their sizes say little.
    """
    inner = slice(first + 1, second)
    return line.size[inner][line.leads[inner]]
