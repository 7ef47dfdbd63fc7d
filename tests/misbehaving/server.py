"""Control of a misbehaving service's process: start, watch, kill."""

import os
import re
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

READY = re.compile(r"ready on (http://\S+)")
SERIOUS = re.compile(r"^(ERROR|CRITICAL) |^Traceback ")


class Server:
    """A server process with its address, log and descendants."""

    def __init__(self, data_dir: Path, *, role: str = "worker", **settings: str):
        self.data_dir = data_dir
        self._role, self._settings = role, settings
        self._mark = f"{data_dir}/.of-{uuid.uuid4().hex}"
        self.log: list[str] = []

    def start(self) -> "Server":
        """Start the process, and wait until it answers requests."""
        clean = {name: value for name, value in os.environ.items() if not name.startswith("REELWRIGHT_")}
        logs = str(self.data_dir.parent)  # operations write logs into folders of other tests
        environment = {"HOST": "127.0.0.1", "PORT": "0", "DATA_DIR": str(self.data_dir), "SANDBOX_WRITE": logs} | self._settings
        env = clean | {f"REELWRIGHT_{name}": value for name, value in environment.items()} | {"TZ": self._mark}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.misbehaving.serve", self._role], env=env, stderr=subprocess.PIPE, text=True, errors="replace"
        )
        ready = threading.Event()
        self._reader = threading.Thread(target=self._read, args=(self.process, ready), daemon=True)
        self._reader.start()
        ready.wait(180)  # a busy machine takes long
        matches = [match[1] for line in self.log if (match := READY.search(line))]
        if not matches:
            raise RuntimeError("the server did not start:\n" + "".join(self.log))
        self.url = matches[-1]
        self.client = httpx.Client(base_url=self.url, timeout=90, trust_env=False)
        return self

    @property
    def pid(self) -> int:
        return self.process.pid

    def kill(self, number: int = signal.SIGKILL) -> float:
        """Send the signal `number` to the process.

        Returns the seconds until its end.
        """
        began = time.monotonic()
        self.process.send_signal(number)
        self.process.wait(30)
        took = time.monotonic() - began
        self._reader.join(5)
        assert self.process.stderr is not None
        self.process.stderr.close()
        self.client.close()
        return took

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.kill(signal.SIGTERM)
        else:
            self.kill()

    def family(self) -> dict[int, str]:
        """Return the command of each descendant, by process id, zombies included."""
        processes = {}
        for path in Path("/proc").glob("[0-9]*"):
            try:
                state, parent = path.joinpath("stat").read_text().rpartition(")")[2].split()[:2]
                marked = self._mark.encode() in path.joinpath("environ").read_bytes()
                command = path.joinpath("cmdline").read_bytes().replace(b"\0", b" ").decode()
            except OSError:
                continue
            if int(path.name) != self.pid and (marked or (state == "Z" and int(parent) == self.pid)):
                processes[int(path.name)] = command or f"state {state}"
        return processes

    def workers(self) -> list[int]:
        """Return the ids of the worker processes."""
        return [pid for pid, command in self.family().items() if command.split()[1:3] == ["-m", "shared.worker.child"]]

    def post(
        self, operation: str, *, inputs: dict[str, Any] | None = None, headers: dict[str, str] | None = None, **body: Any
    ) -> httpx.Response:
        """Send a job request; return the response.

        `body`: params, metadata, priority and webhook.
        """
        return self.client.post(f"/{operation}/jobs", json={"inputs": inputs or {}} | body, headers=headers)

    def submit(self, operation: str, **body: Any) -> dict[str, Any]:
        """Submit a job, which must be accepted; return its record."""
        answer = self.post(operation, **body)
        assert answer.status_code == 202, answer.text
        job: dict[str, Any] = answer.json()
        return job

    def run(self, operation: str, timeout_s: float = 60, **params: Any) -> dict[str, Any]:
        """Submit a job and wait for its end; return its record."""
        return self.wait(self.submit(operation, params=params)["id"], timeout_s)

    def get(self, job_id: str) -> dict[str, Any]:
        """Return the record of a job."""
        answer = self.client.get(f"/v1/jobs/{job_id}")
        assert answer.status_code == 200, answer.text
        job: dict[str, Any] = answer.json()
        return job

    def wait(self, job_id: str, timeout_s: float = 60, until: tuple[str, ...] = ("succeeded", "failed", "canceled")) -> dict[str, Any]:
        """Wait until a job's status is in `until`; return the job."""
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            if (job := self.get(job_id))["status"] in until:
                return job
            time.sleep(0.02)
        raise TimeoutError(f"{job} is not one of {until} after {timeout_s} s; log:\n{''.join(self.log[-30:])}")

    def work(self) -> list[Path]:
        """Return the work folders that are on disk: empty once all jobs have ended."""
        return sorted(self.data_dir.glob("work/*"))

    def serious(self) -> list[str]:
        """Return each error and traceback in the log, with surrounding lines."""
        return ["".join(self.log[max(at - 5, 0) : at + 40]) for at, line in enumerate(self.log) if SERIOUS.match(line)]

    def _read(self, process: "subprocess.Popen[str]", ready: threading.Event) -> None:
        assert process.stderr is not None
        for line in process.stderr:
            self.log.append(line[:2000])
            if READY.search(line):
                ready.set()
        ready.set()


@contextmanager
def serving_one(data_dir: Path, *, role: str = "worker", **settings: str) -> Iterator[Server]:
    """Run one server during the block; errors in its log fail the test.

    The block removes expected errors from `log`.
    """
    server = Server(data_dir, role=role, **settings)
    try:
        yield server.start()
    finally:
        server.close()
    assert server.serious() == []
