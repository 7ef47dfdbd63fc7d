"""Drafts of keyframes: written while the video is scanned."""

import zipfile
from pathlib import Path

import pytest

from services.keyframes.analysis import scan
from services.keyframes.detect import DetectParams, detect
from services.keyframes.output import keyframe_files
from tests.services.keyframes.shot_clips import cut_together, write


@pytest.mark.parametrize("method", ["auto", "difference"])
def test_drafts_are_the_pictures_that_decoding_again_gives(method, tmp_path, monkeypatch):
    frames, _ = cut_together([(20, "cut", 0), (20, "cut", 0), (20, None, 0)])
    video = write(tmp_path / "clip.mp4", frames)
    decoded: list[int] = []
    frames_at = keyframe_files.frames_at
    monkeypatch.setattr(
        keyframe_files, "frames_at", lambda path, times, **options: decoded.append(len(times)) or frames_at(path, times, **options)
    )

    def images(name: str) -> dict[int, bytes]:
        folder = tmp_path / name
        folder.mkdir()
        outputs = {"gallery": folder / "g.html", "keyframes": folder / "k.zip", "files": folder / "f.zip"}
        report = detect(DetectParams(method=method), video=video, outputs=outputs).videos[0]
        with zipfile.ZipFile(outputs["keyframes"]) as archive:
            return {keyframe.frame: archive.read(keyframe.file) for keyframe in report.keyframes}

    monkeypatch.setattr(scan, "_DEBLOCKING", 0.0)
    with_drafts = images("drafts")
    monkeypatch.setattr(keyframe_files.KeyframeFiles, "write", _without_drafts(keyframe_files.KeyframeFiles.write))
    again = images("again")
    assert decoded[1] == len(again) > 1
    assert decoded[0] < decoded[1]
    assert with_drafts == again


def _without_drafts(write_keyframes):
    """Decode every chosen frame again."""

    def decode_all(files: keyframe_files.KeyframeFiles, video: Path, scan_of_video, choices, _drafts, progress):
        return write_keyframes(files, video, scan_of_video, choices, set(), progress)

    return decode_all
