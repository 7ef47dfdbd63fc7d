"""Writing a video file: encoded in a thread of its own, beside its final name, renamed when it is whole."""

import os
import threading
from collections.abc import Callable
from contextlib import suppress
from fractions import Fraction
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import av
import av.container
import av.error
from numpy.typing import NDArray

from shared.errors import OperationFailed
from shared.media.partial_name import partial_path
from shared.video.frames.color import BT709, apply_tags, tags_of
from shared.video.frames.planes import bytes_of, picture_from
from shared.video.info import ColorInfo
from shared.video.limits import Limits
from shared.video.prefetch import Channel, Closed
from shared.video.reading.metadata import file_tags
from shared.video.writing.encoder_input import Fitter
from shared.video.writing.encoders import choose_encoder, encoder_options
from shared.video.writing.tracks import AudioTrack, CopiedAudio

FORMATS = {".mp4": "mp4", ".mov": "mov", ".mkv": "matroska", ".webm": "webm", ".webp": "webp"}
_QUEUE = 8
_MOST_LAG_S = 24 * 3600
_MOST_CHAPTERS = 255  # what the list that most players of MP4 read can count


class VideoWriter:
    """A video file that is being written, used as a context manager.

    `path`: .mp4, .mov, .mkv, .webm, or .webp (an animation without sound, which repeats for ever). `frame_rate`: the nominal rate;
    `time_base`: the unit of the `pts` given to `write`, 1 / `frame_rate` unless said. `color`: the tags of the file, to which pictures
    with other ones are converted; None: those of the first picture. `quality`: 0 to 100, about the same to the eye with each encoder.
    `encoder`: an FFmpeg name, or "auto" (NVENC when it works here).

    The file stands under its name only after the `with` block has ended well; otherwise nothing is left. Odd sizes are padded by one
    pixel where the pixel format has no odd sizes; `warnings` says so. Raises Invalid if no encoder fits.
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
    ):
        self._path = Path(path)
        suffix = self._path.suffix.lower()
        if suffix not in FORMATS:
            raise ValueError(f"{self._path.name!r} must end in one of {', '.join(FORMATS)}")
        if width < 1 or height < 1 or frame_rate <= 0:
            raise ValueError(f"{width = }, {height = } and {frame_rate = } must be positive")
        self._format = FORMATS[suffix]
        self._encoder = choose_encoder(encoder, suffix, pixel_format)
        self._options = encoder_options(self._encoder, quality, pixel_format)
        self.encoder = self._encoder.name
        self.warnings: list[str] = []
        self._fitter = Fitter(width, height, pixel_format)
        if self._fitter.padded:
            padded = f"{self._fitter.coded_width}x{self._fitter.coded_height}"
            self.warnings.append(f"The picture was padded from {width}x{height} to {padded}: {pixel_format} has no odd sizes.")
        self._frame_rate = Fraction(frame_rate)
        self._time_base = time_base or 1 / self._frame_rate
        self._pixel_format = pixel_format
        self._color = color
        self._sample_aspect_ratio = sample_aspect_ratio
        self._partial = partial_path(self._path, suffix)
        self._tracks: list[AudioTrack] = []
        self._copies: list[CopiedAudio] = []
        self._tags: dict[str, str] = {}
        self._chapters: list[tuple[str, Fraction, Fraction]] = []
        self._started = False
        self._last: int | None = None
        self._last_dts: int | None = None
        self._container: av.container.OutputContainer | None = None
        self._stream: Any = None
        self._error: BaseException | None = None
        self._work: Channel[Callable[[], None]] = Channel(_QUEUE)
        self._thread = threading.Thread(target=self._run, name="VideoWriter", daemon=True)

    def add_audio(self, sample_rate: int, layout: str, *, start: Fraction = Fraction(0), language: str | None = None) -> AudioTrack:
        """A track to write samples to, beginning at `start` seconds; before the first picture. `layout`: FFmpeg's name, such as stereo."""
        self._not_started()
        if self._format == "webp":
            raise ValueError("a .webp file holds no sound")
        track = AudioTrack(self._submit, sample_rate=sample_rate, layout=layout, start=start, language=language)
        self._tracks.append(track)
        return track

    def copy_audio(self, source: str | os.PathLike[str], *, limits: Limits | None = None) -> list[str]:
        """Copy all audio tracks of `source` untouched, in time with its frames; before the first picture.

        Returns warnings: the tracks that had to be re-encoded because the container cannot hold them. `source` without sound is fine.
        """
        self._not_started()
        if self._format == "webp":
            return []
        copied = CopiedAudio(source, limits or Limits.in_force())
        warnings = copied.plan(self._format)
        self._copies.append(copied)
        return warnings

    def copy_tags(self, source: str | os.PathLike[str], *, limits: Limits | None = None) -> None:
        """Keep when `source` was recorded, its title and what else is about its content; before the first picture.

        Where it was recorded and with what is not kept. Errors are those of `read_frames`.
        """
        self._not_started()
        self._tags = file_tags(source, limits or Limits.in_force())

    def add_chapter(self, title: str, start: Fraction, end: Fraction) -> None:
        """Name the part from `start` to `end` seconds, at any time before the end; chapters come in order and do not overlap.

        At most 255. Some players take a chapter as going on until the next: leave no holes. A .webp file has none.
        """
        if not 0 <= start < end or (self._chapters and start < self._chapters[-1][2]):
            raise ValueError(f"chapter {title!r} from {float(start):g} to {float(end):g} s must follow the one before and have a length")
        if len(self._chapters) == _MOST_CHAPTERS:
            raise ValueError(f"a file has at most {_MOST_CHAPTERS} chapters")
        self._chapters.append((title, start, end))

    def write(self, picture: av.VideoFrame | tuple[NDArray[Any], ...], pts: int, *, duration: int | None = None) -> None:
        """Add a picture: a PyAV frame, or its planes as `Frame.planes` gives them in the writer's own format and size (copied).

        `pts` and `duration` are in `time_base` units; `pts` must rise. A frame of another size or format is converted. It must not be
        changed afterwards. Blocks while the encoder is behind; raises its error if it has failed.
        """
        if self._last is not None and pts <= self._last:
            raise ValueError(f"{pts = } must be greater than that of the picture before, {self._last}")
        self._last = pts
        if isinstance(picture, tuple):
            picture = picture_from(picture, self._fitter.width, self._fitter.height, self._pixel_format)
            apply_tags(picture, self._color or BT709)
        if not self._started:
            self._started = True
            self._thread.start()
            first = BT709 if picture.format.is_rgb else tags_of(picture, pixel_format=picture.format.name)
            self._submit(partial(self._open, first))
        self._submit(partial(self._encode, picture, pts, duration), bytes_of(picture))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if error is not None:
            self.abort()
        else:
            self.close()

    def close(self) -> None:
        """Finish the file and put it under its name. Raises the encoder's error, or ValueError if no picture was written."""
        if not self._started:
            self.abort()
            raise ValueError(f"no picture was written to {self._path.name!r}")
        try:
            self._submit(self._finish)
            self._work.finish()
            self._thread.join()
            if self._error is not None:
                raise self._error
            os.replace(self._partial, self._path)
        except BaseException:
            self.abort()
            raise

    def abort(self) -> None:
        """Stop encoding and leave nothing behind."""
        self._work.close()
        if self._thread.is_alive():
            self._thread.join()
        self._partial.unlink(missing_ok=True)

    def _not_started(self) -> None:
        if self._started:
            raise ValueError("audio tracks and tags have to be added before the first picture is written")

    def _submit(self, action: Callable[[], None], weight: int = 0) -> None:
        try:
            self._work.put(action, weight)
        except Closed:
            self._thread.join()
            raise self._error or OperationFailed("The writer was closed while there was more to write.") from None

    def _run(self) -> None:
        try:
            while True:
                self._work.get()()
        except StopIteration:
            pass
        except av.error.FFmpegError as error:
            self._error = OperationFailed(f"Encoding {self._path.name!r} with {self.encoder} failed: {error}.")
            self._error.__cause__ = error
        except BaseException as error:
            self._error = error
        finally:
            self._work.close()
            for copied in self._copies:
                copied.close()
            if self._container is not None:
                with suppress(av.error.FFmpegError, OSError):
                    self._container.close()

    def _open(self, first: ColorInfo) -> None:
        # The same pictures give the same file: without the version of the library, and without random numbers.
        flags = {"fflags": "+bitexact"} | ({"movflags": "+faststart"} if self._format in ("mp4", "mov") else {})
        flags |= {"loop": "0"} if self._format == "webp" else {}
        container = av.open(str(self._partial), "w", format=self._format, container_options=flags)
        self._container = container
        container.metadata.update(self._tags)
        stream: Any = container.add_stream(
            self._encoder.name,
            rate=self._frame_rate,
            options=self._options,
            width=self._fitter.coded_width,
            height=self._fitter.coded_height,
            time_base=self._time_base,
        )
        context = stream.codec_context
        context.pix_fmt = self._pixel_format
        context.thread_count = 0
        context.thread_type = "AUTO"
        if self._encoder.name in ("libx265", "hevc_nvenc") and self._format in ("mp4", "mov"):
            context.codec_tag = "hvc1"
        color = self._color or first
        if self._sample_aspect_ratio:
            context.sample_aspect_ratio = self._sample_aspect_ratio
        apply_tags(context, color)
        self._fitter.color = color
        self._stream = stream
        for copied in self._copies:
            copied.open(container, container.mux)
        for track in self._tracks:
            track.open(container, container.mux)

    def _encode(self, picture: av.VideoFrame, pts: int, duration: int | None) -> None:
        assert self._container is not None
        ready = self._fitter.fit(picture)
        # A decoder's picture types would be taken as orders where to put keyframes.
        ready.pict_type = 0
        ready.pts, ready.time_base = pts, self._time_base
        ready.duration = duration or max(round(1 / (self._frame_rate * self._time_base)), 1)
        self._mux_pictures(self._stream.encode(ready))

    def _mux_pictures(self, packets: list[Any]) -> None:
        assert self._container is not None
        for packet in packets:
            # libx265 leaves this unset in clips that are shorter than its look-ahead.
            lag = (packet.pts - packet.dts) * packet.time_base if packet.dts is not None else Fraction(-1)
            if not 0 <= lag < _MOST_LAG_S:
                step = max(round(1 / (self._frame_rate * packet.time_base)), 1)
                packet.dts = packet.pts - 8 * step if self._last_dts is None else min(self._last_dts + 1, packet.pts)
            self._last_dts = packet.dts
            for copied in self._copies:
                copied.pump(Fraction(packet.dts * packet.time_base))
            self._container.mux(packet)

    def _finish(self) -> None:
        assert self._container is not None
        self._mux_pictures(self._stream.encode(None))
        for copied in self._copies:
            copied.pump(None)
        for track in self._tracks:
            track.finish()
        if self._chapters and self._format != "webp":
            self._container.set_chapters(_in_milliseconds(self._chapters))
        self._container.close()
        self._container = None


def _in_milliseconds(chapters: list[tuple[str, Fraction, Fraction]]) -> list[Any]:
    base = Fraction(1, 1000)
    return [
        {"id": number, "start": round(start / base), "end": round(end / base), "time_base": base, "metadata": {"title": title}}
        for number, (title, start, end) in enumerate(chapters, start=1)
    ]
