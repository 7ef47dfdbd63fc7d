"""Shots and keyframes as CSV tables (RFC 4180, UTF-8)."""

import csv
import io
from collections.abc import Sequence

from services.keyframes.output.cutlists.frame_grid import FrameGrid

Row = Sequence[object]


def shots_csv(grid: FrameGrid) -> str:
    """Return a CSV table of the shots."""
    first_keyframes = {keyframe.shot: keyframe for keyframe in reversed(grid.report.keyframes)}
    rows: list[Row] = [
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
            first_keyframes[shot.index].file if shot.index in first_keyframes else "",
        ]
        for shot in grid.report.shots
    ]
    header = "shot kind start_frame end_frame start_s end_s duration_s start_timecode end_timecode transition_start_frame"
    return _table([*header.split(), "transition_end_frame", "confidence", "keyframe"], rows)


def keyframes_csv(grid: FrameGrid) -> str:
    """Return a CSV table of the keyframes."""
    rows: list[Row] = [
        [
            keyframe.file,
            keyframe.shot + 1,
            keyframe.frame,
            _seconds(keyframe.timestamp_s),
            grid.timecode(grid.at(keyframe.frame, keyframe.timestamp_s)),
            keyframe.score,
            keyframe.sharpness,
            keyframe.exposure,
            keyframe.typical,
            keyframe.stillness,
            "; ".join(keyframe.reasons),
        ]
        for keyframe in grid.report.keyframes
    ]
    header = "file shot frame timestamp_s timecode score sharpness exposure typical stillness reasons"
    return _table(header.split(), rows)


def _table(header: list[str], rows: Sequence[Row]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows([header, *rows])
    return text.getvalue()


def _seconds(value: float) -> str:
    return f"{value:.6f}"
