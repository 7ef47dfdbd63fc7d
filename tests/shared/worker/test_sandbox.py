"""The sandbox: a job opens only its inputs, connects nowhere, reads no secret."""

import ctypes
import fnmatch
import glob
import json
import os
import re
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from shared.errors import OperationFailed
from shared.file_calls import FileRequest
from shared.jobs.running.sandboxes import LOCKS, Sandboxes, layers
from shared.media.store import MediaStore, NewMedium
from shared.models.catalog.table import CATALOG
from shared.models.preparation import CONVERTED
from shared.operation import Kind
from shared.settings import Settings, owner_of
from shared.worker import Limits, Slot
from shared.worker.sandbox import Sandbox, landlock, system_calls
from shared.worker.sandbox.paths import OWN, SHARED_MEMORY, SHARED_MEMORY_FOR, has_gpu, rules, without
from shared.worker.sandbox.plan import SandboxMissing
from tests.misbehaving.server import Server, serving_one
from tests.shared.slow import OUTSIDE, PROGRAM, Empty

KEY = "open-sesame-open-sesame-open"
NEEDS_LANDLOCK = pytest.mark.skipif(not landlock.version(), reason="this kernel has no Landlock")


def medium(store: MediaStore, owner: str, text: str) -> str:
    with store.incoming() as incoming:
        incoming.content.write_text(text)
        new = NewMedium(
            owner=owner, name=f"{text}.json", kind=Kind.JSON, content_type="application/json", suffix=".json", source="upload", media=None
        )
        return store.publish(incoming, new).id


def trespass(server: Server, *, files: list[Path], folders: list[Path]) -> dict[str, str]:
    """Run a test operation that tries forbidden accesses; return each attempt's outcome."""
    store = MediaStore(server.data_dir / "media", ttl_s=1000)
    own_id, foreign_id = medium(store, owner_of(KEY), "mine"), medium(store, "k" + "0" * 16, "theirs")
    foreign = store.content_path("k" + "0" * 16, foreign_id)
    local = Path(tempfile.mkdtemp()) / "socket"  # short enough for the path of a socket
    with socket.create_server(("127.0.0.1", 0)) as listening, socket.socket(socket.AF_UNIX) as also_listening:
        also_listening.bind(str(local))
        also_listening.listen()
        attempts = {
            "server": server.pid,
            "files": [str(path) for path in (*files, foreign)],
            "folders": [str(path) for path in folders],
            "port": listening.getsockname()[1],
            "local": str(local),
        }
        server.client.headers["X-API-Key"] = KEY
        job = server.wait(server.submit("trespass", inputs={"first": own_id}, params={"log": json.dumps(attempts)})["id"])
    assert job["status"] == "succeeded", job["error"]
    outcomes: dict[str, str] = json.loads(store.content_path(owner_of(KEY), job["outputs"]["file"]["id"]).read_text())
    return {name: outcome for name, outcome in outcomes.items() if outcome != "done"} | {
        "done": ", ".join(sorted(name for name, outcome in outcomes.items() if outcome == "done"))
    }


@pytest.fixture
def places(tmp_path: Path) -> Iterator[tuple[list[Path], list[Path]]]:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "notes.txt").write_text("private")
    data = tmp_path / "data"
    return (
        [data / "jobs.sqlite", outside / "notes.txt", Path("/etc/passwd"), Path("/etc/hostname")],
        [outside, data, data / "media", Path("/etc"), Path("/tmp")],
    )


@NEEDS_LANDLOCK
def test_a_job_reaches_only_its_inputs_and_temporary_files(tmp_path: Path, places: tuple[list[Path], list[Path]]) -> None:
    with serving_one(tmp_path / "data", API_KEYS=KEY, SANDBOX_WRITE="") as server:
        closed = [] if any(glob.glob(pattern) for pattern in SHARED_MEMORY_FOR) else [Path(SHARED_MEMORY)]
        closed += [] if has_gpu() else [tmp_path / "data" / LOCKS]
        outcomes = trespass(server, files=places[0], folders=[*places[1], *closed])
        assert outcomes.pop("done") == "input, temporary file"
        assert set(outcomes.values()) == {"PermissionError"}
        ready = server.client.get("/ready").json()["sandbox"]
        assert {layer["name"]: layer["active"] for layer in ready} == dict.fromkeys(layers_in_documentation(), True)
        assert all(layer["detail"] for layer in ready)
        about = reported(server)
        assert (about["status"]["NoNewPrivs"], about["status"]["Seccomp"]) == ("1", "2")
        assert {int(about["status"][name], 16) for name in ("CapEff", "CapPrm", "CapInh")} == {0}
        assert "REELWRIGHT_API_KEYS" not in about["environ"]
        assert KEY not in json.dumps(about)
        assert not list((tmp_path / "data" / "slots").glob("*/*/in/*"))
        slots = tmp_path / "data" / "slots"
        assert slots.stat().st_mode & 0o777 == 0o700
    assert not list(slots.iterdir())


def test_without_landlock_the_secrets_of_the_server_stay_closed(tmp_path: Path) -> None:
    # Mode `off` has the protections of a kernel without Landlock and seccomp.
    with serving_one(tmp_path / "data", API_KEYS=KEY, SANDBOX="off") as server:
        outcomes = trespass(server, files=[], folders=[])
        assert (outcomes["environ"], outcomes["memory"]) == ("PermissionError", "PermissionError")
        assert "connect" in outcomes["done"]
        assert any("REELWRIGHT_SANDBOX=off" in line for line in server.log)
        active = {layer["name"]: layer["active"] for layer in server.client.get("/ready").json()["sandbox"]}
        assert active == {"landlock": False, "seccomp": False, "privileges": True, "server-memory": True, "environment": True}
        about = reported(server)
        assert (about["status"]["NoNewPrivs"], about["status"]["Seccomp"], int(about["status"]["CapEff"], 16)) == ("1", "0", 0)


def test_each_layer_that_is_missing_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def inactive(**values: Any) -> dict[str, str]:
        found = layers(Settings(data_dir=tmp_path, **values), serving=True)
        assert [layer.name for layer in found] == layers_in_documentation()
        return {layer.name: layer.detail for layer in found if not layer.active}

    open_memory = {"server-memory": "not closed by this system: jobs can read the keys in the server's memory"}
    monkeypatch.setattr("shared.worker.sandbox.privileges.memory_closed", lambda: False)
    monkeypatch.setattr(landlock, "version", lambda: 6)
    monkeypatch.setattr(system_calls, "supported", lambda: True)
    assert inactive() == open_memory
    assert inactive(models_auto_pull=True) == open_memory
    [seccomp] = [layer for layer in layers(Settings(data_dir=tmp_path, models_auto_pull=True)) if layer.name == "seccomp"]
    assert seccomp.detail.startswith("network for models (REELWRIGHT_MODELS_AUTO_PULL)")
    monkeypatch.setattr(landlock, "version", lambda: 0)
    monkeypatch.setattr(system_calls, "supported", lambda: False)
    monkeypatch.setattr("shared.worker.sandbox.privileges.supported", lambda: False)
    missing = inactive()
    assert missing.keys() == {"landlock", "seccomp", "privileges", "server-memory"}
    assert all(len(reason) > 20 for reason in missing.values())
    assert not {layer.name: layer.active for layer in layers(Settings(data_dir=tmp_path))}["server-memory"]


def layers_in_documentation() -> list[str]:
    """Return the names of the layers in the table of SECURITY.md."""
    text = Path(__file__).parents[3].joinpath("SECURITY.md").read_text()
    return re.findall(r"^\| [^|`]+ \| `([a-z-]+)` \|", text, re.MULTILINE)


def reported(server: Server) -> dict[str, Any]:
    """Run a job that reports on its own process; return the report."""
    server.client.headers["X-API-Key"] = KEY
    job = server.run("environment")
    store = MediaStore(server.data_dir / "media", ttl_s=1000)
    report: dict[str, Any] = json.loads(store.content_path(owner_of(KEY), job["outputs"]["file"]["id"]).read_text())
    return report


def test_a_required_sandbox_that_is_missing_refuses_calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(landlock, "version", lambda: 0)
    assert landlock.restrict([], tcp=False) == 0
    code = (
        "from shared.worker.sandbox import Sandbox, enter, landlock; landlock.version = lambda: 0\n"
        f"enter(Sandbox(folder={str(tmp_path)!r}, data_dir={str(tmp_path)!r}, mode='require'))"
    )
    (tmp_path / "tmp").mkdir()
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert SandboxMissing.__name__ in done.stderr.splitlines()[-1]


async def test_a_python_program_started_in_the_sandbox_finds_the_project(tmp_path: Path) -> None:
    sandbox = Sandbox(folder=str(tmp_path / "slot"), data_dir=str(tmp_path), packages=("tests",))
    slot = Slot(Limits(timeout_s=60, memory_bytes=2**30), sandbox)
    try:
        assert (await slot.call(PROGRAM, Empty())).text == "shared.operation"
        with pytest.raises(OperationFailed, match="PermissionError"):
            await slot.call(OUTSIDE, FileRequest(path=str(tmp_path)))
    finally:
        await slot.kill()


@NEEDS_LANDLOCK
@pytest.mark.parametrize("listed", [None, "", os.pathsep, f"/usr/none{os.pathsep}", str(OWN)])
async def test_a_job_reads_nothing_in_the_folder_that_the_server_was_started_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, listed: str | None
) -> None:
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.chdir(home)
    monkeypatch.delenv("PYTHONPATH", raising=False)
    if listed is not None:
        monkeypatch.setenv("PYTHONPATH", listed)
    slot = Slot(
        Limits(timeout_s=60, memory_bytes=2**30), Sandbox(folder=str(tmp_path / "slot"), data_dir=str(tmp_path), packages=("tests",))
    )
    try:
        assert (await slot.call(PROGRAM, Empty())).text == "shared.operation"
        for folder in (home, OWN):
            with pytest.raises(OperationFailed, match="PermissionError"):
                await slot.call(OUTSIDE, FileRequest(path=str(folder)))
    finally:
        await slot.kill()


def test_the_packages_of_a_checkout_are_open_wherever_they_are_imported_from(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    # An editable installation finds them without an entry of sys.path.
    monkeypatch.chdir(tmp_path)
    sandbox = Sandbox(folder=str(tmp_path / "slot"), data_dir=str(tmp_path / "data"), packages=("services",))
    for entries in ([], [""], [str(OWN)]):
        monkeypatch.setattr(sys, "path", entries)
        allowed = {path for path, _ in rules(sandbox)}
        assert allowed >= {OWN / "shared", OWN / "services"}
        assert not allowed & {OWN, tmp_path}


def test_each_landlock_version_gets_the_rights_that_it_knows(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    # The numbers passed to the kernel are recorded.
    calls: list[tuple[int, tuple[int, ...]]] = []

    def record(number: int, *arguments: object) -> int:
        numbers = []
        for argument in arguments:
            structure = getattr(argument, "_obj", None)
            numbers += [getattr(structure, name) for name, _ in structure._fields_] if structure is not None else [argument]
        calls.append((number, tuple(number for number in numbers if isinstance(number, int))))
        return os.open(os.devnull, os.O_RDONLY) if number == landlock.CREATE_RULESET else 0

    monkeypatch.setattr(landlock, "_call", record)
    file = tmp_path / "file"
    file.write_text("")
    for version, rights, tcp, scopes in ((1, 0x1FFF, 0, 0), (2, 0x3FFF, 0, 0), (3, 0x7FFF, 0, 0), (4, 0x7FFF, 3, 0), (6, 0xFFFF, 3, 3)):
        calls.clear()
        monkeypatch.setattr(landlock, "version", lambda version=version: version)
        assert landlock.restrict([(file, landlock.WRITE), (tmp_path / "missing", landlock.READ)], tcp=False) == version
        (created, arguments), (added, rule), (restricted, _) = calls
        assert (created, added, restricted) == (444, 445, 446)
        assert arguments == (rights, tcp, scopes, 24, 0)
        assert rule[2] == int(landlock.WRITE & landlock.ON_FILES) & rights


def test_only_jobs_may_use_the_network_and_only_their_services_models(tmp_path: Path) -> None:
    def access(service: str, **values: Any) -> tuple[bool, set[str]]:
        settings = Settings(data_dir=tmp_path, models_dir=tmp_path / "models", **values)
        sandbox = Sandboxes(settings).new(packages=("services",), service=service)
        return sandbox.network, {path for path in sandbox.writable if path.startswith(str(tmp_path / "models"))}

    assert access("") == access("", models_auto_pull=True) == access("keyframes") == (False, set())
    assert access("keyframes", models_auto_pull=True) == (True, {str(tmp_path / "models")})
    converted = {str(tmp_path / "models" / model.name / CONVERTED) for model in CATALOG if model.converts}
    assert access("aesthetics") == (False, converted)
    assert converted


def test_a_folder_that_holds_the_data_folder_is_opened_around_it(tmp_path: Path) -> None:
    for name in ("app/shared", "app/var/media", "lib"):
        (tmp_path / name).mkdir(parents=True)
    assert sorted(without(tmp_path, tmp_path / "app/var")) == [tmp_path / "app/shared", tmp_path / "lib"]
    assert list(without(tmp_path / "app/var/media", tmp_path / "app/var")) == []
    assert list(without(tmp_path / "lib", tmp_path / "app/var")) == [tmp_path / "lib"]


@pytest.mark.parametrize(("devices", "is_open"), [([], False), (["/dev/dri"], False), (["/dev/nvidia0"], True), (["/dev/kfd"], True)])
def test_shared_memory_is_open_only_beside_a_gpu_whose_driver_needs_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, devices: list[str], is_open: bool
) -> None:
    monkeypatch.setattr(glob, "glob", lambda pattern: fnmatch.filter(devices, pattern))
    allowed = dict(rules(Sandbox(folder=str(tmp_path / "slot"), data_dir=str(tmp_path))))
    assert (Path(SHARED_MEMORY) in allowed) is is_open
    assert {str(path) for path in allowed} >= set(devices)


def test_the_structure_of_a_rule_is_packed() -> None:
    assert ctypes.sizeof(landlock._PathRule) == 12
