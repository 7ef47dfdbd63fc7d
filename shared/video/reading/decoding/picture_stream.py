"""Decoded frames of an open file: upright, and on the file's timeline."""

import os
from bisect import bisect_right
from collections.abc import Generator, Iterator, Sequence
from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal

import av
import av.container
import av.error

from shared.errors import BrokenMedia
from shared.video.frames.display import BLACK, DisplayFilter
from shared.video.limits import Limits
from shared.video.reading.containers.truncation import is_truncated
from shared.video.reading.decoding.damaged_packets import DamagedPackets
from shared.video.reading.decoding.decoder import open_decoder
from shared.video.reading.decoding.packet_sizes import PacketSizes
from shared.video.reading.decoding.seek_target import SeekTarget
from shared.video.reading.open_input import check_promised_size, error_text, file_head, main_video, time_base_of, timeline_zero
from shared.video.reading.times.clock import clock_of
from shared.video.reading.times.container_traits import may_end_anywhere
from shared.video.reading.times.shape_changes import orientation_at, pixel_ratio_at, shape_changes
from shared.video.reading.whole_packets import holds_picture

TimedPicture = tuple[av.VideoFrame, int]
Skip = Literal["none", "nonref", "nonkey", "steady", "rough"]
# Most encoders put a keyframe at least this often.
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
        self._container = container
        self._path = path
        self._limits = limits
        self._stream: Any = main_video(container, path)
        # The last packet of a recorder that was killed is a part of a picture.
        self._may_end_anywhere = may_end_anywhere(container, path)
        check_promised_size(self._stream, path, limits)
        self._stream_base = time_base_of(self._stream)
        # The second field of a picture lies half-way to the next one.
        self.base = self._stream_base / 2 if fields else self._stream_base
        self._fields = fields
        self._clock = clock_of(container, path, limits)
        self._offset = int(timeline_zero(container, self._stream) / self.base)
        self._decoder = open_decoder(self._stream, limits, rough=skip == "rough", torn=self._clock.torn)
        self._sizes = PacketSizes() if skip in ("steady", "rough") else None
        self._skip: Skip = "nonref" if self._sizes else skip
        self._skip_now(self._skip)
        self._keys_only = keys_only
        self._key_ends = [end for _, end in keys_only]
        rate = self._stream.average_rate or self._stream.guessed_rate or Fraction(25)
        self._step = max(round(1 / (rate * (2 if fields else 1) * self.base)), 1)
        self._has_picture = False
        self._latest_time = -1
        self._first_key: int | None = None
        # AVI numbers packets in decoding order, so reordered pictures carry the time of another picture.
        # So do packets whose times were made even.
        self._even = self._clock.even.get(self._stream.index)
        numbered = container.format.name == "avi" and bool(self._stream.codec_context.has_b_frames)
        self._by_order = numbered or self._even is not None
        if self._even is not None:
            self._step = max(round(self._even.step * self._stream_base / self.base) // (2 if fields else 1), 1)
        self._stated_ratio: Fraction | None = self._stream.sample_aspect_ratio or None
        sizes = shape_changes(container, path, limits)
        # At a new size, FFmpeg's decoder of MPEG-1 and MPEG-2 loses the picture that it holds back.
        drained = self._stream.codec_context.codec.canonical_name in ("mpeg1video", "mpeg2video")
        self._drained_at = frozenset(size.at for size in sizes[1:] if drained)
        self._sizes_by_ratio = sizes if len({size.shape.pixel_ratio for size in sizes}) > 1 else ()
        self._sizes_by_turn = sizes if len({size.shape.orientation for size in sizes}) > 1 else ()
        self._upright = DisplayFilter(
            time_base=self._stream_base,
            limits=limits,
            to_sdr8=to_sdr8,
            from_gpu=self._stream.codec_context.codec.canonical_name if self._stream.codec_context.is_hwaccel else "",
            opaque=opaque,
            background=background,
            fields=fields,
            stored_size=(sizes[0].shape.width, sizes[0].shape.height) if len(sizes) > 1 else None,
            pixel_ratio=pixel_ratio_at(self._sizes_by_ratio, self._stated_ratio, sizes[0].at if sizes else None),
            orientation=orientation_at(self._sizes_by_turn, sizes[0].at if sizes else None),
        )

    @property
    def stream(self) -> Any:
        """The video stream that is decoded."""
        return self._stream

    @property
    def deinterlacing(self) -> bool:
        """Whether pictures are deinterlaced, and so depend on their neighbours."""
        return self._upright.deinterlacing

    @property
    def latest_time(self) -> int:
        """The latest time of a packet given to the decoder since the last seek.

        In units of `base`; -1 for none.
        """
        return self._latest_time

    @property
    def read_ahead(self) -> int:
        """Estimate the time that the decoder reads ahead of the frames it returns.

        In units of `base`.
        """
        return int(self._decoder.thread_count + self._stream.codec_context.has_b_frames) * self._step

    def duration_of(self, picture: av.VideoFrame) -> int:
        """Return a picture's duration in units of `base`.

        A picture without a duration gets that of one frame at the average rate.
        """
        stated = self._in_base(picture.duration or 0, picture) or self._step
        return min(stated, self._step) if self._fields and self._upright.deinterlacing else stated

    def all(self, aim: SeekTarget | None = None) -> Generator[TimedPicture, None, None]:
        """Yield all frames from the start.

        Raises BrokenMedia where the file breaks, and if it holds no picture.
        """
        yield from self._from_here(aim)
        if not self._has_picture:
            raise BrokenMedia(f"{Path(self._path).name!r} contains no frame that can be decoded. Export or upload it again.")

    def from_about(self, target: int, aim: SeekTarget | None = None) -> Generator[TimedPicture, None, None] | None:
        """Seek to a keyframe at or before `target`.

        Returns the frames from there. None if no such keyframe is found. `target` is in units of `base`. Containers seek by decoding order,
        or only roughly: if the first picture is later than `target`, seeking is repeated further back. Returns None if no seek reaches such
        a picture, and where times are counted from the beginning (AVI). Then the container has to be opened anew, since not every file can
        seek to its start.
        """
        if self._clock.joined:
            return None
        back = 0
        while target - back > 0 and not self._by_order:
            try:
                self._container.seek(int((target - back + self._offset) * self.base / self._stream_base), stream=self._stream)
            except av.error.FFmpegError:
                return None
            self._decoder.flush_buffers()
            self._upright.jumped()
            self._latest_time = -1
            pictures = self._from_here(aim)
            head = next(pictures, None)
            if head is not None and head[1] <= target:
                return _joined(head, pictures)
            pictures.close()
            back = max(int(2 / self.base), 2 * back)
        return None

    def from_key(self, target: int) -> Generator[TimedPicture, None, None]:
        """Skip to the first keyframe at or after `target`.

        Returns the frames from there. Nothing before it is decoded. `target` is in units of `base`. Call this first.
        """
        if not self._clock.joined and not self._by_order:
            with suppress(av.error.FFmpegError):
                self._container.seek(int((target + self._offset) * self.base / self._stream_base), stream=self._stream)
        self._first_key = target
        return self._from_here()

    def key_between(self, after: int, until: int) -> bool:
        """Return whether a keyframe lies after `after` and at or before `until`.

        Both are in units of `base`. The container's index is used. Where it does not reach that far, the distance decides: encoders usually
        put a keyframe every _USUAL_KEY_DISTANCE_S seconds.
        """
        if self._by_order:
            return False
        # MP4's index has decoding times: a keyframe listed before `until` may be shown after it.
        if self._container.format.name.startswith("mov"):
            until -= int(self._stream.codec_context.has_b_frames) * self._step
        entries = self._stream.index_entries
        count = len(entries)
        if count < 2 or entries[count - 1].timestamp < until + self._offset:
            return (until - after) * self.base >= _USUAL_KEY_DISTANCE_S
        index = entries.search_timestamp(until + self._offset)
        return bool(index >= 0 and entries[index].timestamp > after + self._offset)

    def load_index(self) -> None:
        """Load the index of a Matroska file, before the first read.

        Matroska reads it only when seeking.
        """
        if self._container.format.name.startswith("matroska"):
            with suppress(av.error.FFmpegError):
                self._container.seek(self._stream.start_time or 0, stream=self._stream)

    def _skip_now(self, skip: Skip) -> None:
        name = {"none": "DEFAULT"}.get(skip, skip.upper())
        if self._decoder.skip_frame != name:
            self._decoder.skip_frame = name

    def _left_out(self, packet: Any) -> bool:
        """Return whether to leave a packet out of decoding.

        Left out are packets before the keyframe that `from_key` waits for, and in the spans of `keys_only` all but keyframes.
        """
        if self._first_key is not None and packet.size:
            first = (self._first_key + self._offset) * self.base
            if not packet.is_keyframe or packet.pts is None or packet.pts * self._stream_base < first:
                return True
            self._first_key = None
        if not self._keys_only or packet.is_keyframe or packet.pts is None:
            return False
        pts = packet.pts - self._offset
        place = bisect_right(self._key_ends, pts)
        return place < len(self._keys_only) and bool(self._keys_only[place][0] <= pts)

    def _aimed(self, packet: Any, aim: SeekTarget) -> None:
        """Let the decoder skip packets that `aim` does not need; update `aim.nearest`."""
        if self._by_order or self._upright.deinterlacing or packet.pts is None:
            self._skip_now(self._skip)
            aim.nearest = None
            return
        pts = int(packet.pts - self._offset)
        self._latest_time = max(self._latest_time, pts)
        self._skip_now("nonref" if self._skip == "none" and self._has_picture and pts < aim.target else self._skip)
        if pts < aim.target or self._skip == "nonref" or (self._skip == "nonkey" and not packet.is_keyframe):
            return
        aim.nearest = pts if aim.nearest is None else min(pts, aim.nearest)

    def _from_here(self, aim: SeekTarget | None = None) -> Generator[TimedPicture, None, None]:
        upright = self._upright
        previous: int | None = None
        packets = self._clock.packets(self._container.demux(self._stream))
        damage = DamagedPackets(self._container, self._stream, self._path)
        ended = complete = broken = False
        latest: int | None = None
        repeats: list[int] = []
        shown: TimedPicture | None = None
        while not ended:
            decoded: list[av.VideoFrame] = []
            try:
                packet = next(packets, None)
                ended = packet is None
                if ended and self._clock.end is not None:
                    decoded = self._decoder.decode(None)  # a file that is cut off ends without a packet that flushes
                if packet is not None and not packet.size and holds_picture(packet):
                    repeats.append(self._in_base(packet.pts, packet) - self._offset)
                    continue
                if packet is not None and self._left_out(packet):
                    continue
                if packet is not None and packet.size and damage.holds(packet):
                    decoded = self._flushed()
                    if previous is None and not decoded:
                        self._decoder.flush_buffers()
                        continue
                    ended, broken = True, not self._is_last(packets)
                elif packet is not None:
                    if aim is not None:
                        self._aimed(packet, aim)
                    elif self._sizes is not None:
                        self._skip_now("none" if self._sizes.unusual(packet.pts, packet.size, packet.is_keyframe) else "nonref")
                    latest = packet.pts if packet.size else latest
                    if packet.pts in self._drained_at and packet.size:
                        decoded = self._decoder.decode(None)
                        self._decoder.flush_buffers()
                    decoded = decoded + self._decoder.decode(packet)
                    # A picture is shown at or after its decoding time, so no later packet can be shown before `nearest`.
                    complete = bool(aim and aim.alone and aim.nearest is not None and (packet.dts or 0) - self._offset >= aim.nearest)
                    if complete:
                        decoded += self._decoder.decode(None)
            except av.error.EOFError:
                ended = True
            except av.error.FFmpegError as error:
                # An error before the first picture: the file starts within a group of pictures, such as a recorded broadcast.
                if previous is not None:
                    if not self._is_last(packets):
                        raise self._broken(previous, error_text(error)) from error
                    ended = True
                    decoded = self._flushed()
            ready: list[av.VideoFrame] = []
            for picture in decoded:
                if picture.is_corrupt:
                    if previous is None and not ready:
                        continue
                    if picture.pts == latest and self._is_last(packets):
                        ended = True
                        decoded += self._flushed()
                        continue
                    for timed_picture in self._dated(ready, previous):
                        previous = timed_picture[1]
                        yield timed_picture
                    raise self._broken(max(self._time_of(picture, previous), previous or 0), "damaged picture")
                ratio = pixel_ratio_at(self._sizes_by_ratio, self._stated_ratio, picture.pts)
                ready += upright.push(picture, ratio, orientation_at(self._sizes_by_turn, picture.pts))
            if ended:
                ready += upright.flush()
            for timed_picture in self._dated(ready, previous):
                yield from _repeated(shown, repeats, timed_picture[1])
                shown = timed_picture
                previous = timed_picture[1]
                self._has_picture = True
                yield timed_picture
            if broken:
                raise self._broken(previous or 0, "damaged picture")
            if ended:
                yield from _repeated(shown, repeats, None)
            if aim is not None and complete:
                aim.emptied = True
                return
        if previous is not None and is_truncated(self._path, self._container, file_head(self._path, self._limits)):
            raise self._broken(previous + self._step, "the file is truncated")

    def _is_last(self, packets: Iterator[Any]) -> bool:
        """Return whether a damaged packet is the last of a cut-off file.

        A cut-off file may end within a picture. Reads `packets`, the rest of the packets, up to the next one.
        """
        if not self._may_end_anywhere:
            return False
        with suppress(av.error.FFmpegError):
            return not any(packet.size for packet in packets)
        return True

    def _flushed(self) -> list[av.VideoFrame]:
        """Return the undamaged pictures that the decoder still holds."""
        with suppress(av.error.FFmpegError):
            return [picture for picture in self._decoder.decode(None) if not picture.is_corrupt]
        return []

    def _dated(self, pictures: list[av.VideoFrame], previous: int | None) -> Generator[TimedPicture, None, None]:
        for picture in pictures:
            pts = self._time_of(picture, previous)
            if previous is not None and pts <= previous:
                pts = previous + 1
            previous = pts
            yield picture, pts

    def _time_of(self, picture: av.VideoFrame, previous: int | None) -> int:
        value = picture.dts if picture.pts is None or self._by_order else picture.pts
        if self._clock.sparse and previous is not None:
            return self._even_time(picture, previous + self._step)
        if value is None:
            return 0 if previous is None else previous + self._step
        if self._by_order and previous is None:
            first = 0 if self._even is None else self._in_base(self._even.shown, picture) - self._offset
            self._offset = self._in_base(value, picture) - first
        return self._in_base(value, picture) - self._offset

    def _even_time(self, picture: av.VideoFrame, expected: int) -> int:
        """Return a picture's time in a stream in which only some have one.

        `expected`: one step behind the picture before. FFmpeg gives some of the times to a picture beside the right one.
        """
        if picture.pts is None:
            return expected
        stated = self._in_base(picture.pts, picture) - self._offset
        longest = self._limits.max_duration_s / self.base if self._clock.counted else 4 * self._step
        return expected if self._step / 2 < abs(stated - expected) <= longest else stated

    def _in_base(self, value: int, picture: av.VideoFrame) -> int:
        unit = picture.time_base or self._stream_base
        return value if unit == self.base else round(value * unit / self.base)

    def _broken(self, pts: int, detail: str) -> BrokenMedia:
        return BrokenMedia(
            f"{Path(self._path).name!r} cannot be decoded from {float(pts * self.base):.2f} s on ({detail}). "
            "Export or upload it again, or use only the part before that time."
        )


def _repeated(shown: TimedPicture | None, repeats: list[int], until: int | None) -> Iterator[TimedPicture]:
    """Yield `shown` again at each time before `until` in `repeats`; remove these times."""
    while repeats and (until is None or repeats[0] < until):
        pts = repeats.pop(0)
        if shown is not None and pts > shown[1]:
            yield shown[0], pts


def _joined(head: TimedPicture, rest: Generator[TimedPicture, None, None]) -> Generator[TimedPicture, None, None]:
    yield head
    yield from rest
