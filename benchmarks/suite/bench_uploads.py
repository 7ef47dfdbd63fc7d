"""Throughput of uploads and downloads of a big file.

    python -m benchmarks.suite.bench_uploads [megabytes]

Compares them with a plain write with SHA-256, and measures the server's memory and the time of small requests meanwhile. The server is a
separate process with the real routes and a probe that always answers "video", so that only the transfer is measured. All run once, one
after the other. The ratio is to the plain write.
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
from shared.media.store import MediaStore
from shared.settings import Settings

class Public:
    def __init__(self, app): self.app = app
    async def __call__(self, scope, receive, send):
        scope.setdefault("state", {})["owner"] = "public"
        await self.app(scope, receive, send)

async def probe(path): return {"kind": "video", "content_type": "video/mp4", "suffix": ".mp4", "media": None}
async def nothing(*args): return None
settings = Settings(data_dir=Path(sys.argv[1]))
store = MediaStore(settings.data_dir / "media", ttl_s=3600)
services = MediaServices(store=store, probe=probe, thumbnail=nothing, in_use=nothing, settings=settings)
app = FastAPI()
app.include_router(media_routes(services))
app.include_router(upload_routes(services))
app.add_middleware(Public)
uvicorn.run(app, port=int(sys.argv[2]), log_level="error")
"""


class Watch:
    """Sampler of the server's memory and the time of a small request.

    Runs in a thread during a transfer.
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
    where = httpx.post(f"{url}/v1/uploads", headers=tus | {"upload-length": str(megabytes * MIB)}).headers["location"]
    body = {"content-type": "application/offset+octet-stream", "content-length": str(megabytes * MIB), "upload-offset": "0"}
    answer = httpx.patch(url + where, content=blocks(megabytes), headers=tus | body, timeout=600)
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


def main() -> None:
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
