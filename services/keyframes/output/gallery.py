"""One self-contained page that shows what was found: nothing is loaded from anywhere, and nothing runs in it but its own script.

The page's parts lie in page/ as they are written: modules, style, markup. Here they become one file; what was found goes in as data.
"""

import base64
import hashlib
import html
import io
import json
import re
from collections.abc import Iterator, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from services.keyframes.output.cutlists.frame_grid import Grid
from services.keyframes.params import DEFAULT_THRESHOLDS, Keyframe, Scores, Shot, VideoReport
from shared.video.timecode import counted

PAGE = files("services.keyframes") / "page"
MODULES = (
    "dom.js",
    "timecode.js",
    "rule.js",
    "lists.js",
    "data.js",
    "view.js",
    "timeline.js",
    "hands.js",
    "player.js",
    "keyframes.js",
    "cards.js",
    "app.js",
)
"""In the order of their imports."""

MEDIA = '<meta name="reelwright-media" content="">'
"""Where `served` says from which media the clips can be played."""

PICTURES_BYTES = 24 * 1024**2
"""More than this of thumbnails, and they are made smaller; a page that takes long to open is no help."""

MOST_PICTURES = 6000
SMALL_WIDTH = 168

CURVES_BYTES = 24 * 1024**2
"""More than this of scores, and each video has only those that its shots were found with."""


def write_gallery(reports: Sequence[VideoReport], folder: Path, output: Path) -> None:
    """Write one self-contained page at `output`. Thumbnails lie in `folder` under the names that the reports' keyframes give."""
    script, style = bundle(MODULES), _text("style.css")
    # Inline code runs by its hash alone. Pictures are in the page; the clip is a file of the user's, or comes from where the page does.
    policy = (
        f"default-src 'none'; script-src '{_hash(script)}'; style-src '{_hash(style)}'; img-src data: blob:; media-src 'self' blob:; "
        "base-uri 'none'; form-action 'none'"
    )
    names = ", ".join(report.name for report in reports)
    title = html.escape(f"{names if len(names) <= 120 else f'{len(reports)} videos'}: shots")
    filled = {"policy": [policy], "title": [title], "style": [style], "script": [script], "videos": _videos(reports, folder)}
    with output.open("w", encoding="utf-8") as page:
        # Divided first, filled then: what is filled in is never looked at again.
        for number, part in enumerate(re.split(r"\{\{(\w+)\}\}", _text("page.html"))):
            page.writelines(filled[part] if number % 2 else [part])


def bundle(modules: Sequence[str]) -> str:
    """Modules of page/ as one script: they share one scope, so imports fall away."""
    lines = (line for name in modules for line in _text(name).splitlines() if not line.startswith("import "))
    return "\n".join(line.removeprefix("export ") for line in lines) + "\n"


def served(head: str, media: Sequence[str]) -> str:
    """The beginning of a page, so changed that its videos are played from the suite's `media` (ids, in the page's order)."""
    return head.replace(MEDIA, f'<meta name="reelwright-media" content="{html.escape(" ".join(media))}">', 1)


def _videos(reports: Sequence[VideoReport], folder: Path) -> Iterator[str]:
    pictures = [folder / one.thumbnail for report in reports for one in report.keyframes]
    small = sum(path.stat().st_size for path in pictures if path.exists()) > PICTURES_BYTES
    every = -(-len(pictures) // MOST_PICTURES) or 1
    samples = sum(len(report.scores.frames) * len(report.scores.values) for report in reports if report.scores)
    own_only = samples * 4 > CURVES_BYTES
    count = 0
    for report in reports:
        body = {"name": report.name, "error": _problem(report)} if report.error else _facts(report, own_only)
        yield f'<script type="application/json" class="video">{_safe(body)[:-1]}, "keyframes": ['
        for number, one in enumerate(report.keyframes):
            picture = _picture(folder / one.thumbnail, small) if count % every == 0 else None
            yield ("," if number else "") + _safe(_keyframe(one) | {"picture": picture})
            count += 1
        yield "]}</script>\n"


def _facts(report: VideoReport, own_only: bool) -> dict[str, Any]:
    grid = Grid(report)
    shots = [[*_span(one), one.kind, one.transition_start_frame, one.transition_end_frame, one.confidence] for one in report.shots]
    return {
        "name": report.name,
        "duration": report.duration_s,
        "rate": report.frame_rate,
        "varies": report.variable_frame_rate,
        "grid": {
            "rate": f"{grid.rate.numerator}/{grid.rate.denominator}",
            "whole": counted(grid.rate),
            "start": grid.start.frame,
            "drop": grid.start.drop,
        },
        "width": report.width,
        "height": report.height,
        "frames": report.frames,
        "method": report.method,
        "threshold": report.threshold,
        "thresholds": DEFAULT_THRESHOLDS,
        "minShot": report.min_shot,
        "shots": shots,
        "candidates": None if report.candidates is None else [list(one.model_dump().values()) for one in report.candidates],
        "scores": None if report.scores is None else _scores(report.scores, report, own_only),
    }


def _scores(scores: Scores, report: VideoReport, own_only: bool) -> dict[str, Any]:
    """Scores as base64 of little-endian arrays; frames and times only where they do not follow from the count and the rate."""
    frames = np.asarray(scores.frames, "<u4")
    times = np.asarray(scores.times, "<f8")
    counted_up = np.array_equal(frames, np.arange(len(frames)))
    even = not report.variable_frame_rate and np.allclose(times, frames / float(Grid(report).rate), rtol=0, atol=1e-9)
    chosen = {name: values for name, values in scores.values.items() if not own_only or name == report.method}
    return {
        "count": len(frames),
        "frames": None if counted_up else _base64(frames.tobytes()),
        "times": None if even else _base64(times.tobytes()),
        "values": {name: _base64(np.asarray(values, "<f4").tobytes()) for name, values in chosen.items()},
    }


def _span(shot: Shot) -> tuple[int, int, float, float]:
    return shot.start_frame, shot.end_frame, shot.start_s, shot.end_s


def _keyframe(one: Keyframe) -> dict[str, Any]:
    return {name: getattr(one, name) for name in ("file", "frame", "shot", "score", "reasons", "like")} | {"time": one.timestamp_s}


def _picture(path: Path, small: bool) -> str | None:
    """A thumbnail as a data URL."""
    if not path.exists():
        return None
    data = path.read_bytes()
    if small:
        with Image.open(path) as image:
            image.thumbnail((SMALL_WIDTH, SMALL_WIDTH))
            made = io.BytesIO()
            image.save(made, "JPEG", quality=70)
            data = made.getvalue()
    return f"data:image/jpeg;base64,{_base64(data)}"


def _problem(report: VideoReport) -> str:
    return str((report.error or {}).get("detail", ""))


def _safe(body: dict[str, Any]) -> str:
    """JSON that does not end the script element it stands in, whatever the names in it are."""
    return json.dumps(body).replace("<", "\\u003c")


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _hash(code: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(code.encode()).digest()).decode()}"


def _text(name: str) -> str:
    return (PAGE / name).read_text(encoding="utf-8")
