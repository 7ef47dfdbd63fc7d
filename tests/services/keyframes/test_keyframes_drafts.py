"""Drafts of keyframe pictures, written while the video is scanned."""

import zipfile

import pytest

from services.keyframes.analysis import scanner
from services.keyframes.detect import DetectParams, detect
from services.keyframes.output import keyframe_files
from tests.services.keyframes.shot_clips import cut_together, write


@pytest.mark.parametrize("method", ["auto", "difference"])
def test_drafts_are_the_pictures_that_decoding_again_gives(method, tmp_path, monkeypatch):
    frames, _ = cut_together([(20, "cut", 0), (20, "cut", 0), (20, None, 0)])
    video = write(tmp_path / "clip.mp4", frames)
    numbers: list[int] = []
    write_keyframes = keyframe_files.KeyframeFiles.write

    def compare(files, path, video_scan, choices, drafts, progress):
        for number in drafts:
            (frame,) = keyframe_files.frames_at(path, [video_scan.exact_time(number)], to_sdr8=True)
            again = [tmp_path / "again.jpg", tmp_path / "again-thumbnail.jpg"]
            files._write(frame, *again)
            assert [path.read_bytes() for path in again] == [path.read_bytes() for path in files._draft(number)]
        numbers.extend(drafts)
        return write_keyframes(files, path, video_scan, choices, drafts, progress)

    monkeypatch.setattr(scanner, "_MIN_DECODED_TWICE", 0.0)
    monkeypatch.setattr(keyframe_files.KeyframeFiles, "write", compare)
    outputs = {"gallery": tmp_path / "g.html", "keyframes": tmp_path / "k.zip", "files": tmp_path / "f.zip"}
    report = detect(DetectParams(method=method), video=video, outputs=outputs).videos[0]
    assert numbers
    with zipfile.ZipFile(outputs["keyframes"]) as archive:
        assert archive.namelist() == [keyframe.file for keyframe in report.keyframes]
    assert [keyframe.shot for keyframe in report.keyframes] == [shot.index for shot in report.shots]
