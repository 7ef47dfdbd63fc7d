"""`matting.mask`: by SAM if installed, else by regions of a matte or by colours."""

from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from services.matting.backends.auto import named
from services.matting.mask import MASK, MaskParams, mask
from shared.errors import Invalid
from shared.models.cache import model_cache
from shared.operation import Sample
from tests.services.matting.made_networks import make_sam
from tests.services.matting.matte_clips import disc, iou, picture, write_clip
from tests.warning_log import WarningLog


@pytest.fixture(scope="module")
def two_discs(tmp_path_factory):
    return write_clip(tmp_path_factory.mktemp("clips") / "two.mp4", [picture([(60 + 3 * number, 90), (250, 80)]) for number in range(6)])


def made(path) -> np.ndarray:
    return cv2.imread(str(path), cv2.IMREAD_GRAYSCALE) / 255


@pytest.mark.usefixtures("models")
def test_a_click_chooses_a_region_of_the_matte(two_discs, tmp_path):
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
    with pytest.raises(Invalid, match="needs a clean plate"):
        mask(MASK.example, video=samples[Sample.CLIP], output=output)


def test_clicks_and_strokes_need_no_model(use_settings, samples, tmp_path):
    use_settings(models_dir=tmp_path / "no models", device="cpu")
    output, clip = tmp_path / "mask.png", samples[Sample.CLIP]
    mask(MASK.example, video=clip, plate=samples[Sample.PLATE], output=output)
    ball = made(output) > 0.5

    def accuracy(**marked) -> float:
        strokes = marked.pop("marks", None)
        result = mask(MaskParams(time_s=1, **marked), video=clip, marks=strokes, output=output)
        assert (result.method, result.licence) == ("grabcut", "Apache-2.0")
        return iou(made(output), ball)

    assert accuracy(points=[(0.13, 0.55, 1)]) > 0.9
    assert accuracy(points=[(0.13, 0.55, 1), (0.13, 0.9, -1)]) > 0.9
    assert accuracy(box=(0.05, 0.4, 0.21, 0.7)) > 0.9
    strokes = np.full((90, 160, 4), (255, 255, 255, 0), np.uint8)
    cv2.line(strokes, (17, 47), (24, 52), (255, 255, 255, 255), 3)
    cv2.line(strokes, (40, 80), (140, 80), (0, 0, 0, 255), 3)
    cv2.imwrite(str(tmp_path / "strokes.png"), strokes)
    assert accuracy(marks=tmp_path / "strokes.png") > 0.9


@pytest.mark.usefixtures("models")
def test_a_click_takes_the_region_of_an_installed_networks_matte(two_discs, tmp_path, monkeypatch):
    monkeypatch.setattr("services.matting.mask.choose", lambda _sample, _options: named("rmbg2"))
    output = tmp_path / "mask.png"

    def method(*points, **box) -> str:
        return mask(MaskParams(points=points, **box), video=two_discs, output=output).method

    assert method((60, 90, 1)) == "rmbg2"
    assert iou(made(output), disc(60, 90)) > 0.85
    assert method(box=(210, 40, 290, 120)) == "rmbg2"
    assert iou(made(output), disc(250, 80)) > 0.85
    # Beside the region, and where a click within the region says that it is too large, colours decide.
    assert method((160, 20, 1)) == "grabcut"
    assert method((60, 90, 1), (70, 90, -1)) == "grabcut"


@pytest.mark.usefixtures("models")
def test_a_click_on_nothing_is_refused(two_discs, tmp_path):
    for marks, sentences in (
        ({"points": [(160, 20, 1)]}, "at the clicks. Mark another place"),
        ({"box": (150, 5, 170, 15)}, "in the box. Draw another box"),
    ):
        with pytest.raises(Invalid, match=f"^rmbg2 found no object {sentences}, or choose another backend.$"):
            mask(MaskParams(backend="rmbg2", **marks), video=two_discs, output=tmp_path / "mask.png")
    with pytest.raises(Invalid, match="the last one is 5"):
        mask(MaskParams(backend="rmbg2", frame=6, points=[(60, 90, 1)]), video=two_discs, output=tmp_path / "mask.png")


@pytest.mark.usefixtures("models")
def test_strokes_and_frames_without_an_object_are_refused(two_discs, tmp_path, monkeypatch):
    empty = np.zeros((180, 320), np.uint8)
    monkeypatch.setattr("services.matting.mask.grabcut", lambda *_: empty)
    monkeypatch.setattr("services.matting.mask.main_region", lambda _regions: None)
    strokes = tmp_path / "strokes.png"
    cv2.imwrite(str(strokes), empty)
    for params, marks, sentences in (
        (MaskParams(points=[(60, 90, 1)]), strokes, "grabcut found no object at the strokes. Mark another place"),
        (MaskParams(backend="rmbg2"), strokes, "rmbg2 found no object in this frame. Choose another frame"),
    ):
        with pytest.raises(Invalid, match=f"^{sentences}, or choose another backend.$"):
            mask(params, video=two_discs, marks=marks, output=tmp_path / "mask.png")


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


def test_a_plate_that_fits_decides_about_clicks(samples, tmp_path, monkeypatch):
    monkeypatch.setattr("services.matting.mask.installed", lambda _model: True)
    monkeypatch.setattr("services.matting.mask._by_sam", lambda _params, info, *_: np.full((info.height, info.width), 255, np.uint8))
    monkeypatch.setattr("services.matting.mask.model_used", lambda _model: SimpleNamespace(licence="Apache-2.0"))
    output, heard = tmp_path / "mask.png", WarningLog()

    def method(plate, point) -> str:
        params = MaskParams(time_s=1, points=[(*point, 1)])
        return mask(params, video=samples[Sample.CLIP], plate=plate, output=output, progress=heard).method

    assert (method(samples[Sample.PLATE], (0.13, 0.55)), heard.warnings) == ("difference", [])
    assert 0 < made(output).mean() < 0.1
    beside = (made(output).any(axis=0).nonzero()[0].max() + 8) / 640  # on something that the plate shows, too
    for point in ((0.5, 0.05), (beside, 0.55)):
        assert method(samples[Sample.PLATE], point) == "sam2.1-tiny"
        assert heard.warnings.pop() == "The clean plate was not used: nothing at the clicks differs from it."
    noise = np.random.default_rng(1).integers(0, 256, (360, 640, 3), np.uint8)
    cv2.imwrite(str(tmp_path / "other.png"), noise)
    assert method(tmp_path / "other.png", (0.13, 0.55)) == "sam2.1-tiny"
    assert "of the picture looks like the plate" in heard.warnings.pop()
    assert heard.warnings == []


@pytest.mark.parametrize(
    "params", [{"frame": 1, "time_s": 1}, {"box": (5, 5, 1, 9)}, {"points": [(-1, 2, 1)]}, {"points": [(1, 2, 0)]}], ids=str
)
def test_params_that_make_no_sense_are_refused(params):
    with pytest.raises(ValueError, match="validation error"):
        MaskParams(**params)
