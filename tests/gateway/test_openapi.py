"""The OpenAPI document: valid, complete, and sufficient for client generators."""

import asyncio
import importlib
import json
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest
from openapi_spec_validator import validate

from gateway.openapi import merged
from gateway.routing.upstream import Upstreams
from shared.testing import RunningSuite

OVERRIDES = "\n".join(
    [
        "content_type_overrides:",
        *(f"  {kind}: application/octet-stream" for kind in ("video/mp4", "image/png", "image/jpeg", "application/offset+octet-stream")),
        "post_hooks: []",
    ]
)
"""Settings of the generator: which media types are files."""


@pytest.fixture(scope="module")
def document(running: RunningSuite) -> dict:
    return running.client.get("/openapi.json").json()


def test_the_document_is_valid_and_complete(document):
    validate(document)
    operations = [operation for item in document["paths"].values() for operation in item.values()]
    assert [name for name, count in Counter(operation["operationId"] for operation in operations).items() if count > 1] == []
    assert all(operation["summary"] for operation in operations)

    render = document["paths"]["/v1/speed-ramp/render/jobs"]["post"]
    assert render["requestBody"]["required"]
    assert render["operationId"] == "speed-ramp.render.jobs"
    job = document["components"]["schemas"]["SpeedRampRenderJob"]
    for status in ("200", "202"):
        assert render["responses"][status]["content"]["application/json"]["schema"]["$ref"].endswith("/SpeedRampRenderJob")
    assert job["properties"]["result"]["anyOf"][0]["$ref"].endswith("/RenderResult")
    assert {"id", "status", "outputs", "result", "urls"} <= set(job["required"])

    create = document["paths"]["/v1/uploads"]["post"]
    assert {(header["name"], header["required"]) for header in create["parameters"]} >= {
        ("Tus-Resumable", True),
        ("Upload-Length", True),
        ("Upload-Metadata", False),
    }
    assert {"Location", "Upload-Offset", "Tus-Resumable"} <= set(create["responses"]["201"]["headers"])
    content = document["paths"]["/v1/media/{media_id}/content"]["get"]["responses"]
    assert "video/mp4" in content["200"]["content"]
    assert content["206"]["content"] == content["200"]["content"]


def test_a_schema_that_refers_to_a_renamed_one_is_renamed_too():
    def schemas(field: str) -> dict:
        reference = {"$ref": "#/components/schemas/Inner"}
        return {
            "Outer": {"title": "Outer", "properties": {"inner": reference}},
            "List": {"title": "List", "items": {"$ref": "#/components/schemas/Outer"}},
            "Inner": {"title": "Inner", "properties": {field: {}}},
            "Alone": {"title": "Alone"},
        }

    class Services(Upstreams):
        async def ask(self, service: str, method: str, path: str, **more: object) -> dict:
            return {"paths": {}, "components": {"schemas": schemas(service)}}

    own = {"paths": {}, "info": {}, "components": {"schemas": schemas("gateway")}}
    document = asyncio.run(merged(own, Services(dict.fromkeys(["media", "speed-ramp"])), keys_needed=False))
    names = document["components"]["schemas"]
    assert {name: names[name] for name in schemas("gateway")} == schemas("gateway")
    assert set(names) == {"Alone"} | {prefix + name for prefix in ("", "Media", "SpeedRamp") for name in ("Outer", "List", "Inner")}
    assert names["SpeedRampList"]["items"]["$ref"].endswith("/SpeedRampOuter")
    assert names["SpeedRampOuter"]["properties"]["inner"]["$ref"].endswith("/SpeedRampInner")
    assert names["SpeedRampInner"]["properties"] == {"speed-ramp": {}}


@pytest.mark.slow
def test_a_generated_client_runs_a_job(document, running: RunningSuite, clip, tmp_path, monkeypatch):
    (tmp_path / "openapi.json").write_text(json.dumps(document))
    (tmp_path / "config.yaml").write_text(OVERRIDES)
    arguments = ["--path", "openapi.json", "--config", "config.yaml", "--output-path", "made"]
    command = [sys.executable, "-m", "openapi_python_client", "generate", *arguments]
    process = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=100)
    assert process.returncode == 0, process.stdout + process.stderr
    assert "Unable" not in process.stdout
    assert "Warning" not in process.stdout
    monkeypatch.syspath_prepend(str(tmp_path / "made"))

    def module(name: str):
        return importlib.import_module(f"reelwright_client.{name}")

    api, models, types = (lambda name: module(f"api.{name}")), module("models"), module("types")
    with module("client").Client(base_url=running.url) as client, Path(clip).open("rb") as file:
        upload = models.MediaUploadBody(file=types.File(payload=file, file_name=clip.name, mime_type="video/mp4"))
        record = api("media.media_upload").sync(client=client, body=upload)
        inputs = models.SpeedRampRenderInputs(video=record.id)
        request = models.SpeedRampRenderRequest(inputs=inputs, params=models.RenderParams(min_speed=2.0, max_speed=4.0))
        job = api("speed_ramp_render.speed_ramp_render_jobs").sync(client=client, body=request)
        deadline = time.monotonic() + 100
        while job.status in ("queued", "running") and time.monotonic() < deadline:
            time.sleep(0.1)
            job = api("jobs.jobs_read").sync(client=client, job_id=job.id)
        assert job.status == "succeeded"
        video = job.outputs["video"]
        content = api("media.media_content").sync(client=client, media_id=video.id).payload.read()
        assert len(content) == video.bytes_
        typed = models.SpeedRampRenderJob.from_dict(job.to_dict())
        assert 1.0 < typed.result.duration_s < 6.0


@pytest.mark.slow
def test_generated_requests_cause_no_server_error(running: RunningSuite, tmp_path):
    # schemathesis generates the requests from the document, with a fixed seed. 503 is the documented answer where the weights of a model
    # are not installed. Pieces of tus uploads are bytes.
    (tmp_path / "hooks.py").write_text(
        'import schemathesis\nschemathesis.serializer.alias("application/offset+octet-stream", "application/octet-stream")\n'
    )
    (tmp_path / "schemathesis.toml").write_text(
        'hooks = "hooks"\n[checks]\nnot_a_server_error.expected-statuses = ["2xx", "3xx", "4xx", 503]\n'
    )
    arguments = [f"{running.url}/openapi.json", "--seed", "7", "--max-examples", "3", "--max-time", "60", "--no-color"]
    checks = ["--phases", "examples,coverage,fuzzing", "--checks", "not_a_server_error,content_type_conformance"]
    bounds = ["--request-timeout", "20", "--generation-database", "none", "--warnings", "off"]
    excluded = ["--exclude-path-regex", "/events$|/ready$|/metrics$"]
    command = [
        sys.executable,
        "-m",
        "schemathesis.cli",
        "--config-file",
        "schemathesis.toml",
        "run",
        *arguments,
        *checks,
        *bounds,
        *excluded,
    ]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=280)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
