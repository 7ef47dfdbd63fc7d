"""The aesthetics service through the gateway, and PerfectFrameAI's endpoints."""

import io
import os
import shutil
import time
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from services.aesthetics.folders.extractions import Extraction, FolderFile
from services.aesthetics.folders.folder_files import check_permissions, mark
from shared.errors import Invalid
from shared.testing import RunningSuite, suite
from tests.services.aesthetics.aesthetic_clips import scenery, write_video

BASE = "/v1/aesthetics"


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make the data folder of the suite `rating`."""
    return tmp_path_factory.mktemp("rating")


@pytest.fixture(scope="module")
def rating(models: Path, data: Path) -> Iterator[RunningSuite]:
    """Start a suite in which NIMA on MobileNet is installed."""
    with suite(data, MODELS_DIR=str(models)) as started:
        yield started


@pytest.fixture(scope="module")
def shared(data: Path) -> Path:
    """Return the shared folder that holds the extractors' folders."""
    folder = data / "aesthetics" / "public"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def over(suite: RunningSuite, job_id: str) -> dict:
    """Wait until the pictures of an extraction are in their folder.

    Returns its job.
    """
    job = suite.wait(job_id)
    for _ in range(200):
        if job_id not in [entry["job_id"] for entry in suite.client.get(f"{BASE}/status").json()["running"]]:
            return job
        time.sleep(0.05)
    raise AssertionError(f"{job_id} was not delivered")


def test_without_weights_a_job_is_refused_with_the_command_to_run(running: RunningSuite, ten_seconds):
    video = running.upload(ten_seconds)["id"]
    answer = running.client.post(f"{BASE}/best-frames/jobs", json={"inputs": {"video": video}})
    assert answer.status_code == 503
    assert answer.headers["content-type"] == "application/problem+json"
    assert "reelwright models pull nima-inception-resnet-v2" in answer.json()["detail"]
    operations = {operation["name"]: operation for operation in running.client.get(f"{BASE}/operations").json()}
    assert operations["aesthetics.best-frames"]["available"]  # its example asks for no network


def test_a_job_uses_the_network_and_its_pictures_can_be_fetched_one_by_one(rating: RunningSuite, ten_seconds):
    video = rating.upload(ten_seconds)["id"]
    job = rating.start("aesthetics.best-frames", {"video": [video]}, {"model": "mobilenet-aesthetic", "diversity": 0})
    job = rating.wait(job["id"])
    assert job["status"] == "succeeded", job["error"]
    assert set(job["outputs"]) == {"images", "scores", "sheet"}
    assert job["result"]["model"]["name"] == "nima-mobilenet-aesthetic"
    assert job["result"]["model"]["commercial_use"]
    assert len(job["result"]["items"]) == 2
    item = job["result"]["items"][0]
    assert item["score"] == pytest.approx(sum(share * rated for rated, share in enumerate(item["distribution"], 1)), abs=0.001)
    picture = rating.client.get(f"/v1/media/{job['outputs']['images']['id']}/files/{item['image']}")
    assert Image.open(io.BytesIO(picture.content)).size == (320, 180)


@pytest.mark.parametrize(
    ("params", "field"),
    [
        ({"sample_rate": 0}, "params.sample_rate"),
        ({"group_size": 0}, "params.group_size"),
        ({"format": "bmp"}, "params.format"),
        ({"scorer": "taste"}, "params.scorer"),
        ({"batch_size": 10**9}, "params.batch_size"),
        ({"shots": [{"shots": [{"start_s": -1, "end_s": 2}]}]}, "params.shots.0.shots.0.start_s"),
    ],
)
def test_bad_params_are_named(running: RunningSuite, params, field):
    answer = running.client.post(
        f"{BASE}/best-frames/check", json={"inputs": {"video": "0" * 26}, "params": {"scorer": "technical"} | params}
    )
    assert answer.status_code == 422
    assert field in [error["field"] for error in answer.json()["errors"]]


def test_one_input_of_the_right_kind_is_required(running: RunningSuite, ten_seconds):
    nothing = running.client.post(f"{BASE}/top-images/check", json={"inputs": {}, "params": {"scorer": "technical"}})
    assert nothing.status_code == 422
    video = running.upload(ten_seconds)["id"]
    wrong = running.client.post(f"{BASE}/top-images/check", json={"inputs": {"images": video}, "params": {"scorer": "technical"}})
    assert wrong.status_code == 422
    assert "is of kind video; this input takes image or images" in wrong.json()["detail"]


def test_a_pipeline_finds_the_best_frame_of_each_shot(rating: RunningSuite, tmp_path):
    path = write_video(tmp_path / "cuts.mp4", [scenery(50)] * 15 + [scenery(51)] * 15 + [scenery(52)] * 10)
    video = rating.upload(path)["id"]
    (preset,) = [entry for entry in rating.client.get("/v1/pipelines/presets").json() if entry["name"] == "best-frame-of-each-shot"]
    for step in preset["steps"]:
        step["inputs"]["video"] = video
    preset["steps"][1]["params"] |= {"scorer": "technical"}
    assert rating.client.post("/v1/pipelines/check", json={"steps": preset["steps"]}).status_code == 200
    job = rating.client.post("/v1/pipelines/jobs", json={"steps": preset["steps"]}, headers={"Prefer": "wait=60"}).json()
    assert job["status"] == "succeeded", job["error"]
    detected, best = (step["result"] for step in job["result"]["steps"])
    shots = detected["videos"][0]["shots"]
    assert len(shots) == len(best["items"]) == 3
    for shot, item in zip(shots, best["items"], strict=True):
        assert shot["start_s"] <= item["timestamp_s"] < shot["end_s"]


def test_an_extraction_delivers_pictures_and_marks_videos(rating: RunningSuite, shared, ten_seconds):
    folder = shared / "input_directory"
    folder.mkdir()
    shutil.copy(ten_seconds, folder / "one.mp4")
    shutil.copy(ten_seconds, folder / "two.mp4")
    (folder / "bad.mp4").write_bytes(b"no video")
    (folder / "notes.txt").write_text("not taken")
    answer = rating.client.post(f"{BASE}/extractors/best_frames_extractor", json={"model": "mobilenet-aesthetic", "weights_repo_url": "x"})
    assert answer.status_code == 200, answer.text
    started = answer.json()
    assert started["message"] == "'best_frames_extractor' started."
    assert started["files"] == ["one.mp4", "two.mp4"]
    assert list(started["refused"]) == ["bad.mp4"]
    job = over(rating, started["job_id"])
    assert job["status"] == "succeeded", job["error"]
    assert sorted(path.name for path in folder.iterdir()) == [
        "bad.mp4",
        "frames_extracted_one.mp4",
        "frames_extracted_two.mp4",
        "notes.txt",
    ]
    delivered = {path.name for path in (shared / "output_directory").iterdir()}
    assert delivered == {item["image"] for item in job["result"]["items"]}
    assert len(delivered) == 4
    again = rating.client.post(f"{BASE}/extractors/best_frames_extractor", json={"model": "mobilenet-aesthetic"}).json()
    assert again["job_id"] is None
    assert list(again["refused"]) == ["bad.mp4"]


@pytest.mark.parametrize("base", ["", BASE])
def test_the_paths_of_version_2_answer_at_the_gateway_and_below_the_service(rating: RunningSuite, shared, ten_seconds, base):
    # Requests, responses and files are those of PerfectFrameAI's own tests.
    name = "second" if base else "first"
    (shared / name).mkdir()
    shutil.copy(ten_seconds, shared / name / "test_video.mp4")
    config = {"input_directory": str(shared / name), "output_directory": f"/app/{name}/frames", "all_frames": True}
    answer = rating.client.post(f"{base}/v2/extractors/best_frames_extractor", json=config | {"comparing_group_size": 3})
    assert answer.status_code == 200, answer.text
    assert answer.json()["message"] == "'best_frames_extractor' started."
    deadline = time.monotonic() + 100
    while rating.client.get(f"{base}/v2/status").json()["active_extractor"] is not None and time.monotonic() < deadline:
        time.sleep(0.05)
    assert (shared / name / "frames_extracted_test_video.mp4").is_file()
    written = sorted(path.name for path in (shared / name / "frames").iterdir())
    assert len(written) == 10
    assert all(picture.startswith("image_test_video-") and picture.endswith(".jpg") for picture in written)
    if not base:
        top = {"input_directory": f"{name}/frames", "output_directory": f"{name}/top", "scorer": "technical"}
        assert rating.client.post("/v2/extractors/top_images_extractor", json=top).status_code == 200
        assert rating.client.post("/v2/extractors/other_extractor", json={}).status_code == 404
        assert rating.client.get("/v2/jobs").status_code == 404
        while rating.client.get("/v2/status").json()["active_extractor"] is not None and time.monotonic() < deadline:
            time.sleep(0.05)
        assert next(path.name for path in (shared / name / "top").iterdir()).startswith("image_test_video-")


def test_all_frames_needs_no_network_and_two_extractions_run_at_once(rating: RunningSuite, shared, ten_seconds):
    for name in ("left", "right"):
        (shared / name).mkdir()
        shutil.copy(ten_seconds, shared / name / f"{name}.mp4")
    jobs = []
    for name in ("left", "right"):
        config = {"input_directory": f"/app/{name}", "output_directory": f"{name}/frames", "all_frames": True}
        answer = rating.client.post(f"{BASE}/extractors/best_frames_extractor", json=config)
        assert answer.status_code == 200, answer.text
        jobs.append(answer.json()["job_id"])
    for name, job_id in zip(("left", "right"), jobs, strict=True):
        assert over(rating, job_id)["operation"] == "aesthetics.extract-frames"
        assert len(list((shared / name / "frames").glob("*.jpg"))) == 10
    assert rating.client.get(f"{BASE}/status").json() == {"active_extractor": None, "running": []}


def test_the_top_images_of_a_folder_are_written(rating: RunningSuite, shared):
    (shared / "photos").mkdir()
    for number in range(10):
        Image.fromarray(scenery(number, 64 + number, 48)).save(shared / "photos" / f"{number}.png")
    config = {"input_directory": "photos", "output_directory": "top", "percent": 75, "scorer": "technical", "images_output_format": ".png"}
    started = rating.client.post(f"{BASE}/extractors/top_images_extractor", json=config).json()
    job = over(rating, started["job_id"])
    assert len(job["result"]["items"]) == 3
    for item in job["result"]["items"]:
        written = np.asarray(Image.open(shared / "top" / item["image"]))
        assert np.array_equal(written, scenery(int(item["source"][0]), 64 + int(item["source"][0]), 48))
    assert len(list((shared / "photos").iterdir())) == 10


@pytest.mark.parametrize("folder", ["../secrets", "/etc", "input/../../x", ".extractions", "link", "link/below", "a\x00b", "é" * 200, ""])
def test_folders_outside_the_shared_folder_are_refused(rating: RunningSuite, shared, tmp_path, folder):
    if not (shared / "link").is_symlink():
        (shared / "link").symlink_to(tmp_path)
    for field in ("input_directory", "output_directory"):
        answer = rating.client.post(f"{BASE}/extractors/best_frames_extractor", json={"all_frames": True, field: folder})
        assert answer.status_code == 422, (field, answer.text)


def test_a_link_in_the_folder_is_not_followed(rating: RunningSuite, shared, ten_seconds):
    (shared / "links").mkdir()
    (shared / "links" / "outside.mp4").symlink_to(ten_seconds)
    answer = rating.client.post(f"{BASE}/extractors/best_frames_extractor", json={"all_frames": True, "input_directory": "links"})
    assert answer.status_code == 422
    assert "There is no file" in answer.json()["detail"]


@pytest.mark.slow
def test_an_extraction_is_finished_after_a_restart(tmp_path, ten_seconds):
    folder = tmp_path / "data" / "aesthetics" / "public" / "input_directory"
    folder.mkdir(parents=True)
    shutil.copy(ten_seconds, folder / "one.mp4")
    config = {"all_frames": True}
    with suite(tmp_path / "data") as first:
        job_id = first.client.post(f"{BASE}/extractors/best_frames_extractor", json=config).json()["job_id"]
    with suite(tmp_path / "data") as second:
        assert over(second, job_id)["status"] == "succeeded"
    assert (folder / "frames_extracted_one.mp4").exists()
    assert len(list((folder.parent / "output_directory").glob("*.jpg"))) == 10


@pytest.mark.usefixtures("data")
def test_an_extraction_of_an_ended_process_is_finished_by_another(rating: RunningSuite, shared, ten_seconds):
    # An ended process leaves the record of its extraction: its container was removed, or the database was unreachable when the job ended.
    (shared / "left-over").mkdir()
    shutil.copy(ten_seconds, shared / "left-over" / "one.mp4")
    job = rating.start("aesthetics.extract-frames", {"video": [rating.upload(ten_seconds)["id"]]}, {})
    assert rating.wait(job["id"])["status"] == "succeeded"
    extraction = Extraction(
        extractor="best_frames_extractor",
        job_id=job["id"],
        owner="public",
        input_directory=shared / "left-over",
        output_directory=shared / "left-over" / "frames",
        prefix="done_",
        files=[FolderFile(name="one.mp4", media_id=job["inputs"]["video"][0])],
    )
    (shared / ".extractions").mkdir(exist_ok=True)
    (shared / ".extractions" / f"{job['id']}.part").write_text(extraction.model_dump_json())
    (shared / ".extractions" / f"{job['id']}.part").rename(shared / ".extractions" / f"{job['id']}.json")
    over(rating, job["id"])
    assert len(list((shared / "left-over" / "frames").glob("*.jpg"))) == 10
    assert (shared / "left-over" / "done_one.mp4").exists()


def test_two_requests_on_one_folder_share_its_files(rating: RunningSuite, shared, ten_seconds):
    (shared / "both").mkdir()
    for number in range(4):
        shutil.copy(ten_seconds, shared / "both" / f"{number}.mp4")
    config = {"input_directory": "both", "output_directory": "both/frames", "all_frames": True}
    address = f"{BASE}/extractors/best_frames_extractor"
    with ThreadPoolExecutor(2) as threads:
        answers = [answer.json() for answer in threads.map(lambda _: rating.client.post(address, json=config), range(2))]
    assert sorted(name for answer in answers for name in answer["files"]) == ["0.mp4", "1.mp4", "2.mp4", "3.mp4"]
    for answer in answers:
        if answer["job_id"]:
            over(rating, answer["job_id"])
    assert len(list((shared / "both").glob("frames_extracted_*"))) == 4


def test_chosen_pictures_do_not_replace_the_originals(rating: RunningSuite, shared):
    (shared / "album").mkdir()
    Image.fromarray(scenery(1)).save(shared / "album" / "photo.jpg")
    before = (shared / "album" / "photo.jpg").read_bytes()
    config = {"input_directory": "album", "output_directory": "/app/album/", "scorer": "technical"}
    answer = rating.client.post(f"{BASE}/extractors/top_images_extractor", json=config)
    assert answer.status_code == 422
    assert "Choose another" in answer.json()["detail"]
    assert (shared / "album" / "photo.jpg").read_bytes() == before


def test_a_name_that_is_not_utf8_is_refused_without_stopping_the_others(rating: RunningSuite, shared, ten_seconds):
    (shared / "names").mkdir()
    shutil.copy(ten_seconds, os.fsencode(shared / "names") + b"/\xff.mp4")
    shutil.copy(ten_seconds, shared / "names" / "good.mp4")
    config = {"input_directory": "names", "output_directory": "named", "all_frames": True}
    answer = rating.client.post(f"{BASE}/extractors/best_frames_extractor", json=config)
    assert answer.status_code == 200, answer.text
    assert answer.json()["files"] == ["good.mp4"]
    assert answer.json()["refused"] == {"?.mp4": "The file name is not UTF-8: rename the file."}
    over(rating, answer.json()["job_id"])


def test_a_video_with_the_longest_possible_name_is_marked(tmp_path):
    names = ["é" * 125 + ".mp4", "é" * 124 + "e.mp4"]
    for name in names:
        (tmp_path / name).write_bytes(name.encode())
        assert mark(tmp_path / name).read_bytes() == name.encode()
    assert len(list(tmp_path.glob("frames_extracted_*.mp4"))) == 2 == len(list(tmp_path.iterdir()))


def test_a_folder_without_permissions_is_refused_before_any_work(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "access", lambda path, mode: path != tmp_path)  # as root, who runs tests in containers, may do everything
    with pytest.raises(Invalid, match="may not write"):
        check_permissions(tmp_path / "in", tmp_path / "out" / "deep")
    with pytest.raises(Invalid, match="may not read"):
        check_permissions(tmp_path, tmp_path)


def test_a_zip_file_of_pictures_is_accepted(running: RunningSuite, tmp_path):
    with zipfile.ZipFile(tmp_path / "photos.zip", "w") as archive:
        for number in range(4):
            data = io.BytesIO()
            Image.fromarray(scenery(number)).save(data, "PNG")
            archive.writestr(f"{number}.png", data.getvalue())
    record = running.upload(tmp_path / "photos.zip")
    assert record["kind"] == "images"
    job = running.wait(running.start("aesthetics.top-images", {"images": record["id"]}, {"scorer": "technical", "percent": 50})["id"])
    assert job["status"] == "succeeded", job["error"]
    assert len(job["result"]["items"]) == 2
    assert job["result"]["sources"][0]["looked_at"] == 4
    assert job["result"]["threshold"] <= min(item["merit"] for item in job["result"]["items"]) + 1e-6
