"""Lists of a video's shots for other programs."""

from collections.abc import Iterator
from pathlib import Path

from services.keyframes.output.cutlists.edl import edls
from services.keyframes.output.cutlists.finalcut import as_fcpxml
from services.keyframes.output.cutlists.frame_grid import Grid
from services.keyframes.output.cutlists.opentimeline import as_otio
from services.keyframes.output.cutlists.qpfile import as_qpfile
from services.keyframes.output.cutlists.tables import keyframes_csv, shots_csv
from services.keyframes.params import VideoReport


def write_files(report: VideoReport, folder: Path) -> None:
    """Write the report into `folder`, an existing folder of its own, which ends up in the output `files`."""
    for name, text in lists_of(report):
        # As it is: CSV has its own line ends.
        (folder / name).write_bytes(text.encode())


def lists_of(report: VideoReport) -> Iterator[tuple[str, str]]:
    """(file name, text) of every list."""
    grid = Grid(report)
    yield "report.json", report.model_dump_json(indent=1)
    yield "shots.csv", shots_csv(grid)
    yield "keyframes.csv", keyframes_csv(grid)
    for number, text in enumerate(edls(grid), 1):
        yield "shots.edl" if number == 1 else f"shots-{number}.edl", text
    yield "shots.otio", as_otio(grid)
    yield "shots.fcpxml", as_fcpxml(grid)
    yield "shots.qp", as_qpfile(report)
