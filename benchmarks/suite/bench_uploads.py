"""Speed and memory of uploads: many small clips, simultaneous 8K clips, one big file.

    python -m benchmarks.suite.bench_uploads [megabytes | 8k | small]

Short clips of 8K go to the gateway alone, 16 at once. Measured is the peak memory of its process, alone and with its probe processes.

Small clips go to a whole suite from CLIENTS clients at once. The processor time per upload, of the server and of its probe processes, tells
how many uploads per second two free cores can take. Other work on the machine changes it little.

The upload of a big file is compared with a plain write with SHA-256. The server's memory and the time of small requests are measured
meanwhile. The server is a separate process with the real routes and a probe that always answers "video", so that only the transfer is
measured. Each transfer runs once. Ratios are to the plain write.
"""

import contextlib
import hashlib
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import psutil
from rich.console import Console
from rich.table import Table

from benchmarks.machine import machine
from benchmarks.material.clips import ffmpeg
from benchmarks.suite.bench_api import tiny_clip
from shared.testing import suite

CLIENTS, SMALL_S = 16, 20.0
SAMPLE_S = 0.02
MIB = 1024 * 1024
BLOCK = os.urandom(MIB)
SERVER = """
import sys
from pathlib import Path
import uvicorn
from fastapi import FastAPI
from gateway.media.routes import media_routes
from gateway.media.services import MediaServices
from gateway.uploads.routes import upload_routes
from shared.file_calls import ProbedFile
from shared.media.store import MediaStore
from shared.operation import Kind
from shared.settings import Settings

class Public:
    def __init__(self, app): self.app = app
    async def __call__(self, scope, receive, send):
        scope.setdefault("state", {})["owner"] = "public"
        await self.app(scope, receive, send)

async def probe(path): return ProbedFile(kind=Kind.VIDEO, content_type="video/mp4", suffix=".mp4", media=None)
async def nothing(*args): return None
settings = Settings(data_dir=Path(sys.argv[1]))
store = MediaStore(settings.data_dir / "media", ttl_s=3600)
services = MediaServices(store=store, probe=probe, thumbnail=nothing, in_use=nothing, forget_views=nothing, settings=settings)
app = FastAPI()
app.include_router(media_routes(services))
app.include_router(upload_routes(services))
app.add_middleware(Public)
uvicorn.run(app, port=int(sys.argv[2]), log_level="error")
"""


class Watch:
    """Sampler of the server's memory and of small requests' latency.

    It runs in a thread during a transfer.
    """

    def __init__(self, process: psutil.Process, url: str):
        self._process, self._url, self._over = process, url, threading.Event()
        self.peak_bytes, self.answers_s = 0, list[float]()

    def __enter__(self) -> "Watch":
        self._thread = threading.Thread(target=self._run)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _run(self) -> None:
        with httpx.Client() as http:
            while not self._over.wait(0.01):
                began = time.perf_counter()
                http.get(self._url)
                self.answers_s.append(time.perf_counter() - began)
                self.peak_bytes = max(self.peak_bytes, self._process.memory_info().rss)


def blocks(megabytes: int) -> Iterator[bytes]:
    for _ in range(megabytes):
        yield BLOCK


def plain_write(folder: Path, megabytes: int) -> None:
    digest = hashlib.sha256()
    with (folder / "plain").open("wb", buffering=0) as file:
        for block in blocks(megabytes):
            digest.update(block)
            file.write(block)
        os.fsync(file.fileno())
    (folder / "plain").unlink()


def send_form(url: str, megabytes: int) -> str:
    head = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.mp4"\r\n\r\n'
    tail = b"\r\n--b--\r\n"

    def body() -> Iterator[bytes]:
        yield head
        yield from blocks(megabytes)
        yield tail

    length = str(len(head) + megabytes * MIB + len(tail))
    headers = {"content-type": "multipart/form-data; boundary=b", "content-length": length}
    answer = httpx.post(f"{url}/v1/media", content=body(), headers=headers, timeout=600)
    return str(answer.raise_for_status().json()["id"])


def send_tus(url: str, megabytes: int) -> None:
    tus = {"tus-resumable": "1.0.0"}
    location = httpx.post(f"{url}/v1/uploads", headers=tus | {"upload-length": str(megabytes * MIB)}).headers["location"]
    body = {"content-type": "application/offset+octet-stream", "content-length": str(megabytes * MIB), "upload-offset": "0"}
    answer = httpx.patch(url + location, content=blocks(megabytes), headers=tus | body, timeout=600)
    assert answer.raise_for_status().headers["reelwright-media-id"]


def download(url: str, media_id: str) -> None:
    with httpx.stream("GET", f"{url}/v1/media/{media_id}/content", timeout=600) as answer:
        assert sum(len(chunk) for chunk in answer.iter_raw(MIB)) == int(answer.headers["content-length"])


@contextlib.contextmanager
def server(data_dir: str) -> Iterator[tuple[psutil.Process, str]]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    process = subprocess.Popen([sys.executable, "-c", SERVER, data_dir, str(port)])
    url = f"http://127.0.0.1:{port}"
    try:
        for _ in range(200):
            with contextlib.suppress(httpx.ConnectError):
                httpx.get(f"{url}/v1/media")
                break
            time.sleep(0.1)
        yield psutil.Process(process.pid), url
    finally:
        process.terminate()
        process.wait()


def small_uploads() -> Table:
    """Return a table of rate, latency and processor time of small uploads.

    Many clients upload for SMALL_S seconds.
    """
    with tempfile.TemporaryDirectory() as folder, suite(Path(folder, "data"), WORKER_IDLE_S="600") as running:
        clip = tiny_clip(Path(folder, "tiny.mp4")).read_bytes()
        running.client.post("/v1/media", files={"file": ("warm.mp4", clip)}).raise_for_status()
        end, took_s, refused = time.monotonic() + SMALL_S, list[float](), list[int]()

        def client(number: int) -> None:
            with httpx.Client(base_url=running.url, timeout=90, trust_env=False) as http:
                while time.monotonic() < end:
                    began = time.perf_counter()
                    status = http.post("/v1/media", files={"file": (f"{number}.mp4", clip)}).status_code
                    (took_s if status == 201 else refused).append(time.perf_counter() - began if status == 201 else status)

        own, tree = server_cpu_s(running.pid), tree_cpu_s(running.pid)
        clients = [threading.Thread(target=client, args=(number,)) for number in range(CLIENTS)]
        for thread in clients:
            thread.start()
        for thread in clients:
            thread.join()
        own, tree = server_cpu_s(running.pid) - own, tree_cpu_s(running.pid) - tree
    took_s.sort()
    count = len(took_s)
    table = Table("measure", "value", title=f"Small clips, {CLIENTS} clients for {SMALL_S:g} s. {machine()}, load {os.getloadavg()[0]:.1f}")
    table.add_row("uploads a second", f"{count / SMALL_S:.1f}")
    table.add_row("upload, median and p99", f"{took_s[count // 2]:.2f} s, {took_s[int(count * 0.99)]:.2f} s")
    table.add_row("refused", str(len(refused)))
    table.add_row("processor time per upload, server and probes", f"{1000 * own / count:.1f} ms, {1000 * (tree - own) / count:.1f} ms")
    table.add_row("uploads a second on two free cores", f"{min(1 / (own / count), 2 / (tree / count)):.0f}")
    return table


def large_uploads() -> Table:
    """Return a table of the gateway's memory during large uploads.

    16 clients upload 8K clips at once.
    """
    with tempfile.TemporaryDirectory() as folder, suite(Path(folder, "data"), command=("serve", "gateway")) as running:
        table = Table("measure", "value", title=f"{CLIENTS} uploads of 8K at once. {machine()}, load {os.getloadavg()[0]:.1f}")
        gateway = psutil.Process(running.pid)
        for name, pixels in (("8 bits", "yuv420p"), ("10 bits", "yuv420p10le")):
            clip = Path(folder, f"{pixels}.mp4")
            source = ("-f", "lavfi", "-i", "testsrc2=s=7680x4320:r=24", "-frames:v", "24", "-pix_fmt", pixels)
            ffmpeg(*source, "-c:v", "libx264", "-preset", "ultrafast", str(clip))
            statuses, over = list[int](), threading.Event()

            def client(number: int, clip: Path = clip, statuses: list[int] = statuses) -> None:
                with httpx.Client(base_url=running.url, timeout=300, trust_env=False) as http, clip.open("rb") as file:
                    statuses.append(http.post("/v1/media", files={"file": (f"{number}.mp4", file)}).status_code)

            peak_bytes = tree_bytes = 0
            clients = [threading.Thread(target=client, args=(number,)) for number in range(CLIENTS)]
            for thread in clients:
                thread.start()
            while any(thread.is_alive() for thread in clients):
                own, tree = resident_bytes(gateway)
                peak_bytes, tree_bytes = max(peak_bytes, own), max(tree_bytes, tree)
                over.wait(SAMPLE_S)
            table.add_row(f"{name}: taken, refused", f"{statuses.count(201)}, {CLIENTS - statuses.count(201)}")
            table.add_row(f"{name}: peak of the gateway's process", f"{peak_bytes / MIB:.0f} MiB")
            table.add_row(f"{name}: peak with its probe processes", f"{tree_bytes / MIB:.0f} MiB")
    return table


def resident_bytes(process: psutil.Process) -> tuple[int, int]:
    """Return the resident bytes of a process, alone and with its descendants."""
    own = int(process.memory_info().rss)
    tree = own
    for child in process.children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):
            tree += int(child.memory_info().rss)
    return own, tree


def server_cpu_s(pid: int) -> float:
    times = psutil.Process(pid).cpu_times()
    return float(times.user + times.system)


def tree_cpu_s(pid: int) -> float:
    """Return the processor time of a process and its descendants.

    Ended descendants count if their parents have waited for them.
    """
    total = server_cpu_s(pid)
    for child in psutil.Process(pid).children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):
            times = child.cpu_times()
            total += times.user + times.system + times.children_user + times.children_system
    return total


def main() -> None:
    only = sys.argv[1] if len(sys.argv) > 1 else ""
    if only in ("", "small"):
        Console(width=120).print(small_uploads())
    if only in ("", "8k"):
        Console(width=120).print(large_uploads())
    if only in ("small", "8k"):
        return
    megabytes = int(sys.argv[1]) if len(sys.argv) > 1 else 1024
    table = Table(title=f"{megabytes} MiB, one run")
    for column in ("what", "seconds", "MiB/s", "ratio", "server peak MiB", "over idle MiB", "small GET median ms", "p99 ms"):
        table.add_column(column, justify="left" if column == "what" else "right")
    with tempfile.TemporaryDirectory() as folder, server(folder) as (process, url):
        began = time.perf_counter()
        plain_write(Path(folder), megabytes)
        plain_s = time.perf_counter() - began
        table.add_row("plain write, SHA-256, fsync", f"{plain_s:.2f}", f"{megabytes / plain_s:.0f}", "1.00")
        idle_bytes = process.memory_info().rss
        media_id = ""

        def form() -> None:
            nonlocal media_id
            media_id = send_form(url, megabytes)

        steps: tuple[tuple[str, Callable[[], None]], ...] = (
            ("form upload", form),
            ("tus upload, one PATCH", lambda: send_tus(url, megabytes)),
            ("download", lambda: download(url, media_id)),
        )
        for name, step in steps:
            with Watch(process, f"{url}/v1/media?limit=1") as watch:
                began = time.perf_counter()
                step()
                took_s = time.perf_counter() - began
            answers = sorted(watch.answers_s)
            table.add_row(
                name,
                f"{took_s:.2f}",
                f"{megabytes / took_s:.0f}",
                f"{took_s / plain_s:.2f}",
                f"{watch.peak_bytes / MIB:.0f}",
                f"{(watch.peak_bytes - idle_bytes) / MIB:.0f}",
                f"{1000 * answers[len(answers) // 2]:.1f}",
                f"{1000 * answers[int(len(answers) * 0.99)]:.1f}",
            )
    Console(width=120).print(table)


if __name__ == "__main__":
    main()
