"""What packets and keyframes tell of a video, so that only what is in doubt has to be decoded.

Encoders spend far more on a frame that has little in common with those before, and where they notice a cut they begin the shot with a
keyframe. So between two keyframes whose packets are small and even nothing happens; if the second is another picture, the cut is there.
"""

from contextlib import closing
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from services.keyframes.analysis.consecutive import distances
from services.keyframes.analysis.thumbnail_film import TinyFile, TinyFilm, tiny_frame
from shared.video import Timeline, read_frames

_ALIKE, _OTHER = 0.3, 0.6
"""Keyframes nearer than the first are of one shot, those farther than the second of two, as `Apart.distance` has it."""
_STILL = 1 / 3  # of a keyframe's size: no packet is larger where the picture stays
_JUMP, _LITTLE = 10.0, 0.02  # times the usual one, and of a keyframe's size: a packet of more than both may be a cut to a plain picture
_LARGE, _SPIKE = 0.6, 4.0  # of a keyframe's size, and times the usual one: no packet is larger before a cut that is trusted
_LATE, _LAST = 0.2, 6  # of the next keyframe's size, and how many packets: what is larger right before it is motion that it was put in for
_IN_TURN = 0.97  # of the longest distance of keyframes: such a one is there because it was time
_MOST_KEYS = 0.25  # of all frames: of more, to look at them first would cost more than leaving out the others saves

Span = tuple[int, int]


def quiet_spans(video: Path, line: Timeline, kept: Path) -> list[Span]:
    """Pairs of keyframes that follow each other, as numbers of frames, between which nothing has to be looked at.

    There are none in a video much of which is keyframes, as all of it is in codecs for editing. `kept`: a file for the keyframes in tiny.
    """
    keys = np.flatnonzero(line.key)
    if line.key.mean() > _MOST_KEYS or len(keys) < 2:
        return []
    film = _keyframes(video, line, kept)
    if not np.array_equal(film.frames, keys):
        return []
    change, longest = distances(film, 1), int(np.diff(keys, append=len(line.pts)).max())
    # What is as it was at the keyframe after the next is a flash.
    back = np.append(distances(film, 2), np.inf)
    spans = []
    for (first, after), far, again in zip(pairwise(keys.tolist()), change.tolist(), back.tolist(), strict=True):
        cut = far >= _OTHER and again >= far / 2 and after - first < _IN_TURN * longest
        if (far <= _ALIKE and _still(line, first, after)) or (cut and _even(line, first, after)):
            spans.append((first, after))
    return spans


def _keyframes(video: Path, line: Timeline, kept: Path) -> TinyFilm:
    """All keyframes that are found again."""
    number = {int(line.pts[key]): int(key) for key in np.flatnonzero(line.key)}
    with TinyFile(kept) as store, closing(read_frames(video, skip="nonkey")) as frames:
        for frame in frames:
            # Some decoders, such as that of FFV1, hand out every frame whatever they are asked for.
            if frame.pts in number:
                store.add(tiny_frame(frame), number[frame.pts])
        return store.film()


def _still(line: Timeline, first: int, after: int) -> bool:
    """Whether no packet between two keyframes is nearly as large as that of the first, nor far larger than usual: what changed would have
    been coded anew, though that may be something plainer for a while."""
    key, leading = int(line.size[first]), _leading(line, first, after)
    usual = float(np.median(leading)) if len(leading) else 0.0
    return bool((line.size[first + 1 : after] <= _STILL * key).all() and (leading <= max(_JUMP * usual, _LITTLE * key)).all())


def _even(line: Timeline, first: int, after: int) -> bool:
    """Whether packets are small and even up to the second keyframe, so that it was put there for a cut, and nothing else happens."""
    # Frames that are shown before a keyframe, but decoded after it, may be of its shot already.
    if not line.leads[after - 1]:
        return False
    sizes = _leading(line, first, after)
    if not len(sizes):
        return False
    most, least_key = int(sizes.max()), min(int(line.size[first]), int(line.size[after]))
    late = int(sizes[-_LAST:].max())
    return most <= _LARGE * least_key and most <= _SPIKE * float(np.median(sizes)) and late <= _LATE * int(line.size[after])


def _leading(line: Timeline, first: int, after: int) -> NDArray[np.int64]:
    """Bytes of the packets between two keyframes; what lies between two frames that were decoded before it says little by its size."""
    inner = slice(first + 1, after)
    return line.size[inner][line.leads[inner]]
