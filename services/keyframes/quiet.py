"""What packets and keyframes tell of a video, so that only what is in doubt has to be decoded.

Encoders begin a shot with a keyframe of their own accord where they notice the cut, and spend far more on frames that have little in common
with those before. So a group of pictures whose packets are even holds no change, and if the keyframe after it is another picture, the cut
is there.
"""

from contextlib import closing
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from services.keyframes.apart import apart
from services.keyframes.small import shrink
from services.keyframes.tiny import HEIGHT, WIDTH, Planes, tiny
from shared.video import Timeline, read_frames

_ALIKE, _OTHER = 0.3, 0.6
"""Keyframes nearer than the first are of one shot, those farther than the second of two, as `Apart.distance` has it."""
_SPIKE, _OF_KEY = 4.0, 0.9  # a packet so many times the usual, or so large against the keyframe's, is of a picture coded anew
_BUMP, _SMOOTH = 2.3, 8  # so many times the usual bytes a frame, over so many frames, are of a dissolve, or of motion
_IN_TURN = 0.97  # of the longest distance of keyframes: such a keyframe is there because it was time
_AFTER = 10  # frames that are looked at after the last in doubt
_FLASH = 8  # frames, the longest flash
_SHORTEST = 5  # frames from keyframe to keyframe, on average: below there is nothing to save
_WORTH = 12  # frames that are not worth passing over
_LEAST_SHARE = 0.4  # of all frames: to pass over less is not worth the risk

Gap = tuple[int, int]


def gaps(video: Path, line: Timeline) -> list[Gap]:
    """Runs of frames (first, and first after) that need not be decoded: between them the picture stays as it was before.

    Of each group of pictures, keyframe to keyframe, all but the keyframe is left out if it is even. What is in doubt is decoded from the
    keyframe to a little after the last doubt; the last group, of which no end is seen, is decoded in full. Where so much is in doubt that
    little would be saved, nothing is left out.
    """
    starts = np.flatnonzero(line.key)
    if not len(starts) or starts[0] != 0 or len(line.pts) < _SHORTEST * len(starts):
        return []
    ends = np.append(starts[1:], len(line.pts))
    change, back = _changes(video, len(starts))
    if len(change) != len(starts):
        return []
    groups = [_Group(line, int(first), int(stop)) for first, stop in zip(starts, ends, strict=True)]
    longest = int((ends - starts).max())
    wanted = [group.doubts(far) for group, far in zip(groups, change, strict=True)]
    for number, (group, after) in enumerate(pairwise(groups)):
        far = change[number]
        if far < _ALIKE:
            continue
        in_turn = group.length >= _IN_TURN * longest
        if far < _OTHER or in_turn or group.ends_restless():
            wanted[number] = group.length
        if after.spike_within(_FLASH):
            wanted[number], wanted[number + 1] = group.length, max(wanted[number + 1], _FLASH)
        elif back[number] < 0.5 * far:
            wanted[number + 1] = max(wanted[number + 1], _FLASH)
    wanted[-1] = groups[-1].length
    found = [group.gap(frames) for group, frames in zip(groups, wanted, strict=True)]
    found = [gap for gap in found if gap[0] < gap[1]]
    left_out = sum(stop - first for first, stop in found)
    return found if left_out >= _LEAST_SHARE * len(line.pts) else []


def _changes(video: Path, count: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(k,) each: how far each keyframe is from the next, and from the one after that; 0 where there is none."""
    change, back = np.zeros(count), np.zeros(count)
    seen: list[Planes] = []
    number = -1
    with closing(read_frames(video, skip="nonkey")) as frames:
        for number, frame in enumerate(frames):
            seen = [*seen[-2:], tiny(shrink(frame, (2 * WIDTH, 2 * HEIGHT)))]
            if number >= count:
                break
            if number >= 1:
                change[number - 1] = apart(seen[-2], seen[-1]).distance
            if number >= 2:
                back[number - 2] = apart(seen[-3], seen[-1]).distance
    return (change, back) if number + 1 == count else (change[:0], back[:0])


class _Group:
    """A group of pictures: the keyframe `first`, and what follows it up to the next one."""

    def __init__(self, line: Timeline, first: int, stop: int):
        self.first, self.length = first, stop - first
        self._ahead = np.flatnonzero(line.ahead[first + 1 : stop]) + 1
        self._size = line.size[first + self._ahead]
        usual = float(np.median(self._size)) if len(self._size) else 0.0
        self._large = self._ahead[(self._size > _SPIKE * usual) | (self._size > _OF_KEY * line.size[first])]
        # Frames that are shown before one and decoded after it share their bytes with it: which of them it is says nothing.
        self._runs = np.diff(self._ahead, prepend=0)
        so_far = np.cumsum(line.size[first + 1 : stop])
        self._rate = np.repeat(np.diff(so_far[self._ahead - 1], prepend=0) / np.maximum(self._runs, 1), self._runs)

    def doubts(self, change: float) -> int:
        """How many frames from the keyframe on have to be looked at, by the sizes of packets alone; 0 if they are even."""
        frames = int(self._large[-1]) + 1 if len(self._large) else 0
        if change >= _ALIKE and len(self._rate) >= 2 * _SMOOTH:
            smooth = np.convolve(self._rate, np.ones(_SMOOTH) / _SMOOTH, "valid")
            bump = np.flatnonzero(smooth > _BUMP * np.median(self._rate))
            frames = max(frames, int(bump[-1]) + _SMOOTH) if len(bump) else frames
        return frames

    def ends_restless(self) -> bool:
        """Whether the encoder gave up B-frames before the next keyframe, as it does when what it predicts from is of no use."""
        alone = self._runs == 1
        return bool(len(alone) > 2 and alone[-2:].all() and alone.sum() < 0.6 * self.length)

    def spike_within(self, frames: int) -> bool:
        """Whether the picture changes right after the keyframe, as at the end of a flash."""
        return bool((self._large <= frames).any())

    def gap(self, wanted: int) -> Gap:
        """What is left out if so many frames and a few more are wanted, from one that nothing after it is needed for."""
        stop = self.first + self.length
        if not wanted:
            return self.first + 1, stop
        after = self._ahead[self._ahead >= wanted + _AFTER]
        begins = self.first + int(after[0]) + 1 if len(after) else stop
        return (begins, stop) if stop - begins >= _WORTH else (stop, stop)
