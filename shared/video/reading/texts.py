"""Subtitles and chapters of a video file.

Times are on the timeline of its frames.
"""

import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise
from typing import Any

from shared.media.characters import is_readable
from shared.video.limits import Limits
from shared.video.reading.metadata import track_title
from shared.video.reading.open_input import main_video, open_input, time_base_of, timeline_zero
from shared.video.reading.times.clock import clock_of

TEXT_CODECS = frozenset({"subrip", "srt", "ass", "ssa", "webvtt", "mov_text", "text"})
"""Subtitles that are text; all others are pictures or broadcasters' codes."""

_UNTIMED_S = Fraction(3)
"""Longest display of a cue without an end, in seconds."""
_MOST_CUES = 100_000
_MOST_CHARACTERS = 2000
_KEPT = "\n\u200e\u200f"
"""Characters kept beside readable ones: line breaks, and marks of writing direction."""
_ASS_FIELDS = 8
"""Number of fields of an ASS cue before its text."""
_ASS_TAGS = re.compile(r"\{[^}]*\}")


@dataclass(frozen=True, slots=True)
class Cue:
    """A subtitle text with its start and end in seconds."""

    start: Fraction
    end: Fraction
    text: str


@dataclass(frozen=True, slots=True)
class SubtitleTrack:
    """A subtitle track with its cues, sorted by start."""

    cues: tuple[Cue, ...]
    language: str | None
    title: str | None


@dataclass(frozen=True, slots=True)
class Chapter:
    """A named part of a video file, with its start and end in seconds."""

    title: str
    start: Fraction
    end: Fraction


def is_text(stream: Any) -> bool:
    """Return whether a subtitle stream holds text."""
    context = stream.codec_context
    return context is not None and context.codec.canonical_name in TEXT_CODECS


def read_subtitles(path: str | os.PathLike[str], limits: Limits) -> list[SubtitleTrack]:
    """Read all text subtitle tracks of a file. Raises the errors of `open_input`."""
    with open_input(path, limits=limits) as container:
        streams = [stream for stream in container.streams.subtitles if is_text(stream)]
        if not streams:
            return []
        zero = timeline_zero(container, main_video(container, path))
        cues: dict[int, list[Cue]] = {stream.index: [] for stream in streams}
        names = {stream.index: stream.codec_context.codec.canonical_name for stream in streams}
        packets = clock_of(container, path, limits).packets(container.demux(streams))
        for packet in packets:
            if not packet.size or packet.pts is None:
                continue
            stream_cues, base = cues[packet.stream.index], time_base_of(packet.stream)
            text = _text(names[packet.stream.index], bytes(packet))
            start = packet.pts * base - zero
            if text and len(stream_cues) < _MOST_CUES:
                stream_cues.append(Cue(start, start + (packet.duration or 0) * base, text))
        return [SubtitleTrack(tuple(_ended(cues[stream.index])), _language(stream), track_title(stream.metadata)) for stream in streams]


def file_chapters(path: str | os.PathLike[str], limits: Limits) -> list[Chapter]:
    """Read the chapters of a file. Raises the errors of `open_input`."""
    with open_input(path, limits=limits) as container:
        return read_chapters(container, timeline_zero(container, main_video(container, path)))


def read_chapters(container: Any, zero: Fraction) -> list[Chapter]:
    """Return the chapters of an open file, sorted by start.

    `zero`: second of the file that counts as time 0, as `timeline_zero` returns it.
    """
    pieces = []
    for chapter in container.chapters():
        base = Fraction(chapter["time_base"])
        title = chapter["metadata"].get("title", "")[:_MOST_CHARACTERS]
        start, end = max(chapter["start"] * base - zero, Fraction(0)), chapter["end"] * base - zero
        if end > start:
            pieces.append(Chapter(title, start, end))
    return sorted(pieces, key=lambda chapter: chapter.start)


def flat(cues: Iterable[Cue]) -> Iterator[Cue]:
    """Merge overlapping cues: texts shown at the same time become one cue.

    The joined texts are shown one below the other.
    """
    waiting = sorted(cues, key=lambda cue: cue.start)
    edges = sorted({edge for cue in waiting for edge in (cue.start, cue.end)})
    visible: list[Cue] = []
    place = 0
    for start, end in pairwise(edges):
        while place < len(waiting) and waiting[place].start <= start:
            visible.append(waiting[place])
            place += 1
        visible = [cue for cue in visible if cue.end > start]
        if visible:
            yield Cue(start, end, "\n".join(cue.text for cue in visible))


def _ended(cues: list[Cue]) -> Iterator[Cue]:
    """Yield the cues sorted by start, adding missing ends.

    A cue without an end lasts until the next cue, at most three seconds.
    """
    ordered = sorted(cues, key=lambda cue: cue.start)
    for cue, following in zip(ordered, [*ordered[1:], None], strict=False):
        if cue.end > cue.start:
            yield cue
            continue
        end = cue.start + _UNTIMED_S
        yield replace(cue, end=end if following is None or following.start <= cue.start else min(end, following.start))


def _text(codec: str, data: bytes) -> str:
    if codec == "mov_text":
        data = data[2 : 2 + int.from_bytes(data[:2], "big")]
    text = data.decode("utf-8", "replace").replace("\r", "")
    if codec in ("ass", "ssa"):
        text = text.split(",", _ASS_FIELDS)[-1]
        text = _ASS_TAGS.sub("", text).replace("\\N", "\n").replace("\\n", "\n").replace("\\h", " ")
    return "".join(character for character in text if is_readable(character) or character in _KEPT).strip()[:_MOST_CHARACTERS]


def _language(stream: Any) -> str | None:
    return stream.language if stream.language and stream.language != "und" else None
