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
"""Limits of `FrameDistance.total` for two keyframes. Up to _SAME_SHOT they show one shot, from _OTHER_SHOT on two shots."""
_SAME_STRUCTURE = 0.08
"""Largest relative change of structure between two keyframes of one shot. A larger one may be a cut to a closer view (punch-in). Not
applied to routine keyframes, see ROUTINE_SHARE."""
_STILL = 1 / 3
"""Largest packet in a still span, as a share of the first keyframe's size."""
_JUMP, _LITTLE = 10.0, 0.02
"""Limits for the largest packet in a still span. It has at most _JUMP times the size of the median packet, or at most _LITTLE times that of
the first keyframe. A larger packet may be a cut to a plain picture."""
_LARGE, _SPIKE = 0.6, 4.0
"""Limits for the largest packet in a span that ends with a cut. It has at most _LARGE times the size of the smaller keyframe, and at most
_SPIKE times that of the median packet."""
_LATE_SIZE, _LATE_PACKETS = 0.2, 6
"""Largest size of the last packets before the second keyframe, and their number. The size is relative to that keyframe; larger
packets mean motion."""
_EMPTY = 0.1
"""Minimum median size of the last packets, relative to that of all packets. Smaller last packets show the plain picture at the end of a
fade."""
_MAX_KEYFRAMES = 0.25
"""Largest share of keyframes among all frames. With more, decoding the keyframes first costs more than it saves."""

Span = tuple[int, int]


def quiet_spans(video: Path, line: Timeline, thumbnails: Path) -> list[Span]:
    """Find the spans between a file's keyframes in which the scan can skip frames.

    Returns the frame numbers of the two keyframes around each span. Nothing moves right before the first keyframe. Videos that consist
    largely of keyframes, as those of editing codecs, have no such spans. `thumbnails`: path of a temporary file for the keyframes'
    thumbnails.
    """
    keys = np.flatnonzero(line.key)
    if line.key.mean() > _MAX_KEYFRAMES or len(keys) < 2:
        return []
    try:
        film = _keyframe_film(video, line, thumbnails)
    except BrokenMedia:
        return []
    if not np.array_equal(film.frames, keys):
        return []
    to_next, longest = lagged_distances(film, 1), int(np.diff(keys, append=len(line.pts)).max())
    # If the picture returns at the second keyframe after this one, the keyframe between them shows a flash and no cut.
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
        # Motion before a keyframe may continue after it. Then the frames after it must be measured.
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

    A large packet may hold a new picture. A new picture that is plain takes few bytes, so packets are also compared with the median.
    """
    key, sizes = int(line.size[first]), _leading_sizes(line, first, second)
    median = float(np.median(sizes)) if len(sizes) else 0.0
    return bool((line.size[first + 1 : second] <= _STILL * key).all() and (sizes <= max(_JUMP * median, _LITTLE * key)).all())


def _ends_with_cut(line: Timeline, first: int, second: int) -> bool:
    """Return whether a cut lies exactly at the second keyframe.

    That is so if the packets before that keyframe are small and even. Then neither motion nor a gradual transition explains the new
    picture.
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
