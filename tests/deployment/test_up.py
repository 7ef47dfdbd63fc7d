"""A fresh deployment: healthy, unprivileged, and able to run every operation."""

import json
import stat
import time

import pytest
from docker.models.containers import Container

from shared.sample_ids import SAMPLE_ID
from tests.deployment.deployment import Deployment, processes
from tests.waiting import within

SERVICES = ("aesthetics", "background", "effects", "keyframes", "matting", "media", "speed-ramp")
OURS = ("gateway", *SERVICES)
TRESPASS = """
import sys, urllib.request
request = urllib.request.Request("http://127.0.0.1:8080/trespass/jobs", sys.argv[1].encode(), {"Content-Type": "application/json"})
print(urllib.request.urlopen(request).read().decode())
"""


def test_everything_is_healthy(suite: Deployment) -> None:
    for service in (*OURS, "postgres"):
        container = suite.container(service)
        assert container.attrs["State"]["Health"]["Status"] == "healthy", service
    readiness = suite.client.client.get("/ready").json()
    layers = readiness.pop("sandbox")
    assert readiness == {"status": "ready", "name": "Reelwright", "services": dict.fromkeys(SERVICES, "ready")}
    assert [layer for layer in layers if not layer["active"]] == []


@pytest.mark.parametrize("service", [*OURS, "postgres"])
def test_a_container_has_few_privileges(suite: Deployment, service: str) -> None:
    container = suite.container(service)
    host = container.attrs["HostConfig"]
    assert host["ReadonlyRootfs"]
    assert host["CapDrop"] == ["ALL"]
    assert not host["CapAdd"]
    assert not host["Privileged"]
    assert "no-new-privileges:true" in host["SecurityOpt"]
    assert host["Memory"] > 0
    assert host["PidsLimit"] > 0
    assert container.exec_run(["id", "-u"]).output.strip() not in (b"0", b"")
    status = container.exec_run(["cat", "/proc/self/status"]).output.decode()
    assert "CapEff:\t0000000000000000" in status
    assert "NoNewPrivs:\t1" in status
    for folder in ("/", "/etc", "/app", "/usr/local/lib"):
        assert container.exec_run(["touch", f"{folder}/here"]).exit_code != 0, f"{folder} can be written to"
    published = [bindings for bindings in container.attrs["NetworkSettings"]["Ports"].values() if bindings]
    ports = [[{"HostIp": "127.0.0.1", "HostPort": str(suite.port)}]] if service == "gateway" else []
    assert published == ports


def test_the_volume_belongs_to_the_containers_user(suite: Deployment) -> None:
    for service in OURS:
        assert suite.container(service).exec_run(["stat", "-c", "%u:%g", "/data"]).output.strip() == b"10001:10001"


def test_the_password_is_only_in_its_file(suite: Deployment) -> None:
    file = suite.folder / "secrets" / "reelwright_database_password"
    password = file.read_text()
    assert len(password) == 48
    assert stat.S_IMODE(file.stat().st_mode) == 0o440
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o750
    for service in (*OURS, "postgres"):
        container = suite.container(service)
        assert password not in str(container.attrs)
        assert password not in container.logs().decode(errors="replace")
        assert password.encode() not in container.exec_run(["cat", "/proc/1/environ"]).output
    suite.compose("run", "--rm", "secrets")
    assert file.read_text() == password


def test_a_job_in_a_container_reaches_only_its_inputs_and_temporary_files(suite: Deployment) -> None:
    # The test operation `trespass` tries forbidden accesses, in a container like the suite's.
    client = suite.client.client
    own_id = suite.client.wait(suite.client.start("media.peaks", {"video": SAMPLE_ID})["id"])["outputs"]["peaks"]["id"]
    run = ("run", "--detach", "--no-deps", "--volume", f"{suite.folder}/tests:/app/tests:ro", "--entrypoint", "python", "gateway")
    name = suite.compose(*run, "-m", "tests.misbehaving.serve", "worker").split()[-1]
    container: Container = suite.engine.containers.get(name)
    try:
        within(90, lambda: container.exec_run(["bash", "/containers/healthy.sh"]).exit_code == 0, "the misbehaving service")
        server = next(number for number, command in processes(container) if "tests.misbehaving.serve" in command and number != 1)
        attempts = {
            "server": server,
            "files": ["/run/secrets/reelwright_database_password", "/etc/passwd", f"/data/media/public/{SAMPLE_ID}/record.json"],
            "folders": ["/run/secrets", "/data", "/data/media", "/data/media/public", "/tmp"],
            "port": 8080,
        }
        body = json.dumps({"inputs": {"first": own_id}, "params": {"log": json.dumps(attempts)}})
        answer = container.exec_run(["python", "-c", TRESPASS, body])
        assert answer.exit_code == 0, answer.output
        job = suite.client.wait(json.loads(answer.output)["id"])
        assert job["status"] == "succeeded", job["error"]
        outcomes = client.get(job["outputs"]["file"]["urls"]["content"]).json()
    finally:
        container.remove(force=True, v=True)
    assert {attempt for attempt, outcome in outcomes.items() if outcome == "done"} == {"input", "temporary file"}
    assert outcomes.pop("write /run/secrets") in ("OSError", "PermissionError"), "mounted read-only"
    assert {outcome for outcome in outcomes.values() if outcome != "done"} == {"PermissionError"}


def listed_in(container: Container, folder: str) -> str:
    """Run `ls` on a container's folder until it prints something.

    Returns the output. The engine sometimes loses the output of a command that ends at once.
    """
    for _ in range(5):
        done = container.exec_run(["ls", folder])
        assert done.exit_code == 0, done.output
        if done.output:
            break
    return str(done.output.decode())


def test_every_operation_runs_and_writes_to_the_volume(suite: Deployment) -> None:
    client = suite.client.client
    operations = [operation for operation in client.get("/v1/operations").json() if operation["available"]]
    assert {operation["service"] for operation in operations} == set(SERVICES)
    accepted = {operation["name"]: client.post(operation["urls"]["jobs"], json=operation["example"]) for operation in operations}
    assert {name: answer.status_code for name, answer in accepted.items()} == dict.fromkeys(accepted, 202)
    for name, answer in accepted.items():
        job = suite.client.wait(answer.json()["id"], timeout_s=300)
        assert job["status"] == "succeeded", (name, job["error"])
        for record in job["outputs"].values():
            content = client.get(record["urls"]["content"])
            assert len(content.content) == record["bytes"] > 0
            names = listed_in(suite.container("gateway"), f"/data/media/public/{record['id']}")
            assert "record.json" in names
            assert "content." in names


def test_a_request_id_is_logged_from_gateway_to_job(suite: Deployment) -> None:
    body = {"inputs": {"video": SAMPLE_ID}, "params": {"speeds": [4.0], "audio": "drop"}, "cache": False}
    headers = {"X-Request-ID": f"followed-{time.time_ns()}", "Prefer": "wait=60"}
    job = suite.client.client.post("/v1/speed-ramp/render/jobs", json=body, headers=headers).json()
    assert job["status"] == "succeeded"
    at_gateway = [line for _, line in suite.lines("gateway") if line.get("request_id") == headers["X-Request-ID"]]
    assert {(line["method"], line["path"], line["status"]) for line in at_gateway} == {("POST", "/v1/speed-ramp/render/jobs", 200)}
    at_service = [line for _, line in suite.lines("speed-ramp") if line.get("job_id") == job["id"]]
    assert [line["event"] for line in at_service] == ["accepted", "began", "succeeded"]
    assert at_service[0]["request_id"] == headers["X-Request-ID"]


def test_every_container_serves_metrics(suite: Deployment) -> None:
    for service in OURS:
        ask = "import urllib.request as r; print(r.urlopen('http://127.0.0.1:8080/metrics').read().decode())"
        figures = suite.container(service).exec_run(["python", "-c", ask]).output.decode()
        assert "reelwright_database_up 1.0" in figures
        assert 'reelwright_jobs{service="speed-ramp",status="succeeded"}' in figures
        ran = f'reelwright_jobs_ended_total{{operation="{service}.'
        assert (ran in figures) == (service != "gateway"), service
    figures = suite.container("speed-ramp").exec_run(["python", "-c", ask]).output.decode()
    for name in ("job_wait_seconds_bucket", "job_run_seconds_sum", "job_frames_per_second_count", "job_frames_total"):
        assert f"reelwright_{name}{{" in figures, name
