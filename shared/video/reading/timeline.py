"""When each frame of a video is shown, without decoding any."""

import os
from array import array
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from shared.video.limits import Limits
from shared.video.reading.open_input import main_video, open_input, time_base_of, timeline_zero


@dataclass(frozen=True, slots=True)
class Timeline:
    """`pts`: (n,) int64, rising, in units of `time_base` from the start of the file's timeline; `end`: when the last frame is over.

    `size`: (n,) int64, bytes of each frame's packet. `key`, `leads`: (n,) whether a frame is a keyframe, and whether none that is shown
    later is decoded before it.
    """

    pts: NDArray[np.int64]
    key: NDArray[np.bool_]
    leads: NDArray[np.bool_]
    size: NDArray[np.int64]
    time_base: Fraction
    end: Fraction


def timeline(path: str | os.PathLike[str], *, limits: Limits | None = None) -> Timeline | None:
    """The times that the packets of a video promise, read without decoding; None where they do not tell.

    Where an encoder left some out, or gave two pictures to one packet, that differs from what `read_frames` hands out: compare. Raises
    what `read_frames` raises where the file cannot be opened, or breaks.
    """
    limits = limits or Limits.in_force()
    with open_input(path, limits=limits) as container:
        stream = main_video(container, path)
        base = time_base_of(stream)
        offset = int(timeline_zero(container, stream) / base)
        # A fifth of the memory of lists: six hours at 60 frames a second are more than a million packets.
        found, sizes, keys, leads = array("q"), array("q"), array("b"), array("b")
        latest, lasts = -1, 0
        for packet in container.demux(stream):
            if packet.size == 0:
                continue
            if packet.pts is None or packet.is_discard or container.format.name == "avi":
                return None
            found.append(packet.pts - offset)
            keys.append(packet.is_keyframe)
            sizes.append(packet.size)
            leads.append(found[-1] > latest)
            if found[-1] > latest:
                latest, lasts = found[-1], packet.duration or lasts
        pts, order = np.unique(np.array(found), return_index=True)
        if len(pts) != len(found) or not len(pts) or pts[0] < 0:
            return None
        limits.check_duration(float(int(pts[-1]) * base))
        end = (int(pts[-1]) + lasts) * base
        return Timeline(pts, np.array(keys, np.bool_)[order], np.array(leads, np.bool_)[order], np.array(sizes)[order], base, end)
