"""Webhooks: signed, retried with growing pauses, also after a restart, never to a private address."""

import base64
import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks import Webhook as Signer

from tests.misbehaving.server import Server, serving_one, within

SECRET = "whsec_" + base64.b64encode(b"a secret of the receiver's own").decode()
SERVERS_OWN = "whsec_" + base64.b64encode(b"the secret of this server here").decode()


class Receiver(ThreadingHTTPServer):
    """Receiver of messages that answers with the codes in `answers`, then with 204."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Taking)
        self.answers: list[int] = []
        self.taken: list[tuple[float, dict[str, str], bytes]] = []
        self.url = f"http://127.0.0.1:{self.server_port}/hook"


class Taking(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.taken.append((time.monotonic(), {name.lower(): value for name, value in self.headers.items()}, body))
        self.send_response(self.server.answers.pop(0) if self.server.answers else 204)
        self.send_header("Location", "http://127.0.0.1:1/")
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None: ...


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as receiver:
        thread = threading.Thread(target=receiver.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield receiver
        receiver.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def hooked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    settings = {"URL_ALLOW_NETWORKS": "127.0.0.0/8", "WEBHOOK_SECRET": SERVERS_OWN}
    with serving_one(tmp_path_factory.mktemp("hooked"), **settings) as server:
        yield server


def test_each_end_is_sent_once_and_signed(hooked: Server, receiver: Receiver) -> None:
    hook = {"url": receiver.url, "secret": SECRET}
    jobs = {operation: hooked.submit(operation, webhook=hook)["id"] for operation in ("succeed", "refuse", "deaf")}
    hooked.wait(jobs["deaf"], until=("running",))
    hooked.client.post(f"/v1/jobs/{jobs['deaf']}/cancel")
    within(10, lambda: len(receiver.taken) == 3)
    told = {}
    for _, headers, body in receiver.taken:
        message = Signer(SECRET).verify(body, headers)
        assert headers["content-type"] == "application/json"
        assert headers["webhook-id"].startswith(message["data"]["id"])
        assert message["timestamp"]
        assert message["data"] == hooked.get(message["data"]["id"])
        told[message["data"]["id"]] = message["type"]
        assert SECRET not in body.decode()
    assert told == {jobs["succeed"]: "job.succeeded", jobs["refuse"]: "job.failed", jobs["deaf"]: "job.canceled"}
    time.sleep(1)
    assert len(receiver.taken) == 3


def test_a_remembered_result_is_sent_too(hooked: Server, receiver: Receiver) -> None:
    hooked.run("dice", tag="webhook")
    cached = hooked.submit("dice", params={"tag": "webhook"}, webhook={"url": receiver.url, "secret": SECRET})
    assert cached["cached"]
    within(10, lambda: len(receiver.taken) == 1)
    message = Signer(SECRET).verify(receiver.taken[0][2], receiver.taken[0][1])
    assert (message["type"], message["data"]) == ("job.succeeded", cached)


def test_only_the_requested_events_are_sent(hooked: Server, receiver: Receiver) -> None:
    hook = {"url": receiver.url, "events": ["failed"]}
    hooked.wait(hooked.submit("succeed", webhook=hook)["id"])
    failed = hooked.wait(hooked.submit("refuse", webhook=hook)["id"])
    within(10, lambda: receiver.taken)
    time.sleep(1)
    [(_, headers, body)] = receiver.taken
    assert Signer(SERVERS_OWN).verify(body, headers)["data"]["id"] == failed["id"], "signed with the server's secret where none was given"


@pytest.mark.slow
def test_a_failed_delivery_is_retried_with_growing_pauses(hooked: Server, receiver: Receiver) -> None:
    receiver.answers = [500, 302, 204]
    hooked.submit("succeed", webhook={"url": receiver.url, "secret": SECRET})
    within(30, lambda: len(receiver.taken) == 3)
    moments = [moment for moment, _, _ in receiver.taken]
    first, second = moments[1] - moments[0], moments[2] - moments[1]
    assert 1.5 < first < 5
    assert second > 2 * first
    assert len({headers["webhook-id"] for _, headers, _ in receiver.taken}) == 1, "the same message, so that the receiver can tell"
    for _, headers, body in receiver.taken:
        Signer(SECRET).verify(body, headers)


def test_a_webhook_survives_a_restart(tmp_path: Path, receiver: Receiver) -> None:
    receiver.answers = [503]
    with serving_one(tmp_path, URL_ALLOW_NETWORKS="127.0.0.0/8") as server:
        job = server.submit("succeed", webhook={"url": receiver.url, "secret": SECRET})["id"]
        within(10, lambda: len(receiver.taken) == 1)
        server.kill()
        server.start()
        within(15, lambda: len(receiver.taken) == 2)
        _, headers, body = receiver.taken[1]
        assert Signer(SECRET).verify(body, headers)["data"]["id"] == job


def test_private_addresses_are_not_called(server: Server, receiver: Receiver) -> None:
    """A private address is refused when the job is submitted.

    A name is checked when it is connected to. The job itself is not affected.
    """
    for url in (receiver.url, "http://169.254.169.254/latest/meta-data"):
        refused = server.post("succeed", webhook={"url": url, "secret": SECRET})
        assert (refused.status_code, refused.json()["type"]) == (422, "/problems/forbidden-address")
    named = {"url": f"http://localhost:{receiver.server_port}/", "secret": SECRET}
    assert server.wait(server.submit("succeed", webhook=named)["id"])["status"] == "succeeded"
    time.sleep(1.5)
    assert receiver.taken == []
    assert any("was given up" in line for line in server.log), "an address that is refused is not tried again"


def test_the_secret_is_never_shown(hooked: Server, receiver: Receiver) -> None:
    job = hooked.wait(hooked.submit("succeed", webhook={"url": receiver.url, "secret": SECRET})["id"])
    within(10, lambda: receiver.taken)
    shown = json.dumps(job) + hooked.client.get("/v1/jobs").text + hooked.client.get(f"/v1/jobs/{job['id']}/events").text
    shown += hooked.client.get("/metrics").text + hooked.client.get("/operations").text + "".join(hooked.log)
    for secret in (SECRET, SERVERS_OWN):
        assert secret not in shown
        assert secret.removeprefix("whsec_") not in shown
    wrong = hooked.post("succeed", webhook={"url": "no", "secret": SECRET})
    assert wrong.status_code == 422
    assert SECRET not in wrong.text


@pytest.mark.parametrize("secret", ["whsec_???", "whsec_", "whsec_abc", "not base64"])
def test_an_invalid_secret_is_refused(hooked: Server, secret: str) -> None:
    answer = hooked.post("succeed", webhook={"url": "https://example.org/", "secret": secret})
    assert answer.status_code == 422
    assert "secret" in answer.json()["detail"]


def test_a_missing_secret_is_refused(server: Server) -> None:
    answer = server.post("succeed", webhook={"url": "https://example.org/"})
    assert answer.status_code == 422
    assert "REELWRIGHT_WEBHOOK_SECRET" in answer.json()["detail"]
