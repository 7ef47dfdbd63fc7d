"""Search for spans of a video that the scan can skip.

Spans are judged from packet sizes and keyframes. Encoders spend far more bytes on a frame that differs from those before, and start a shot
with a keyframe when they notice a cut. So nothing happens between two keyframes when the packets between them are small and even. If the
second keyframe is a different picture, the cut lies at that keyframe.
"""

from contextlib import closing
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from services.keyframes.analysis.comparison.frame_changes import frame_changes, lagged_distances
from services.keyframes.analysis.comparison.frame_distance import NOISE
from services.keyframes.analysis.key_spacing import ROUTINE_SHARE
from services.keyframes.analysis.thumbnail_film import ThumbnailFile, ThumbnailFilm, frame_thumbnail
from shared.errors import BrokenMedia
from shared.video import Timeline, read_frames

_SAME_SHOT, _OTHER_SHOT = 0.3, 0.6
"""Limits for `FrameDistance.total` of two keyframes. It is at most the first within one shot, at least the second between two shots."""
_SAME_STRUCTURE = 0.08
"""Largest relative change of structure to a keyframe that is not routine. A larger one may be a punch-in cut."""
_STILL = 1 / 3
"""Largest packet of a still span, relative to the first keyframe's size."""
_JUMP, _LITTLE = 10.0, 0.02
"""Largest packet of a quiet span: medians, or share of the keyframe. A packet above both may be a cut to a plain picture."""
_LARGE, _SPIKE = 0.6, 4.0
"""Largest packet before a trusted cut: share of the keyframe, and medians. The keyframe is the smaller one; both limits hold."""
_LATE_SIZE, _LATE_PACKETS = 0.2, 6
"""Largest late packet as a share of the keyframe, and number of late packets. They come right before the second keyframe. Larger packets
mean motion, not a cut."""
_EMPTY = 0.1
"""Largest late packet after a fade, relative to the median packet. A plain picture takes next to nothing."""
_MOST_KEYFRAMES = 0.25
"""Largest share of keyframes among all frames. With more, decoding the keyframes first costs more than it saves."""

Span = tuple[int, int]


def quiet_spans(video: Path, line: Timeline, thumbnails: Path) -> list[Span]:
    """Find the spans between a file's keyframes in which the scan can skip frames.

    A span is the frame numbers of two consecutive keyframes, without motion right before the first. Videos that consist largely of
    keyframes, as those of editing codecs, have no such spans. `thumbnails`: path of a temporary file for the keyframes' thumbnails.
    """
    keys = np.flatnonzero(line.key)
    if line.key.mean() > _MOST_KEYFRAMES or len(keys) < 2:
        return []
    try:
        film = _keyframe_film(video, line, thumbnails)
    except BrokenMedia:
        return []
    if not np.array_equal(film.frames, keys):
        return []
    to_next, longest = lagged_distances(film, 1), int(np.diff(keys, append=len(line.pts)).max())
    # A picture that returns at the keyframe after next was interrupted by a flash.
    to_second_next = np.append(lagged_distances(film, 2), np.inf)
    changes = frame_changes(film)
    structures = (changes.structure / (changes.texture + NOISE))[1:]
    spans = []
    begins_calm = True
    pairs = zip(pairwise(keys.tolist()), to_next.tolist(), to_second_next.tolist(), structures.tolist(), strict=True)
    for (first, second), distance, returning, structure in pairs:
        cut = distance >= _OTHER_SHOT and returning >= distance / 2 and second - first < ROUTINE_SHARE * longest
        routine = second - first >= ROUTINE_SHARE * longest
        still = distance <= _SAME_SHOT and (routine or structure < _SAME_STRUCTURE)
        quiet = (still and _is_still(line, first, second)) or (cut and _ends_with_cut(line, first, second))
        if quiet and begins_calm:
            spans.append((first, second))
        # Motion may go on behind a keyframe, and its measures need the frames there.
        begins_calm = _is_calm_before(line, first, second)
    return spans


def _keyframe_film(video: Path, line: Timeline, thumbnails: Path) -> ThumbnailFilm:
    """Decode a video's keyframes into thumbnails."""
    numbers = {int(line.pts[key]): int(key) for key in np.flatnonzero(line.key)}
    with ThumbnailFile(thumbnails) as file, closing(read_frames(video, opaque=True, skip="nonkey")) as frames:
        for frame in frames:
            # Some decoders, such as FFV1, ignore `skip` and return every frame.
            if frame.pts in numbers:
                file.add(frame_thumbnail(frame), numbers[frame.pts])
        return file.film()


def _is_still(line: Timeline, first: int, second: int) -> bool:
    """Return whether small packets show a still picture between two keyframes.

    Any large packet may be a change of picture. A change to a plain picture takes few bytes, so packets are also compared with the median.
    """
    key, sizes = int(line.size[first]), _leading_sizes(line, first, second)
    median = float(np.median(sizes)) if len(sizes) else 0.0
    return bool((line.size[first + 1 : second] <= _STILL * key).all() and (sizes <= max(_JUMP * median, _LITTLE * key)).all())


def _ends_with_cut(line: Timeline, first: int, second: int) -> bool:
    """Return whether a cut lies exactly at the second keyframe.

    True if the packets before that keyframe are small and even, so that neither motion nor a gradual transition explains the new picture.
    """
    # Frames shown before a keyframe but decoded after it may belong to the new shot.
    if not line.leads[second - 1]:
        return False
    sizes = _leading_sizes(line, first, second)
    if not len(sizes):
        return False
    largest, smaller_key = int(sizes.max()), min(int(line.size[first]), int(line.size[second]))
    late = int(sizes[-_LATE_PACKETS:].max())
    if float(np.median(sizes[-_LATE_PACKETS:])) < _EMPTY * float(np.median(sizes)):
        return False
    return largest <= _LARGE * smaller_key and largest <= _SPIKE * float(np.median(sizes)) and late <= _LATE_SIZE * int(line.size[second])


def _is_calm_before(line: Timeline, first: int, second: int) -> bool:
    """Return whether the packets right before the second keyframe are small, as without motion."""
    sizes = _leading_sizes(line, first, second)[-_LATE_PACKETS:]
    return not len(sizes) or int(sizes.max()) <= _LATE_SIZE * int(line.size[second])


def _leading_sizes(line: Timeline, first: int, second: int) -> NDArray[np.int64]:
    """Return the sizes in bytes of packets between two keyframes, without reordered frames.

    Frames that are decoded after a frame shown later are left out: their sizes say little about changes.
    """
    inner = slice(first + 1, second)
    return line.size[inner][line.leads[inner]]
