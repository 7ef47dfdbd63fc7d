"""Shots as an edit decision list (CMX3600).

The list covers the whole source in order. Source and record times are equal and count from the start timecode. Editing programs use such
a list to cut a finished film into its shots. The kind of each transition is only a comment: a dissolve is already in the picture, and an
editing program must not apply a second one.
"""

from services.keyframes.output.cutlists.frame_grid import Event, FrameGrid
from shared.editing.fcpxml import plain

MAX_EVENTS = 999
"""Maximum number of events per list: event numbers have three digits."""


def edls(grid: FrameGrid) -> list[str]:
    """Return the shots as one or more edit decision lists.

    Each has up to MAX_EVENTS events.
    """
    parts = [grid.events[start : start + MAX_EVENTS] for start in range(0, max(len(grid.events), 1), MAX_EVENTS)]
    titles = [
        plain(grid.report.name)[:60] + (f" {number} of {len(parts)}" if len(parts) > 1 else "") for number in range(1, len(parts) + 1)
    ]
    return [_edl(grid, title, events) for title, events in zip(titles, parts, strict=True)]


def _edl(grid: FrameGrid, title: str, events: tuple[Event, ...]) -> str:
    lines = [f"TITLE: {title}", f"FCM: {'DROP FRAME' if grid.start.drop else 'NON-DROP FRAME'}", ""]
    for number, event in enumerate(events, 1):
        span = f"{grid.timecode(event.start)} {grid.timecode(event.end)}"
        lines += [f"{number:03}  AX       V     C        {span} {span}", f"* FROM CLIP NAME: {plain(grid.report.name)[:120]}"]
        if event.shot.kind not in ("start", "cut"):
            frames = event.shot.transition_end_frame - event.shot.transition_start_frame
            lines.append(f"* COMMENT: BEGINS WITH A {event.shot.kind.upper()} OF {frames} FRAMES")
        lines += [f"* LOC: {grid.timecode(frame)} YELLOW  KEYFRAME {keyframe.file}" for frame, keyframe in event.keyframes]
    return "\n".join(lines) + "\n"
