"""Load test of the suite with many clients.

They upload, run a job, poll and download.

    python -m benchmarks.suite.bench_load [clients] [seconds]

Starts `reelwright up` on the loopback interface. Each client repeats the whole way until the time is over. A refusal with 429 or 503 and
`Retry-After` counts as an answer; anything else that is not a success is an error. Another process meanwhile measures small requests.
Clients, measurement and suite are processes of three sessions: Linux shares a processor between sessions first, so the clients take no more
from the server's share than another program on the same machine would.
"""

import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from rich.console import Console
from rich.table import Table

from benchmarks.machine import machine
from benchmarks.suite.bench_api import tiny_clip
from shared.testing import suite

CLIENTS, SECONDS = 200, 60.0
REFUSALS = (429, 503)
MOST_PAUSE_S = 5.0
"""Longest pause after a refusal, in seconds. A longer Retry-After is cut to it."""
POLL_S, OBSERVE_S = 0.5, 0.1
TIMEOUT_S = 60.0
OPENING_S = 20.0
"""Length of the first phase, in seconds: all clients upload at once. The table has a row for it."""


@dataclass
class Totals:
    """Counts of all clients' answers, and the seconds of each upload.

    Answers: "name of the request: status" -> number.
    """

    answers: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)
    uploads_s: list[float] = field(default_factory=list)
    rounds: int = 0


class Refused(Exception):
    """The server answered 429 or 503."""


def main() -> None:
    """Run the load and print the table.

    Ends with an error if a request failed in another way than a refusal.
    """
    if sys.argv[1:2] == ["--observe"]:
        observe(sys.argv[2], float(sys.argv[3]))
        return
    if sys.argv[1:2] == ["--clients"]:
        totals = asyncio.run(load(sys.argv[2], Path(sys.argv[3]).read_bytes(), int(sys.argv[4]), float(sys.argv[5])))
        print(json.dumps(vars(totals)))
        return
    numbers = [float(argument) for argument in sys.argv[1:] if argument.replace(".", "").isdigit()]
    clients, seconds = int(numbers[0]) if numbers else CLIENTS, numbers[1] if len(numbers) > 1 else SECONDS
    with tempfile.TemporaryDirectory() as folder, suite(Path(folder, "data"), QUEUE_LIMIT="1000") as running:
        clip = tiny_clip(Path(folder, "tiny.mp4"))
        observer = begin("--observe", running.url, str(seconds))
        totals = Totals(**json.loads(output(begin("--clients", running.url, str(clip), str(clients), str(seconds)), seconds)))
        observed = json.loads(output(observer, seconds))
    table = Table("what", "value", title=f"{clients} clients for {seconds:g} s on {machine()}, load {os.getloadavg()[0]:.1f}")
    table.add_row("whole rounds (upload, job, poll, download)", str(totals.rounds))
    table.add_row("uploads a second", f"{len(totals.uploads_s) / seconds:.1f}")
    table.add_row("upload, median and p99", f"{share(totals.uploads_s, 0.5):.2f} s, {share(totals.uploads_s, 0.99):.2f} s")
    opening = [took for at, took in observed if at < OPENING_S]
    for part, took in (
        (f"in the first {OPENING_S:g} s, all upload", opening),
        ("after that", [took for at, took in observed if at >= OPENING_S]),
    ):
        table.add_row(f"small request {part}, median and p99", f"{1000 * share(took, 0.5):.0f} ms, {1000 * share(took, 0.99):.0f} ms")
    for answer, count in sorted(totals.answers.items()):
        table.add_row(answer, str(count))
    Console().print(table)
    for failure in totals.failures[:10]:
        Console().print(failure, markup=False)
    if totals.failures:
        sys.exit(f"{len(totals.failures)} requests failed")


def begin(*arguments: str) -> "subprocess.Popen[str]":
    """Start a part of this program as a process in a new Unix session."""
    command = [sys.executable, "-m", "benchmarks.suite.bench_load", *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True)


def output(part: "subprocess.Popen[str]", seconds: float) -> str:
    """Wait for the end of the process `part`; return its output.

    `seconds`: how long `part` works before it ends.
    """
    return part.communicate(timeout=seconds + 2 * TIMEOUT_S)[0]


async def load(url: str, clip: bytes, clients: int, seconds: float) -> Totals:
    """Run `clients` clients for `seconds` seconds; return their counts."""
    totals, end = Totals(), time.monotonic() + seconds
    limits = httpx.Limits(max_connections=clients)
    async with httpx.AsyncClient(base_url=url, timeout=TIMEOUT_S, trust_env=False, limits=limits) as http:
        await asyncio.gather(*(client(http, clip, number, end, totals) for number in range(clients)))
    return totals


async def client(http: httpx.AsyncClient, clip: bytes, number: int, end: float, totals: Totals) -> None:
    """Repeat upload, job and download until `end`."""
    while time.monotonic() < end:
        try:
            await one_round(http, clip, number, end, totals)
        except Refused as refusal:
            await asyncio.sleep(min(float(str(refusal)), max(0.0, end - time.monotonic())))
        except httpx.TransportError as error:
            totals.failures.append(f"{type(error).__name__}: {error}")


async def one_round(http: httpx.AsyncClient, clip: bytes, number: int, end: float, totals: Totals) -> None:
    """Upload, start a job, wait for its end and download its output."""

    async def send(method: str, name: str, path: str, **more: Any) -> httpx.Response:
        answer = await http.request(method, path, **more)
        totals.answers[f"{name}: {answer.status_code}"] += 1
        if answer.status_code in REFUSALS:
            pause_s = min(float(answer.headers.get("retry-after", "nan")), MOST_PAUSE_S)
            if pause_s != pause_s:
                totals.failures.append(f"{name}: {answer.status_code} without Retry-After")
            raise Refused(pause_s)
        if not answer.is_success:
            totals.failures.append(f"{name}: {answer.status_code} {answer.text[:200]}")
            raise Refused(1.0)
        return answer

    began = time.monotonic()
    medium = (await send("POST", "upload", "/v1/media", files={"file": (f"clip-{number}.mp4", clip)})).json()
    totals.uploads_s.append(time.monotonic() - began)
    body = {"inputs": {"video": medium["id"]}, "params": {"speeds": [4.0], "audio": "drop"}, "cache": False}
    job = (await send("POST", "submit", "/v1/speed-ramp/render/jobs", json=body)).json()
    while job["status"] in ("queued", "running"):
        if time.monotonic() >= end:
            return
        await asyncio.sleep(POLL_S)
        job = (await send("GET", "poll", f"/v1/jobs/{job['id']}")).json()
    if job["status"] != "succeeded":
        totals.failures.append(f"job {job['id']} {job['status']}: {job['error']}")
        return
    content = await send("GET", "download", job["outputs"]["video"]["urls"]["content"])
    if len(content.content) != job["outputs"]["video"]["bytes"]:
        totals.failures.append(f"the output of job {job['id']} is incomplete")
    totals.rounds += 1


def observe(url: str, seconds: float) -> None:
    """Send small requests for `seconds` seconds; print their latencies as a JSON list.

    Each latency is a list [seconds since the start, seconds that the request took].
    """
    answers_s, start = [], time.monotonic()
    end = start + seconds
    with httpx.Client(base_url=url, timeout=TIMEOUT_S, trust_env=False) as http:
        while time.monotonic() < end:
            began = time.perf_counter()
            http.get("/v1/jobs", params={"limit": 1}).raise_for_status()
            took_s = time.perf_counter() - began
            answers_s.append((time.monotonic() - start, took_s))
            time.sleep(OBSERVE_S)
    print(json.dumps(answers_s))


def share(values: list[float], part: float) -> float:
    """Return the quantile `part` of `values`.

    nan if there are none.
    """
    return sorted(values)[int(part * (len(values) - 1))] if values else float("nan")


if __name__ == "__main__":
    main()
