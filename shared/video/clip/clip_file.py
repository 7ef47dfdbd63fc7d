"""Output files that keep the times of their source clip.

A file may have alpha and the clip's sound, where its format has them.
"""

import os
from contextlib import ExitStack
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

import av
import numpy as np
from numpy.typing import NDArray

from shared.media_info import VideoInfo
from shared.operation import Progress
from shared.video.clip.cut_sound import PartSound
from shared.video.clip.part import ClipPart
from shared.video.clip.rewrite import Times, part_end, rate_of
from shared.video.frames.frame import Frame
from shared.video.probing.timecode import timecode_at
from shared.video.probing.track_list import track_warnings
from shared.video.writing.png_writer import PngFormat, PngWriter
from shared.video.writing.writer import VideoWriter

Format = Literal["h264", "prores", "vp9", "png"]
SUFFIXES = {"h264": ".mp4", "prores": ".mov", "vp9": ".webm", "png": ".zip"}
PIXELS = {"h264": "yuv420p", "prores": "yuva444p10le", "vp9": "yuva420p", "png": "gray"}


@dataclass(frozen=True, kw_only=True)
class Target:
    """Path, format and contents of one output file.

    The file is named `path` whatever its format; readers recognise the content. `sound`: with the clip's sound, tags, subtitles, chapters
    and timecode. `texts`: with all of these but the sound. `rgba`: PNG files have colours and alpha. `pixel_format`, `frame_rate`: replace
    the format's usual pixels and the clip's average rate. `keep_times`: a part keeps its times in the clip. `captions`: all
    pictures of the part are written, so that their closed captions can be kept.
    """

    path: Path
    format: Format
    sound: bool = False
    texts: bool = False
    rgba: bool = False
    pixel_format: str | None = None
    frame_rate: Fraction | None = None
    keep_times: bool = False
    captions: bool = False


class ClipFile:
    """A writer of an output file that keeps its source clip's times.

    Used as a context manager. On failure nothing is left under the file's name.
    """

    def __init__(self, target: Target, video: Path, info: VideoInfo, part: ClipPart, progress: Progress) -> None:
        self._target, self._video, self._info, self._part, self._progress = target, video, info, part, progress
        suffix = SUFFIXES[target.format]
        # Writers choose the container by the suffix.
        self._path = target.path if target.path.suffix == suffix else target.path.with_name(f"{target.path.stem}.part{suffix}")
        self._stack = ExitStack()
        self._writer: VideoWriter | PngWriter | None = None
        self._sound: PartSound | None = None
        self._first = Fraction(0)
        self.encoder = ""

    def write(self, picture: av.VideoFrame, frame: Frame | Times, alpha: NDArray[np.uint8] | None = None) -> None:
        """Write `picture` in place of the clip's frame `frame`, with that frame's times.

        `alpha`: uint8 (height, width), for formats that have alpha.
        """
        if self._writer is None:
            self._writer = self._opened(picture, frame)
        shift = round(self._first / frame.time_base)
        if isinstance(self._writer, PngWriter):
            self._writer.write(picture, frame.pts - shift, alpha=alpha)
        else:
            self._writer.write(picture, frame.pts - shift, duration=frame.duration, alpha=alpha)
        if self._sound is not None:
            self._sound.write(until=(frame.pts + frame.duration) * frame.time_base - self._first)

    def _opened(self, picture: av.VideoFrame, frame: Frame | Times) -> VideoWriter | PngWriter:
        if self._target.format == "png":
            colors: PngFormat = "rgba" if self._target.rgba else "gray"
            return self._stack.enter_context(PngWriter(self._path, width=picture.width, height=picture.height, pixel_format=colors))
        writer = VideoWriter(
            self._path,
            width=picture.width,
            height=picture.height,
            frame_rate=self._target.frame_rate or rate_of(self._info),
            time_base=frame.time_base,
            pixel_format=self._target.pixel_format or PIXELS[self._target.format],
            quality=self._part.quality,
            captions=self._target.captions,
            steady=self._target.frame_rate is not None or not (self._info.variable_frame_rate or self._target.keep_times),
        )
        self._stack.enter_context(writer)
        self.encoder = writer.encoder
        if not self._part.whole and not self._target.keep_times:
            self._first = frame.time
        if self._target.sound and self._part.whole:
            self._warn(writer.copy_audio(self._video))
        elif self._target.sound:
            self._sound = self._stack.enter_context(PartSound(writer, self._video, self._info, start=self._first))
        if self._target.sound or self._target.texts:
            writer.copy_tags(self._video)
            timecode = timecode_at(self._info, self._first) if self._target.frame_rate is None else None
            timecode_kept = writer.set_timecode(timecode)
            writer.copy_texts(self._video, start=self._first, end=part_end(self._part))
            self._warn(track_warnings(self._info, timecode_kept=timecode_kept, captions_kept=writer.keeps_captions))
        return writer

    @property
    def repeated(self) -> int:
        """Number of extra copies of the first picture, shown before its own time."""
        return self._writer.repeated if isinstance(self._writer, VideoWriter) else 0

    @property
    def moved(self) -> Fraction:
        """Seconds by which the pictures are moved towards time 0, see `late_start`."""
        return self._writer.moved if isinstance(self._writer, VideoWriter) else Fraction(0)

    def _warn(self, sentences: list[str]) -> None:
        for sentence in sentences:
            self._progress.warn(sentence)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._stack.__exit__(kind, error, trace)
        if error is None and self._writer is not None:
            self._warn([*self._writer.warnings, *(self._sound.warnings if self._sound else [])])
            if self._path != self._target.path:
                os.replace(self._path, self._target.path)
