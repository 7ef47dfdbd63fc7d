"""A file server that counts requests and can delay its answers."""

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


@dataclass
class Origin:
    """A file server: its address, files, request counts and an event.

    The event ends slow answers. Files and counts are by path. Answers below /slow wait until `gate` is set.
    """

    url: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    requests: Counter[str] = field(default_factory=Counter)
    gate: threading.Event = field(default_factory=threading.Event)


@contextmanager
def serving_files(**files: Path) -> Iterator[Origin]:
    """Serve each file at /<keyword>, and with a pause at /slow/<keyword>.

    Below /slow, the second half of the file waits until `gate` is set.
    """
    origin = Origin(files={f"/{name}{path.suffix}": path.read_bytes() for name, path in files.items()})

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = self.path.partition("?")[0]
            origin.requests[path] += 1
            body = origin.files.get(path.removeprefix("/slow"))
            self.send_response(404 if body is None else 200)
            self.send_header("Content-Length", str(len(body or b"")))
            self.end_headers()
            half = len(body or b"") // 2
            self.wfile.write((body or b"")[:half])
            self.wfile.flush()
            if path.startswith("/slow"):
                origin.gate.wait(60)
            self.wfile.write((body or b"")[half:])

        def do_POST(self) -> None:
            """Accept any message, as the receiver of webhooks."""
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_arguments: object) -> None: ...

        def handle(self) -> None:
            try:
                super().handle()
            except OSError:
                return  # the client has gone

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        origin.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield origin
        finally:
            origin.gate.set()
            server.shutdown()
            thread.join()
