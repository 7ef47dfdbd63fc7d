"""Operations that tamper with their outputs change nothing that is published."""

import hashlib
from collections.abc import Iterator

import pytest

from shared.media.store import MediaStore
from shared.settings import PUBLIC
from tests.misbehaving.server import Server, serving_one
from tests.waiting import within


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving_one(tmp_path_factory.mktemp("tampered"), CONCURRENCY="1", JOB_TIMEOUT_S="30") as server:
        yield server


def test_an_output_that_the_process_holds_open_cannot_be_changed(server: Server) -> None:
    store = MediaStore(server.data_dir / "media", ttl_s=1000)
    output = server.run("hold-output")["outputs"]["file"]
    assert server.run("change-held-output")["result"] == {"text": "changed 1"}, "the same process ran both jobs"
    content = store.content_path(PUBLIC, output["id"]).read_bytes()
    assert (content, output["sha256"]) == (b"published", hashlib.sha256(b"published").hexdigest())


def test_an_output_with_a_second_name_is_refused(server: Server) -> None:
    job = server.run("name-output-twice")
    assert (job["status"], job["outputs"]) == ("failed", {})
    assert job["error"]["detail"] == "The worker process wrote something else than a file for 'file.json'."


@pytest.mark.parametrize("tag", ["all", "closed"])
def test_a_folder_of_outputs_that_is_gone_fails_the_job(server: Server, tag: str) -> None:
    job = server.run("remove-outputs", tag=tag)
    assert (job["status"], job["outputs"]) == ("failed", {})
    assert "The operation replaced its output folder." in job["error"]["detail"]


def test_a_thread_that_writes_without_end_does_not_hold_up_the_next_job(server: Server) -> None:
    assert server.run("write-on")["status"] == "succeeded"
    assert server.run("succeed", tag="next")["status"] == "succeeded"
    within(5, lambda: not list(server.data_dir.glob("slots/*/*/out/*")))
