"""Detection of bytes that are missing within packets or between them."""

import os
import re
from typing import Any

from shared.video.reading.containers.following_files import FollowingFiles, following_files
from shared.video.reading.decoding.block_chain import BlockChain
from shared.video.reading.decoding.ffv1_checksums import SliceChecksums

_ROW = bytes(32)
_ZEROS = re.compile(rb"(?<!\0)\0{32,}+(?=[^\0\1])")
"""Matches a long row of zeros that no start code ends."""
_MARKED = frozenset({"h264", "hevc", "mpeg1video", "mpeg2video", "mpeg4"})
"""Codecs with start codes. Three zero bytes occur only before a start code (ITU-T H.264, 7.4.1; ISO/IEC 13818-2, 6.2.1)."""


_RANGE_CODED = frozenset({"vp8", "vp9", "av1", "ffv1"})
"""Codecs whose coders write no row of zeros. Only padding at a packet's end has one."""
_LONG_ROW = bytes(64)


class DamagedPackets:
    """Check of the packets of an open file's main video for lost bytes.

    A damaged disk or a broken download leaves zeros, or leaves bytes out. The decoder does not report all of them: it decodes zeros as
    a picture, and goes on behind lost packets without the pictures that it refers to.
    """

    def __init__(self, container: Any, stream: Any, path: str | os.PathLike[str]) -> None:
        codec = stream.codec_context.codec.canonical_name
        self._marked, self._range_coded = codec in _MARKED, codec in _RANGE_CODED
        self._checksums = SliceChecksums() if codec == "ffv1" else None
        alone = container.format.name.startswith("matroska") and following_files(path, "matroska") == FollowingFiles()
        self._chain = BlockChain(path) if alone else None

    def holds(self, packet: Any) -> bool:
        """Return whether bytes are missing in the next packet, or before it."""
        broken = self._chain is not None and self._chain.broken(packet)
        if broken or not (self._marked or self._range_coded):
            return broken
        data = bytes(packet)
        if self._checksums is not None and self._checksums.wrong(data):
            return True
        return _holds_zeros(data) if self._marked else _LONG_ROW in data.rstrip(b"\0")


def _holds_zeros(data: bytes) -> bool:
    """Return whether a packet's bytes hold zeros that no coder writes.

    The first search is a hundred times as fast as the second.
    """
    return _ROW in data and _ZEROS.search(data) is not None
