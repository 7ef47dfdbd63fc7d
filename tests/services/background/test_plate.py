"""`background.plate` on clips with known backgrounds."""

from contextlib import closing
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image
from scenes import Clip, Shoot, psnr, wall

from services.background.clean_plate.anchors import camera_path, pairs, place_anchors
from services.background.clip.planes import alpha_of, background_of
from services.background.plate import PlateParams, PlateResult, plate
from services.background.registration.alignment import Anchor
from shared.errors import Invalid, UnsupportedMedia
from shared.operation import Silent
from shared.video import VideoWriter
from tests.warning_log import WarningLog


def made(clip: Clip, folder: Path, **params: object) -> tuple[PlateResult, np.ndarray, np.ndarray, list[str]]:
    video, matte = clip.write(folder)
    outputs = {"plate": folder / "plate.png", "invented": folder / "invented.png"}
    log = WarningLog()
    result = plate(PlateParams(**params), video=video, alpha=matte, outputs=outputs, progress=log)  # type: ignore[arg-type]
    return result, np.asarray(Image.open(outputs["plate"])), np.asarray(Image.open(outputs["invented"])), log.warnings


class Still(Clip):
    """A clip of five equal frames: a red subject before a gray wall."""

    def __init__(self, *, subject: bool = True) -> None:
        super().__init__(Shoot(width=240, height=136, frames=5, subject=subject))
        grain = wall(240, 136).astype(np.float32).mean(axis=2, keepdims=True)
        self.wall = np.repeat(np.rint(100 + (grain - 128) * 0.4), 3, axis=2).astype(np.uint8)

    def frame(self, k: int) -> tuple[np.ndarray, np.ndarray]:
        """Draw frame `k` and its matte, equal for all `k`."""
        y, x = np.mgrid[0:136, 0:240]
        distance = np.hypot(x - 120.5, y - 67) if self.shoot.subject else np.full((136, 240), 99.0)
        weight = np.clip((35 - distance) / 3 + 0.5, 0, 1)[..., None]
        picture = self.wall * (1 - weight) + np.array([220.0, 30.0, 30.0]) * weight
        return np.rint(picture).astype(np.uint8), np.rint(weight[..., 0] * 255).astype(np.uint8)


def truth(clip: Clip, result: PlateResult) -> np.ndarray:
    k = round(result.reference_s * 25)
    picture = clip.background(k, left=result.left, top=result.top, size=(result.width, result.height)).astype(np.float32)
    light = 1 + clip.shoot.light * np.sin(6 * k / (clip.shoot.frames - 1))
    return np.clip(picture * light, 0, 255).astype(np.uint8)


@pytest.mark.parametrize(
    "shoot",
    [
        pytest.param(Shoot(seed=11), id="pan, roll, zoom, tilt"),
        pytest.param(Shoot(seed=12, light=0.2), id="light"),
        pytest.param(Shoot(seed=13, bystander=0.6), id="bystander"),
    ],
)
def test_the_plate_is_the_background(shoot: Shoot, tmp_path: Path) -> None:
    clip = Clip(shoot)
    result, picture, invented, _ = made(clip, tmp_path)
    assert psnr(picture, truth(clip, result), invented == 0) > 34
    assert result.aligned_share == 1
    assert result.parallax_share < 0.05
    assert (result.transient_share > 0.01) == bool(shoot.bystander)


def test_a_panorama_holds_what_the_camera_saw(tmp_path: Path) -> None:
    clip = Clip(Shoot(pan=0.9, frames=50, seed=14))
    result, picture, invented, _ = made(clip, tmp_path, canvas="panorama")
    assert result.width > 1.7 * clip.shoot.width
    assert psnr(picture, truth(clip, result), invented == 0) > 34
    assert result.invented_share == pytest.approx((invented > 0).mean(), abs=1e-3)


def test_places_that_are_always_hidden_are_filled_and_reported(tmp_path: Path) -> None:
    clip = Clip(Shoot(pan=0, roll=0, zoom=0, tilt=0, wander=0.02, frames=16, seed=15))
    result, picture, invented, warnings = made(clip, tmp_path)
    hidden = clip.frame(8)[1] > 250
    assert (invented[hidden] > 0).mean() > 0.6
    assert result.inpaint == "smooth"
    assert any("hidden in every frame" in text for text in warnings)
    assert np.abs(picture[invented > 0].mean(axis=0) - picture[invented == 0].mean(axis=0)).max() < 60


def test_no_colour_of_the_subject_stays_around_a_hole(tmp_path: Path) -> None:
    clip = Still()
    result, picture, invented, _ = made(clip, tmp_path, samples=5, grow=1)
    error = np.abs(picture.astype(int) - clip.wall).max(axis=2)
    ring = (cv2.dilate(invented, np.ones((7, 7))) > 0) & (invented == 0)
    assert result.invented_share > 0.1
    assert error[ring].max() < 20


def test_a_panorama_of_a_still_clip_is_the_frame(tmp_path: Path) -> None:
    clip = Still(subject=False)
    result, picture, invented, _ = made(clip, tmp_path, samples=5, canvas="panorama")
    assert (result.width, result.height, result.left, result.top) == (240, 136, 0, 0)
    assert not invented.any()
    assert np.abs(picture.astype(int) - clip.wall).mean() < 3


def test_depth_is_reported(tmp_path: Path) -> None:
    # Two walls at different depths move at different speeds: a plate of the far wall does not fit the near one.
    far, near = Clip(Shoot(subject=False, roll=0, zoom=0, tilt=0, pan=0.2, seed=16)), Clip(Shoot(subject=False, seed=17))
    video, matte = tmp_path / "clip.mp4", tmp_path / "matte.mp4"
    with (
        VideoWriter(video, width=480, height=270, frame_rate=25, quality=95) as clip,
        VideoWriter(matte, width=480, height=270, frame_rate=25) as gray,
    ):  # type: ignore[arg-type]
        from scenes import rgb_picture

        for k in range(30):
            picture = far.frame(k)[0]
            shift = np.array([[1, 0, -260 + 6.0 * k], [0, 1, -60]])
            moved = cv2.warpAffine(near.wall, shift, (480, 270)) + np.random.default_rng(k).normal(0, 2, picture.shape)
            picture[150:] = np.clip(np.rint(moved[150:]), 0, 255)
            clip.write(rgb_picture(picture), k)
            gray.write(rgb_picture(np.zeros((270, 480, 3), np.uint8)), k)
    log = WarningLog()
    outputs = {"plate": tmp_path / "plate.png", "invented": tmp_path / "invented.png"}
    result = plate(PlateParams(), video=video, alpha=matte, outputs=outputs, progress=log)
    assert result.parallax_share >= 0.1
    assert any("has depth" in text for text in log.warnings)


def test_frames_are_aligned_to_a_fraction_of_a_pixel(tmp_path: Path) -> None:
    # The camera pans, rolls and zooms.
    clip = Clip(Shoot(seed=41, width=960, height=540, frames=24, pan=0.5, roll=4, zoom=0.12))
    video, matte = clip.write(tmp_path)
    path = camera_path(video, matte, PlateParams(), Silent(), per_second=Fraction(25), expected=24)
    assert len(path) == 24
    reference = path[12]
    anchor = place_anchors(video, matte, path, reference, grow=4)[0].anchor
    assert isinstance(anchor, Anchor)
    grid = np.mgrid[10:950:47, 10:530:40].reshape(2, -1).T[None].astype(np.float64)
    errors = []
    with closing(pairs(video, matte, PlateParams())) as frames:
        looks = [(frame.luma().copy(), background_of(alpha_of(alpha, (960, 540)), 4)) for frame, alpha in frames]
    for k in (0, 4, 8, 16, 20, 23):
        luma, background = looks[k]
        guess = np.linalg.solve(reference.matrix, path[k].matrix)
        alignment = anchor.align(luma, background, guess)
        assert alignment is not None
        exact = np.linalg.solve(clip.matrix(12), clip.matrix(k))
        places = cv2.perspectiveTransform(grid, exact)
        # Only what the anchor shows, too, can be aligned to it.
        visible = ((places > 0) & (places < (960, 540))).all(axis=2)
        errors.append(np.linalg.norm(cv2.perspectiveTransform(grid, alignment.matrix) - places, axis=2)[visible])
    assert np.median(np.concatenate(errors)) < 0.3
    assert np.concatenate(errors).max() < 1


def test_bad_input_is_refused_with_a_message(tmp_path: Path) -> None:
    clip = Clip(Shoot(frames=8, pan=0))
    video, matte = clip.write(tmp_path)
    outputs = {"plate": tmp_path / "plate.png", "invented": tmp_path / "invented.png"}
    with pytest.raises(Invalid, match="has no part that starts at"):
        plate(PlateParams(start=9), video=video, alpha=matte, outputs=outputs)
    with pytest.raises(Invalid, match=r"50 s lies outside the part, which lasts from 0 to 0.32 s") as refused:
        plate(PlateParams(reference=50), video=video, alpha=matte, outputs=outputs)
    assert refused.value.errors[0].field == "params.reference"
    with pytest.raises(Invalid, match=r"from 0.2 to 0.32 s"):
        plate(PlateParams(start=0.2, reference=0.1), video=video, alpha=matte, outputs=outputs)
    still = tmp_path / "still.png"
    Image.new("L", (480, 270)).save(still)
    with pytest.raises(UnsupportedMedia, match="a matte is a gray video"):
        plate(PlateParams(), video=video, alpha=still, outputs=outputs)
    white = tmp_path / "white.mp4"
    with VideoWriter(white, width=480, height=270, frame_rate=25) as writer:  # type: ignore[arg-type]
        for k in range(8):
            writer.write((np.full((270, 480), 235, np.uint8), *[np.full((135, 240), 128, np.uint8)] * 2), k)
    with pytest.raises(Invalid, match="the subject fills the picture"):
        plate(PlateParams(), video=video, alpha=white, outputs=outputs)
    assert not outputs["plate"].exists()
