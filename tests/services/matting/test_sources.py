"""`matting.matte` on camera files: rotated and HDR."""

import numpy as np
import pytest

from shared.video import ColorInfo, probe, read_frames
from tests.services.matting.matte_clips import HEIGHT, WIDTH, alphas, disc, iou, picture, run, write_clip
from tests.shared.video.video_clips import turned
from tests.warning_log import WarningLog

PQ = ColorInfo(primaries="bt2020", transfer="smpte2084", matrix="bt2020nc", range="tv")
RED_FINDER = {"backend": "rmbg2", "steadiness": 0}


@pytest.mark.usefixtures("models")
@pytest.mark.parametrize(("degrees", "turns"), [(90, 1), (180, 2), (270, 3)])
def test_a_rotated_clip_gives_upright_mattes(tmp_path, degrees, turns):
    clip = turned(write_clip(tmp_path / "clip.mp4", [picture([(60, 50)])] * 3), degrees)
    result = run(tmp_path, clip, composite_over="#0000ff", foreground="straight", **RED_FINDER)
    upright = (WIDTH, HEIGHT) if degrees == 180 else (HEIGHT, WIDTH)
    assert (result.width, result.height) == upright
    for name in ("alpha", "composite", "foreground"):
        info = probe(tmp_path / f"{name}.mp4")
        assert (info.rotation, info.width, info.height) == (0, *upright)
    truth = np.rot90(disc(60, 50), turns)
    assert all(iou(alpha, truth) > 0.85 for alpha in alphas(tmp_path / "alpha.mp4"))
    with read_frames(tmp_path / "composite.mp4") as frames:
        composite = next(frames).rgb().astype(int)
    assert composite[truth][:, 0].mean() > 180
    assert composite[~truth][:, 2].mean() > 230


@pytest.mark.usefixtures("models")
def test_points_are_in_the_upright_picture(tmp_path):
    clip = turned(write_clip(tmp_path / "clip.mp4", [picture([(60, 50), (250, 120)])] * 3), 90)
    run(tmp_path, clip, subject="point", points=[(50, WIDTH - 60, 1)], composite_over="none", **RED_FINDER)
    assert iou(alphas(tmp_path / "alpha.mp4")[-1], np.rot90(disc(60, 50))) > 0.85


@pytest.mark.usefixtures("models")
def test_an_hdr_clip_is_tone_mapped_with_a_warning(tmp_path):
    pictures = [picture([(60 + 3 * number, 90)]) for number in range(3)]
    clip = write_clip(tmp_path / "hdr.mp4", pictures, pixel_format="yuv420p10le", color=PQ)
    progress = WarningLog()
    run(tmp_path, clip, progress, composite_over="#0000ff", **RED_FINDER)
    assert any("tone-mapped" in warning for warning in progress.warnings)
    for number, alpha in enumerate(alphas(tmp_path / "alpha.mp4")):
        # The edge's mixed colours are darker in PQ: less of it is red.
        assert iou(alpha, disc(60 + 3 * number, 90)) > 0.75
    info = probe(tmp_path / "composite.mp4")
    assert (info.color.transfer, info.pixel_format) == ("bt709", "yuv420p")
