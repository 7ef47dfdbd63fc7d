"""A writer of video files that encodes in its own thread.

The file is written under a temporary name and renamed at the end.
"""

import os
from collections.abc import Callable
from fractions import Fraction
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import av
import av.error
from numpy.typing import NDArray

from shared.errors import OperationFailed
from shared.media.partial_name import partial_path
from shared.media_info import ColorInfo
from shared.video.frames.color import BT709, apply_tags, tags_of
from shared.video.frames.display import has_alpha
from shared.video.frames.planes import bytes_of, check_alpha, picture_from
from shared.video.limits import Limits
from shared.video.reading.metadata import file_tags
from shared.video.reading.texts import Chapter, file_chapters, read_subtitles
from shared.video.seconds import to_fraction
from shared.video.writing.action_thread import ActionThread
from shared.video.writing.copied_tracks import CopiedAudio
from shared.video.writing.encoder_input import PictureConverter
from shared.video.writing.encoders import ALL_INTRA, captions_options, choose_encoder, encoder_options
from shared.video.writing.output_file import OutputFile, VideoEncoding
from shared.video.writing.picture_ends.late_start import LateStart, late_start
from shared.video.writing.sound_coding import sound_coding
from shared.video.writing.texts import HOLDERS, retimed
from shared.video.writing.tracks import EMPTY_TRACK, AudioTrack

FORMATS = {".mp4": "mp4", ".mov": "mov", ".mkv": "matroska", ".webm": "webm", ".webp": "webp"}
_MOST_CHAPTERS = 255  # most chapters of a file; MP4's chapter list, as most players read it, has a one-byte count


class VideoWriter:
    """A writer of a video file, used as a context manager.

    `path`: .mp4, .mov, .mkv, .webm, or .webp (an animation without sound that repeats for ever). `frame_rate`: the nominal rate.
    `time_base`: the unit of the `pts` given to `write`, by default 1 / `frame_rate`. `color`: the tags of the file; pictures with other
    tags are converted. None takes those of the first picture. `quality`: 0 to 100, about the same to the eye with each encoder. `encoder`:
    an FFmpeg name, or "auto" (NVENC where it works, else the first that fits). `all_intra`: every picture is a keyframe. `captions`: keep
    the pictures' closed captions, if the encoder can (`keeps_captions`). Use it only if all source pictures are written. `steady`: pictures
    come at `frame_rate`, and a first picture that comes late is repeated from time 0 on (`repeated` of them), see `late_start`.
    `limits`: for the files whose sound, tags and texts are copied; by default those of the settings.

    The file gets its name only after the `with` block has ended without an error; otherwise no file is left. Odd sizes are padded by one
    pixel where the pixel format has no odd sizes, and `warnings` says so. Raises Invalid if no encoder fits.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        width: int,
        height: int,
        frame_rate: Fraction,
        time_base: Fraction | None = None,
        pixel_format: str = "yuv420p",
        color: ColorInfo | None = None,
        quality: int = 70,
        encoder: str = "auto",
        sample_aspect_ratio: Fraction | None = None,
        all_intra: bool = False,
        captions: bool = False,
        steady: bool = False,
        limits: Limits | None = None,
    ):
        self._path, self._limits = Path(path), limits or Limits.current()
        suffix = self._path.suffix.lower()
        if suffix not in FORMATS:
            raise ValueError(f"{self._path.name!r} must end in one of {', '.join(FORMATS)}")
        if width < 1 or height < 1 or frame_rate <= 0:
            raise ValueError(f"{width = }, {height = } and {frame_rate = } must be positive")
        chosen = choose_encoder(encoder, suffix, pixel_format)
        captions_kept = captions_options(chosen) if captions else {}
        rate = Fraction(frame_rate)
        self._settings = VideoEncoding(
            container=FORMATS[suffix],
            encoder=chosen,
            options=encoder_options(chosen, quality, pixel_format) | (ALL_INTRA if all_intra else {}) | captions_kept,
            pixel_format=pixel_format,
            frame_rate=rate,
            time_base=time_base or 1 / rate,
            color=color,
            sample_aspect_ratio=sample_aspect_ratio,
        )
        self.encoder = chosen.name
        self.keeps_captions = bool(captions_kept)
        self.warnings: list[str] = []
        self._converter = PictureConverter(width, height, pixel_format)
        if self._converter.padded:
            padded = f"{self._converter.coded_width}x{self._converter.coded_height}"
            self.warnings.append(
                f"The picture was padded from {width}x{height} to {padded}: {pixel_format} needs an even width and height."
            )
        self._partial = partial_path(self._path, suffix)
        self._output = OutputFile(self._partial, self._path.name, self._settings, self._converter)
        self._last: int | None = None
        self._steady, self._start = steady, LateStart()
        # Tracks get a method of the thread, because a method of the writer would make a reference cycle of writer and track.
        self._thread = ActionThread()

    def add_audio(self, sample_rate: int, layout: str, *, start: Fraction = Fraction(0), language: str | None = None) -> AudioTrack:
        """Add an audio track that is encoded from samples.

        Call this before the first picture. `layout`: FFmpeg's name, such as stereo. `start`: seconds at which the samples begin.
        """
        self._check_not_started()
        if self._settings.container == "webp":
            raise ValueError("a .webp file holds no sound")
        track = AudioTrack(self._thread.submit, sample_rate=sample_rate, layout=layout, start=start, language=language)
        self._output.tracks.append(track)
        remark = sound_coding(self._settings.container, layout).remark
        if remark:
            self.warnings.append(f"Audio track {len(self._output.tracks)} {remark}.")
        return track

    def copy_audio(self, source: str | os.PathLike[str]) -> list[str]:
        """Copy all audio tracks of `source` into the file; return warnings.

        Call this before the first picture. The sound stays in sync with the frames of `source`, which may have no sound. There is a
        warning for each track that has to be encoded again because the container cannot hold it.
        """
        self._check_not_started()
        if self._settings.container == "webp":
            return []
        copied = CopiedAudio(source, self._limits)
        warnings = copied.plan(self._settings.container)
        self._output.copies.append(copied)
        return warnings

    def copy_tags(self, source: str | os.PathLike[str]) -> None:
        """Copy the descriptive tags of `source`, such as its title.

        Call this before the first picture. Also copied is the recording time; place and device are left out. Errors are those of
        `read_frames`.
        """
        self._check_not_started()
        self._output.tags.clear()
        self._output.tags.update(file_tags(source, self._limits))

    def set_timecode(self, timecode: str | None) -> bool:
        """Set the timecode of the first frame.

        Returns whether it will be written. Call this before the first picture. `timecode`: such as 01:00:00:00. Nothing is written for
        None, and in containers without timecode (.webm, .webp).
        """
        self._check_not_started()
        self._output.timecode = timecode if self._settings.container in ("mp4", "mov", "matroska") else None
        return self._output.timecode is not None

    def copy_texts(
        self,
        source: str | os.PathLike[str],
        *,
        start: Fraction = Fraction(0),
        end: Fraction | None = None,
        moved: Callable[[Fraction], Fraction] | None = None,
        chapters: bool = True,
    ) -> None:
        """Copy the text subtitles and chapters of `source`.

        Call this before the first picture. Texts from `start` to `end` seconds are copied. `moved`: maps a source time to the output's
        time; None subtracts `start`. `warnings` then names what the container cannot hold. Errors are those of `read_frames`.
        """
        self._check_not_started()
        last = to_fraction(self._limits.max_duration_s) if end is None else end
        move = moved or (lambda time: time - start)
        tracks = read_subtitles(source, self._limits)
        if self._settings.container in HOLDERS:
            self._output.subtitles += [retimed(track, move, start, last) for track in tracks]
        else:
            reason = f"was left out: {self._path.suffix} outputs cannot contain subtitles"
            self.warnings += [f"Subtitle track {number} {reason}." for number in range(1, len(tracks) + 1)]
        if self._settings.container == "webp" or not chapters:
            return
        for chapter in file_chapters(source, self._limits)[:_MOST_CHAPTERS]:
            first, until = move(max(chapter.start, start)), move(min(chapter.end, last)) if chapter.start < last else Fraction(0)
            if self._output.chapters:
                first = max(first, self._output.chapters[-1].end)
            if chapter.end > start and until > first:
                self.add_chapter(chapter.title, first, until)

    @property
    def repeated(self) -> int:
        """Number of copies of the first picture that are written before its pts."""
        return len(self._start.repeats)

    @property
    def moved(self) -> Fraction:
        """Seconds by which the pictures are moved towards time 0, see `late_start`."""
        return self._start.shift * self._settings.time_base

    @property
    def has_chapters(self) -> bool:
        return bool(self._output.chapters)

    def add_chapter(self, title: str, start: Fraction, end: Fraction) -> None:
        """Add a chapter from `start` to `end` seconds.

        Possible until the file is finished; at most 255. Chapters come in order and do not overlap. Some players extend a chapter to the
        next one: leave no gaps. A .webp file has none.
        """
        chapters = self._output.chapters
        if not 0 <= start < end or (chapters and start < chapters[-1].end):
            raise ValueError(f"chapter {title!r} from {float(start):g} to {float(end):g} s must follow the one before and have a length")
        if len(chapters) == _MOST_CHAPTERS:
            raise ValueError(f"a file has at most {_MOST_CHAPTERS} chapters")
        chapters.append(Chapter(title, start, end))

    def write(
        self,
        picture: av.VideoFrame | tuple[NDArray[Any], ...],
        pts: int,
        *,
        duration: int | None = None,
        alpha: NDArray[Any] | None = None,
    ) -> None:
        """Write `picture`, a PyAV frame or a tuple of planes, at the time `pts`.

        Planes are those of `Frame.planes`, in the writer's format and size, and are copied. `pts` and `duration` are in `time_base` units;
        `pts` must rise. A frame of another size or format is converted. `alpha`: (height, width) uint8 or uint16 of full scale, which
        becomes the alpha plane of a file that has one; colours are written as they are given, straight or premultiplied. Do not change a
        picture or its alpha afterwards. Blocks while the encoder is behind; raises its error if it has failed, and ValueError for alpha of
        another shape or in a format without it.
        """
        if alpha is not None:
            self._check_alpha(alpha)
        if self._last is not None and pts <= self._last:
            raise ValueError(f"{pts = } must be greater than that of the picture before, {self._last}")
        is_first, self._last = self._last is None, pts
        if is_first and pts > 0:
            # The first picture stands from the first instant on: a later start would be an empty edit, which some players show as black.
            step = 1 / (self._settings.frame_rate * self._settings.time_base)
            start = late_start(pts, step, self._settings.time_base) if self._steady else None
            if start is None:
                duration, pts = pts + (duration or max(round(step), 1)), 0
            else:
                self._start = start
        pts -= self._start.shift
        if isinstance(picture, tuple):
            picture = picture_from(picture, self._converter.width, self._converter.height, self._settings.pixel_format)
            apply_tags(picture, self._settings.color or BT709)
        if not self._thread.started:
            self._thread.start("VideoWriter", cleanup=self._output.close, explain=_explanation(self._path.name, self.encoder))
            first = BT709 if picture.format.is_rgb else tags_of(picture, pixel_format=picture.format.name)
            self._thread.submit(partial(self._output.open, first))
        for moment in self._start.repeats if is_first else ():
            self._thread.submit(partial(self._output.encode, picture, moment, None, alpha), bytes_of(picture))
        self._thread.submit(partial(self._output.encode, picture, pts, duration, alpha), bytes_of(picture))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if error is not None:
            self.abort()
        else:
            self.close()

    def close(self) -> None:
        """Finish the file and rename it into place.

        Raises the encoder's error, or ValueError if no picture was written.
        """
        if not self._thread.started:
            self.abort()
            raise ValueError(f"no picture was written to {self._path.name!r}")
        try:
            self._thread.submit(self._output.finish)
            self._thread.finish()
            os.replace(self._partial, self._path)
            self.warnings += [EMPTY_TRACK.format(number) for copied in self._output.copies for number in copied.empty]
        except BaseException:
            self.abort()
            raise

    def abort(self) -> None:
        """Stop encoding, and delete the unfinished file."""
        self._thread.abort()
        self._partial.unlink(missing_ok=True)

    def _check_alpha(self, alpha: NDArray[Any]) -> None:
        if not has_alpha(self._settings.pixel_format):
            raise ValueError(f"{self._settings.pixel_format} has no alpha plane")
        check_alpha(alpha, (self._converter.height, self._converter.width))

    def _check_not_started(self) -> None:
        if self._thread.started:
            raise ValueError("audio tracks and tags have to be added before the first picture is written")


def _explanation(name: str, encoder: str) -> Callable[[BaseException], BaseException]:
    def explain(error: BaseException) -> BaseException:
        if not isinstance(error, av.error.FFmpegError):
            return error
        failed = OperationFailed(f"{name!r} could not be encoded with {encoder}: {error}.")
        failed.__cause__ = error
        return failed

    return explain
