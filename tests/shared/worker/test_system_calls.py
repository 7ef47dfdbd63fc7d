"""The seccomp filter: jobs change no other process, no file's mode and no state of the kernel."""

import json
import os
import socket
import struct
from itertools import product
from pathlib import Path

import pytest

from shared.media.store import MediaStore
from shared.settings import owner_of
from shared.worker.sandbox import system_calls
from shared.worker.sandbox.call_table import (
    ALLOWED_IF,
    IGNORED_UNLESS,
    REFUSED,
    SOCKET,
    SOCKETPAIR,
    UNKNOWN,
    UNKNOWN_WITHOUT_SHARED_MEMORY,
    Numbers,
)
from shared.worker.sandbox.paths import has_shared_memory
from tests.misbehaving.server import serving_one
from tests.shared.worker.test_sandbox import KEY, medium

FOREIGN = 0x40000003
"""Audit number of 32-bit x86."""
CLONE_NEWUSER, CLONE_NEWNET, CLONE_VM, SIGCHLD = 0x10000000, 0x40000000, 0x100, 17
AS_ALLOWED = {"own limit", "own affinity", "own niceness", "thread", "program"} | {"affinity"}  # which changes nothing
AS_UNKNOWN = {"clone3", *(() if has_shared_memory() else ("memory file",))}
BESIDE_GPUS = {"memory file"} if has_shared_memory() else set()
CASES = list(product(system_calls.MACHINES.values(), (False, True)))


@pytest.mark.skipif(not system_calls.supported(), reason="this kernel or processor has no filter")
def test_a_job_changes_no_other_process_and_no_file_of_the_server(tmp_path: Path) -> None:
    outside = tmp_path / "outside.txt"
    outside.write_text("private")
    outside.chmod(0o640)
    with serving_one(tmp_path / "data", API_KEYS=KEY) as server:
        store = MediaStore(server.data_dir / "media", ttl_s=1000)
        server.client.headers["X-API-Key"] = KEY
        before = state(server.pid, outside)
        own = medium(store, owner_of(KEY), "mine")
        params = {"log": json.dumps({"server": server.pid, "file": str(outside)})}
        job = server.wait(server.submit("meddle", inputs={"first": own}, params=params)["id"])
        assert job["status"] == "succeeded", job["error"]
        outcomes = json.loads(store.content_path(owner_of(KEY), job["outputs"]["file"]["id"]).read_text())
        assert {name for name, outcome in outcomes.items() if outcome == "done"} == AS_ALLOWED | BESIDE_GPUS
        assert {name for name, outcome in outcomes.items() if outcome == "ENOSYS"} == AS_UNKNOWN
        assert set(outcomes.values()) == {"done", "ENOSYS", "EPERM"}
        assert state(server.pid, outside) == before


def state(pid: int, file: Path) -> tuple[object, ...]:
    """Return the properties of process `pid` and of `file` that other processes could change."""
    about = file.stat()
    process = Path(f"/proc/{pid}/limits").read_text(), os.sched_getaffinity(pid), os.getpriority(os.PRIO_PROCESS, pid)
    return (
        *process,
        os.sched_getscheduler(pid),
        about.st_mode,
        about.st_uid,
        about.st_gid,
        about.st_mtime_ns,
        about.st_ctime_ns,
        os.listxattr(file),
    )


@pytest.mark.parametrize(("machine", "shared"), CASES)
def test_the_filter_refuses_sockets_and_foreign_programs(machine: system_calls.Machine, shared: bool) -> None:
    code = system_calls.program(machine, shared_memory=shared, network=False)
    opening, pair = SOCKET[machine.column], SOCKETPAIR[machine.column]
    assert opening is not None
    assert pair is not None
    families = {family for family in range(64) if evaluate(code, machine.audit, opening, family) == "allow"}
    assert families == ({socket.AF_UNIX} if shared else set())
    assert evaluate(code, machine.audit, pair, socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC) == "allow"
    assert evaluate(code, machine.audit, pair, socket.AF_UNIX, socket.SOCK_DGRAM) == ("allow" if shared else "EPERM")
    assert {evaluate(code, FOREIGN, number, socket.AF_UNIX) for number in (1, 41, 102, 359)} == {"EPERM"}
    assert evaluate(code, machine.audit, opening | system_calls.X32, socket.AF_UNIX) == "EPERM"
    assert evaluate(code, machine.audit, 1) == "allow"


@pytest.mark.parametrize(("machine", "shared"), CASES)
def test_the_filter_refuses_the_calls_of_its_table(machine: system_calls.Machine, shared: bool) -> None:
    code = system_calls.program(machine, shared_memory=shared, network=False)

    def verdicts(calls: dict[str, Numbers]) -> set[str]:
        return {evaluate(code, machine.audit, number) for number in machine.numbers(calls.values())}

    assert verdicts(REFUSED) == {"EPERM"}
    assert verdicts(UNKNOWN) == {"ENOSYS"}
    assert verdicts(UNKNOWN_WITHOUT_SHARED_MEMORY) == {"allow" if shared else "ENOSYS"}

    def conditional(name: str, *arguments: int) -> str:
        number = ALLOWED_IF[name][0][machine.column]
        assert number is not None
        return evaluate(code, machine.audit, number, *arguments)

    for name in ("prlimit64", "sched_setattr", "sched_setscheduler", "sched_setparam", "move_pages", "migrate_pages"):
        assert (conditional(name, 0, 7), conditional(name, 1, 7)) == ("allow", "EPERM")
    affinity = IGNORED_UNLESS["sched_setaffinity"][0][machine.column]
    assert affinity is not None
    assert [evaluate(code, machine.audit, affinity, pid) for pid in (0, 1)] == ["allow", "ignore"]
    assert [conditional("setpriority", *who) for who in ((0, 0), (0, 1), (1, 0), (2, 0))] == ["allow", "EPERM", "EPERM", "EPERM"]
    assert [conditional("ioprio_set", *who) for who in ((1, 0), (1, 1), (2, 0), (3, 0))] == ["allow", "EPERM", "EPERM", "EPERM"]
    flags = (SIGCHLD, CLONE_VM | SIGCHLD, CLONE_NEWUSER | SIGCHLD, CLONE_NEWNET)
    assert [conditional("clone", value) for value in flags] == ["allow", "allow", "EPERM", "EPERM"]


@pytest.mark.parametrize(("machine", "shared"), CASES)
def test_with_network_the_filter_allows_sockets_and_refuses_the_rest(machine: system_calls.Machine, shared: bool) -> None:
    code = system_calls.program(machine, shared_memory=shared, network=True)
    for number in machine.numbers([SOCKET, SOCKETPAIR]):
        assert {evaluate(code, machine.audit, number, family, socket.SOCK_DGRAM) for family in range(64)} == {"allow"}
    assert {evaluate(code, machine.audit, number) for number in machine.numbers(REFUSED.values())} == {"EPERM"}
    assert {evaluate(code, FOREIGN, number, socket.AF_UNIX) for number in (1, 41, 102, 359)} == {"EPERM"}


@pytest.mark.parametrize("machine", system_calls.MACHINES.values())
def test_no_two_calls_of_the_table_have_the_same_number(machine: system_calls.Machine) -> None:
    calls = [*REFUSED.values(), *UNKNOWN.values(), *UNKNOWN_WITHOUT_SHARED_MEMORY.values(), SOCKET, SOCKETPAIR]
    numbers = machine.numbers([*calls, *(numbers for numbers, _ in (ALLOWED_IF | IGNORED_UNLESS).values())])
    assert len(set(numbers)) == len(numbers)


def evaluate(code: bytes, audit: int, number: int, *arguments: int) -> str:
    """Return the seccomp filter's decision on system call `number`: allow, or the error's name."""
    verdicts = {
        system_calls.ALLOW: "allow",
        system_calls.REFUSE: "EPERM",
        system_calls.UNKNOWN_CALL: "ENOSYS",
        system_calls.IGNORE: "ignore",
    }
    values = (*arguments, *(0 for _ in range(6 - len(arguments))))
    data = {system_calls.argument_at(index): value for index, value in enumerate(values)}
    data |= {system_calls.NUMBER_AT: number, system_calls.MACHINE_AT: audit}
    steps, at, value = list(struct.iter_unpack("HBBI", code)), 0, 0
    while True:
        kind, true, false, operand = steps[at]
        at += 1
        if kind == system_calls.LOAD_WORD:
            value = data[operand]
        elif kind == system_calls.MASK:
            value &= operand
        elif kind == system_calls.RETURN:
            return verdicts[operand]
        else:
            at += true if (value == operand if kind == system_calls.EQUAL else value >= operand) else false
