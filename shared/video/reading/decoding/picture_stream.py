"""Decoded frames of an open file: upright, and on the file's timeline."""

import os
from collections.abc import Generator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import av
import av.container
import av.error

from shared.errors import BrokenMedia
from shared.video.frames.display import BLACK
from shared.video.limits import Limits
from shared.video.reading.decoding.decoder import open_decoder
from shared.video.reading.decoding.decoding_run import DecodedFile, DecodingRun
from shared.video.reading.decoding.picture_times import PictureTimes, TimedPicture
from shared.video.reading.decoding.seek_target import SeekTarget
from shared.video.reading.decoding.skipping import Skip, Skipping
from shared.video.reading.decoding.upright_pictures import UprightPictures
from shared.video.reading.open_input import check_promised_size, main_video
from shared.video.reading.times.clock import clock_of
from shared.video.reading.times.container_traits import may_end_anywhere

# Usual seconds between keyframes. Most encoders put one at least this often.
_USUAL_KEY_DISTANCE_S = 10


class PictureStream:
    """A decoder of the pictures of an open container's main video stream.

    The pictures' times rise strictly, in units of `base`; 0 is the start of the file's timeline.
    """

    def __init__(
        self,
        container: av.container.InputContainer,
        path: str | os.PathLike[str],
        *,
        limits: Limits,
        to_sdr8: bool,
        skip: Skip,
        keys_only: Sequence[tuple[int, int]] = (),
        opaque: bool = False,
        background: str = BLACK,
        fields: bool = False,
    ):
        stream: Any = main_video(container, path)
        check_promised_size(stream, path, limits)
        clock = clock_of(container, path, limits)
        decoder = open_decoder(stream, limits, rough=skip == "rough", torn=clock.torn)
        self._times = PictureTimes(container, stream, clock, limits, fields=fields)
        self._skipping = Skipping(decoder, self._times, skip, keys_only)
        self._upright = UprightPictures(
            container, stream, path, limits, to_sdr8=to_sdr8, opaque=opaque, background=background, fields=fields
        )
        self._file = DecodedFile(
            container=container,
            stream=stream,
            path=path,
            limits=limits,
            clock=clock,
            decoder=decoder,
            times=self._times,
            skipping=self._skipping,
            upright=self._upright,
            may_end_anywhere=may_end_anywhere(container, path),
        )
        self.base = self._times.base
        """Unit of the pictures' times, in seconds."""

    @property
    def stream(self) -> Any:
        """The video stream that is decoded."""
        return self._file.stream

    @property
    def deinterlacing(self) -> bool:
        """Whether pictures are deinterlaced, and so depend on their neighbours."""
        return self._upright.deinterlacing

    @property
    def latest_time(self) -> int:
        """The latest time of a packet given to the decoder since the last seek.

        In units of `base`; -1 for none.
        """
        return self._skipping.latest_time

    @property
    def read_ahead(self) -> int:
        """Estimate the time that the decoder reads ahead of the frames it returns.

        In units of `base`.
        """
        return int(self._file.decoder.thread_count + self.stream.codec_context.has_b_frames) * self._times.step

    def duration_of(self, picture: av.VideoFrame) -> int:
        """Return a picture's duration in units of `base`.

        A picture without a duration gets that of one frame at the average rate.
        """
        return self._times.duration_of(picture, deinterlaced=self._upright.deinterlacing)

    def all(self, aim: SeekTarget | None = None) -> Generator[TimedPicture, None, None]:
        """Yield all frames from the start.

        Raises BrokenMedia where the file breaks, and if it holds no picture.
        """
        yield from self._from_here(aim)
        if not self._skipping.started:
            raise BrokenMedia(f"{Path(self._file.path).name!r} contains no frame that can be decoded. Export or upload it again.")

    def from_about(self, target: int, aim: SeekTarget | None = None) -> Generator[TimedPicture, None, None] | None:
        """Seek to a keyframe at or before `target`; return the frames from there on.

        None if no such keyframe is found. `target` is in units of `base`. Containers seek by decoding order,
        or only roughly: if the first picture is later than `target`, seeking is repeated further back. Returns None if no seek reaches such
        a picture, and where times are counted from the beginning (AVI). Then the container has to be opened anew, since not every file can
        seek to its start.
        """
        if self._file.clock.joined:
            return None
        # A deinterlaced picture needs the one before it. Of codecs without references, this costs one picture.
        intra = self._file.decoder.codec.intra_only
        back = self._times.step if self.deinterlacing or (intra and not self._upright.started) else 0
        while target - back > 0 and not self._times.by_order:
            try:
                self._seek(target - back)
            except av.error.FFmpegError:
                return None
            self._file.decoder.flush_buffers()
            self._upright.jumped()
            self._skipping.latest_time = -1
            pictures = self._from_here(aim)
            head = next(pictures, None)
            if head is not None and head[1] <= target:
                return _joined(head, pictures)
            pictures.close()
            back = max(int(2 / self.base), 2 * back)
        return None

    def from_key(self, target: int) -> Generator[TimedPicture, None, None]:
        """Return the frames from the first keyframe at or after `target` on.

        Nothing before that keyframe is decoded. `target` is in units of `base`. Call this first.
        """
        if not self._file.clock.joined and not self._times.by_order:
            with suppress(av.error.FFmpegError):
                self._seek(target)
        self._skipping.first_key = target
        return self._from_here()

    def key_between(self, after: int, until: int) -> bool:
        """Return whether a keyframe lies after `after` and at or before `until`.

        Both are in units of `base`. The container's index is used. Where it does not reach that far, the distance decides: encoders usually
        put a keyframe every _USUAL_KEY_DISTANCE_S seconds.
        """
        if self._times.by_order:
            return False
        # MP4's index has decoding times: a keyframe listed before `until` may be shown after it.
        if self._file.container.format.name.startswith("mov"):
            until -= int(self.stream.codec_context.has_b_frames) * self._times.step
        entries = self.stream.index_entries
        count = len(entries)
        if count < 2 or entries[count - 1].timestamp < until + self._times.offset:
            return (until - after) * self.base >= _USUAL_KEY_DISTANCE_S
        index = entries.search_timestamp(until + self._times.offset)
        return bool(index >= 0 and entries[index].timestamp > after + self._times.offset)

    def load_index(self) -> None:
        """Load the index of a Matroska file, before the first read.

        Matroska reads it only when seeking.
        """
        if self._file.container.format.name.startswith("matroska"):
            with suppress(av.error.FFmpegError):
                self._file.container.seek(self.stream.start_time or 0, stream=self.stream)

    def _from_here(self, aim: SeekTarget | None = None) -> Generator[TimedPicture, None, None]:
        return DecodingRun(self._file, aim).pictures()

    def _seek(self, target: int) -> None:
        self._file.container.seek(self._times.ticks(target), stream=self.stream)


def _joined(head: TimedPicture, rest: Generator[TimedPicture, None, None]) -> Generator[TimedPicture, None, None]:
    yield head
    yield from rest
