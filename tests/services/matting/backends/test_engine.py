"""Choice of library, device and precision, and ONNX files in half precision.

No GPU is needed: the device is a stub.
"""

from pathlib import Path

import numpy as np
import pytest

from services.matting.networks import engine as engines
from services.matting.networks import rvm
from services.matting.networks.engine import Engine, choose_engine
from services.matting.networks.rvm import load_rvm
from services.matting.networks.saliency import load_saliency
from shared.errors import Invalid, Unavailable
from shared.models.devices.device import CPU, Device
from tests.services.matting.made_networks import make_rvm, make_saliency

GPU = Device(kind="cuda", index=1, title="a stub")


@pytest.fixture
def gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engines, "choose_device", lambda: GPU)
    monkeypatch.setattr(engines, "_onnxruntime_providers", lambda: ["CUDAExecutionProvider", "CPUExecutionProvider"])


@pytest.mark.usefixtures("gpu")
@pytest.mark.parametrize(("requested", "chosen"), [("auto", "f32"), ("f16", "f16"), ("f32", "f32")])
def test_a_gpu_computes_in_f32_unless_f16_is_requested(requested: str, chosen: str) -> None:
    assert choose_engine(requested) == Engine(library="onnxruntime", device=GPU, precision=chosen)


@pytest.mark.usefixtures("gpu")
def test_a_gpu_has_no_bf16_and_without_onnx_no_f16(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(Invalid, match="choose auto, f16 or f32"):
        choose_engine("bf16")
    monkeypatch.setattr(engines.importlib.util, "find_spec", lambda name: None)
    assert choose_engine("auto").precision == "f32"
    with pytest.raises(Unavailable, match="pip install onnx"):
        choose_engine("f16")


def test_a_converted_network_gives_the_same_matte(tmp_path: Path) -> None:
    path = make_rvm(tmp_path / "rvm.onnx")
    picture = np.random.default_rng(3).integers(0, 256, (90, 160, 3)).astype(np.uint8)
    networks = [
        # In f16 the ratio would be 0.3999, and the network would see 35 rows instead of 36.
        load_rvm(path, 160, 90, Engine(library="onnxruntime", device=CPU, precision=precision), ratio=0.4, foreground=False)
        for precision in ("f32", "f16")
    ]
    assert [(network.precision, network.device) for network in networks] == [("f32", "cpu"), ("f16", "cpu")]
    clips = [network.start() for network in networks]
    for _ in range(3):
        exact, half = (clip.step(picture)[0] for clip in clips)
    assert 0 < np.abs(exact - half).max() < 4e-3


def test_pictures_as_bytes_give_the_same_matte(tmp_path: Path) -> None:
    path = make_rvm(tmp_path / "rvm.onnx")
    engine = Engine(library="onnxruntime", device=CPU, precision="f32")
    clips = [load(path, engine, ratio=0.5, foreground=True).start() for load in (rvm._with_onnxruntime, rvm._on_gpu)]
    for seed in range(3):
        picture = np.random.default_rng(seed).integers(0, 256, (96, 160, 3)).astype(np.uint8)
        (alpha, foreground), (same, same_foreground) = (clip.step(picture) for clip in clips)
        np.testing.assert_array_equal(alpha, same)
        np.testing.assert_array_equal(foreground, same_foreground)


def test_without_cudas_libraries_the_report_says_cpu_and_f32(tmp_path: Path) -> None:
    path = make_saliency(tmp_path / "saliency.onnx", 32)
    with pytest.warns(UserWarning, match="CUDAExecutionProvider"):
        network = load_saliency(path, Engine(library="onnxruntime", device=GPU, precision="f16"), side=32, batch=1, logits=False)
    assert (network.precision, network.device) == ("f32", "cpu")
