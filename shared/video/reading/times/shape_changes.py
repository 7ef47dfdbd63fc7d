"""Changes of the picture's shape within a file.

They are found from its packets, or from the keyframes in its index.
"""

import os
import threading
from collections import OrderedDict
from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise
from typing import Any

import av.error

from shared.video.frames.display import Orientation
from shared.video.limits import Limits
from shared.video.reading.open_input import main_video, open_input
from shared.video.reading.times.container_traits import lists_packets
from shared.video.reading.times.parameter_sets import HEAD_BYTES, parameters
from shared.video.reading.times.scan import Size, scan
from shared.video.reading.times.shapes import Shape, shape_of

_LOOKS = 256
"""Number of keyframes of a file that are examined, evenly spaced. A shape that lasts for less than
1 / _LOOKS of the file may be missed."""
_MOST = 16
"""Changes of shape above which a file is not searched further."""
_KEPT = 32
_INDEXED = frozenset({"mov", "avi"})
_cache: OrderedDict[tuple[str, int, int], tuple[Size, ...]] = OrderedDict()
_lock = threading.Lock()


def shape_changes(container: Any, path: str | os.PathLike[str], limits: Limits) -> tuple[Size, ...]:
    """Return the shapes of an open file's frames, each with its start time.

    There is at most one where the shape stays. `container`: the file `path`; no packet is read from it. The result is found once per
    process. Raises what `open_input` raises.
    """
    status = os.stat(path)
    key = (os.path.abspath(path), status.st_size, status.st_mtime_ns)
    with _lock:
        if key in _cache:
            return _cache[key]
    video: Any = main_video(container, path)
    if not lists_packets(container, video, path):
        packets = scan(path, limits)
        if packets is not None:
            return packets.sizes
    sizes = tuple(_indexed(path, video, limits)) if container.format.name.partition(",")[0] in _INDEXED else ()
    with _lock:
        _cache[key] = sizes
        while len(_cache) > _KEPT:
            _cache.popitem(last=False)
    return sizes


def pixel_ratio_at(sizes: Sequence[Size], stated: Fraction | None, at: int | None) -> Fraction | None:
    """Return the pixel ratio of the frame at time `at`.

    `stated`: as the file's container says. It holds for all pictures if the coded stream says otherwise from the start, since then it was
    set on purpose. `at`: the picture's time, as in `Size`.
    """
    if not sizes or at is None or sizes[0].shape.pixel_ratio != (stated or 1):
        return stated
    return _shape_at(sizes, at).pixel_ratio


def orientation_at(sizes: Sequence[Size], at: int | None) -> Orientation | None:
    """Return the orientation of the frame at time `at`, or None.

    None if the stream's keyframes state none. FFmpeg gives the orientation to keyframes only, although it holds until the next keyframe.
    """
    return _shape_at(sizes, at).orientation if sizes and at is not None else None


def _shape_at(sizes: Sequence[Size], at: int) -> Shape:
    return next((size.shape for size in reversed(sizes) if size.at <= at), sizes[0].shape)


def _indexed(path: str | os.PathLike[str], video: Any, limits: Limits) -> list[Size]:
    """Find shape changes among the keyframes in a container's index."""
    entries, codec = video.index_entries, video.codec_context.codec.canonical_name
    extradata = video.codec_context.extradata or b""
    count = len(entries)
    if not count:
        return []
    marks: dict[int, tuple[bytes, bytes] | None] = {}

    def key_at(stamp: int) -> int:
        return max(int(entries.search_timestamp(stamp)), 0)

    with open(path, "rb") as file:

        def mark(number: int) -> tuple[bytes, bytes] | None:
            if number not in marks:
                entry = entries[number]
                file.seek(max(entry.pos, 0))
                marks[number] = parameters(codec, extradata, file.read(min(max(entry.size, 0), HEAD_BYTES)))
            return marks[number]

        first, last = entries[0].timestamp, entries[count - 1].timestamp
        looks = sorted({key_at(first + (last - first) * look // (_LOOKS - 1)) for look in range(_LOOKS)})
        changes = [looks[0]]
        for before, after in pairwise(looks):
            if len(changes) > _MOST or mark(before) == mark(after):
                continue
            low, high = before, after
            while (middle := key_at((entries[low].timestamp + entries[high].timestamp) // 2)) != low:
                low, high = (middle, high) if mark(middle) == mark(before) else (low, middle)
            changes.append(_next_key(entries, low, high))
    if len(changes) == 1:
        return []
    with open_input(path, limits=limits) as container:
        return _shapes_at(container, main_video(container, path), [entries[number].timestamp for number in changes], limits)


def _next_key(entries: Any, low: int, high: int) -> int:
    """Return the entry number of the next keyframe after entry `low`.

    Returns `high` if there is none before it.
    """
    return next((number for number in range(low + 1, high) if entries[number].is_keyframe), high)


def _shapes_at(container: Any, video: Any, stamps: Sequence[int], limits: Limits) -> list[Size]:
    """Decode the keyframes at the times `stamps`; return the changes of shape.

    `stamps`: decoding times in ticks.
    """
    sizes: list[Size] = []
    for stamp in stamps:
        try:
            container.seek(stamp, stream=video)
            # MP4 seeks by display times, and may land on an earlier keyframe.
            packets = (packet for packet in container.demux(video) if packet.size and packet.is_keyframe)
            packet = next((packet for packet in packets if packet.dts is None or packet.dts >= stamp), None)
        except av.error.FFmpegError:
            continue
        shape = None if packet is None or packet.pts is None else shape_of(packet, video, limits)
        if packet is not None and shape is not None and (not sizes or sizes[-1].shape != shape):
            sizes.append(Size(packet.pts, shape))
    return sizes
