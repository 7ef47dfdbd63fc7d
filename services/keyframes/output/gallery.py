"""Gallery: an HTML page with shots, scores and keyframes.

The page is one file that loads nothing and runs only its own script. It is built from the modules, style and markup in `page/`, from the
modules of `shared/timeline/`, and from the reports, which it contains as JSON.
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

from services.keyframes.detectors.table import DETECTORS
from services.keyframes.output.cutlists.frame_grid import FrameGrid
from services.keyframes.output.report import Keyframe, Scores, VideoReport
from services.keyframes.selection.shots import Shot
from shared.video.probing.timecode import counted_rate

PAGE = files("services.keyframes") / "page"
TIMELINE = files("shared.timeline")
TIMELINE_MODULES = ("once_per_frame.js", "timecode.js", "shots.js", "exports.js", "viewport.js", "timeline.js", "pointer.js")
MODULES = ("dom.js", *TIMELINE_MODULES, "data.js", "player.js", "keyframes.js", "cards.js", "app.js")
"""Modules of the script in order: a module comes after the modules it imports. The studio shares those of the timeline."""

MEDIA = '<meta name="reelwright-media" content="">'
"""Element into which `with_media` inserts the media ids."""

THUMBNAILS_BYTES = 24 * 1024**2
"""Maximum total size of full thumbnails in bytes. With more, all are shrunk to SMALL_WIDTH, so that the page opens quickly."""

MAX_THUMBNAILS = 6000
"""Maximum number of thumbnails per page. With more keyframes, only every second, third, ... keyframe has a thumbnail."""

SMALL_WIDTH = 168
"""Width in pixels of shrunk thumbnails."""

SCORES_BYTES = 24 * 1024**2
"""Maximum total size of scores in bytes. With more, each video keeps only the scores of its own method."""


def write_gallery(reports: Sequence[VideoReport], folder: Path, output: Path) -> None:
    """Write the gallery of all videos to the file `output`.

    `folder`: folder of the thumbnails that the keyframes name.
    """
    script, style = bundle(MODULES), _page_file("style.css")
    # Only inline code with these hashes runs. The clip is a local file (blob) or comes from the server of the page.
    policy = (
        f"default-src 'none'; script-src '{_csp_hash(script)}'; style-src '{_csp_hash(style)}'; img-src data: blob:; "
        "media-src 'self' blob:; base-uri 'none'; form-action 'none'"
    )
    names = ", ".join(report.name for report in reports)
    title = html.escape(f"{names if len(names) <= 120 else f'{len(reports)} videos'}: shots")
    parts = {"policy": [policy], "title": [title], "style": [style], "script": [script], "videos": _videos(reports, folder)}
    with output.open("w", encoding="utf-8") as page:
        # Split before filling in, so that markers within filled-in text stay text.
        for number, part in enumerate(re.split(r"\{\{(\w+)\}\}", _page_file("page.html"))):
            page.writelines(parts[part] if number % 2 else [part])


def bundle(modules: Sequence[str]) -> str:
    """Join the gallery's JavaScript modules into one script.

    The modules share one scope, so imports and exports are dropped.
    """
    lines = (line for name in modules for line in _page_file(name).splitlines() if not line.startswith("import "))
    return "\n".join(line.removeprefix("export ") for line in lines) + "\n"


def with_media(head: str, media: Sequence[str]) -> str:
    """Return a gallery's head with the media ids of its videos inserted.

    With the ids, the page plays the videos from the server. `head`: start of the page, with the element `MEDIA`.
    """
    return head.replace(MEDIA, f'<meta name="reelwright-media" content="{html.escape(" ".join(media))}">', 1)


def _videos(reports: Sequence[VideoReport], folder: Path) -> Iterator[str]:
    """Yield script elements with each video's JSON data.

    An element comes in several pieces.
    """
    thumbnails = [folder / keyframe.thumbnail for report in reports for keyframe in report.keyframes]
    shrink = sum(path.stat().st_size for path in thumbnails if path.exists()) > THUMBNAILS_BYTES
    step = -(-len(thumbnails) // MAX_THUMBNAILS) or 1
    samples = sum(len(report.scores.frames) * len(report.scores.values) for report in reports if report.scores)
    own_only = samples * 4 > SCORES_BYTES
    count = 0
    for report in reports:
        body = {"name": report.name, "error": _error_detail(report)} if report.error else _video_data(report, own_only)
        yield f'<script type="application/json" class="video">{_script_json(body)[:-1]}, "keyframes": ['
        for number, keyframe in enumerate(report.keyframes):
            picture = _thumbnail_url(folder / keyframe.thumbnail, shrink) if count % step == 0 else None
            yield ("," if number else "") + _script_json(_keyframe_data(keyframe) | {"picture": picture})
            count += 1
        yield "]}</script>\n"


def _video_data(report: VideoReport, own_only: bool) -> dict[str, Any]:
    grid = FrameGrid(report)
    candidates = report.candidates
    return {
        "name": report.name,
        "duration": report.duration_s,
        "rate": report.frame_rate,
        "varies": report.variable_frame_rate,
        "grid": {
            "rate": f"{grid.rate.numerator}/{grid.rate.denominator}",
            "whole": counted_rate(grid.rate),
            "start": grid.start.frame,
            "drop": grid.start.drop,
        },
        "width": report.width,
        "height": report.height,
        "frames": report.frames,
        "method": report.method,
        "threshold": report.threshold,
        "methods": {detector.name: {"label": detector.label, "threshold": detector.threshold} for detector in DETECTORS},
        "minShot": report.min_shot,
        "shots": [_shot_data(shot) for shot in report.shots],
        "candidates": None if candidates is None else [list(candidate.model_dump().values()) for candidate in candidates],
        "scores": None if report.scores is None else _scores_data(report.scores, report, own_only),
    }


def _shot_data(shot: Shot) -> list[Any]:
    """Convert a shot to the list that `data.js` reads."""
    span = [shot.start_frame, shot.end_frame, shot.start_s, shot.end_s]
    return [*span, shot.kind, shot.transition_start_frame, shot.transition_end_frame, shot.confidence]


def _scores_data(scores: Scores, report: VideoReport, own_only: bool) -> dict[str, Any]:
    """Encode scores as base64 of little-endian arrays.

    Frame numbers are left out if they count from 0 without gaps, times if they follow from the frame rate. `own_only`: leave out the
    scores of other detectors.
    """
    frames = np.asarray(scores.frames, "<u4")
    times = np.asarray(scores.times, "<f8")
    consecutive = np.array_equal(frames, np.arange(len(frames)))
    regular = not report.variable_frame_rate and np.allclose(times, frames / float(FrameGrid(report).rate), rtol=0, atol=1e-9)
    values = {name: values for name, values in scores.values.items() if not own_only or name == report.method}
    return {
        "count": len(frames),
        "frames": None if consecutive else _base64(frames.tobytes()),
        "times": None if regular else _base64(times.tobytes()),
        "values": {name: _base64(np.asarray(values, "<f4").tobytes()) for name, values in values.items()},
    }


def _keyframe_data(keyframe: Keyframe) -> dict[str, Any]:
    names = ("file", "frame", "shot", "score", "reasons", "like")
    return {name: getattr(keyframe, name) for name in names} | {"time": keyframe.timestamp_s}


def _thumbnail_url(path: Path, shrink: bool) -> str | None:
    """Return the thumbnail file `path` as a data URL.

    Returns None if it is missing.
    """
    if not path.exists():
        return None
    data = path.read_bytes()
    if shrink:
        with Image.open(path) as image:
            image.thumbnail((SMALL_WIDTH, SMALL_WIDTH))
            small = io.BytesIO()
            image.save(small, "JPEG", quality=70)
            data = small.getvalue()
    return f"data:image/jpeg;base64,{_base64(data)}"


def _error_detail(report: VideoReport) -> str:
    return str((report.error or {}).get("detail", ""))


def _script_json(body: dict[str, Any]) -> str:
    """Encode JSON so that its text cannot end the script element."""
    return json.dumps(body).replace("<", "\\u003c")


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _csp_hash(code: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(code.encode()).digest()).decode()}"


def _page_file(name: str) -> str:
    folder = TIMELINE if name in TIMELINE_MODULES else PAGE
    return (folder / name).read_text(encoding="utf-8")
