"""Duration, frame rate and clock jumps of a video."""

import math
import os
from array import array
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import pairwise
from typing import Any

import av.error

from shared.video.limits import Limits
from shared.video.probing.frame_rates import FrameRates, frame_rates, in_milliseconds
from shared.video.reading.containers.following_files import following_files
from shared.video.reading.containers.truncation import is_cut_off_matroska
from shared.video.reading.open_input import time_base_of, timeline_zero
from shared.video.reading.times.container_traits import is_fragmented, lists_packets
from shared.video.reading.times.joins import Join
from shared.video.reading.times.scan import Scan, Size, last_picture, scan
from shared.video.reading.times.shape_changes import shape_changes
from shared.video.reading.times.shapes import Shape
from shared.video.reading.times.stated_end import stated_end

# Number of packets that show whether the frame rate varies, for files without an index.
_PACKETS_LOOKED_AT = 120
# Most index entries to read: the whole index of a film of several hours would take a second.
_ENTRIES_LOOKED_AT = 20_000
_COUNTING = frozenset({"avi", "ogg", "mxf"})
"""Containers whose clock counts pictures. Other clocks of the same ticks may round times."""
_UNRATED = frozenset({"gif", "apng"})
"""Containers that state the length of each picture, and no frame rate."""


@dataclass(frozen=True, slots=True)
class Timing:
    """Duration, frame rate and clock jumps of a video file.

    `duration`: seconds from the timeline's start to the end of the last picture; None where even the packets do not say. `ends`: seconds at
    which tracks end, by stream index, as far as known. `joins`: where the file's own clock jumps. `untouched`: no packet was read from the
    open container. `files`: seconds at which the later files in a joined file begin, where these are opened one by one.
    `captions`: whether the pictures carry closed captions; None if not all packets were read. `left_out`, `chaptered`: as in `Scan`.
    """

    duration: Fraction | None
    rates: FrameRates
    frames: int | None
    ends: dict[int, Fraction]
    joins: tuple[Join, ...]
    sizes: tuple[Size, ...] = ()
    whole: bool = True
    untouched: bool = False
    files: tuple[Fraction, ...] = ()
    captions: bool | None = None
    left_out: Mapping[tuple[int, int], str] = field(default_factory=dict)
    chaptered: int = 0


def timing(container: Any, stream: Any, path: str | os.PathLike[str], limits: Limits, *, seconds: float | None) -> Timing:
    """Measure duration, frame rate and clock jumps of an open file's main video.

    Reads packets from `container`, unless the result is `untouched`. `seconds`: limit for reading packets, None without a limit.
    """
    base = time_base_of(stream)
    zero = timeline_zero(container, stream)
    listed = lists_packets(container, stream, path)
    packets = None if listed else scan(path, limits, seconds=seconds)
    duration = _duration(path, container, stream, zero, base, packets)
    # Animations state the length of each picture, and no rate.
    stated = None if container.format.name in _UNRATED else stream.average_rate or stream.guessed_rate
    counting = container.format.name in _COUNTING
    if packets is not None and packets.whole and len(packets.times) > 1:
        # Where only the first picture of a packet of the container has a time, the times are further apart than the pictures.
        sparse = container.format.name == "mpeg" and packets.untimed and stated
        times, unit = in_milliseconds(packets.times, base) if container.format.name in _UNRATED else (packets.times, base)
        rates = frame_rates(array("q") if sparse else times, unit, stated, () if sparse else packets.breaks, counting=counting)
        # Matroska's packets before time 0 have no times.
        late = max(packets.times[0] * base - zero - packets.untimed / rates.average, Fraction(0))
        # Of a joined or fragmented file, the first part's pictures are stated.
        joined = container.format.name == "gif" or is_fragmented(path) or bool(following_files(path, container.format.name).read)
        stated_count = 0 if joined else stream.frames
        expected = duration and max(duration - late, Fraction(0))
        count = min(
            (len(packets.times), len(packets.times) + packets.untimed), key=lambda pictures: abs(pictures - (expected or 0) * rates.average)
        )
        if packets.counted and packets.end is not None:
            count = round((packets.end - packets.times[0]) / packets.step)
        frames = _counted(count, stated_count, expected, rates, complete=bool(packets.joins) and not packets.untimed)
    else:
        count = len(stream.index_entries) or stream.frames
        if not stated and count and duration:
            stated = Fraction(count) / duration
        single = packets is not None and packets.whole and len(packets.times) + packets.untimed == 1
        if packets is not None and single and not stream.average_rate:
            # From one picture, FFmpeg guesses the rate of its fields or of the clock's ticks.
            stated = 1 / (packets.step * base) if packets.step * base > _SHORTEST_S else None
        rates = frame_rates(_first_times(container, stream), base, stated, counting=counting)
        frames = stream.frames - _hidden(stream) if stream.frames else None
        if packets is not None and (packets.nowhere_timed or single):
            frames = len(packets.times) + packets.untimed
        if frames is not None and container.format.name == "avi" and len(stream.index_entries):
            # AVI counts empty chunks, which repeat a picture, but does not list them.
            frames = min(frames, len(stream.index_entries))
        if frames is not None and duration is not None and not rates.varies:
            frames = min(frames, math.ceil(duration * rates.average))
    if frames is None and duration is not None:
        frames = max(round(duration * rates.average), 1)
    untouched = _indexed(container, stream) and not _may_be_short(container, stream)
    if packets is None:
        sizes = shape_changes(container, path, limits) if listed else ()
        return Timing(duration, rates, frames, {}, (), sizes, untouched=untouched)
    ends = {index: end - zero for index, end in packets.ends.items()}
    return Timing(
        duration,
        rates,
        frames,
        ends,
        packets.joins,
        packets.sizes,
        whole=not packets.cut_off,
        untouched=untouched,
        files=tuple(begin - zero for begin in packets.files),
        captions=packets.captions,
        left_out=packets.left_out,
        chaptered=packets.chaptered,
    )


def _duration(
    path: str | os.PathLike[str], container: Any, stream: Any, zero: Fraction, base: Fraction, packets: Scan | None
) -> Fraction | None:
    """Return the video's duration from the start of the timeline, in seconds.

    Taken from the packets, else from the video track; None if neither states it. The container's length counts only where no other
    track can be longer.
    """
    if packets is not None and packets.nowhere_timed:
        return None
    if packets is not None and packets.end is not None:
        end = None if packets.joins else stated_end(path, container, stream, packets.times[-1] * base)
        return max((packets.end * base if end is None else end) - zero, Fraction(0))
    if packets is None and container.format.name.startswith("matroska") and is_cut_off_matroska(path):
        return None
    if stream.duration:
        start = (stream.start_time or 0) * base
        end = Fraction(start + stream.duration * base)
        if _may_be_short(container, stream):
            last = last_picture(container, stream)
            end = last[1] if last is not None and end <= last[0] else end
        return max(end - zero, Fraction(0))
    if container.duration and container.duration > 0 and len(container.streams) == 1:
        return Fraction(container.duration, 1_000_000)
    return None


def _may_be_short(container: Any, stream: Any) -> bool:
    """Return whether an MP4 file's stated length may leave out its last frames.

    That happens where a muxer counts decoding times and reordered pictures come at a varying rate.
    """
    if not (container.format.name.startswith("mov") and stream.codec_context.has_b_frames):
        return False
    times = [entry.timestamp for entry in stream.index_entries[:_ENTRIES_LOOKED_AT]]
    steps = [after - before for before, after in pairwise(times)]
    return len(steps) > 1 and max(steps) - min(steps) > 1


def _counted(packets: int, stated: int, duration: Fraction | None, rates: FrameRates, *, complete: bool) -> int | None:
    """Return the number of frames in `packets` packets; None if unknown.

    `stated`: the number of frames in the container's header; 0 if it states none. `complete`: all packets have times, and
    `duration` may hold pauses between joined parts.

    None where packets hold fields rather than pictures, and where some have no times.
    """
    expected = duration * rates.average if duration else Fraction(packets)
    if not complete and not rates.varies and packets < Fraction(2, 3) * expected:
        return None
    return None if not rates.varies and packets > Fraction(3, 2) * expected else min(stated or packets, packets)


def _indexed(container: Any, stream: Any) -> bool:
    """Return whether the container has an index of frame times."""
    return container.format.name.startswith("mov") and len(stream.index_entries) > 1


def _first_times(container: Any, stream: Any) -> list[int]:
    """Return the sorted times of a file's first frames, for estimates of its rate.

    They come from the container's index if it has one, else from the first packets.
    """
    if _indexed(container, stream):
        return sorted({entry.timestamp for entry in stream.index_entries[:_ENTRIES_LOOKED_AT]})
    times = []
    try:
        for packet in container.demux(stream):
            if packet.pts is not None:
                times.append(packet.pts)
            if len(times) >= _PACKETS_LOOKED_AT:
                break
    except av.error.FFmpegError:
        return []
    # Ignore the last times: packets that were not read may hold frames shown before them.
    return sorted(set(times))[: -4 if len(times) > 16 else None]


def _hidden(stream: Any) -> int:
    """Count the frames that an edit list hides at the start."""
    return sum(bool(entry.is_discard) for entry in stream.index_entries[:_HIDDEN_LOOKED_AT])


_SHORTEST_S = Fraction(1, 250)
"""Length from which the stated length of a single picture tells a frame rate."""
_HIDDEN_LOOKED_AT = 600
_LISTED = 3
_CONTINUES_S = Fraction(1, 50)
"""Clock differences between joined files up to this, in seconds, are no jumps. Each file rounds its times in its own way."""


def size_warnings(sizes: Sequence[Size], base: Fraction, zero: Fraction) -> Iterator[str]:
    """Yield warnings about changes of the picture's shape.

    One for each of the first three changes; a last sentence counts the others.
    """
    changes = list(pairwise(sizes))
    for before, after in changes[:_LISTED]:
        yield (
            f"The picture's {_change(before.shape, after.shape, float(after.at * base - zero))}: "
            "from there on it is fitted into the first size, with black bars."
        )
    if len(changes) > _LISTED:
        yield f"The picture's size changes at {len(changes) - _LISTED} more places."


def _change(before: Shape, after: Shape, at: float) -> str:
    """Describe the picture's change of shape from `before` to `after` at second `at`."""
    if (before.width, before.height) != (after.width, after.height):
        return f"size changes at {at:.2f} s (from {before.width}x{before.height} to {after.width}x{after.height})"
    if before.pixel_ratio != after.pixel_ratio:
        return f"pixel aspect ratio changes at {at:.2f} s (from {_colon(before.pixel_ratio)} to {_colon(after.pixel_ratio)})"
    return f"rotation changes at {at:.2f} s (from {_turn(before)} to {_turn(after)})"


def _colon(ratio: Fraction) -> str:
    return f"{ratio.numerator}:{ratio.denominator}"


def _turn(shape: Shape) -> str:
    return f"{shape.orientation.rotation} degrees{', mirrored' if shape.orientation.mirrored else ''}"


def joined_warnings(joins: Sequence[Join], zero: Fraction) -> Iterator[str]:
    """Yield warnings about jumps of the file's clock.

    One for each of the first three jumps; a last sentence counts the others.
    """
    joins = [join for join in joins if abs(join.after - join.before) > _CONTINUES_S]
    for join in joins[:_LISTED]:
        yield (
            f"The timestamps in the file jump at {float(join.at - zero):.2f} s (from {float(join.before):.2f} to "
            f"{float(join.after):.2f} s): "
            "picture and sound are read with continuous times."
        )
    if len(joins) > _LISTED:
        yield f"The timestamps in the file jump at {len(joins) - _LISTED} more places, the last at {float(joins[-1].at - zero):.2f} s."
