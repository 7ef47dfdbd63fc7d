"""Weight files, and other files that pretend to be weights."""

import collections
import os
import pickle
from pathlib import Path

import pytest

from shared.errors import ModelDamaged
from shared.models.weights import Format, format_of, load_torchscript, load_weights


class Hostile:
    """An object that writes a file when it is unpickled."""

    def __init__(self, mark: Path):
        self.mark = mark

    def __reduce__(self):
        return os.system, (f"touch {self.mark}",)


@pytest.fixture(scope="module")
def tensors():
    import torch

    return {"a.weight": torch.arange(6, dtype=torch.float32).reshape(2, 3), "a.bias": torch.ones(3, dtype=torch.float16)}


def same(tensors, expected) -> bool:
    return tensors.keys() == expected.keys() and all(
        (tensors[name] == expected[name]).all() and tensors[name].dtype == expected[name].dtype for name in expected
    )


def write(kind: str, path: Path, content) -> None:
    import torch
    from safetensors.torch import save_file

    if kind == "safetensors":
        save_file(content, path)
    else:
        torch.save(content, path, _use_new_zipfile_serialization=kind != "pickle")


@pytest.mark.parametrize(("kind", "name"), [("safetensors", "w.pth"), ("torch", "w.onnx"), ("pickle", "w.bin")])
def test_weights_are_loaded_by_what_a_file_contains(tmp_path, tensors, kind, name):
    path = tmp_path / name
    write(kind, path, tensors)
    assert format_of(path) == kind
    assert same(load_weights(path), tensors)


def test_a_state_dictionary_inside_is_found(tmp_path, tensors):
    path = tmp_path / "w.pth"
    write("torch", path, {"epoch": 3, "state_dict": collections.OrderedDict(tensors)})
    assert same(load_weights(path), tensors)


@pytest.mark.parametrize("kind", ["torch", "pickle"])
def test_a_hostile_pickle_is_refused_and_runs_nothing(tmp_path, tensors, kind):
    path, mark = tmp_path / "w.pth", tmp_path / "mark"
    write(kind, path, {**tensors, "more": Hostile(mark)})
    with pytest.raises(ModelDamaged, match="contains more than weights"):
        load_weights(path)
    assert not mark.exists()
    import torch

    torch.load(path, weights_only=False)
    assert mark.exists(), "it does run where it is let"


def test_a_bare_pickle_is_refused_and_runs_nothing(tmp_path):
    path, mark = tmp_path / "w.safetensors", tmp_path / "mark"
    path.write_bytes(pickle.dumps(Hostile(mark)))
    assert format_of(path) is Format.PICKLE
    with pytest.raises(ModelDamaged, match="contains pickle"):
        load_weights(path)
    with pytest.raises(ModelDamaged, match="contains more than weights"):
        load_weights(path.rename(tmp_path / "w.pth"))
    assert not mark.exists()


def test_a_file_without_weights_is_refused(tmp_path, tensors):
    for number, content in enumerate(([1, 2], {}, {"a": 1}, tensors["a.bias"])):
        path = tmp_path / f"{number}.pth"
        write("torch", path, content)
        with pytest.raises(ModelDamaged, match="does not contain a dictionary of tensors"):
            load_weights(path)


@pytest.mark.parametrize("kind", ["safetensors", "torch", "pickle"])
def test_damaged_files_are_refused(tmp_path, tensors, kind):
    path = tmp_path / "w"
    write(kind, path, tensors)
    content = path.read_bytes()
    for damaged in (content[: len(content) // 2], content[:20], b"", b"\0" * 100, b"PK\x03\x04 and nothing else"):
        path.write_bytes(damaged)
        with pytest.raises(ModelDamaged, match="w cannot be loaded: it "):
            load_weights(path)


def test_other_files_are_named(tmp_path):
    for content, kind in ((b"\x89HDF\r\n\x1a\n" + b"\0" * 9, "hdf5"), (b"\x08\x07\x12\x04onnx", "unknown")):
        path = tmp_path / "w.pth"
        path.write_bytes(content)
        with pytest.raises(ModelDamaged, match=f"it contains {kind}, not PyTorch weights"):
            load_weights(path)


def test_a_pickle_under_the_name_of_safetensors_is_refused(tmp_path, tensors):
    path = tmp_path / "model.safetensors"
    write("torch", path, tensors)
    with pytest.raises(ModelDamaged, match="but it contains torch"):
        load_weights(path)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_torchscript_program_runs(tmp_path, tensors):
    import torch

    class Double(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x * 2

    path = tmp_path / "w.pt"
    torch.jit.script(Double()).save(str(path))
    assert format_of(path) is Format.TORCHSCRIPT
    assert load_torchscript(path)(torch.ones(2)).tolist() == [2, 2]
    with pytest.raises(ModelDamaged, match="contains torchscript, not PyTorch weights"):
        load_weights(path)
    write("torch", path, tensors)
    with pytest.raises(ModelDamaged, match="contains torch, not TorchScript"):
        load_torchscript(path)
