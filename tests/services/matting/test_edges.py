"""Edges, holes and blobs of single mattes, and foreground colours."""

import cv2
import numpy as np
import pytest

from services.matting.edges.edges import finished, refined, without_blobs, without_holes
from services.matting.edges.options import EdgeOptions
from services.matting.output.foreground import foreground_of
from shared.video import read_frames
from tests.services.matting.matte_clips import RED, alphas, picture, run, write_clip

H, W = 120, 160


def ring(*, outer: int = 40, inner: int = 10) -> np.ndarray:
    """Draw a matte (H, W) of a disc with a hole in its middle."""
    rows, columns = np.mgrid[0:H, 0:W]
    distance = np.hypot(columns - 80, rows - 60)
    return ((distance < outer) & (distance >= inner)).astype(np.float32)


def test_a_hole_is_filled_up_to_its_share():
    alpha = ring()
    share = float((ring(inner=0) - alpha).mean())
    assert without_holes(alpha, 1.1 * share)[60, 80] == 1
    assert without_holes(alpha, 0.9 * share)[60, 80] == 0
    assert without_holes(alpha, 1)[5, 5] == 0  # the background touches the border


def test_the_rim_of_a_hole_is_filled_with_it():
    alpha = np.asarray(cv2.GaussianBlur(ring(), (0, 0), 1.0), np.float32)
    assert without_holes(alpha, 1)[45:75, 65:95].min() > 0.95


def test_an_open_bay_is_no_hole():
    alpha = ring()
    alpha[58:62, 80:] = 0
    assert without_holes(alpha, 1)[60, 80] == 0


def test_blobs_under_min_area_are_removed():
    alpha = ring(inner=0)
    alpha[5:11, 5:11] = 1
    cleaned = without_blobs(alpha, 30 / alpha.size)
    removed = without_blobs(alpha, 40 / alpha.size)
    assert cleaned[8, 8] == 1
    assert removed[8, 8] == 0
    assert np.array_equal(removed[20:], alpha[20:])


@pytest.mark.parametrize(("options", "change"), [({"erode": 3}, -3), ({"dilate": 3}, 3)])
def test_erode_and_dilate_move_the_edge_by_pixels(options, change):
    alpha = finished(ring(inner=0), EdgeOptions(**options))
    assert np.sqrt(alpha.sum() / np.pi) == pytest.approx(40 + change, abs=0.6)


def test_feather_softens_edges_and_gamma_raises_alpha_to_a_power():
    alpha = finished(ring(inner=0), EdgeOptions(feather=8))
    assert 0.4 < alpha[60, 120] < 0.6
    assert ((alpha > 0.05) & (alpha < 0.95)).sum() > 200
    assert np.allclose(finished(alpha, EdgeOptions(gamma=2)), alpha**2, atol=1e-6)


def test_refinement_draws_the_edge_along_the_pictures_own_and_stays_in_its_band():
    truth = np.zeros((H, W), np.float32)
    truth[:, 70:] = 1
    luma = np.where(truth > 0, 200, 50).astype(np.uint8)
    luma[:, 140] = 50  # a stripe inside the subject must not become a hole
    coarse = cv2.resize(cv2.resize(truth, (W // 8, H // 8), interpolation=cv2.INTER_AREA), (W, H), interpolation=cv2.INTER_LINEAR)
    alpha = refined(coarse, luma, scale=8)
    before, after = (float((matte[:, 70] - matte[:, 69]).min()) for matte in (coarse, alpha))
    assert before < 0.15
    assert after > 0.5
    assert np.abs(alpha - truth)[:, 50:90].mean() < np.abs(coarse - truth)[:, 50:90].mean()
    assert np.abs(alpha - coarse)[:, :30].max() < 0.01
    assert np.abs(alpha - coarse)[:, 120:].max() < 0.01


def test_a_matte_without_soft_edges_stays_as_it_is():
    alpha = ring()
    assert np.array_equal(refined(alpha, np.full((H, W), 90, np.uint8), scale=4), alpha)


def test_the_foreground_has_the_subjects_colours_in_soft_edges():
    alpha = np.asarray(cv2.GaussianBlur(ring(inner=0), (0, 0), 4), np.float32)
    subject, behind = np.float32([220, 60, 40]), np.float32([20, 90, 200])
    mixed = alpha[..., None] * subject + (1 - alpha[..., None]) * behind
    rgb = np.rint(mixed).astype(np.uint8)
    rim = (alpha > 0.2) & (alpha < 0.9)
    left = np.abs(foreground_of(rgb, alpha)[rim] - subject).mean()
    assert left < 0.25 * np.abs(mixed[rim] - subject).mean()


@pytest.mark.usefixtures("models")
def test_the_foreground_is_written_straight_or_premultiplied(tmp_path):
    clip = write_clip(tmp_path / "clip.mp4", [picture([(100, 90)])] * 2)
    options = {"backend": "rmbg2", "steadiness": 0, "feather": 12, "composite_over": "none"}
    pictures = {}
    for foreground in ("straight", "premultiplied"):
        run(tmp_path, clip, foreground=foreground, **options)
        with read_frames(tmp_path / "foreground.mp4") as frames:
            pictures[foreground] = next(frames).rgb().astype(np.float32)
    alpha = alphas(tmp_path / "alpha.mp4")[0][..., None]
    assert np.abs(pictures["straight"] * alpha - pictures["premultiplied"]).mean() < 3
    assert pictures["premultiplied"][10, 10].max() < 8
    assert np.abs(pictures["straight"][90, 100] - RED).max() < 25


@pytest.mark.usefixtures("models")
def test_holes_and_blobs_are_removed_from_a_written_matte(tmp_path):
    scene = picture([(100, 90)])
    cv2.circle(scene, (100, 90), 5, (90, 90, 90), -1)
    cv2.circle(scene, (280, 30), 4, RED, -1)
    clip = write_clip(tmp_path / "clip.mp4", [scene] * 2)
    options = {"backend": "rmbg2", "steadiness": 0, "composite_over": "none"}
    run(tmp_path, clip, **options)
    alpha = alphas(tmp_path / "alpha.mp4")[0]
    assert (alpha[90, 100], alpha[30, 280]) == (pytest.approx(0, abs=0.1), pytest.approx(1, abs=0.1))
    run(tmp_path, clip, holes=0.01, min_area=0.01, **options)
    alpha = alphas(tmp_path / "alpha.mp4")[0]
    assert (alpha[90, 100], alpha[30, 280]) == (pytest.approx(1, abs=0.02), pytest.approx(0, abs=0.02))
