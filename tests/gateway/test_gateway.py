"""The gateway over real HTTP: jobs, events, the proxy, pipelines, the API pages, access."""

import json
import time

import httpx
import pytest

from shared.sample_ids import SAMPLE_ID
from shared.testing import RunningSuite, suite

RENDER = "/v1/speed-ramp/render/jobs"
ALPHA, BETA = "alpha-alpha-alpha-alpha-alpha", "beta-beta-beta-beta-beta-beta"
BODY = {"inputs": {"video": SAMPLE_ID}, "params": {"max_speed": 4, "min_speed": 1}}


def read_events(running: RunningSuite, job_id: str, last_event_id: int | None = None) -> list[tuple[int, str, dict]]:
    """Return a job's events, all or after `last_event_id`, as (id, event, data)."""
    headers = {} if last_event_id is None else {"Last-Event-ID": str(last_event_id)}
    events = []
    with running.client.stream("GET", f"/v1/jobs/{job_id}/events", headers=headers) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        for block in answer.read().decode().strip().split("\n\n"):
            fields = dict(line.split(": ", 1) for line in block.split("\n") if not line.startswith(":"))
            events.append((int(fields["id"]), fields["event"], json.loads(fields["data"])))
    return events


def test_upload_render_follow_and_download(running: RunningSuite, clip):
    media = running.upload(clip)
    accepted = running.client.post(RENDER, json={"inputs": {"video": media["id"]}, "metadata": {"mine": [1]}, "cache": False})
    assert accepted.status_code == 202
    job = accepted.json()
    assert accepted.headers["location"] == job["urls"]["self"]
    assert job["status"] in ("queued", "running")
    assert job["operation"] == "speed-ramp.render"
    assert job["service"] == "speed-ramp"

    events = read_events(running, job["id"])
    assert [number for number, _, _ in events] == list(range(1, len(events) + 1))
    assert [kind for _, kind, _ in events] == ["progress"] * (len(events) - 1) + ["succeeded"]
    fractions = [data["fraction"] for _, kind, data in events if kind == "progress"]
    assert fractions == sorted(fractions)
    assert fractions
    assert read_events(running, job["id"], last_event_id=2) == events[2:]

    answer = running.client.get(f"/v1/jobs/{job['id']}/events", headers={"Last-Event-ID": str(len(events))})
    assert (answer.status_code, answer.content) == (204, b"")

    ended = running.client.get(job["urls"]["self"]).json()
    assert ended == events[-1][2]
    assert ended["metadata"] == {"mine": [1]}
    assert ended["metrics"]["attempts"] == 1
    assert ended["metrics"]["peak_memory_bytes"] > 10_000_000
    output = ended["outputs"]["video"]
    assert output["source"] == job["id"]
    assert output["kind"] == "video"
    assert output["media"]["duration_s"] == pytest.approx(ended["result"]["duration_s"], abs=0.05)
    content = running.client.get(output["urls"]["content"], headers={"Range": "bytes=4-7"})
    assert (content.status_code, content.content) == (206, b"ftyp")


def test_prefer_wait_returns_the_ended_job(running: RunningSuite):
    answer = running.client.post(RENDER, json=BODY, headers={"Prefer": "wait=60"})
    assert (answer.status_code, answer.headers["preference-applied"]) == (200, "wait=60")
    assert answer.json()["status"] == "succeeded"


def test_the_proxy_passes_each_header_once(running: RunningSuite):
    answer = running.client.get("/v1/speed-ramp/health", headers={"X-Request-ID": "abc-1"})
    names = [name.lower() for name, _ in answer.headers.raw]
    assert len(names) == len(set(names))
    assert answer.headers["x-request-id"] == "abc-1"
    assert answer.json()["name"] == "Speed ramping"


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/v1/nope/health"), ("GET", "/nope"), ("GET", "/v1/jobs/none"), ("GET", "/v1/media/none")]
)
def test_unknown_paths_get_a_404_problem(running: RunningSuite, method, path):
    answer = running.client.request(method, path)
    assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")
    assert {"type", "title", "status", "detail"} <= answer.json().keys()


def test_jobs_are_paged_newest_first_and_filtered(running: RunningSuite):
    ids = [running.start("speed-ramp.analyze", {"video": SAMPLE_ID})["id"] for _ in range(3)]
    for job_id in ids:
        running.wait(job_id)
    first = running.client.get("/v1/jobs", params={"limit": 2}).json()
    assert [job["id"] for job in first["items"]] == ids[:0:-1]
    assert first["items"][0]["result"] is None
    assert first["items"][0]["status"] == "succeeded"
    second = running.client.get("/v1/jobs", params={"limit": 2, "cursor": first["next_cursor"]}).json()
    assert second["items"][0]["id"] == ids[0]
    conditions = {
        "status": "succeeded",
        "service": "speed-ramp",
        "created_after": running.client.get(f"/v1/jobs/{ids[1]}").json()["created_at"],
    }
    assert [job["id"] for job in running.client.get("/v1/jobs", params=conditions).json()["items"]] == ids[:0:-1]
    assert running.client.get("/v1/jobs", params={"status": "asleep"}).status_code == 422


def test_a_pipeline_feeds_one_step_into_the_next(running: RunningSuite):
    steps = [
        {"id": "fast", "operation": "speed-ramp.render", "inputs": {"video": SAMPLE_ID}, "params": {"speeds": [2.0]}},
        {"id": "faster", "operation": "speed-ramp.render", "inputs": {"video": "fast.video"}, "params": {"speeds": [2.0], "audio": "drop"}},
    ]
    answer = running.client.post("/v1/pipelines/jobs", json={"steps": steps}, headers={"Prefer": "wait=60"})
    job = answer.json()
    assert (answer.status_code, job["status"]) == (200, "succeeded"), job["error"]
    assert set(job["outputs"]) == {"fast.video", "faster.video"}
    assert job["outputs"]["fast.video"]["media"]["duration_s"] == pytest.approx(3, abs=0.05)
    assert job["outputs"]["faster.video"]["media"]["duration_s"] == pytest.approx(1.5, abs=0.05)
    assert job["outputs"]["faster.video"]["media"]["audio"] == []
    assert [step["id"] for step in job["result"]["steps"]] == ["fast", "faster"]
    assert job["progress"]["fraction"] == 1
    children = [running.client.get(f"/v1/jobs/{step['job']}").json() for step in job["result"]["steps"]]
    assert [child["metadata"] for child in children] == [{"pipeline": job["id"], "step": "fast"}, {"pipeline": job["id"], "step": "faster"}]


@pytest.mark.parametrize(
    ("change", "status", "field"),
    [
        ({"operation": "speed-ramp.nope"}, 404, None),
        ({"operation": "nope.render"}, 404, "steps.1.operation"),
        ({"params": {"max_speed": 99}}, 422, "steps.1.params.max_speed"),
        ({"inputs": {"video": "first.alpha"}}, 422, "steps.1.inputs.video"),
        ({"inputs": {"video": "7" * 26}}, 404, "steps.1.inputs.video"),
        ({"id": "first"}, 422, "steps.1.id"),
    ],
)
def test_a_pipeline_is_checked_before_its_first_step(running: RunningSuite, change, status, field):
    before = running.client.get("/v1/jobs", params={"limit": 1}).json()["items"]
    first = {"id": "first", "operation": "speed-ramp.render", "inputs": {"video": SAMPLE_ID}}
    second = {"id": "second", "operation": "speed-ramp.render", "inputs": {"video": "first.video"}} | change
    answer = running.client.post("/v1/pipelines/jobs", json={"steps": [first, second]})
    assert answer.status_code == status, answer.text
    assert field is None or answer.json()["errors"][0]["field"] == field
    assert running.client.get("/v1/jobs", params={"limit": 1}).json()["items"] == before


def test_cancelling_a_pipeline_cancels_its_running_step(running: RunningSuite):
    step = {
        "id": "slow",
        "operation": "speed-ramp.render",
        "inputs": {"video": SAMPLE_ID},
        "params": {"speeds": [0.1], "interpolation": "blend"},
    }
    job = running.client.post("/v1/pipelines/jobs", json={"steps": [step]}).json()
    child = None
    while child is None:
        jobs = running.client.get("/v1/jobs", params={"service": "speed-ramp", "limit": 5}).json()["items"]
        child = next((step for step in jobs if step["metadata"].get("pipeline") == job["id"]), None)
    assert running.client.post(f"/v1/jobs/{job['id']}/cancel").json()["status"] == "canceled"
    began = time.monotonic()
    assert running.wait(child["id"])["status"] == "canceled"
    assert time.monotonic() - began < 1.5


def test_openapi_describes_every_service(running: RunningSuite):
    document = running.client.get("/openapi.json").json()
    assert {RENDER, "/v1/speed-ramp/process", "/v1/media", "/v1/jobs/{job_id}/events", "/v1/pipelines/jobs"} <= document["paths"].keys()
    text = json.dumps(document)
    referred = {part.split('"')[0] for part in text.split("#/components/schemas/")[1:]}
    assert referred <= document["components"]["schemas"].keys()
    page = running.client.get("/docs").text
    assert "http://" not in page
    assert "https://" not in page
    assert running.client.get("/docs/assets/swagger-ui-bundle.js").status_code == 200


@pytest.mark.parametrize(
    "headers", [{"Host": "evil.example"}, {"Origin": "https://evil.example"}, {"Origin": "null"}, {"Host": "evil.example:80"}]
)
def test_requests_from_other_sites_are_refused(running: RunningSuite, headers):
    answer = running.client.post(RENDER, json=BODY, headers=headers)
    assert answer.status_code == 403
    assert running.client.get("/v1/media", headers={"Origin": running.url}).status_code == 200


def test_metrics_use_the_prometheus_format(running: RunningSuite):
    running.client.request("BREW", "/v1/jobs")
    text = running.client.get("/metrics").text
    assert 'reelwright_jobs{service="speed-ramp",status="succeeded"}' in text
    assert 'method="other"' in text
    assert "BREW" not in text


def test_keys_separate_owners_with_services_in_other_processes(tmp_path, clip):
    # `serve speed-ramp` and `serve gateway` run as two processes with API keys. Nothing serves `matting`, so requests to it get a 503.
    keys = {"API_KEYS": f"{ALPHA},{BETA}"}
    alpha, beta = ({"Authorization": f"Bearer {key}"} for key in (ALPHA, BETA))
    with suite(tmp_path, command=("serve", "speed-ramp"), **keys) as service:
        urls = json.dumps({"speed-ramp": service.url, "matting": "http://127.0.0.1:9"})
        with suite(tmp_path, command=("serve", "gateway"), SERVICE_URLS=urls, **keys) as gateway:
            client = gateway.client
            assert client.get("/v1/media").status_code == 401
            assert client.get("/v1/media", headers={"X-API-Key": "gamma"}).json()["type"] == "/problems/unauthorized"
            with clip.open("rb") as file:
                media = client.post("/v1/media", files={"file": file}, headers=alpha).json()
            body = {"steps": [{"id": "a", "operation": "speed-ramp.render", "inputs": {"video": media["id"]}, "params": {"max_speed": 8}}]}
            job = client.post("/v1/pipelines/jobs", json=body, headers=alpha | {"Prefer": "wait=60"}).json()
            assert job["status"] == "succeeded", job
            assert client.get(job["urls"]["self"], headers=beta).status_code == 404
            assert client.get(media["urls"]["content"], headers=beta).status_code == 404
            assert client.get("/v1/jobs", headers=beta).json()["items"] == []
            refused = client.post(RENDER, json={"inputs": {"video": media["id"]}}, headers=beta)
            assert refused.status_code == 404
            down = client.get("/v1/matting/health", headers=alpha)
            assert down.status_code == 503
            assert "matting" in down.json()["detail"]
            assert {operation["service"] for operation in client.get("/v1/operations", headers=alpha).json()} == {"speed-ramp"}
            assert client.get("/v1/pipelines/presets", headers=alpha).json()[0]["available"]
            assert "matting" in client.get("/openapi.json").json()["info"]["description"]


def test_a_public_address_needs_keys(tmp_path):
    with pytest.raises(RuntimeError, match="REELWRIGHT_API_KEYS"), suite(tmp_path, HOST="0.0.0.0"):
        pass


def test_a_used_port_is_reported_at_once(tmp_path, running: RunningSuite):
    port = str(httpx.URL(running.url).port)
    with pytest.raises(RuntimeError, match="in use"), suite(tmp_path, PORT=port):
        pass


def test_errors_name_the_uploaded_file(running: RunningSuite, clip):
    name = "Übergabe " + "長" * 120 + ".mp4"
    broken = clip.read_bytes()
    middle = len(broken) // 2
    broken = broken[:middle] + bytes(8000) + broken[middle + 8000 :]
    answer = running.client.post("/v1/media", files={"file": (name, broken)})
    assert answer.status_code == 201, answer.text
    job = running.wait(running.start("speed-ramp.analyze", {"video": answer.json()["id"]})["id"])
    assert job["status"] == "failed"
    assert "Übergabe 長長長" in job["error"]["detail"]
    assert "content" not in job["error"]["detail"]


def test_openapi_declares_the_api_key_and_metrics_need_it(tmp_path):
    with suite(tmp_path, API_KEYS=ALPHA) as locked:
        document = locked.client.get("/openapi.json").json()
        assert document["security"] == [{"key": []}]
        assert document["components"]["securitySchemes"]["key"]["scheme"] == "bearer"
        refusal = document["paths"][RENDER]["post"]["responses"]["422"]["content"]
        assert list(refusal) == ["application/problem+json"]
        assert locked.client.get("/").status_code == 200
        assert locked.client.get("/metrics").status_code == 401


def test_invalid_requests_are_refused_at_once(tmp_path):
    changes = (
        ({"webhook": {"url": "http://169.254.169.254/hook"}}, None),
        ({"webhook": {"url": "http://2130706433/hook"}}, None),
        ({"webhook": {"url": "https://me:secret@example.com/hook"}}, None),
        ({"metadata": {"big": "x" * 70_000}}, "metadata"),
    )
    with suite(tmp_path, WEBHOOK_SECRET="whsec_c2VjcmV0c2VjcmV0c2VjcmV0") as strict:
        for _ in range(600):
            if strict.client.get(f"/v1/media/{SAMPLE_ID}").is_success:
                break
            time.sleep(0.1)
        for change, field in changes:
            answer = strict.client.post(RENDER, json=BODY | change)
            assert answer.status_code == 422, (change, answer.text)
            assert field is None or answer.json()["errors"][0]["field"] == field
