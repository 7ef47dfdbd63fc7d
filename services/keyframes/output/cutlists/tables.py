"""The shots and the keyframes as tables (RFC 4180, UTF-8)."""

import csv
import io
from collections.abc import Iterable

from services.keyframes.output.cutlists.frame_grid import Grid


def shots_csv(grid: Grid) -> str:
    """One line a shot: its exact frames, seconds and timecodes, how it begins, and its first keyframe."""
    first = {one.shot: one for one in reversed(grid.report.keyframes)}
    rows = [
        [
            shot.index + 1,
            shot.kind,
            shot.start_frame,
            shot.end_frame,
            _seconds(shot.start_s),
            _seconds(shot.end_s),
            _seconds(shot.end_s - shot.start_s),
            grid.timecode(grid.at(shot.start_frame, shot.start_s)),
            grid.timecode(grid.at(shot.end_frame, shot.end_s)),
            shot.transition_start_frame,
            shot.transition_end_frame,
            shot.confidence,
            first[shot.index].file if shot.index in first else "",
        ]
        for shot in grid.report.shots
    ]
    head = "shot kind start_frame end_frame start_s end_s duration_s start_timecode end_timecode transition_start_frame"
    return _table([*head.split(), "transition_end_frame", "confidence", "keyframe"], rows)


def keyframes_csv(grid: Grid) -> str:
    """One line a keyframe: where it is, how good it is and why it was chosen."""
    rows = [
        [
            one.file,
            one.shot + 1,
            one.frame,
            _seconds(one.timestamp_s),
            grid.timecode(grid.at(one.frame, one.timestamp_s)),
            one.score,
            one.sharpness,
            one.exposure,
            one.typical,
            one.stillness,
            "; ".join(one.reasons),
        ]
        for one in grid.report.keyframes
    ]
    head = "file shot frame timestamp_s timecode score sharpness exposure typical stillness reasons"
    return _table(head.split(), rows)


def _table(head: list[str], rows: Iterable[list[object]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows([head, *rows])
    return text.getvalue()


def _seconds(value: float) -> str:
    return f"{value:.6f}"
