"""The page that shows what was found."""

import html
from collections.abc import Sequence
from pathlib import Path

from services.keyframes.params import VideoReport


def write_gallery(reports: Sequence[VideoReport], folder: Path, output: Path) -> None:
    """Write one self-contained page at `output`. Thumbnails lie in `folder` under the names that the reports' keyframes give."""
    rows = "".join(f"<h2>{html.escape(report.name)}</h2><p>{len(report.shots)} shots</p>" for report in reports)
    output.write_text(f"<!doctype html><meta charset=utf-8><title>Keyframes</title>{rows}")
