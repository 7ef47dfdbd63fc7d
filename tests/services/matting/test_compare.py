"""`matting.compare`, and `matting.matte` with the backends difference, chroma and MatAnyone."""

import csv
import io
import json
import sys
import zipfile

import cv2
import numpy as np
import pytest
from PIL import Image
from pydantic import ValidationError

from benchmarks.material.screen_clips import render, scene_of, write_clip
from services.matting.compare import COMPARE, CompareParams, compare
from services.matting.comparison.table import draw_table
from services.matting.comparison.tiles import Grid
from services.matting.matte import MATTE, MatteParams, matte
from shared.errors import Invalid, ModelMissing
from shared.video import probe, read_frames
from tests.services.matting import fake_matanyone
from tests.services.matting.matte_clips import alphas
from tests.warning_log import WarningLog

W, H, N = 320, 180, 4


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Write a rendered green-screen clip, its matte, its plate and the first frame's mask."""
    folder = tmp_path_factory.mktemp("screen")
    frames = list(render(scene_of("motion blur", 105, W, H), N))
    write_clip(folder / "clip.mp4", (frame.picture for frame in frames))
    gray = (np.repeat(np.rint(frame.alpha * 255).astype(np.uint8)[..., None], 3, axis=2) for frame in frames)
    write_clip(folder / "truth.mp4", gray, crf=1)
    Image.fromarray(np.clip(frames[0].plate, 0, 255).astype(np.uint8)).save(folder / "plate.png")
    Image.fromarray((frames[0].alpha > 0.5).astype(np.uint8) * 255).save(folder / "mask.png")
    return folder


def run_compare(files, tmp_path, truth=True, plate=True, **params):
    outputs = {"video": tmp_path / "video.mp4", "table": tmp_path / "table.zip"}
    references = {"truth": files / "truth.mp4" if truth else None, "plate": files / "plate.png" if plate else None}
    progress = WarningLog()
    return compare(CompareParams(**params), video=files / "clip.mp4", mask=None, **references, outputs=outputs, progress=progress), progress


def run_matte(files, tmp_path, backend, **inputs):
    arguments = dict.fromkeys(("mask", "masks", "plate", "background")) | inputs
    progress = WarningLog()
    params = MatteParams(backend=backend, composite_over="none")
    result = matte(params, video=files / "clip.mp4", **arguments, outputs={"alpha": tmp_path / "alpha.mp4"}, progress=progress)
    return result, progress


def test_backends_are_compared_side_by_side_and_in_a_table(files, tmp_path):
    result, _ = run_compare(files, tmp_path, backends=["chroma", "difference"])
    assert result.frames == N
    chroma, difference = result.backends
    assert (chroma.backend, difference.backend) == ("chroma", "difference")
    assert 0 < chroma.mad < difference.mad < 100
    assert min(chroma.mse, chroma.grad, chroma.conn, chroma.dtssd, chroma.flicker) > 0
    assert chroma.frames_per_second > 0
    assert chroma.peak_memory_bytes > 50e6
    video = probe(tmp_path / "video.mp4")
    assert (video.width, video.frames) == (2 * W, N)
    with zipfile.ZipFile(tmp_path / "table.zip") as archive:
        assert sorted(archive.namelist()) == ["comparison.csv", "comparison.json", "comparison.png"]
        rows = json.loads(archive.read("comparison.json"))
        lines = list(csv.DictReader(io.StringIO(archive.read("comparison.csv").decode())))
        picture = Image.open(io.BytesIO(archive.read("comparison.png")))
    assert [row["backend"] for row in rows] == [line["backend"] for line in lines] == ["chroma", "difference"]
    assert rows[0] == chroma.model_dump()
    assert float(lines[0]["mad"]) == chroma.mad
    assert picture.width > 300
    assert set(tmp_path.iterdir()) == {tmp_path / "table.zip", tmp_path / "video.mp4"}


def test_without_truth_there_are_no_errors(files, tmp_path):
    result, _ = run_compare(files, tmp_path, truth=False, plate=False, backends=["chroma"], show="matte", duration=0.1)
    (row,) = result.backends
    assert row.mad is row.dtssd is None
    assert row.flicker is not None
    with read_frames(tmp_path / "video.mp4") as frames:
        picture = next(frames).rgb()
    assert np.ptp(picture[-40:, -60:].mean(2)) < 12


def test_a_missing_backend_is_named_with_its_command(use_settings, tmp_path):
    use_settings(models_dir=tmp_path)
    with pytest.raises(ModelMissing, match="models pull rvm-mobilenetv3"):
        COMPARE.check_available(CompareParams(backends=["chroma", "rvm"]))
    COMPARE.check_available(CompareParams(backends=["chroma"]))


def test_missing_inputs_are_refused_before_a_job_is_queued():
    for backends, inputs, field in (
        (["rvm", "difference"], {"mask": "m"}, "inputs.plate"),
        (["rvm", "matanyone"], {"plate": "p"}, "inputs.mask"),
    ):
        with pytest.raises(Invalid) as refused:
            COMPARE.refuse(CompareParams(backends=backends), inputs)
        assert refused.value.errors[0].field == field
    COMPARE.refuse(CompareParams(backends=["rvm", "difference", "matanyone"]), {"mask": "m", "plate": "p"})


def test_memory_is_that_of_the_largest_backend():
    small, large = (COMPARE.process_bytes(CompareParams(backends=names)) for names in (["rvm", "chroma"], ["rvm", "birefnet"]))
    assert small == MATTE.process_bytes(MatteParams(backend="rvm")) < 0.4e9
    assert large == MATTE.process_bytes(MatteParams(backend="birefnet")) > 5e9
    assert small < MATTE.process_bytes(MatteParams(backend="matanyone")) < large
    assert COMPARE.bytes_per_pixel(CompareParams()) == MATTE.bytes_per_pixel(MatteParams())


def test_backends_must_differ():
    with pytest.raises(ValidationError, match="must differ"):
        CompareParams(backends=["chroma", "chroma"])


def test_the_best_values_are_marked_and_empty_columns_left_out():
    rows = [{"backend": name, "frames_per_second": fps, "mad": None} for name, fps in (("one", 2.0), ("two", 3.0))]
    with_errors = [row | {"mad": 5.0} for row in rows]
    assert draw_table(rows).width < draw_table(with_errors).width


@pytest.mark.parametrize("count", [1, 2, 5, 9])
def test_a_grid_holds_every_picture_and_stays_within_4k(count):
    grid = Grid(count, 1920, 1080)
    assert grid.width <= 3842
    assert grid.height <= 2500
    sheet = grid.draw([np.full((108, 192, 3), 200, np.uint8)] * count, [f"number {index}" for index in range(count)])
    assert sheet.shape == (grid.height, grid.width, 3)
    assert (sheet == 200).mean() > 0.5


def test_difference_makes_a_matte_and_says_when_the_plate_does_not_fit(files, tmp_path):
    result, progress = run_matte(files, tmp_path, "difference", plate=files / "plate.png")
    assert result.backend.licence == "Apache-2.0"
    assert progress.warnings == []
    other = tmp_path / "other.png"
    Image.fromarray(np.full((H, W, 3), (90, 60, 140), np.uint8)).save(other)
    _, progress = run_matte(files, tmp_path, "difference", plate=other)
    assert any("plate does not fit" in warning for warning in progress.warnings)
    with pytest.raises(Invalid, match="needs a clean plate"):
        run_matte(files, tmp_path, "difference")


def test_auto_takes_a_plate_that_fits_and_else_the_screen(files, tmp_path):
    result, _ = run_matte(files, tmp_path, "auto", plate=files / "plate.png")
    assert result.backend.name == "difference"
    assert "the clean plate fits" in result.backend.reason
    result, _ = run_matte(files, tmp_path, "auto")
    assert result.backend.name == "chroma"
    assert "green screen" in result.backend.reason


@pytest.fixture
def package(tmp_path_factory, monkeypatch, use_settings):
    import torch

    folder = tmp_path_factory.mktemp("matanyone")
    fake_matanyone.install(folder, "matanyone2")
    monkeypatch.syspath_prepend(folder)
    (folder / "models/matanyone2").mkdir(parents=True)
    torch.save({"gain": torch.tensor(1.0)}, folder / "models/matanyone2/matanyone2.pth")
    use_settings(models_dir=folder / "models", device="cpu")
    before = set(sys.modules)
    yield
    for name in set(sys.modules) - before:
        if name.partition(".")[0] in ("matanyone2", "omegaconf", "einops", "imageio"):
            del sys.modules[name]


@pytest.mark.usefixtures("package")
def test_matanyone_follows_its_mask(files, tmp_path):
    result, _ = run_matte(files, tmp_path, "matanyone2", mask=files / "mask.png")
    assert result.backend.model == "matanyone2"
    assert result.backend.commercial_use is False
    assert result.backend.library == "torch"
    gray = tmp_path / "gray.mp4"
    write_clip(gray, [np.full((H, W, 3), 90, np.uint8)] * 2)
    automatic = matte(
        MatteParams(composite_over="none"), video=gray, **dict.fromkeys(("masks", "plate", "background")), mask=files / "mask.png",
        outputs={"alpha": tmp_path / "automatic.mp4"},
    )  # fmt: skip
    assert (automatic.backend.name, automatic.backend.reason) == ("matanyone2", "a mask shows the subject")
    mask = np.asarray(Image.open(files / "mask.png"))
    inner = cv2.erode(mask, np.ones((9, 9), np.uint8)) > 0
    mattes = alphas(tmp_path / "alpha.mp4")
    assert len(mattes) == N
    assert mattes[0][inner].mean() > 0.7
    assert mattes[0][mask == 0].mean() < 0.3
    with pytest.raises(Invalid, match="needs a mask"):
        run_matte(files, tmp_path, "matanyone2")


@pytest.mark.usefixtures("package")
def test_a_later_mask_restarts_the_subject_of_its_colour(files, tmp_path, monkeypatch):
    from services.matting.matanyone.stream import Stream

    started = []
    start = Stream._start
    monkeypatch.setattr(Stream, "_start", lambda stream, name, *rest: started.append(name) or start(stream, name, *rest))
    picture = np.zeros((H, W, 3), np.uint8)
    picture[40:140, 20:60] = 30, 220, 40
    Image.fromarray(picture).save(tmp_path / "2.png")
    with zipfile.ZipFile(tmp_path / "masks.zip", "w") as masks:
        masks.write(tmp_path / "2.png", "2.png")
    picture[40:140, 100:300] = 230, 30, 30
    Image.fromarray(picture).save(tmp_path / "mask.png")
    run_matte(files, tmp_path, "matanyone2", mask=tmp_path / "mask.png", masks=tmp_path / "masks.zip")
    assert started == ["#e61e1e", "#1edc28", "#1edc28"]
