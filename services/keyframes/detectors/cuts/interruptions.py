"""Interruptions of a shot by flashes and blank frames.

An interruption ends after a fraction of a second. The picture after an interruption follows the picture before it: either both belong to
one shot, or one cut lies between them.
"""

import numpy as np
from numpy.typing import NDArray

from services.keyframes.analysis.comparison.frame_changes import FrameChanges
from services.keyframes.analysis.comparison.frame_distance import frame_distance
from services.keyframes.analysis.thumbnail_film import HEIGHT, WIDTH, ThumbnailFilm

_LONGEST_BLANK, _LONGEST_FLASH = 0.41, 0.3
"""Longest run of plain frames, and longest flash, in seconds."""
_STEP = 0.2  # minimum distance between consecutive frames at the start, and at the end, of an interruption
_OTHER_PICTURE = 0.45  # minimum distance between the last frame of a flash and the next frame, if the next is not darker
_BRIGHTER, _DARKER, _SHARE = 10.0, 8.0, 0.96
"""Limits for a picture under more light. Its mean rises by at least _BRIGHTER levels. At least the share _SHARE of its pixels gets no more
than _DARKER levels darker."""
_WHITE = 170  # minimum mean level of blank or washed-out frames that may be the brightest frames of a flash
_MUCH_BRIGHTER, _WASHED_OUT = 60, 0.5
"""Limits for a flash over the first frames of a shot. The mean rises by at least _MUCH_BRIGHTER levels, and at most the share _WASHED_OUT
of the contrast is left."""
_BLOCK_H, _BLOCK_W = 6, 4  # size of compared blocks, in pixels of a thumbnail
_LIKE_WHOLE, _PLAIN = 0.5, 6.0
"""Limits for comparing whole pictures. Two frames with a correlation of at least _LIKE_WHOLE show the same picture. Below a standard
deviation of _PLAIN levels, a picture is too plain to compare."""
_LIKE = 0.3  # minimum correlation of two blocks that show the same
_NOISE, _MIN_DETAIL = 0.7, 0.5
"""Noise of a block in levels, and minimum mean contrast above it. With less contrast, blocks are not compared."""
_EDGE, _EDGE_LEVELS, _MOST_EDGES = 2.0, 4.0, 0.5
"""Limits for the edge of a light. It lies in blocks whose contrast rises to more than _EDGE times its value plus _EDGE_LEVELS levels. These
are at most the share _MOST_EDGES of all blocks."""
_SLOPES = np.linalg.qr(np.stack([np.ones(_BLOCK_H * _BLOCK_W), *np.indices((_BLOCK_H, _BLOCK_W)).reshape(2, -1)], axis=1))[0].T
"""Base of the means and slopes of a block's brightness. Three rows of length 1, one value for each pixel of a block."""

Luma = NDArray[np.float32]


def interruptions(film: ThumbnailFilm, changes: FrameChanges, frame_rate: float) -> list[tuple[int, int]]:
    """Find flashes and runs of blank frames in a film.

    `frame_rate`: frames per second. Returns a pair for each, in order: the places of its first frame and of the frame after its last. A
    place is an index into the film.
    """
    runs: list[tuple[int, int]] = []
    end = 0
    for place in np.flatnonzero(changes.distance >= _STEP).tolist():
        if place > end and not (place and changes.plain[place - 1]):
            stop = _end(film, changes, place, frame_rate)
            if stop is not None:
                runs.append((place, stop))
                end = stop
    return runs


def _end(film: ThumbnailFilm, changes: FrameChanges, place: int, frame_rate: float) -> int | None:
    """Return the index of the frame after the interruption that starts at `place`.

    Returns None if no interruption begins there.
    """
    blank = _blank_end(film, changes, place, frame_rate)
    if blank is not None and film.at(place)[0].mean() < _WHITE:
        return blank
    # White frames may be the brightest ones of a flash.
    return _flash_end(film, changes, place, frame_rate) or blank


def _blank_end(film: ThumbnailFilm, changes: FrameChanges, place: int, frame_rate: float) -> int | None:
    """Return the index of the frame after the blank frames that start at `place`.

    Returns None unless the run is short and ends abruptly. A fade does not: faint pictures follow its blank frames.
    """
    stop = place
    while stop < len(film) and changes.plain[stop]:
        stop += 1
    if not place < stop < len(film) or changes.distance[stop] < _STEP:
        return None
    return stop if film.frames[stop] - film.frames[place] <= _LONGEST_BLANK * frame_rate else None


def _flash_end(film: ThumbnailFilm, changes: FrameChanges, place: int, frame_rate: float) -> int | None:
    """Return the index of the frame after the flash that starts at `place`.

    Returns None if no flash begins there.
    """
    longest = film.frames[place] + _LONGEST_FLASH * frame_rate
    last = int(np.searchsorted(film.frames, longest, side="right"))
    luma = film.block(place - 1, min(last + 3, len(film)))[:, 0].astype(np.float32)
    before, rest = luma[0], luma[1:]
    bright = rest[0].mean() >= max(before.mean() + _MUCH_BRIGHTER, _WHITE)
    over_a_cut = bright and changes.contrast[place] <= _WASHED_OUT * changes.contrast[place - 1]
    usual = _brightened(before, rest[0]) or changes.plain[place]
    if not (usual or over_a_cut):
        return None
    for count in range(1 if usual else 2, min(last - place, len(rest) - 1) + 1):
        after, later = rest[count], rest[count + 1 :]
        plain_or_darker = changes.plain[place + count - 1] or _brightened(after, rest[count - 1])
        # After a flash, the picture is darker, or it is another picture. A change by motion alone ends no flash.
        least = _STEP if plain_or_darker else _OTHER_PICTURE
        if changes.distance[place + count] < least or any(_brightened(calm, after) for calm in later) or changes.plain[place + count]:
            continue
        # A flash is brighter than both pictures beside it.
        if not changes.plain[place + count - 1] and after.mean() >= rest[count - 1].mean():
            continue
        # A flash that hides a cut may be a short shot, so the light must fall on the whole picture.
        hides_cut = float(frame_distance(film.at(place - 1), film.at(place + count)).total) >= _OTHER_PICTURE
        if all(
            _brightened(before, frame, whole=hides_cut)
            or _brightened(after, frame, whole=hides_cut)
            or changes.plain[place + at]
            or (at and changes.distance[place + at] < _STEP)  # still the picture of the frame before, which may have moved
            for at, frame in enumerate(rest[:count])
        ):
            return place + count
    return None


def _brightened(before: Luma, after: Luma, *, whole: bool = False) -> bool:
    """Return whether `after` shows the picture `before` under more light.

    If so, `after` is brighter on average, darker almost nowhere, and not another picture. `whole`: the light falls on the whole picture.
    """
    brighter = after.mean() - before.mean() >= _BRIGHTER and (after >= before - _DARKER).mean() >= _SHARE
    return bool(brighter) and (_same_whole(before, after) if whole else _same_picture(before, after))


def _same_whole(before: Luma, after: Luma) -> bool:
    """Return whether light and dark lie in the same places of two frames.

    Also true if one of them has too little contrast to compare.
    """
    contrast, left = float(before.std()), float(after.std())
    if left <= _WASHED_OUT * contrast or contrast < _PLAIN:
        return True
    likeness = ((before - before.mean()) * (after - after.mean())).mean() / (contrast * left)
    return bool(likeness >= _LIKE_WHOLE)


def _same_picture(before: Luma, after: Luma) -> bool:
    """Return whether `after` may be the same picture as `before`.

    Light may fall on all or part of it. Both are the same if light and dark lie in the same places within most blocks, weighted by the
    detail that both pictures have in a block. With too little detail to compare, they may be the same, too: `before` may be plain, or
    glaring light may hide the picture in `after`.
    """
    first, second = _blocks(before), _blocks(after)
    contrast, left = first.std(axis=1), second.std(axis=1)
    # Light takes contrast away, except where its edge lies.
    edge = left > _EDGE * contrast + _EDGE_LEVELS
    if edge.mean() > _MOST_EDGES:
        return False
    likeness = (first * second).mean(axis=1) / (contrast * left + _NOISE**2)
    detail = np.where(edge, 0, np.maximum(np.minimum(contrast, left) - _NOISE, 0))
    return bool(detail.mean() < _MIN_DETAIL or detail[likeness >= _LIKE].sum() >= detail.sum() / 2)


def _blocks(picture: Luma) -> Luma:
    """Divide a picture into blocks, without their mean and their slope of brightness.

    Returns (blocks, pixels of a block). The slope is left out because light often falls off over a part of the picture.
    """
    blocks = picture.reshape(HEIGHT // _BLOCK_H, _BLOCK_H, WIDTH // _BLOCK_W, _BLOCK_W).swapaxes(1, 2).reshape(-1, _BLOCK_H * _BLOCK_W)
    return np.asarray(blocks - blocks @ _SLOPES.T @ _SLOPES, np.float32)
