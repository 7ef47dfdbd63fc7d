"""Selection of keyframes, and the files written for them."""

import io
import json
import os
import shutil
import zipfile
from fractions import Fraction
from itertools import pairwise

import cv2
import numpy as np
import pytest
from PIL import Image

from services.keyframes.analysis import seek
from services.keyframes.analysis.comparison.content_change import content_planes
from services.keyframes.analysis.scan import Scan
from services.keyframes.analysis.thumbnail_film import film_of
from services.keyframes.detect import DetectParams, detect
from services.keyframes.detectors.transition import Transition
from services.keyframes.selection import similar_frames
from services.keyframes.selection.choice import choose_keyframes
from services.keyframes.selection.shots import shots_between
from shared.errors import BrokenMedia, OperationFailed, UnsupportedMedia
from tests.services.keyframes.shot_clips import cut_together, scene, write, write_with_keys


@pytest.fixture
def outputs(tmp_path):
    return {"gallery": tmp_path / "gallery.html", "keyframes": tmp_path / "keyframes.zip", "files": tmp_path / "files.zip"}


def picture(outputs, name: str, output: str = "keyframes") -> Image.Image:
    with zipfile.ZipFile(outputs[output]) as archive:
        return Image.open(io.BytesIO(archive.read(name)))


def test_the_sharpest_frame_is_chosen(outputs, tmp_path):
    still = scene(1, speed=0)
    frames = [next(still) for _ in range(40)]
    frames = [frame if 24 <= index < 28 else cv2.GaussianBlur(frame, (0, 0), 6) for index, frame in enumerate(frames)]
    (report,) = detect(DetectParams(), video=write(tmp_path / "clip.mp4", frames), outputs=outputs).videos
    (keyframe,) = report.keyframes
    assert 24 <= keyframe.frame < 28
    assert keyframe.timestamp_s == pytest.approx(keyframe.frame / 25)
    assert keyframe.sharpness > 0.9
    assert "among the sharpest of its shot" in keyframe.reasons


def test_the_one_soon_after_a_keyframe_of_the_video_is_chosen_of_equally_good_frames(outputs, tmp_path):
    still = scene(1, speed=0)
    path = write_with_keys(tmp_path / "clip.mp4", [next(still) for _ in range(60)], 30)
    (report,) = detect(DetectParams(), video=path, outputs=outputs).videos
    (keyframe,) = report.keyframes
    assert keyframe.frame % 30 <= 5


def test_an_image_shows_its_frame_in_full_size_and_true_colours(outputs, tmp_path):
    frames, _ = cut_together([(30, "cut", 0), (30, None, 0)])
    path = write(tmp_path / "clip.mp4", frames, quality=95)
    (report,) = detect(DetectParams(format="png"), video=path, outputs=outputs).videos
    for keyframe in report.keyframes:
        shown = np.asarray(picture(outputs, keyframe.file)).astype(int)
        differences = [np.abs(shown - frame.astype(int)).mean() for frame in frames]
        assert int(np.argmin(differences)) == keyframe.frame
        assert np.abs(shown.mean(axis=(0, 1)) - frames[keyframe.frame].mean(axis=(0, 1))).max() < 2
        assert picture(outputs, keyframe.thumbnail, "files").size == (320, 180)


@pytest.mark.parametrize(("format", "magic"), [("jpeg", "JPEG"), ("png", "PNG"), ("webp", "WEBP")])
def test_images_have_the_chosen_format(format, magic, clip, outputs):
    params = DetectParams(format=format, thumbnail_width=100)
    (report,) = detect(params, video=clip, outputs=outputs).videos
    assert {picture(outputs, keyframe.file).format for keyframe in report.keyframes} == {magic}
    assert {picture(outputs, keyframe.thumbnail, "files").size for keyframe in report.keyframes} == {(100, 56)}


def test_deduplicate_keeps_one_keyframe_of_a_repeated_shot(outputs, tmp_path):
    first, second = scene(1, speed=0.3), scene(2, speed=0.3)
    frames = [next(source) for source in (first, second, first, second, first) for _ in range(25)]
    path = write(tmp_path / "clip.mp4", frames)
    assert len(detect(DetectParams(), video=path, outputs=outputs).videos[0].keyframes) == 5
    keyframes = detect(DetectParams(deduplicate=True), video=path, outputs=outputs).videos[0].keyframes
    assert sorted(sorted({keyframe.shot, *keyframe.like}) for keyframe in keyframes) == [[0, 2, 4], [1, 3]]


def test_min_gap_and_max_keyframes_limit_the_choice(outputs, tmp_path):
    frames, _ = cut_together([(20, "cut", 0)] * 6 + [(20, None, 0)])
    path = write(tmp_path / "clip.mp4", frames)
    spaced = detect(DetectParams(min_gap=1.0), video=path, outputs=outputs).videos[0].keyframes
    assert len(spaced) >= 3
    assert all(b.timestamp_s - a.timestamp_s >= 1 - 1e-6 for a, b in pairwise(spaced))
    every = detect(DetectParams(), video=path, outputs=outputs).videos[0].keyframes
    few = detect(DetectParams(max_keyframes=3), video=path, outputs=outputs).videos[0].keyframes
    assert sorted(keyframe.score for keyframe in few) == sorted(keyframe.score for keyframe in every)[-3:]


def noise(frames: int) -> Scan:
    """Make a Scan of noise frames, with similar layouts but different values."""
    rng = np.random.default_rng(1)

    def values():
        return rng.random(frames).astype(np.float32)

    return Scan(
        pts=np.arange(frames),
        time_base=Fraction(1, 25),
        end=Fraction(frames, 25),
        pixel_change=values(),
        content_change=values(),
        histogram_change=values(),
        sharpness=values(),
        exposure=values(),
        layout=rng.integers(120, 134, (frames, 48), np.uint8),
        film=film_of(rng.integers(0, 256, (frames, 3, 18, 32), np.uint8)),
    )


def test_min_gap_skips_no_shot_with_a_frame_far_enough_away():
    scan = noise(600)
    shots = shots_between([Transition(at, at) for at in range(6, 600, 6)], scan.times, 24.0)
    numbers = [keyframe.frame for keyframe in choose_keyframes(scan, shots, max_keyframes=200, min_gap=0.4)]
    assert all(b - a >= 10 for a, b in pairwise(numbers))
    # The two frames next to a cut are never chosen, so only the third and fourth of six are left.
    free = [
        shot for shot in shots if all(abs(at - frame) >= 10 for at in range(shot.start_frame + 2, shot.end_frame - 2) for frame in numbers)
    ]
    assert len(numbers) > 40
    assert free == []


def test_grouping_compares_each_frame_with_few_groups(monkeypatch):
    scan, compared = noise(120), []
    frame_distance = similar_frames.frame_distance
    monkeypatch.setattr(similar_frames, "frame_distance", lambda a, b: compared.append(1) or frame_distance(a, b))
    groups = similar_frames.group_similar(scan.film, scan.layout, range(120), max_groups=200)
    assert groups == [[place] for place in range(120)]
    assert len(compared) <= 20 * 120
    assert similar_frames.group_similar(scan.film, scan.layout, range(120), max_groups=7) == groups[:7]


@pytest.mark.parametrize("distance", [1000, 10])
def test_frames_read_together_are_those_read_alone(distance, tmp_path):
    times, moving = [Fraction(at, 25) for at in (3, 15, 27, 39)], scene(3)
    path = write_with_keys(tmp_path / "clip.mp4", [next(moving) for _ in range(45)], distance)
    alone = [next(seek.frames_at(path, [time])).rgb() for time in times]
    together = [frame.rgb() for frame in seek.frames_at(path, times)]
    assert all(np.array_equal(a, b) for a, b in zip(alone, together, strict=True))
    assert len({picture.tobytes() for picture in together}) == 4


def test_a_bad_file_does_not_fail_the_batch(clip, outputs, tmp_path):
    bad = tmp_path / "bad.mp4"
    bad.write_bytes(clip.read_bytes()[:4000])
    reports = detect(DetectParams(), video=[clip, bad, clip], outputs=outputs).videos
    assert [report.error is None for report in reports] == [True, False, True]
    assert reports[1].error["status"] == 422
    assert "bad.mp4" in reports[1].error["detail"]
    with zipfile.ZipFile(outputs["keyframes"]) as archive:
        assert archive.namelist() == [keyframe.file for report in reports for keyframe in report.keyframes]
    with pytest.raises(OperationFailed, match="None of the 2 videos"):
        detect(DetectParams(), video=[bad, bad], outputs=outputs)
    with pytest.raises(BrokenMedia):
        detect(DetectParams(), video=bad, outputs=outputs)


def test_a_file_name_that_is_not_unicode_works(clip, outputs, tmp_path):
    # Archives from other systems leave such names: "caf\xe9.mp4" in Latin-1.
    odd = tmp_path / os.fsdecode(b"caf\xe9.mp4")
    try:
        shutil.copy(clip, odd)
    except OSError:
        pytest.skip("this file system accepts only Unicode names")
    (report,) = detect(DetectParams(), video=odd, outputs=outputs).videos
    assert report.name == "caf?.mp4"
    assert "caf-0001.jpg" in [keyframe.file for keyframe in report.keyframes]
    assert "caf?.mp4" in outputs["gallery"].read_text(encoding="utf-8")


def test_a_name_in_any_script_names_the_files(clip, outputs, tmp_path):
    named = tmp_path / "เพลง रात, part 1.mp4"
    shutil.copy(clip, named)
    (report,) = detect(DetectParams(), video=named, outputs=outputs).videos
    assert report.keyframes[0].file == "เพลง-रात-part-1-0001.jpg"


def test_a_video_that_breaks_half_way_gives_the_first_half(clip, outputs, tmp_path):
    data = clip.read_bytes()
    moov_first = tmp_path / "broken.mp4"
    moov_first.write_bytes(data[: len(data) // 2] + bytes(len(data) - len(data) // 2))
    reports = detect(DetectParams(), video=[clip, moov_first], outputs=outputs).videos
    assert reports[1].error is None
    assert 1 < reports[1].duration_s < reports[0].duration_s
    with zipfile.ZipFile(outputs["keyframes"]) as archive:
        assert any("broken" in name for name in archive.namelist())


def test_a_still_image_is_refused(outputs, tmp_path):
    still = tmp_path / "still.png"
    Image.new("RGB", (64, 64)).save(still)
    with pytest.raises(UnsupportedMedia, match="still image"):
        detect(DetectParams(), video=still, outputs=outputs)


def test_scores_of_every_frame_and_method_are_in_the_archive(clip, outputs):
    detect(DetectParams(), video=clip, outputs=outputs)
    with zipfile.ZipFile(outputs["files"]) as archive:
        assert list(json.loads(archive.read("ball/scores.json"))["values"]) == ["auto"]
    (report,) = detect(DetectParams(all_scores=True), video=clip, outputs=outputs).videos
    with zipfile.ZipFile(outputs["files"]) as archive:
        scores = json.loads(archive.read("ball/scores.json"))
    assert scores["frames"] == list(range(180))
    assert {"auto", "content", "adaptive", "histogram", "difference", "fades"} <= set(scores["values"])
    assert all(len(values) == 180 for values in scores["values"].values())
    assert report.scores.values["auto"] == pytest.approx(scores["values"]["auto"], abs=1e-3)


def test_changes_that_auto_does_not_use_are_measured_for_their_scores_only(clip, outputs, monkeypatch):
    measured = []

    def counted(small):
        measured.append(small)
        return content_planes(small)

    monkeypatch.setattr("services.keyframes.analysis.frame_measures.content_planes", counted)
    detect(DetectParams(), video=clip, outputs=outputs)
    assert not measured
    detect(DetectParams(all_scores=True), video=clip, outputs=outputs)
    assert measured
