"""Webhooks: signed, retried with growing pauses, and never to private addresses."""

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

from tests.misbehaving.server import Server, serving_one
from tests.waiting import within

SECRET = "whsec_" + base64.b64encode(b"a secret of the receiver's own").decode()
SERVERS_OWN = "whsec_" + base64.b64encode(b"the secret of this server here").decode()


class Receiver(ThreadingHTTPServer):
    """A server that answers with the codes in `answers`, then with 204."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Taking)
        self.answers: list[int] = []
        self.open = threading.Event()  # answers wait for it
        self.open.set()
        self.messages: list[tuple[float, dict[str, str], bytes]] = []
        self.url = f"http://127.0.0.1:{self.server_port}/hook"


class Taking(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.messages.append((time.monotonic(), {name.lower(): value for name, value in self.headers.items()}, body))
        self.server.open.wait(60)
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
    within(60, lambda: len(receiver.messages) == 3)
    messages = {}
    for _, headers, body in receiver.messages:
        message = Signer(SECRET).verify(body, headers)
        assert headers["content-type"] == "application/json"
        assert headers["webhook-id"].startswith(message["data"]["id"])
        assert message["timestamp"]
        assert message["data"] == hooked.get(message["data"]["id"])
        messages[message["data"]["id"]] = message["type"]
        assert SECRET not in body.decode()
    assert messages == {jobs["succeed"]: "job.succeeded", jobs["refuse"]: "job.failed", jobs["deaf"]: "job.canceled"}
    time.sleep(1)
    assert len(receiver.messages) == 3


def test_a_remembered_result_is_sent_too(hooked: Server, receiver: Receiver) -> None:
    hooked.run("dice", tag="webhook")
    cached = hooked.submit("dice", params={"tag": "webhook"}, webhook={"url": receiver.url, "secret": SECRET})
    assert cached["cached"]
    within(60, lambda: len(receiver.messages) == 1)
    message = Signer(SECRET).verify(receiver.messages[0][2], receiver.messages[0][1])
    assert (message["type"], message["data"]) == ("job.succeeded", cached)


def test_only_the_requested_events_are_sent(hooked: Server, receiver: Receiver) -> None:
    hook = {"url": receiver.url, "events": ["failed"]}
    hooked.wait(hooked.submit("succeed", webhook=hook)["id"])
    failed = hooked.wait(hooked.submit("refuse", webhook=hook)["id"])
    within(60, lambda: receiver.messages)
    time.sleep(1)
    [(_, headers, body)] = receiver.messages
    assert Signer(SERVERS_OWN).verify(body, headers)["data"]["id"] == failed["id"], "signed with the server's secret where none was given"


@pytest.mark.slow
def test_a_failed_delivery_is_retried_with_growing_pauses(hooked: Server, receiver: Receiver) -> None:
    receiver.answers = [500, 302, 204]
    job = hooked.submit("succeed", webhook={"url": receiver.url, "secret": SECRET})
    within(60, lambda: [each["error"] for each in deliveries(hooked, job["id"])] == ["answered 500"])
    within(30, lambda: len(receiver.messages) == 3)
    within(60, lambda: deliveries(hooked, job["id"])[0]["status"] == "delivered")
    assert deliveries(hooked, job["id"])[0]["attempts"] == 3
    moments = [moment for moment, _, _ in receiver.messages]
    first, second = moments[1] - moments[0], moments[2] - moments[1]
    assert 1.5 < first < 5
    assert second > 2 * first
    assert len({headers["webhook-id"] for _, headers, _ in receiver.messages}) == 1, "the same message, so that the receiver can tell"
    for _, headers, body in receiver.messages:
        Signer(SECRET).verify(body, headers)


def test_a_webhook_survives_a_restart(tmp_path: Path, receiver: Receiver) -> None:
    receiver.answers = [503]
    with serving_one(tmp_path, URL_ALLOW_NETWORKS="127.0.0.0/8") as server:
        job = server.submit("succeed", webhook={"url": receiver.url, "secret": SECRET})["id"]
        within(60, lambda: len(receiver.messages) == 1)
        server.kill()
        server.start()
        within(60, lambda: len(receiver.messages) == 2)
        _, headers, body = receiver.messages[1]
        assert Signer(SECRET).verify(body, headers)["data"]["id"] == job


def test_private_addresses_are_not_called(server: Server, receiver: Receiver) -> None:
    """A private address is refused on submission.

    A name with a private address is refused on connection. The job itself is not affected.
    """
    for url in (receiver.url, "http://169.254.169.254/latest/meta-data"):
        refused = server.post("succeed", webhook={"url": url, "secret": SECRET})
        assert (refused.status_code, refused.json()["type"]) == (422, "/problems/forbidden-address")
    named = {"url": f"http://localhost:{receiver.server_port}/", "secret": SECRET}
    job = server.wait(server.submit("succeed", webhook=named)["id"])
    assert job["status"] == "succeeded"
    within(60, lambda: any("is not sent again" in line for line in server.log))
    (delivery,) = deliveries(server, job["id"])
    assert (delivery["status"], delivery["attempts"]) == ("failed", 1), "an address that is refused is not tried again"
    assert delivery["error"].startswith("localhost has an address that is not public")
    assert receiver.messages == []


def test_the_secret_is_never_shown(hooked: Server, receiver: Receiver) -> None:
    job = hooked.wait(hooked.submit("succeed", webhook={"url": receiver.url, "secret": SECRET})["id"])
    within(60, lambda: receiver.messages)
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


def deliveries(server: Server, job_id: str) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = server.client.get(f"/v1/jobs/{job_id}/deliveries").json()["items"]
    return items


def test_the_start_and_the_progress_are_sent(hooked: Server, receiver: Receiver) -> None:
    hook = {"url": receiver.url, "secret": SECRET, "events": ["started", "progress", "succeeded"]}
    job = hooked.submit("succeed", params={"seconds": 0.4}, webhook=hook)
    within(60, lambda: len(receiver.messages) == 3)
    types = [Signer(SECRET).verify(body, headers)["type"] for _, headers, body in receiver.messages]
    assert sorted(types) == ["job.progress", "job.started", "job.succeeded"], "progress at most once in 5 seconds"
    assert len({headers["webhook-id"] for _, headers, _ in receiver.messages}) == 3
    within(60, lambda: {each["status"] for each in deliveries(hooked, job["id"])} == {"delivered"})
    shown = deliveries(hooked, job["id"])
    assert [each["event"] for each in shown] == ["started", "progress", "succeeded"]
    assert {(each["attempts"], each["answer"], each["error"], each["webhook"]) for each in shown} == {(1, 204, None, None)}


def test_a_message_is_sent_again(hooked: Server, receiver: Receiver) -> None:
    receiver.open.clear()
    job = hooked.submit("succeed", webhook={"url": receiver.url, "secret": SECRET, "events": ["succeeded"]})
    within(60, lambda: receiver.messages)
    (first,) = deliveries(hooked, job["id"])
    assert first["status"] == "pending"
    again = f"/v1/jobs/{job['id']}/deliveries/{first['id']}/resend"
    assert hooked.client.post(again).status_code == 409, "it is on its way"
    receiver.open.set()
    within(60, lambda: deliveries(hooked, job["id"])[0]["status"] == "delivered")
    count = len(receiver.messages)
    answer = hooked.client.post(again)
    assert (answer.status_code, answer.json()["event"], answer.json()["status"]) == (202, "succeeded", "pending")
    within(60, lambda: len(receiver.messages) == count + 1)
    assert len({headers["webhook-id"] for _, headers, _ in receiver.messages}) == 1
    assert hooked.client.post(f"/v1/jobs/{job['id']}/deliveries/none/resend").status_code == 404
    assert hooked.client.delete(f"/v1/jobs/{job['id']}").status_code == 204
    for call in (hooked.client.post(again), hooked.client.get(f"/v1/jobs/{job['id']}/deliveries")):
        assert (call.status_code, call.json()["type"]) == (404, "/problems/unknown-job")


def test_a_standing_webhook_reports_listed_jobs(hooked: Server, receiver: Receiver) -> None:
    answer = hooked.client.post("/v1/webhooks", json={"url": receiver.url, "events": ["succeeded", "failed"], "name": "all"})
    assert answer.status_code == 201
    hook = answer.json()
    (listed,) = hooked.client.get("/v1/webhooks").json()
    assert "secret" not in listed
    assert listed == {name: value for name, value in hook.items() if name != "secret"}
    assert (
        hook["secret"].encode() not in (hooked.data_dir / "jobs.sqlite").read_bytes() + (hooked.data_dir / "jobs.sqlite-wal").read_bytes()
    )
    hooked.wait(hooked.submit("succeed", listed=False)["id"])
    hooked.wait(hooked.submit("succeed", metadata={"pipeline": "of one"})["id"])
    job = hooked.wait(hooked.submit("refuse")["id"])
    within(60, lambda: receiver.messages)
    message = Signer(hook["secret"]).verify(receiver.messages[0][2], receiver.messages[0][1])
    assert (message["type"], message["data"]["id"]) == ("job.failed", job["id"])
    assert [each["webhook"] for each in deliveries(hooked, job["id"])] == [hook["id"]]
    assert hooked.client.delete(f"/v1/webhooks/{hook['id']}").status_code == 204
    assert hooked.client.delete(f"/v1/webhooks/{hook['id']}").status_code == 404
    again = hooked.client.post(f"/v1/jobs/{job['id']}/deliveries/{deliveries(hooked, job['id'])[0]['id']}/resend")
    assert (again.status_code, again.json()["type"]) == (404, "/problems/unknown-webhook")
    hooked.wait(hooked.submit("refuse")["id"])
    assert len(receiver.messages) == 1


@pytest.mark.parametrize(
    "body",
    [
        {"url": "http://169.254.169.254/"},
        {"url": "ftp://example.org/"},
        {"url": "https://me:word@example.org/"},
        {"url": "https://example.org/", "secret": "whsec_???"},
        {"url": "https://example.org/", "events": []},
        {"url": "https://example.org/", "events": ["deleted"]},
        {"url": "https://example.org/", "name": "\0"},
        {},
    ],
)
def test_a_wrong_standing_webhook_is_refused(hooked: Server, body: dict[str, Any]) -> None:
    assert hooked.client.post("/v1/webhooks", json=body).status_code == 422
    assert hooked.client.get("/v1/webhooks").json() == []
