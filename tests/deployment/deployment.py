"""A deployment as the tests drive it: the compose command for what people do, the engine's API for what befalls containers."""

import json
import os
import re
import socket
import subprocess
import threading
import time
import uuid
from collections import defaultdict
from collections.abc import Callable
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
    """One start of a job in one container, in seconds since 1970; `ended` is infinite while it runs."""

    container: str
    began: float
    ended: float


class Deployment:
    """One compose project."""

    def __init__(self, engine: docker.DockerClient, folder: Path, **settings: str):
        self.engine, self.folder = engine, folder
        self.project = f"reelwright-test-{uuid.uuid4().hex[:8]}"
        self.port = free_port()
        kept = {name: value for name, value in os.environ.items() if not name.startswith("REELWRIGHT_")}
        self.environment = (
            kept | {"REELWRIGHT_PORT": str(self.port), "REELWRIGHT_TAG": "test", "COMPOSE_PROJECT_NAME": self.project} | settings
        )
        self.built = False
        self._deaths: dict[str, list[float]] = defaultdict(list)
        self._events = engine.events(filters={"event": "die", "type": "container"}, decode=True)
        threading.Thread(target=self._note_deaths, daemon=True).start()

    def compose(self, *command: str, files: tuple[str, ...] = ("docker-compose.yaml",)) -> str:
        """Run `docker compose ...`; what it printed."""
        named = [part for file in files for part in ("--file", file)]
        done = subprocess.run(
            ["docker", "compose", *named, *command], cwd=self.folder, env=self.environment, capture_output=True, text=True
        )
        assert done.returncode == 0, f"docker compose {' '.join(command)} failed:\n{done.stdout[-3000:]}{done.stderr[-6000:]}"
        return done.stdout

    def up(self, **scale: int) -> None:
        """Start what does not run, each service as often as `scale` says (once), and wait until everything is healthy."""
        scaled = [f"--scale={service.replace('_', '-')}={count}" for service, count in scale.items()]
        self.compose("up", "--detach", "--wait", "--wait-timeout=300", *([] if self.built else ["--build"]), *scaled)
        self.built = True

    def clear_away(self) -> None:
        """Remove everything that this deployment put onto the engine, apart from the images."""
        self.compose("down", "--volumes", "--timeout=5")
        self.client.client.close()
        self._events.close()

    @cached_property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @cached_property
    def client(self) -> RunningSuite:
        """The suite as its clients see it."""
        return connected(self.url)

    def containers(self, service: str) -> list[Container]:
        """All containers of a service, those that do not run, too."""
        labels = [f"com.docker.compose.project={self.project}", f"com.docker.compose.service={service}"]
        return sorted(self.engine.containers.list(all=True, filters={"label": labels}), key=lambda container: str(container.name))

    def container(self, service: str) -> Container:
        (found,) = self.containers(service)
        return found

    def services(self) -> list[str]:
        """Names of all services that keep running."""
        return [name for name in self.compose("config", "--services").split() if name != "secrets"]

    def healthy_after_s(self, service: str) -> float:
        """Seconds from the start of a service's container to the first of its health checks that went well."""
        state = self.container(service).attrs["State"]
        well = [check["End"] for check in state["Health"]["Log"] if check["ExitCode"] == 0]
        return seconds(well[0]) - seconds(state["StartedAt"])

    def ready(self) -> bool:
        """Whether the gateway says that it can take work."""
        try:
            return self.client.client.get("/ready").status_code == 200
        except OSError:
            return False
        except Exception as error:  # httpx errors: it does not run at the moment
            assert type(error).__module__.startswith("httpx"), error
            return False

    def lines(self, service: str) -> list[tuple[str, dict[str, Any]]]:
        """Container name and content of every JSON line that a service's containers have logged."""
        found = []
        for container in self.containers(service):
            for line in container.logs().decode(errors="replace").splitlines():
                if line.startswith("{"):
                    found.append((str(container.name), json.loads(line)))
        return found

    def runs(self, service: str) -> dict[str, list[Run]]:
        """Job id -> every start of it, from the log and from the engine's record of containers that died."""
        runs: dict[str, list[Run]] = defaultdict(list)
        lines = sorted(self.lines(service), key=lambda line: line[1]["time"])
        for number, (container, line) in enumerate(lines):
            if line.get("event") != "began":
                continue
            began = seconds(line["time"])
            told = [
                seconds(later["time"])
                for where, later in lines[number:]
                if where == container
                and later.get("job_id") == line["job_id"]
                and later.get("event") in ENDS
                and later["attempt"] == line["attempt"]
            ]
            died = [moment for moment in self._deaths[container] if moment >= began]
            runs[line["job_id"]].append(Run(container, began, min([*told, *died, float("inf")])))
        return runs

    def overlapping(self, service: str) -> list[str]:
        """Ids of jobs that ran twice at the same time."""
        found = []
        for job, runs in self.runs(service).items():
            runs.sort(key=lambda run: run.began)
            if any(later.began < earlier.ended for earlier, later in pairwise(runs)):
                found.append(job)
        return found

    def _note_deaths(self) -> None:
        """The engine remembers 256 events only, which the health checks use up within minutes: so they are noted as they come."""
        for event in self._events:
            if event["Actor"]["Attributes"].get("com.docker.compose.project") == self.project:
                self._deaths[event["Actor"]["Attributes"]["name"]].append(event["timeNano"] / 1e9)


def memory_bytes(container: Container) -> int:
    """What a container holds now, without the pages of files that the kernel keeps."""
    held = container.stats(stream=False, one_shot=True)["memory_stats"]["stats"]
    return int(held.get("anon", held.get("total_rss", 0)))


def processes(container: Container) -> list[tuple[int, str]]:
    """Id inside the container and command of every process in it."""
    listed = container.exec_run(["python", "-I", "-S", "-c", LIST_PROCESSES]).output.decode()
    return [(int(number), command) for number, command in re.findall(r"^(\d+) (.*)$", listed, re.MULTILINE) if "glob.glob" not in command]


def kill_inside(container: Container, part: str) -> int:
    """Kill the processes of a container whose command holds `part`; how many they were."""
    found = [number for number, command in processes(container) if part in command]
    for number in found:
        container.exec_run(["python", "-I", "-S", "-c", f"import os; os.kill({number}, 9)"])
    return len(found)


def seconds(moment: str) -> float:
    """An ISO 8601 time as seconds since 1970; nanoseconds, as the engine writes them, are cut off."""
    return datetime.fromisoformat(re.sub(r"(\.\d{6})\d*", r"\1", moment)).timestamp()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def within(limit_s: float, true: Callable[[], Any], what: str = "it") -> float:
    """Wait until `true()` holds; the seconds that it took."""
    began = time.monotonic()
    while not true():
        assert time.monotonic() - began < limit_s, f"{what} did not come about within {limit_s} s"
        time.sleep(0.2)
    return time.monotonic() - began
