"""The media and upload routes on a real server with a fake probe.

The probe decides by a file's first bytes.
"""

import contextlib
import hashlib
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import uvicorn
from fastapi import FastAPI, Request
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.media.routes import media_routes
from gateway.media.services import MediaServices
from gateway.uploads.routes import upload_routes
from shared.errors import ReelwrightError, Unavailable, UnsupportedMedia
from shared.file_calls import ProbedFile
from shared.http.problems import problem_response
from shared.media.store import MediaStore
from shared.operation import Kind
from shared.settings import Settings

OTHER_OWNER = "k0123456789abcdef"
VIDEO = b"VIDEO" + bytes(range(256)) * 40
KINDS = {
    b"VIDEO": ("video", "video/mp4", ".mp4"),
    b"PAGE!": ("html", "text/html; charset=utf-8", ".html"),  # the output of an operation
    b"JSON!": ("json", "application/json", ".json"),
}


@dataclass
class Parts:
    """Settings, fakes and recorded calls of a media app under test."""

    data_dir: Path
    settings: Settings
    readers: dict[str, str] = field(default_factory=dict)
    probed: list[int] = field(default_factory=list)
    drawn: list[str] = field(default_factory=list)
    slow_probe_s: float = 0
    most_bytes: int | None = None
    """Quota of every owner."""
    busy: bool = False
    """Whether no process is free to probe a file."""

    @property
    def store(self) -> MediaStore:
        return MediaStore(self.data_dir / "media", ttl_s=7200, limit_of=lambda _owner: self.most_bytes)

    async def probe(self, path: Path) -> ProbedFile:
        with path.open("rb") as file:
            head = file.read(5)
        if self.slow_probe_s:
            time.sleep(self.slow_probe_s)
        self.probed.append(path.stat().st_size)
        if self.busy:
            raise Unavailable("The file could not be probed in time: the machine is busy.", headers={"Retry-After": "10"})
        if head not in KINDS:
            raise UnsupportedMedia("This is not a video.")
        kind, content_type, suffix = KINDS[head]
        return ProbedFile(kind=Kind(kind), content_type=content_type, suffix=suffix, media=None)

    async def thumbnail(self, path: Path, output: Path) -> None:
        self.drawn.append(path.parent.name)
        output.write_bytes(b"\xff\xd8 a picture")

    async def in_use(self, owner: str, media_id: str) -> str | None:
        return self.readers.get(media_id)

    async def forget_views(self, owner: str, media_id: str) -> None:
        """Do nothing: no views are kept beside the media."""

    def app(self) -> FastAPI:
        services = MediaServices(
            store=self.store,
            probe=self.probe,
            thumbnail=self.thumbnail,
            in_use=self.in_use,
            forget_views=self.forget_views,
            settings=self.settings,
        )
        app = FastAPI()
        app.include_router(media_routes(services))
        app.include_router(upload_routes(services))
        app.add_exception_handler(ReelwrightError, refused)
        app.add_exception_handler(ClientDisconnect, gone)
        app.add_middleware(OwnerFromHeader)
        return app


class OwnerFromHeader:
    def __init__(self, app: ASGIApp):
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            scope.setdefault("state", {})["owner"] = dict(scope["headers"]).get(b"x-owner", b"public").decode()
        await self.app(scope, receive, send)


async def refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, ReelwrightError)
    return problem_response(error)


async def gone(request: Request, error: Exception) -> Response:
    return Response(status_code=400)


@contextlib.contextmanager
def serving(app: FastAPI) -> Iterator[int]:
    """Serve the app on a free loopback port, in a thread.

    Yields the port.
    """
    listening = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=1))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    while not server.started:
        time.sleep(0.01)
    try:
        yield listening.getsockname()[1]
    finally:
        server.should_exit = True
        thread.join()
        listening.close()


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def read_until(connection: socket.socket, end: bytes = b"\r\n\r\n") -> bytes:
    received = b""
    while end not in received and (more := connection.recv(65536)):
        received += more
    return received


def wait_until(condition: Any, *, timeout_s: float = 5) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "the condition did not become true in time"
        time.sleep(0.01)
