"""Preview windows and params, and run time estimates."""

import pytest

from services.keyframes.detect import DETECT
from services.matting.mask import MASK
from services.matting.matte import MATTE
from services.speed_ramp.render import RENDER
from shared.jobs import PastRun
from shared.jobs.estimate import estimate
from shared.jobs.previews.params import Scale, Window, preview_params, window_of
from shared.operation import Operation

SCALE = Scale(width=3840, height=2160, proxy_width=960)


def mapped(operation: Operation, window: Window, **params: object) -> dict[str, object]:
    full = operation.params.model_validate(params).model_dump(mode="json")
    result = preview_params(operation, full, window=window, length_s=60, scale=SCALE)
    operation.params.model_validate(result)
    return {name: result[name] for name in (*params, *({"start", "duration"} & result.keys()))}


@pytest.mark.parametrize(
    ("params", "at_s", "window"),
    [
        ({}, 30, (28.5, 31.5)),
        ({}, 0, (0, 3)),
        ({}, 99, (57, 60)),
        ({"start": 10, "duration": 2}, 30, (10, 12)),
        ({"start": 10, "duration": 20}, 29.9, (27, 30)),
        ({"start": 59, "duration": None}, 0, (59, 60)),
    ],
)
def test_the_window_lies_around_the_playhead_within_the_part(params, at_s, window):
    part = window_of(params, at_s=at_s, seconds=3, length_s=60)
    assert (part.start_s, part.end_s) == window


def test_params_are_mapped_by_their_declaration():
    window = Window(start_s=28.5, end_s=31.5)
    assert mapped(MATTE, window, feather=8.0, erode=2.0, points=[[1920, 540, 1]], box=[0, 0, 3840, 1080]) == {
        "feather": 2.0, "erode": 0.5, "points": [[0.5, 0.25, 1]], "box": [0, 0, 1, 0.5], "start": 28.5, "duration": 3.0,
    }  # fmt: skip
    assert mapped(MASK, window, points=[[0.5, 0.4, 1]], time_s=12.0) == {"points": [[0.5, 0.4, 1]], "time_s": 12.0}
    assert mapped(DETECT, window, min_shot=2.0) == {"min_shot": 2.0}
    curve = [{"t": t, "speed": speed, "easing": "linear", "freeze": 0} for t, speed in ((0, 1), (40, 2))]
    assert mapped(RENDER, window, curve=curve, target_duration=30) == {
        "curve": curve, "target_duration": 1.5, "start": 28.5, "duration": 3.0,
    }  # fmt: skip
    speeds = [1 + n / 100 for n in range(40)]
    result = mapped(RENDER, window, speeds=speeds, segment_duration=2.0, start=5.0)
    assert (result["start"], result["duration"], result["speeds"]) == (27.0, 4.5, speeds[11:])


def test_estimates_scale_the_times_of_the_most_similar_jobs():
    past = [
        PastRun(run_s=20, input_s=6, megapixel_frames=10, params={"mode": "fast"}),
        PastRun(run_s=44, input_s=6, megapixel_frames=20, params={"mode": "fast"}),
        PastRun(run_s=900, input_s=6, megapixel_frames=10, params={"mode": "fine"}),
        PastRun(run_s=7, input_s=None, megapixel_frames=None, params={"mode": "fast"}),
    ]
    fast = estimate(past, 100, {"mode": "fast", "layers": 3})
    assert fast is not None
    assert (fast.seconds, fast.jobs) == (210, 2)
    fine = estimate(past, 1, {"mode": "fine"})
    assert fine is not None
    assert (fine.seconds, fine.jobs) == (90, 1)
    assert estimate(past, None, {}) is not None
    assert estimate([], 100, {}) is None
