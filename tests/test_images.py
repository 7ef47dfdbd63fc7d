"""Images and containers of every service, with minimal privileges.

tests/deployment builds and runs them; that needs a Docker engine.
"""

import json
import tomllib
from importlib.metadata import Distribution
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement

from containers import install
from containers.install import GPU, requirements
from reelwright import ROOMS
from shared.settings import Settings

ROOT = Path(__file__).parent.parent
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yaml").read_text())
CONTAINERS: dict[str, Any] = COMPOSE["services"]
SERVICES = {room.name: ROOT / room.package.replace(".", "/") / "Dockerfile" for room in ROOMS}
IMAGES = SERVICES | {"gateway": ROOT / "gateway" / "Dockerfile"}


@pytest.mark.parametrize("name", IMAGES)
def test_an_image_contains_only_its_extra_and_its_code(name: str) -> None:
    text = IMAGES[name].read_text()
    assert text.partition("FROM video\n")[0] == IMAGES["gateway"].read_text().partition("FROM video\n")[0], "these layers are shared"
    installs = [line for line in text.splitlines() if "install.py" in line]
    assert f"install.py {name}" in installs[-1] or ("install.py ${EXTRA}" in installs[-1] and f"ARG EXTRA={name}\n" in text)
    own = IMAGES[name].parent.relative_to(ROOT).as_posix()
    assert [line.split()[1] for line in text.splitlines() if line.startswith("COPY")][1:] == [
        "containers",
        "reelwright.py",
        "shared",
        "services/__init__.py",
        own,
    ]
    assert text.splitlines()[-1] == f'CMD ["serve", "{name}"]'
    assert "USER 10001:10001" in text


@pytest.mark.parametrize("name", IMAGES)
def test_every_service_has_a_container(name: str) -> None:
    container = CONTAINERS[name]
    assert container["build"]["dockerfile"] == IMAGES[name].relative_to(ROOT).as_posix()
    environment = container["environment"]
    assert name in environment["REELWRIGHT_TRUSTED_HOSTS"].split(",")
    if name == "gateway":
        assert json.loads(environment["REELWRIGHT_SERVICE_URLS"]) == {service: f"http://{service}:8080" for service in SERVICES}


@pytest.mark.parametrize("name", SERVICES)
def test_all_jobs_at_once_fit_into_a_container(name: str) -> None:
    def default(text: str) -> str:
        """Return the default of a value such as ${NAME:-default}."""
        return text.partition(":-")[2].removesuffix("}")

    environment = CONTAINERS[name]["environment"]
    jobs, memory = (int(default(environment[f"REELWRIGHT_{setting}"])) for setting in ("CONCURRENCY", "JOB_MEMORY_BYTES"))
    assert jobs * memory < int(default(CONTAINERS[name]["mem_limit"]).removesuffix("g")) * 1024**3


@pytest.mark.parametrize("name", CONTAINERS)
def test_containers_have_minimal_privileges(name: str) -> None:
    container = CONTAINERS[name]
    assert container["read_only"] is True
    assert container["cap_drop"] == ["ALL"]
    assert container["security_opt"] == ["no-new-privileges:true"]
    assert container["mem_limit"]
    assert container["pids_limit"]
    assert ("ports" in container) == (name == "gateway")
    assert "privileged" not in container
    assert ("cap_add" in container) == (name == "secrets")
    assert ("healthcheck" in container) == (name != "secrets")


@pytest.mark.parametrize("name", CONTAINERS)
def test_images_are_built_and_logs_bounded(name: str) -> None:
    # The suite's images are never pulled, since anybody may own their names.
    container = CONTAINERS[name]
    assert (container.get("pull_policy") == "build") == (name in IMAGES)
    assert container["logging"]["options"].keys() == {"max-size", "max-file"}


def test_the_port_is_published_on_loopback_by_default() -> None:
    assert CONTAINERS["gateway"]["ports"] == ["${REELWRIGHT_HOST:-127.0.0.1}:${REELWRIGHT_PORT:-8080}:8080"]
    assert CONTAINERS["gateway"]["environment"]["REELWRIGHT_PUBLISHED_HOST"] == "${REELWRIGHT_HOST:-127.0.0.1}"


def test_the_gpu_file_extends_existing_containers_only() -> None:
    added = yaml.safe_load((ROOT / "docker-compose.gpu.yaml").read_text())["services"]
    assert added.keys() <= CONTAINERS.keys()
    for container in added.values():
        devices = container["deploy"]["resources"]["reservations"]["devices"]
        assert devices == [{"driver": "nvidia", "count": "all", "capabilities": ["gpu"]}]


def test_networks_get_builds_for_a_gpu() -> None:
    added = yaml.safe_load((ROOT / "docker-compose.gpu.yaml").read_text())["services"]
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    built = {name: container["build"]["args"] for name, container in added.items() if "build" in container}
    assert built.keys() == {extra.removesuffix(GPU) for extra in extras if extra.endswith(GPU)} == {"aesthetics", "background", "matting"}
    for name, arguments in built.items():
        assert arguments.pop("EXTRA") == f"{name}{GPU}"
        assert "install.py ${EXTRA}" in IMAGES[name].read_text()
        assert added[name]["image"].startswith(f"reelwright/{name}{GPU}:")
    # The index for CPUs, which TORCH_INDEX may name in .env for keyframes, must not reach the image with CUDA.
    assert built == {"aesthetics": {}, "background": {"TORCH_INDEX": "${TORCH_CUDA_INDEX:-}"}, "matting": {}}


@pytest.mark.parametrize("wheel", ["2.13.0+cpu", "2.13.0+cu128"])
@pytest.mark.parametrize("index", ["", "https://download.pytorch.org/whl/cu128"])
def test_an_image_for_a_gpu_is_not_built_with_a_torch_for_cpus(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, wheel: str, index: str
) -> None:
    cuda = None if wheel.endswith("cpu") else "12.8"
    (tmp_path / "torch").mkdir()
    (tmp_path / "torch/version.py").write_text(f"__version__ = {wheel!r}\ncuda = {cuda!r}\n")
    (tmp_path / "torch.dist-info").mkdir()
    (tmp_path / "torch.dist-info/METADATA").write_text(f"Name: torch\nVersion: {wheel}\n")
    commands: list[list[str]] = []
    monkeypatch.setattr(install, "__file__", str(ROOT / "install.py"))
    monkeypatch.setattr(install, "repeat", commands.append)
    monkeypatch.setattr(install, "distribution", lambda _: Distribution.at(tmp_path / "torch.dist-info"))
    monkeypatch.setenv("TORCH_INDEX", index)
    install.main(["background"])
    if cuda is None:
        with pytest.raises(SystemExit, match=r"torch 2\.13\.0\+cpu has no CUDA: give another index as TORCH_CUDA_INDEX"):
            install.main(["background-gpu"])
    else:
        install.main(["background-gpu"])
    assert [command[3] for command in commands] == (["download", "install"] if index else ["install"]) * 2
    assert all(f"--index-url={index}" in command for command in commands if command[3] == "download")


def test_nested_extras_are_expanded() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    packages = list(requirements(project, ["speed-ramp"]))
    assert any(package.startswith("av~=") for package in packages)
    assert any(package.startswith("python-stretch") for package in packages)
    assert not any("reelwright" in package for package in packages)
    with pytest.raises(KeyError):
        list(requirements(project, ["no-such-extra"]))


@pytest.mark.parametrize(
    ("system", "machine", "expected"),
    [
        ("linux", "x86_64", {"python-stretch", "tensorflow-cpu"}),
        ("linux", "aarch64", {"tensorflow"}),
        ("darwin", "arm64", {"python-stretch", "tensorflow"}),
    ],
)
def test_packages_without_a_wheel_are_left_out(system: str, machine: str, expected: set[str]) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    environment = {"sys_platform": system, "platform_machine": machine}
    listed = [Requirement(text) for text in requirements(project, ["all"])]
    installed = {package.name for package in listed if package.marker is None or package.marker.evaluate(environment)}
    assert installed & {"python-stretch", "tensorflow", "tensorflow-cpu"} == expected
    assert {"av", "openvino", "onnxruntime", "torch"} <= installed


OF_THE_FILE = {"HOST", "PORT", "DATA_DIR", "MODELS_DIR", "SERVICE_URLS", "DATABASE_PASSWORD"}
"""Settings whose values the compose file fixes, or generates as secrets."""


@pytest.mark.parametrize("name", IMAGES)
def test_every_setting_reaches_the_containers(name: str) -> None:
    # A missing setting, such as the API keys, would be ignored silently.
    settings = {f"REELWRIGHT_{field.upper()}" for field in Settings.model_fields if field.upper() not in OF_THE_FILE}
    assert settings <= set(CONTAINERS[name]["environment"])
    assert "REELWRIGHT_DATABASE_PASSWORD" not in CONTAINERS[name]["environment"], "docker inspect would show it"
