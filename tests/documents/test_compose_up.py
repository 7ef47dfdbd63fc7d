"""`make compose-up` with a stand-in for Docker.

The tests check versions, files, order of the commands, and refusals.

tests/deployment runs it with a real engine.
"""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from containers.check_settings import OF_ONE_PROCESS, known, wrong
from shared.settings import Settings

ROOT = Path(__file__).parents[2]
NEEDED = (
    "Makefile",
    "docker-compose.yaml",
    "docker-compose.gpu.yaml",
    "containers/check_settings.py",
    "shared/__init__.py",
    "shared/cli/__init__.py",
    "shared/cli/environment.py",
)
DOCKER = """#!/bin/sh
echo "$*" >> "{calls}"
case "$*" in
    "compose version --short") {compose} ;;
    "version --format"*) {engine} ;;
    *" models list") {settings} ;;
    *" up "*) {up} ;;
    *" logs "*) echo "speed-ramp-1  | error: the log of a container" ;;
esac
"""


class Stand:
    """A folder with the Makefile and a stand-in for `docker`.

    The stand-in records its calls.
    """

    def __init__(self, folder: Path):
        self.folder = folder
        self._calls = folder / "calls.txt"
        for name in NEEDED:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, folder / name)

    def make(
        self,
        *arguments: str,
        compose: str = "echo v2.29.7",
        engine: str = "echo 27.1.1",
        settings: str = ":",
        up: str = ":",
        **variables: str,
    ) -> str:
        """Run `make compose-up`; return its exit code and its output.

        The code is 0 or 1; the output is one text.

        `compose`, `engine`, `settings`, `up`: shell commands that stand for those of Docker. `variables`: of the environment.
        """
        docker = self.folder / "docker"
        docker.write_text(DOCKER.format(calls=self._calls, compose=compose, engine=engine, settings=settings, up=up))
        docker.chmod(0o755)
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("REELWRIGHT_", "COMPOSE_", "MAKE"))}
        path = f"{self.folder}:{os.environ['PATH']}"
        command = ["make", "compose-up", *arguments]
        done = subprocess.run(command, cwd=self.folder, env=environment | {"PATH": path} | variables, capture_output=True, text=True)
        return f"{min(done.returncode, 1)}\n{done.stdout}{done.stderr}"

    def calls(self) -> list[str]:
        """Return the calls of Docker that do more than ask for a version."""
        return [line for line in self._calls.read_text().splitlines() if "version" not in line]


@pytest.fixture
def stand(tmp_path: Path) -> Stand:
    return Stand(tmp_path)


def test_secrets_and_settings_are_checked_before_the_start(stand: Stand) -> None:
    assert stand.make("GPU=0").startswith("0")
    files = "compose --file docker-compose.yaml"
    assert stand.calls() == [
        f"{files} build",
        f"{files} run --rm secrets",
        f"{files} run --rm --no-deps -T gateway models list",
        f"{files} up --detach --wait --wait-timeout 600",
    ]
    assert (stand.folder / "secrets").is_dir()


def test_refused_settings_are_printed_and_nothing_is_started(stand: Stand) -> None:
    refusal = "error: invalid settings: REELWRIGHT_HOST=0.0.0.0 can be reached by others"
    printed = stand.make("GPU=0", settings=f'echo "{refusal}" >&2; exit 1')
    assert printed.startswith("1")
    assert refusal in printed
    assert not [call for call in stand.calls() if " up " in call]


def test_a_container_that_does_not_start_shows_its_log(stand: Stand) -> None:
    printed = stand.make("GPU=0", up="exit 1")
    assert printed.startswith("1")
    assert "error: the log of a container" in printed


@pytest.mark.parametrize(
    ("versions", "refusal"),
    [
        ({"compose": "echo 2.23.3"}, "Compose 2.23.3 is too old: 2.24.0 or later is needed"),
        ({"compose": "echo v2.9.0"}, "Compose 2.9.0 is too old"),
        ({"engine": "echo 24.0.9"}, "Docker Engine 24.0.9 is too old: 25.0.0 or later is needed"),
        ({"compose": "exit 1"}, "Docker Engine with its Compose plug-in is needed"),
        ({"engine": 'echo "no daemon answers" >&2; exit 1'}, "no daemon answers"),
    ],
)
def test_old_and_missing_programs_are_named(stand: Stand, versions: dict[str, str], refusal: str) -> None:
    printed = stand.make("GPU=0", **versions)
    assert printed.startswith("1")
    assert refusal in printed
    assert stand.calls() == []


def test_the_files_follow_the_gpu_and_the_variable(stand: Stand) -> None:
    stand.make("GPU=1")
    assert stand.calls()[0] == "compose --file docker-compose.yaml --file docker-compose.gpu.yaml build"
    (stand.folder / "docker-compose.override.yaml").write_text("services: {}\n")
    stand.make("GPU=0")
    assert stand.calls()[4] == "compose --file docker-compose.yaml --file docker-compose.override.yaml build"
    (stand.folder / ".env").write_text("COMPOSE_FILE=docker-compose.yaml:docker-compose.gpu.yaml\n")
    stand.make("GPU=0")
    assert stand.calls()[8] == "compose build", "docker compose reads .env itself"


@pytest.mark.parametrize(
    ("line", "refusal"),
    [
        ("REELWRIGHT_CONCURENCY=4", "REELWRIGHT_CONCURENCY has no effect on containers. Did you mean REELWRIGHT_CONCURRENCY?"),
        ("export REELWRIGHT_API_KEY=abc", "REELWRIGHT_API_KEY has no effect on containers. Did you mean REELWRIGHT_API_KEYS?"),
        (" REELWRIGHT_DATA_DIR = /srv/data", "REELWRIGHT_DATA_DIR has no effect on containers. Did you mean REELWRIGHT_DATA_FOLDER?"),
        ("reelwright_device=cpu", "reelwright_device has no effect on containers. Did you mean REELWRIGHT_DEVICE?"),
        ("REELWRIGHT_SCALE_EFECTS=2", "REELWRIGHT_SCALE_EFECTS has no effect on containers. Did you mean REELWRIGHT_SCALE_EFFECTS?"),
        ("REELWRIGHT_QQQQ=1", "REELWRIGHT_QQQQ has no effect on containers."),
        ("REELWRIGTH_PORT=1", "REELWRIGTH_PORT has no effect on containers. Did you mean REELWRIGHT_PORT?"),
        ("TORCH_IDNEX=x", "TORCH_IDNEX has no effect on containers. Did you mean TORCH_INDEX?"),
    ],
)
def test_a_misspelt_setting_in_the_file_is_refused_before_anything_is_built(stand: Stand, line: str, refusal: str) -> None:
    (stand.folder / ".env").write_text(f"# REELWRIGHT_COMMENT=1\nREELWRIGHT_PORT=8081\n{line}\nCOMPOSE_ANSI=never\nMY_OWN=1\n")
    printed = stand.make("GPU=0")
    assert printed.startswith("1")
    assert printed.count("has no effect") == 1
    assert f".env: {refusal}\n" in printed
    assert stand.calls() == []


def test_a_misspelt_setting_in_the_environment_is_refused(stand: Stand) -> None:
    printed = stand.make(
        "GPU=0", REELWRIGHT_CONCURENCY="4", REELWRIGHT_API_KEY="of the command line", REELWRIGHT_DATA_DIR="of `reelwright up`"
    )
    assert printed.startswith("1")
    assert "REELWRIGHT_CONCURENCY is not a setting and has no effect. Did you mean REELWRIGHT_CONCURRENCY?" in printed
    assert printed.count("has no effect") == 1
    assert stand.calls() == []


def test_without_python_the_settings_are_checked_in_a_container(stand: Stand) -> None:
    assert stand.make("GPU=0", "PYTHON=no-python-here", REELWRIGHT_PORT="8081").startswith("0")
    first = stand.calls()[0]
    assert first.startswith(f"run --rm --network none --volume {stand.folder}:/suite:ro --workdir /suite --env REELWRIGHT_PORT ")
    assert first.endswith(" python:3.11-slim-bookworm python -m containers.check_settings")


def test_every_setting_and_the_example_file_are_accepted(tmp_path: Path) -> None:
    example = (ROOT / ".env.example").read_text()
    settings = {f"REELWRIGHT_{name.upper()}" for name in Settings.model_fields}
    compose = (ROOT / "docker-compose.yaml").read_text()
    assert settings - OF_ONE_PROCESS <= known([compose])
    for name in ("docker-compose.yaml", "docker-compose.gpu.yaml"):
        shutil.copyfile(ROOT / name, tmp_path / name)
    (tmp_path / ".env").write_text(re.sub(r"^#(?=\w+=)", "", example, flags=re.MULTILINE))
    assert list(wrong(tmp_path, [], [".env"])) == []
    assert len(re.findall(r"^\w+=", (tmp_path / ".env").read_text(), re.MULTILINE)) > 15
