"""The same picture, read for scoring from a video and from a picture file."""

import subprocess
from pathlib import Path

import cv2
import imageio_ffmpeg
import numpy as np
import pytest

from services.aesthetics.reading.sampling import SampleParams
from services.aesthetics.reading.small_views import View, picture_view, video_views
from shared.video import list_pictures


def views(folder: Path, *, lanczos: bool) -> tuple[View, View]:
    """Write a picture as lossless video and as PNG; return both as read for scoring."""
    noise = np.random.default_rng(5).integers(0, 256, (360, 640, 3)).astype(np.uint8)
    picture = ((cv2.GaussianBlur(noise, (0, 0), 3).astype(float) - 128) * 6 + 128).clip(20, 235).astype(np.uint8)
    cv2.imwrite(str(folder / "a.png"), picture)
    colors = "scale=out_color_matrix=bt709:out_range=tv:flags=accurate_rnd+full_chroma_int+full_chroma_inp,format=yuv444p"
    tags = ["-colorspace", "bt709", "-color_primaries", "bt709", "-color_trc", "bt709", "-color_range", "tv", "-c:v", "libx264", "-qp", "0"]
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-i", str(folder / "a.png"), "-vf", colors, *tags, str(folder / "a.mkv")]
    subprocess.run(command, check=True)
    frame = next(video_views(folder / "a.mkv", SampleParams(), 0, lanczos=lanczos))
    return frame, picture_view(list_pictures([folder / "a.png"])[0], 0, lanczos=lanczos)


@pytest.mark.parametrize("lanczos", [False, True])
def test_a_video_frame_and_a_picture_file_give_the_same_view(lanczos: bool, tmp_path: Path) -> None:
    frame, picture = views(tmp_path, lanczos=lanczos)
    difference = np.abs(frame.small.astype(int) - picture.small.astype(int))
    assert difference.max() <= 4
    assert difference.mean() < 0.6
    for name in type(frame.technical).__slots__:
        assert getattr(frame.technical, name) == pytest.approx(getattr(picture.technical, name), abs=0.02), name
