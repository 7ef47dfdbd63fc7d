"""Parts of a file: stretches of packets between jumps of the clock."""

from typing import Any

from shared.video.reading.times.track_packets import TrackPackets

_BACK_S = {True: 0.1, False: 1.0}
"""Minimum seconds by which decoding times go back at a restart. True: for formats whose clocks may jump; False: for others."""
_JITTER_S = 0.001
"""Maximum seconds by which rounded times of sound go back without a restart."""
_AHEAD_S = 10.0
"""Minimum length in seconds of a jump ahead; shorter ones are gaps. The limit is that of the ffmpeg program."""


class ClockParts:
    """The parts of a file, found packet by packet.

    `tracks`: by stream index. `jumpy`: the format allows clocks to jump.
    """

    def __init__(self, tracks: dict[int, TrackPackets], *, jumpy: bool) -> None:
        self._tracks, self._jumpy = tracks, jumpy
        self._begins = [0.0]
        self._first_of_file = 0
        self._overlaps: set[int] = set()

    def begin_file(self, at: float, main: TrackPackets) -> None:
        """Begin a part with the next file of a joined file.

        `at`: time of the file's first packet, in seconds. No part begins if the next file's clock continues that of the file before.
        """
        if main.last is None or not main.last < at < main.last + _AHEAD_S:
            self._begins.append(at)
            self._first_of_file = len(self._begins) - 1

    def part_of(self, packet: Any, track: TrackPackets, at: float) -> int:
        """Return the part of a track's next packet. A jump begins a part.

        `at`: the packet's time in seconds. The track then counts the packet as its latest.
        """
        part = track.part
        # Without a decoding time, a reordered picture says nothing about the clock.
        dated = packet.dts is not None or packet.is_keyframe
        display_time = None if packet.pts is None or track.kind != "video" else float(packet.pts * track.base)
        early = packet.is_keyframe and display_time is not None and display_time <= track.shown
        if track.kind not in ("video", "audio") or track.last is None or part < self._first_of_file:
            part = len(self._begins) - 1
        else:
            jumps = self._jumps(track, track.last, at, dated=dated)
            if jumps or early or (track.kind == "audio" and at < track.last - _JITTER_S):
                part = len(self._begins) - 1
                if part == track.part or abs(at - self._begins[part]) > _AHEAD_S / 2:
                    self._begins.append(at)
                    part += 1
                    self._overlaps.add(part)
                if jumps:
                    self._overlaps.discard(part)
        if display_time is not None:
            track.shown = display_time if part != track.part else max(track.shown, display_time)
        track.last = at if dated or track.last is None else track.last
        return part

    def drop_jitter(self) -> None:
        """Merge parts whose clock hardly goes back, each into the preceding part.

        "Hardly" means: by less than a jump, and not in all tracks. Between the files of a joined file, the clocks of all tracks go back.
        """
        tracks = list(self._tracks.values())
        sounding = [track for track in tracks if track.kind in ("video", "audio") and track.count]
        for number in sorted(self._overlaps):
            if any(track.clock.part(number) is None for track in sounding):
                for track in tracks:
                    track.clock.unite(number)

    def _jumps(self, track: TrackPackets, last: float, at: float, *, dated: bool) -> bool:
        """Return whether a track's clock jumps from the time `last` to `at`.

        A jump goes back, or ahead together with the other tracks. While another track goes on through a gap, a standing picture or a pause
        in the sound fills it.
        """
        if at < last - _BACK_S[self._jumpy]:
            return dated
        if not self._jumpy or at < last + _AHEAD_S:
            return False
        middle = (last + at) / 2
        others = [
            other for other in self._tracks.values() if other is not track and other.kind in ("video", "audio") and other.last is not None
        ]
        return not any(other.part == track.part and other.last is not None and middle < other.last < at + _AHEAD_S for other in others)
