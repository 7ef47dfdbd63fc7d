"""What clients learn without reading all media: changes of the list, used bytes, known content."""

import os
import secrets
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from shared.media.owner_folder.changes import SETTLED_S
from shared.media.store import NewMedium
from shared.operation import Kind
from shared.settings import Settings
from tests.gateway.media_app import VIDEO, Parts, serving, sha256


@pytest.fixture
def parts(tmp_path: Path) -> Parts:
    return Parts(data_dir=tmp_path, settings=Settings(data_dir=tmp_path))


@pytest.fixture
def http(parts: Parts) -> Iterator[httpx.Client]:
    """Open a client of a server without media."""
    owner = "k" + secrets.token_hex(8)
    with serving(parts.app()) as port, httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=10, headers={"x-owner": owner}) as client:
        yield client


def upload(http: httpx.Client, data: bytes = VIDEO) -> dict:
    return dict(http.post("/v1/media", files={"file": ("clip.mp4", data)}).json())


def let_settle(parts: Parts, http: httpx.Client) -> None:
    """Make the last change of the client's media older than SETTLED_S."""
    folder = parts.data_dir / "media" / http.headers["x-owner"]
    past_ns = folder.stat().st_mtime_ns - int(2 * SETTLED_S * 1e9)
    os.utime(folder, ns=(past_ns, past_ns))


def test_a_list_has_no_etag_right_after_a_change(http: httpx.Client) -> None:
    assert "etag" not in http.get("/v1/media").headers, "no media"
    upload(http)
    assert "etag" not in http.get("/v1/media").headers


def test_the_etag_of_the_list_changes_with_every_change(parts: Parts, http: httpx.Client) -> None:
    first, second = upload(http), upload(http, VIDEO + b"2")
    changes = [
        lambda: upload(http, VIDEO + b"3"),
        lambda: http.patch(first["urls"]["self"], json={"name": "dance.mp4"}),
        lambda: http.delete(second["urls"]["self"]),
    ]
    for change in changes:
        let_settle(parts, http)
        listed = http.get("/v1/media")
        tag = listed.headers["etag"]
        same = http.get("/v1/media", headers={"If-None-Match": tag})
        assert (same.status_code, same.content, same.headers["etag"]) == (304, b"", tag)
        other = http.get("/v1/media", headers={"If-None-Match": tag, "x-owner": "k" + secrets.token_hex(8)})
        assert (other.status_code, other.json()["items"]) == (200, []), "an ETag belongs to one owner"
        time.sleep(0.02)  # a change has another time than the one before
        change()
        changed = http.get("/v1/media", headers={"If-None-Match": tag})
        assert changed.status_code == 200
        assert changed.json() != listed.json()


def test_used_bytes_are_those_on_the_disk(parts: Parts, http: httpx.Client) -> None:
    assert http.get("/v1/media/usage").json() == {"bytes": 0, "limit_bytes": None}
    record = upload(http)
    with parts.store.incoming() as incoming:
        incoming.content.write_bytes(bytes(777))
        unlisted = {"kind": Kind.VIDEO, "content_type": "video/mp4", "suffix": ".mp4", "source": "job", "media": None, "listed": False}
        parts.store.publish(incoming, NewMedium(owner=http.headers["x-owner"], name="proxy.mp4", **unlisted))
    http.get(record["urls"]["thumbnail"])
    files = (parts.data_dir / "media" / http.headers["x-owner"]).glob("*/content.*")
    assert http.get("/v1/media/usage").json()["bytes"] == sum(path.stat().st_size for path in files) == len(VIDEO) + 777


def test_unknown_content_can_be_answered_without_an_error(http: httpx.Client) -> None:
    address = f"/v1/media/by-hash/{sha256(VIDEO)}"
    assert (http.get(address).status_code, http.get(address, params={"or_none": True}).status_code) == (404, 204)
    record = upload(http)
    assert http.get(address, params={"or_none": True}).json() == record


def test_content_of_another_owner_is_unknown(http: httpx.Client) -> None:
    record = upload(http)
    other = {"x-owner": "k" + secrets.token_hex(8)}
    address = f"/v1/media/by-hash/{record['sha256']}"
    assert http.get(address, headers=other).status_code == 404
    assert http.get(address, headers=other, params={"or_none": True}).status_code == 204
    assert http.get("/v1/media", headers=other, params={"bytes": record["bytes"]}).json()["items"] == []
    assert http.get("/v1/media/usage", headers=other).json()["bytes"] == 0


def test_media_are_listed_by_their_size(http: httpx.Client) -> None:
    records = [upload(http, VIDEO + bytes([number])) for number in range(2)]
    upload(http)
    listed = http.get("/v1/media", params={"bytes": records[0]["bytes"]}).json()
    assert [record["id"] for record in listed["items"]] == [records[1]["id"], records[0]["id"]]
    assert http.get("/v1/media", params={"bytes": 5}).json()["items"] == []
    assert http.get("/v1/media", params={"bytes": -1}).status_code == 422
