"""`aesthetics.best-frames` without weights: decoded outputs, compared with the sources."""

import csv
import io
import json
import zipfile

import cv2
import numpy as np
import pytest
from PIL import Image

from services.aesthetics.best_frames import BestFramesParams, best_frames
from shared.errors import BrokenMedia, Invalid, OperationFailed, UnsupportedMedia
from shared.video import read_frames
from tests.services.aesthetics.aesthetic_clips import RecordingProgress, scenery, write_video


def technical(**more):
    return BestFramesParams(**({"scorer": "technical", "diversity": 0} | more))


def pictures_in(path):
    with zipfile.ZipFile(path) as archive:
        return {name: np.asarray(Image.open(io.BytesIO(archive.read(name)))) for name in archive.namelist()}


def psnr(first, other):
    return 10 * np.log10(255**2 / np.mean((first.astype(float) - other) ** 2))


def test_the_sharp_frame_of_each_group_is_written_unchanged(ten_seconds, outputs):
    result = best_frames(technical(format="png"), video=ten_seconds, outputs=outputs)
    assert [item.timestamp_s for item in result.items] == [2, 8]
    written = pictures_in(outputs["images"])
    assert list(written) == [item.image for item in result.items] == ["ten-0002.000s.png", "ten-0008.000s.png"]
    for item, second in zip(result.items, (2, 8), strict=True):
        with read_frames(ten_seconds, start=second, prefetch=1) as frames:
            assert np.array_equal(written[item.image], next(frames).rgb())
        assert psnr(written[item.image], scenery(second)) > 25
    assert result.looked_at == 10
    assert result.items[0].considered == 5
    assert {item.group for item in result.items} == {0, 1}
    assert sorted(item.rank for item in result.items) == [1, 2]
    assert result.items[0].score == pytest.approx(result.items[0].technical.score, abs=1e-3)
    assert result.items[0].distribution is None
    assert "Best of 5 frames from 0:00.0 to 0:04.0" in result.items[0].reason
    assert "sharp" in result.items[0].reason


def test_scores_are_written_as_csv_and_json_and_chosen_pictures_on_a_sheet(ten_seconds, outputs):
    result = best_frames(technical(), video=ten_seconds, outputs=outputs)
    with zipfile.ZipFile(outputs["scores"]) as archive:
        rows = json.loads(archive.read("scores.json"))
        lines = list(csv.DictReader(io.StringIO(archive.read("scores.csv").decode())))
    assert len(rows) == len(lines) == 10
    assert [row["timestamp_s"] for row in rows] == list(range(10))
    assert [row["image"] for row in rows if row["image"]] == [item.image for item in result.items]
    assert [float(line["merit"]) for line in lines] == [row["merit"] for row in rows]
    best = max(rows[:5], key=lambda row: row["merit"])
    assert best["image"] == result.items[0].image
    assert best["merit"] == pytest.approx(result.items[0].merit, abs=1e-5)
    sheet = np.asarray(Image.open(outputs["sheet"]).convert("RGB"))
    shown = sheet[12 + 30 : 12 + 210, 12 : 12 + 320]
    assert psnr(cv2.resize(scenery(2), (320, 180)), shown) > 25


def test_each_video_has_its_own_groups_and_a_bad_one_does_not_stop_the_others(ten_seconds, tmp_path, outputs):
    short = write_video(tmp_path / "short.mp4", [scenery(40)] * 12)
    (tmp_path / "bad.mp4").write_bytes(b"\0" * 5000)
    progress = RecordingProgress()
    result = best_frames(technical(), video=[short, tmp_path / "bad.mp4", ten_seconds], outputs=outputs, progress=progress)
    assert [(item.source_index, item.group) for item in result.items] == [(0, 0), (2, 0), (2, 1)]
    assert [(source.processed, source.looked_at, source.chosen) for source in result.sources] == [
        (True, 2, 1),
        (False, 0, 0),
        (True, 10, 2),
    ]
    assert result.sources[1].error["status"] in (415, 422)
    assert "bad.mp4" in progress.warnings[0]
    assert progress.fractions == sorted(progress.fractions)
    assert progress.fractions[-1] == 1


def test_a_damaged_video_gives_the_frames_before_the_damage(ten_seconds, tmp_path, outputs):
    data = bytearray(ten_seconds.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 20000] = bytes(20000)
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(data)
    good = write_video(tmp_path / "good.mp4", [scenery(1)] * 10)
    result = best_frames(technical(), video=[broken, good], outputs=outputs)
    assert {item.source for item in result.items} >= {"good.mp4"}
    assert result.sources[1].processed


def test_the_error_is_raised_if_no_file_can_be_read(tmp_path, outputs):
    for name in ("a.mp4", "b.mp4"):
        (tmp_path / name).write_bytes(b"nothing")
    with pytest.raises((UnsupportedMedia, BrokenMedia)):
        best_frames(technical(), video=[tmp_path / "a.mp4"], outputs=outputs)
    with pytest.raises(OperationFailed, match="None of the 2 files"):
        best_frames(technical(), video=[tmp_path / "a.mp4", tmp_path / "b.mp4"], outputs=outputs)
    assert not any(path.exists() for path in outputs.values())
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.mp4", "b.mp4"]


def test_the_best_of_frames_that_look_the_same_is_kept(tmp_path, outputs):
    scene, other = scenery(1), scenery(2)
    soft = cv2.GaussianBlur(scene, (0, 0), 1.5)
    video = write_video(tmp_path / "static.mp4", [soft] * 20 + [scene] * 10 + [other] * 10 + [soft] * 10)
    params = technical(group_size=1, diversity=0.05)
    result = best_frames(params, video=video, outputs=outputs)
    assert [item.timestamp_s for item in result.items] == [2, 3]
    assert result.left_out == 3
    assert len(best_frames(technical(group_size=1), video=video, outputs=outputs).items) == 5


def test_one_frame_of_each_shot_is_chosen(ten_seconds, outputs):
    shots = [{"shots": [{"start_s": 0, "end_s": 3, "index": 0}, {"start_s": 3.0, "end_s": 4.0}, {"start_s": 7, "end_s": 10}]}]
    params = technical(group_by="shot", shots=shots)
    result = best_frames(params, video=ten_seconds, outputs=outputs)
    assert [item.timestamp_s for item in result.items] == [2, 3, 8]
    assert [item.considered for item in result.items] == [3, 1, 3]
    with pytest.raises(Invalid, match="for 1 videos, but 2 videos are given"):
        best_frames(params, video=[ten_seconds, ten_seconds], outputs=outputs)
    with pytest.raises(ValueError, match="`group_by` shot needs `shots`"):
        technical(group_by="shot")


def test_pictures_of_files_and_a_zip_file_are_grouped_in_their_order(tmp_path, outputs):
    scenes = [scenery(number) if number in (1, 4) else cv2.GaussianBlur(scenery(number), (0, 0), 2) for number in range(6)]
    files = [tmp_path / f"{number}.png" for number in range(6)]
    for scene, path in zip(scenes, files, strict=True):
        Image.fromarray(scene).save(path)
    with zipfile.ZipFile(tmp_path / "some.zip", "w") as archive:
        for path in files[3:]:
            archive.write(path, path.name)
    result = best_frames(technical(group_size=3, format="png"), images=[*files[:3], tmp_path / "some.zip"], outputs=outputs)
    assert [item.image for item in result.items] == ["1.png", "4.png"]
    assert [item.source for item in result.items] == ["1.png", "some.zip/4.png"]
    written = pictures_in(outputs["images"])
    assert np.array_equal(written["1.png"], scenes[1])
    assert np.array_equal(written["4.png"], scenes[4])
    assert [source.looked_at for source in result.sources] == [1, 1, 1, 3]


def test_a_group_of_nothing_but_black_gives_no_picture_and_a_warning(tmp_path, outputs):
    noise = np.random.default_rng(0)
    black = [np.clip(noise.normal(4, 2, (180, 320, 3)), 0, 20).astype(np.uint8) for _ in range(4)]
    seconds = [scenery(1), *black, *black, black[0], *[scenery(2)] * 5, *[black[1]] * 5]
    video = write_video(tmp_path / "fades.mp4", [frame for second in seconds for frame in [second] * 2], rate=2)
    progress = RecordingProgress()
    result = best_frames(technical(), video=video, outputs=outputs, progress=progress)
    assert [(item.group, item.timestamp_s) for item in result.items] == [(0, 0), (2, 12)]
    assert result.looked_at == 20
    (warning,) = progress.warnings
    assert warning == "fades.mp4: 2 groups show only black, so no picture was chosen there: 0:05.0 to 0:09.0, 0:15.0 to 0:19.0."
    with zipfile.ZipFile(outputs["scores"]) as archive:
        assert len(json.loads(archive.read("scores.json"))) == 20


def test_black_pictures_alone_give_scores_and_a_warning(tmp_path, outputs):
    files = []
    for name in ("a.png", "b.jpg"):
        files.append(tmp_path / name)
        Image.new("RGB", (64, 48)).save(files[-1])
    progress = RecordingProgress()
    result = best_frames(technical(), images=files, outputs=outputs, progress=progress)
    assert (result.items, result.looked_at) == ([], 2)
    assert progress.warnings == ["One group shows only black, so no picture was chosen there: a.png to b.jpg."]
    assert [name for name, path in outputs.items() if path.exists()] == ["scores"]


def test_similar_frames_give_one_picture_by_default(tmp_path, outputs):
    """Pan, zoom, brightness and passing objects do not make frames different."""
    frames = []
    for scene, factor in ((scenery(1, 480, 270), 1.0), (scenery(2, 480, 270), 0.25), (scenery(3, 480, 270), 0.25)):
        for step in range(5):
            view = scene[20 + step : 200 + step, 60 + 2 * step : 380 + 2 * step]
            view = cv2.resize(view[2 * step : 180 - 2 * step, 3 * step : 320 - 3 * step], (320, 180))
            passing = cv2.rectangle(view.copy(), (40 * step, 100), (40 * step + 20, 180), (60, 50, 40), -1)
            frames.append(np.clip(passing * factor * (1 + 0.05 * step), 0, 255).astype(np.uint8))
    video = write_video(tmp_path / "views.mp4", frames, rate=1)
    params = BestFramesParams(scorer="technical", group_size=1)
    result = best_frames(params, video=video, outputs=outputs)
    assert [int(item.timestamp_s // 5) for item in result.items] == [0, 1, 2]
    assert result.left_out == 12


def test_a_small_lead_is_described_as_about_equal(ten_seconds, outputs):
    result = best_frames(technical(group_size=2), video=ten_seconds, outputs=outputs)
    leads = {}
    with zipfile.ZipFile(outputs["scores"]) as archive:
        for row in json.loads(archive.read("scores.json")):
            leads.setdefault(row["group"], []).append(row["merit"])
    for item in result.items:
        lead = max(leads[item.group]) - min(leads[item.group])
        assert ("about equal to the next" in item.reason) == (lead < 0.05)
        assert ("ahead of the next" in item.reason) == (lead >= 0.05)
    assert any("about equal" in item.reason for item in result.items)
    assert any("ahead of" in item.reason for item in result.items)


def test_reasons_are_written_on_the_sheet(ten_seconds, outputs):
    best_frames(technical(), video=ten_seconds, outputs=outputs)
    sheet = np.asarray(Image.open(outputs["sheet"]).convert("L")).astype(int)
    below = sheet[12 + 240 + 44 :, 12 : 12 + 320]
    lines = (np.abs(below - below[0, -1]).max(axis=1) > 60).astype(int)
    assert (np.diff(lines) == 1).sum() >= 3, "at least three lines of text"


def test_part_and_sample_rate_select_the_frames(ten_seconds, outputs):
    result = best_frames(technical(start=2, duration=3, sample_rate=2), video=ten_seconds, outputs=outputs)
    assert result.looked_at == 6
    assert result.items[0].timestamp_s in (2, 2.5)
    with pytest.raises(Invalid, match="No frame begins in the part from 60 s on"):
        best_frames(technical(start=60), video=ten_seconds, outputs=outputs)
    assert best_frames(technical(sample_rate=240, duration=1), video=ten_seconds, outputs=outputs).looked_at == 10


def test_too_many_pictures_are_refused_before_decoding(ten_seconds, outputs, monkeypatch):
    monkeypatch.setattr("services.aesthetics.reading.sources.MAX_VIEWS", 5)
    with pytest.raises(Invalid, match="The job would examine about 10 pictures; the limit is 5"):
        best_frames(technical(), video=ten_seconds, outputs=outputs)


def test_cancelling_leaves_no_files(ten_seconds, tmp_path, outputs):
    class Stop(Exception): ...

    class Stopping(RecordingProgress):
        def __call__(self, done, total):
            super().__call__(done, total)
            if len(self.fractions) > 4:
                raise Stop

    with pytest.raises(Stop):
        best_frames(technical(), video=ten_seconds, outputs=outputs, progress=Stopping())
    assert list(tmp_path.iterdir()) == []
