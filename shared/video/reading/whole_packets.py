"""Detection and removal of packets that the end of a file cuts off."""

from collections.abc import Iterable, Iterator
from typing import Any

import av.error

from shared.video.limits import Limits

MOST_IN_GROUPS = 64
"""Maximum number of packets decoded to check the last picture. They show whether it is complete."""

REPORTS_DAMAGE = frozenset({"h264", "mpeg1video", "mpeg2video", "mpeg4", "h263", "flv1", "wmv1", "wmv2", "wmv3", "msmpeg4v2", "msmpeg4v3"})
"""Codecs whose decoders report incomplete pictures. Other decoders conceal the damage."""


def whole_packets(packets: Iterable[Any]) -> Iterator[Any]:
    """Drop header packets, and a track's last packet if cut off.

    FFmpeg flags a packet as corrupt when the file ends within it. Decoders that get such a packet lose the pictures before it, too.
    Headers stand between the parts of a joined Ogg file.
    """
    waiting: dict[int, Any] = {}
    for packet in _until_unknown_track(packets):
        if packet.size and _is_header(packet):
            continue
        earlier = waiting.pop(packet.stream_index, None)
        if earlier is not None and packet.size:
            yield earlier
        if packet.size and packet.is_corrupt:
            waiting[packet.stream_index] = packet
        else:
            yield packet


def _until_unknown_track(packets: Iterable[Any]) -> Iterator[Any]:
    """Yield `packets` until PyAV raises IndexError.

    PyAV 18 raises it at the end of a file with tracks that appeared after it was opened, such as those of a joined program.
    """
    source = iter(packets)
    while True:
        try:
            packet = next(source, None)
        except IndexError:
            return
        if packet is None:
            return
        yield packet


def _is_header(packet: Any) -> bool:
    """Return whether a packet is a Theora header (Theora specification, 6.1)."""
    context = packet.stream.codec_context if packet.stream.type == "video" else None
    return context is not None and context.name == "theora" and bool(bytes(packet)[0] & 0x80)


def holds_picture(packet: Any) -> bool:
    """Return whether a packet holds or repeats a picture.

    An empty packet with a time repeats the picture before (Theora, VP8, QuickTime). One without a time flushes decoders.
    """
    return bool(packet.size) or packet.pts is not None


class LastGroups:
    """A store of a video stream's last packets, starting at the second-last keyframe.

    The packets show whether the last picture is whole. They are stored only for codecs in `REPORTS_DAMAGE`, at most `MOST_IN_GROUPS`.
    """

    def __init__(self, video: Any):
        self._video = video
        self._telling = video.codec_context.codec.canonical_name in REPORTS_DAMAGE
        self._groups: list[list[Any]] = []
        self._configuration: Any = None

    def add(self, packet: Any) -> None:
        """Add the next packet."""
        if not self._telling:
            return
        if packet.has_sidedata("new_extradata"):
            # A joined part has decoder settings of its own, which stand in its first packet only.
            self._configuration, self._groups = packet.get_sidedata("new_extradata"), []
        if packet.is_keyframe:
            self._groups = [*self._groups[-1:], [packet]]
        elif self._groups:
            self._groups[-1].append(packet)
        if sum(map(len, self._groups)) > MOST_IN_GROUPS:
            self._groups = self._groups[1:] if len(self._groups[-1]) <= MOST_IN_GROUPS else []

    def end_damaged(self, limits: Limits) -> bool:
        """Decode the stored packets; return whether the last picture is incomplete."""
        packets = [packet for group in self._groups for packet in group]
        if len(packets) < 2:
            return False
        if self._configuration is not None:
            packets[0].set_sidedata(self._configuration)
        decoder = self._video.codec_context
        decoder.thread_type = "SLICE"
        if decoder.name == "h264":
            # With several threads, its decoder reports a missing piece of a picture by chance.
            decoder.thread_count = 1
        decoder.options = {"max_pixels": str(limits.max_pixels)}
        whole = 0
        try:
            for packet in (*packets, None):
                for picture in decoder.decode(packet):
                    limits.check_size(picture.width, picture.height)
                    whole += not picture.is_corrupt
                    # In H.264 without IDR pictures, the decoder flags every picture.
                    if picture.is_corrupt and picture.pts == packets[-1].pts:
                        return whole > 0 or decoder.name != "h264"
        except av.error.EOFError:
            return False
        except av.error.FFmpegError:
            return True
        return False
