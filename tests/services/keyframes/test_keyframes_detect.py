"""keyframes.detect on real files: what it writes is opened and looked at."""

import zipfile
from io import BytesIO
from pathlib import Path

from PIL import Image

from services.keyframes.detect import detect
from services.keyframes.params import DetectParams


def outputs_in(folder: Path) -> dict[str, Path]:
    return {"gallery": folder / "gallery.html", "keyframes": folder / "keyframes.zip", "files": folder / "files.zip"}


def test_a_clip_without_a_cut_is_one_shot_with_one_keyframe(clip, tmp_path):
    outputs = outputs_in(tmp_path)
    (report,) = detect(DetectParams(), video=clip, outputs=outputs).videos
    assert [(shot.start_frame, shot.end_frame, shot.kind) for shot in report.shots] == [(0, 180, "start")]
    (keyframe,) = report.keyframes
    with zipfile.ZipFile(outputs["keyframes"]) as archive:
        assert archive.namelist() == [keyframe.file]
        assert Image.open(BytesIO(archive.read(keyframe.file))).size == (640, 360)
