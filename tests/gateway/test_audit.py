"""The audit log: every change names its key and the ids it changed."""

import base64
import logging
import re
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image

from shared.http.guards import IDS_IN_LINE, _log_changes
from shared.keys import Access
from shared.log import AUDIT
from shared.media.ids import new_id
from shared.sample_ids import SAMPLE_ID
from shared.testing import RunningSuite
from tests.file_origin import Origin, serving_files
from tests.waiting import within

ANALYZE = {"operation": "speed-ramp.analyze", "inputs": {"video": SAMPLE_ID}, "cache": False}
TUS = {"Tus-Resumable": "1.0.0"}
EXTRACTORS = [f"/v1/aesthetics{version}/extractors/{name}_extractor" for version in ("", "/v2") for name in ("best_frames", "top_images")]
Ids = set[str]
Sent = tuple[httpx.Response, Ids]


@dataclass(frozen=True)
class Changes:
    """Requests to a running suite that change something.

    Each method sends one request and returns the answer with the ids that the audit log must name. `data`: the suite's data folder.
    `clip`: a clip, with `picture.png` beside it. `origin`: a file server with the clip.
    """

    running: RunningSuite
    data: Path
    clip: Path
    origin: Origin

    def send(self, method: str, path: str, **more: Any) -> httpx.Response:
        answer = self.running.client.request(method, path, **more)
        assert answer.is_success, answer.text
        return answer

    def uploaded(self) -> str:
        return str(self.running.upload(self.clip)["id"])

    def ended(self, **more: Any) -> str:
        job = self.running.start("speed-ramp.analyze", {"video": SAMPLE_ID}, **more)
        self.running.wait(job["id"])
        return str(job["id"])

    def canceled(self) -> str:
        job = self.running.start("speed-ramp.analyze", {"video": {"url": f"{self.origin.url}/slow/clip.mp4"}})
        self.send("POST", f"/v1/jobs/{job['id']}/cancel")
        return str(job["id"])

    def made(self, method: str, path: str, **more: Any) -> Sent:
        """Send a request that makes something; return the answer and the thing's id."""
        answer = self.send(method, path, **more)
        return answer, {answer.json()["id"]}

    def form(self, path: str) -> Sent:
        """Send a clip to a form endpoint; return the answer and the new ids.

        The ids are those of the medium and of the job.
        """
        before = {item["id"] for item in self.send("GET", "/v1/media", params={"limit": 200}).json()["items"]}
        newest = self.send("GET", "/v1/jobs", params={"limit": 1}).json()["items"][0]["id"]
        with self.clip.open("rb") as file:
            answer = self.send("POST", path, files={"file": ("clip.mp4", file)})
        return answer, self.since(before, newest)

    def since(self, media: Ids, newest_job: str) -> Ids:
        """Return the ids of the medium and the job that are new since an earlier moment.

        `media`: ids of all media at that moment. `newest_job`: id of the newest job at that moment.
        """
        items = self.send("GET", "/v1/media", params={"limit": 200}).json()["items"]
        new = {item["id"] for item in items if item["id"] not in media and item["source"] in ("upload", "url")}
        later = [job for job in self.send("GET", "/v1/jobs", params={"limit": 50}).json()["items"] if job["id"] > newest_job]
        jobs = {job["id"] for job in later if any(media_id in str(job["inputs"]) for media_id in new)}  # without steps of pipelines
        assert len(new) == len(jobs) == 1
        return new | jobs

    def from_url(self) -> Sent:
        before = {item["id"] for item in self.send("GET", "/v1/media", params={"limit": 200}).json()["items"]}
        newest = self.send("GET", "/v1/jobs", params={"limit": 1}).json()["items"][0]["id"]
        answer = self.send("POST", "/v1/speed-ramp/get-speeds-from-url", json={"video_url": f"{self.origin.url}/clip.mp4"})
        return answer, self.since(before, newest)

    def upload(self) -> Sent:
        with self.clip.open("rb") as file:
            return self.made("POST", "/v1/media", files={"file": ("clip.mp4", file)})

    def rename(self) -> Sent:
        medium = self.uploaded()
        return self.send("PATCH", f"/v1/media/{medium}", json={"name": "other.mp4"}), {medium}

    def delete_medium(self) -> Sent:
        medium = self.uploaded()
        return self.send("DELETE", f"/v1/media/{medium}"), {medium}

    def take_picture(self) -> Sent:
        path = self.clip.with_name("pictures.zip")
        with zipfile.ZipFile(path, "w") as pictures:
            pictures.writestr("a.png", self.clip.with_name("picture.png").read_bytes())
        archive = self.running.upload(path)["id"]
        return self.made("POST", f"/v1/media/{archive}/files/a.png")

    def start_upload(self) -> Sent:
        size = self.clip.stat().st_size
        name = base64.b64encode(b"clip.mp4").decode()
        answer = self.send("POST", "/v1/uploads", headers=TUS | {"Upload-Length": str(size), "Upload-Metadata": f"filename {name}"})
        return answer, {answer.headers["location"].rpartition("/")[2]}

    def finish_upload(self) -> Sent:
        location = self.start_upload()[0].headers["location"]
        headers = TUS | {"Upload-Offset": "0", "Content-Type": "application/offset+octet-stream"}
        answer = self.send("PATCH", location, headers=headers, content=self.clip.read_bytes())
        return answer, {answer.headers["reelwright-media-id"], location.rpartition("/")[2]}

    def drop_upload(self) -> Sent:
        location = self.start_upload()[0].headers["location"]
        return self.send("DELETE", location, headers=TUS), {location.rpartition("/")[2]}

    def batch(self) -> Sent:
        answer = self.send("POST", "/v1/jobs", json={"jobs": [ANALYZE, ANALYZE | {"name": "second"}]})
        return answer, {job["id"] for job in answer.json()["jobs"]}

    def delete_jobs(self) -> Sent:
        jobs = [self.ended(), self.ended()]
        return self.send("DELETE", "/v1/jobs", params={"id": jobs}), set(jobs)

    def delete_job(self) -> Sent:
        job = self.running.wait(self.running.start("media.transcode", {"video": self.uploaded()}, {"height": 90})["id"])
        outputs = {output["id"] for output in job["outputs"].values()}
        assert outputs
        return self.send("DELETE", f"/v1/jobs/{job['id']}", params={"outputs": True}), {job["id"]} | outputs

    def cancel(self) -> Sent:
        job = self.running.start("speed-ramp.analyze", {"video": {"url": f"{self.origin.url}/slow/clip.mp4"}})
        return self.send("POST", f"/v1/jobs/{job['id']}/cancel"), {job["id"]}

    def pipeline(self, path: str, **body: Any) -> Sent:
        return self.made("POST", path, json=body)

    def preset_batch(self) -> Sent:
        body = {"inputs": {"video": [self.uploaded(), self.uploaded()]}}
        answer = self.send("POST", "/v1/pipelines/presets/dramatic-ramp/batch", json=body)
        return answer, {job["id"] for job in answer.json()["jobs"]}

    def save_pipeline(self) -> Sent:
        steps = [{"id": "look", "operation": "speed-ramp.analyze", "inputs": {"video": "<video>"}}]
        return self.send("PUT", "/v1/pipelines/saved/audited", json={"steps": steps}), {"audited"}

    def run_saved(self) -> Sent:
        self.save_pipeline()
        return self.pipeline("/v1/pipelines/saved/audited/jobs", inputs={"video": SAMPLE_ID})

    def delete_saved(self) -> Sent:
        self.save_pipeline()
        return self.send("DELETE", "/v1/pipelines/saved/audited"), {"audited"}

    def add_webhook(self) -> Sent:
        return self.made("POST", "/v1/webhooks", json={"url": f"{self.origin.url}/hook"})

    def delete_webhook(self) -> Sent:
        webhook = self.add_webhook()[0].json()["id"]
        return self.send("DELETE", f"/v1/webhooks/{webhook}"), {webhook}

    def resend(self) -> Sent:
        job = self.ended(webhook={"url": f"{self.origin.url}/clip.mp4", "events": ["succeeded", "failed"]})

        def delivery() -> dict[str, Any]:
            item: dict[str, Any] = self.send("GET", f"/v1/jobs/{job}/deliveries").json()["items"][0]
            return item

        within(60, lambda: delivery()["status"] == "delivered")
        first = delivery()["id"]
        answer, ids = self.made("POST", f"/v1/jobs/{job}/deliveries/{first}/resend")
        return answer, ids | {job, first}

    def extract(self, path: str) -> Sent:
        """Start an extraction of the file in a new folder of the server."""
        name = new_id()
        best = "best_frames" in path
        folder = self.data / "aesthetics" / "public" / name
        folder.mkdir(parents=True)
        source = self.clip if best else self.clip.with_name("picture.png")
        (folder / source.name).write_bytes(source.read_bytes())
        config = {"input_directory": name, "output_directory": f"{name}-out", "scorer": "technical", "all_frames": best}
        answer = self.send("POST", path, json=config)
        job = answer.json()["job_id"]
        inputs = self.running.wait(job)["inputs"].values()
        within(60, lambda: self.send("GET", "/v1/aesthetics/status").json()["running"] == [])
        return answer, {job, *(media_id for ids in inputs for media_id in (ids if isinstance(ids, list) else [ids]))}


def requests_of(changes: Changes) -> dict[tuple[str, str], Callable[[], Sent]]:
    """Return a request for each address of the API that changes something.

    The result is (method, path in the description) -> function that sends it.
    """
    step = {"id": "look", "operation": "speed-ramp.analyze", "inputs": {"video": SAMPLE_ID}}
    return {
        ("POST", "/v1/media"): changes.upload,
        ("POST", "/v1/media/from-url"): lambda: changes.made("POST", "/v1/media/from-url", json={"url": f"{changes.origin.url}/clip.mp4"}),
        ("PATCH", "/v1/media/{media_id}"): changes.rename,
        ("DELETE", "/v1/media/{media_id}"): changes.delete_medium,
        ("POST", "/v1/media/{media_id}/files/{name}"): changes.take_picture,
        ("POST", "/v1/uploads"): changes.start_upload,
        ("PATCH", "/v1/uploads/{upload_id}"): changes.finish_upload,
        ("DELETE", "/v1/uploads/{upload_id}"): changes.drop_upload,
        ("POST", "/v1/jobs"): changes.batch,
        ("DELETE", "/v1/jobs"): changes.delete_jobs,
        ("DELETE", "/v1/jobs/{job_id}"): changes.delete_job,
        ("POST", "/v1/jobs/{job_id}/cancel"): changes.cancel,
        ("POST", "/v1/jobs/{job_id}/retry"): lambda: changes.made("POST", f"/v1/jobs/{changes.canceled()}/retry"),
        ("POST", "/v1/jobs/{job_id}/deliveries/{delivery_id}/resend"): changes.resend,
        ("POST", "/v1/webhooks"): changes.add_webhook,
        ("DELETE", "/v1/webhooks/{webhook_id}"): changes.delete_webhook,
        ("POST", "/v1/pipelines/jobs"): lambda: changes.pipeline("/v1/pipelines/jobs", steps=[step]),
        ("POST", "/v1/pipelines/presets/{name}/jobs"): lambda: changes.pipeline(
            "/v1/pipelines/presets/dramatic-ramp/jobs", inputs={"video": SAMPLE_ID}
        ),
        ("POST", "/v1/pipelines/presets/{name}/batch"): changes.preset_batch,
        ("PUT", "/v1/pipelines/saved/{name}"): changes.save_pipeline,
        ("DELETE", "/v1/pipelines/saved/{name}"): changes.delete_saved,
        ("POST", "/v1/pipelines/saved/{name}/jobs"): changes.run_saved,
        ("POST", "/v1/speed-ramp/analyze/jobs"): lambda: changes.made(
            "POST", "/v1/speed-ramp/analyze/jobs", json={"inputs": {"video": SAMPLE_ID}, "cache": False}
        ),
        ("POST", "/v1/speed-ramp/process"): lambda: changes.form("/v1/speed-ramp/process"),
        ("POST", "/v1/speed-ramp/get-speeds"): lambda: changes.form("/v1/speed-ramp/get-speeds"),
        ("POST", "/v1/speed-ramp/get-speeds-from-url"): changes.from_url,
        ("POST", "/v1/keyframes/extract_keyframes/"): lambda: changes.form("/v1/keyframes/extract_keyframes/"),
        **{("POST", path): partial(changes.extract, path) for path in EXTRACTORS},
    }


@pytest.fixture(scope="module")
def changes(running: RunningSuite, clip: Path, picture: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Changes]:
    folder = tmp_path_factory.mktemp("audited")
    (folder / "clip.mp4").write_bytes(clip.read_bytes())
    with Image.open(picture) as image:  # other bytes than those of other tests, which the suite would find again
        changed = image.convert("RGB")
        changed.putpixel((0, 0), (1, 2, 3))
        changed.save(folder / "picture.png")
    data = next(tmp_path_factory.getbasetemp().glob("suite[0-9]"))
    with serving_files(clip=folder / "clip.mp4") as origin:
        yield Changes(running, data, folder / "clip.mp4", origin)


def lines(running: RunningSuite) -> list[str]:
    """Return the lines of the audit log so far, without time and level."""
    return [line[line.index("public: ") :].rstrip() for line in running.log if " public: " in line]


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_every_change_has_a_line_with_key_and_ids(changes: Changes) -> None:
    requests = requests_of(changes)
    document = changes.running.client.get("/openapi.json").json()
    of_operations = {operation["urls"]["jobs"] for operation in changes.running.client.get("/v1/operations").json()}
    changing = {
        (method.upper(), path)
        for path, methods in document["paths"].items()
        for method in methods
        if method in ("post", "put", "patch", "delete") and not path.endswith("/check") and path not in of_operations
    }
    assert changing <= requests.keys(), "a new address that changes something needs a request in `requests_of`"
    assert requests.keys() - changing == {("POST", "/v1/speed-ramp/analyze/jobs")}, "a request to an address that does not exist"
    for (method, path), send in requests.items():
        before = len(lines(changes.running))
        answer, ids = send()
        sent = f"public: {method} {answer.request.url.path} {answer.status_code}"
        assert ids, path

        def logged(sent: str = sent, ids: Ids = ids, before: int = before) -> bool:
            new = [line for line in lines(changes.running)[before:] if line.startswith(sent)]
            return any(all(text in line for text in ids) for line in new)

        within(10, logged, f"a line {sent!r} with {ids}, in {lines(changes.running)[before:]},")


def test_a_check_and_a_refusal_change_nothing(running: RunningSuite) -> None:
    body = {"inputs": {"video": SAMPLE_ID}}
    assert running.client.post("/v1/speed-ramp/analyze/check", json=body).status_code == 200
    assert running.client.post("/v1/speed-ramp/analyze/jobs", json={"inputs": {}}).status_code == 422
    assert running.client.delete(f"/v1/media/{'7' * 26}").status_code == 404
    marker = running.client.put("/v1/pipelines/saved/marker", json={"steps": [{"id": "a", "operation": "x.y"}]})
    assert marker.status_code == 200, marker.text
    within(10, lambda: any("saved/marker" in line for line in lines(running)))
    assert not [line for line in lines(running) if "/check" in line or "7" * 26 in line]


def test_a_refused_request_that_made_and_deleted_a_medium_is_logged(running: RunningSuite, clip: Path) -> None:
    before = len(lines(running))
    with clip.open("rb") as file:
        answer = running.client.post("/v1/speed-ramp/process", files={"file": ("clip.mp4", file)}, data={"min_speed": "fast"})
    assert answer.status_code == 422
    ids: list[str] = []

    def logged() -> bool:
        ids[:] = re.findall(r"POST /v1/speed-ramp/process 422 (\w{26})$", "\n".join(lines(running)[before:]), re.MULTILINE)
        return bool(ids)

    within(10, logged)
    assert running.client.get(f"/v1/media/{ids[0]}").status_code == 404


def test_answers_do_not_carry_the_internal_header(running: RunningSuite) -> None:
    answer = running.client.post("/v1/speed-ramp/analyze/jobs", json={"inputs": {"video": SAMPLE_ID}, "cache": False})
    assert not [name for name in answer.headers if "changes" in name]


def logged(caplog: pytest.LogCaptureFixture, *, path: str, ids: list[str], status: int = 200, method: str = "DELETE") -> list[str]:
    """Return the audit lines of one request."""
    caplog.set_level(logging.INFO, AUDIT)
    caplog.clear()
    scope = {"method": method, "path": path}
    _log_changes(Access(owner="k0", name="studio"), scope, {"status": status, "headers": [(b"location", b"/v1/jobs/9")]}, ids)
    return [record.getMessage() for record in caplog.records]


def test_long_lists_of_ids_get_several_lines(caplog: pytest.LogCaptureFixture) -> None:
    ids = [f"id{number}" for number in range(IDS_IN_LINE + 1)]
    first, second = logged(caplog, path="/v1/jobs", ids=ids)
    assert first == f"studio: DELETE /v1/jobs 200 /v1/jobs/9 {' '.join(ids[:-1])}"
    assert second == f"studio: DELETE /v1/jobs 200 /v1/jobs/9 {ids[-1]}"


def test_a_line_break_in_an_address_starts_no_line(caplog: pytest.LogCaptureFixture) -> None:
    (line,) = logged(caplog, path="/v1/media/1/files/a\nroot: DELETE /v1/jobs 200", ids=["x"], method="POST")
    assert line == "studio: POST /v1/media/1/files/a%0Aroot: DELETE /v1/jobs 200 200 /v1/jobs/9 x"
    assert logged(caplog, path="/v1/jobs", ids=[], method="GET") == []
    assert logged(caplog, path="/v1/jobs", ids=[], status=404) == []
