"""Subtitles of an output file, as 3GPP timed text.

MP4 and QuickTime hold them in this form.
"""

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from typing import Any

import av

from shared.video.reading.texts import SubtitleTrack, flat

HOLDERS = frozenset({"mp4", "mov"})
"""Containers that get subtitles, by FFmpeg's name."""

_BASE = Fraction(1, 1000)


def mux_subtitles(container: Any, tracks: list[SubtitleTrack], mux: Callable[[Any], object]) -> Callable[[], None]:
    """Add subtitle streams to a container.

    Returns a function that writes their packets. Call this before the container's header is written.
    """
    streams = []
    for track in tracks:
        stream = container.add_mux_stream("mov_text")
        stream.time_base = _BASE
        if track.language:
            stream.metadata["language"] = track.language
        if track.title:
            stream.metadata["title"] = stream.metadata["handler_name"] = track.title
        streams.append(stream)

    def write() -> None:
        for stream, track in zip(streams, tracks, strict=True):
            end = 0
            for cue in flat(track.cues):
                start, until = max(round(cue.start / _BASE), end), round(cue.end / _BASE)
                if until <= start:
                    continue
                text = cue.text.encode()
                packet = av.Packet(len(text).to_bytes(2, "big") + text)
                packet.stream, packet.time_base = stream, _BASE
                packet.pts = packet.dts = start
                packet.duration, end = until - start, until
                mux(packet)

    return write


def retimed(track: SubtitleTrack, moved: Callable[[Fraction], Fraction], start: Fraction, end: Fraction) -> SubtitleTrack:
    """Cut a subtitle track to `start` .. `end`, and map its times by `moved`."""
    inside = [replace(cue, start=max(cue.start, start), end=min(cue.end, end)) for cue in track.cues if cue.end > start and cue.start < end]
    return replace(track, cues=tuple(replace(cue, start=moved(cue.start), end=moved(cue.end)) for cue in inside))
