"""AI-Speed-Ramping's endpoints, forms and replies, through the gateway."""

import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import cv2
import numpy as np
import pytest

from shared.testing import RunningSuite, suite
from shared.video import probe

BASE = "/v1/speed-ramp"


class Quiet(SimpleHTTPRequestHandler):
    """A request handler that serves files and logs nothing.

    One of its addresses redirects to a private address.
    """

    def do_GET(self) -> None:
        if self.path.startswith("/to-metadata"):
            self.send_response(302)
            self.send_header("Location", "http://169.254.169.254/latest/meta-data/")
            self.end_headers()
        else:
            super().do_GET()

    def log_message(self, *arguments: object) -> None: ...


@pytest.fixture(scope="module")
def web(clip: Path) -> Iterator[str]:
    """Serve the clip's folder on http://127.0.0.1:<port>; yield the address."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(clip.parent))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_process_answers_with_a_link_to_the_ramped_video(running: RunningSuite, clip, tmp_path):
    with clip.open("rb") as file:
        answer = running.client.post(f"{BASE}/process", files={"file": ("ball.mp4", file)})
    assert answer.status_code == 200, answer.text
    (tmp_path / "out.mp4").write_bytes(running.client.get(answer.json()["video_url"]).content)
    job = running.client.get(f"/v1/jobs/{answer.json()['job_id']}").json()
    assert probe(tmp_path / "out.mp4").duration_s == pytest.approx(job["result"]["duration_s"], abs=0.05)


def test_get_speeds_answers_as_the_original_program(running: RunningSuite, clip):
    with clip.open("rb") as file:
        form = {"segment_duration": "1.5", "min_speed": "0.4", "max_speed": "3"}
        answer = running.client.post(f"{BASE}/get-speeds", files={"file": file}, data=form)
    reply = answer.json()
    assert answer.status_code == 200, reply
    assert reply.keys() == {"speeds", "segment_duration", "min_speed", "max_speed"}
    assert (reply["segment_duration"], reply["min_speed"], reply["max_speed"]) == (1.5, 0.4, 3)
    assert len(reply["speeds"]) == 4
    assert all(0.4 <= speed <= 3 for speed in reply["speeds"])
    assert min(reply["speeds"]) == reply["speeds"][1], "the ball dashes at 2.5 s: that is where the clip is slowest"


def test_get_speeds_from_url_fetches_and_answers_the_same(running: RunningSuite, clip, web):
    with clip.open("rb") as file:
        uploaded = running.client.post(f"{BASE}/get-speeds", files={"file": file}).json()
    fetched = running.client.post(f"{BASE}/get-speeds-from-url", json={"video_url": f"{web}/{clip.name}"})
    assert fetched.status_code == 200, fetched.text
    assert fetched.json() == uploaded


@pytest.mark.parametrize("path", ["/to-metadata", "/nothing-here.mp4"])
def test_a_url_that_leads_to_a_private_address_or_nowhere_is_refused(running: RunningSuite, web, path):
    answer = running.client.post(f"{BASE}/get-speeds-from-url", json={"video_url": web + path})
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"


def test_without_permission_loopback_is_not_fetched(tmp_path, clip, web):
    with suite(tmp_path) as strict:
        answer = strict.client.post(f"{BASE}/get-speeds-from-url", json={"video_url": f"{web}/{clip.name}"})
    assert (answer.status_code, answer.json()["type"]) == (422, "/problems/forbidden-address")
    assert "127.0.0.1" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("files", "form", "status", "field"),
    [
        ({}, {"min_speed": "1"}, 422, "file"),
        ({"file": b"no video"}, {}, 422, None),
        ({"file": None}, {"min_speed": "0"}, 422, "min_speed"),
        ({"file": None}, {"min_speed": "3"}, 422, ""),
        ({"file": None}, {"speed": "3"}, 422, "speed"),
    ],
)
def test_wrong_forms_are_refused_by_field(running: RunningSuite, clip, files, form, status, field):
    content = {name: ("clip.mp4", clip.read_bytes() if data is None else data) for name, data in files.items()}
    padding = {"ignored": (None, "")} if not content else {}
    answer = running.client.post(f"{BASE}/get-speeds", files=content or padding, data=form)
    assert answer.status_code == status, answer.text
    if field is not None and content:
        assert answer.json()["errors"][0]["field"] == field


@pytest.mark.parametrize("path", ["process", "get-speeds"])
@pytest.mark.parametrize(
    ("name", "form", "reason"),
    [
        ("clip.mp4", {"min_speed": "0"}, "min_speed"),
        ("clip.mp4", {"min_speed": "3", "max_speed": "2"}, "min_speed"),
        ("picture.png", {}, "kind image"),
    ],
    ids=["params", "contradiction", "kind"],
)
def test_a_refused_form_leaves_no_medium(running: RunningSuite, clip, tmp_path, path, name, form, reason):
    cv2.imwrite(str(tmp_path / "picture.png"), np.zeros((64, 64, 3), np.uint8))
    content = clip.read_bytes() if name == "clip.mp4" else (tmp_path / name).read_bytes()
    before = [record["id"] for record in running.client.get("/v1/media").json()["items"]]
    answer = running.client.post(f"{BASE}/{path}", files={"file": (name, content)}, data=form)
    assert answer.status_code == 422, answer.text
    assert reason in answer.json()["detail"]
    assert [record["id"] for record in running.client.get("/v1/media").json()["items"]] == before


def test_a_refused_url_leaves_no_medium(running: RunningSuite, web, clip):
    cv2.imwrite(str(clip.parent / "picture.png"), np.zeros((64, 64, 3), np.uint8))
    before = [record["id"] for record in running.client.get("/v1/media").json()["items"]]
    answer = running.client.post(f"{BASE}/get-speeds-from-url", json={"video_url": f"{web}/picture.png"})
    assert answer.status_code == 422, answer.text
    assert "kind image" in answer.json()["detail"]
    assert [record["id"] for record in running.client.get("/v1/media").json()["items"]] == before
