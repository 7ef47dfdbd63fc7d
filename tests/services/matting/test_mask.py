"""matting.mask: by SAM where it is installed, otherwise by the regions of a matte."""

import cv2
import numpy as np
import pytest

from services.matting.mask import MASK, MaskParams, mask
from shared.errors import Invalid
from shared.models.cache import model_cache
from shared.operation import Sample
from tests.services.matting.made_networks import make_sam
from tests.services.matting.matte_clips import disc, iou, picture, write_clip


@pytest.fixture(scope="module")
def two_discs(tmp_path_factory):
    return write_clip(tmp_path_factory.mktemp("clips") / "two.mp4", [picture([(60 + 3 * number, 90), (250, 80)]) for number in range(6)])


def made(path) -> np.ndarray:
    return cv2.imread(str(path), cv2.IMREAD_GRAYSCALE) / 255


def test_a_click_chooses_a_region_of_the_matte(models, two_discs, tmp_path):
    output = tmp_path / "mask.png"
    result = mask(MaskParams(backend="rmbg2", frame=2, points=[(66, 90, 1)]), video=two_discs, output=output)
    assert (result.method, result.time_s, result.width, result.height) == ("rmbg2", 0.08, 320, 180)
    assert iou(made(output), disc(66, 90)) > 0.85
    mask(MaskParams(backend="rmbg2", time_s=0.08, box=(0.6, 0.1, 1, 0.9)), video=two_discs, output=output)
    assert iou(made(output), disc(250, 80)) > 0.85


def test_the_example_finds_the_ball_of_the_sample_clip(samples, tmp_path):
    output = tmp_path / "mask.png"
    result = MASK.run(MASK.example, video=samples[Sample.CLIP], plate=samples[Sample.PLATE], output=output)
    assert result.method == "difference"
    rows, columns = np.nonzero(made(output) > 0.5)
    # A ball with a radius of 34 pixels.
    assert len(rows) == pytest.approx(np.pi * 34**2, rel=0.05)
    assert (columns.mean() / 640, rows.mean() / 360) == pytest.approx((0.13, 0.55), abs=0.01)
    with pytest.raises(Invalid, match="needs a picture of the scene"):
        mask(MASK.example, video=samples[Sample.CLIP], output=output)


def test_nothing_under_the_click_is_refused(models, two_discs, tmp_path):
    with pytest.raises(Invalid, match="rmbg2 found no object"):
        mask(MaskParams(backend="rmbg2", points=[(160, 20, 1)]), video=two_discs, output=tmp_path / "mask.png")
    with pytest.raises(Invalid, match=r"is 0\.24 s long"):
        mask(MaskParams(backend="rmbg2", frame=6, points=[(60, 90, 1)]), video=two_discs, output=tmp_path / "mask.png")


def test_sam_answers_where_it_is_installed(use_settings, two_discs, tmp_path):
    folder = tmp_path / "models/sam2.1-tiny"
    make_sam(folder)
    for name in ("vision_encoder.onnx_data", "prompt_encoder_mask_decoder.onnx_data"):
        (folder / name).write_bytes(b"-")
    use_settings(models_dir=tmp_path / "models", device="cpu")
    output = tmp_path / "mask.png"
    result = mask(MaskParams(points=[(60, 90, 1)]), video=two_discs, output=output)
    assert (result.method, result.licence) == ("sam2.1-tiny", "Apache-2.0")
    assert iou(made(output), disc(60, 90) | disc(250, 80)) > 0.85
    model_cache().drop()


@pytest.mark.parametrize(
    "params", [{"frame": 1, "time_s": 1}, {"box": (5, 5, 1, 9)}, {"points": [(-1, 2, 1)]}, {"points": [(1, 2, 0)]}], ids=str
)
def test_params_that_make_no_sense_are_refused(params):
    with pytest.raises(ValueError, match="validation error"):
        MaskParams(**params)
