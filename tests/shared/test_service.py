"""Routes of a service, made from its table of operations."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.http.operations.answers import wait_seconds
from tests.misbehaving.operations import OPERATIONS
from tests.misbehaving.server import Server, serving_one


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving_one(tmp_path_factory.mktemp("service"), role="gateway") as server:
        yield server


def test_every_operation_is_described(service: Server) -> None:
    operations = {operation["name"]: operation for operation in service.client.get("/operations").json()}
    assert list(operations) == [operation.name for operation in OPERATIONS]
    read = operations["misbehaving.read"]
    kind = {"description": "", "kind": "json", "kinds": ["json"]}
    assert read["inputs"]["first"] == kind | {"title": "First", "optional": False, "many": False}
    assert read["inputs"]["rest"] == kind | {"title": "Rest", "optional": True, "many": True}
    assert operations["misbehaving.succeed"]["outputs"] == {"file": "json"}
    assert read["params"]["properties"]["seconds"]["maximum"] == 1000
    assert "text" in read["result"]["properties"]
    assert read["available"] is True
    assert "install" not in read


def test_a_check_fills_in_defaults_and_makes_no_job(service: Server) -> None:
    answer = service.client.post("/succeed/check", json={"inputs": {}, "params": {"tag": "x"}})
    assert answer.status_code == 200
    params = {"seconds": 0.0, "tag": "x", "log": "", "count": 1}
    assert answer.json() == {"operation": "misbehaving.succeed", "inputs": {}, "params": params, "estimate": None}
    assert service.client.get("/v1/jobs").json()["items"] == []


def test_outputs_of_earlier_steps_are_checked_by_kind(service: Server) -> None:
    for first, status in (("pending:json", 200), ("pending:video", 422), ("pending:", 422)):
        answer = service.client.post("/read/check", json={"inputs": {"first": first, "rest": ["pending:json"]}})
        assert answer.status_code == status, answer.text
    assert service.post("read", inputs={"first": "pending:json"}).status_code in (404, 422), "only a check may leave it open"


def test_health_readiness_metrics_and_schema_are_served(service: Server) -> None:
    assert service.client.get("/health").json()["status"] == "alive"
    assert service.client.get("/ready").json()["status"] == "ready"
    assert "reelwright_http_requests_total" in service.client.get("/metrics").text
    schema = service.client.get("/openapi.json").json()
    assert {f"/{operation.verb}/jobs" for operation in OPERATIONS} <= set(schema["paths"])


def test_a_service_with_a_nearly_full_disk_is_not_ready(tmp_path: Path) -> None:
    with serving_one(tmp_path, role="gateway", MIN_FREE_BYTES=str(10**18)) as server:
        answer = server.client.get("/ready")
        assert (answer.status_code, answer.headers["content-type"]) == (503, "application/problem+json")
        assert "less than 1000000000000000000 (REELWRIGHT_MIN_FREE_BYTES)" in answer.json()["detail"]
        assert server.client.get("/health").status_code == 200


def test_other_sites_are_kept_out(service: Server) -> None:
    assert service.client.get("/operations", headers={"Host": "evil.example"}).status_code == 403
    assert service.client.post("/succeed/jobs", json={"inputs": {}}, headers={"Origin": "https://evil.example"}).status_code == 403


def test_host_names_may_be_trusted_beside_localhost(tmp_path: Path) -> None:
    with serving_one(tmp_path, role="gateway", TRUSTED_HOSTS="effects, gateway") as server:
        port = server.url.rpartition(":")[2]
        for host, status in ((f"effects:{port}", 200), ("gateway", 200), ("other", 403), ("effects.evil.example", 403)):
            assert server.client.get("/operations", headers={"Host": host}).status_code == status, host


def test_prometheus_reads_metrics_by_address_and_nothing_else(service: Server) -> None:
    for host in ("172.18.0.5:8080", "[fd00::5]:8080"):
        assert service.client.get("/metrics", headers={"Host": host}).status_code == 200, host
        assert service.client.get("/operations", headers={"Host": host}).status_code == 403, host
    assert service.client.get("/metrics", headers={"Host": "evil.example"}).status_code == 403


@pytest.mark.parametrize(
    ("prefer", "seconds"),
    [
        ("wait=5", 5),
        ("wait=0", 0),
        ("wait=61", 60),
        ("respond-async,wait=7", 7),
        ("wait", None),
        ("wait=x", None),
        ("", None),
        (None, None),
    ],
)
def test_wait_seconds_are_read_from_prefer(prefer: str | None, seconds: int | None) -> None:
    assert wait_seconds(prefer) == seconds
