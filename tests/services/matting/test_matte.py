"""`matting.matte` with tiny networks: outputs, sources and refusals."""

import zipfile
from pathlib import Path

import cv2
import numpy as np
import pytest

from services.matting import matte as matte_module
from services.matting.backends import auto
from services.matting.backends.auto import ORDER
from services.matting.backends.table import BACKENDS
from services.matting.compare import COMPARE, CompareParams
from services.matting.mask import MASK, MaskParams
from services.matting.matte import MATTE, MatteParams
from shared.errors import Invalid, ModelMissing
from shared.video import probe, read_frames, read_together
from tests.services.matting.matte_clips import HEIGHT, RED, WIDTH, alphas, disc, iou, picture, run, write_clip
from tests.warning_log import WarningLog

RED_FINDER = {"backend": "rmbg2", "steadiness": 0}


@pytest.fixture(scope="module")
def two_discs(tmp_path_factory) -> Path:
    """Write eight frames of a moving disc and a still disc."""
    pictures = [picture([(60 + 3 * number, 90), (250, 80)]) for number in range(8)]
    return write_clip(tmp_path_factory.mktemp("clips") / "two.mp4", pictures, sound=True)


@pytest.mark.usefixtures("models")
def test_alpha_composite_and_foreground_are_written(two_discs, tmp_path):
    result = run(tmp_path, two_discs, foreground="straight", composite_over="#0000ff", **RED_FINDER)
    assert (result.frames, result.width, result.height) == (8, WIDTH, HEIGHT)
    assert result.backend.model_dump() | {"precision": ""} == {
        "name": "rmbg2", "reason": "the request names this backend", "model": "rmbg-2.0", "licence": "CC BY-NC 4.0",
        "commercial_use": False, "library": "openvino", "precision": "", "device": "cpu", "resolution": "320x180",
    }  # fmt: skip
    for number, alpha in enumerate(alphas(tmp_path / "alpha.mp4")):
        assert iou(alpha, disc(60 + 3 * number, 90) | disc(250, 80)) > 0.85
    with read_frames(tmp_path / "composite.mp4") as frames:
        composite = next(frames).rgb()
    assert np.abs(composite[150, 150].astype(int) - (0, 0, 255)).max() < 12
    assert np.abs(composite[90, 60].astype(int) - RED).max() < 25
    info = probe(tmp_path / "composite.mp4")
    assert len(info.audio) == 1
    assert probe(tmp_path / "alpha.mp4").audio == ()
    assert probe(tmp_path / "alpha.mp4").color.range == "tv"


@pytest.mark.usefixtures("models")
def test_the_main_subject_is_kept_and_followed(two_discs, tmp_path):
    points = {"point": {"points": [(0.19, 0.5, 1)]}, "box": {"box": (20, 50, 110, 130)}, "main": {}}
    for subject, more in points.items():
        run(tmp_path, two_discs, subject=subject, **more, **RED_FINDER)
        mattes = alphas(tmp_path / "alpha.mp4")
        truth = [disc(250, 80) if subject == "main" else disc(60 + 3 * number, 90) for number in range(8)]
        assert min(iou(alpha, expected) for alpha, expected in zip(mattes, truth, strict=True)) > 0.85, subject


@pytest.mark.usefixtures("models")
def test_people_who_cross_stay_apart(tmp_path):
    pictures = [picture([(90 + 4 * number, 70), (230 - 4 * number, 108)]) for number in range(30)]
    clip = write_clip(tmp_path / "cross.mp4", pictures)
    run(tmp_path, clip, subject="point", points=[(90, 70, 1)], **RED_FINDER)
    mattes = alphas(tmp_path / "alpha.mp4")
    assert iou(mattes[0], disc(90, 70)) > 0.85
    assert iou(mattes[-1], disc(90 + 4 * 29, 70)) > 0.65
    assert np.mean(mattes[-1][disc(230 - 4 * 29, 108)]) < 0.4


@pytest.mark.usefixtures("models")
def test_a_mask_marks_the_subject(two_discs, tmp_path):
    mask = tmp_path / "mask.png"
    cv2.imwrite(str(mask), disc(250, 80).astype(np.uint8) * 255)
    result = run(tmp_path, two_discs, inputs={"mask": mask}, **RED_FINDER)
    assert result.subject == "mask"
    assert all(iou(alpha, disc(250, 80)) > 0.85 for alpha in alphas(tmp_path / "alpha.mp4"))


@pytest.mark.usefixtures("models")
@pytest.mark.parametrize(
    ("pixels", "message"),
    [
        (np.zeros((HEIGHT, WIDTH), np.uint8), "is empty"),
        (np.full((HEIGHT, WIDTH), 255, np.uint8), "is white everywhere"),
        (np.full((200, 200), 255, np.uint8), r"\(200x200\) has another aspect ratio than the video \(320x180\)"),
    ],
)
def test_masks_that_do_not_fit_are_refused(two_discs, tmp_path, pixels, message):
    mask = tmp_path / "mask.png"
    cv2.imwrite(str(mask), pixels)
    with pytest.raises(Invalid, match=message) as refused:
        run(tmp_path, two_discs, inputs={"mask": mask}, **RED_FINDER)
    assert refused.value.errors[0].field == "inputs.mask"
    assert list(tmp_path.glob("*.mp4")) == []


@pytest.mark.usefixtures("models")
def test_a_smaller_mask_is_scaled_with_a_warning(two_discs, tmp_path):
    mask, progress = tmp_path / "mask.png", WarningLog()
    cv2.imwrite(str(mask), cv2.resize(disc(250, 80).astype(np.uint8) * 255, (160, 90)))
    run(tmp_path, two_discs, progress, inputs={"mask": mask}, **RED_FINDER)
    assert any("was scaled to the size of the video (320x180)" in warning for warning in progress.warnings)


@pytest.mark.usefixtures("models")
def test_subject_mask_without_a_mask_is_refused(two_discs, tmp_path):
    with pytest.raises(Invalid, match="`subject` mask needs a mask"):
        run(tmp_path, two_discs, subject="mask", **RED_FINDER)


@pytest.mark.usefixtures("models")
def test_an_empty_scene_gives_a_black_matte_and_a_warning(tmp_path):
    clip, progress = write_clip(tmp_path / "empty.mp4", [picture([])] * 4), WarningLog()
    result = run(tmp_path, clip, progress, subject="main", **RED_FINDER)
    assert result.coverage < 0.001
    assert max(float(alpha.max()) for alpha in alphas(tmp_path / "alpha.mp4")) < 0.02
    assert any("found no subject" in warning and "black" in warning for warning in progress.warnings)


@pytest.mark.usefixtures("models")
def test_recurrent_state_is_carried_and_reset_at_cuts(tmp_path):
    shot, other = picture([(80, 90)], ground=150), 255 - picture([(220, 60)], ground=150)
    clip = write_clip(tmp_path / "cut.mp4", [shot] * 5 + [other] * 5)
    result = run(tmp_path, clip, backend="rvm-resnet50", precision="f32", composite_over="none")
    levels = [float(alpha.mean()) for alpha in alphas(tmp_path / "alpha.mp4")]
    assert result.cuts == [0.2]
    # Half of the luma, and half of what was before: it rises towards the luma, and begins anew after the cut.
    assert levels[0] < levels[1] < levels[2]
    assert levels[4] / levels[0] == pytest.approx(1.94, abs=0.04)
    assert levels[9] / levels[5] == pytest.approx(1.94, abs=0.04)
    assert not (tmp_path / "composite.mp4").exists()


@pytest.mark.usefixtures("models")
def test_resolution_is_the_networks_and_not_the_outputs(two_discs, tmp_path):
    result = run(tmp_path, two_discs, backend="rvm-resnet50", resolution=90)
    assert result.backend.resolution == "160x90"
    assert probe(tmp_path / "alpha.mp4").width == WIDTH


@pytest.mark.usefixtures("models")
@pytest.mark.parametrize(("format", "suffix", "pixels"), [("prores", "mov", "yuva444p12le"), ("vp9", "webm", "yuva420p")])
def test_alpha_is_written_as_transparency(two_discs, tmp_path, format, suffix, pixels):
    run(tmp_path, two_discs, alpha_format=format, composite_over="none", duration=0.1, **RED_FINDER)
    path = (tmp_path / "alpha.mp4").rename(tmp_path / f"alpha.{suffix}")
    info = probe(path)
    assert info.has_alpha
    with read_frames(path) as frames:
        frame = next(frames)
    assert frame.picture.format.name == pixels
    *_, alpha = frame.planes()
    assert iou(alpha.astype(np.float32) / alpha.max(), disc(60, 90) | disc(250, 80)) > 0.85


@pytest.mark.usefixtures("models")
def test_alpha_is_written_as_pictures(two_discs, tmp_path):
    run(tmp_path, two_discs, alpha_format="png", composite_over="none", **RED_FINDER)
    with zipfile.ZipFile(tmp_path / "alpha.mp4") as archive:
        assert len(archive.namelist()) == 8
        matte = cv2.imdecode(np.frombuffer(archive.read("frame-000000.png"), np.uint8), cv2.IMREAD_UNCHANGED)
    assert matte.max() == 255
    assert iou(matte / 255, disc(60, 90) | disc(250, 80)) > 0.85


@pytest.mark.usefixtures("models")
def test_the_composite_lies_over_transparency_or_a_picture(two_discs, tmp_path):
    run(tmp_path, two_discs, composite_over="transparency", duration=0.1, **RED_FINDER)
    assert probe((tmp_path / "composite.mp4").rename(tmp_path / "composite.mov")).pixel_format == "yuva444p12le"
    behind = tmp_path / "behind.png"
    cv2.imwrite(str(behind), np.full((50, 50, 3), (20, 200, 20), np.uint8))
    run(tmp_path, two_discs, inputs={"background": behind}, duration=0.1, **RED_FINDER)
    with read_frames(tmp_path / "composite.mp4") as frames:
        assert np.abs(next(frames).rgb()[150, 150].astype(int) - 20).max() > 100


@pytest.mark.usefixtures("models")
def test_a_background_picture_alone_asks_the_backend_for_the_foreground(two_discs, tmp_path, monkeypatch):
    setups = []
    made = matte_module._setup
    monkeypatch.setattr(matte_module, "_setup", lambda *arguments: setups.append(made(*arguments)) or setups[-1])
    behind = tmp_path / "behind.png"
    cv2.imwrite(str(behind), np.full((50, 50, 3), 200, np.uint8))
    run(tmp_path, two_discs, inputs={"background": behind}, composite_over="none", duration=0.1, **RED_FINDER)
    run(tmp_path, two_discs, composite_over="none", duration=0.1, **RED_FINDER)
    assert [setup.foreground for setup in setups] == [True, False]


@pytest.mark.usefixtures("models")
def test_ten_bits_become_eight_and_varying_times_stay(tmp_path):
    pts = [0, 1, 2, 6, 7, 12]
    pictures = [picture([(60 + 3 * number, 90)]) for number in range(6)]
    clip, progress = write_clip(tmp_path / "vfr.mp4", pictures, pts=pts, pixel_format="yuv420p10le"), WarningLog()
    run(tmp_path, clip, progress, composite_over="none", **RED_FINDER)
    with read_frames(tmp_path / "alpha.mp4") as frames:
        assert [round(frame.time * 25) for frame in frames] == pts
    assert any("from 10 to 8 bits" in warning for warning in progress.warnings)


@pytest.mark.usefixtures("models")
def test_a_part_begins_at_zero_with_its_sound(two_discs, tmp_path):
    result = run(tmp_path, two_discs, start=0.12, duration=0.12, **RED_FINDER)
    assert result.frames == 3
    info = probe(tmp_path / "composite.mp4")
    assert info.duration_s == pytest.approx(0.12, abs=0.01)
    assert iou(alphas(tmp_path / "alpha.mp4")[0], disc(69, 90) | disc(250, 80)) > 0.85


@pytest.mark.usefixtures("models")
def test_a_part_may_keep_the_times_of_the_clip(two_discs, tmp_path):
    run(tmp_path, two_discs, start=0.12, duration=0.12, keep_times=True, composite_over="none", **RED_FINDER)
    with read_together(two_discs, tmp_path / "alpha.mp4", start=0.12, duration=0.12) as pairs:
        mattes = [(round(frame.time * 25), round(matte.time * 25), matte.matte() > 127) for frame, matte in pairs]
    assert [(clip, own) for clip, own, _ in mattes] == [(3, 3), (4, 4), (5, 5)]
    assert min(iou(alpha, disc(60 + 3 * number, 90) | disc(250, 80)) for number, _, alpha in mattes) > 0.85
    assert not alphas(tmp_path / "alpha.mp4")[0].any()
    with pytest.raises(ValueError, match="keep_times needs alpha_format gray"):
        MatteParams(keep_times=True, alpha_format="png")


def test_missing_weights_are_named_with_their_command(use_settings, two_discs, tmp_path):
    use_settings(models_dir=tmp_path / "none", device="cpu")
    assert MATTE.unavailable(MatteParams(backend="rvm")) == "reelwright models pull rvm-mobilenetv3"
    assert MATTE.unavailable(MatteParams(backend="rmbg2")) == "reelwright models pull rmbg-2.0 --non-commercial"
    assert MATTE.unavailable(MatteParams()) is None
    with pytest.raises(
        ModelMissing, match=r"No installed backend suits this clip\. To install one, run: reelwright models pull rvm-mobilenetv3"
    ):
        run(tmp_path, two_discs)
    with pytest.raises(ModelMissing, match="Run: reelwright models pull u2netp"):
        run(tmp_path, two_discs, backend="u2netp")
    assert list(tmp_path.glob("*.mp4")) == []


def test_the_chosen_birefnet_has_to_be_installed(use_settings, monkeypatch, tmp_path):
    use_settings(models_dir=tmp_path, device="cpu")
    monkeypatch.setattr(auto, "installed", lambda name: name == "birefnet-general")
    assert MATTE.unavailable(MatteParams(backend="birefnet")) is None
    portrait = "reelwright models pull birefnet-portrait"
    assert MATTE.unavailable(MatteParams(backend="birefnet", birefnet="portrait")) == portrait
    assert MASK.unavailable(MaskParams(backend="birefnet", birefnet="portrait")) == portrait
    assert COMPARE.unavailable(CompareParams(backends=["birefnet"], birefnet="portrait")) == portrait


@pytest.mark.usefixtures("models")
def test_auto_takes_no_model_for_non_commercial_use(two_discs, tmp_path):
    result = run(tmp_path, two_discs)  # only rvm-resnet50 and rmbg2 are installed
    assert result.backend.name == "rvm-resnet50"
    assert result.backend.reason


def test_the_table_of_backends_is_complete():
    names = {row.name for row in BACKENDS}
    assert {"rvm", "rvm-resnet50", "birefnet", "u2netp", "rmbg2", "chroma"} <= names
    assert all(row.models or row.licence for row in BACKENDS)
    assert all(row.commercial_use or row.models for row in BACKENDS)
    assert "rmbg2" not in ORDER


@pytest.mark.usefixtures("models")
def test_auto_says_why_a_plate_was_not_used(two_discs, tmp_path):
    plate, progress = tmp_path / "plate.png", WarningLog()
    cv2.imwrite(str(plate), np.random.default_rng(1).integers(0, 255, (HEIGHT, WIDTH, 3)).astype(np.uint8))
    result = run(tmp_path, two_discs, progress, inputs={"plate": plate}, composite_over="none", duration=0.1)
    assert result.backend.name == "rvm-resnet50"
    assert any(warning.startswith("The clean plate was not used: only") for warning in progress.warnings)
    cv2.imwrite(str(plate), cv2.cvtColor(picture([]), cv2.COLOR_RGB2BGR))
    progress = WarningLog()
    assert run(tmp_path, two_discs, progress, inputs={"plate": plate}, duration=0.1).backend.name == "difference"
    assert not any("plate" in warning for warning in progress.warnings)
    run(tmp_path, two_discs, progress, inputs={"plate": plate}, duration=0.1, backend="rvm-resnet50")
    assert "The clean plate was not used: the backend rvm-resnet50 uses none." in progress.warnings


@pytest.mark.usefixtures("models")
def test_garbage_and_core_hold_for_every_frame(two_discs, tmp_path):
    garbage, core = tmp_path / "garbage.png", tmp_path / "core.png"
    left, corner = np.zeros((2, HEIGHT, WIDTH), np.uint8)
    left[:, :210], corner[:40, -40:] = 255, 255
    cv2.imwrite(str(garbage), left)
    cv2.imwrite(str(core), corner)
    run(tmp_path, two_discs, inputs={"garbage": garbage, "core": core}, composite_over="none", **RED_FINDER)
    for alpha in alphas(tmp_path / "alpha.mp4"):
        assert iou(alpha, disc(250, 80) | (corner > 0)) > 0.85
    run(
        tmp_path,
        two_discs,
        inputs={"garbage": garbage, "core": core},
        subject="box",
        box=(200, 40, 300, 120),
        dilate=50,
        feather=9,
        composite_over="none",
        **RED_FINDER,
    )
    for alpha in alphas(tmp_path / "alpha.mp4"):
        assert alpha[:, :208].max() < 0.02
        assert alpha[2:36, -36:-2].min() > 0.98
    cv2.imwrite(str(core), np.zeros((50, 50), np.uint8))
    with pytest.raises(Invalid, match="another aspect ratio") as refused:
        run(tmp_path, two_discs, inputs={"core": core}, **RED_FINDER)
    assert refused.value.errors[0].field == "inputs.core"


@pytest.mark.usefixtures("models")
def test_a_mark_where_no_subject_is_gives_a_warning_or_a_refusal(two_discs, tmp_path):
    progress = WarningLog()
    run(tmp_path, two_discs, progress, subject="point", points=[(160, 10, 1)], composite_over="none", **RED_FINDER)
    assert any(warning.startswith("The backend rmbg2 found no subject where `point` marks one") for warning in progress.warnings)
    for more in ({"subject": "point", "points": [(5000, 9000, 1)]}, {"subject": "box", "box": (900, 0, 1000, 50)}):
        with pytest.raises(Invalid, match="lies outside the picture of 320x180"):
            run(tmp_path, two_discs, **more, **RED_FINDER)


@pytest.mark.usefixtures("models")
def test_masks_without_effect_give_warnings(two_discs, tmp_path):
    archive, progress = tmp_path / "masks.zip", WarningLog()
    mask = cv2.imencode(".png", disc(250, 80).astype(np.uint8) * 255)[1].tobytes()
    with zipfile.ZipFile(archive, "w") as masks:
        for name in ("0.png", "4.png", "999.png"):
            masks.writestr(name, mask)
    run(tmp_path, two_discs, progress, inputs={"masks": archive}, composite_over="none", **RED_FINDER)
    assert iou(alphas(tmp_path / "alpha.mp4")[0], disc(250, 80)) > 0.85
    assert "Masks for frames outside the part were not used: 1." in progress.warnings
    assert any("rmbg2 cannot use masks of later frames" in warning for warning in progress.warnings)


@pytest.mark.usefixtures("models")
def test_a_plate_of_another_shape_is_refused(two_discs, tmp_path):
    plate = tmp_path / "plate.png"
    cv2.imwrite(str(plate), np.zeros((50, 50, 3), np.uint8))
    with pytest.raises(Invalid, match=r"The plate \(50x50\) has another aspect ratio than the video \(320x180\)"):
        run(tmp_path, two_discs, backend="difference", inputs={"plate": plate})


@pytest.mark.usefixtures("models")
def test_a_small_subject_gives_no_warning_about_a_black_matte(tmp_path):
    ball = picture([])
    cv2.circle(ball, (100, 90), 2, RED, -1)
    clip, progress = write_clip(tmp_path / "ball.mp4", [cv2.resize(ball, (640, 360))] * 3), WarningLog()
    result = run(tmp_path, clip, progress, composite_over="none", **RED_FINDER)
    assert 0 < result.coverage < 0.0005
    assert not any("black" in warning for warning in progress.warnings)
