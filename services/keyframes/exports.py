"""Lists of a video's shots for other programs."""

from pathlib import Path

from services.keyframes.params import VideoReport


def write_files(report: VideoReport, folder: Path) -> None:
    """Write the report into `folder`, an existing folder of its own, which ends up in the output `files`."""
    (folder / "report.json").write_text(report.model_dump_json(indent=1))
