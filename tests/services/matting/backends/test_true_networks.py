"""Published networks on real clips (`make test-models`)."""

from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import pytest

from services.matting.networks.engine import Engine
from services.matting.networks.rvm import downsample_ratio, load_rvm
from shared.models.devices.device import CPU
from shared.models.files import model_files
from shared.models.folder import installed
from shared.video import read_frames
from tests.services.matting.matte_clips import alphas, iou, run, write_clip
from tests.warning_log import WarningLog

pytestmark = [pytest.mark.models, pytest.mark.timeout(600)]
CLIPS = Path(__file__).parents[5] / "shared/clips"
DANCER = next((path for path in (Path("../shared/clips/dancer-720p.mp4"), CLIPS / "dancer-720p.mp4") if path.exists()), None)


@pytest.fixture(autouse=True)
def _weights(use_settings):
    use_settings(device="cpu")
    if not installed("rvm-mobilenetv3"):
        pytest.skip("the weights are not installed: make test-models")


def person_clip() -> Path:
    from benchmarks.material.clips import sample_clip

    return sample_clip("carphone_pristine.mp4")


@pytest.mark.parametrize(("size", "count"), [(None, 30), ((1280, 720), 4)])
def test_openvino_with_a_fixed_shape_equals_onnxruntime(size, count):
    path = next(iter(model_files("rvm-mobilenetv3").values()))
    with read_frames(person_clip()) as frames:
        pictures = [frame.rgb() for frame, _ in zip(frames, range(count), strict=False)]
    if size:
        pictures = [cv2.resize(picture, size, interpolation=cv2.INTER_CUBIC) for picture in pictures]
    height, width = pictures[0].shape[:2]
    assert (downsample_ratio(width, height) < 1) == bool(size)
    clips = [
        load_rvm(
            path,
            width,
            height,
            Engine(library=library, device=CPU, precision="f32"),
            ratio=downsample_ratio(width, height),
            foreground=False,
        ).start()
        for library in ("openvino", "onnxruntime")
    ]
    most = max(float(np.abs(clips[0].step(picture)[0] - clips[1].step(picture)[0]).max()) for picture in pictures)
    assert most < 1e-4


def test_a_person_is_found_by_auto_and_an_empty_scene_stays_black(tmp_path):
    result = run(tmp_path, person_clip(), duration=0.5, composite_over="none")
    assert (result.backend.name, result.backend.reason) == ("rvm", "people are in the picture")
    assert 0.2 < result.coverage < 0.8
    rng, progress = np.random.default_rng(1), WarningLog()
    ground = cv2.GaussianBlur(rng.normal(120, 200, (240, 320, 3)).astype(np.float32), (0, 0), 12)
    empty = write_clip(tmp_path / "empty.mp4", [np.clip(ground, 0, 255).astype(np.uint8)] * 6)
    run(tmp_path, empty, progress, backend="rvm", composite_over="none")
    assert max(float(alpha.mean()) for alpha in alphas(tmp_path / "alpha.mp4")) < 1 / 255
    assert any("found no subject" in warning for warning in progress.warnings)


@pytest.mark.skipif(DANCER is None, reason="the dancer clip is not here")
def test_the_main_subject_is_told_from_passers_by(tmp_path):
    truth = cv2.imread(str(DANCER.with_name("dancer-720p-mask.png")), cv2.IMREAD_GRAYSCALE) > 127
    run(tmp_path, DANCER, backend="rvm", subject="main", duration=0.8, composite_over="none")
    mattes = alphas(tmp_path / "alpha.mp4")
    assert iou(mattes[0], truth) >= 0.93
    areas = np.array([float((alpha > 0.5).mean()) for alpha in mattes])
    assert areas.std() < 0.1 * areas.mean()
    assert min(iou(before, after > 0.5) for before, after in pairwise(mattes)) > 0.9
