"""API keys from a secret file, on a suite that other machines can reach."""

from collections.abc import Iterator

import pytest

from shared.sample_ids import SAMPLE_ID
from tests.deployment.deployment import Deployment
from tests.waiting import within

RENDER = {"inputs": {"video": SAMPLE_ID}, "params": {"speeds": [4.0], "audio": "drop"}}


@pytest.fixture
def published(suite: Deployment) -> Iterator[Deployment]:
    """Let the suite listen on every address of the machine when it starts next."""
    suite.environment["REELWRIGHT_HOST"] = "0.0.0.0"
    yield suite
    del suite.environment["REELWRIGHT_HOST"]
    (suite.folder / "secrets" / "reelwright_api_keys").unlink(missing_ok=True)
    suite.compose("up", "--detach", "--wait", "--force-recreate")


def test_a_public_suite_without_keys_does_not_start(published: Deployment) -> None:
    published.compose("up", "--detach", "--no-deps", "gateway")
    gateway = published.container("gateway")
    within(60, lambda: b"REELWRIGHT_HOST=0.0.0.0 can be reached by others: set REELWRIGHT_API_KEYS" in gateway.logs(), "the refusal")


def test_a_public_suite_serves_clients_with_a_key(published: Deployment) -> None:
    (published.folder / "secrets" / "reelwright_api_keys").write_text("first-key-first-key-first,second-key-second-key-second")
    published.compose("up", "--detach", "--wait", "--force-recreate")
    client = published.client.client
    assert client.post("/v1/speed-ramp/render/jobs", json=RENDER).status_code == 401
    key = {"Authorization": "Bearer second-key-second-key-second"}
    within(60, lambda: client.get(f"/v1/media/{SAMPLE_ID}", headers=key).is_success, "the sample clip")
    job = client.post("/v1/speed-ramp/render/jobs", json=RENDER, headers=key | {"Prefer": "wait=60"}).json()
    assert job["status"] == "succeeded"
    assert client.get(job["urls"]["self"], headers={"Authorization": "Bearer first-key-first-key-first"}).status_code == 404
    assert client.get("/ready").json()["services"]["speed-ramp"] == "ready"
