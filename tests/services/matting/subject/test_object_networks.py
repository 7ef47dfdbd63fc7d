"""BiRefNet and U2-Net-p with tiny networks, and their selection by `auto`."""

import cv2
import numpy as np
import pytest

from services.matting.backends import auto, per_frame
from services.matting.networks.engine import Engine
from services.matting.networks.saliency import load_saliency
from shared.models.cache import model_cache
from shared.models.devices.device import CPU
from tests.services.matting.made_networks import make_rvm, make_saliency
from tests.services.matting.matte_clips import alphas, disc, iou, picture, run, write_clip
from tests.warning_log import WarningLog


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("networks")
    return {
        "birefnet-general-lite": make_saliency(folder / "birefnet.onnx", 1024, logits=True),
        "u2netp": make_saliency(folder / "u2netp.onnx", 320),
        "rvm-mobilenetv3": make_rvm(folder / "rvm.onnx"),
    }


@pytest.fixture
def install(made, monkeypatch, use_settings, tmp_path):
    """Return a function that installs tiny networks under the given model names.

    The catalog's checksums fit the published files only.
    """

    def installed_are(*names):
        for module in (auto, per_frame):
            monkeypatch.setattr(module, "installed", lambda name: name in names)
        monkeypatch.setattr(per_frame, "model_files", lambda name, _progress=None: {"file": made[name]})

    use_settings(models_dir=tmp_path, device="cpu")
    yield installed_are
    model_cache().drop()


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    return write_clip(tmp_path_factory.mktemp("clips") / "disc.mp4", [picture([(60 + 3 * number, 90)]) for number in range(3)])


@pytest.mark.parametrize(
    ("backend", "model", "reason"),
    [
        ("birefnet", "birefnet-general-lite", "birefnet finds foreground objects of any kind"),
        ("u2netp", "u2netp", "of the networks for other objects only u2netp is installed"),
    ],
)
def test_auto_takes_a_network_for_objects(install, clip, tmp_path, backend, model, reason):
    install(model)
    progress = WarningLog()
    result = run(tmp_path, clip, progress, composite_over="none", steadiness=0)
    assert (result.backend.name, result.backend.model) == (backend, model)
    assert result.backend.reason == f"no network for people is installed, and {reason}"
    for number, alpha in enumerate(alphas(tmp_path / "alpha.mp4")):
        assert iou(alpha, disc(60 + 3 * number, 90)) > 0.85
        assert alpha[:, 200:].max() < 0.02
    assert any("coarse edges" in warning for warning in progress.warnings) == (backend == "u2netp")


@pytest.mark.usefixtures("made")
def test_auto_says_that_no_people_were_found_only_after_looking(install, clip, tmp_path, monkeypatch):
    install("u2netp", "rvm-mobilenetv3")
    people = auto.BY_NAME["rvm"]
    looked = []
    row = type(people)(**{field: getattr(people, field) for field in people.__dataclass_fields__} | {"suits": looked.append})
    monkeypatch.setitem(auto.BY_NAME, "rvm", row)
    result = run(tmp_path, clip, composite_over="none", duration=0.04)
    assert len(looked) == 1
    assert result.backend.reason.startswith("no people were found, and")


@pytest.mark.parametrize("library", ["openvino", "onnxruntime"])
def test_a_batch_gives_the_mattes_of_single_pictures(made, library):
    engine = Engine(library=library, device=CPU, precision="f32")
    single, three = (load_saliency(made["u2netp"], engine, side=320, batch=batch, logits=True) for batch in (1, 3))
    pictures = [cv2.resize(picture([(x, 90)]), (320, 320)) for x in (50, 120, 250)]
    assert three.batch == 3
    expected = [single.mattes([rgb])[0] for rgb in pictures]
    for count in (3, 2):
        for matte, right in zip(three.mattes(pictures[:count]), expected[:count], strict=True):
            np.testing.assert_allclose(matte, right, atol=1e-6)
