"""The output file of a writer, encoded in the writer's thread."""

from contextlib import suppress
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import av.container
import av.error
from numpy.typing import NDArray

from shared.errors import OperationFailed
from shared.media_info import ColorInfo
from shared.video.frames.color import apply_tags
from shared.video.reading.texts import Chapter, SubtitleTrack
from shared.video.writing.copied_tracks import CopiedAudio
from shared.video.writing.encoder_input import PictureConverter
from shared.video.writing.encoders import Encoder
from shared.video.writing.mp4_header import set_picture_length
from shared.video.writing.picture_ends.last_packet import LastPacket
from shared.video.writing.texts import mux_subtitles
from shared.video.writing.tracks import AudioTrack, Mux
from shared.video.writing.webp_file import set_last_length

_MOST_LAG_S = 24 * 3600  # longest time between decoding and display of a picture; a longer one is an unset value of the encoder


@dataclass(frozen=True, slots=True, kw_only=True)
class VideoEncoding:
    """Settings for encoding a file's pictures.

    `container`: FFmpeg's name of the format. `color`: None takes the tags of the first picture.
    """

    container: str
    encoder: Encoder
    options: dict[str, str]
    pixel_format: str
    frame_rate: Fraction
    time_base: Fraction
    color: ColorInfo | None
    sample_aspect_ratio: Fraction | None


@dataclass(frozen=True, slots=True, eq=False)
class _Opened:
    """The open container of an output file and its video stream."""

    container: av.container.OutputContainer
    stream: Any
    pictures: LastPacket


@dataclass(slots=True, eq=False)
class OutputFile:
    """The file at `path`, into which pictures are encoded and muxed.

    Messages call the file `name`. Tracks, copies and tags are added before `open`, chapters before `finish`.
    """

    path: Path
    name: str
    settings: VideoEncoding
    converter: PictureConverter
    tracks: list[AudioTrack] = field(default_factory=list)
    copies: list[CopiedAudio] = field(default_factory=list)
    tags: dict[str, str] = field(default_factory=dict)
    chapters: list[Chapter] = field(default_factory=list)
    subtitles: list[SubtitleTrack] = field(default_factory=list)
    timecode: str | None = None
    _opened: _Opened | None = None
    _last_dts: int | None = None
    _last_pts: int = 0
    _end: int = 0

    def open(self, first: ColorInfo) -> None:
        """Open the file and add its streams.

        `first`: colour tags of the first picture.
        """
        settings = self.settings
        # Leave out the library's version and random numbers, so that equal pictures give equal files.
        flags = {"fflags": "+bitexact"} | ({"movflags": "+faststart"} if settings.container in ("mp4", "mov") else {})
        flags |= {"loop": "0"} if settings.container == "webp" else {}
        container = av.open(str(self.path), "w", format=settings.container, container_options=flags)
        try:
            stream: Any = container.add_stream(
                settings.encoder.name,
                rate=settings.frame_rate,
                options=settings.options,
                width=self.converter.coded_width,
                height=self.converter.coded_height,
                time_base=settings.time_base,
            )
        except BaseException:
            container.close()
            raise
        pictures = LastPacket(container.mux, by_decoding=settings.container in ("mp4", "mov"))
        self._opened = _Opened(container, stream, pictures)
        container.metadata.update(self.tags)
        if self.timecode is not None:
            stream.metadata["timecode"] = self.timecode
        context = stream.codec_context
        context.pix_fmt = settings.pixel_format
        context.thread_count = 0
        context.thread_type = "AUTO"
        if settings.encoder.name in ("libx265", "hevc_nvenc") and settings.container in ("mp4", "mov"):
            context.codec_tag = "hvc1"
        if settings.sample_aspect_ratio:
            context.sample_aspect_ratio = settings.sample_aspect_ratio
        color = settings.color or first
        apply_tags(context, color)
        self.converter.color = color
        mux = _muxer(container, self.name)
        for copied in self.copies:
            copied.open(container, mux)
        write_subtitles = mux_subtitles(container, self.subtitles, mux)
        for track in self.tracks:
            track.open(container, mux)
        write_subtitles()

    def encode(self, picture: av.VideoFrame, pts: int, duration: int | None, alpha: NDArray[Any] | None) -> None:
        """Encode a picture with its time and duration.

        `pts` and `duration` are in the settings' time base. `alpha` replaces the picture's alpha plane.
        """
        assert self._opened is not None
        settings = self.settings
        ready = self.converter.convert(picture, alpha)
        # The encoder would take a decoder's picture types as orders for keyframes.
        ready.pict_type = 0
        ready.pts, ready.time_base = pts, settings.time_base
        ready.duration = duration or max(round(1 / (settings.frame_rate * settings.time_base)), 1)
        self._last_pts, self._end = pts, pts + ready.duration
        self._mux_pictures(self._opened, self._opened.stream.encode(ready))

    def finish(self) -> None:
        """Flush the encoders, write the chapters, and close the file.

        The picture's track ends when the last picture does.
        """
        assert self._opened is not None
        opened, settings, end = self._opened, self.settings, self._end * self.settings.time_base
        self._mux_pictures(opened, opened.stream.encode(None))
        length = opened.pictures.finish(end)
        for copied in self.copies:
            copied.finish(end)
        for track in self.tracks:
            track.finish()
        if self.chapters and settings.container != "webp":
            opened.container.set_chapters(in_milliseconds(self.chapters))
        opened.container.close()
        self._opened = None
        if length is not None:
            set_picture_length(self.path, length)
        if settings.container == "webp":
            set_last_length(self.path, end - self._last_pts * settings.time_base)

    def close(self) -> None:
        """Close the output and the sources of sound, after an error or abort."""
        for copied in self.copies:
            copied.close()
        if self._opened is not None:
            with suppress(av.error.FFmpegError, OSError):
                self._opened.container.close()

    def _mux_pictures(self, opened: _Opened, packets: list[Any]) -> None:
        for packet in packets:
            # libx265 leaves this unset in clips that are shorter than its look-ahead.
            lag = (packet.pts - packet.dts) * packet.time_base if packet.dts is not None else Fraction(-1)
            if not 0 <= lag < _MOST_LAG_S:
                step = max(round(1 / (self.settings.frame_rate * packet.time_base)), 1)
                packet.dts = packet.pts - 8 * step if self._last_dts is None else min(self._last_dts + 1, packet.pts)
            self._last_dts = packet.dts
            for copied in self.copies:
                copied.pump(Fraction(packet.dts * packet.time_base))
            opened.pictures.push(packet)


def _muxer(container: av.container.OutputContainer, name: str) -> Mux:
    def mux(packets: Any) -> None:
        # Copied packets are muxed while their source is open: without this, the error of a full disk would name the source.
        try:
            container.mux(packets)
        except av.error.FFmpegError as error:
            raise OperationFailed(f"{name!r} could not be written: {error}.") from error

    return mux


def in_milliseconds(chapters: list[Chapter]) -> list[Any]:
    """Convert chapters to PyAV's form, with times in milliseconds."""
    base = Fraction(1, 1000)
    return [
        {
            "id": number,
            "start": round(chapter.start / base),
            "end": round(chapter.end / base),
            "time_base": base,
            "metadata": {"title": chapter.title},
        }
        for number, chapter in enumerate(chapters, start=1)
    ]
