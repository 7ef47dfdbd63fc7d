"""keyframes.detect on real files: what it writes is opened and looked at."""

import zipfile
from io import BytesIO
from pathlib import Path

from PIL import Image

from services.keyframes.detect import detect
from services.keyframes.params import DetectParams


def outputs_in(folder: Path) -> dict[str, Path]:
    return {"gallery": folder / "gallery.html", "keyframes": folder / "keyframes.zip", "files": folder / "files.zip"}


def test_shots_cover_the_clip_and_each_has_a_keyframe_in_full_size(clip, tmp_path):
    outputs = outputs_in(tmp_path)
    (report,) = detect(DetectParams(), video=clip, outputs=outputs).videos
    edges = [shot.start_frame for shot in report.shots] + [report.shots[-1].end_frame]
    assert edges[0] == 0 and edges[-1] == report.frames == 180 and edges == sorted(edges)
    assert [keyframe.shot for keyframe in report.keyframes] == [shot.index for shot in report.shots]
    with zipfile.ZipFile(outputs["keyframes"]) as archive:
        assert archive.namelist() == [keyframe.file for keyframe in report.keyframes]
        assert {Image.open(BytesIO(archive.read(name))).size for name in archive.namelist()} == {(640, 360)}
