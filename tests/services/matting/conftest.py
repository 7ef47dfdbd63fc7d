"""Fixtures of the matting tests: tiny networks under the published names."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.models.cache import model_cache
from tests.services.matting.made_networks import make_rvm, make_saliency


@pytest.fixture(scope="session")
def made_models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    make_rvm(folder / "rvm-resnet50/rvm_resnet50_fp32.onnx")
    make_saliency(folder / "rmbg-2.0/model.onnx", 1024)
    return folder


@pytest.fixture
def models(made_models: Path, use_settings) -> Iterator[Path]:
    """Install tiny networks as `rvm-resnet50` and `rmbg2`, on the CPU."""
    use_settings(models_dir=made_models, device="cpu")
    yield made_models
    model_cache().drop()
