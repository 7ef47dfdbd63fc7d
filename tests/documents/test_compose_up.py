"""`make compose-up` with a stand-in for Docker.

The tests check versions, files, order of the commands, and refusals.

tests/deployment runs it with a real engine.
"""

import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
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
        (folder / "Makefile").write_text((ROOT / "Makefile").read_text())

    def make(self, *arguments: str, compose: str = "echo v2.29.7", engine: str = "echo 27.1.1", settings: str = ":", up: str = ":") -> str:
        """Run `make compose-up`; return its exit code and its output.

        The code is 0 or 1; the output is one text.

        `compose`, `engine`, `settings`, `up`: shell commands that stand for those of Docker.
        """
        docker = self.folder / "docker"
        docker.write_text(DOCKER.format(calls=self._calls, compose=compose, engine=engine, settings=settings, up=up))
        docker.chmod(0o755)
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("REELWRIGHT_", "COMPOSE_", "MAKE"))}
        path = f"{self.folder}:{os.environ['PATH']}"
        command = ["make", "compose-up", *arguments]
        done = subprocess.run(command, cwd=self.folder, env=environment | {"PATH": path}, capture_output=True, text=True)
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
