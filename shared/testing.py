"""A Reelwright server with all services, run in a child process.

Tests and benchmarks start it as `reelwright up` does, and use it over HTTP.
"""

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

READY = re.compile(r"ready on (http://\S+)")
START_TIMEOUT_S = 100.0
ANSWER_TIMEOUT_S = 90.0
"""Longest wait for an answer, in seconds. It exceeds the 60 s for which `Prefer: wait` holds an answer."""


@dataclass(frozen=True)
class RunningSuite:
    """A running suite and an HTTP client for it."""

    url: str
    pid: int
    client: httpx.Client
    log: list[str]
    started_in_s: float

    def upload(self, path: Path) -> dict[str, Any]:
        """Upload a file; return its media record."""
        with path.open("rb") as file:
            answer = self.client.post("/v1/media", files={"file": (path.name, file)})
        assert answer.status_code == 201, answer.text
        record: dict[str, Any] = answer.json()
        return record

    def start(self, operation: str, inputs: dict[str, Any], params: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
        """Submit a job; return its record.

        It runs even if its result is remembered, unless `more` says `cache=True`.
        """
        service, _, verb = operation.partition(".")
        answer = self.client.post(f"/v1/{service}/{verb}/jobs", json={"inputs": inputs, "params": params or {}, "cache": False} | more)
        assert answer.status_code == 202, answer.text
        job: dict[str, Any] = answer.json()
        return job

    def wait(self, job_id: str, timeout_s: float = 120) -> dict[str, Any]:
        """Wait until a job has ended; return its record.

        Raises TimeoutError.
        """
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            job: dict[str, Any] = self.client.get(f"/v1/jobs/{job_id}").json()
            if job["status"] not in ("queued", "running"):
                return job
            time.sleep(0.05)
        raise TimeoutError(f"job {job_id} did not end in {timeout_s} s: {job}")


def connected(url: str) -> RunningSuite:
    """Connect to a suite that is already running."""
    return RunningSuite(url, 0, httpx.Client(base_url=url, timeout=ANSWER_TIMEOUT_S, trust_env=False), [], 0.0)


@contextmanager
def suite(data_dir: Path, *, command: Sequence[str] = ("up",), **settings: str) -> Iterator[RunningSuite]:
    """Run `reelwright <command>` in a child process during a `with` block.

    `settings`: names without REELWRIGHT_. No spare workers are started unless a setting says so. SIGTERM ends the suite.
    """
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("REELWRIGHT_")}
    environment = {"HOST": "127.0.0.1", "PORT": "0", "DATA_DIR": str(data_dir), "SPARE_WORKERS": "false"} | settings
    env = inherited | {f"REELWRIGHT_{name}": value for name, value in environment.items()} | {"COLUMNS": "200"}
    began = time.perf_counter()
    process = subprocess.Popen([sys.executable, "-m", "reelwright", *command], env=env, stderr=subprocess.PIPE, text=True)
    log: list[str] = []
    ready = threading.Event()
    reader = threading.Thread(target=_read, args=(process, log, ready), daemon=True)
    reader.start()
    try:
        ready.wait(START_TIMEOUT_S)
        address = next((match[1] for line in log if (match := READY.search(line))), None)
        if address is None:
            raise RuntimeError(f"reelwright {' '.join(command)} did not start:\n{''.join(log)}")
        with httpx.Client(base_url=address, timeout=ANSWER_TIMEOUT_S, trust_env=False) as client:
            yield RunningSuite(address, process.pid, client, log, time.perf_counter() - began)
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        reader.join(5)
        assert process.stderr is not None
        process.stderr.close()


def _read(process: "subprocess.Popen[str]", log: list[str], ready: threading.Event) -> None:
    assert process.stderr is not None
    for line in process.stderr:
        log.append(line)
        if READY.search(line):
            ready.set()
    ready.set()  # the process has ended
