"""Models in the child processes that run jobs."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from shared.errors import ModelDamaged, ModelMissing
from shared.worker import Limits, Slot
from shared.worker.operation_run import PERFORM, OperationCall
from shared.worker.protocol import Update
from tests.shared.models.file_server import FileServer
from tests.shared.models.using import NAME, USE

FILE = "rvm_resnet50_fp32.onnx"


@pytest.fixture
async def slot() -> AsyncIterator[Slot]:
    slot = Slot(Limits(timeout_s=60, memory_bytes=2**30))
    yield slot
    await slot.kill()


async def use(slot: Slot, folder: Path, updates: list[Update] | None = None) -> dict[str, Any]:
    async def listen(update: Update) -> None:
        if updates is not None:
            updates.append(update)

    call = OperationCall(module="tests.shared.models.using", operation=USE.name, params={}, inputs={}, folder=str(folder))
    return (await slot.call(PERFORM, call, listen)).result


async def test_one_loaded_model_serves_all_jobs_of_a_child_process(slot, tmp_path):
    with pytest.raises(ModelMissing, match="Run: reelwright models pull rvm-resnet50"):
        await use(slot, tmp_path)
    assert USE.unavailable(USE.example) == "reelwright models pull rvm-resnet50"
    weights = tmp_path / "models" / NAME / FILE
    weights.parent.mkdir(parents=True)
    weights.write_bytes(b"weights")
    assert USE.unavailable(USE.example) is None
    first, second = [await use(slot, tmp_path) for _ in range(2)]
    assert first == second
    assert first["sizes"] == [7]
    assert first["models"][0]["licence"] == "GPL-3.0"
    assert first["models"][0]["commercial_use"] is True
    weights.write_bytes(b"other weights")
    with pytest.raises(ModelDamaged, match="has changed"):
        await use(slot, tmp_path)


@pytest.mark.parametrize("variable", ["REELWRIGHT_MODELS_AUTO_PULL", "MODELS_AUTO_PULL"])
async def test_a_job_downloads_where_allowed_and_reports_it(slot, tmp_path, monkeypatch, server: FileServer, variable, use_settings):
    server.put(f"/{NAME}/{FILE}", b"w" * 1000)
    monkeypatch.setenv("REELWRIGHT_MODELS_MIRROR", server.url)
    monkeypatch.setenv(variable, "1")
    use_settings()
    assert USE.unavailable(USE.example) is None
    updates: list[Update] = []
    assert (await use(slot, tmp_path, updates))["sizes"] == [1000]
    stages = [update.stage for update in updates]
    assert stages[0] == "downloading Robust Video Matting, ResNet50"
    assert updates[-1].fraction == 1


async def test_the_default_folder_is_that_of_the_data_folder(slot, tmp_path, monkeypatch):
    monkeypatch.delenv("REELWRIGHT_MODELS_DIR")
    monkeypatch.setenv("REELWRIGHT_DATA_DIR", str(tmp_path / "data"))
    weights = tmp_path / "data/models" / NAME / FILE
    weights.parent.mkdir(parents=True)
    weights.write_bytes(b"weights")
    assert (await use(slot, tmp_path))["sizes"] == [7]
