"""Export of shots and keyframes for other programs."""

from collections.abc import Iterator
from pathlib import Path

from services.keyframes.output.cutlists.edl import edls
from services.keyframes.output.cutlists.finalcut import fcpxml
from services.keyframes.output.cutlists.frame_grid import FrameGrid
from services.keyframes.output.cutlists.opentimeline import otio_json
from services.keyframes.output.cutlists.qpfile import qpfile
from services.keyframes.output.cutlists.tables import keyframes_csv, shots_csv
from services.keyframes.output.report import VideoReport


def write_lists(report: VideoReport, folder: Path) -> None:
    """Write the report, tables and cut lists of a video into an existing folder."""
    for name, text in lists_of(report):
        # Written as bytes, because line endings are part of each format.
        (folder / name).write_bytes(text.encode())


def lists_of(report: VideoReport) -> Iterator[tuple[str, str]]:
    """Yield name and text of the report, each table and cut list."""
    grid = FrameGrid(report)
    yield "report.json", report.model_dump_json(indent=1)
    yield "shots.csv", shots_csv(grid)
    yield "keyframes.csv", keyframes_csv(grid)
    for number, text in enumerate(edls(grid), 1):
        yield "shots.edl" if number == 1 else f"shots-{number}.edl", text
    yield "shots.otio", otio_json(grid)
    yield "shots.fcpxml", fcpxml(grid)
    yield "shots.qp", qpfile(report)
