"""A local file server that can misbehave or act as a model hub.

It serves ranges and drops connections.
"""

import contextlib
import hashlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class FileServer:
    """A file server: its files, planned faults and recorded requests."""

    files: dict[str, bytes] = field(default_factory=dict)
    redirects: dict[str, str] = field(default_factory=dict)
    heads: dict[str, dict[str, str]] = field(default_factory=dict)
    """Headers that are added to the answers for a path."""
    statuses: list[int] = field(default_factory=list)
    """Status codes of the next answers, one for each request."""
    break_after: list[int] = field(default_factory=list)
    """Numbers of bytes after which the next answers break off, one for each answer."""
    hide_length: bool = False
    ranges: bool = True
    part_bytes: int | None = None
    """Maximum number of bytes in the answer to a range request."""
    requests: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)
    url: str = ""

    def put(self, path: str, content: bytes) -> str:
        """Serve a file; return its address."""
        self.files[path] = content
        return self.url + path

    def hub_file(self, repository: str, revision: str, path: str, content: bytes, *, large: bool = True, commit: str = "c" * 40) -> None:
        """Serve a file as the model hub does.

        The hub redirects large files to a store elsewhere, and gives their SHA-256.
        """
        resolve = f"/{repository}/resolve/{revision}/{path}"
        git = hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()
        self.heads[resolve] = {"X-Repo-Commit": commit, "ETag": f'"{git}"'}
        if large:
            self.put(f"/store/{path}", content)
            self.redirects[resolve] = f"{self.url}/store/{path}".replace("127.0.0.1", "localhost")
            self.heads[resolve] |= {"X-Linked-Etag": f'"{hashlib.sha256(content).hexdigest()}"', "X-Linked-Size": str(len(content))}
        else:
            self.put(resolve, content)


@contextlib.contextmanager
def file_server() -> Iterator[FileServer]:
    """Run a file server on a free port."""
    server = FileServer()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_HEAD(self) -> None:
            self.answer(body=False)

        def do_GET(self) -> None:
            self.answer(body=True)

        def answer(self, *, body: bool) -> None:
            server.requests.append((self.command, self.path, dict(self.headers)))
            extra = server.heads.get(self.path, {})
            if server.statuses and body:
                return self.reply(server.statuses.pop(0), extra, b"")
            if self.path in server.redirects:
                return self.reply(302, {"Location": server.redirects[self.path], **extra}, b"")
            if self.path not in server.files:
                return self.reply(404, {"Content-Type": "text/plain", **extra}, b"no" if body else b"")
            self.file(server.files[self.path], extra, body)
            return None

        def file(self, content: bytes, extra: dict[str, str], body: bool) -> None:
            headers = {"ETag": f'"{hashlib.md5(content).hexdigest()}"', "Content-Type": "application/octet-stream", **extra}
            range_header, start = self.headers.get("Range"), 0
            if server.ranges and range_header and self.headers.get("If-Range") in (None, headers["ETag"]):
                start = int(range_header.removeprefix("bytes=").removesuffix("-"))
                if start >= len(content):
                    return self.reply(416, {"Content-Range": f"bytes */{len(content)}"}, b"")
                end = min(len(content), start + (server.part_bytes or len(content)))
                headers["Content-Range"] = f"bytes {start}-{end - 1}/{len(content)}"
                return self.reply(206, headers, content[start:end] if body else b"", length=end - start)
            self.reply(200, headers, content if body else b"", length=len(content))
            return None

        def reply(self, status: int, headers: dict[str, str], content: bytes, *, length: int | None = None) -> None:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            if server.hide_length:
                self.send_header("Connection", "close")
                self.close_connection = True
            else:
                self.send_header("Content-Length", str(len(content) if length is None else length))
            self.end_headers()
            if status in (200, 206) and content and server.break_after:
                content = content[: server.break_after.pop(0)]
                self.close_connection = True
            with contextlib.suppress(ConnectionError):  # the client had seen enough
                self.wfile.write(content)

        def log_message(self, *arguments: object) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        http.daemon_threads = True
        server.url = f"http://127.0.0.1:{http.server_port}"
        thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield server
        finally:
            http.shutdown()
            thread.join()
