"""NIMA in jobs: converted once, cached, with equal scores on all backends."""

import logging
import os

import cv2
import h5py
import numpy as np
import pytest
from nima_files import Weights, mobilenet, mobilenet_order, write_h5
from PIL import Image

from services.aesthetics.best_frames import BestFramesParams, best_frames
from services.aesthetics.nima import conversion
from services.aesthetics.nima import network as module
from services.aesthetics.nima.formats import has_bf16
from services.aesthetics.nima.keras_model import fill
from services.aesthetics.nima.network import network
from services.aesthetics.nima.scores import RATINGS, mean_and_spread, prepared
from services.aesthetics.params import missing_weights
from services.aesthetics.top_images import TopImagesParams, top_images
from shared.errors import Invalid, ModelDamaged, ModelMissing, Unavailable
from shared.models.cache import model_cache
from shared.models.devices.device import CPU, Device, choose_device
from tests.services.aesthetics.aesthetic_clips import ten_views

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::PendingDeprecationWarning")
NAME = "nima-mobilenet-aesthetic"


def params(**more):
    return BestFramesParams(**({"model": "mobilenet-aesthetic", "scorer": "nima", "diversity": 0} | more))


@pytest.fixture(scope="module")
def pictures():
    return list(np.random.default_rng(5).integers(0, 256, (5, 224, 224, 3), dtype=np.uint8))


@pytest.fixture(scope="module")
def expected(pictures):
    """Compute the expected scores of `pictures` with torch, without a backend."""
    return mobilenet(prepared(pictures, "symmetric"), Weights())


def scores_off(scores, expected):
    return np.abs((scores - expected) @ RATINGS).max()


@pytest.mark.usefixtures("models")
def test_openvino_in_f32_gives_the_scores_of_the_weights(pictures, expected):
    with network(params(precision="f32", backend="openvino", batch_size=2)) as loaded:
        assert scores_off(loaded.rate(pictures), expected) < 1e-4
        assert (loaded.model_used.backend, loaded.model_used.precision, loaded.model_used.device) == ("openvino", "f32", "cpu")
        assert (loaded.model_used.name, loaded.model_used.licence, loaded.model_used.commercial_use) == (NAME, "Apache-2.0", True)


@pytest.mark.usefixtures("models")
def test_auto_uses_f32_for_weights_whose_scores_change_in_bf16(pictures, expected):
    # These weights amplify rounding errors; those of the next test do not.
    with network(params()) as loaded:
        assert loaded.model_used.precision == "f32"
        assert scores_off(loaded.rate(pictures), expected) < 1e-4
    if has_bf16():
        with network(params(precision="bf16")) as loaded:
            rated = loaded.rate(pictures)
        assert rated.sum(axis=1) == pytest.approx(1, abs=1e-6)
        assert 0.01 < scores_off(rated, expected) < 0.2


@pytest.mark.usefixtures("models")
@pytest.mark.slow
def test_auto_uses_bf16_for_weights_whose_scores_hardly_change(pictures, tmp_path, use_settings):
    calm = Weights(gain=0.7)
    expected = mobilenet(prepared(pictures, "symmetric"), calm)
    (tmp_path / NAME).mkdir()
    write_h5(tmp_path / NAME / "weights_mobilenet_aesthetic_0.07.hdf5", calm, mobilenet_order())
    use_settings(models_dir=tmp_path)
    with network(params()) as loaded:
        assert loaded.model_used.precision == ("bf16" if has_bf16() else "f32")
        assert scores_off(loaded.rate(pictures), expected) < 0.01


def test_ten_picture_files_get_the_scores_of_an_independent_pass(tmp_path, outputs, use_settings):
    """The scores of ten PNG files equal the scores that numpy and torch compute.

    This covers opening, scaling, value range and network. Each pixel of the small pictures stands six times in the files, so that scaling
    them down does not round: random weights amplify that.
    """
    small = [cv2.resize(view, (224, 224), interpolation=cv2.INTER_AREA) for view in ten_views()]
    files = [tmp_path / f"{number}.png" for number in range(10)]
    for view, file in zip(small, files, strict=True):
        Image.fromarray(view.repeat(2, axis=0).repeat(3, axis=1)).save(file)
    weights = Weights(spread=1.5)
    expected = mobilenet(np.stack(small).astype(np.float32) / 127.5 - 1, weights) @ RATINGS
    assert expected.max() - expected.min() > 2
    assert len({round(score, 1) for score in expected.tolist()}) >= 7
    other_range = mobilenet(np.stack(small).astype(np.float32) / 255, weights) @ RATINGS
    assert np.abs(other_range - expected).max() > 0.3, "a wrong range would be seen"
    (tmp_path / NAME).mkdir()
    write_h5(tmp_path / NAME / "weights_mobilenet_aesthetic_0.07.hdf5", weights, mobilenet_order())
    use_settings(models_dir=tmp_path)
    choice = TopImagesParams(model="mobilenet-aesthetic", scorer="nima", diversity=0, percent=0, backend="tensorflow")
    result = top_images(choice, images=files, outputs=outputs)
    assert [item.score for item in result.items] == pytest.approx(expected.tolist(), abs=0.02)
    assert [item.rank for item in result.items] == (np.argsort(np.argsort(-expected)) + 1).tolist()


@pytest.mark.usefixtures("models")
def test_tensorflow_gives_the_same_scores(pictures, expected):
    with network(params(backend="tensorflow")) as loaded:
        assert scores_off(loaded.rate(pictures), expected) < 1e-4
        assert (loaded.model_used.backend, loaded.model_used.precision) == ("tensorflow", "f32")


@pytest.mark.usefixtures("models")
@pytest.mark.slow
def test_onnxruntime_gives_the_same_scores(pictures, expected):
    with network(params(backend="onnxruntime")) as loaded:
        assert scores_off(loaded.rate(pictures), expected) < 1e-4


def test_the_network_is_converted_once_and_loaded_once(models, pictures, monkeypatch):
    with network(params()):
        folders = sorted((models / NAME / "converted").iterdir())
    assert {path.name for path in folders[0].iterdir()} == {"nima.xml", "nima.bin"} | ({"bf16.json"} if has_bf16() else set())

    def never(*arguments, **more):
        raise AssertionError("converted or loaded again")

    monkeypatch.setattr(conversion, "_in_own_process", never)
    monkeypatch.setattr(module, "_load", never)
    with network(params()) as loaded:
        assert loaded.rate(pictures[:1]).shape == (1, 10)
    monkeypatch.undo()
    monkeypatch.setattr(conversion, "_in_own_process", never)
    model_cache().drop()
    with network(params()) as loaded:
        assert loaded.rate(pictures[:1]).shape == (1, 10)


@pytest.mark.usefixtures("models")
def test_weights_that_do_not_fit_are_refused_by_name(tmp_path, use_settings):
    folder = tmp_path / NAME
    folder.mkdir()
    (folder / "weights_mobilenet_aesthetic_0.07.hdf5").write_bytes(b"not weights at all")
    use_settings(models_dir=tmp_path)
    with pytest.raises(ModelDamaged, match="cannot be read as Keras weights"), network(params()):
        pass
    assert not list((folder / "converted").iterdir())


@pytest.mark.parametrize(
    "spoil",
    [
        "half of the weights",
        pytest.param("no weights", marks=pytest.mark.slow),
        pytest.param("half of the network", marks=pytest.mark.slow),
        pytest.param("nothing in the folder", marks=pytest.mark.slow),
    ],
)
def test_a_converted_network_that_is_broken_is_converted_anew(models, pictures, expected, spoil):
    model_cache().drop()
    with network(params(precision="f32")):
        (folder,) = [path for path in (models / NAME / "converted").iterdir() if "openvino" in path.name]
    model_cache().drop()
    if spoil == "half of the weights":
        (folder / "nima.bin").write_bytes((folder / "nima.bin").read_bytes()[:100_000])
    elif spoil == "half of the network":
        (folder / "nima.xml").write_text((folder / "nima.xml").read_text()[:5000])
    else:
        (folder / ("nima.bin" if spoil == "no weights" else "nima.xml")).unlink()
    abandoned = folder.with_name(".abandoned")
    abandoned.mkdir()
    os.utime(abandoned, (0, 0))
    with network(params(precision="f32")) as loaded:
        assert scores_off(loaded.rate(pictures), expected) < 1e-4
    assert {"nima.xml", "nima.bin"} <= {path.name for path in folder.iterdir()}
    assert not abandoned.exists()


@pytest.mark.parametrize("spoil", ["huge", "loop", "group"])
def test_weights_with_huge_shapes_or_circular_links_are_refused(tmp_path, spoil):
    import keras

    path = tmp_path / "weights.hdf5"
    with h5py.File(path, "w") as file:
        file.attrs["layer_names"] = [b"a"]
        layer = file.create_group("a")
        layer.attrs["weight_names"] = [b"k", b"b"]
        if spoil == "huge":
            layer.create_dataset("k", shape=(1 << 38,), dtype="f4", chunks=(1024,))
        elif spoil == "loop":
            layer["k"] = h5py.SoftLink("/a/k")
        else:
            layer.create_group("k")
        layer.create_dataset("b", data=np.zeros(10))
    model = keras.Sequential([keras.layers.Input((4,)), keras.layers.Dense(10)])
    with pytest.raises(ModelDamaged, match=r"weights\.hdf5"):
        fill(model, path)


def test_missing_weights_name_the_command_to_run(tmp_path, use_settings, ten_seconds, outputs):
    use_settings(models_dir=tmp_path)
    assert missing_weights(BestFramesParams()) == "reelwright models pull nima-inception-resnet-v2"
    assert missing_weights(params(scorer="both")) == "reelwright models pull nima-mobilenet-aesthetic"
    assert missing_weights(BestFramesParams(scorer="technical")) is None
    with pytest.raises(ModelMissing, match="reelwright models pull nima-mobilenet-aesthetic"):
        best_frames(params(), video=ten_seconds, outputs=outputs)


@pytest.mark.usefixtures("models")
def test_an_unavailable_precision_is_refused():
    with pytest.raises(Invalid, match="f16 needs TensorFlow and a GPU"), network(params(precision="f16")):
        pass
    with pytest.raises(ValueError, match="onnxruntime does not support precision bf16"):
        params(precision="bf16", backend="onnxruntime")


@pytest.mark.usefixtures("models")
def test_frames_are_rated_by_the_network_and_ranked_by_both(ten_seconds, outputs, caplog):
    caplog.set_level(logging.WARNING)
    alone = best_frames(params(precision="f32"), video=ten_seconds, outputs=outputs)
    assert alone.model is not None
    assert alone.model.name == NAME
    for item in alone.items:
        distribution = np.array(item.distribution)
        assert distribution.sum() == pytest.approx(1, abs=1e-4)
        assert (item.score, item.std) == pytest.approx(mean_and_spread(distribution), abs=1e-4)
        assert item.merit == item.score
        assert "by the network" in item.reason
    both = best_frames(params(precision="f32", scorer="both", technical_weight=0.25), video=ten_seconds, outputs=outputs)
    for item in both.items:
        assert item.merit == pytest.approx(0.75 * item.score + 0.25 * item.technical.score, abs=1e-3)
    one_by_one = best_frames(params(precision="f32", batch_size=1), video=ten_seconds, outputs=outputs)
    assert [item.score for item in one_by_one.items] == pytest.approx([item.score for item in alone.items], abs=1e-4)


GPU = Device(kind="cuda", index=1, uuid="GPU-b", title="Test GPU")


@pytest.mark.parametrize(("requested", "uses_gpu", "chosen"), [
    ({}, True, (GPU, "tensorflow", "f16")),
    ({"precision": "f32"}, True, (GPU, "tensorflow", "f32")),
    ({"precision": "f16", "backend": "tensorflow"}, True, (GPU, "tensorflow", "f16")),
    ({"backend": "openvino"}, True, (CPU, "openvino", "auto")),
    ({"precision": "bf16"}, True, (CPU, "openvino", "bf16")),
    ({"backend": "onnxruntime"}, True, (CPU, "onnxruntime", "f32")),
    ({}, False, (CPU, "openvino", "auto")),
    ({"backend": "tensorflow"}, False, (CPU, "tensorflow", "f32")),
])  # fmt: skip
def test_the_default_is_tensorflow_in_f16_on_a_gpu_that_it_can_use(monkeypatch, requested, uses_gpu, chosen):
    monkeypatch.setattr(module, "choose_device", lambda: GPU)
    monkeypatch.setattr(module, "_prepare_tensorflow_gpu", lambda: uses_gpu)
    monkeypatch.setattr(module, "has_bf16", lambda: True)
    assert module._plan(params(**requested)) == module._Plan(*chosen)


@pytest.fixture
def some_weights(tmp_path, use_settings):
    """Write a models folder with a dummy weight file."""
    (tmp_path / NAME).mkdir()
    (tmp_path / NAME / "weights_mobilenet_aesthetic_0.07.hdf5").write_bytes(b"weights")
    use_settings(models_dir=tmp_path)


@pytest.mark.usefixtures("some_weights")
def test_a_missing_gpu_is_refused(monkeypatch, use_settings):
    monkeypatch.setattr("shared.models.devices.device.gpus", lambda: [])
    use_settings(device="cuda:0")
    with pytest.raises(Unavailable, match=r"REELWRIGHT_DEVICE=cuda:0, but this machine has no GPU\. Use auto or cpu"), network(params()):
        pass


@pytest.mark.usefixtures("some_weights")
def test_a_tensorflow_that_cannot_use_the_gpu_is_refused(monkeypatch, use_settings):
    monkeypatch.setattr("shared.models.devices.device.gpus", lambda: [GPU])
    monkeypatch.setattr(module, "_prepare_tensorflow_gpu", lambda: False)
    use_settings(device="cuda")
    with pytest.raises(Unavailable, match=r"TensorFlow cannot use .*Test GPU.*aesthetics-gpu"), network(params(backend="tensorflow")):
        pass


@pytest.mark.usefixtures("models")
@pytest.mark.gpu
@pytest.mark.parametrize(("precision", "within"), [("f32", 0.01), ("auto", 0.05)])
def test_tensorflow_on_a_gpu_gives_the_same_scores(pictures, expected, use_settings, precision, within):
    use_settings(device="auto")
    if choose_device() == CPU or not module._prepare_tensorflow_gpu():
        assert os.environ.get("REELWRIGHT_REQUIRE_GPU") != "1", "REELWRIGHT_REQUIRE_GPU=1, and TensorFlow uses no GPU here"
        pytest.skip("TensorFlow uses no GPU here")
    with network(params(precision=precision)) as loaded:
        assert loaded.model_used.backend == "tensorflow"
        assert loaded.model_used.device.startswith("cuda:")
        assert loaded.model_used.precision == ("f32" if precision == "f32" else "f16")
        assert scores_off(loaded.rate(pictures), expected) < within
