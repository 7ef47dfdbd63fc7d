"""Fixtures of the model tests: a file server, and a fresh models folder.

Each test gets a folder of its own.
"""

from collections.abc import Iterator

import pytest

from tests.shared.models.file_server import FileServer, file_server


@pytest.fixture
def server() -> Iterator[FileServer]:
    with file_server() as started:
        yield started


@pytest.fixture(autouse=True)
def models_folder_of_this_test(tmp_path, monkeypatch, use_settings):
    """Give each test its own models folder.

    Variables of the environment that affect pulling are removed.
    """
    monkeypatch.setenv("REELWRIGHT_MODELS_DIR", str(tmp_path / "models"))
    for name in ("REELWRIGHT_MODELS_AUTO_PULL", "MODELS_AUTO_PULL", "REELWRIGHT_MODELS_MIRROR", "HF_TOKEN", "HF_ENDPOINT"):
        monkeypatch.delenv(name, raising=False)
    use_settings()
