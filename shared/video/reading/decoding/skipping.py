"""Choice of the packets and pictures that need not be decoded."""

from bisect import bisect_right
from collections.abc import Sequence
from typing import Any, Literal

from shared.video.reading.decoding.packet_sizes import PacketSizes
from shared.video.reading.decoding.picture_times import PictureTimes
from shared.video.reading.decoding.seek_target import SeekTarget

Skip = Literal["none", "nonref", "nonkey", "steady", "rough"]


class Skipping:
    """A choice of packets and pictures that a decoder leaves out.

    `skip`, `keys_only`: as in `read_frames`.
    """

    def __init__(self, decoder: Any, times: PictureTimes, skip: Skip, keys_only: Sequence[tuple[int, int]]) -> None:
        self._decoder = decoder
        self._times = times
        self._sizes = PacketSizes() if skip in ("steady", "rough") else None
        self._skip: Skip = "nonref" if self._sizes else skip
        self._set(self._skip)
        self._keys_only = keys_only
        self._key_ends = [end for _, end in keys_only]
        self.first_key: int | None = None
        """Time of the earliest keyframe to decode, in units of the times' `base`.

        None: decode every keyframe. It becomes None when the first keyframe is decoded.
        """
        self.latest_time = -1
        """Latest time of a packet prepared for a SeekTarget.

        Since the last seek, in units of the times' `base`; -1 for none.
        """
        self.started = False
        """Whether a picture came out of the decoder."""

    def leaves_out(self, packet: Any) -> bool:
        """Return whether to leave a packet out of decoding.

        Left out are packets before the keyframe at or after `first_key`, and in the spans of `keys_only` all but keyframes.
        """
        offset = self._times.offset
        if self.first_key is not None and packet.size:
            first = (self.first_key + offset) * self._times.base
            if not packet.is_keyframe or packet.pts is None or packet.pts * self._times.stream_base < first:
                return True
            self.first_key = None
        if not self._keys_only or packet.is_keyframe or packet.pts is None:
            return False
        pts = packet.pts - offset
        place = bisect_right(self._key_ends, pts)
        return place < len(self._keys_only) and bool(self._keys_only[place][0] <= pts)

    def prepare(self, packet: Any) -> None:
        """Let the decoder decode or skip the picture of `packet`."""
        if self._sizes is not None:
            self._set("none" if self._sizes.unusual(packet.pts, packet.size, packet.is_keyframe) else "nonref")

    def prepare_for(self, aim: SeekTarget, packet: Any, *, all_pictures: bool) -> None:
        """Decide whether the decoder may skip the picture of `packet`; update `aim.nearest`.

        `all_pictures`: pictures depend on their neighbours, so none is skipped for `aim`.
        """
        if self._times.by_order or all_pictures or packet.pts is None:
            self._set(self._skip)
            aim.nearest = None
            return
        pts = int(packet.pts - self._times.offset)
        self.latest_time = max(self.latest_time, pts)
        self._set("nonref" if self._skip == "none" and self.started and pts < aim.target else self._skip)
        if pts < aim.target or self._skip == "nonref" or (self._skip == "nonkey" and not packet.is_keyframe):
            return
        aim.nearest = pts if aim.nearest is None else min(pts, aim.nearest)

    def _set(self, skip: Skip) -> None:
        name = {"none": "DEFAULT"}.get(skip, skip.upper())
        if self._decoder.skip_frame != name:
            self._decoder.skip_frame = name
