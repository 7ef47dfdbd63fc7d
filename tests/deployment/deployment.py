"""A deployment under test, driven by `docker compose` and the Docker engine's API."""

import json
import os
import re
import socket
import subprocess
import threading
import uuid
from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Any

import docker
from docker.models.containers import Container

from shared.testing import RunningSuite, connected

ENDS = frozenset({"succeeded", "failed", "left"})

LIST_PROCESSES = """
import glob
for path in glob.glob("/proc/[0-9]*"):
    try:
        print(path[6:], open(path + "/cmdline").read().replace(chr(0), " "))
    except OSError:
        pass
"""


@dataclass(frozen=True)
class Run:
    """One run of a job in a container.

    Times are Unix times in seconds. `ended` is infinite while the job runs.
    """

    container: str
    began: float
    ended: float


class Deployment:
    """A compose project on a Docker engine."""

    def __init__(self, engine: docker.DockerClient, folder: Path, **settings: str):
        self.engine, self.folder = engine, folder
        self.project = f"reelwright-test-{uuid.uuid4().hex[:8]}"
        self.port = free_port()
        environment = {name: value for name, value in os.environ.items() if not name.startswith("REELWRIGHT_")}
        self.environment = (
            environment | {"REELWRIGHT_PORT": str(self.port), "REELWRIGHT_TAG": "test", "COMPOSE_PROJECT_NAME": self.project} | settings
        )
        self.built = False
        self._deaths: dict[str, list[float]] = defaultdict(list)
        self._events = engine.events(filters={"event": "die", "type": "container"}, decode=True)
        threading.Thread(target=self._note_deaths, daemon=True).start()

    def compose(self, *command: str, files: tuple[str, ...] = ("docker-compose.yaml",)) -> str:
        """Run `docker compose ...`; return its output."""
        named = [part for file in files for part in ("--file", file)]
        done = subprocess.run(
            ["docker", "compose", *named, *command], cwd=self.folder, env=self.environment, capture_output=True, text=True
        )
        assert done.returncode == 0, f"docker compose {' '.join(command)} failed:\n{done.stdout[-3000:]}{done.stderr[-6000:]}"
        return done.stdout

    def up(self, **scale: int) -> None:
        """Start all services and wait until they are healthy.

        `scale`: containers per service, 1 by default.
        """
        scaled = [f"--scale={service.replace('_', '-')}={count}" for service, count in scale.items()]
        self.compose("up", "--detach", "--wait", "--wait-timeout=300", *([] if self.built else ["--build"]), *scaled)
        self.built = True

    def clear_away(self) -> None:
        """Remove the deployment's containers, networks and volumes, but keep its images."""
        self.compose("down", "--volumes", "--timeout=5")
        self.client.client.close()
        self._events.close()

    @cached_property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @cached_property
    def client(self) -> RunningSuite:
        """Return the RunningSuite that sends requests to this deployment."""
        return connected(self.url)

    def containers(self, service: str) -> list[Container]:
        """Return all running and stopped containers of a service."""
        labels = [f"com.docker.compose.project={self.project}", f"com.docker.compose.service={service}"]
        return sorted(self.engine.containers.list(all=True, filters={"label": labels}), key=lambda container: str(container.name))

    def container(self, service: str) -> Container:
        (container,) = self.containers(service)
        return container

    def services(self) -> list[str]:
        """Return the names of all long-running services."""
        return [name for name in self.compose("config", "--services").split() if name != "secrets"]

    def healthy_after_s(self, service: str) -> float:
        """Return the seconds from a container's start to its first successful health check."""
        state = self.container(service).attrs["State"]
        well = [check["End"] for check in state["Health"]["Log"] if check["ExitCode"] == 0]
        return seconds(well[0]) - seconds(state["StartedAt"])

    def ready(self) -> bool:
        """Return whether the gateway is ready for work."""
        try:
            return self.client.client.get("/ready").status_code == 200
        except OSError:
            return False
        except Exception as error:  # an httpx error: it is not running
            assert type(error).__module__.startswith("httpx"), error
            return False

    def lines(self, service: str) -> list[tuple[str, dict[str, Any]]]:
        """Return each JSON log line of a service, with the name of its container."""
        containers = []
        for container in self.containers(service):
            for line in container.logs().decode(errors="replace").splitlines():
                if line.startswith("{"):
                    containers.append((str(container.name), json.loads(line)))
        return containers

    def runs(self, service: str) -> dict[str, list[Run]]:
        """Return all runs of each job of a service, by job id.

        They are read from the logs and from the engine's events of dead containers.
        """
        runs: dict[str, list[Run]] = defaultdict(list)
        lines = sorted(self.lines(service), key=lambda line: line[1]["time"])
        for number, (container, line) in enumerate(lines):
            if line.get("event") != "began":
                continue
            began = seconds(line["time"])
            reported = [
                seconds(later["time"])
                for later_container, later in lines[number:]
                if later_container == container
                and later.get("job_id") == line["job_id"]
                and later.get("event") in ENDS
                and later["attempt"] == line["attempt"]
            ]
            died = [moment for moment in self._deaths[container] if moment >= began]
            runs[line["job_id"]].append(Run(container, began, min([*reported, *died, float("inf")])))
        return runs

    def overlapping(self, service: str) -> list[str]:
        """Return the ids of jobs with two runs at the same time."""
        lines = []
        for job, runs in self.runs(service).items():
            runs.sort(key=lambda run: run.began)
            if any(later.began < earlier.ended for earlier, later in pairwise(runs)):
                lines.append(job)
        return lines

    def _note_deaths(self) -> None:
        """Record when containers die.

        The engine keeps only 256 events, and health checks fill these within minutes.
        """
        for event in self._events:
            if event["Actor"]["Attributes"].get("com.docker.compose.project") == self.project:
                self._deaths[event["Actor"]["Attributes"]["name"]].append(event["timeNano"] / 1e9)


def memory_bytes(container: Container) -> int:
    """Return a container's memory in bytes, without the kernel's file cache."""
    held = container.stats(stream=False, one_shot=True)["memory_stats"]["stats"]
    return int(held.get("anon", held.get("total_rss", 0)))


def processes(container: Container) -> list[tuple[int, str]]:
    """Return the id and the command of each process in a container."""
    listed = container.exec_run(["python", "-I", "-S", "-c", LIST_PROCESSES]).output.decode()
    return [(int(number), command) for number, command in re.findall(r"^(\d+) (.*)$", listed, re.MULTILINE) if "glob.glob" not in command]


def kill_inside(container: Container, part: str) -> int:
    """Kill a container's processes with `part` in their command; return their number."""
    numbers = [number for number, command in processes(container) if part in command]
    for number in numbers:
        container.exec_run(["python", "-I", "-S", "-c", f"import os; os.kill({number}, 9)"])
    return len(numbers)


def seconds(moment: str) -> float:
    """Convert an ISO 8601 time to Unix seconds, cut off after the microseconds."""
    return datetime.fromisoformat(re.sub(r"(\.\d{6})\d*", r"\1", moment)).timestamp()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])
