"""Equal pictures get equal scores, whether they come out of a video or out of a picture file."""

import subprocess
from pathlib import Path

import cv2
import imageio_ffmpeg
import numpy as np
import pytest

from services.aesthetics.params import ScoreParams
from services.aesthetics.reading.small_views import Look, look_at_picture, look_at_video
from shared.video import list_pictures


def looks(folder: Path, params: ScoreParams) -> tuple[Look, Look]:
    """The same picture from a lossless video and from a PNG file."""
    noise = np.random.default_rng(5).integers(0, 256, (360, 640, 3)).astype(np.uint8)
    picture = ((cv2.GaussianBlur(noise, (0, 0), 3).astype(float) - 128) * 6 + 128).clip(20, 235).astype(np.uint8)
    cv2.imwrite(str(folder / "a.png"), picture)
    colors = "scale=out_color_matrix=bt709:out_range=tv:flags=accurate_rnd+full_chroma_int+full_chroma_inp,format=yuv444p"
    tags = ["-colorspace", "bt709", "-color_primaries", "bt709", "-color_trc", "bt709", "-color_range", "tv", "-c:v", "libx264", "-qp", "0"]
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-i", str(folder / "a.png"), "-vf", colors, *tags, str(folder / "a.mkv")]
    subprocess.run(command, check=True)
    return next(look_at_video(folder / "a.mkv", params, 0)), look_at_picture(list_pictures([folder / "a.png"])[0], params, 0)


@pytest.mark.parametrize("preprocessing", ["symmetric", "unit"])
def test_a_video_frame_and_a_picture_file_look_the_same(preprocessing: str, tmp_path: Path) -> None:
    frame, picture = looks(tmp_path, ScoreParams(preprocessing=preprocessing))
    difference = np.abs(frame.small.astype(int) - picture.small.astype(int))
    assert difference.max() <= 4
    assert difference.mean() < 0.6
    for name in type(frame.technical).__slots__:
        assert getattr(frame.technical, name) == pytest.approx(getattr(picture.technical, name), abs=0.02), name
