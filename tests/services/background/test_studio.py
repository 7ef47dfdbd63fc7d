"""`background.studio`: output files, camera path, margin, exposure and light."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image
from scenes import Clip, Shoot, psnr, wall

from services.background.analysis.camera_path import CameraPath, camera_path, overscan
from services.background.analysis.exposure import brightness_of, exposed, exposure_ratios, shot_exposures, subject_tones
from services.background.analysis.scene_light import BrightBackground, camera_height, height_share
from services.background.parallax import depth
from services.background.stage.sizes import large_size, output_size
from services.background.studio import StudioParams, StudioResult, studio
from shared.errors import Invalid
from shared.media_info import ColorInfo
from shared.motion.camera import Pose
from shared.video import probe, read_frames
from tests.warning_log import WarningLog

PLAIN = {"decontaminate": False, "light_wrap": 0, "match": 0, "grain": False, "blobs": 0, "quality": 95, "exposure_smooth": 1000}
FRAMES = 16


@pytest.fixture(scope="module")
def shot(tmp_path_factory: pytest.TempPathFactory) -> tuple[Clip, Path, Path]:
    clip = Clip(Shoot(frames=FRAMES, seed=31, tilt=0))
    return (clip, *clip.write(tmp_path_factory.mktemp("shot")))


def picture(folder: Path, *, border: int = 0) -> Path:
    """Write a 1200x675 picture of a place, with a magenta border of `border` pixels."""
    rgb = wall(1200, 675, 5)
    if border:
        inner = rgb[border:-border, border:-border].copy()
        rgb[:] = (255, 0, 255)
        rgb[border:-border, border:-border] = inner
    path = folder / "place.png"
    Image.fromarray(rgb).save(path)
    return path


def staged(
    shot: tuple[Clip, Path, Path], folder: Path, background: Path, progress: WarningLog | None = None, **params: object
) -> tuple[StudioResult, list[np.ndarray], dict[str, Path]]:
    outputs = {"video": folder / "out.mp4", "background": folder / "background.png", "depth": folder / "depth.png"}
    result = studio(
        StudioParams(**({"depth": "plane"} | PLAIN | params)),  # type: ignore[arg-type]
        video=shot[1],
        alpha=shot[2],
        background=background,
        outputs=outputs,
        progress=progress or WarningLog(),
    )
    with read_frames(outputs["video"]) as frames:
        return result, [frame.rgb() for frame in frames], outputs


def test_the_background_moves_turns_and_zooms_as_the_camera_does(shot: tuple[Clip, Path, Path], tmp_path: Path) -> None:
    clip = shot[0]
    result, frames, outputs = staged(shot, tmp_path, picture(tmp_path))
    plate = np.asarray(Image.open(outputs["background"]))
    assert plate.shape[1] >= 1.3 * 480 - 2
    assert len(frames) == FRAMES
    assert result.drift_share == 1
    assert np.asarray(Image.open(outputs["depth"])).std() == 0
    reference = round(result.reference_s * 25)
    corner = np.array([[1, 0, (plate.shape[1] - 480) / 2], [0, 1, (plate.shape[0] - 270) / 2], [0, 0, 1.0]])
    for number in (0, FRAMES // 2, FRAMES - 1):
        base = corner @ np.linalg.inv(clip.matrix(reference)) @ clip.matrix(number)
        expected = cv2.warpAffine(plate, base[:2], (480, 270), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)
        free = clip.frame(number)[1] == 0
        assert psnr(frames[number], np.asarray(expected, np.uint8), free) > 25


def test_nothing_outside_the_background_is_seen_and_too_much_drift_is_scaled_down(shot: tuple[Clip, Path, Path], tmp_path: Path) -> None:
    log = WarningLog()
    result, frames, _ = staged(shot, tmp_path, picture(tmp_path, border=4), log, bg_margin=1.15)
    assert 0.1 < result.drift_share < 0.9
    assert any("background follows" in sentence for sentence in log.warnings)
    magenta = [((frame[..., 0] > 215) & (frame[..., 1] < 60) & (frame[..., 2] > 215)).sum() for frame in frames]
    assert max(magenta) == 0


def test_near_parts_of_the_background_move_more(shot: tuple[Clip, Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    inverse = np.full((675, 1200), 0.1, np.float32)
    inverse[60:190, 600:800] = 1.0
    monkeypatch.setattr(depth, "estimated_depth", lambda rgb, progress, alone: inverse)
    place = np.full((675, 1200, 3), 60, np.uint8)
    place[::45], place[:, ::40] = 90, 90
    place[60:190, 600:800] = (220, 200, 40)
    Image.fromarray(place).save(tmp_path / "place.png")
    result, frames, outputs = staged(shot, tmp_path, tmp_path / "place.png", depth="model", depth_scale=0.6)
    assert result.parallax_px > 10
    assert np.asarray(Image.open(outputs["depth"])).max() == 255
    lefts = [_left_of_box(frame) for frame in (frames[0], frames[-1])]
    clip = shot[0]
    moved = np.linalg.inv(clip.matrix(FRAMES - 1)) @ clip.matrix(0) @ np.array([lefts[0], 15, 1])
    far = lefts[0] - moved[0] / moved[2]
    assert lefts[0] - lefts[1] == pytest.approx(far * (1 + 0.6 * 0.9), rel=0.12)


def _left_of_box(frame: np.ndarray) -> float:
    yellow = (frame[10:20, :, 2] < 100) & (frame[10:20, :, 0] > 170)
    return float(np.median([np.flatnonzero(row)[0] if row.any() else 0 for row in yellow]))


def test_the_background_follows_the_exposure(tmp_path: Path) -> None:
    clip = Clip(Shoot(frames=FRAMES, seed=32, light=0.25, pan=0, roll=0, zoom=0, tilt=0))
    Image.fromarray(np.full((270, 480, 3), 120, np.uint8)).save(tmp_path / "gray.png")
    result, frames, _ = staged((clip, *clip.write(tmp_path)), tmp_path, tmp_path / "gray.png", exposure_smooth=1)
    levels = np.array([frame[:, :40].mean() for frame in frames])
    truth = 1 + 0.25 * np.sin(6 * np.arange(FRAMES) / (FRAMES - 1))
    assert np.corrcoef(levels, truth)[0, 1] > 0.98
    assert result.exposure[1] / result.exposure[0] > 1.25


def test_a_smaller_video_keeps_its_sound(clip: Path, samples: dict[str, Path], tmp_path: Path) -> None:
    outputs = {"video": tmp_path / "out.mp4", "background": tmp_path / "bg.png", "depth": tmp_path / "depth.png"}
    params = StudioParams(depth="plane", resolution=180, start=1, duration=1)
    log = WarningLog()
    result = studio(params, video=clip, alpha=samples["matte"], background=samples["picture"], outputs=outputs, progress=log)
    info = probe(outputs["video"])
    assert info.kind == "video"
    assert (info.width, info.height, len(info.audio)) == (320, 180, 1)
    assert result.duration_s == pytest.approx(1, abs=0.05)
    assert any("320x180" in sentence for sentence in log.warnings)
    assert output_size(1920, 1080, 360) == (640, 360)
    assert output_size(641, 359, 1080) == (641, 359)
    assert (large_size(1281, 721, 1.0), large_size(640, 360, 1.1)) == ((1282, 722), (704, 396))


def test_exactly_one_background_or_prompt_must_be_given(shot: tuple[Clip, Path, Path], tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="No background is given") as refused:
        staged(shot, tmp_path, None)  # type: ignore[arg-type]
    assert refused.value.errors[0].field == "params.prompt"
    with pytest.raises(Invalid, match="Both"):
        staged(shot, tmp_path, picture(tmp_path), prompt="a beach")
    with pytest.raises(ValueError, match="at least 1"):
        StudioParams(bg_margin=0.5)


def test_the_path_is_measured_from_the_middle_of_each_shot() -> None:
    poses = [Pose(np.array([[1, 0, 10.0 * k], [0, 1, 0], [0, 0, 1]]), cut=k == 0) for k in range(11)]
    poses += [Pose(np.eye(3), cut=True)] * 3
    path, reference = camera_path(poses, 200, 100)
    assert reference == 5
    assert path.views[0, 0] == pytest.approx(-50)
    assert path.largest == pytest.approx(50)
    assert (path.views[11:] == 0).all()
    assert path.matrix(10)[0, 2] == pytest.approx(50)
    assert path.resized(400, 200).largest == pytest.approx(100)


@pytest.mark.parametrize("parallax", [0.0, 0.2])
def test_the_margin_holds_every_view(parallax: float) -> None:
    random = np.random.default_rng(1)
    views = random.uniform(-1, 1, (40, 4)) * (60, 30, 0.06, 0.08)
    path = CameraPath(views, 640, 360)
    over = overscan(path, 0, parallax)
    assert over.share == 1
    small = overscan(path, 1.2, parallax)
    assert 0 < small.share < 1
    for chosen in (over, small):
        scaled = path.scaled(chosen.share)
        room = (chosen.margin - 1) / 2 * np.array([640, 360])
        for number in range(40):
            corners = np.array([[x, y, 1.0] for x in (0, 639) for y in (0, 359)]).T
            places = (scaled.matrix(number) @ corners)[:2]
            reach = np.abs(scaled.move(number)) * parallax
            assert (places.min(axis=1) - reach >= -room - 1e-6).all()
            assert (places.max(axis=1) + reach <= np.array([639, 359]) + room + 1e-6).all()


def test_a_margin_of_one_leaves_a_still_camera_alone_and_a_small_one_allows_small_motion() -> None:
    still = CameraPath(np.zeros((9, 4)), 640, 360)
    shaken = CameraPath(np.random.default_rng(2).uniform(-0.2, 0.2, (9, 4)) * (1, 1, 0, 0), 640, 360)
    pan = CameraPath(np.linspace(-3, 3, 9)[:, None] * np.array([1.0, 0, 0, 0]), 640, 360)
    for margin in (1.0, 1.01, 1.019, 1.3):
        assert overscan(still, margin, 0.2).share == overscan(shaken, margin, 0.2).share == 1
    assert overscan(pan, 1.0, 0).share < 0.01
    assert 0.4 < overscan(pan, 1.01, 0).share < overscan(pan, 1.015, 0).share < 1


def test_each_shot_has_an_exposure_of_its_own() -> None:
    tones = [subject_tones(np.full((60, 80), level, np.uint8), np.full((60, 80), 255, np.uint8)) for level in [60] * 6 + [90] * 4]
    assert (shot_exposures(tones, [0, 6], 5) == 1).all()
    assert np.ptp(shot_exposures(tones, [0], 5)) > 0.3
    assert len(shot_exposures([], [], 5)) == 0


def test_exposure_is_smoothed_and_gaps_are_bridged() -> None:
    ratios = exposure_ratios(np.array([100, np.nan, 100, 120, 100.0]), 1)
    assert ratios[1] == 1
    assert ratios[3] == pytest.approx(1.2)
    assert exposure_ratios(np.array([100, 100, 130, 100, 100.0]), 5)[2] < 1.1
    assert (exposure_ratios(np.full(4, np.nan), 15) == 1).all()
    planes = tuple(np.full((4, 4), value, np.uint8) for value in (116, 100, 140))
    assert [plane[0, 0] for plane in exposed(planes, 1.2)] == [136, 94, 142]  # type: ignore[arg-type]


def test_constant_light_is_no_exposure_change_and_a_real_change_is() -> None:
    rng, matte = np.random.default_rng(3), np.full((60, 80), 255, np.uint8)
    shares = np.linspace(0.4, 0.6, 12)  # the subject has two tones, of which it shows more or less

    def ratios(gains: np.ndarray, low: float, high: float) -> np.ndarray:
        frames = []
        for share, gain in zip(shares, gains, strict=True):
            levels = np.where(np.arange(80) < 80 * share, low, high) * gain + rng.normal(0, 2, (60, 80))
            frames.append(np.clip(np.rint(16 + levels), 0, 255).astype(np.uint8))
        return exposure_ratios(brightness_of([subject_tones(frame, matte) for frame in frames]), 1)

    for low, high in ((60, 110), (12, 20)):
        assert np.abs(ratios(np.ones(12), low, high) - 1).max() < 0.01
    step = np.where(np.arange(12) < 5, 1.3, 1.0)
    followed = ratios(step, 60, 110)
    assert followed[:5].mean() / followed[5:].mean() == pytest.approx(1.3, rel=0.03)


def test_an_hdr_clip_keeps_the_colours_of_the_background_and_an_odd_size_is_rounded_up(tmp_path: Path) -> None:
    clip = Clip(Shoot(width=321, height=181, frames=3, seed=3, pan=0, roll=0, zoom=0, tilt=0))
    hdr = ColorInfo(primaries="bt2020", transfer="smpte2084", matrix="bt2020nc", range="tv")
    sources = clip.write(tmp_path, pixel_format="yuv420p10le", color=hdr)
    Image.new("RGB", (640, 360), (255, 128, 0)).save(tmp_path / "orange.png")
    result, frames, outputs = staged((clip, *sources), tmp_path, tmp_path / "orange.png")
    info = probe(outputs["video"])
    assert info.kind == "video"
    assert (result.width, result.height) == (info.width, info.height) == (322, 182)
    free = clip.frame(1)[1] == 0
    assert np.abs(np.median(frames[1][:181, :321][free], axis=0) - (255, 128, 0)).max() < 5


def test_the_direction_of_light_and_the_height_of_the_camera_are_found() -> None:
    matte = np.zeros((100, 160), np.uint8)
    matte[30:90, 60:90] = 255
    for side, place in (("left", np.s_[:, :50]), ("right", np.s_[:, 110:]), ("above", np.s_[:25])):
        background = BrightBackground()
        luma = np.full((100, 160), 40, np.uint8)
        luma[place] = 220
        background.add(luma, matte)
        assert background.light_from() == side
    assert camera_height(np.array([height_share(matte)])) == "eye level"
    low = np.zeros_like(matte)
    low[5:60, 60:90] = 255
    assert camera_height(np.array([height_share(low)])) == "low"
    cut_off = np.zeros_like(matte)
    cut_off[40:] = 255
    assert camera_height(np.array([height_share(cut_off)])) == "unknown"
