"""Media routes: uploads, lists, downloads, byte ranges, thumbnails, deletion, URLs."""

import secrets
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest

from gateway.media.file_responses import safety_headers
from shared.media.store import NewMedium
from shared.operation import Kind, Sample
from shared.sample_ids import SAMPLES
from shared.settings import Settings
from tests.gateway.media_app import OTHER_OWNER, VIDEO, Parts, read_until, serving, sha256, wait_until

MAX_BYTES = 300_000


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Parts, int]]:
    data_dir = tmp_path_factory.mktemp("data")
    allowed = "127.0.0.1/32"
    settings = Settings(data_dir=data_dir, max_upload_bytes=MAX_BYTES, url_allow_networks=allowed)  # type: ignore[arg-type]
    parts = Parts(data_dir=data_dir, settings=settings)
    with serving(parts.app()) as port:
        yield parts, port


@pytest.fixture
def parts(server: tuple[Parts, int]) -> Parts:
    return server[0]


@pytest.fixture
def http(server: tuple[Parts, int]) -> Iterator[httpx.Client]:
    """Open a client of the shared server, as a new owner."""
    owner = "k" + secrets.token_hex(8)
    with httpx.Client(base_url=f"http://127.0.0.1:{server[1]}", timeout=10, headers={"x-owner": owner}) as client:
        yield client


def upload(http: httpx.Client, data: bytes = VIDEO, *, name: str = "clip.mp4") -> httpx.Response:
    return http.post("/v1/media", files={"file": (name, data)})


def kept_id(http: httpx.Client, data: bytes = VIDEO) -> str:
    return str(upload(http, data).json()["id"])


def leftovers(parts: Parts) -> list[Path]:
    return list((parts.data_dir / "media" / ".incoming").glob("*"))


def test_an_upload_returns_its_record(http: httpx.Client, parts: Parts) -> None:
    answer = upload(http, name="../Tänzerin.mp4")
    assert answer.status_code == 201
    record = answer.json()
    assert answer.headers["location"] == record["urls"]["self"] == f"/v1/media/{record['id']}"
    assert (record["name"], record["kind"], record["bytes"], record["sha256"]) == ("Tänzerin.mp4", "video", len(VIDEO), sha256(VIDEO))
    assert record["source"] == "upload"
    assert http.get(record["urls"]["self"]).json() == record
    assert http.get(record["urls"]["content"]).content == VIDEO
    assert leftovers(parts) == []


@pytest.mark.parametrize(
    ("form", "status", "words"),
    [
        ({"files": {"video": ("a.mp4", VIDEO)}}, 422, "field 'video'"),
        ({"files": {"file": ("a.mp4", VIDEO), "more": ("b.mp4", VIDEO)}}, 422, "another part after the file, 'more'"),
        ({"files": {"file": (None, "text")}}, 422, "value in the field 'file'"),
        ({"content": b"--b--\r\n", "headers": {"content-type": "multipart/form-data; boundary=b"}}, 422, "in the field 'file'"),
        ({"content": b"--c\r\nx", "headers": {"content-type": "multipart/form-data; boundary=b"}}, 422, "damaged"),
        ({"content": b"--b\r\n", "headers": {"content-type": "multipart/form-data; boundary=b"}}, 422, "before its last boundary"),
        ({"content": b"x", "headers": {"content-type": "multipart/form-data"}}, 415, "boundary"),
        ({"json": {"file": "x"}}, 415, "application/json"),
        ({"files": {"file": ("a.mp4", b"")}}, 422, "empty"),
        ({"files": {"file": ("a.mp4", b"MZ\x90\x00 exe")}}, 415, "not a video"),
    ],
)
def test_malformed_forms_are_refused_and_leave_no_media(http: httpx.Client, parts: Parts, form: dict, status: int, words: str) -> None:
    answer = http.post("/v1/media", **form)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    assert words in answer.json()["detail"]
    assert http.get("/v1/media").json() == {"items": [], "next_cursor": None}
    assert leftovers(parts) == []


def test_too_large_files_are_refused_by_length_and_while_reading(http: httpx.Client, parts: Parts) -> None:
    assert upload(http, b"VIDEO" + b"x" * (MAX_BYTES - 5)).status_code == 201
    assert upload(http, b"VIDEO" + b"x" * (MAX_BYTES - 4)).status_code == 413

    def endless() -> Iterator[bytes]:
        yield b'--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'
        for _ in range(100):
            yield b"x" * 10_000

    answer = http.post("/v1/media", content=endless(), headers={"content-type": "multipart/form-data; boundary=b"})
    assert answer.status_code == 413
    assert str(MAX_BYTES) in answer.json()["detail"]
    with socket.create_connection(("127.0.0.1", http.base_url.port or 0)) as connection:
        connection.sendall(
            b"POST /v1/media HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=b\r\n"
            b"Content-Length: 9000000000\r\nExpect: 100-continue\r\n\r\n"
        )
        assert read_until(connection).startswith(b"HTTP/1.1 413")  # without a "100 Continue" first
    assert leftovers(parts) == []


def test_a_file_that_a_busy_machine_cannot_probe_may_be_sent_again(http: httpx.Client, parts: Parts) -> None:
    parts.busy = True
    try:
        answer = upload(http)
    finally:
        parts.busy = False
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "10")
    assert http.get("/v1/media").json()["items"] == []
    assert leftovers(parts) == []
    assert upload(http).status_code == 201


def test_a_broken_upload_leaves_no_media(http: httpx.Client, parts: Parts) -> None:
    with socket.create_connection(("127.0.0.1", http.base_url.port or 0)) as connection:
        connection.sendall(
            b"POST /v1/media HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=b\r\nContent-Length: 100000\r\n\r\n"
            b'--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\nVIDEO'
        )
        wait_until(lambda: leftovers(parts))
    wait_until(lambda: not leftovers(parts))
    assert http.get("/v1/media").json()["items"] == []


def test_media_are_listed_newest_first_in_pages(http: httpx.Client) -> None:
    ids = [kept_id(http, VIDEO if number % 2 else b"JSON!") for number in range(5)]
    first = http.get("/v1/media", params={"limit": 3}).json()
    second = http.get("/v1/media", params={"limit": 3, "cursor": first["next_cursor"]}).json()
    assert [item["id"] for item in first["items"] + second["items"]] == ids[::-1]
    assert second["next_cursor"] is None
    assert [item["id"] for item in http.get("/v1/media", params={"kind": "json"}).json()["items"]] == ids[::2][::-1]
    assert http.get("/v1/media", params={"cursor": "nonsense"}).status_code == 422


def test_another_owner_cannot_see_media(http: httpx.Client) -> None:
    media_id = kept_id(http)
    other = {"x-owner": OTHER_OWNER}
    assert http.get("/v1/media", headers=other).json()["items"] == []
    for method, path in (("GET", ""), ("GET", "/content"), ("HEAD", "/content"), ("GET", "/thumbnail"), ("DELETE", "")):
        assert http.request(method, f"/v1/media/{media_id}{path}", headers=other).status_code == 404
    assert http.get(f"/v1/media/{media_id}").status_code == 200


@pytest.mark.parametrize("media_id", ["..%2f..%2fetc", "%2e%2e", "a" * 26, "A" * 26, "x", "a" * 5000])
def test_malformed_ids_are_unknown(http: httpx.Client, media_id: str) -> None:
    for path in ("", "/content", "/thumbnail"):
        assert http.get(f"/v1/media/{media_id}{path}").status_code == 404


@pytest.mark.parametrize(
    ("ranges", "status", "start", "end"),
    [
        ("bytes=0-9", 206, 0, 10),
        ("bytes=100-", 206, 100, None),
        ("bytes=-7", 206, -7, None),
        (f"bytes=-{len(VIDEO) * 2}", 206, 0, None),
        (f"bytes=10-{len(VIDEO) * 2}", 206, 10, None),
        (f"bytes=5-6,{len(VIDEO)}-", 206, 5, 7),
        ("Bytes=0-0", 206, 0, 1),
        ("bytes=9-3", 200, 0, None),
        ("bytes=a-b", 200, 0, None),
        ("bytes=", 200, 0, None),
        ("frames=0-3", 200, 0, None),
        ("bytes=" + ",".join(f"{n}-{n}" for n in range(0, 400, 2)), 200, 0, None),
    ],
)
def test_a_valid_range_is_sent_and_an_invalid_one_ignored(
    http: httpx.Client, ranges: str, status: int, start: int, end: int | None
) -> None:
    url = f"/v1/media/{kept_id(http)}/content"
    answer = http.get(url, headers={"range": ranges})
    expected = VIDEO[start:end]
    assert (answer.status_code, answer.content) == (status, expected)
    assert int(answer.headers["content-length"]) == len(expected)
    assert answer.headers["accept-ranges"] == "bytes"
    if status == 206:
        first = len(VIDEO) + start if start < 0 else start
        assert answer.headers["content-range"] == f"bytes {first}-{first + len(expected) - 1}/{len(VIDEO)}"


def test_several_ranges_are_sent_as_multipart(http: httpx.Client) -> None:
    answer = http.get(f"/v1/media/{kept_id(http)}/content", headers={"range": "bytes=0-4, -4"})
    assert answer.status_code == 206
    assert answer.headers["content-type"].startswith("multipart/byteranges; boundary=")
    for piece in (VIDEO[:5], VIDEO[-4:], f"bytes 0-4/{len(VIDEO)}".encode()):
        assert piece in answer.content
    assert len(answer.content) == int(answer.headers["content-length"])


@pytest.mark.parametrize("ranges", [f"bytes={len(VIDEO)}-", "bytes=-0", "bytes=99999999-99999999,88888888-"])
def test_a_range_outside_the_file_is_refused(http: httpx.Client, ranges: str) -> None:
    answer = http.get(f"/v1/media/{kept_id(http)}/content", headers={"range": ranges})
    assert answer.status_code == 416
    assert answer.headers["content-range"] == f"bytes */{len(VIDEO)}"
    assert answer.json()["type"] == "/problems/range-not-satisfiable"


def test_conditional_requests_are_answered_by_etag_and_date(http: httpx.Client) -> None:
    url = f"/v1/media/{kept_id(http)}/content"
    etag = http.get(url).headers["etag"]
    assert etag == f'"{sha256(VIDEO)}"'
    for tags in (etag, f'"x", W/{etag}', "*"):
        answer = http.get(url, headers={"if-none-match": tags})
        assert (answer.status_code, answer.content, answer.headers["etag"]) == (304, b"", etag)
    assert http.get(url, headers={"if-none-match": '"other"'}).status_code == 200
    assert http.get(url, headers={"range": "bytes=0-1", "if-range": etag}).status_code == 206
    assert http.get(url, headers={"range": "bytes=0-1", "if-range": '"old"'}).status_code == 200
    assert http.get(url, headers={"range": "bytes=99999999-", "if-range": '"old"'}).status_code == 200
    for tags, status in ((etag, 200), ("*", 200), ('"other"', 412), (f"W/{etag}", 412)):
        assert http.get(url, headers={"if-match": tags}).status_code == status
    written, earlier = http.get(url).headers["last-modified"], "Sat, 01 Jan 2000 00:00:00 GMT"
    for name, date, status in (
        *(("if-modified-since", written, 304), ("if-modified-since", earlier, 200), ("if-modified-since", "soon", 200)),
        *(("if-unmodified-since", written, 200), ("if-unmodified-since", earlier, 412)),
    ):
        assert http.get(url, headers={name: date}).status_code == status, (name, date)
    assert http.get(url, headers={"if-none-match": '"other"', "if-modified-since": written}).status_code == 200


def test_head_returns_headers_without_a_body(http: httpx.Client) -> None:
    url = f"/v1/media/{kept_id(http)}/content"
    full = http.get(url)
    head = http.head(url)
    assert (head.status_code, head.content) == (200, b"")
    for name in ("content-length", "content-type", "etag", "accept-ranges", "content-disposition"):
        assert head.headers[name] == full.headers[name]


def test_headers_keep_browsers_from_guessing_the_type(http: httpx.Client) -> None:
    video = upload(http, name="page.html").json()["urls"]
    page = upload(http, b"PAGE!<script>alert(1)</script>", name="gallery.html").json()["urls"]
    answer = http.get(video["content"])
    assert answer.headers["content-type"] == "video/mp4"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-disposition"] == 'inline; filename="page.html.mp4"'
    assert http.get(video["download"]).headers["content-disposition"] == 'attachment; filename="page.html.mp4"'
    assert http.get(page["content"]).headers["content-security-policy"] == "sandbox allow-scripts allow-downloads"


@pytest.mark.parametrize(
    ("content_type", "policy"),
    [
        ("video/mp4", None),
        ("image/png", None),
        ("application/json", None),
        ("application/zip", None),
        ("Text/HTML", "sandbox allow-scripts allow-downloads"),
        ("text/html ;x", "sandbox allow-scripts allow-downloads"),
        ("image/SVG+xml", "sandbox"),
        ("application/xhtml+xml", "sandbox"),
        ("video/mp4, text/html", "sandbox"),
        ("application/anything", "sandbox"),
        ("", "sandbox"),
    ],
)
def test_only_files_that_cannot_run_scripts_are_served_without_a_sandbox(content_type: str, policy: str | None) -> None:
    headers = safety_headers(content_type)
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers.get("Content-Security-Policy") == policy


def test_a_thumbnail_is_made_once(http: httpx.Client, parts: Parts) -> None:
    media_id = kept_id(http)
    url = f"/v1/media/{media_id}/thumbnail"
    first, second = http.get(url), http.get(url)
    assert (first.status_code, first.content, first.headers["content-type"]) == (200, b"\xff\xd8 a picture", "image/jpeg")
    assert second.content == first.content
    assert http.get(url, headers={"if-none-match": first.headers["etag"]}).status_code == 304
    assert parts.drawn.count(media_id) == 1
    assert leftovers(parts) == []
    assert http.get(f"/v1/media/{kept_id(http, b'JSON!')}/thumbnail").status_code == 404


def test_a_medium_is_deleted_unless_a_job_reads_it(http: httpx.Client, parts: Parts) -> None:
    media_id = kept_id(http)
    parts.readers[media_id] = "job1"
    answer = http.delete(f"/v1/media/{media_id}")
    assert answer.status_code == 409
    assert "job1" in answer.json()["detail"]
    del parts.readers[media_id]
    assert http.delete(f"/v1/media/{media_id}").status_code == 204
    assert http.delete(f"/v1/media/{media_id}").status_code == 404
    assert http.get(f"/v1/media/{media_id}/content").status_code == 404


def test_samples_are_not_deleted(http: httpx.Client, parts: Parts) -> None:
    sample, owner = SAMPLES[Sample.CLIP], http.headers["x-owner"]
    with parts.store.incoming() as incoming:
        incoming.content.write_bytes(VIDEO)
        parts.store.publish(
            incoming,
            NewMedium(
                owner=owner,
                name="s.mp4",
                kind=Kind.VIDEO,
                content_type="video/mp4",
                suffix=".mp4",
                source="upload",
                media=None,
                media_id=sample,
            ),
        )
    answer = http.delete(f"/v1/media/{sample}")
    assert answer.status_code == 409
    assert "sample" in answer.json()["detail"]
    assert http.get(f"/v1/media/{sample}").status_code == 200


class Files(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        if self.path == "/away":
            self.send_response(302)
            self.send_header("Location", "http://169.254.169.254/latest/meta-data/")
            self.end_headers()
            return
        body = VIDEO if self.path == "/clip.mp4" else b"x" * (MAX_BYTES + 1)
        self.send_response(200)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None: ...


@pytest.fixture
def files() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Files) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_a_file_is_fetched_from_a_url(http: httpx.Client, files: str, parts: Parts) -> None:
    answer = http.post("/v1/media/from-url", json={"url": f"{files}/clip.mp4"})
    assert answer.status_code == 201
    record = answer.json()
    assert (record["name"], record["source"], record["sha256"]) == ("clip.mp4", "url", sha256(VIDEO))
    assert answer.headers["location"] == record["urls"]["self"]
    for url, kind in ((f"{files}/away", "forbidden-address"), (f"{files}/big", "fetch-failed"), ("http://127.0.0.9/", "forbidden-address")):
        answer = http.post("/v1/media/from-url", json={"url": url})
        assert (answer.status_code, answer.json()["type"]) == (422, f"/problems/{kind}")
    assert http.post("/v1/media/from-url", json={"url": f"{files}/clip.mp4", "more": 1}).status_code == 422
    assert leftovers(parts) == []


def test_openapi_describes_the_upload_form(http: httpx.Client) -> None:
    paths = http.get("/openapi.json").json()["paths"]
    form = paths["/v1/media"]["post"]["requestBody"]["content"]["multipart/form-data"]["schema"]
    assert form["properties"]["file"] == {"type": "string", "format": "binary"}
    assert "head" not in paths["/v1/media/{media_id}/content"]
    assert all("summary" in operation for path in paths.values() for operation in path.values())
