"""Zip files of pictures as media."""

import zipfile
from io import BytesIO
from pathlib import Path

from PIL import Image

from shared.testing import RunningSuite


def pictures(path: Path) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, color in (("trip/müde katze.png", "red"), ("a.webp", "blue")):
            data = BytesIO()
            Image.new("RGB", (40, 30), color).save(data, name.rpartition(".")[2], **({"lossless": True} if "webp" in name else {}))
            archive.writestr(name, data.getvalue())
    return path


def test_pictures_are_listed_and_downloaded(running: RunningSuite, tmp_path: Path) -> None:
    record = running.upload(pictures(tmp_path / "trip.zip"))
    assert record["kind"] == "images"
    assert record["content_type"] == "application/zip"
    assert record["media"]["pictures"] == 2
    listed = running.client.get(record["urls"]["files"]).json()["items"]
    assert [(entry["name"], entry["content_type"]) for entry in listed] == [("a.webp", "image/webp"), ("trip/müde katze.png", "image/png")]
    for entry, color in zip(listed, [(0, 0, 255), (255, 0, 0)], strict=True):
        answer = running.client.get(entry["url"])
        assert answer.headers["content-type"] == entry["content_type"]
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert len(answer.content) == entry["bytes"]
        assert Image.open(BytesIO(answer.content)).convert("RGB").getpixel((5, 5)) == color
        for known in (answer.headers["etag"], f"W/{answer.headers['etag']}", f'"x", {answer.headers["etag"]}', "*"):
            assert running.client.get(entry["url"], headers={"If-None-Match": known}).status_code == 304
        head = running.client.head(entry["url"])
        assert (head.status_code, head.headers["content-length"]) == (200, str(entry["bytes"]))
        assert (head.headers["content-type"], head.content) == (entry["content_type"], b"")
    assert running.client.get(record["urls"]["thumbnail"]).headers["content-type"] == "image/jpeg"


def test_missing_pictures_get_a_404(running: RunningSuite, clip: Path, tmp_path: Path) -> None:
    record = running.upload(pictures(tmp_path / "trip.zip"))
    for name in ("nothing.png", "..%2f..%2frecord.json", "%2e%2e/record.json", "trip/", "a.webp%00"):
        answer = running.client.get(f"{record['urls']['files']}/{name}")
        assert answer.status_code == 404, name
        assert answer.headers["content-type"] == "application/problem+json"
    video = running.upload(clip)
    assert video["urls"]["files"] is None
    refused = running.client.get(f"/v1/media/{video['id']}/files")
    assert refused.status_code == 404
    assert "kind video" in refused.json()["detail"]
    assert running.client.get(f"/v1/media/{'7' * 26}/files").status_code == 404


def test_a_damaged_picture_is_reported(running: RunningSuite, tmp_path: Path) -> None:
    path = pictures(tmp_path / "trip.zip")
    noise = BytesIO()
    Image.effect_noise((400, 300), 60).save(noise, "PNG")
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("noise.png", noise.getvalue())
    data = bytearray(path.read_bytes())
    data[data.index(noise.getvalue()) + 50_000] ^= 0xFF
    path.write_bytes(data)
    record = running.upload(path)
    answer = running.client.get(f"{record['urls']['files']}/noise.png")
    assert answer.status_code == 422
    assert "'noise.png' is damaged" in answer.json()["detail"]
    assert running.client.get(f"{record['urls']['files']}/a.webp").status_code == 200


def test_a_picture_becomes_a_medium_once(running: RunningSuite, tmp_path: Path) -> None:
    record = running.upload(pictures(tmp_path / "trip.zip"))
    urls = {entry["name"]: entry["url"] for entry in running.client.get(record["urls"]["files"]).json()["items"]}
    answer = running.client.post(urls["trip/müde katze.png"])
    taken = answer.json()
    assert (answer.status_code, answer.headers["location"]) == (201, taken["urls"]["self"])
    assert (taken["name"], taken["kind"], taken["source"]) == ("müde katze.png", "image", record["source"])
    assert (taken["media"]["width"], taken["media"]["height"]) == (40, 30)
    assert running.client.get(taken["urls"]["content"]).content == running.client.get(urls["trip/müde katze.png"]).content
    again = running.client.post(urls["trip/müde katze.png"])
    assert (again.status_code, again.json()["id"]) == (200, taken["id"])
    assert running.client.post(f"{record['urls']['files']}/nothing.png").status_code == 404
    assert running.client.post(f"{taken['urls']['self']}/files/a.png").status_code == 404
