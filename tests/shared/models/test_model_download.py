"""Downloads from a real server: resumed, verified, refused."""

import hashlib
import os
import shutil
from dataclasses import replace
from types import SimpleNamespace

import pytest

from shared.errors import FetchFailed
from shared.models.install.download import download
from shared.models.install.source import Origin
from tests.shared.models.file_server import FileServer

CONTENT = os.urandom(3_000_000)
SHA256 = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def origin(server: FileServer) -> Origin:
    return Origin(url=server.put("/w.bin", CONTENT), checksum=f"sha256:{SHA256}", size=len(CONTENT))


def ranges(server: FileServer) -> list[str | None]:
    return [headers.get("Range") for _, _, headers in server.requests]


@pytest.mark.usefixtures("server")
def test_a_file_is_fetched_with_progress(origin, tmp_path):
    progress = []
    assert download(origin, tmp_path / "sub" / "w.bin", lambda done, total: progress.append((done, total))) == SHA256
    assert (tmp_path / "sub/w.bin").read_bytes() == CONTENT
    assert [path.name for path in (tmp_path / "sub").iterdir()] == ["w.bin"]
    assert progress == sorted(progress)
    assert progress[-1] == (len(CONTENT), len(CONTENT))


def test_a_broken_download_resumes_where_it_stopped(server, origin, tmp_path):
    server.break_after = [1_000_000, 500_000]
    assert download(origin, tmp_path / "w.bin", pause_s=0) == SHA256
    assert ranges(server) == [None, "bytes=1000000-", "bytes=1500000-"]
    assert (tmp_path / "w.bin").read_bytes() == CONTENT


def test_the_next_run_resumes_a_partial_download(server, origin, tmp_path):
    server.break_after = [700_000, 0, 0, 0, 0]
    with pytest.raises(FetchFailed, match="Run the same command again to resume"):
        download(origin, tmp_path / "w.bin", pause_s=0)
    assert (tmp_path / "w.bin.part").stat().st_size == 700_000
    assert not (tmp_path / "w.bin").exists()
    server.requests.clear()
    assert download(origin, tmp_path / "w.bin", pause_s=0) == SHA256
    assert ranges(server) == ["bytes=700000-"]


def test_a_part_of_another_version_is_not_mixed_in(server, origin, tmp_path):
    server.put("/w.bin", CONTENT[::-1])
    server.break_after = [700_000, 0, 0, 0, 0]
    with pytest.raises(FetchFailed):
        download(origin, tmp_path / "w.bin", pause_s=0)
    server.put("/w.bin", CONTENT)
    assert download(origin, tmp_path / "w.bin", pause_s=0) == SHA256


def test_a_complete_or_too_long_partial_file_does_no_harm(server, origin, tmp_path):
    unknown = replace(origin, size=None)
    for length in (len(CONTENT), len(CONTENT) + 5):
        (tmp_path / "w.bin.part").write_bytes((CONTENT + b"12345")[:length])
        (tmp_path / "w.bin.part.tag").write_text(f'"{hashlib.md5(CONTENT).hexdigest()}"')
        assert download(unknown, tmp_path / "w.bin", pause_s=0) == SHA256
        (tmp_path / "w.bin").unlink()
    assert ranges(server) == [f"bytes={len(CONTENT)}-", f"bytes={len(CONTENT) + 5}-", None]


def test_a_server_without_ranges_starts_over(server, origin, tmp_path):
    server.ranges = False
    server.break_after = [1_000_000]
    assert download(origin, tmp_path / "w.bin", pause_s=0) == SHA256
    assert ranges(server) == [None, "bytes=1000000-"]


def test_an_answer_without_a_length_must_have_the_published_size(server, origin, tmp_path):
    server.hide_length = True
    assert download(replace(origin, size=None), tmp_path / "w.bin") == SHA256
    server.break_after = [10, 10, 10, 10, 10, 10]
    server.ranges = False
    with pytest.raises(FetchFailed, match="received 10 of 3000000 bytes"):
        download(origin, tmp_path / "again.bin", pause_s=0)
    with pytest.raises(FetchFailed, match="more than the announced 100 bytes"):
        download(replace(origin, size=100), tmp_path / "more.bin", pause_s=0)


@pytest.mark.usefixtures("server")
@pytest.mark.parametrize("kind", ["sha256", "md5", "git"])
def test_a_wrong_checksum_is_refused_and_nothing_kept(origin, tmp_path, kind):
    good = {
        "sha256": hashlib.sha256(CONTENT).hexdigest(),
        "md5": hashlib.md5(CONTENT).hexdigest(),
        "git": hashlib.sha1(b"blob 3000000\0" + CONTENT).hexdigest(),
    }[kind]
    assert download(replace(origin, checksum=f"{kind}:{good}"), tmp_path / "good") == SHA256
    with pytest.raises(FetchFailed, match=f"has {kind}:{good}, but {kind}:0000 is published. The download was deleted"):
        download(replace(origin, checksum=f"{kind}:0000"), tmp_path / "bad")
    assert [path.name for path in tmp_path.iterdir()] == ["good"]


@pytest.mark.usefixtures("server")
def test_another_size_than_published_is_refused_before_anything_is_fetched(origin, tmp_path):
    with pytest.raises(FetchFailed, match="has 3000000 bytes, but the published file has 2999999"):
        download(replace(origin, size=2_999_999), tmp_path / "w.bin")
    assert list(tmp_path.iterdir()) == []


def test_busy_servers_are_asked_again(server, origin, tmp_path):
    server.statuses = [503, 429, 500]
    assert download(origin, tmp_path / "w.bin", pause_s=0) == SHA256
    server.statuses = [503] * 5
    with pytest.raises(FetchFailed, match="the server answered 503"):
        download(origin, tmp_path / "again.bin", pause_s=0)


@pytest.mark.parametrize(("status", "message"), [(404, "404"), (401, "401"), (403, "403")])
def test_a_refused_request_is_not_repeated(server, origin, tmp_path, status, message):
    server.statuses = [status]
    with pytest.raises(FetchFailed, match=message):
        download(origin, tmp_path / "w.bin")
    assert len(server.requests) == 1


def test_a_web_page_is_not_taken_for_weights(server, origin, tmp_path):
    server.heads["/w.bin"] = {"Content-Type": "text/html; charset=utf-8"}
    with pytest.raises(FetchFailed, match="a web page instead of the file"):
        download(Origin(url=origin.url), tmp_path / "w.bin")


def test_redirects_are_followed_up_to_five_times(server, origin, tmp_path):
    server.redirects = {"/a": "/b", "/b": origin.url, "/round": "/round"}
    assert download(replace(origin, url=f"{server.url}/a"), tmp_path / "w.bin") == SHA256
    with pytest.raises(FetchFailed, match="more than 5 times"):
        download(Origin(url=f"{server.url}/round"), tmp_path / "round")


def test_credentials_do_not_go_to_another_host(server, origin, tmp_path):
    server.redirects = {"/a": origin.url.replace("127.0.0.1", "localhost")}
    secret = replace(origin, url=f"{server.url}/a", headers={"Authorization": "Bearer secret"})
    assert download(secret, tmp_path / "w.bin") == SHA256
    assert [headers.get("Authorization") for _, _, headers in server.requests] == ["Bearer secret", None]


def test_a_missing_server_is_reported(tmp_path):
    with pytest.raises(FetchFailed, match=r"http://127\.0\.0\.1:9/w\.bin cannot be fetched"):
        download(Origin(url="http://127.0.0.1:9/w.bin"), tmp_path / "w.bin", pause_s=0)


@pytest.mark.usefixtures("server")
def test_a_full_disk_is_reported_before_the_download(origin, tmp_path, monkeypatch):
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage._replace(free=1_000_000))
    with pytest.raises(FetchFailed, match=r"has 0\.00 GB free; w\.bin needs 0\.27 GB"):
        download(origin, tmp_path / "w.bin")
    assert list(tmp_path.iterdir()) == []


def test_a_short_answer_is_completed_by_further_requests(server, origin, tmp_path):
    server.break_after, server.part_bytes = [1_000_000], 900_000
    assert download(replace(origin, checksum=None, size=None), tmp_path / "w.bin", pause_s=0) == SHA256
    assert ranges(server) == [None, "bytes=1000000-", "bytes=1900000-", "bytes=2800000-"]


def test_an_unrequested_range_is_refused(server, origin, tmp_path):
    server.statuses = [206]
    with pytest.raises(FetchFailed, match="answered the request for bytes from 0 on with no range"):
        download(replace(origin, checksum=None, size=None), tmp_path / "w.bin", pause_s=0)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("headers", "content", "message"),
    [({"Content-Encoding": "gzip"}, CONTENT, r"compressed \(gzip\)"), ({}, b"", "is empty")],
)
def test_a_compressed_or_empty_answer_is_refused(server, tmp_path, headers, content, message):
    server.heads["/w.bin"] = headers
    with pytest.raises(FetchFailed, match=message):
        download(Origin(url=server.put("/w.bin", content)), tmp_path / "w.bin", pause_s=0)
    assert list(tmp_path.iterdir()) == []


def test_a_redirect_to_another_scheme_is_refused(server, origin, tmp_path):
    server.redirects["/w.bin"] = "file:///etc/passwd"
    with pytest.raises(FetchFailed, match="not a web address"):
        download(origin, tmp_path / "w.bin", pause_s=0)
    assert len(server.requests) == 1


def test_an_etag_that_is_not_ascii_is_not_kept(server, origin, tmp_path):
    server.heads["/w.bin"] = {"ETag": '"\xe9"'}
    server.break_after = [700_000]
    assert download(origin, tmp_path / "w.bin", pause_s=0) == SHA256
    assert ranges(server) == [None, None]


def test_an_endless_file_does_not_fill_the_disk(server, tmp_path, monkeypatch):
    rooms = iter([10**9, 10**9, 10**8])
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: SimpleNamespace(free=next(rooms)))
    monkeypatch.setattr("shared.models.install.download.CHECK_BYTES", 500_000)
    server.hide_length = True
    with pytest.raises(FetchFailed, match=r"has 0\.10 GB free"):
        download(Origin(url=server.put("/w.bin", CONTENT)), tmp_path / "w.bin", pause_s=0)
    assert 1_000_000 <= (tmp_path / "w.bin.part").stat().st_size < 1_600_000


@pytest.mark.usefixtures("server")
def test_a_folder_in_place_of_the_file_is_reported(origin, tmp_path):
    (tmp_path / "w.bin").mkdir()
    with pytest.raises(FetchFailed, match=r"w\.bin.* cannot be written"):
        download(origin, tmp_path / "w.bin", pause_s=0)


def test_passwords_in_addresses_are_not_shown(server, tmp_path):
    with pytest.raises(FetchFailed) as refused:
        download(Origin(url=f"{server.url}/no.bin".replace("//", "//me:se@cret@")), tmp_path / "w.bin", pause_s=0)
    assert f"{server.url}/no.bin answered 404" in refused.value.detail
    assert "cret" not in refused.value.detail
