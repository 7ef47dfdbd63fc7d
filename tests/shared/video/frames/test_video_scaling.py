"""Frames scaled down to small RGB pictures."""

from fractions import Fraction
from itertools import combinations

import av
import cv2
import numpy as np
import pytest
from av.video.reformatter import Interpolation, VideoReformatter
from PIL import Image

from shared.video import Frame
from shared.video.frames.color import BT709, apply_tags
from shared.video.frames.frame import EXACT_SCALING

FILTERS = (Interpolation.BICUBIC, Interpolation.AREA, Interpolation.LANCZOS, Interpolation.BILINEAR)


@pytest.fixture(scope="module")
def rgb() -> np.ndarray:
    """Draw soft coloured noise, 1280x720."""
    noise = np.random.default_rng(3).integers(0, 256, (720, 1280, 3)).astype(np.uint8)
    return ((cv2.GaussianBlur(noise, (0, 0), 2).astype(float) - 128) * 5 + 128).clip(0, 255).astype(np.uint8)


@pytest.fixture(scope="module")
def frame(rgb: np.ndarray) -> Frame:
    """Convert `rgb` to a frame in yuv444p, BT.709."""
    source = av.VideoFrame.from_ndarray(rgb, format="rgb24")
    picture = VideoReformatter().reformat(
        source, format="yuv444p", dst_colorspace=1, src_color_range=2, dst_color_range=1, interpolation=EXACT_SCALING
    )
    apply_tags(picture, BT709)
    return Frame(0, Fraction(1, 25), 1, 0, picture)


def distance(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.abs(a.astype(int) - b.astype(int)).mean())


def test_each_filter_gives_another_picture(frame: Frame) -> None:
    scaled = [frame.rgb((224, 224), interpolation=way) for way in FILTERS]
    assert all(distance(a, b) > 1 for a, b in combinations(scaled, 2))
    assert np.array_equal(frame.rgb((224, 224)), scaled[0])


def test_a_frame_is_scaled_like_a_picture(frame: Frame, rgb: np.ndarray) -> None:
    area = cv2.resize(rgb, (224, 224), interpolation=cv2.INTER_AREA)
    assert np.abs(frame.rgb((224, 224), interpolation=Interpolation.AREA).astype(int) - area).max() <= 2
    lanczos = np.asarray(Image.fromarray(rgb).resize((224, 224), Image.Resampling.LANCZOS))
    assert distance(frame.rgb((224, 224), interpolation=Interpolation.LANCZOS), lanczos) < 0.5


@pytest.mark.parametrize("way", FILTERS)
def test_rounding_is_accurate_and_chroma_full_with_each_filter(way: Interpolation, frame: Frame, rgb: np.ndarray) -> None:
    assert np.abs(frame.rgb(interpolation=way).astype(int) - rgb).max() <= 3
