"""Views of a picture with depth, compared with a known scene."""

import cv2
import numpy as np
import pytest
from depth_scene import Scene

from services.background.analysis.camera_path import CameraPath, overscan
from services.background.parallax.moving_plate import MovingPlate, parallax_reach
from services.background.parallax.torn_surface import TornSurface, View, read, sampled, sharpened

WIDTH, HEIGHT = 800, 450
LARGEST = 42.0
"""Pixels between nearest and farthest surface at the largest drift. They are 14 % of the width at depth_scale 0.3."""
DIRECTIONS = [(1.0, 0.0), (-1.0, 0.0), (0.8, 0.6), (0.0, -0.6)]


@pytest.fixture(scope="module")
def scene() -> Scene:
    return Scene(WIDTH, HEIGHT)


@pytest.fixture(scope="module")
def surface(scene: Scene) -> TornSurface:
    return TornSurface(scene.inverse(), reach=LARGEST)


def places(view: View) -> tuple[np.ndarray, np.ndarray]:
    """Return the place in the picture from which each pixel of a view comes."""
    x, y, torn = view.full.x.copy(), view.full.y.copy(), view.full.torn
    if torn is not None:
        behind = torn.weight > 0.5
        x.reshape(-1)[torn.indices[behind]], y.reshape(-1)[torn.indices[behind]] = torn.x[behind], torn.y[behind]
    return x, y


def errors(surface: TornSurface, scene: Scene, move: tuple[float, float]) -> np.ndarray:
    """Return the distance between the shown and the true place of each pixel.

    In pixels, only for pixels that the reference picture shows.
    """
    x, y = places(surface.view(move, np.eye(3), (WIDTH, HEIGHT)))
    _, true_x, true_y, _ = scene.origins(move)
    return np.hypot(x - true_x, y - true_y)[scene.shown(move)]


@pytest.mark.parametrize("direction", DIRECTIONS)
def test_pixels_come_from_where_they_should(surface: TornSurface, scene: Scene, direction: tuple[float, float]) -> None:
    largest = errors(surface, scene, (direction[0] * LARGEST, direction[1] * LARGEST))
    assert (largest <= 1).mean() >= 0.98
    third = errors(surface, scene, (direction[0] * LARGEST / 3, direction[1] * LARGEST / 3))
    assert third.mean() < 0.5


@pytest.mark.parametrize("share", [-1.0, -0.66, -0.33, 0.33, 0.66, 1.0])
def test_near_objects_hide_far_ones_at_every_drift(surface: TornSurface, scene: Scene, share: float) -> None:
    move = (share * LARGEST, 0.2 * share * LARGEST)
    x, y = places(surface.view(move, np.eye(3), (WIDTH, HEIGHT)))
    number = scene.origins((0.0, 0.0))[3]
    true_number = np.where(scene.shown(move), scene.origins(move)[3], -1)
    shown = number[np.clip(np.rint(y), 0, HEIGHT - 1).astype(int), np.clip(np.rint(x), 0, WIDTH - 1).astype(int)]
    for box in (2, 3, 4):
        inside = cv2.erode((true_number == box).astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
        assert inside.sum() > 2000
        assert (shown[inside] == box).mean() > 0.999


def test_what_is_behind_has_the_colours_of_the_far_side() -> None:
    inverse = np.full((HEIGHT, WIDTH), 0.1, np.float32)
    picture = np.full((HEIGHT, WIDTH, 3), (40, 60, 200), np.uint8)
    inverse[100:350, 300:500] = 1.0
    picture[100:350, 300:500] = (220, 30, 20)
    surface = TornSurface(inverse, reach=LARGEST)
    behind = surface.behind(picture)
    view = surface.view((LARGEST, 0), np.eye(3), (WIDTH, HEIGHT))
    values = read(view.full, picture, behind)
    # The box has gone left by 42 pixels, the wall by 4: between them the wall goes on in its own colour.
    assert np.abs(values[150:300, 464:492].astype(int) - (40, 60, 200)).max() <= 6
    assert np.abs(values[150:300, 264:452].astype(int) - (220, 30, 20)).max() <= 2


def test_without_depth_a_view_is_a_plain_warp() -> None:
    surface = TornSurface(np.full((90, 160), 0.5, np.float32), reach=5)
    base = np.array([[1.1, 0.02, 5], [-0.02, 1.1, 3], [0, 0, 1]])
    view = surface.view((8, -4), base, (120, 60))
    assert view.full.torn is None
    y, x = np.mgrid[0:60, 0:120]
    assert np.abs(view.full.x - (1.1 * x + 0.02 * y + 5 + 4)).max() < 1e-3
    assert np.abs(view.full.y - (-0.02 * x + 1.1 * y + 3 - 2)).max() < 1e-3


def test_chroma_planes_follow_luma(surface: TornSurface) -> None:
    column = np.repeat(np.linspace(0, 250, WIDTH, dtype=np.float32)[None], HEIGHT, axis=0)
    luma = np.rint(column).astype(np.uint8)
    chroma = np.rint(cv2.resize(column, (WIDTH // 2, HEIGHT // 2), interpolation=cv2.INTER_AREA)).astype(np.uint8)
    view = surface.view((20, 6), np.eye(3), (641, 361))
    values, half = read(view.full, luma, luma), read(view.half, chroma, chroma)
    assert half.shape == (181, 321)
    mean = cv2.resize(values[:360, :640].astype(np.float32), (320, 180), interpolation=cv2.INTER_AREA)
    assert np.quantile(np.abs(mean - half[:180, :320]), 0.99) < 2


def test_blurred_edges_of_depth_become_steps_and_slopes_stay() -> None:
    step = np.where(np.arange(400) < 200, 0.2, 0.9).astype(np.float32)
    ramp = cv2.blur(np.repeat(step[None], 60, axis=0), (7, 1))
    sharp = sharpened(ramp, 0.03)
    assert (np.abs(np.diff(sharp[30])) > 0.05).sum() <= 1
    slope = np.repeat(np.linspace(0, 1, 200, dtype=np.float32)[:, None], 300, axis=1)
    assert np.abs(sharpened(slope, 0.02) - slope)[10:-10].max() < 1e-5


@pytest.mark.parametrize("place", [0.06, 0.1, 0.5, 0.85])
def test_a_tear_that_leaves_the_view_during_a_pan_keeps_the_size_of_the_planes(place: float) -> None:
    # A near pillar crosses the border of the view. Its tear then shows in no pixel, in some pixels of luma, or in all.
    views = np.zeros((100, 4))
    views[:, 0] = np.linspace(-60, 60, 100)
    path = CameraPath(views, 320, 180)
    margin = overscan(path, 0, 0.3 * 0.5).margin
    width, height = round(320 * margin / 2) * 2, round(180 * margin / 2) * 2
    inverse = np.full((height, width), 0.1, np.float32)
    left = round(width * place)
    inverse[height // 5 :, left : left + width // 25] = 1.0
    share = overscan(path, margin, parallax_reach(inverse, 0.3)).share
    plate = MovingPlate(np.full((height, width, 3), 90, np.uint8), inverse, path.scaled(share), depth_scale=0.3, matrix="bt709")
    shapes = {tuple(plane.shape for plane in plate.at(number)) for number in range(100)}
    assert shapes == {((180, 320), (90, 160), (90, 160))}


def test_no_points_give_no_samples() -> None:
    nothing = np.zeros(0, np.float32)
    assert sampled(np.zeros((4, 5, 3), np.uint8), nothing, nothing).shape == (0, 3)
