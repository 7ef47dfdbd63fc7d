"""MatAnyone frame by frame, with a stand-in package of the same interface."""

import importlib
import sys

import numpy as np
import pytest

from services.matting.matanyone.package import install_command, load_matanyone
from services.matting.matanyone.stream import WARM_UP, Stream, large_enough, patches
from shared.errors import Invalid, Unavailable
from tests.services.matting import fake_matanyone

H, W = 96, 128


@pytest.fixture
def package(tmp_path, monkeypatch):
    def install(name="matanyone"):
        fake_matanyone.install(tmp_path, name)
        importlib.invalidate_caches()
        return name

    monkeypatch.syspath_prepend(tmp_path)
    before = set(sys.modules)
    yield install
    for name in set(sys.modules) - before:
        if name.partition(".")[0] in ("matanyone", "matanyone2", "omegaconf", "einops", "imageio"):
            del sys.modules[name]


def pictures(count, size=(H, W)):
    return [np.full((*size, 3), 20 * number % 256, np.uint8) for number in range(count)]


def mask_of(left):
    mask = np.zeros((H, W), np.uint8)
    mask[:, left : left + 30] = 255
    return mask


@pytest.mark.parametrize("name", ["matanyone", "matanyone2"])
def test_both_packages_load_without_torchvision(package, name):
    loaded = load_matanyone(package(name), None)
    assert not loaded.network.training
    assert "torchvision" not in sys.modules


def test_weights_are_loaded(package, tmp_path):
    import torch

    torch.save({"gain": torch.tensor(3.0)}, tmp_path / "weights.pth")
    assert load_matanyone(package(), tmp_path / "weights.pth").network.gain.item() == 3


def test_steps_are_those_of_the_package(package):
    stream = Stream(load_matanyone(package(), None))
    for number, picture in enumerate(pictures(4)):
        alphas = stream.step(picture, {"dancer": mask_of(40)} if number == 0 else None)
        assert alphas["dancer"].shape == (H, W)
        assert alphas["dancer"].dtype == np.float32
        assert 0 <= alphas["dancer"].min() <= alphas["dancer"].max() <= 1
    (core,) = stream._matanyone.network.cores
    assert core.calls == ["mask", *["warm-up"] * WARM_UP, "step", "step", "step"]
    assert WARM_UP == 11


def test_subjects_have_a_core_each_and_share_features(package):
    stream = Stream(load_matanyone(package(), None))
    masks = {"left": mask_of(0), "right": mask_of(90)}
    frames = pictures(3)
    results = [stream.step(picture, masks if number == 0 else None) for number, picture in enumerate(frames)]
    network = stream._matanyone.network
    assert len(network.cores) == 2
    assert network.encoded == 3
    for name, mask in masks.items():
        alone = Stream(load_matanyone("matanyone", None))
        for number, picture in enumerate(frames):
            alpha = alone.step(picture, {name: mask} if number == 0 else None)[name]
            assert np.array_equal(alpha, results[number][name])


def test_a_later_mask_begins_its_subject_anew_and_no_other(package):
    frames = pictures(5)
    stream = Stream(load_matanyone(package(), None))
    stream.step(frames[0], {"a": mask_of(0), "b": mask_of(60)})
    stream.step(frames[1])
    later = [stream.step(frames[2], {"a": mask_of(20)}), stream.step(frames[3])]
    fresh = Stream(load_matanyone("matanyone", None))
    expected = [fresh.step(frames[2], {"a": mask_of(20)}), fresh.step(frames[3])]
    assert all(np.array_equal(alpha["a"], right["a"]) for alpha, right in zip(later, expected, strict=True))
    assert sorted(later[0]) == ["a", "b"]


def test_there_is_no_matte_before_the_first_mask(package):
    stream = Stream(load_matanyone(package(), None))
    frames = pictures(3)
    assert stream.step(frames[0]) == {}
    assert list(stream.step(frames[1], {"a": mask_of(0)})) == ["a"]
    assert list(stream.step(frames[2])) == ["a"]


def test_memory_does_not_grow(package):
    stream = Stream(load_matanyone(package(), None))
    for number, picture in enumerate(pictures(30)):
        stream.step(picture, {"a": mask_of(0)} if number == 0 else None)
    (core,) = stream._matanyone.network.cores
    assert len(core.memory) == 5


def test_small_clips_are_refused_with_a_size_that_works(package):
    stream = Stream(load_matanyone(package(), None))
    with pytest.raises(Invalid, match="enlarge the clip to"):
        stream.step(np.zeros((64, 64, 3), np.uint8))
    assert large_enough(640, 360) == (640, 360)
    for size in ((64, 64), (16, 200), (1, 1), (90, 60)):
        assert patches(*large_enough(*size)) >= 30


def test_a_mask_of_another_size_is_refused(package):
    stream = Stream(load_matanyone(package(), None))
    with pytest.raises(Invalid, match="mask a has 128 x 90"):
        stream.step(np.zeros((H, W, 3), np.uint8), {"a": np.zeros((90, W), np.uint8)})


def test_what_is_missing_is_named_with_its_command(package):
    assert "pip install --no-deps git+https://github.com/pq-yang/MatAnyone2" in install_command("matanyone2")
    assert install_command(package("matanyone2")) in (None, "pip install tqdm")


def test_an_unknown_package_layout_is_reported(package, tmp_path):
    package()
    (tmp_path / "matanyone" / "model" / "matanyone.py").write_text("")
    with pytest.raises(Unavailable, match="matanyone cannot be loaded"):
        load_matanyone("matanyone", None)
