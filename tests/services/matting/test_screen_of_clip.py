"""Screen detection over a whole clip: black first frames, a new screen."""

import cv2
import numpy as np
import pytest

from services.matting.compare import CompareParams, compare
from shared.errors import Invalid
from tests.services.matting.matte_clips import alphas, iou, picture, run, write_clip
from tests.warning_log import WarningLog

SIZE = (320, 180)
SUBJECT = np.zeros((180, 320), bool)
SUBJECT[60:180, 120:200] = True


def before_screen(colour) -> np.ndarray:
    rgb = np.full((180, 320, 3), colour, np.uint8)
    rgb[SUBJECT] = (190, 120, 90)
    return rgb


GREEN, BLUE = (40, 170, 60), (40, 60, 190)


def test_a_clip_that_begins_black_is_keyed_with_its_screen(tmp_path):
    title = np.zeros((180, 320, 3), np.uint8)
    cv2.putText(title, "TITLE", (60, 110), cv2.FONT_HERSHEY_SIMPLEX, 2, (200, 200, 200), 6)
    clip = write_clip(tmp_path / "title.mp4", [title] * 3 + [before_screen(GREEN)] * 9)
    for backend in ("auto", "chroma"):
        result = run(tmp_path, clip, backend=backend, composite_over="none")
        assert result.backend.name == "chroma"
        assert min(iou(alpha, SUBJECT) for alpha in alphas(tmp_path / "alpha.mp4")[3:]) > 0.9


def test_the_screen_of_each_shot_is_keyed(tmp_path):
    shots = [before_screen(GREEN)] * 5 + [255 - picture([])] * 3 + [before_screen(BLUE)] * 5
    clip = write_clip(tmp_path / "shots.mp4", shots)
    result = run(tmp_path, clip, backend="chroma", composite_over="none")
    assert result.cuts[-1] == pytest.approx(0.32)
    mattes = alphas(tmp_path / "alpha.mp4")
    assert min(iou(alpha, SUBJECT) for alpha in (*mattes[:5], *mattes[8:])) > 0.9


@pytest.mark.usefixtures("models")
def test_compare_looks_for_the_screen_before_the_first_backend_runs(tmp_path):
    clip = write_clip(tmp_path / "gray.mp4", [picture([(100, 90)])] * 2)
    outputs = {"video": tmp_path / "video.mp4", "table": tmp_path / "table.zip"}
    progress = WarningLog()
    with pytest.raises(Invalid, match="No green or blue screen"):
        compare(
            CompareParams(backends=["rmbg2", "chroma"]), video=clip, mask=None, plate=None, truth=None, outputs=outputs, progress=progress
        )
    assert list(tmp_path.iterdir()) == [clip]
