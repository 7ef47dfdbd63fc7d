"""Hostile and malformed requests: refused, without effect on other clients."""

import socket
import time

import httpx
import pytest

from shared.sample_ids import SAMPLE_ID
from shared.testing import RunningSuite

RENDER = "/v1/speed-ramp/render/jobs"
BODY = {"inputs": {"video": SAMPLE_ID}, "params": {"max_speed": 4, "min_speed": 1}}


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/v1/speed-ramp/%00", 404),
        ("/v1/media/%00/content", 404),
        ("/studio/x/%00", 404),
        ("/docs/assets/%00", 404),
        ("/studio/x/..%2f..%2fapp.py", 404),
        ("/v1/speed-ramp//operations", 404),
        ("/v1/speed-ramp/operations/", 404),
        ("/v1/nothing/operations", 404),
        ("/v1%2Fspeed-ramp/operations", 404),
        ("/v1/speed-ramp/%2e%2e/%2e%2e/etc", 404),
        ("/v1/speed-ramp/operations%3Fx", 404),
        ("/v1/media/..%2f..%2fjobs.sqlite/content", 404),
        ("/v1/jobs?cursor=%00", 422),
        ("/v1/jobs?cursor=", 422),
        ("/v1/jobs?service=%00", 422),
        ("/v1/jobs?created_after=0001-01-01T00:00:00", 200),
        ("/v1/jobs?created_before=9999-12-31T23:59:59-23:00", 200),
        ("/v1/media?cursor=../..", 422),
    ],
)
def test_odd_addresses_get_a_clear_answer(running: RunningSuite, path, status):
    answer = running.client.get(path)
    assert answer.status_code == status, answer.text
    assert answer.is_success or answer.headers["content-type"] == "application/problem+json"


def test_encoded_paths_reach_the_service_unchanged(running: RunningSuite):
    assert running.client.get("/v1/speed-ramp/operation%73").status_code == 200
    assert "/a%2541" in running.client.get("/v1/speed-ramp/a%252541").json()["detail"]


@pytest.mark.parametrize("path", ["/v1/pipelines/presets", "/v1/jobs/x", "/v1/media/x", "/v1/speed-ramp/operations"])
def test_unsupported_methods_are_refused(running: RunningSuite, path):
    answer = running.client.put(path)
    assert (answer.status_code, answer.headers["content-type"]) == (405, "application/problem+json")


def test_an_empty_idempotency_key_is_refused(running: RunningSuite):
    for path, body in ((RENDER, BODY), ("/v1/pipelines/jobs", {"steps": [{"id": "a", "operation": "speed-ramp.render", **BODY}]})):
        answer = running.client.post(path, json=body, headers={"Idempotency-Key": ""})
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["field"] == "header.idempotency-key"


def test_preferences_ignore_case(running: RunningSuite):
    answer = running.client.post(RENDER, json=BODY | {"cache": False}, headers={"Prefer": "Wait=0"})
    assert (answer.status_code, answer.headers["preference-applied"]) == (202, "wait=0")


def test_values_that_json_cannot_represent_are_refused(running: RunningSuite):
    for value in ('"\\ud800"', "NaN", "[" * 300 + "]" * 300):
        text = f'{{"inputs": {{"video": "{SAMPLE_ID}"}}, "metadata": {{"mine": {value}}}}}'
        answer = running.client.post(RENDER, content=text, headers={"Content-Type": "application/json"})
        assert answer.status_code == 422, answer.text
    assert running.client.get("/v1/jobs").status_code == 200


def test_a_list_of_wrong_items_reports_the_first(running: RunningSuite):
    curve = [{"t": -1, "speed": 1}] * 5000
    problem = running.client.post(RENDER, json={"inputs": {"video": SAMPLE_ID}, "params": {"curve": curve}}).json()
    assert [error["field"] for error in problem["errors"]] == ["params.curve.0.t"]


def test_a_body_with_many_errors_reports_the_first_hundred(running: RunningSuite):
    body = {"inputs": {"video": SAMPLE_ID}, "params": {f"unknown{number}": 1 for number in range(5000)}}
    problem = running.client.post(RENDER, json=body).json()
    assert len(problem["errors"]) == 100
    assert problem["detail"].endswith("and 4900 more")


@pytest.mark.parametrize("header", ["filename \u00e9", "\u00e9 YQ==x", "filename a"])
def test_upload_metadata_that_is_not_base64_is_refused(running: RunningSuite, header):
    headers = {"Tus-Resumable": "1.0.0", "Upload-Length": "5", "Upload-Metadata": header.encode()}
    assert running.client.post("/v1/uploads", headers=headers).status_code == 400


def test_an_upload_checksum_that_is_not_base64_is_refused(running: RunningSuite):
    headers = {"Tus-Resumable": "1.0.0", "Upload-Length": "5", "Upload-Checksum": "sha1 \u00e9".encode()}
    answer = running.client.post("/v1/uploads", headers=headers | {"Content-Type": "application/offset+octet-stream"}, content=b"abcde")
    assert answer.status_code == 400


def test_a_client_that_disconnects_early_logs_no_error(running: RunningSuite):
    address = httpx.URL(running.url)
    lines = len(running.log)
    for path in (RENDER, "/v1/media/from-url", "/v1/media"):
        head = f"POST {path} HTTP/1.1\r\nHost: {address.host}:{address.port}\r\nContent-Length: 99\r\n"
        kind = "multipart/form-data; boundary=x" if path == "/v1/media" else "application/json"
        with socket.create_connection((address.host, address.port)) as connection:
            connection.sendall(f"{head}Content-Type: {kind}\r\n\r\n{{".encode())
            time.sleep(0.2)
    time.sleep(0.5)
    assert not [line for line in running.log[lines:] if "ERROR" in line or "Traceback" in line]


def test_jobs_and_checks_accept_json_only(running: RunningSuite):
    paths = running.client.get("/openapi.json").json()["paths"]
    taking = [path for path in paths if path.endswith(("/jobs", "/check", "/media/from-url")) and "post" in paths[path]]
    assert len(taking) >= 7
    for path in taking:
        answer = running.client.post(path, content="{}", headers={"Content-Type": "text/plain"})
        assert answer.status_code == 415, path
