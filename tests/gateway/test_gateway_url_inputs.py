"""URL inputs of pipelines, batches, the client and the command line."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.client import Reelwright
from shared.testing import RunningSuite
from tests.file_origin import Origin, serving_files


@pytest.fixture(scope="module")
def origin(clip: Path) -> Iterator[Origin]:
    with serving_files(clip=clip) as started:
        yield started


def test_steps_share_the_file_fetched_from_a_url(running: RunningSuite, origin: Origin) -> None:
    url = f"{origin.url}/clip.mp4?steps"
    before = origin.requests["/clip.mp4"]
    steps = [
        {"id": name, "operation": "speed-ramp.analyze", "inputs": {"video": "<clip>"}, "params": {"max_speed": speed}}
        for name, speed in (("one", 2.5), ("two", 3.5))
    ]
    body = {"steps": steps, "inputs": {"clip": {"url": url}}}
    job = running.wait(running.client.post("/v1/pipelines/jobs", json=body).json()["id"])
    assert job["status"] == "succeeded", job["error"]
    assert list(job["fetches"].values()) == [url]
    assert {step["inputs"]["video"] for step in job["params"]["steps"]} == set(job["fetches"])
    assert origin.requests["/clip.mp4"] == before + 1
    assert running.client.get(f"/v1/media/{next(iter(job['fetches']))}").json()["source"] == "url"
    refused = running.client.post("/v1/pipelines/jobs", json=body | {"inputs": {"clip": {"url": "http://10.1.2.3/"}}})
    assert refused.status_code == 422
    assert refused.json()["errors"][0]["field"] == "steps.0.inputs.video"


def test_a_batch_takes_urls_and_a_failed_fetch_is_retried(running: RunningSuite, origin: Origin, clip: Path) -> None:
    url = f"{origin.url}/later.mp4"
    item = {"operation": "speed-ramp.analyze", "inputs": {"video": {"url": url}}, "params": {"max_speed": 4.5}}
    (job,) = running.client.post("/v1/jobs", json={"jobs": [item]}).json()["jobs"]
    pipeline = {"steps": [item | {"id": "only"}]}
    failed = running.wait(running.client.post("/v1/pipelines/jobs", json=pipeline).json()["id"])
    assert failed["error"]["errors"][0]["field"] == "steps.0.inputs.video"
    assert running.wait(job["id"])["error"]["errors"][0]["field"] == "inputs.video"
    origin.files["/later.mp4"] = clip.read_bytes()
    for first in (job, failed):
        again = running.wait(running.client.post(f"/v1/jobs/{first['id']}/retry").json()["id"])
        assert again["status"] == "succeeded", again["error"]
        assert list(again["fetches"].values()) == [url]


def test_previews_take_no_urls(running: RunningSuite, origin: Origin) -> None:
    body = {"inputs": {"video": {"url": f"{origin.url}/clip.mp4"}}, "preview": True}
    answer = running.client.post("/v1/speed-ramp/render/jobs", json=body)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "inputs.video")


def test_the_client_and_the_command_line_take_urls(running: RunningSuite, origin: Origin) -> None:
    url = f"{origin.url}/clip.mp4"
    with Reelwright(running.url) as client:
        run = client.run("speed-ramp.analyze", video=url, max_speed=2.5)
    assert run.job.fetches == {run.job.inputs["video"]: url}
    command = [sys.executable, "-m", "reelwright", "speed-ramp", "analyze", url, "--max-speed", "2.5", "--json"]
    done = subprocess.run([*command, "--remote", running.url], capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stderr
    refused = subprocess.run(command, capture_output=True, text=True, timeout=100, env={"PATH": "/usr/bin", "COLUMNS": "200"})
    assert refused.returncode == 1
    assert "only public addresses may be reached" in refused.stderr, "a run on this machine keeps the rules, too"
