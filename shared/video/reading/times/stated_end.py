"""The end of a video track as its container states it."""

import os
import re
from fractions import Fraction
from typing import Any

from shared.video.reading.containers.truncation import is_cut_off_matroska
from shared.video.reading.open_input import time_base_of
from shared.video.reading.times.container_traits import is_fragmented

# Matches the tag in which Matroska writers state the end of a track, such as 00:00:01.700000000.
_TAG = re.compile(r"(\d+):(\d\d):(\d\d(?:\.\d+)?)")
_LONGEST_STAND_S = 3600  # longest duration of a last picture; a longer one means that the stated end is wrong


def stated_end(path: str | os.PathLike[str], container: Any, stream: Any, last: Fraction) -> Fraction | None:
    """Return the end of the last frame in seconds, or None.

    It is the end that the container states. `last`: second at which the last picture begins. Of the containers' packets, only those of
    fragmented MP4 state the end: other MP4 files order lengths by decoding times, and Matroska has none for pictures. None if the container
    says nothing, or something that `last` contradicts.
    """
    name = container.format.name
    end: Fraction | None = None
    if name.startswith("mov") and stream.duration and not is_fragmented(path):
        end = ((stream.start_time or 0) + stream.duration) * time_base_of(stream)
    elif name.startswith("matroska") and not is_cut_off_matroska(path):
        tag = _TAG.fullmatch(stream.metadata.get("DURATION", ""))
        end = int(tag[1]) * 3600 + int(tag[2]) * 60 + Fraction(tag[3]) if tag else None
    return end if end is not None and last < end <= last + _LONGEST_STAND_S else None
