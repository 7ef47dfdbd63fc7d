"""Decoding of an open file from its current position to the end."""

import os
from collections.abc import Generator, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import av.container
import av.error

from shared.errors import BrokenMedia
from shared.video.limits import Limits
from shared.video.reading.containers.truncation import is_truncated
from shared.video.reading.decoding.damaged_packets import DamagedPackets
from shared.video.reading.decoding.picture_times import PictureTimes, TimedPicture
from shared.video.reading.decoding.seek_target import SeekTarget
from shared.video.reading.decoding.skipping import Skipping
from shared.video.reading.decoding.upright_pictures import UprightPictures
from shared.video.reading.open_input import error_text, file_head
from shared.video.reading.times.clock import Clock
from shared.video.reading.whole_packets import holds_picture

_DAMAGED = "damaged picture"


@dataclass(frozen=True, slots=True, kw_only=True)
class DecodedFile:
    """An open file, and the decoder of its main video.

    `may_end_anywhere`: whether the last packet may hold a part of a picture only, as after the recorder was killed.
    """

    container: av.container.InputContainer
    stream: Any
    path: str | os.PathLike[str]
    limits: Limits
    clock: Clock
    decoder: Any
    times: PictureTimes
    skipping: Skipping
    upright: UprightPictures
    may_end_anywhere: bool


@dataclass(frozen=True, slots=True)
class _Fault:
    """Damage in the file, at which decoding ends.

    `picture`: the damaged picture; None if the damage lies after the pictures decoded so far.
    """

    detail: str
    picture: av.VideoFrame | None = None
    error: Exception | None = None


class DecodingRun:
    """A decoding of an open file, from the container's current position to the end.

    `aim`: leave out pictures that are not needed for it.
    """

    def __init__(self, file: DecodedFile, aim: SeekTarget | None) -> None:
        self._file = file
        self._aim = aim
        self._packets = file.clock.packets(file.container.demux(file.stream))
        self._damage = DamagedPackets(file.container, file.stream, file.path)
        self._ended = False
        self._aim_complete = False
        self._fault: _Fault | None = None
        self._latest_packet: int | None = None
        self._repeats: list[int] = []
        self._shown: TimedPicture | None = None

    def pictures(self) -> Generator[TimedPicture, None, None]:
        """Yield the pictures with their times.

        Raises BrokenMedia where the file breaks, after yielding the pictures before. An error before the first picture is ignored: the file
        starts within a group of pictures, as a recorded broadcast does.
        """
        while not self._ended:
            for timed_picture in self._file.times.rising(self._upright(self._decoded()), self._previous):
                yield from self._repeated(timed_picture[1])
                self._shown = timed_picture
                self._file.skipping.started = True
                yield timed_picture
            if self._fault is not None:
                raise self._broken(self._fault) from self._fault.error
            if self._aim is not None and self._aim_complete:
                self._aim.emptied = True
                return
        yield from self._repeated(None)
        file = self._file
        if self._previous is not None and is_truncated(file.path, file.container, file_head(file.path, file.limits)):
            raise self._broken_at(self._previous + file.times.step, "the file is truncated")

    @property
    def _previous(self) -> int | None:
        """Time of the latest picture; None before the first."""
        return None if self._shown is None else self._shown[1]

    def _decoded(self) -> list[av.VideoFrame]:
        """Decode the next packet; return the pictures that come out of the decoder."""
        decoded: list[av.VideoFrame] = []
        try:
            packet = next(self._packets, None)
            self._ended = packet is None
            if packet is not None:
                self._decode(packet, decoded)
            elif self._file.clock.end is not None:
                decoded += self._file.decoder.decode(None)  # a file that is cut off ends without a packet that flushes
        except av.error.EOFError:
            self._ended = True
        except av.error.FFmpegError as error:
            if self._previous is not None:
                decoded += self._end_or_fault(_Fault(error_text(error), error=error))
        return decoded

    def _decode(self, packet: Any, decoded: list[av.VideoFrame]) -> None:
        """Decode a packet; append the pictures that come out to `decoded`."""
        file, aim = self._file, self._aim
        if not packet.size and holds_picture(packet):
            self._repeats.append(file.times.converted(packet.pts, packet) - file.times.offset)
            return
        if file.skipping.leaves_out(packet):
            return
        if packet.size and self._damage.holds(packet):
            decoded += self._held_back()
            if self._previous is None and not decoded:
                file.decoder.flush_buffers()
                return
            self._ended = True
            self._fault = None if self._is_last() else _Fault(_DAMAGED)
            return
        if aim is None:
            file.skipping.prepare(packet)
        else:
            file.skipping.prepare_for(aim, packet, all_pictures=file.upright.deinterlacing)
        if packet.size:
            self._latest_packet = packet.pts
            if packet.pts in file.upright.drained_at:
                decoded += file.decoder.decode(None)
                file.decoder.flush_buffers()
        decoded += file.decoder.decode(packet)
        # A picture is shown at or after its decoding time, so no later packet can be shown before `nearest`.
        # An interlaced picture is not complete before the next one has come.
        nearest = aim.nearest if aim is not None and aim.alone and file.upright.started else None
        if nearest is not None and (packet.dts or 0) - file.times.offset >= nearest:
            self._aim_complete = True
            decoded += file.decoder.decode(None)

    def _upright(self, decoded: list[av.VideoFrame]) -> list[av.VideoFrame]:
        """Turn decoded pictures upright, up to the first damaged one."""
        ready: list[av.VideoFrame] = []
        while decoded:
            picture = decoded.pop(0)
            if not picture.is_corrupt:
                ready += self._file.upright.push(picture)
            elif self._previous is not None or ready:
                if picture.pts != self._latest_packet:
                    self._fault = _Fault(_DAMAGED, picture)
                    return ready
                decoded += self._end_or_fault(_Fault(_DAMAGED, picture))
                if self._fault is not None:
                    return ready
        if self._ended:
            ready += self._file.upright.flush()
        return ready

    def _end_or_fault(self, fault: _Fault) -> list[av.VideoFrame]:
        """End the run at a fault.

        A fault in the last packet of a file that may end anywhere is ignored. Returns the undamaged pictures before the end.
        """
        if not self._is_last():
            self._fault = fault
            return []
        self._ended = True
        return self._held_back()

    def _is_last(self) -> bool:
        """Return whether a damaged packet is the last of a cut-off file.

        A cut-off file may end within a picture. Reads the rest of the packets, up to the next one.
        """
        if not self._file.may_end_anywhere:
            return False
        with suppress(av.error.FFmpegError):
            return not any(packet.size for packet in self._packets)
        return True

    def _held_back(self) -> list[av.VideoFrame]:
        """Return the undamaged pictures that the decoder still holds."""
        with suppress(av.error.FFmpegError):
            return [picture for picture in self._file.decoder.decode(None) if not picture.is_corrupt]
        return []

    def _repeated(self, until: int | None) -> Iterator[TimedPicture]:
        """Yield the latest picture again for each packet that repeats it.

        Only for times before `until`; None for all.
        """
        while self._repeats and (until is None or self._repeats[0] < until):
            pts = self._repeats.pop(0)
            if self._shown is not None and pts > self._shown[1]:
                yield self._shown[0], pts

    def _broken(self, fault: _Fault) -> BrokenMedia:
        previous = self._previous or 0
        time = previous if fault.picture is None else max(self._file.times.of(fault.picture, self._previous), previous)
        return self._broken_at(time, fault.detail)

    def _broken_at(self, time: int, detail: str) -> BrokenMedia:
        return BrokenMedia(
            f"{Path(self._file.path).name!r} cannot be decoded from {float(time * self._file.times.base):.2f} s on ({detail}). "
            "Export or upload it again, or use only the part before that time."
        )
