"""Effects on camera files and pipeline outputs.

Rotation, 10 bits, HDR, uneven times, and mattes of earlier steps.
"""

from fractions import Fraction

import cv2
import numpy as np
import pytest

from services.effects.strobe import StrobeParams, strobe
from shared.testing import RunningSuite
from shared.video import ColorInfo, probe, read_frames
from tests.services.effects.effect_clips import HEIGHT, WIDTH, RecordingProgress, lumas, psnr, scene, still, trails_of, write
from tests.shared.video.video_clips import turned

PQ = ColorInfo(primaries="bt2020", transfer="smpte2084", matrix="bt2020nc", range="tv")
FRAME, AGO = 30, 6


def rolling(i):
    return 30 + 6.0 * i, 70.0


@pytest.fixture(scope="module")
def tripod(tmp_path_factory):
    return write(tmp_path_factory.mktemp("tripod") / "clip.mp4", scene(still, rolling), frames=40)


def disc(luma) -> tuple[int, int]:
    """Return the column and the row of the bright disc's centre."""
    rows, columns = np.nonzero(luma > 200)
    return round(columns.mean()), round(rows.mean())


def change(before, after, spot: tuple[int, int]) -> float:
    x, y = spot
    return float((after.astype(int) - before)[y - 4 : y + 4, x - 4 : x + 4].mean())


@pytest.mark.parametrize("degrees", [90, 180, 270])
@pytest.mark.parametrize("ghost", ["normal", "glow"])
def test_rotated_clips_become_upright_with_ghosts_in_the_right_place(degrees, ghost, tripod, tmp_path):
    source = turned(tripod, degrees)
    trails_of(source, tmp_path / "out.mp4", ghost=ghost, layers=1, spacing=AGO)
    info = probe(tmp_path / "out.mp4")
    upright = (WIDTH, HEIGHT) if degrees == 180 else (HEIGHT, WIDTH)
    assert (info.rotation, info.width, info.height) == (0, *upright)
    before, after = lumas(source), lumas(tmp_path / "out.mp4")
    spots = disc(before[FRAME - AGO]), disc(before[FRAME])
    assert (abs(spots[0][0] - spots[1][0]) > 30) == (degrees == 180)
    assert change(before[FRAME], after[FRAME], spots[0]) > 10
    assert psnr(before[0], after[0]) > 38


def test_a_rotated_clip_is_stamped_upright(tripod, tmp_path):
    source = turned(tripod, 90)
    outputs = {"video": tmp_path / "video.mp4", "picture": tmp_path / "picture.png"}
    result = strobe(StrobeParams(interval=0.4, quality=95), video=source, matte=None, outputs=outputs, progress=RecordingProgress())
    picture = cv2.imread(str(outputs["picture"]), cv2.IMREAD_UNCHANGED)
    assert picture.shape[:2] == (WIDTH, HEIGHT)
    assert probe(outputs["video"]).height == WIDTH
    before, after = lumas(source), lumas(outputs["video"])
    for seconds in result.stamped:
        x, y = disc(before[round(seconds * 30)])
        assert picture[y - 4 : y + 4, x - 4 : x + 4].mean() > 205
        assert after[-1][y - 4 : y + 4, x - 4 : x + 4].mean() > 205


@pytest.mark.parametrize("ghost", ["normal", "glow", "shadow"])
def test_a_trail_both_ways_shows_where_the_subject_was_and_will_be(ghost, tripod, tmp_path):
    trails_of(tripod, tmp_path / "out.mp4", ghost=ghost, layers=2, spacing=AGO, direction="both")
    before, after = lumas(tripod), lumas(tmp_path / "out.mp4")
    assert len(after) == 40
    sign = -1 if ghost == "shadow" else 1
    middle = 20
    near = [sign * change(before[middle], after[middle], disc(before[middle + way])) for way in (-AGO, AGO)]
    far = [sign * change(before[middle], after[middle], disc(before[middle + way])) for way in (-2 * AGO, 2 * AGO)]
    assert min(far) > 5
    assert min(near) > max(far)
    # The same both ways, and nothing between the ghosts.
    assert near[0] == pytest.approx(near[1], rel=0.25)
    assert far[0] == pytest.approx(far[1], rel=0.25)
    assert np.abs(after[middle].astype(int) - before[middle])[130:].mean() < 1.2


@pytest.mark.parametrize("color", [None, PQ])
def test_ten_bits_and_hdr_become_eight_with_the_ghosts_in_place(color, tmp_path):
    source = write(tmp_path / "deep.mp4", scene(still, rolling), frames=40, pixel_format="yuv420p10le", color=color)
    progress = RecordingProgress()
    trails_of(source, tmp_path / "out.mp4", ghost="normal", layers=1, spacing=AGO, progress=progress)
    info = probe(tmp_path / "out.mp4")
    assert info.pixel_format == "yuv420p"
    assert not info.color.hdr
    assert any(("tone-mapped" if color else "from 10 to 8 bits") in sentence for sentence in progress.warnings)
    with read_frames(source, to_sdr8=True) as frames:
        before = [frame.luma().copy() for frame in frames]
    after = lumas(tmp_path / "out.mp4")
    x, y = round(rolling(FRAME - AGO)[0]), round(rolling(FRAME)[1])
    assert change(before[FRAME], after[FRAME], (x, y)) > 10
    assert psnr(before[0], after[0]) > 38


def test_with_uneven_times_a_ghost_has_the_requested_age_in_seconds(tmp_path):
    # Every third frame is shown three times as long; the subject moves with the time.
    times = [(index // 3) * 20 + (index % 3) * 4 for index in range(40)]

    def at(i):
        return 30 + 1.0 * times[i], 90.0

    source = write(tmp_path / "clip.mp4", scene(still, at), frames=40, times=lambda i: times[i])
    trails_of(source, tmp_path / "out.mp4", ghost="normal", layers=1, spacing=Fraction(1, 2), spacing_unit="seconds")
    before, after = lumas(source), lumas(tmp_path / "out.mp4")
    assert times[30] - times[21] == 60  # half a second, in 1/120 s
    x, y = round(at(21)[0]), 90
    assert change(before[30], after[30], (x, y)) > 10
    with read_frames(tmp_path / "out.mp4") as frames:
        assert [frame.time for frame in frames] == [Fraction(time, 120) for time in times]


def test_a_pipeline_passes_a_matte_to_a_later_step(running: RunningSuite, tripod, tmp_path):
    def upper_half(i):
        plane = np.full((HEIGHT, WIDTH), 16, np.uint8)
        x = round(rolling(i)[0])
        plane[50:70, max(x - 20, 0) : x + 20] = 235
        return plane

    video = running.upload(tripod)["id"]
    matte = running.upload(write(tmp_path / "matte.mp4", upper_half, frames=40))["id"]
    params = {"ghost": "normal", "layers": 1, "spacing": AGO, "quality": 95}
    steps = [
        {"id": "kept", "operation": "speed-ramp.render", "inputs": {"video": matte}, "params": {"speeds": [1.0], "quality": 95}},
        {"id": "earlier", "operation": "effects.motion-trails", "inputs": {"video": video, "matte": "kept.video"}, "params": params},
        {"id": "given", "operation": "effects.motion-trails", "inputs": {"video": video, "matte": matte}, "params": params},
    ]
    job = running.client.post("/v1/pipelines/jobs", json={"steps": steps}, headers={"Prefer": "wait=60"}).json()
    assert job["status"] == "succeeded", job["error"]
    before = lumas(tripod)[FRAME]
    x = round(rolling(FRAME - AGO)[0])
    for step in ("earlier", "given"):
        path = tmp_path / f"{step}.mp4"
        path.write_bytes(running.client.get(job["outputs"][f"{step}.video"]["urls"]["content"]).content)
        after = lumas(path)[FRAME]
        assert change(before, after, (x, 62)) > 15, step
        assert abs(change(before, after, (x, 80))) < 4, step
