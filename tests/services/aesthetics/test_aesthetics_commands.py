"""The commands of PerfectFrameAI, which process whole folders."""

import shutil
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from tests.services.aesthetics.aesthetic_clips import scenery


def run(*arguments, cwd):
    command = [sys.executable, "-m", "reelwright", "aesthetics", *arguments]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=100)


def test_videos_are_processed_once_and_a_bad_one_does_not_stop_the_others(ten_seconds, tmp_path):
    folder = tmp_path / "input_directory"
    folder.mkdir()
    shutil.copy(ten_seconds, folder / "one.mp4")
    (folder / "bad.mp4").write_bytes(b"nothing")
    done = run("best_frames_extractor", "--cpu", "--scorer", "technical", cwd=tmp_path)
    assert done.returncode == 1
    assert "bad.mp4" in done.stderr
    assert "one.mp4: 2 of 10 frames" in done.stdout
    assert sorted(path.name for path in folder.iterdir()) == ["bad.mp4", "frames_extracted_one.mp4"]
    assert len(list((tmp_path / "output_directory").glob("one-*.jpg"))) == 2
    (folder / "bad.mp4").unlink()
    again = run("best_frames_extractor", "--all_frames", cwd=tmp_path)
    assert again.returncode == 1
    assert "There is no file" in again.stderr


@pytest.mark.slow
def test_all_frames_and_top_images_are_written_to_the_named_folders(ten_seconds, tmp_path):
    (tmp_path / "in").mkdir()
    shutil.copy(ten_seconds, tmp_path / "in" / "one.mp4")
    done = run("best_frames_extractor", "-i", "in", "-o", "out/frames", "--all_frames", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert len(list((tmp_path / "out" / "frames").glob("*.jpg"))) == 10
    (tmp_path / "photos").mkdir()
    for number in range(4):
        Image.fromarray(scenery(number)).save(tmp_path / "photos" / f"{number}.png")
    done = run("top_images_extractor", "-i", "photos", "-o", "top", "--percent", "50", "--scorer", "technical", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    written = sorted((tmp_path / "top").iterdir())
    assert len(written) == 2
    assert all(np.asarray(Image.open(path)).shape == (180, 320, 3) for path in written)
    refused = run("top_images_extractor", "-i", "photos", "-o", "top", cwd=tmp_path)
    assert refused.returncode == 1
    assert "reelwright models pull nima-inception-resnet-v2" in refused.stderr
