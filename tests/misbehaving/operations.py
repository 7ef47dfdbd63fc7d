"""Operations that each misbehave in one way.

Tests check that no other job is harmed.
"""

import contextlib
import ctypes
import fcntl
import json
import os
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from shared.errors import BrokenMedia, FieldError, OperationFailed
from shared.operation import Input, Kind, Operation, Progress, Service
from shared.worker.protocol import ProgressUpdate
from tests.misbehaving.meddling import outcomes_of_meddling
from tests.misbehaving.outputs import change_held_output, hold_output, name_output_twice, remove_outputs, write_on
from tests.misbehaving.params import Bad, Done


def wait(seconds: float, progress: Progress) -> None:
    began, elapsed = time.monotonic(), 0.0
    while (elapsed := time.monotonic() - began) < seconds:
        progress(elapsed, seconds)
        time.sleep(min(0.02, seconds))
    progress(1, 1)


def succeed(params: Bad, *, output: Path, progress: Progress) -> Done:
    wait(params.seconds, progress)
    output.write_text(json.dumps({"tag": params.tag}))
    return Done(text="done")


def dice(params: Bad, *, first: Path | None, output: Path, progress: Progress) -> Done:
    """Return a new random result on each run."""
    wait(params.seconds, progress)
    progress.warn("rolled")
    number = os.urandom(8).hex()
    output.write_text(json.dumps(number))
    return Done(text=number)


def steady(params: Bad, *, output: Path, progress: Progress) -> Done:
    """Succeed; log an overlap if the same job runs twice at once.

    Holds a file lock to detect the overlap.
    """
    log = Path(params.log)
    with log.with_name(f"{log.name}.{params.tag}").open("a") as held, log.open("a", buffering=1) as lines:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lines.write(f"overlap {params.tag}\n")
        lines.write(f"begin {params.tag}\n")
        # The lock outlives this process where the grandchild does.
        with subprocess.Popen(["sleep", "1000"], pass_fds=(held.fileno(),)) as grandchild:
            wait(params.seconds, progress)
            grandchild.kill()
        output.write_text(params.tag)
        lines.write(f"end {params.tag}\n")
    return Done(text=params.tag)


def read(params: Bad, *, first: Path, rest: list[Path] | None, progress: Progress) -> Done:
    wait(params.seconds, progress)
    return Done(text=first.read_text())


def watch(params: Bad, *, video: Path, more: list[Path] | None, progress: Progress) -> Done:
    wait(params.seconds, progress)
    return Done(text=" ".join(f"{path.name} {path.stat().st_size}" for path in (video, *(more or []))))


def refuse(params: Bad, *, progress: Progress) -> Done:
    raise BrokenMedia("The file breaks off at second 3.2. Upload it again.")


def stumble(params: Bad, *, progress: Progress) -> Done:
    raise ValueError("tsk")


def leak(params: Bad, *, progress: Progress) -> Done:
    """Name a file of the server, in a warning and in an error.

    `tag` is the kind of the error.

    `log`: the path.
    """
    progress.warn(f"the file {params.log} was left out")
    if params.tag == "os":
        raise FileNotFoundError(2, "No such file or directory", params.log)
    if params.tag == "library":
        raise ValueError(f"cannot open {params.log}: see https://example.com/docs/errors")
    raise OperationFailed(f"{params.log} cannot be read.", errors=[FieldError(field="inputs.first", detail=f"{params.log} is damaged")])


def segfault(params: Bad, *, progress: Progress) -> Done:
    os.kill(os.getpid(), signal.SIGSEGV)
    return Done(text="alive")


def abort(params: Bad, *, progress: Progress) -> Done:
    os.abort()


def leave(params: Bad, *, progress: Progress) -> Done:
    sys.exit(3)


def leave_at_once(params: Bad, *, progress: Progress) -> Done:
    os._exit(0)


def deaf(params: Bad, *, progress: Progress) -> Done:
    for number in set(signal.Signals) - {signal.SIGKILL, signal.SIGSTOP}:
        with contextlib.suppress(OSError, ValueError):
            signal.signal(number, signal.SIG_IGN)
    time.sleep(1000)
    return Done(text="")


def hold_the_gil(params: Bad, *, progress: Progress) -> Done:
    ctypes.PyDLL(None).sleep(1000)
    return Done(text="")


def eat_memory(params: Bad, *, progress: Progress) -> Done:
    eaten = []
    while True:
        eaten.append(b"x" * (32 * 1024 * 1024))
        time.sleep(0.02)


def grandchild(params: Bad, *, progress: Progress) -> Done:
    subprocess.run(["sleep", "1000"])
    return Done(text="")


def daemon(params: Bad, *, progress: Progress) -> Done:
    """Start processes that escape their group and their parent; then hang in this process."""
    subprocess.run(["sh", "-c", "setsid sleep 1000 & setsid setsid sleep 1000 &"])
    time.sleep(1000)
    return Done(text="")


def daemon_and_crash(params: Bad, *, progress: Progress) -> Done:
    subprocess.run(["sh", "-c", "setsid sleep 1000 &"])
    os.abort()


def leave_behind(params: Bad, *, progress: Progress) -> Done:
    """Succeed, leaving a process and a zombie behind."""
    subprocess.run(["sh", "-c", "setsid sleep 1000 &"])
    if os.fork() == 0:
        os._exit(0)
    return Done(text="done")


def shoot_the_guard(params: Bad, *, progress: Progress) -> Done:
    subprocess.Popen(["sleep", "1000"])
    os.kill(os.getppid(), signal.SIGKILL)
    time.sleep(1000)
    return Done(text="")


def stop_everybody(params: Bad, *, progress: Progress) -> Done:
    os.killpg(0, signal.SIGSTOP)
    time.sleep(1000)
    return Done(text="")


def flood(params: Bad, *, progress: Progress) -> Done:
    for number in range(params.count):
        progress(number, params.count)
        progress.warn(f"warning {number} of a great many")
        progress.warn("the same again")
    return Done(text="done")


def pour(params: Bad, *, progress: Any) -> Done:
    """Send updates to the server without the usual pauses."""
    for number in range(params.count):
        progress._send(ProgressUpdate(stage="", done=number, total=params.count, fraction=0.5))
    return Done(text="done")


def chatter(params: Bad, *, progress: Progress) -> Done:
    for _ in range(params.count):
        os.write(1, b"out " * 250)
        os.write(2, b"err " * 250)
    return Done(text="done")


def talk(params: Bad, *, progress: Progress) -> Done:
    """Print `params.log` and `params.count` error lines; crash if the count is 0."""
    import warnings

    print(params.log, tempfile.gettempdir())
    warnings.warn("the sky is grey", stacklevel=1)
    for number in range(params.count):
        print(f"line {number}", file=sys.stderr)
    if params.count == 0:
        os.abort()
    wait(params.seconds, progress)
    return Done(text="done")


def huge(params: Bad, *, progress: Progress) -> Done:
    return Done(text="x" * params.count)


def wrong_result(params: Bad, *, progress: Progress) -> Any:
    return {"text": "a dictionary"}


def no_output(params: Bad, *, output: Path, progress: Progress) -> Done:
    return Done(text="nothing written")


def broken_output(params: Bad, *, output: Path, progress: Progress) -> Done:
    output.write_bytes(b"\x00\x00\x00\x18ftypmp42" + b"\xff" * 2000)
    return Done(text="broken")


def linked_output(params: Bad, *, output: Path, progress: Progress) -> Done:
    """Make the output a link to the machine's file /etc/hostname."""
    output.symlink_to("/etc/hostname")
    return Done(text="linked")


def forge(params: Bad, *, output: Path, progress: Progress) -> Done:
    """Report another type of the output than it has."""
    from shared.file_calls import ProbedFile
    from shared.worker import operation_run

    describe = operation_run.describe

    def forged(path: Path, kind: Kind, progress: Progress) -> ProbedFile:
        operation_run.describe = describe
        return replace(describe(path, kind, progress), content_type="Text/HTML")

    output.write_text("<script>")
    operation_run.describe = forged
    return Done(text="forged")


def close_the_line(params: Bad, *, progress: Progress) -> Done:
    for fd in sockets():
        os.close(fd)
    time.sleep(1000)
    return Done(text="")


def babble(params: Bad, *, progress: Progress) -> Done:
    for fd in sockets():
        os.write(fd, b"\x00\x00\x00\x05hello")
    time.sleep(1000)
    return Done(text="")


def fork(params: Bad, *, progress: Progress) -> Done:
    """Fork, and return from both processes."""
    os.fork()
    return Done(text="one of two")


def background(params: Bad, *, progress: Progress) -> Done:
    """Leave a thread that reports progress after the job has ended."""
    import threading

    def report() -> None:
        for number in range(1000):
            progress.warn(f"from an ended job: {number % 10}")
            time.sleep(0.01)

    threading.Thread(target=report, daemon=True).start()
    return Done(text="done")


def environment(params: Bad, *, output: Path, progress: Progress) -> Done:
    """Write the environment, command lines and status of this process.

    Environment and command line are also those of its parent; the status is the kernel's.
    """
    report = {}
    for pid in (os.getpid(), os.getppid()):
        for name in ("environ", "cmdline"):
            with contextlib.suppress(PermissionError):  # the sandbox closes the parent's
                report[f"{pid} {name}"] = Path(f"/proc/{pid}/{name}").read_bytes().decode()
    status = dict(line.split(":\t", 1) for line in Path("/proc/self/status").read_text().splitlines())
    found = {"seen": report, "environ": dict(os.environ), "sockets": len(sockets()), "fds": len(os.listdir("/proc/self/fd"))}
    output.write_text(json.dumps(found | {"status": status}))
    return Done(text="written")


def trespass(params: Bad, *, first: Path, output: Path, progress: Progress) -> Done:
    """Try forbidden actions, and write the outcome of each to the output.

    `log`: JSON with `server` (its process), `files` and `folders` outside, `port` of a local server, and `local`, the path of a socket.
    """
    request = json.loads(params.log)
    attempts: dict[str, Callable[[], object]] = {
        "input": lambda: first.read_text(),
        "environ": lambda: Path(f"/proc/{request['server']}/environ").read_bytes(),
        "memory": lambda: os.close(os.open(f"/proc/{request['server']}/mem", os.O_RDONLY)),
        "change the input": lambda: first.write_text("changed"),
        "connect": lambda: socket.create_connection(("127.0.0.1", request["port"]), 2).close(),
        "listen": lambda: socket.create_server(("127.0.0.1", 0)).close(),
        "datagram": lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"x", ("127.0.0.1", request["port"])),
        "local socket": lambda: socket.socket(socket.AF_UNIX).connect(request.get("local", "/run/none")),
        "local datagrams": lambda: socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM),
        "signal": lambda: os.kill(request["server"], 0),
        "temporary file": lambda: tempfile.NamedTemporaryFile().close(),
    }
    attempts |= {f"read {path}": lambda path=path: Path(path).read_bytes() for path in request["files"]}  # type: ignore[misc]
    attempts |= {f"list {path}": lambda path=path: os.listdir(path) for path in request["folders"]}  # type: ignore[misc]
    attempts |= {f"write {path}": lambda path=path: Path(path, "trespassed").write_text("x") for path in request["folders"]}  # type: ignore[misc]
    outcomes = {}
    for name, attempt in attempts.items():
        try:
            attempt()
            outcomes[name] = "done"
        except OSError as error:
            outcomes[name] = type(error).__name__
    output.write_text(json.dumps(outcomes))
    return Done(text="tried")


def meddle(params: Bad, *, first: Path, output: Path, progress: Progress) -> Done:
    """Try to change other processes and files, and write the outcome of each attempt to the output.

    `log`: JSON with `server` (its process) and `file`, which this process cannot open.
    """
    with first.open("rb") as readable:
        outcomes = outcomes_of_meddling(**json.loads(params.log), readable=readable.fileno())
    output.write_text(json.dumps(outcomes))
    return Done(text="tried")


def sockets() -> list[int]:
    findings = []
    for name in os.listdir("/proc/self/fd"):
        with contextlib.suppress(OSError):
            if stat.S_ISSOCK(os.fstat(int(name)).st_mode):
                findings.append(int(name))
    return findings


def bad(
    run: Callable[..., Any],
    outputs: dict[str, Kind] | None = None,
    inputs: dict[str, Input | Kind] | None = None,
    *,
    remembered: bool = False,
) -> Operation:
    return Operation(
        name=f"misbehaving.{run.__name__.replace('_', '-')}",
        summary=run.__name__,
        params=Bad,
        result=Done,
        inputs=inputs or {},
        outputs=outputs or {},
        run=run,
        example=Bad(),
        remembered=remembered,
    )


FILE = {"file": Kind.JSON}
OPERATIONS = (
    *(bad(run, FILE) for run in (succeed, steady, no_output, linked_output, forge, environment)),
    *(bad(run, FILE) for run in (hold_output, name_output_twice, remove_outputs, write_on)),
    bad(change_held_output),
    bad(dice, FILE, {"first": Input(kind=Kind.JSON, optional=True)}, remembered=True),
    bad(trespass, FILE, {"first": Kind.JSON}),
    bad(meddle, FILE, {"first": Kind.JSON}),
    bad(broken_output, {"video": Kind.VIDEO}),
    bad(read, inputs={"first": Kind.JSON, "rest": Input(kind=Kind.JSON, optional=True, many=True)}),
    bad(watch, inputs={"video": Kind.VIDEO, "more": Input(kind=Kind.VIDEO, also=Kind.IMAGE, optional=True, many=True)}),
    *(bad(run) for run in (refuse, stumble, leak, segfault, abort, leave, leave_at_once, deaf, hold_the_gil, eat_memory)),
    *(bad(run) for run in (grandchild, daemon, daemon_and_crash, leave_behind, shoot_the_guard, stop_everybody)),
    *(bad(run) for run in (flood, pour, chatter, talk, huge, wrong_result, close_the_line, babble, fork, background)),
)
SERVICE = Service(name="misbehaving", title="Misbehaving", module="tests.misbehaving.operations", operations=OPERATIONS)
