"""URL inputs of jobs: fetched once, refused if forbidden, fetched anew after kills."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.file_origin import Origin, serving_files
from tests.misbehaving.server import Server, serving_one
from tests.waiting import within

LOCAL = {"URL_ALLOW_NETWORKS": "127.0.0.0/8", "CONCURRENCY": "2"}


@pytest.fixture(scope="module")
def origin(clip: Path, picture: Path) -> Iterator[Origin]:
    with serving_files(clip=clip, picture=picture) as started:
        yield started


@pytest.fixture(scope="module")
def fetching(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving_one(tmp_path_factory.mktemp("fetching"), **LOCAL) as started:
        yield started


def media(server: Server) -> list[Path]:
    return sorted(server.data_dir.glob("media/*/*/content.*"))


def error_of(job: dict[str, Any]) -> tuple[str, str]:
    return job["error"]["type"].removeprefix("/problems/"), job["error"]["errors"][0]["field"]


def test_a_url_is_fetched_once_for_its_job(fetching: Server, origin: Origin, clip: Path) -> None:
    url = f"{origin.url}/clip.mp4?once=1"
    inputs = {"video": {"url": url}, "more": [{"url": url}, {"url": f"{origin.url}/picture.png", "name": "named.png"}]}
    job = fetching.submit("watch", inputs=inputs, headers={"Idempotency-Key": "url-once"})
    assert job["fetches"] == {job["inputs"]["video"]: url, job["inputs"]["more"][1]: f"{origin.url}/picture.png"}
    assert job["inputs"]["more"][0] == job["inputs"]["video"]
    assert fetching.submit("watch", inputs=inputs, headers={"Idempotency-Key": "url-once"})["id"] == job["id"]
    ended = fetching.wait(job["id"])
    size = clip.stat().st_size
    assert ended["result"]["text"] == f"clip.mp4 {size} clip.mp4 {size} named.png {len(origin.files['/picture.png'])}"
    assert (origin.requests["/clip.mp4"], origin.requests["/picture.png"]) == (1, 1)
    assert fetching.submit("watch", inputs=inputs, headers={"Idempotency-Key": "url-once"})["id"] == job["id"]
    other = fetching.post("watch", inputs={"video": {"url": url}}, headers={"Idempotency-Key": "url-once"})
    assert (other.status_code, origin.requests["/clip.mp4"]) == (422, 1)


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        ("ftp://example.com/a.mp4", "forbidden-address"),
        ("file:///etc/passwd", "forbidden-address"),
        ("http://10.0.0.1/a.mp4", "forbidden-address"),
        ("http://[::ffff:169.254.169.254]/", "forbidden-address"),
        ("http://me:word@example.com/a.mp4", "forbidden-address"),
        ("https://", "invalid"),
        ("", "forbidden-address"),
    ],
)
def test_a_url_that_is_never_fetched_is_refused_at_once(fetching: Server, url: str, kind: str) -> None:
    for action in ("jobs", "check"):
        answer = fetching.client.post(f"/watch/{action}", json={"inputs": {"video": {"url": url}}})
        assert answer.status_code == 422
        assert error_of({"error": answer.json()}) == (kind, "inputs.video")


@pytest.mark.parametrize(
    ("path", "kind", "message"),
    [
        ("/none.mp4", "fetch-failed", "answered 404"),
        ("/picture.png", "invalid", "picture.png is of kind image; this input takes video"),
    ],
)
def test_a_url_without_the_right_file_fails_its_job(fetching: Server, origin: Origin, path: str, kind: str, message: str) -> None:
    stored = media(fetching)
    job = fetching.wait(fetching.submit("watch", inputs={"video": {"url": origin.url + path}})["id"])
    assert job["status"] == "failed"
    assert error_of(job) == (kind, "inputs.video")
    assert message in job["error"]["detail"]
    assert job["started_at"] is None
    assert media(fetching) == stored


def test_a_job_can_be_canceled_while_its_url_is_fetched(fetching: Server, origin: Origin) -> None:
    stored, url = media(fetching), f"{origin.url}/slow/clip.mp4?canceled"
    job = fetching.submit("watch", inputs={"video": {"url": url}})
    within(60, lambda: list(fetching.data_dir.glob("media/.incoming/*/*")))
    assert fetching.get(job["id"])["status"] == "queued"
    assert fetching.client.post(job["urls"]["cancel"]).json()["status"] == "canceled"
    within(60, lambda: not list(fetching.data_dir.glob("media/.incoming/*/*")))
    assert media(fetching) == stored
    late = fetching.submit("watch", inputs={"video": {"url": url}}, deadline_s=0.8)
    assert fetching.wait(late["id"])["error"]["type"] == "/problems/timed-out"
    assert fetching.client.delete(f"/v1/jobs/{late['id']}").status_code == 204


def test_a_job_that_never_runs_leaves_no_fetched_file(fetching: Server, origin: Origin) -> None:
    stored, first = media(fetching), {"url": f"{origin.url}/clip.mp4?first"}
    missing = fetching.submit("watch", inputs={"video": first, "more": [{"url": f"{origin.url}/none.mp4"}]})
    assert fetching.wait(missing["id"])["status"] == "failed"
    within(60, lambda: media(fetching) == stored)
    slow = {"video": first, "more": [{"url": f"{origin.url}/slow/clip.mp4?second"}]}
    canceled = fetching.submit("watch", inputs=slow)
    within(60, lambda: len(media(fetching)) > len(stored))
    assert fetching.client.post(canceled["urls"]["cancel"]).json()["status"] == "canceled"
    within(60, lambda: media(fetching) == stored)


def test_a_fetch_is_repeated_after_a_kill(tmp_path: Path, clip: Path) -> None:
    with serving_files(clip=clip) as origin:
        server = Server(tmp_path / "killed", **LOCAL).start()
        job = server.submit("watch", inputs={"video": {"url": f"{origin.url}/slow/clip.mp4"}})
        within(60, lambda: origin.requests["/slow/clip.mp4"] == 1)
        server.kill()
        origin.gate.set()
        with serving_one(tmp_path / "killed", **LOCAL) as again:
            ended = again.wait(job["id"])
            assert ended["status"] == "succeeded"
            assert ended["inputs"] == job["inputs"]
            assert [path.parent.name for path in media(again)] == [job["inputs"]["video"]]
            assert origin.requests["/slow/clip.mp4"] == 2
