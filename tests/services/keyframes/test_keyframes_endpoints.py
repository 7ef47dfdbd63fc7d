"""The endpoints of the Video Keyframe Extraction API, through the gateway."""

import subprocess
from io import BytesIO
from pathlib import Path

import imageio_ffmpeg
import pytest
from PIL import Image
from test_keyframes_gallery import Page

from shared.media.ids import new_id
from shared.testing import RunningSuite, suite

BASE = "/v1/keyframes"
KEYS = {name: {"X-API-Key": name * 24} for name in ("a", "b")}


@pytest.fixture(scope="module")
def cuts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write a clip of 2.4 s at 25 fps with two cuts.

    The colour is red, blue from frame 20 and green from frame 40.
    """
    path = tmp_path_factory.mktemp("cuts") / "three colours.mp4"
    colours = [f"color={name}:s=96x64:r=25:d=0.8[{name}]" for name in ("red", "blue", "green")]
    graph = ";".join([*colours, "[red][blue][green]concat=n=3"])
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-filter_complex", graph, "-pix_fmt", "yuv420p", str(path)]
    subprocess.run(command, check=True)
    return path


def upload(running: RunningSuite, path: Path, name: str) -> str:
    """Upload the file `path` under the name `name`; return the media id."""
    media_id: str = running.client.post("/v1/media", files={"file": (name, path.read_bytes())}).json()["id"]
    return media_id


def extract(running: RunningSuite, *files: tuple[str, bytes], **form: str):
    return running.client.post(f"{BASE}/extract_keyframes/", files=[("file", file) for file in files], data=form)


def test_a_video_gets_the_reply_of_the_replaced_program(running: RunningSuite, cuts: Path) -> None:
    answer = extract(running, (cuts.name, cuts.read_bytes()), threshold="20")
    assert answer.status_code == 200, answer.text
    reply = answer.json()
    assert (reply["video"], reply["keyframes_extracted"], len(reply["frames"])) == ("three colours.mp4", 3, 3)
    job = running.client.get(f"/v1/jobs/{reply['job_id']}").json()
    assert job["params"]["method"] == "difference"
    assert job["params"]["threshold"] == 20
    (report,) = job["result"]["videos"]
    assert [shot["start_frame"] for shot in report["shots"]] == [0, 20, 40]
    for frame, keyframe, strongest in zip(reply["frames"], report["keyframes"], (0, 2, 1), strict=True):
        hours, minutes, seconds = map(float, frame["timestamp"].split(":"))
        assert hours == minutes == 0
        assert seconds == pytest.approx(keyframe["timestamp_s"], abs=1e-6)
        assert frame["file"] == keyframe["file"]
        with Image.open(BytesIO(running.client.get(frame["url"]).content)) as picture:
            pixel = picture.convert("RGB").getpixel((48, 32))
        assert max(range(3), key=pixel.__getitem__) == strongest


def test_a_bad_file_in_a_batch_does_not_affect_the_others(running: RunningSuite, cuts: Path, clip: Path) -> None:
    answer = extract(running, (cuts.name, cuts.read_bytes()), ("bad.mp4", b"no video"), ("ball.mp4", clip.read_bytes()))
    assert answer.status_code == 200, answer.text
    first, bad, last = answer.json()
    assert (first["video"], first["keyframes_extracted"]) == ("three colours.mp4", 3)
    assert (bad["video"], bad["keyframes_extracted"], bad["frames"]) == ("bad.mp4", 0, [])
    assert "bad.mp4" in bad["error"]
    assert "error" not in first
    assert last["video"] == "ball.mp4"
    assert last["keyframes_extracted"] >= 1
    page = Page()
    page.feed(running.client.get(f"{BASE}/preview", params={"job": last["job_id"]}).text)
    assert [video["name"] for video in page.videos] == ["three colours.mp4", "ball.mp4"]


@pytest.mark.parametrize(
    ("files", "form", "status", "field"),
    [
        ([], {"threshold": "3"}, 422, "file"),
        ([("a.mp4", b"no video")], {}, 422, None),
        ([("a.mp4", b"no video"), ("b.mp4", b"")], {}, 422, None),
        ([("a.mp4", None)], {"threshold": "-1"}, 422, "threshold"),
        ([("a.mp4", None)], {"threshold": "much"}, 422, "threshold"),
        ([("a.mp4", None)], {"method": "auto"}, 422, "method"),
    ],
)
def test_form_errors_name_the_field(running: RunningSuite, cuts: Path, files, form, status, field) -> None:
    sent = [("file", (name, cuts.read_bytes() if data is None else data)) for name, data in files]
    before = [record["id"] for record in running.client.get("/v1/media").json()["items"]]
    answer = running.client.post(f"{BASE}/extract_keyframes/", files=sent or {"threshold": (None, "3")}, data=form if sent else None)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    if field:
        assert answer.json()["errors"][0]["field"] == field
    assert [record["id"] for record in running.client.get("/v1/media").json()["items"]] == before


def test_the_preview_is_the_gallery_with_its_media(running: RunningSuite, cuts: Path) -> None:
    media_id, other_id = (upload(running, cuts, name) for name in ("<b>&.mp4", "other.mp4"))
    body = {"inputs": {"video": [media_id, other_id]}, "params": {"method": "difference"}}
    job = running.wait(running.client.post(f"{BASE}/detect/jobs", json=body).json()["id"])
    assert job["status"] == "succeeded", job
    for query in ({"job": job["id"]}, {}):
        answer = running.client.get(f"{BASE}/preview", params=query)
        assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
        assert answer.headers["content-security-policy"] == "sandbox allow-scripts allow-downloads"
        page = Page()
        page.feed(answer.text)
        assert page.meta["reelwright-media"] == f"{media_id} {other_id}"
        assert page.videos[0]["name"] == "<b>&.mp4"
        assert len(page.videos[0]["shots"]) == 3
    alone = running.client.get(job["outputs"]["gallery"]["urls"]["content"])
    assert alone.headers["content-security-policy"] == "sandbox allow-scripts allow-downloads"
    assert alone.text == answer.text.replace(f'content="{media_id} {other_id}"', 'content=""')


def test_jobs_without_a_gallery_are_not_found(running: RunningSuite, cuts: Path) -> None:
    other = running.client.post("/v1/speed-ramp/analyze/jobs", json={"inputs": {"video": upload(running, cuts, "a.mp4")}}).json()
    for job_id in (new_id(), "../..", other["id"]):
        answer = running.client.get(f"{BASE}/preview", params={"job": job_id})
        assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")


def test_only_the_owner_sees_the_preview(tmp_path: Path, cuts: Path) -> None:
    with suite(tmp_path, API_KEYS=",".join(headers["X-API-Key"] for headers in KEYS.values())) as keyed:
        reply = keyed.client.post(f"{BASE}/extract_keyframes/", files={"file": (cuts.name, cuts.read_bytes())}, headers=KEYS["a"]).json()
        request = {"job": reply["job_id"]}
        assert keyed.client.get(f"{BASE}/preview", params=request).status_code == 401
        assert keyed.client.get(f"{BASE}/preview", params=request, headers=KEYS["b"]).status_code == 404
        assert len(keyed.client.get(f"{BASE}/preview", params=request, headers=KEYS["a"]).text) > 20_000
        nothing = keyed.client.get(f"{BASE}/preview", headers=KEYS["b"])
        assert nothing.status_code == 200
        assert "No keyframes yet" in nothing.text


def test_an_audio_file_is_refused(running: RunningSuite, tmp_path: Path) -> None:
    sound = tmp_path / "song.m4a"
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-f", "lavfi", "-i", "sine=frequency=440:duration=1", str(sound)]
    subprocess.run(command, check=True)
    for answer in (
        running.client.post("/v1/media", files={"file": (sound.name, sound.read_bytes())}),
        extract(running, (sound.name, sound.read_bytes())),
    ):
        assert answer.status_code == 415, answer.text
        assert "contains sound but no picture" in answer.json()["detail"], answer.text
