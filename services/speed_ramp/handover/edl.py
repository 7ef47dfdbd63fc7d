"""Edit decision list (CMX3600) of a ramped clip.

Each piece of constant speed is one event. An M2 line gives the speed of each event in frames per second. Source times count from the
media's start timecode, record times from zero.
"""

from services.speed_ramp.curve.straight_pieces import FramePiece
from services.speed_ramp.handover.ramped_clip import RampedClip
from services.speed_ramp.handover.rates import EDL_HIGHEST
from shared.editing.fcpxml import plain
from shared.video.probing.timecode import Timecode

MAX_EVENTS = 999
"""Maximum number of events in a list: event numbers have three digits. If a curve has more pieces, neighbouring ones are joined, freezes
last."""
_STILL = 1e-6
"""Speed below which a piece is a freeze."""


def as_edl(clip: RampedClip) -> str | None:
    """Return the edit decision list, or None for frame rates above EDL_HIGHEST."""
    if clip.rate > EDL_HIGHEST:
        return None
    pieces = clip.pieces
    while len(pieces) > MAX_EVENTS:
        joined = _joined(pieces, float(clip.rate), freezes_too=False)
        pieces = joined if len(joined) < len(pieces) else _joined(pieces, float(clip.rate), freezes_too=True)
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


def loss_warning(clip: RampedClip) -> str | None:
    """Return a warning if the list is less exact than the curve.

    A list has a limited number of events. Returns None if they are enough.
    """
    count = len(clip.pieces)
    if clip.rate > EDL_HIGHEST or count <= MAX_EVENTS:
        return None
    return (
        f"curve.edl follows the curve more coarsely than the other files: it holds {MAX_EVENTS} events, and the curve has {count} pieces."
    )


def _joined(pieces: list[FramePiece], rate: float, *, freezes_too: bool) -> list[FramePiece]:
    """Join neighbouring pieces in pairs.

    `freezes_too`: whether freezes are joined too. A joined freeze becomes a slow piece.
    """
    joined: list[FramePiece] = []
    rest = iter(pieces)
    for a in rest:
        b = next(rest, None)
        while b is not None and not freezes_too and min(a.speed, b.speed) < _STILL:
            joined.append(a)
            a, b = b, next(rest, None)
        if b is None:
            joined.append(a)
            break
        frames = a.frames + b.frames
        speed = max(b.source + b.speed * b.frames / rate - a.source, 0.0) * rate / frames
        joined.append(FramePiece(first=a.first, frames=frames, source=a.source, speed=speed))
    return joined
