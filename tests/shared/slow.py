"""Functions that tests run in worker processes."""

import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from shared.file_calls import FileRequest
from shared.worker_call import Target
from tests.misbehaving.operations import sockets


@dataclass(frozen=True)
class Empty:
    """A request without fields."""


@dataclass(frozen=True)
class Text:
    """A text answer, such as a program's output."""

    text: str


@dataclass(frozen=True)
class Niceness:
    """The niceness (scheduling priority) of a worker process."""

    nice: int


@dataclass(frozen=True)
class Traces:
    """The traces that a call found: of its process's parent, earlier calls, files and connections."""

    parent: int
    calls: int
    files: list[str]
    sockets: int


_calls: list[int] = []


def sleep(_request: Empty, _progress: object) -> Empty:
    time.sleep(60)
    return Empty()


def quick(_request: Empty, _progress: object) -> Niceness:
    return Niceness(os.nice(0))


def crash(_request: Empty, _progress: object) -> Empty:
    os._exit(3)


def hoard(_request: Empty, _progress: object) -> Empty:
    """Raise MemoryError, as if no memory were left."""
    raise MemoryError


def program(_request: Empty, _progress: object) -> Text:
    """Return the output of a Python program that imports this project."""
    code = "import shared.operation; print(shared.operation.__name__)"
    return Text(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd="/usr").stdout.strip())


def outside(request: FileRequest, _progress: object) -> Text:
    """List the folder `request.path`, which lies outside the sandbox."""
    return Text(" ".join(os.listdir(request.path)))


def number(_request: Empty, _progress: object) -> Niceness:
    """Return a Niceness, which is not the type that the target declares."""
    return Niceness(1)


def trace(_request: Empty, _progress: object) -> Traces:
    """Return the traces of earlier calls in this process and its folder; leave some."""
    folder = tempfile.gettempdir()
    found = Traces(os.getppid(), len(_calls), sorted(os.listdir(folder)), len(sockets()))
    _calls.append(os.getpid())
    Path(folder, f"left-by-{os.getpid()}").touch()
    return found


def leave_process(_request: Empty, _progress: object) -> Empty:
    subprocess.Popen(["sleep", "1000"], stdin=subprocess.DEVNULL, start_new_session=True)
    return Empty()


SLEEP = Target(name=f"{__name__}:sleep", request=Empty, answer=Empty)
QUICK = Target(name=f"{__name__}:quick", request=Empty, answer=Niceness)
HOARD = Target(name=f"{__name__}:hoard", request=Empty, answer=Empty)
CRASH = Target(name=f"{__name__}:crash", request=Empty, answer=Empty)
PROGRAM = Target(name=f"{__name__}:program", request=Empty, answer=Text)
OUTSIDE = Target(name=f"{__name__}:outside", request=FileRequest, answer=Text)
WRONG = Target(name=f"{__name__}:number", request=Empty, answer=Text)
TRACE = Target(name=f"{__name__}:trace", request=Empty, answer=Traces)
LEAVE_PROCESS = Target(name=f"{__name__}:leave_process", request=Empty, answer=Empty)
