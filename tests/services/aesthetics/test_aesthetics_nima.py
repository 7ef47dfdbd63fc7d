"""NIMA weights in the published layout, compared with networks computed without Keras."""

import cv2
import numpy as np
import pytest
from nima_files import Weights, inception_order, inception_resnet_v2, mobilenet, mobilenet_order, write_h5

from services.aesthetics.nima.keras_model import build, fill, load_keras
from services.aesthetics.nima.scores import RATINGS, mean_and_spread, prepared
from shared.errors import ModelDamaged
from tests.services.aesthetics.aesthetic_clips import ten_real_views, ten_views

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::PendingDeprecationWarning")
SIDE = 96
NETWORKS = {"mobilenet": (mobilenet, mobilenet_order), "inception-resnet-v2": (inception_resnet_v2, inception_order)}


@pytest.fixture(scope="module")
def pictures():
    return np.random.default_rng(1).uniform(-1, 1, (2, SIDE, SIDE, 3)).astype(np.float32)


@pytest.mark.parametrize("views", [ten_views, pytest.param(ten_real_views, marks=pytest.mark.slow)])
@pytest.mark.parametrize(
    "architecture", [pytest.param(name, marks=pytest.mark.slow if name == "inception-resnet-v2" else ()) for name in NETWORKS]
)
def test_weights_loaded_by_order_give_the_same_as_weights_read_by_name(architecture, views, tmp_path):
    # The weights rate ten pictures so differently that a wrong input, such as B, G, R or another value range, is noticed.
    pictures = prepared([cv2.resize(view, (SIDE, SIDE), interpolation=cv2.INTER_AREA) for view in views()], "symmetric")
    compute, order = NETWORKS[architecture]
    weights = Weights(spread=1.5)
    expected = compute(pictures, weights)
    scores = np.sort(expected @ RATINGS)
    assert scores[-1] - scores[0] > 2
    assert np.diff(scores).max() < 3, "not only one picture that is apart"
    model = build(architecture, side=SIDE)
    fill(model, write_h5(tmp_path / "weights.h5", weights, order()))
    own_scores = model(pictures, training=False).numpy()
    assert np.abs((own_scores - expected) @ RATINGS).max() < 1e-3
    few = pictures[:4]
    for wrong in (few[..., ::-1], few / 2 + 0.5):
        assert np.abs((model(wrong, training=False).numpy() - expected[:4]) @ RATINGS).max() > 0.1


def test_weights_are_read_whatever_their_file_is_called(pictures, tmp_path):
    weights = Weights()
    expected = mobilenet(pictures, weights)
    model = build("mobilenet", side=SIDE)
    fill(model, write_h5(tmp_path / "nima.weights.h5", weights, mobilenet_order()))
    assert np.abs(model(pictures, training=False).numpy() - expected).max() < 1e-4


def test_weights_of_another_network_are_refused(pictures, tmp_path):
    weights = Weights()
    mobilenet(pictures, weights)
    order = mobilenet_order()
    short = write_h5(tmp_path / "short.h5", weights, [name for name in order if name != "conv_pw_13"])
    with pytest.raises(ModelDamaged, match="54 layers with weights, but 55 are expected"):
        load_keras("mobilenet", short)
    swapped = ["conv_pw_13" if name == "conv_pw_12" else "conv_pw_12" if name == "conv_pw_13" else name for name in order]
    with pytest.raises(ModelDamaged, match="conv_pw_13"):
        load_keras("mobilenet", write_h5(tmp_path / "swapped.h5", weights, swapped))
    weights.layers["conv1"]["kernel"][0, 0, 0, 0] = np.nan
    with pytest.raises(ModelDamaged, match="not numbers"):
        load_keras("mobilenet", write_h5(tmp_path / "nan.h5", weights, order))


def test_a_file_that_is_not_hdf5_is_refused(tmp_path):
    (tmp_path / "text.h5").write_text("not weights")
    with pytest.raises(ModelDamaged, match="cannot be read"):
        load_keras("mobilenet", tmp_path / "text.h5")


def test_mean_and_spread_of_the_ratings():
    certain = np.eye(10, dtype=np.float32)[6]
    assert mean_and_spread(certain) == pytest.approx((7, 0))
    mean, spread = mean_and_spread(np.array([0.1, 0.05, 0.05, 0.1, 0.2, 0.15, 0.1, 0.1, 0.1, 0.05], np.float32))
    assert mean == pytest.approx(5.55)
    assert spread == pytest.approx(2.51942, abs=1e-4)


def test_the_input_has_the_range_of_its_preprocessing():
    picture = np.dstack([np.zeros((4, 4)), np.full((4, 4), 255), np.full((4, 4), 51)]).astype(np.uint8)
    assert prepared([picture], "symmetric")[0, 0, 0].tolist() == pytest.approx([-1, 1, -0.6], abs=1e-6)
    assert prepared([picture], "unit")[0, 0, 0].tolist() == pytest.approx([0, 1, 0.2], abs=1e-6)
