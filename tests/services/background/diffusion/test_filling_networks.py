"""Holes of a plate, filled by tiny networks in the published file formats.

MI-GAN is an ONNX graph, LaMa a TorchScript program.
"""

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from services.background.fill.table import BY_NAME
from shared.models.cache import model_cache
from shared.operation import Silent

HOLE = np.zeros((45, 61), np.uint8)
HOLE[10:30, 20:50] = 255
PICTURE = np.random.default_rng(5).integers(0, 255, (45, 61, 3)).astype(np.uint8)


@pytest.fixture(autouse=True)
def _forget_networks() -> None:
    model_cache().drop()


def test_migan_gets_the_picture_and_a_mask_of_what_to_keep(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # The tiny graph returns its mask, in three channels, as the picture: 0 within the hole.
    ports = [helper.make_tensor_value_info(name, TensorProto.UINT8, [1, size, "h", "w"]) for name, size in (("image", 3), ("mask", 1))]
    result = helper.make_tensor_value_info("result", TensorProto.UINT8, [1, 3, "h", "w"])
    graph = helper.make_graph([helper.make_node("Concat", ["mask"] * 3, ["result"], axis=1)], "made", ports, [result])
    file = tmp_path / "migan.onnx"
    onnx.save(helper.make_model(graph, ir_version=8, opset_imports=[helper.make_opsetid("", 17)]), str(file))
    monkeypatch.setattr("services.background.fill.migan.model_files", lambda *_: {"migan": file})
    filled = BY_NAME["migan"].fill(PICTURE, HOLE, Silent())
    assert (filled[HOLE > 0] == 0).all()
    assert (filled[HOLE == 0] == PICTURE[HOLE == 0]).all()


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_lama_gets_the_picture_and_a_mask_of_the_hole(use_settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    use_settings(device="cpu")
    file = tmp_path / "lama.pt"
    # The mask in red, half of the picture in the other channels.
    traced = torch.jit.trace(
        lambda image, mask: torch.cat([mask, image[:, 1:] * 0.5], dim=1), (torch.zeros(1, 3, 8, 8), torch.zeros(1, 1, 8, 8))
    )
    traced.save(str(file))
    monkeypatch.setattr("services.background.fill.lama.model_files", lambda *_: {"lama": file})
    filled = BY_NAME["lama"].fill(PICTURE, HOLE, Silent())
    assert (filled[HOLE > 0][:, 0] == 255).all()
    assert np.abs(filled[HOLE > 0][:, 1:] - PICTURE[HOLE > 0][:, 1:] / 2).max() <= 0.5
    assert (filled[HOLE == 0] == PICTURE[HOLE == 0]).all()
