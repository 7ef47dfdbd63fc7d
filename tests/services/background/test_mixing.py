"""Compositing steps, compared with plain float arithmetic."""

import numpy as np
import pytest

from services.background.mixing.color_match import SAME, Change, Match, MatchSmoother, applied, match_of
from services.background.mixing.compositor import Compositor, Layers, Look, SteadyMeasurements
from services.background.mixing.edge_colors import edge_of, estimated, with_clean_plate
from services.background.mixing.grain import Grain, grain_of
from services.background.mixing.linear_light import mixed_linearly
from services.background.mixing.over_operator import chroma_alpha, over
from services.background.mixing.shadow import GroundSmoother, contact_shadow, ground_of, kept_shadow, shaded
from services.background.mixing.stray_blobs import without_stray_blobs

RANDOM = np.random.default_rng(3)


def disc(height: int, width: int, *, row: float = 0.5, column: float = 0.5, radius: float = 0.25, soft: float = 3) -> np.ndarray:
    y, x = np.mgrid[0:height, 0:width]
    distance = np.hypot(y - height * row, x - width * column)
    return np.rint(255 * np.clip((height * radius - distance) / soft + 0.5, 0, 1)).astype(np.uint8)


def test_every_mix_is_rounded_to_the_nearest_level() -> None:
    front, back, alpha = (value.astype(np.uint8).reshape(256, -1) for value in np.meshgrid(range(256), range(256), range(256)))
    exact = back + (front.astype(np.float64) - back) * alpha / 255
    assert np.abs(over(front, back, alpha) - exact).max() <= 0.5


@pytest.mark.parametrize("shape", [(40, 60), (41, 61)])
def test_chroma_alpha_is_left_sited(shape: tuple[int, int]) -> None:
    alpha = RANDOM.integers(0, 256, shape).astype(np.uint8)
    padded = np.pad(alpha, ((0, shape[0] % 2), (1, shape[1] % 2)), mode="edge").astype(np.float64)
    rows = (padded[0::2] + padded[1::2]) / 2
    exact = (rows[:, 0:-1:2] + 2 * rows[:, 1::2] + np.roll(rows, -1, axis=1)[:, 1::2]) / 4
    inner = chroma_alpha(alpha)[:, :-1]
    assert inner.shape[0] == (shape[0] + 1) // 2
    assert np.abs(inner - exact[:, : inner.shape[1]]).max() <= 0.5
    place = np.zeros_like(alpha)
    place[11:22, 13:20] = alpha[11:22, 13:20]
    padded = np.pad(place, ((0, shape[0] % 2), (1, 3 + shape[1] % 2)), mode="edge").astype(np.float64)
    rows = padded[0::2] + padded[1::2]
    exact = (rows[:, 0:-2:2] + 2 * rows[:, 1:-1:2] + rows[:, 2::2]) / 8
    assert np.abs(chroma_alpha(place) - exact[:, : chroma_alpha(place).shape[1]]).max() <= 0.5


def test_a_mixed_plane_is_within_a_level_of_float() -> None:
    height, width = 90, 160
    front, back = RANDOM.integers(16, 236, (2, height, width)).astype(np.uint8)
    alpha = disc(height, width)
    exact = back + (front.astype(np.float64) - back) * (alpha / 255)
    assert np.abs(over(front, back, alpha) - exact).max() <= 1


def test_a_plain_compositor_is_within_a_level_of_float() -> None:
    height, width = 90, 160
    sizes = (height, width), (height // 2, width // 2), (height // 2, width // 2)
    front, back = (tuple(RANDOM.integers(16, 236, size).astype(np.uint8) for size in sizes) for _ in range(2))
    alpha = disc(height, width, soft=14)
    plain = Look(light_wrap=0, match=0, blobs=0, decontaminate=False)
    composed = Compositor(plain).compose(Layers(0, front, alpha, back), SteadyMeasurements())
    rows = (alpha[0::2].astype(np.float64) + alpha[1::2]) / 2
    left = np.hstack((rows[:, :1], rows[:, 1:-1:2]))
    chroma = (left + 2 * rows[:, 0::2] + rows[:, 1::2]) / 4
    for plane, subject, behind, cut in zip(composed, front, back, (alpha, chroma, chroma), strict=True):
        exact = behind + (subject.astype(np.float64) - behind) * (cut / 255)
        assert np.abs(plane - exact).max() <= 1


def test_colours_of_the_old_background_are_removed_from_edges() -> None:
    height, width = 180, 320
    alpha = disc(height, width, soft=14)
    weight = alpha / 255
    subject, old = 180.0, 60.0
    plane = np.rint(old + (subject - old) * weight).astype(np.uint8)
    edge = edge_of(alpha)
    assert len(edge.indices) > 200
    solid = edge.alpha > 0.3
    exact = with_clean_plate(plane, np.full_like(plane, 60), edge).reshape(-1)[edge.indices][solid]
    assert np.abs(exact - subject).max() <= 3
    guess = estimated([plane], alpha, edge, 4)[0].reshape(-1)[edge.indices][solid]
    mixed = plane.reshape(-1)[edge.indices][solid]
    assert np.abs(guess - subject).mean() < 0.25 * np.abs(mixed - subject).mean()


def test_stray_blobs_are_removed_and_touching_ones_stay() -> None:
    alpha = np.maximum(disc(200, 300), disc(200, 300, row=0.2, column=0.1, radius=0.05))
    cleaned = without_stray_blobs(alpha, 0.4)
    assert cleaned[40, 30] == 0
    assert (cleaned[90:110, 140:160] == 255).all()
    assert (without_stray_blobs(alpha, 0) == alpha).all()


@pytest.mark.parametrize(("size", "level"), [(40, 60), (4, 255), (2, 255), (1, 255)])
def test_faint_blobs_and_specks_are_removed(size: int, level: int) -> None:
    alpha = disc(200, 300)
    alpha[50:130, 148:152] = np.maximum(alpha[50:130, 148:152], 60)  # a strand of hair
    alpha[21 : 21 + size, 31 : 31 + size] = level
    cleaned = without_stray_blobs(alpha, 0.4)
    assert not cleaned[:70, :80].any()
    assert (cleaned[:, 100:] == alpha[:, 100:]).all()


def test_colour_matching_moves_towards_the_background_within_bounds() -> None:
    alpha = disc(200, 300)
    front = tuple(np.full(shape, value, np.uint8) for shape, value in (((200, 300), 180), ((100, 150), 120), ((100, 150), 140)))
    back = tuple(np.full(shape, value, np.uint8) for shape, value in (((200, 300), 60), ((100, 150), 128), ((100, 150), 128)))
    match = match_of(front, back, alpha, 1.0)  # type: ignore[arg-type]
    assert match is not None
    luma, u, v = applied(front, match)  # type: ignore[arg-type]
    assert 180 - 12 <= luma[0, 0] < 180
    assert 120 < u[0, 0] <= 128
    assert 132 <= v[0, 0] < 140
    assert match_of(front, back, np.zeros_like(alpha), 1.0) is None  # type: ignore[arg-type]
    steady = MatchSmoother(3)
    assert steady(None) == SAME
    assert steady(match) == match
    assert steady(None) == match


def test_a_cut_restarts_the_average_of_colour_matching() -> None:
    def match(luma: float, offset: float) -> Match:
        return Change(1.0, luma, offset), Change(1.0, 128, 0), Change(1.0, 128, 0)

    steady = MatchSmoother(15)
    assert steady(match(60, 10))[0].offset == 10
    assert steady(match(64, 6))[0].offset == 8, "the light changes in the shot"
    assert steady(match(150, -10))[0].offset == -10, "a cut to a bright shot"


def test_grain_is_measured_and_added() -> None:
    flat = np.full((200, 300), 120, np.float64)
    assert grain_of(flat.astype(np.uint8)) < 0.2
    noisy = np.clip(np.rint(flat + RANDOM.standard_normal(flat.shape) * 3), 0, 255).astype(np.uint8)
    assert grain_of(noisy) == pytest.approx(3, rel=0.25)
    grain = Grain(300, 200, 3.0)
    frames = [grain.added(flat.astype(np.uint8), number).astype(float) for number in range(2)]
    assert frames[0].std() == pytest.approx(3, rel=0.15)
    assert np.corrcoef(frames[0].ravel(), frames[1].ravel())[0, 1] < 0.2
    assert (grain.added(flat.astype(np.uint8), 0) == frames[0]).all()


def test_linear_light_changes_the_edge_only_and_is_exact() -> None:
    shape, half = (60, 80), (30, 40)
    alpha = np.zeros(shape, np.uint8)
    alpha[:, 20:40], alpha[:, 40:] = 128, 255
    white = np.full(shape, 235, np.uint8), np.full(half, 128, np.uint8), np.full(half, 128, np.uint8)
    black = np.full(shape, 16, np.uint8), white[1], white[2]
    plain = over(white[0], black[0], alpha), white[1], white[2]
    luma, u, v = mixed_linearly(plain, white, black, (alpha, chroma_alpha(alpha)), "bt709")
    expected = 16 + 219 * (128 / 255) ** (1 / 2.4)
    assert np.abs(luma[:, 20:40].astype(float) - expected).max() <= 1
    assert (luma[:, :20] == 16).all()
    assert (luma[:, 40:] == 235).all()
    assert np.abs(u.astype(int) - 128).max() <= 1
    assert np.abs(v.astype(int) - 128).max() <= 1


def test_linear_light_is_exact_at_every_alpha() -> None:
    alpha = np.arange(256, dtype=np.uint8).repeat(2)[None].repeat(4, axis=0)
    front, back = ((np.full((4, 512), level, np.uint8), *[np.full((2, 256), 128, np.uint8)] * 2) for level in (180, 60))
    plain = over(front[0], back[0], alpha), front[1], front[2]
    luma, _, _ = mixed_linearly(plain, front, back, (alpha, chroma_alpha(alpha)), "bt709")
    lights = [((level - 16) / 219) ** 2.4 for level in (180, 60)]
    weight = alpha[0] / 255
    assert np.abs(luma[0] - (16 + 219 * (lights[0] * weight + lights[1] * (1 - weight)) ** (1 / 2.4))).max() <= 0.51


def test_a_real_shadow_is_kept_and_a_drawn_one_lies_at_the_feet() -> None:
    alpha = disc(180, 320, row=0.4, radius=0.2)
    plate = np.full((180, 320), 150, np.uint8)
    frame = plate.copy()
    frame[130:150, 100:220] = 90
    light = kept_shadow(frame, plate, alpha)
    darker = shaded(np.full_like(plate, 200), light)
    assert darker[140, 160] < 140
    assert darker[20, 20] == 200
    drawn = contact_shadow(alpha, ground_of(alpha))
    row, _ = np.unravel_index(drawn.argmin(), drawn.shape)
    assert abs(row - 180 * 0.6) < 8
    assert drawn[5, 5] == 255
    cut_off = disc(180, 320, row=0.9, radius=0.3)
    assert (contact_shadow(cut_off, ground_of(cut_off)) == 255).all()


def test_a_drawn_shadow_moves_and_fades_evenly() -> None:
    # The subject sinks by a pixel per frame until the lower border cuts it off.
    steady, middles, depths = GroundSmoother(), [], []
    for shift in range(120):
        alpha = np.zeros((720, 640), np.uint8)
        alpha[200 + shift : 620 + shift, 270:370] = 255
        shade = 255.0 - contact_shadow(alpha, steady(ground_of(alpha)))
        depths.append(shade.max())
        if shift < 40:
            middles.append((shade.sum(axis=1) * np.arange(720)).sum() / shade.sum())
    assert np.abs(np.diff(middles[6:]) - 1).max() < 0.35
    assert depths[0] == pytest.approx(0.45 * 255, abs=1)
    assert depths[-1] == 0
    assert np.abs(np.diff(depths)).max() < 8
