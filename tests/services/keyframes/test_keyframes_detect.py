"""`keyframes.detect` on real files, with its outputs opened."""

import subprocess
import zipfile
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from services.keyframes.detect import DetectParams, detect
from services.keyframes.detectors.table import DETECTORS
from shared.video import ffmpeg_path


def outputs_in(folder: Path) -> dict[str, Path]:
    return {"gallery": folder / "gallery.html", "keyframes": folder / "keyframes.zip", "files": folder / "files.zip"}


def test_choices_defaults_and_descriptions_come_from_the_table_of_detectors():
    fields = DetectParams.model_json_schema()["properties"]
    assert fields["method"]["enum"] == [detector.name for detector in DETECTORS]
    for detector in DETECTORS:
        assert DetectParams(method=detector.name).effective_threshold == detector.threshold
        assert 0 < detector.threshold < detector.highest
        assert f"`{detector.name}`: {detector.description}." in fields["method"]["description"]
        assert f"`{detector.name}` {detector.threshold:g} of {detector.highest:g}" in fields["threshold"]["description"]


def test_shots_cover_the_clip_and_each_has_a_keyframe_in_full_size(clip, tmp_path):
    outputs = outputs_in(tmp_path)
    (report,) = detect(DetectParams(), video=clip, outputs=outputs).videos
    edges = [shot.start_frame for shot in report.shots] + [report.shots[-1].end_frame]
    assert edges[0] == 0
    assert edges[-1] == report.frames == 180
    assert edges == sorted(edges)
    assert [keyframe.shot for keyframe in report.keyframes] == [shot.index for shot in report.shots]
    with zipfile.ZipFile(outputs["keyframes"]) as archive:
        assert archive.namelist() == [keyframe.file for keyframe in report.keyframes]
        assert {Image.open(BytesIO(archive.read(name))).size for name in archive.namelist()} == {(640, 360)}


# BT.709 to HDR with a given transfer curve, with white at 203 nits as in BT.2408.
TO_HDR = (
    "format=gbrp,zscale=min=gbr:tin=bt709:pin=bt709:rin=pc:m=gbr:t=linear:p=bt709:npl=203,format=gbrpf32le,"
    "zscale=min=gbr:tin=linear:pin=bt709:m=bt2020nc:t={curve}:p=bt2020:r=tv:npl=203,format=yuv420p10le"
)


@pytest.mark.parametrize("curve", ["smpte2084", "arib-std-b67"])
def test_keyframes_of_hdr_look_like_the_sdr_original(curve, tmp_path):
    rows, columns = np.mgrid[0:96, 0:160]
    drawn = np.stack([40 + columns, 60 + rows, np.full_like(rows, 90)], axis=-1).clip(0, 255).astype(np.uint8)
    Image.fromarray(drawn).save(tmp_path / "drawn.png")
    tags = ["-color_primaries", "bt2020", "-color_trc", curve, "-colorspace", "bt2020nc"]
    looped = ["-loop", "1", "-t", "0.4", "-i", str(tmp_path / "drawn.png"), "-vf", TO_HDR.format(curve=curve)]
    command = [ffmpeg_path(), "-v", "error", *looped, "-c:v", "libx264", "-crf", "10", *tags, str(tmp_path / "hdr.mp4")]
    subprocess.run(command, check=True)
    outputs = outputs_in(tmp_path)
    (report,) = detect(DetectParams(format="png"), video=tmp_path / "hdr.mp4", outputs=outputs).videos
    with zipfile.ZipFile(outputs["keyframes"]) as archive:
        shown = np.asarray(Image.open(BytesIO(archive.read(report.keyframes[0].file))).convert("RGB")).astype(int)
    assert np.abs(shown - drawn).mean() < 12, "PQ shown without conversion would be gray, and much darker in its light parts"
    assert np.corrcoef(shown.ravel(), drawn.ravel())[0, 1] > 0.98
