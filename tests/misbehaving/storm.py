"""A stress test: processes are killed while many jobs run.

Every accepted job must be done, and none twice at the same time.
"""

import json
import os
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from tests.misbehaving.server import Server


@dataclass
class Storm:
    """A stress test that submits many jobs and kills processes."""

    servers: list[Server]
    log: Path
    count: int
    seconds: float
    seed: int
    ids: dict[str, str] = field(default_factory=dict)
    strikes: Counter[str] = field(default_factory=Counter)
    struck: Callable[[int], None] = lambda _number: None
    """Called with the number of kills so far."""

    def __post_init__(self) -> None:
        self._chance = random.Random(self.seed)
        self._submitting = threading.Thread(target=self._submit_all)

    def rage(self, kills: int, victims: tuple[str, ...] = ("server", "worker", "guard", "grandchild", "term")) -> None:
        """Kill `kills` processes at random moments, and restart dead servers.

        Stops after three attempts per kill, since an attempt may find no process.
        """
        self._submitting.start()
        for _ in range(3 * kills):
            time.sleep(self._chance.uniform(0.0, 0.9))
            before = self.strikes.total()
            self.strike(self._chance.choice(victims))
            if self.strikes.total() > before:
                self.struck(self.strikes.total())
            if self.strikes.total() >= kills:
                break
        self._submitting.join(120)
        assert not self._submitting.is_alive()

    def strike(self, victim: str) -> None:
        """Kill one process of the kind `victim`, if there is one."""
        server = self._chance.choice(self.servers)
        if victim in ("server", "term"):
            server.kill(signal.SIGKILL if victim == "server" else signal.SIGTERM)
            self.strikes[victim] += 1
            server.start()
            return
        signs = {"worker": "-m shared.worker.child", "guard": "guard.py", "grandchild": "sleep 1000"}
        pids = [pid for pid, command in server.family().items() if signs[victim] in command]
        for pid in pids[:1]:
            try:
                os.kill(pid, signal.SIGKILL)
                self.strikes[victim] += 1
            except ProcessLookupError:
                continue

    def check(self, timeout_s: float = 120) -> list[dict[str, Any]]:
        """Check that all jobs succeeded and none ran twice at once.

        Returns the jobs. Each output must hold what its job wrote.
        """
        server = self.servers[0]
        jobs = [server.wait(job_id, timeout_s) for job_id in self.ids.values()]
        assert len(jobs) == self.count
        assert [job for job in jobs if job["status"] != "succeeded"] == []
        listed = server.client.get("/v1/jobs", params={"limit": 500}).json()["items"]
        assert {job["id"] for job in listed} == set(self.ids.values())
        lines = self.log.read_text().splitlines()
        assert [line for line in lines if line.startswith("overlap")] == []
        assert {line.removeprefix("end ") for line in lines if line.startswith("end ")} == set(self.ids)
        for tag, job in zip(self.ids, jobs, strict=True):
            [content] = (server.data_dir / "media" / "public" / job["outputs"]["file"]["id"]).glob("content.*")
            assert content.read_text() == tag
            assert job["progress"]["fraction"] == 1
        return jobs

    def _submit_all(self) -> None:
        chance = random.Random(self.seed + 1)
        for number in range(self.count):
            tag = f"job-{number}"
            body = {"inputs": {}, "params": {"tag": tag, "log": str(self.log), "seconds": self.seconds}, "metadata": {"n": number}}
            while tag not in self.ids:
                try:
                    url = f"{chance.choice(self.servers).url}/steady/jobs"
                    answer = httpx.post(url, json=body, headers={"Idempotency-Key": tag}, timeout=30, trust_env=False)
                except httpx.TransportError:
                    time.sleep(0.05)
                    continue
                if answer.status_code == 202:
                    self.ids[tag] = answer.json()["id"]
                else:
                    assert answer.status_code in (409, 503), json.dumps(answer.text)
