"""Times of all frames of a video, read without decoding."""

import os
from array import array
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from shared.video.limits import Limits
from shared.video.reading.open_input import open_packets, time_base_of, timeline_zero
from shared.video.reading.times.clock import clock_of
from shared.video.reading.times.stated_end import stated_end
from shared.video.reading.whole_packets import holds_picture


@dataclass(frozen=True, slots=True)
class Timeline:
    """A list of all frames of a video, with their times and packet sizes.

    `pts`: (n,) int64, rising, in units of `time_base` from the start of the file's timeline. `end`: end of the last frame, in seconds.
    `size`: (n,) int64, bytes of each frame's packet. `key`: (n,) true for keyframes. `leads`: (n,) true for frames before
    which no frame is decoded that is shown later.
    """

    pts: NDArray[np.int64]
    key: NDArray[np.bool_]
    leads: NDArray[np.bool_]
    size: NDArray[np.int64]
    time_base: Fraction
    end: Fraction


def timeline(path: str | os.PathLike[str], *, limits: Limits | None = None) -> Timeline | None:
    """Read the frame times of a video from its packets, or return None.

    None if packets have no times. Where a packet holds no picture, or two, the times differ from those of `read_frames`, so compare them.
    Raises what `read_frames` raises if the file cannot be opened, or breaks.
    """
    limits = limits or Limits.current()
    with open_packets(path, limits=limits) as (container, stream):
        base = time_base_of(stream)
        offset = int(timeline_zero(container, stream) / base)
        # Arrays take a fifth of the memory of lists: six hours at 60 frames a second are more than a million packets.
        times, sizes, keys, leads = array("q"), array("q"), array("b"), array("b")
        latest, duration = -1, 0
        clock = clock_of(container, path, limits)
        if stream.index in clock.even:
            return None
        for packet in clock.packets(container.demux(stream)):
            if not holds_picture(packet):
                continue
            if packet.pts is None or packet.is_discard or container.format.name == "avi":
                return None
            times.append(packet.pts - offset)
            keys.append(bool(packet.is_keyframe and packet.size))
            sizes.append(packet.size)
            leads.append(times[-1] > latest)
            if times[-1] > latest:
                latest, duration = times[-1], packet.duration or duration
        pts, order = np.unique(np.array(times), return_index=True)
        if len(pts) != len(times) or not len(pts) or pts[0] < 0:
            return None
        limits.check_duration(float(int(pts[-1]) * base))
        last = (int(pts[-1]) + offset) * base
        end = (stated_end(path, container, stream, last) or last + duration * base) - offset * base
        return Timeline(pts, np.array(keys, np.bool_)[order], np.array(leads, np.bool_)[order], np.array(sizes)[order], base, end)
