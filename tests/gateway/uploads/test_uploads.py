"""Resumable uploads by the tus protocol: pieces, checksums, expiry, crashes."""

import base64
import hashlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path

import httpx
import pytest

from gateway.uploads.folder import Upload, Uploads, UploadState, uploads_in
from shared.media.ids import new_id
from shared.settings import Settings
from tests.gateway.media_app import OTHER_OWNER, VIDEO, Parts, read_until, serving, sha256, wait_until

MAX_BYTES = 3_000_000
QUOTA_EXCEEDED = 429
BODY = {"content-type": "application/offset+octet-stream"}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Parts, int]]:
    data_dir = tmp_path_factory.mktemp("data")
    parts = Parts(data_dir=data_dir, settings=Settings(data_dir=data_dir, max_upload_bytes=MAX_BYTES))
    with serving(parts.app()) as port:
        yield parts, port


@pytest.fixture
def parts(server: tuple[Parts, int]) -> Parts:
    server[0].probed.clear()
    return server[0]


@pytest.fixture
def uploads(parts: Parts) -> Uploads:
    return uploads_in(parts.data_dir, ttl_s=parts.settings.upload_ttl_s)


@pytest.fixture
def http(server: tuple[Parts, int]) -> Iterator[httpx.Client]:
    with client_of(server[1]) as client:
        yield client


def client_of(port: int) -> httpx.Client:
    return httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=10, headers={"tus-resumable": "1.0.0"})


def named(name: str) -> str:
    return f"filename {base64.b64encode(name.encode()).decode()},private"


def begin(http: httpx.Client, length: int = len(VIDEO), **headers: str) -> str:
    answer = http.post("/v1/uploads", headers={"upload-length": str(length), "upload-metadata": named("clip.mp4"), **headers})
    assert answer.status_code == 201, answer.text
    assert answer.headers["upload-offset"] == "0"
    return answer.headers["location"]


def send(http: httpx.Client, url: str, data: bytes, offset: int = 0, **headers: str) -> httpx.Response:
    named_headers = {name.replace("_", "-"): value for name, value in headers.items()}
    return http.patch(url, content=data, headers=BODY | {"upload-offset": str(offset)} | named_headers)


def offset(http: httpx.Client, url: str) -> int:
    answer = http.head(url)
    assert answer.status_code == 200
    return int(answer.headers["upload-offset"])


def checksum(algorithm: str, data: bytes) -> str:
    return f"{algorithm} {base64.b64encode(hashlib.new(algorithm, data).digest()).decode()}"


def unfinished_patch(port: int, url: str, data: bytes, *, announced: int, **headers: str) -> socket.socket:
    """Send a PATCH with fewer bytes than `announced`; return the open socket."""
    connection = socket.create_connection(("127.0.0.1", port))
    lines = [f"PATCH {url} HTTP/1.1", "Host: x", "Tus-Resumable: 1.0.0", "Upload-Offset: 0", f"Content-Length: {announced}"]
    lines += ["Content-Type: application/offset+octet-stream", *(f"{name.replace('_', '-')}: {value}" for name, value in headers.items())]
    connection.sendall("\r\n".join([*lines, "", ""]).encode() + data)
    return connection


def test_options_list_version_and_extensions(http: httpx.Client) -> None:
    answer = http.request("OPTIONS", "/v1/uploads", headers={"tus-resumable": ""})
    assert answer.status_code == 204
    assert answer.headers["tus-version"] == "1.0.0"
    assert answer.headers["tus-max-size"] == str(MAX_BYTES)
    assert set(answer.headers["tus-extension"].split(",")) == {"creation", "creation-with-upload", "termination", "expiration", "checksum"}
    assert {"sha1", "sha256"} <= set(answer.headers["tus-checksum-algorithm"].split(","))


def test_bytes_of_unfinished_uploads_count_against_the_quota(tmp_path: Path) -> None:
    parts = Parts(data_dir=tmp_path, settings=Settings(data_dir=tmp_path, max_upload_bytes=MAX_BYTES), most_bytes=10_000)
    with serving(parts.app()) as port, client_of(port) as http:
        refused = http.post("/v1/uploads", headers={"upload-length": "10001"})
        assert (refused.status_code, refused.json()["type"]) == (QUOTA_EXCEEDED, "/problems/quota-exceeded")
        urls = [begin(http, length=6000) for _ in range(3)]  # empty ones take no room yet
        assert send(http, urls[0], bytes(5000)).status_code == 204
        assert send(http, urls[1], bytes(5000)).status_code == QUOTA_EXCEEDED
        assert offset(http, urls[1]) == 0
        assert http.post("/v1/uploads", headers={"upload-length": "5001"}).status_code == QUOTA_EXCEEDED
        assert http.delete(urls[0]).status_code == 204
        assert send(http, urls[1], bytes(5000)).status_code == 204


def test_bytes_that_a_request_still_sends_count_against_the_quota(tmp_path: Path) -> None:
    parts = Parts(data_dir=tmp_path, settings=Settings(data_dir=tmp_path, max_upload_bytes=MAX_BYTES), most_bytes=2 * len(VIDEO))
    with serving(parts.app()) as port, client_of(port) as http:
        first, second = begin(http), begin(http)
        with unfinished_patch(port, first, VIDEO[:1000], announced=len(VIDEO)) as connection:
            wait_until(lambda: offset(http, first) == 1000)
            form = {"file": ("clip.mp4", VIDEO + VIDEO)}
            refused = http.post("/v1/media", files=form)
            assert (refused.status_code, refused.json()["type"]) == (QUOTA_EXCEEDED, "/problems/quota-exceeded")
            assert f"{len(VIDEO)} bytes are stored or on their way" in refused.json()["detail"]
            assert send(http, second, VIDEO).status_code == 204
            assert http.post("/v1/uploads", headers={"upload-length": "1"}).status_code == QUOTA_EXCEEDED
            connection.sendall(VIDEO[1000:])
            assert b"204 No Content" in read_until(connection)
        assert http.get("/v1/media/usage").json()["bytes"] == 2 * len(VIDEO)


def test_an_upload_in_pieces_becomes_a_medium(http: httpx.Client, parts: Parts) -> None:
    url = begin(http)
    first = send(http, url, VIDEO[:4000])
    assert (first.status_code, first.headers["upload-offset"], first.headers["tus-resumable"]) == (204, "4000", "1.0.0")
    assert "reelwright-media-id" not in first.headers
    assert parsedate_to_datetime(first.headers["upload-expires"]) > datetime.now(UTC) + timedelta(hours=23)
    head = http.head(url)
    assert (head.headers["upload-offset"], head.headers["upload-length"]) == ("4000", str(len(VIDEO)))
    assert head.headers["cache-control"] == "no-store"
    assert head.headers["upload-metadata"] == named("clip.mp4")

    last = send(http, url, VIDEO[4000:], 4000)
    media_id = last.headers["reelwright-media-id"]
    assert (last.status_code, last.headers["content-location"]) == (204, f"/v1/media/{media_id}")
    record = http.get(f"/v1/media/{media_id}").json()
    assert (record["name"], record["kind"], record["sha256"], record["source"]) == ("clip.mp4", "video", sha256(VIDEO), "upload")
    head = http.head(url)
    assert (head.headers["upload-offset"], head.headers["reelwright-media-id"]) == (str(len(VIDEO)), media_id)
    again = send(http, url, b"", len(VIDEO))
    assert (again.status_code, again.headers["reelwright-media-id"]) == (204, media_id)
    assert parts.probed == [len(VIDEO)]
    assert not (parts.data_dir / "uploads" / "public" / url.rpartition("/")[2] / "data").exists()


def test_an_upload_may_be_created_with_its_first_bytes(http: httpx.Client) -> None:
    headers = BODY | {"upload-length": str(len(VIDEO))}
    part = http.post("/v1/uploads", content=VIDEO[:100], headers=headers)
    assert (part.status_code, part.headers["upload-offset"]) == (201, "100")
    assert offset(http, part.headers["location"]) == 100
    whole = http.post("/v1/uploads", content=VIDEO, headers=headers | {"upload-checksum": checksum("sha1", VIDEO)})
    assert whole.status_code == 201
    assert http.get(whole.headers["content-location"]).json()["sha256"] == sha256(VIDEO)


def test_bytes_before_a_broken_connection_are_kept(http: httpx.Client, server: tuple[Parts, int]) -> None:
    url = begin(http)
    with unfinished_patch(server[1], url, VIDEO[:5000], announced=len(VIDEO)):
        wait_until(lambda: offset(http, url) == 5000)
    wait_until(lambda: send(http, url, b"", 5000).status_code == 204)  # the lock is released
    assert send(http, url, VIDEO[5000:], 5000).headers["reelwright-media-id"]


def test_an_upload_has_one_writer_at_a_time(http: httpx.Client, server: tuple[Parts, int]) -> None:
    url = begin(http)
    with unfinished_patch(server[1], url, VIDEO[:5000], announced=len(VIDEO)) as first:
        wait_until(lambda: offset(http, url) == 5000)
        for answer in (send(http, url, VIDEO[5000:], 5000), http.delete(url)):
            assert (answer.status_code, answer.json()["type"]) == (423, "/problems/upload-locked")
        first.sendall(VIDEO[5000:])
        assert b"reelwright-media-id" in read_until(first)


@pytest.mark.parametrize("algorithm", ["sha1", "sha256", "sha512", "md5"])
def test_bytes_with_a_wrong_checksum_are_refused(http: httpx.Client, algorithm: str) -> None:
    url = begin(http)
    assert send(http, url, VIDEO[:3000], upload_checksum=checksum(algorithm, VIDEO[:3000])).status_code == 204
    wrong = send(http, url, VIDEO[3000:], 3000, upload_checksum=checksum(algorithm, b"other"))
    assert (wrong.status_code, wrong.json()["type"]) == (460, "/problems/checksum-mismatch")
    assert offset(http, url) == 3000
    right = send(http, url, VIDEO[3000:], 3000, upload_checksum=checksum(algorithm, VIDEO[3000:]))
    assert http.get(right.headers["content-location"]).json()["sha256"] == sha256(VIDEO)


def test_unverified_bytes_do_not_count(http: httpx.Client, server: tuple[Parts, int]) -> None:
    url = begin(http)
    data = server[0].data_dir / "uploads" / "public" / url.rpartition("/")[2] / "data"
    with unfinished_patch(server[1], url, b"damaged", announced=len(VIDEO), Upload_Checksum=checksum("sha1", VIDEO)):
        wait_until(lambda: data.stat().st_size == 7)
        assert offset(http, url) == 0
    wait_until(lambda: send(http, url, VIDEO).status_code == 204)
    assert http.head(url).headers["reelwright-media-id"]


@pytest.mark.parametrize(
    ("headers", "status", "kind"),
    [
        ({"tus-resumable": "0.2.2"}, 412, "wrong-tus-version"),
        ({"tus-resumable": ""}, 412, "wrong-tus-version"),
        ({"upload-offset": "1"}, 409, "offset-mismatch"),
        ({"upload-offset": "-1"}, 400, "bad-upload-request"),
        ({"upload-offset": ""}, 400, "bad-upload-request"),
        ({"content-type": "video/mp4"}, 415, "unsupported-media"),
        ({"upload-checksum": "crc32 AAAA"}, 400, "bad-upload-request"),
        ({"upload-checksum": "sha1 ???"}, 400, "bad-upload-request"),
        ({"x-owner": OTHER_OWNER}, 404, "unknown-upload"),
    ],
)
def test_requests_that_violate_the_protocol_are_refused(http: httpx.Client, headers: dict[str, str], status: int, kind: str) -> None:
    url = begin(http)
    answer = http.patch(url, content=b"VIDEO", headers=BODY | {"upload-offset": "0"} | headers)
    assert (answer.status_code, answer.json()["type"]) == (status, f"/problems/{kind}")
    assert answer.headers["tus-resumable"] == "1.0.0"
    assert offset(http, url) == 0


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 400),
        ({"upload-length": "x"}, 400),
        ({"upload-length": "-5"}, 400),
        ({"upload-length": "0"}, 422),
        ({"upload-length": str(MAX_BYTES + 1)}, 413),
        ({"upload-length": "9" * 30}, 400),
        ({"upload-defer-length": "1"}, 400),
        ({"upload-length": "5", "upload-concat": "partial"}, 400),
        ({"upload-length": "5", "upload-metadata": "filename not-base64"}, 400),
        ({"upload-length": "5", "upload-metadata": "a YQ==,a YQ=="}, 400),
    ],
)
def test_invalid_uploads_are_refused_at_creation(http: httpx.Client, parts: Parts, headers: dict[str, str], status: int) -> None:
    before = list((parts.data_dir / "uploads").glob("*/*"))
    assert http.post("/v1/uploads", headers=headers).status_code == status
    assert list((parts.data_dir / "uploads").glob("*/*")) == before


def test_more_bytes_than_the_upload_length_are_refused(http: httpx.Client) -> None:
    url = begin(http, 100)
    send(http, url, VIDEO[:10])
    assert send(http, url, b"x" * 91, 10).status_code == 413

    def unannounced() -> Iterator[bytes]:
        yield b"x" * 91

    answer = http.patch(url, content=unannounced(), headers=BODY | {"upload-offset": "10"})
    assert answer.status_code == 413
    assert offset(http, url) == 10


@pytest.mark.parametrize("upload_id", ["a" * 26, "..", "x", "..%2f..%2fmedia"])
def test_malformed_upload_ids_are_unknown(http: httpx.Client, upload_id: str) -> None:
    for method in ("HEAD", "DELETE"):
        assert http.request(method, f"/v1/uploads/{upload_id}").status_code in (404, 405)


def test_an_upload_of_a_refused_file_is_removed(http: httpx.Client, parts: Parts) -> None:
    url = begin(http, 6)
    answer = send(http, url, b"MZ exe")
    assert (answer.status_code, answer.json()["type"]) == (415, "/problems/unsupported-media")
    assert http.head(url).status_code == 404
    assert not list((parts.data_dir / "media" / ".incoming").glob("*"))


def test_an_upload_is_kept_while_the_machine_is_too_busy_to_probe_it(http: httpx.Client, parts: Parts) -> None:
    url = begin(http)
    parts.busy = True
    try:
        answers = [send(http, url, VIDEO), http.head(url), send(http, url, b"", len(VIDEO))]
    finally:
        parts.busy = False
    assert [(answer.status_code, answer.headers["retry-after"]) for answer in answers] == [(503, "10")] * 3
    assert answers[0].json()["type"] == "/problems/unavailable"
    done = http.head(url)  # no byte is sent again
    assert int(done.headers["upload-offset"]) == len(VIDEO)
    assert http.get(f"/v1/media/{done.headers['reelwright-media-id']}/content").content == VIDEO
    assert parts.probed == [len(VIDEO)] * 4


def test_only_its_owner_deletes_an_upload(http: httpx.Client, parts: Parts) -> None:
    url = begin(http)
    send(http, url, VIDEO[:100])
    assert http.delete(url, headers={"x-owner": OTHER_OWNER}).status_code == 404
    assert http.delete(url).status_code == 204
    assert http.head(url).status_code == 404
    assert not (parts.data_dir / "uploads" / "public" / url.rpartition("/")[2]).exists()


def test_a_header_may_override_the_method(http: httpx.Client) -> None:
    url = begin(http)
    disguised = {"x-http-method-override": "PATCH"}
    assert http.post(url, content=VIDEO[:7], headers=BODY | disguised | {"upload-offset": "0"}).status_code == 204
    assert offset(http, url) == 7
    assert http.post(url, headers={"x-http-method-override": "DELETE"}).status_code == 204
    assert http.post(url).status_code == 400


def age(upload: Upload, by: timedelta) -> None:
    then = time.time() - by.total_seconds()
    for path in (upload.data, upload.folder / "state.json"):
        os.utime(path, (then, then))


def test_abandoned_uploads_expire(http: httpx.Client, uploads: Uploads) -> None:
    old, fresh = (begin(http) for _ in range(2))
    upload = uploads.find("public", old.rpartition("/")[2])
    age(upload, timedelta(days=2))
    assert http.head(old).status_code == 410
    with upload.locked():
        assert upload.id not in uploads.sweep(datetime.now(UTC))
    assert upload.id in uploads.sweep(datetime.now(UTC))
    assert http.head(old).status_code == 404
    assert http.head(fresh).status_code == 200
    assert not list((uploads.root / ".trash").iterdir())


@pytest.mark.parametrize("published", [False, True])
def test_a_crash_after_the_last_byte_makes_exactly_one_medium(http: httpx.Client, parts: Parts, uploads: Uploads, published: bool) -> None:
    # The process dies after it has received the last byte: before the medium is published, or before the upload is marked as done.
    upload = uploads.create("public", UploadState(name="c.mp4", metadata="", length=len(VIDEO), media_id=new_id()))
    upload.data.write_bytes(VIDEO)
    url, media_id = f"/v1/uploads/{upload.id}", upload.read().media_id
    if published:
        assert http.head(url).headers["reelwright-media-id"] == media_id
        upload.data.write_bytes(VIDEO)
        upload.write(upload.read().model_copy(update={"done": False}))
    before = len(http.get("/v1/media").json()["items"])
    assert http.head(url).headers["reelwright-media-id"] == media_id
    assert len(http.get("/v1/media").json()["items"]) == before + (not published)
    assert parts.probed == [len(VIDEO)]
    assert http.get(f"/v1/media/{media_id}/content").content == VIDEO


def test_head_waits_for_the_probe(http: httpx.Client, parts: Parts) -> None:
    url, answers = begin(http), []
    parts.slow_probe_s = 0.3
    try:
        sender = threading.Thread(target=lambda: answers.append(send(http, url, VIDEO)))
        sender.start()
        wait_until(lambda: offset(http, url) == len(VIDEO))
        media_id = http.head(url).headers["reelwright-media-id"]
        sender.join()
    finally:
        parts.slow_probe_s = 0
    assert answers[0].headers["reelwright-media-id"] == media_id
    assert parts.probed == [len(VIDEO)]


SERVER = """
import sys, uvicorn
from pathlib import Path
from tests.gateway.media_app import Parts
from shared.settings import Settings
data_dir = Path(sys.argv[1])
parts = Parts(data_dir=data_dir, settings=Settings(data_dir=data_dir))
uvicorn.run(parts.app(), port=int(sys.argv[2]), log_level="critical")
"""


def listens(port: int) -> bool:
    with socket.socket() as connection:
        return connection.connect_ex(("127.0.0.1", port)) == 0


def test_a_killed_server_keeps_received_bytes(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[3])}
    process = subprocess.Popen([sys.executable, "-c", SERVER, str(tmp_path), str(port)], env=environment)
    try:
        with client_of(port) as http:
            wait_until(lambda: listens(port), timeout_s=20)
            url = begin(http)
            with unfinished_patch(port, url, VIDEO[:5000], announced=len(VIDEO)):
                wait_until(lambda: offset(http, url) == 5000)
                process.send_signal(signal.SIGKILL)
                process.wait()
    finally:
        process.kill()
    parts = Parts(data_dir=tmp_path, settings=Settings(data_dir=tmp_path))
    with serving(parts.app()) as port, client_of(port) as http:
        assert offset(http, url) == 5000
        media_id = send(http, url, VIDEO[5000:], 5000).headers["reelwright-media-id"]
        assert http.get(f"/v1/media/{media_id}/content").content == VIDEO
