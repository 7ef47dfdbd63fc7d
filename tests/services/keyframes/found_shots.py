"""Shots that `keyframes.detect` finds in a clip."""

from pathlib import Path

from services.keyframes.detect import DetectParams, detect
from shared.operation import Progress, Silent


def shots_of(path: Path, folder: Path, *, progress: Progress | None = None, **params: object) -> list[tuple[int, str]]:
    """Return first frame and kind of each shot after a clip's first shot.

    `folder`: folder for the outputs. `params`: those of `keyframes.detect`.
    """
    outputs = {"gallery": folder / "gallery.html", "keyframes": folder / "keyframes.zip", "files": folder / "files.zip"}
    (report,) = detect(DetectParams.model_validate(params), video=path, outputs=outputs, progress=progress or Silent()).videos
    return [(shot.start_frame, shot.kind) for shot in report.shots[1:]]
