"""Edit decision list (CMX3600) of a ramped clip.

Each piece of constant speed is one event. An M2 line gives the speed of each event in frames per second. Source times count from the
media's start timecode, record times from zero.
"""

from itertools import pairwise

from services.speed_ramp.curve.straight_pieces import FramePiece
from services.speed_ramp.handover.ramped_clip import RampedClip
from services.speed_ramp.handover.rates import EDL_HIGHEST
from shared.editing.fcpxml import plain
from shared.video.probing.timecode import Timecode

MOST_EVENTS = 999
"""Most events of a list, because event numbers have three digits. Of a longer curve, neighbouring pieces are joined."""


def as_edl(clip: RampedClip) -> str | None:
    """Return the edit decision list, or None for frame rates above EDL_HIGHEST."""
    if clip.rate > EDL_HIGHEST:
        return None
    pieces = clip.pieces
    while len(pieces) > MOST_EVENTS:
        pieces = _joined(pieces, float(clip.rate))
    source, record = clip.timeline_timecode, Timecode(0, clip.rate, clip.timeline_timecode.drop)
    last = max(int(clip.media_end * clip.rate + 1e-6), 1)
    channels = clip.info.audio[0].channels if clip.info.audio else 0
    tracks = ("V", "B")[channels] if channels < 2 else "AA/V"
    name = plain(clip.name)[:120]
    lines = [f"TITLE: {name[:60]}, ramped", f"FCM: {'DROP FRAME' if source.drop else 'NON-DROP FRAME'}", ""]
    for number, piece in enumerate(pieces, 1):
        first = min(round(piece.source * clip.rate), last - 1)
        end = min(max(first + round(piece.frames * piece.speed), first + 1), last)
        span = f"{source + first} {source + end} {record + piece.first} {record + (piece.first + piece.frames)}"
        lines += [
            f"{number:03}  AX       {tracks:<5} C        {span}",
            f"M2   AX       {piece.speed * float(clip.rate):05.1f}                {source + first}",
            f"* FROM CLIP NAME: {name}",
        ]
    return "\n".join(lines) + "\n"


def _joined(pieces: list[FramePiece], rate: float) -> list[FramePiece]:
    """Join pieces in pairs, halving their number."""
    joined = [
        FramePiece(
            first=a.first,
            frames=a.frames + b.frames,
            source=a.source,
            speed=max(b.source + b.speed * b.frames / rate - a.source, 0.0) * rate / (a.frames + b.frames),
        )
        for a, b in pairwise(pieces)
    ][::2]
    return joined if len(pieces) % 2 == 0 else [*joined, pieces[-1]]
