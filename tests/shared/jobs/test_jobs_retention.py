"""Retention: expired, unreferenced jobs and media are deleted.

By the server, and by `reelwright gc`.
"""

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from shared.jobs import retention
from shared.jobs.retention import _sweep_work
from shared.media.store import MediaStore, NewMedium
from shared.operation import Kind
from tests.misbehaving.server import serving_one
from tests.waiting import within


def publish(store: MediaStore, name: str) -> str:
    """Publish a JSON medium with the name `name`; return its id."""
    with store.incoming() as incoming:
        incoming.content.write_text(f'"{name}"')
        new = NewMedium(
            owner="public",
            name=name,
            kind=Kind.JSON,
            content_type="application/json",
            suffix=".json",
            source="upload",
            media=None,
        )
        return store.publish(incoming, new).id


def test_expired_jobs_and_media_are_removed_unless_needed(tmp_path: Path) -> None:
    store, media = MediaStore(tmp_path / "media", ttl_s=1.5), tmp_path / "media" / "public"
    settings = {"JOB_TTL_S": "3", "MEDIA_TTL_S": "0.5", "GC_INTERVAL_S": "0.2", "CONCURRENCY": "1"}
    with serving_one(tmp_path, **settings) as server:
        loose, read = publish(store, "loose"), publish(store, "read")
        job = server.submit("read", inputs={"first": read}, params={"seconds": 2})["id"]
        within(5, lambda: not (media / loose).exists())
        assert (media / read).exists(), "a job that runs reads it"
        assert server.wait(job)["result"]["text"] == '"read"'
        ended_job = server.run("succeed")
        (tmp_path / "work" / ended_job["id"]).mkdir()  # as a process that was killed leaves it
        within(2, lambda: server.work() == [])
        time.sleep(0.8)
        assert (media / ended_job["outputs"]["file"]["id"]).exists(), "a remembered job refers to it"
        within(8, lambda: server.client.get("/v1/jobs").json()["items"] == [])
        assert server.client.get(f"/v1/jobs/{job}").status_code == 404
        within(3, lambda: [folder for folder in media.iterdir() if folder.name != ".by-hash"] == [])
        assert server.run("succeed")["status"] == "succeeded"


@pytest.mark.slow
def test_only_what_is_gone_is_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    work, outside = tmp_path / "work", tmp_path / "outside"
    for folder in (work / "folder", work / "closed" / "inner", work / "running", outside):
        folder.mkdir(parents=True)
    (outside / "kept").write_text("kept")
    (work / "file").write_text("in place of a folder")
    (work / "link").symlink_to(outside)
    (work / "dangling").symlink_to(tmp_path / "nowhere")
    (work / "closed").chmod(0o500)
    store = SimpleNamespace(ledger=SimpleNamespace(ended_among=lambda names: names - {"running"}))
    assert _sweep_work(store, work) == 5
    assert [path.name for path in work.iterdir()] == ["running"]
    assert (outside / "kept").read_text() == "kept"
    (work / "stubborn").mkdir()
    monkeypatch.setattr(retention, "delete_tree", lambda _path: None)
    assert _sweep_work(store, work) == 0


def test_gc_works_beside_a_running_server(tmp_path: Path) -> None:
    with serving_one(tmp_path, JOB_TTL_S="0.5", MEDIA_TTL_S="0.5") as server:
        for _ in range(3):
            server.run("succeed")
        running = server.submit("deaf")["id"]
        time.sleep(0.8)
        env = os.environ | {"REELWRIGHT_DATA_DIR": str(tmp_path)}
        done = subprocess.run([sys.executable, "-m", "reelwright", "gc"], env=env, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout).items() >= {"jobs": 3, "media": 3, "folders": 0}.items()
        assert [job["id"] for job in server.client.get("/v1/jobs").json()["items"]] == [running]
        assert server.client.post(f"/v1/jobs/{running}/cancel").status_code == 200
