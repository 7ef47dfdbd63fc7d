"""Fixtures of the deployment tests: a Docker engine, and a freshly built suite.

It is built from a clean copy of the repository.
"""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import docker
import pytest
from docker.errors import DockerException

from shared.sample_ids import SAMPLE_ID
from tests.deployment.deployment import Deployment
from tests.waiting import within

ROOT = Path(__file__).parent.parent.parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark all tests in this folder as deployment tests, with a long time limit.

    Building the images alone takes minutes.
    """
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.deployment)
            item.add_marker(pytest.mark.timeout(1800))


@pytest.fixture(scope="session")
def engine() -> Iterator[docker.DockerClient]:
    """Connect to the Docker engine that DOCKER_HOST names, or to the local one."""
    try:
        client = docker.from_env()
        client.ping()
    except DockerException as error:
        pytest.skip(f"no Docker engine answers (DOCKER_HOST says where one is): {error}")
    if shutil.which("docker") is None or subprocess.run(["docker", "compose", "version"], capture_output=True).returncode != 0:
        pytest.skip("there is a Docker engine, but no `docker compose` to build with")
    yield client
    client.close()


@pytest.fixture(scope="session")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Copy the files that a fresh clone of the repository would contain."""
    target = tmp_path_factory.mktemp("clone")
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=ROOT, capture_output=True, check=True
    )
    for name in listed.stdout.decode().strip("\0").split("\0"):
        if (ROOT / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target / name)
    return target


@pytest.fixture(scope="session")
def deployed(engine: docker.DockerClient, clone: Path) -> Iterator[Deployment]:
    """Build and start the suite once per session.

    Each container runs one job at a time.
    """
    deployment = Deployment(engine, clone, REELWRIGHT_CONCURRENCY="1")
    try:
        deployment.up()
        within(60, lambda: deployment.client.client.get(f"/v1/media/{SAMPLE_ID}").is_success, "the sample clip")
        yield deployment
    finally:
        deployment.clear_away()


@pytest.fixture
def suite(deployed: Deployment) -> Deployment:
    """Reset the suite to one healthy container per service."""
    deployed.up()
    return deployed
