"""Ctrl-C and SIGTERM during a command: it cancels its job and leaves no file and no process."""

import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from shared.testing import RunningSuite
from tests.waiting import within

PATIENCE_S = 120
"""Seconds until a test fails. Each wait ends with its event."""
SIGNALS = [pytest.param(signal.SIGINT, id="Ctrl-C"), pytest.param(signal.SIGTERM, id="SIGTERM")]


def begin(clip: Path, output: Path, *more: str) -> "subprocess.Popen[str]":
    """Start a long rendering in a session of its own, as a terminal does."""
    command = [sys.executable, "-m", "reelwright", "speed-ramp", "render", str(clip), str(output), *more]
    return subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True, preexec_fn=_hear_interrupts)


def _hear_interrupts() -> None:
    """Restore the default handling of Ctrl-C, which shells disable for background commands."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def in_session(session: int) -> list[str]:
    """Return the commands of all living processes of a session."""
    commands = []
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(FileNotFoundError, ProcessLookupError):
            state, _, _, its_session = (folder / "stat").read_text().rpartition(")")[2].split()[:4]
            if int(its_session) == session and state != "Z":
                commands.append((folder / "cmdline").read_text().replace("\0", " "))
    return commands


def interrupt(process: "subprocess.Popen[str]", number: signal.Signals) -> str:
    """Send a signal to all processes of the command, as a terminal does; return what the command printed."""
    os.killpg(process.pid, number)
    _, errors = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 128 + number, errors
    within(PATIENCE_S, lambda: not in_session(process.pid), "the end of all processes")
    return errors


@pytest.mark.parametrize("number", SIGNALS)
def test_an_interrupted_local_run_leaves_nothing(clip: Path, tmp_path: Path, number: signal.Signals) -> None:
    process = begin(clip, tmp_path / "out.mp4", "--min-speed", "0.1", "--max-speed", "0.15")
    within(PATIENCE_S, lambda: any(tmp_path.iterdir()) or process.poll() is not None, "the first file of the run")
    assert process.poll() is None, "the run ended before it could be interrupted"
    assert "Traceback" not in interrupt(process, number)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
@pytest.mark.parametrize("number", SIGNALS)
def test_an_interrupted_remote_run_cancels_its_job(clip: Path, tmp_path: Path, running: RunningSuite, number: signal.Signals) -> None:
    speed = 0.15 + number / 1000  # finds the job of this test
    process = begin(clip, tmp_path / "out.mp4", "--min-speed", "0.1", "--max-speed", str(speed), "--remote", running.url)

    def jobs() -> list[dict[str, Any]]:
        items = running.client.get("/v1/jobs", params={"operation": "speed-ramp.render"}).json()["items"]
        return [job for job in items if job["params"].get("max_speed") == speed]

    within(PATIENCE_S, lambda: any(job["status"] != "queued" for job in jobs()) or process.poll() is not None, "the start of the job")
    assert process.poll() is None, "the run ended before it could be interrupted"
    assert "Traceback" not in interrupt(process, number)
    (job,) = jobs()
    assert running.wait(job["id"], PATIENCE_S)["status"] == "canceled"
    assert list(tmp_path.iterdir()) == []
