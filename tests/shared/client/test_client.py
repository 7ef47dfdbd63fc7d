"""The Python client against a running suite."""

import asyncio
import os
import signal
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from reelwright import ROOMS, AsyncReelwright, JobFailed, Reelwright, Refused
from shared.client.asynchronous import path_in
from shared.errors import Invalid
from shared.jobs.record import JobProgress
from shared.media.record import MediaRecord
from shared.sample_ids import SAMPLE_ID, SAMPLE_PICTURE_ID
from shared.testing import RunningSuite, suite
from shared.video import probe

FAST = {"min_speed": 3, "max_speed": 4}


def test_a_file_is_ramped_and_saved(running: RunningSuite, clip, tmp_path):
    reports: list[JobProgress] = []
    threads: set[int] = set()

    def report(progress: JobProgress) -> None:
        reports.append(progress)
        threads.add(threading.get_ident())

    with Reelwright(running.url) as client:
        run = client.run("speed-ramp.render", video=clip, **FAST, on_progress=report, options={"cache": False, "metadata": {"mine": 1}})
        saved = run.save(tmp_path / "out.mp4")
        assert client.media(run.job.inputs["video"]).name == clip.name
        assert next(client.jobs(limit=1)).metadata == {"mine": 1}
        again = client.run("speed-ramp.render", video=run.job.inputs["video"], **FAST)
        assert again.log() == "" == client.log(again.job.id), "nothing ran"
    assert probe(saved).duration_s == pytest.approx(run.result["duration_s"], abs=0.05)
    assert [path.name for path in tmp_path.iterdir()] == ["out.mp4"]
    assert [update.fraction for update in reports] == sorted(update.fraction for update in reports)
    assert threads == {threading.get_ident()}  # callbacks run in the caller's thread

    assert again.job.cached


def test_a_refused_request_leaves_no_upload(running: RunningSuite, clip):
    before = [record["id"] for record in running.client.get("/v1/media").json()["items"]]
    with Reelwright(running.url) as client, pytest.raises(Refused) as refused:
        client.run("speed-ramp.render", video=clip, min_speed=99)
    assert refused.value.problem()["errors"][0]["field"] == "params.min_speed"
    assert [record["id"] for record in running.client.get("/v1/media").json()["items"]] == before


def test_refusals_and_failures_have_the_problem(running: RunningSuite, tmp_path):
    with Reelwright(running.url) as client:
        with pytest.raises(Refused) as refused:
            client.submit("speed-ramp.render", video=SAMPLE_ID, min_speed=99)
        assert refused.value.status == 422
        assert refused.value.problem()["errors"][0]["field"] == "params.min_speed"
        with pytest.raises(Refused) as missing:
            client.download("7" * 26, tmp_path / "none.mp4")
        assert missing.value.problem()["type"] == "/problems/unknown-media"
        assert list(tmp_path.iterdir()) == []
        steps = [
            {"id": "ramp", "operation": "speed-ramp.render", "inputs": {"video": "<video>"}, "params": FAST},
            {"id": "still", "operation": "effects.motion-trails", "inputs": {"video": "ramp.video"}, "params": {"start": 50}},
        ]
        with pytest.raises(JobFailed) as failed:
            client.run_pipeline(steps, video=SAMPLE_ID)
        assert failed.value.job.outputs["ramp.video"].kind == "video"
        assert failed.value.problem()["errors"][0]["field"] == "steps.still"


async def test_the_async_client_runs_several_jobs_at_once(running: RunningSuite, tmp_path):
    async with AsyncReelwright(running.url) as client:
        first, second = await asyncio.gather(
            client.run("speed-ramp.analyze", video=SAMPLE_ID),
            client.submit("aesthetics.top-images", images=[SAMPLE_PICTURE_ID], scorer="technical", idempotency_key="same"),
        )
        assert first.result["curve"]
        repeated = await client.submit("aesthetics.top-images", images=[SAMPLE_PICTURE_ID], scorer="technical", idempotency_key="same")
        assert repeated.job.id == second.job.id
        assert set(await (await second.wait()).save_all(tmp_path)) == {"images", "scores", "sheet"}


@pytest.mark.parametrize(
    ("name", "file"), [("../../x", "x.mp4"), ("/etc/x", "x.mp4"), ("a\\b", "b.mp4"), ("..", None), (".", None), ("", None), ("a/", None)]
)
def test_a_file_is_never_saved_outside_its_folder(tmp_path, name, file):
    record = MediaRecord.model_construct(name="../clip.mp4")
    if file is None:
        with pytest.raises(Invalid, match="no file name"):
            path_in(tmp_path, name, record)
    else:
        assert path_in(tmp_path, name, record) == tmp_path / file


def test_names_of_inputs_and_params_differ():
    # `run` takes inputs and params as keywords, beside its own.
    reserved = {"on_progress", "idempotency_key", "options"}
    for operation in (operation for room in ROOMS for operation in room.service.operations):
        names = [*operation.ports, *operation.params.model_fields]
        assert len(names) == len({*names, *reserved}) - len(reserved), operation.name


@pytest.mark.slow
def test_a_wait_survives_a_killed_server(clip, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as probe_socket:
        port = probe_socket.getsockname()[1]
    settings = {"PORT": str(port), "PROBE_TIMEOUT_S": "90"}
    with ThreadPoolExecutor(1) as pool, Reelwright(f"http://127.0.0.1:{port}", patience_s=90) as client:
        with suite(tmp_path / "data", **settings) as first:
            run = client.submit("speed-ramp.render", video=clip, min_speed=0.1, max_speed=0.2)
            waiting = pool.submit(client.wait, run.job.id)
            time.sleep(1)
            os.kill(first.pid, signal.SIGKILL)
        with suite(tmp_path / "data", **settings):
            ended = waiting.result(timeout=110)
            assert probe(ended.save(tmp_path / "out.mp4")).duration_s == pytest.approx(ended.result["duration_s"], abs=0.1)
