"""Views (proxy, picture strip, sound peaks) and previews of media, on a running suite."""

import hashlib
import time
from datetime import datetime, timedelta

from shared.operation import Sample
from shared.sample_ids import SAMPLES
from shared.testing import RunningSuite

CLIP, MATTE, PICTURE = SAMPLES[Sample.CLIP], SAMPLES[Sample.MATTE], SAMPLES[Sample.PICTURE]
PATIENCE_S = 90


def fetched(running: RunningSuite, path: str, **headers: str):
    """Request a view repeatedly until it is ready; return the response."""
    deadline = time.monotonic() + PATIENCE_S
    while (answer := running.client.get(path, headers=headers)).status_code == 202 and time.monotonic() < deadline:
        assert answer.headers["location"] == f"/v1/jobs/{answer.json()['id']}"
        assert int(answer.headers["retry-after"]) >= 1
        time.sleep(0.05)
    return answer


def names(running: RunningSuite) -> list[str]:
    return [record["name"] for record in running.client.get("/v1/media", params={"limit": 200}).json()["items"]]


def test_views_are_made_once_and_sent_with_ranges(running: RunningSuite):
    before = names(running)
    proxy = fetched(running, f"/v1/media/{CLIP}/proxy")
    assert (proxy.status_code, proxy.headers["content-type"]) == (200, "video/mp4")
    again = {"If-None-Match": proxy.headers["etag"]}
    assert running.client.get(f"/v1/media/{CLIP}/proxy", headers=again).status_code == 304
    part = running.client.get(f"/v1/media/{CLIP}/proxy", headers={"Range": "bytes=4-7"})
    assert (part.status_code, part.content) == (206, b"ftyp")
    frames = running.client.get(f"/v1/media/{CLIP}/proxy/frames").json()
    assert (frames["frame_rate"], frames["frames"], frames["numbers"], frames["times_s"]) == ("30/1", 180, None, None)
    strip, times = fetched(running, f"/v1/media/{CLIP}/strip"), running.client.get(f"/v1/media/{CLIP}/strip/times").json()
    assert (strip.headers["content-type"], len(times["times_s"]), times["columns"]) == ("image/jpeg", 60, 10)
    peaks = fetched(running, f"/v1/media/{CLIP}/peaks").json()
    assert (peaks["channels"], [len(channel) for channel in peaks["peaks"]]) == (2, [300, 300])
    silent = running.client.get(f"/v1/media/{MATTE}/peaks")
    assert (silent.status_code, silent.json()["channels"], silent.json()["peaks"]) == (200, 0, [])
    assert names(running) == before
    listed = running.client.get("/v1/jobs", params={"limit": 500}).json()["items"]
    assert all(job["listed"] for job in listed)

    frame, last = (running.client.get(f"/v1/media/{CLIP}/frame", params={"n": n}) for n in (12, 180))
    assert frame.content.startswith(b"\x89PNG")
    assert (last.status_code, last.json()["errors"][0]["field"]) == (422, "n")
    assert "the last one is 179" in last.json()["detail"]
    picture = running.client.get(f"/v1/media/{PICTURE}/proxy")
    assert (picture.status_code, running.client.get(f"/v1/media/{PICTURE}/frame").status_code) == (404, 200)
    assert running.client.get("/v1/media/01j8zq3v4x5k6m7n8p9q0r1s2t/proxy").status_code == 404


def test_views_are_deleted_with_their_medium(running: RunningSuite, clip):
    medium = running.upload(clip)["id"]
    proxy = fetched(running, f"/v1/media/{medium}/proxy")
    assert proxy.status_code == 200
    assert running.client.delete(f"/v1/media/{medium}").status_code == 204
    assert running.client.get(f"/v1/media/{medium}/proxy").status_code == 404


def test_a_preview_runs_on_the_proxy_for_a_few_seconds(running: RunningSuite):
    fetched(running, f"/v1/media/{CLIP}/proxy")
    before = names(running)
    body = {"inputs": {"video": CLIP}, "params": {"height": 90}, "preview": True, "preview_at_s": 5.8, "preview_s": 1, "cache": False}
    url, wait = "/v1/media/transcode/jobs", {"Prefer": "wait=60"}
    job = running.client.post(url, json=body, headers=wait).json()
    assert job["status"] == "succeeded", job["error"]
    assert job["preview"] == {"at_s": 5.8, "seconds": 1.0, "slot": "", "start_s": 5.0, "end_s": 6.0}
    assert (job["params"]["start"], job["params"]["duration"]) == (0, None)
    video = job["outputs"]["video"]
    assert (video["listed"], video["media"]["duration_s"], video["media"]["height"]) == (False, 1.0, 90)
    assert datetime.fromisoformat(video["expires_at"]) - datetime.fromisoformat(job["created_at"]) < timedelta(hours=2)
    assert names(running) == before
    assert job["id"] not in {listed["id"] for listed in running.client.get("/v1/jobs", params={"limit": 500}).json()["items"]}
    body = {"inputs": {"video": CLIP, "alpha": "auto"}, "preview": True, "preview_s": 0.5}
    failed = running.client.post("/v1/background/composite/jobs", json=body, headers=wait).json()
    assert (failed["operation"], failed["status"]) == ("background.composite", "failed")
    assert "reelwright models pull" in failed["error"]["detail"], "the matte that it needs has no model"


def test_a_new_preview_cancels_the_older_one_of_its_slot(running: RunningSuite):
    fetched(running, f"/v1/media/{CLIP}/proxy")

    def start(layers: int, slot: str) -> str:
        body = {"inputs": {"video": CLIP}, "params": {"layers": layers}, "preview": True, "preview_slot": slot, "preview_s": 0.5}
        return running.client.post("/v1/effects/motion-trails/jobs", json=body | {"cache": False}).json()["id"]

    older, other, newer = start(2, "a"), start(3, "b"), start(4, "a")
    assert [running.wait(job_id)["status"] for job_id in (older, other, newer)] == ["canceled", "succeeded", "succeeded"]


def test_a_medium_is_found_by_the_hash_of_its_content(running: RunningSuite, picture):
    medium = running.upload(picture)
    url = f"/v1/media/by-hash/{hashlib.sha256(picture.read_bytes()).hexdigest()}"
    assert running.client.get(url).json()["id"] == medium["id"]
    assert running.client.head(url).status_code == 200
    renamed = running.client.patch(f"/v1/media/{medium['id']}", json={"name": "../discs\n.png"})
    assert (renamed.status_code, running.client.get(url).json()["name"]) == (200, renamed.json()["name"])
    assert "/" not in renamed.json()["name"]
    assert running.client.patch(f"/v1/media/{CLIP}", json={"name": "mine.mp4"}).status_code == 409
    assert running.client.patch(f"/v1/media/{medium['id']}", json={"name": ""}).status_code == 422
    running.client.delete(f"/v1/media/{medium['id']}")
    assert running.client.get(url).status_code in (200, 404)
    assert running.client.get(f"/v1/media/by-hash/{'0' * 64}").status_code == 404
    assert running.client.get("/v1/media/by-hash/abc").status_code == 422
