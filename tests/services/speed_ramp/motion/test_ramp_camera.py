"""Camera motion and shake, separated from the subject, on drawn clips."""

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest

from services.speed_ramp.analyze import AnalyzeParams, AnalyzeResult, analyze
from services.speed_ramp.motion.camera import Camera, length, without_shake
from tests.services.speed_ramp.motion.test_ramp_motion import texture
from tests.services.speed_ramp.ramp_clips import write_clip

WIDE, HIGH = 256, 144
Places = Callable[[float], tuple[float, float]]


def sure(value: float = 1.0) -> np.ndarray:
    return np.full((HIGH, WIDE), value, np.float32)


@pytest.mark.parametrize(
    "true", [[[5, -2], [0, 0], [0, 0]], [[0, 0], [12, 0], [0, 12]], [[1, 1], [0, 8], [-8, 0]], [[-3, 0.5], [6, 2], [-2, 6]]]
)
def test_pans_zooms_and_turns_are_found_under_noise_and_a_subject(true: list[list[float]]) -> None:
    camera, rng = Camera(HIGH, WIDE), np.random.default_rng(0)
    expected = np.array(true, dtype=np.float64)
    flow = np.stack(camera.field(expected), axis=-1)
    flow[40:130, 80:190] += (6, 9)
    flow = (flow + rng.normal(0, 0.1, flow.shape)).astype(np.float32)
    motion = camera.fit(flow, sure())
    assert np.abs(motion - expected).max() < 0.35
    assert np.abs(np.stack(camera.field(motion - expected))).max() < 0.15


def test_vectors_that_are_not_trusted_do_not_count() -> None:
    flow, trust = np.zeros((HIGH, WIDE, 2), np.float32), sure()
    flow[:, :, 0] = 4
    flow[:100] = 0
    trust[:100] = 0.001
    assert Camera(HIGH, WIDE).fit(flow, trust)[0] == pytest.approx([4, 0], abs=0.05)
    assert not Camera(HIGH, WIDE).fit(flow, sure(0)).any()


def test_length_is_the_root_mean_square_over_the_picture() -> None:
    camera, motion = Camera(HIGH, WIDE), np.array([[1, 2], [20, -3], [4, 15]], dtype=np.float64)
    across, down = camera.field(motion)
    assert length(motion, WIDE, HIGH) == pytest.approx(float(np.sqrt(np.mean(across**2 + down**2))), rel=1e-3)


@pytest.mark.parametrize("rate", [24, 60])
def test_shake_goes_and_a_pan_stays(rate: int) -> None:
    ends = np.arange(1, 6 * rate + 1) / rate
    shake = 0.05 * np.sin(2 * np.pi * 4 * ends)
    pan = np.where((ends > 2) & (ends < 4), 0.3, 0.0)
    motions = np.zeros((len(ends), 3, 2))
    motions[:, 0, 0], motions[:, 0, 1] = pan, shake * 2 * np.pi * 4
    steady = without_shake(motions, ends)
    inner = (ends > 0.5) & (ends < 5.5)
    assert np.abs(steady[inner, 0, 1]).max() < 0.01
    assert steady[:, 0, 0].sum() == pytest.approx(pan.sum(), rel=0.01)
    assert steady[np.abs(ends - 3) < 0.5, 0, 0] == pytest.approx(0.3, rel=0.02)


def scene(path: Path, *, camera: Places, subject: Places, size: tuple[int, int] = (320, 180), rate: int = 30, seconds: float = 4) -> Path:
    """Write a clip of a textured subject before a textured background.

    `camera` and `subject`: functions of the time in seconds that return the position in picture widths.
    """
    width = size[0]
    ground = cv2.GaussianBlur(texture(1, height=720, width=2400), (0, 0), 2)
    body = texture(2, height=400, width=400)
    scale = width / 960

    def luma(i: int) -> np.ndarray:
        (cx, cy), (sx, sy) = camera(i / rate), subject(i / rate)
        move = np.array([[scale, 0, -(cx + 0.6) * width], [0, scale, -(cy + 0.06) * width]])
        picture = cv2.warpAffine(ground, move, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
        place = np.array([[0.75 * scale, 0, (0.4 + sx - cx) * width], [0, 0.75 * scale, (0.2 + sy - cy) * width]])
        mask = cv2.warpAffine(np.full_like(body, 255), place, size)
        return np.where(mask > 127, cv2.warpAffine(body, place, size, flags=cv2.INTER_LINEAR), picture).astype(np.uint8)

    return write_clip(path, luma, frames=round(seconds * rate), frame_rate=Fraction(rate))


def pans_late(t: float) -> tuple[float, float]:
    return max(t - 2, 0) * 0.25, 0.0


def acts_early(t: float) -> tuple[float, float]:
    return 0.12 * np.sin(2 * np.pi * min(t, 2)), 0.0


def shakes(t: float) -> tuple[float, float]:
    x, y = pans_late(t)
    return x + 0.006 * np.sin(2 * np.pi * 5 * t), y + 0.006 * np.sin(2 * np.pi * 6.3 * t + 1)


def still(t: float) -> tuple[float, float]:
    return 0.0, 0.0


def halves(result: AnalyzeResult) -> tuple[float, float]:
    """Return the median motion in the first and the second half.

    Measured from 0.4 to 1.6 s and from 2.4 to 3.6 s.
    """
    times, values = np.array(result.motion.times), np.array(result.motion.values)
    return tuple(float(np.median(values[(times > a) & (times < a + 1.2)])) for a in (0.4, 2.4))  # type: ignore[return-value]


@pytest.fixture(scope="module")
def filmed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write two seconds of a moving subject, then two of a panning camera.

    During the pan the subject stands still in the scene. The camera always shakes.
    """
    return scene(tmp_path_factory.mktemp("camera") / "scene.mp4", camera=shakes, subject=acts_early)


def test_each_measure_finds_its_own_motion(filmed: Path) -> None:
    subject, camera, total = (halves(analyze(AnalyzeParams(measure=m), video=filmed)) for m in ("subject", "camera", "total"))
    pan = 0.25 * 320 / np.hypot(320, 180)
    assert subject[0] > 6 * subject[1]
    assert subject[0] > 0.25
    assert camera[1] == pytest.approx(pan, rel=0.1)
    assert camera[0] < 0.15 * pan
    assert total[0] == pytest.approx(subject[0], rel=0.1)
    assert total[1] == pytest.approx(camera[1], rel=0.1)


def test_a_shaking_hand_is_no_motion(tmp_path: Path) -> None:
    def only_shakes(t: float) -> tuple[float, float]:
        return 0.006 * np.sin(2 * np.pi * 5 * t), 0.006 * np.sin(2 * np.pi * 6.3 * t + 1)

    shaken = analyze(AnalyzeParams(), video=scene(tmp_path / "shaken.mp4", camera=only_shakes, subject=still))
    # 0.006 * 2 pi * 5 of a width a second, and as much down, is what the flow sees at its height.
    assert np.median(shaken.motion.values) < 0.1 * 0.006 * 2 * np.pi * 5


SIZES = [((320, 180), 24), ((480, 270), 60), ((640, 360), 30)]
LARGE = [((640, 360), 24), ((1280, 720), 60), ((1920, 1080), 30)]


@pytest.mark.parametrize("sizes", [SIZES, pytest.param(LARGE, marks=pytest.mark.slow)], ids=["small", "large"])
def test_the_curve_is_the_same_at_every_size_and_rate(tmp_path: Path, sizes: list[tuple[tuple[int, int], int]]) -> None:
    results = []
    for size, rate in sizes:
        video = scene(tmp_path / f"{size[0]}.mp4", camera=shakes, subject=acts_early, size=size, rate=rate, seconds=3.5)
        results.append([analyze(AnalyzeParams(measure=measure), video=video).speeds for measure in ("total", "subject", "camera")])
    log = np.log2(np.array(results))
    # Of the two octaves between the slowest and the fastest.
    assert np.ptp(log, axis=0).max() < 0.15
    assert np.ptp(log, axis=0).mean() < 0.04
    assert np.ptp(log, axis=2).min() > 1, "there is something to agree on"
