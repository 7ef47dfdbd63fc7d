"""The same picture, read for scoring from a video and from a picture file."""

import subprocess
from collections.abc import Sequence
from pathlib import Path

import cv2
import imageio_ffmpeg
import numpy as np
import pytest
from nima_files import Weights, mobilenet
from numpy.typing import NDArray
from PIL import Image

from services.aesthetics.nima.scores import RATINGS, prepared
from services.aesthetics.reading.sampling import SampleParams
from services.aesthetics.reading.small_views import View, picture_view, video_views
from shared.video import list_pictures
from tests.services.aesthetics.aesthetic_clips import ten_views


def views(folder: Path, pictures: Sequence[NDArray[np.uint8]], *, lanczos: bool) -> tuple[list[View], list[View]]:
    """Write pictures as lossless video and as PNG; return views of each.

    Scoring reads the views.
    """
    colors = "scale=out_color_matrix=bt709:out_range=tv:flags=accurate_rnd+full_chroma_int+full_chroma_inp,format=yuv444p"
    tags = ["-colorspace", "bt709", "-color_primaries", "bt709", "-color_trc", "bt709", "-color_range", "tv", "-c:v", "libx264", "-qp", "0"]
    files = [folder / f"{number}.png" for number in range(len(pictures))]
    for picture, file in zip(pictures, files, strict=True):
        Image.fromarray(picture).save(file)
    source = ["-framerate", "1", "-i", str(folder / "%d.png")]
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", *source, "-vf", colors, *tags, "-y", str(folder / "a.mkv")]
    subprocess.run(command, check=True)
    frames = list(video_views(folder / "a.mkv", SampleParams(), 0, lanczos=lanczos))
    assert len(frames) == len(pictures)
    return frames, [picture_view(picture, 0, lanczos=lanczos) for picture in list_pictures(files)]


@pytest.mark.parametrize("lanczos", [False, True])
def test_a_video_frame_and_a_picture_file_give_the_same_view(lanczos: bool, tmp_path: Path) -> None:
    noise = np.random.default_rng(5).integers(0, 256, (360, 640, 3)).astype(np.uint8)
    soft = ((cv2.GaussianBlur(noise, (0, 0), 3).astype(float) - 128) * 6 + 128).clip(20, 235).astype(np.uint8)
    [frame], [picture] = views(tmp_path, [soft], lanczos=lanczos)
    difference = np.abs(frame.small.astype(int) - picture.small.astype(int))
    assert difference.max() <= 4
    assert difference.mean() < 0.6
    for name in type(frame.technical).__slots__:
        assert getattr(frame.technical, name) == pytest.approx(getattr(picture.technical, name), abs=0.02), name


def test_a_video_frame_and_a_picture_file_get_the_same_nima_scores(tmp_path: Path) -> None:
    # Random weights that rate the ten pictures as differently as NIMA rates photographs, and hardly amplify rounding.
    weights = Weights(gain=0.7, spread=1.5)

    def scores(seen: list[View]) -> NDArray[np.float32]:
        """Rate views by NIMA's network with random weights."""
        return mobilenet(prepared([view.small for view in seen], "symmetric"), weights) @ RATINGS

    frames, pictures = views(tmp_path, ten_views(), lanczos=False)
    expected = scores(pictures)
    assert expected.max() - expected.min() > 3
    assert scores(frames) == pytest.approx(expected, abs=0.2)
    other_filter, _ = views(tmp_path, ten_views(), lanczos=True)
    assert np.abs(scores(other_filter) - expected).max() > 1, "another filter would be seen"


def test_a_small_picture_is_enlarged_without_repeated_pixels(tmp_path: Path) -> None:
    ramp = np.repeat(np.linspace(0, 250, 100).astype(np.uint8)[None, :, None], 80, axis=0).repeat(3, axis=2)
    cv2.imwrite(str(tmp_path / "small.png"), ramp)
    small = picture_view(list_pictures([tmp_path / "small.png"])[0], 0, lanczos=False).small
    smooth = np.interp((np.arange(224) + 0.5) * 100 / 224 - 0.5, np.arange(100), ramp[0, :, 0])
    assert np.abs(small[112, :, 0] - smooth).max() <= 0.75
