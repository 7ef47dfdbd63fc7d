"""Upload and download of a 4 GiB file, with little memory in the gateway."""

import hashlib
import struct
import threading
from pathlib import Path

import pytest
from docker.models.containers import Container

from tests.deployment.deployment import Deployment, memory_bytes, processes

GIB = 1024**3
MIB = 1024**2


@pytest.fixture
def large(clip: Path, tmp_path: Path) -> Path:
    """Make a sparse file of more than 4 GiB.

    It is a clip followed by 4 GiB that players skip (a `free` box of ISO/IEC 14496-12).
    """
    path = tmp_path / "large.mp4"
    content = clip.read_bytes()
    path.write_bytes(content + struct.pack(">I4sQ", 1, b"free", 4 * GIB))
    with path.open("r+b") as file:
        file.truncate(len(content) + 4 * GIB)
    return path


class Watch:
    """Context manager that measures a container's peak memory.

    The kernel's file cache is not counted.
    """

    def __init__(self, container: Container):
        self._container, self._stop = container, threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self.most = 0

    def _look(self) -> None:
        while not self._stop.is_set():
            self.most = max(self.most, memory_bytes(self._container))
            self._stop.wait(0.25)

    def __enter__(self) -> "Watch":
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._stop.set()
        self._thread.join()


def server_peak_bytes(container: Container) -> int:
    """Return the peak memory of a container's server process so far, in bytes."""
    number = min(number for number, command in processes(container) if "reelwright serve" in command and "init" not in command)
    status = container.exec_run(["cat", f"/proc/{number}/status"]).output.decode()
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024


def test_four_gigabytes_are_uploaded_and_downloaded(suite: Deployment, large: Path) -> None:
    gateway = suite.container("gateway")
    client = suite.client.client
    with Watch(gateway) as coming, large.open("rb") as file:
        answer = client.post("/v1/media", files={"file": ("large.mp4", file)}, timeout=600)
    assert answer.status_code == 201, answer.text
    record = answer.json()
    assert record["bytes"] == large.stat().st_size > 4 * GIB
    assert record["media"]["frames"] == 180
    digest = hashlib.sha256()
    with Watch(gateway) as going, client.stream("GET", record["urls"]["content"], timeout=600) as content:
        for chunk in content.iter_bytes():
            digest.update(chunk)
    assert digest.hexdigest() == record["sha256"]
    assert client.delete(record["urls"]["self"]).status_code == 204
    peak = server_peak_bytes(gateway)
    print(
        f"the server's process: {peak / MIB:.0f} MiB at most; all of the container: {coming.most / MIB:.0f} up, {going.most / MIB:.0f} down"
    )
    assert peak < 150 * MIB
    assert going.most < 300 * MIB
    assert coming.most < 300 * MIB
