"""Subtitles, chapters and other tracks of an open file.

Warnings say which of them operations leave out.
"""

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

from av.stream import Disposition

from shared.media_info import ChapterInfo, OtherTrackInfo, SubtitleTrackInfo, VideoInfo
from shared.video.reading.metadata import track_title
from shared.video.reading.open_input import audio_streams
from shared.video.reading.texts import is_text, read_chapters
from shared.video.seconds import LONGER_S

_COVERS = Disposition.attached_pic | Disposition.timed_thumbnails
_WHAT = {
    "video": "A further video track ({}) was left out: only one is used.",
    "cover": "The cover picture ({}) was left out.",
    "audio": "An audio track ({}) was left out: this server does not decode it.",
    "subtitle": "A subtitle track ({}) was left out: it contains no text.",
    "captions": "The closed captions ({}) in the picture's stream were left out: this output does not keep them.",
    "data": "A data track ({}) was left out: outputs do not keep data tracks.",
    "attachment": "An attached file ({}) was left out: outputs do not keep attachments.",
}


def subtitle_tracks(container: Any) -> Iterator[SubtitleTrackInfo]:
    """Yield the text subtitle tracks of an open file."""
    for stream in container.streams.subtitles:
        if is_text(stream):
            yield SubtitleTrackInfo(
                codec=stream.codec_context.codec.canonical_name, language=_language(stream), title=track_title(stream.metadata)
            )


def chapter_infos(container: Any, zero: Fraction) -> Iterator[ChapterInfo]:
    """Yield the chapters of an open file."""
    for chapter in read_chapters(container, zero):
        yield ChapterInfo(title=chapter.title, start_s=float(chapter.start), end_s=float(chapter.end))


def other_tracks(container: Any, main: Any, *, captions: bool) -> Iterator[OtherTrackInfo]:
    """Yield the tracks of an open file that no operation reads.

    `captions`: whether the pictures carry closed captions, which count as a track.
    """
    indexes = {main.index, *(stream.index for stream in audio_streams(container))}
    indexes |= {stream.index for stream in container.streams.subtitles if is_text(stream)}
    indexes |= _chapter_track(container)
    for stream in container.streams:
        if stream.index in indexes:
            continue
        kind = "cover" if stream.type == "video" and stream.disposition & _COVERS else stream.type
        context = getattr(stream, "codec_context", None)
        codec = context.codec.canonical_name if context is not None else _tag(stream)
        yield OtherTrackInfo(kind=kind if kind in _WHAT else "data", codec=codec, language=_language(stream))
    if captions:
        yield OtherTrackInfo(kind="captions", codec="eia_608", language=None)


def _chapter_track(container: Any) -> set[int]:
    """Find the MP4 text track that repeats the chapters.

    Return a set with its index. The set is empty if there is no such track.
    """
    if not container.format.name.startswith("mov") or not container.chapters():
        return set()
    plain = (stream.index for stream in container.streams.data if _tag(stream) in (None, "bin_data"))
    first = next(plain, None)
    return set() if first is None else {first}


def track_warnings(info: VideoInfo, *, timecode_kept: bool = False, captions_kept: bool = False) -> list[str]:
    """Return one sentence for each track that an output leaves out or shortens.

    The output has picture and sound, a timecode track with `timecode_kept`, and closed captions with `captions_kept`.
    """
    longer = [
        f"Audio track {number} ({length_s:.2f} s) is longer than the picture and was cut to its length."
        for number, length_s in longer_tracks(info)
    ]
    return longer + [
        _WHAT[track.kind].format(", ".join([track.codec or "of an unknown kind", *([track.language] if track.language else [])]))
        for track in info.other_tracks
        if not (timecode_kept and track.codec == "timecode") and not (captions_kept and track.kind == "captions")
    ]


def longer_tracks(info: VideoInfo) -> list[tuple[int, float]]:
    """Return numbers, from 1, and seconds of audio tracks longer than the picture."""
    picture_s = info.duration_s
    return [
        (number, track.duration_s)
        for number, track in enumerate(info.audio, start=1)
        if picture_s is not None and track.duration_s is not None and track.duration_s > picture_s + LONGER_S
    ]


def text_warnings(info: VideoInfo) -> list[str]:
    """Return sentences about subtitle tracks and chapters that an output leaves out."""
    named = [", ".join([track.codec, *([track.language] if track.language else [])]) for track in info.subtitles]
    sentences = [f"A subtitle track ({name}) was left out: this output keeps no subtitles." for name in named]
    return [*sentences, *(["The chapters were left out: this output keeps none."] if info.chapters else [])]


def _language(stream: Any) -> str | None:
    language = getattr(stream, "language", None)
    return language if language and language != "und" else None


def _tag(stream: Any) -> str | None:
    if any(name.lower() == "timecode" for name in stream.metadata):
        return "timecode"
    name = getattr(stream, "name", None)
    return name or track_title(stream.metadata)
