"""Camera path: subpixel accuracy, no drift, cuts and dark frames."""

import cv2
import numpy as np
import pytest

from services.effects.scene.small_planes import reduced, small_size
from shared.motion.camera import Camera, Pose, analysis_size, matrix_between
from tests.services.effects.effect_clips import HEIGHT, WIDTH, ground, scene, view, with_disc


def follow(model, lumas, width=WIDTH, height=HEIGHT) -> list[Pose]:
    camera = Camera(model, width, height)
    return [camera.step(cv2.resize(luma, camera.size, interpolation=cv2.INTER_AREA)) for luma in lumas]


def test_translation_is_found_to_a_tenth_of_a_pixel_and_does_not_drift():
    def path(i):
        return 100 + 3.7 * i, 150 + 20 * np.sin(i / 9)

    poses = follow("translation", map(scene(path, lambda i: (40 + 4 * i, 90)), range(60)))
    measured_path = np.array([pose.matrix[:2, 2] for pose in poses])
    true = np.array([path(i) for i in range(60)]) - path(0)
    assert np.abs(measured_path - true).max() < 0.3
    assert np.abs(measured_path - true).mean() < 0.12
    assert all(pose.sure for pose in poses)
    assert [pose.cut for pose in poses] == [True] + [False] * 59


def test_a_passing_subject_does_not_move_a_camera_on_a_tripod():
    poses = follow("translation", map(scene(lambda i: (200, 200), lambda i: (20 + 7 * i, 90)), range(40)))
    assert max(float(np.abs(pose.matrix[:2, 2]).max()) for pose in poses) < 0.1


def test_a_subject_over_a_repeating_pattern_does_not_move_the_camera():
    rows, columns = np.mgrid[0:360, 0:640]
    tiles = 60 + 25 * np.sin(columns / 17) * np.sin(rows / 13) + 40 * rows / 360

    def luma(i):
        ball = np.clip(34 - np.hypot(columns - (65 + 9 * i), rows - 198), 0, 1)
        return (tiles * (1 - ball) + 200 * ball).astype(np.uint8)

    poses = follow("translation", map(luma, range(50)), 640, 360)
    assert max(float(np.abs(pose.matrix[:2, 2]).max()) for pose in poses) < 0.5


@pytest.mark.parametrize("model", ["similarity", "homography"])
def test_zoom_and_roll_are_found(model):
    texture = ground()

    def matrix(i):  # from texture to picture
        turned = cv2.getRotationMatrix2D((WIDTH / 2, HEIGHT / 2), 0.4 * i, 1 + 0.006 * i)
        return np.vstack([turned, [0, 0, 1]]) @ np.array([[1, 0, -200 - i], [0, 1, -150], [0, 0, 1.0]])

    pictures = [with_disc(cv2.warpPerspective(texture, matrix(i), (WIDTH, HEIGHT)), (40 + 6 * i, 60)) for i in range(30)]
    poses = follow(model, pictures)
    corners = np.array([[[0, 0], [WIDTH - 1, 0], [WIDTH - 1, HEIGHT - 1], [0, HEIGHT - 1.0]]])
    for i in range(30):
        true = cv2.perspectiveTransform(corners, matrix(0) @ np.linalg.inv(matrix(i)))
        assert np.abs(cv2.perspectiveTransform(corners, poses[i].matrix) - true).max() < (0.8 if model == "similarity" else 1.5), i
    assert all(pose.sure and not pose.cut for pose in poses[1:])


def test_another_scene_is_a_cut_and_starts_anew():
    before, after = scene(lambda i: (100 + 5 * i, 100), None), scene(lambda i: (100 + 5 * i, 300), None, seed=7)
    poses = follow("translation", [before(i) for i in range(10)] + [255 - after(i) // 2 for i in range(10)])
    assert [index for index, pose in enumerate(poses) if pose.cut] == [0, 10]
    assert matrix_between(poses[10], poses[14])[0, 2] == pytest.approx(-20, abs=0.3)


def test_a_flash_a_fast_pan_and_darkness_are_no_cuts():
    luma = scene(lambda i: (100 + 40 * i, 100), None)
    pictures = [luma(i) for i in range(10)]
    pictures[4] = np.clip(pictures[4] * 1.5 + 40, 0, 255).astype(np.uint8)
    poses = follow("translation", pictures)
    assert not any(pose.cut for pose in poses[1:])
    assert np.abs(poses[-1].matrix[0, 2] - 360) < 1


def test_blank_frames_are_unsure_and_do_not_move():
    blank = np.full((HEIGHT, WIDTH), 16, np.uint8)
    poses = follow("translation", [blank] * 5)
    assert not any(pose.sure for pose in poses[1:])
    assert all(np.allclose(pose.matrix, np.eye(3)) for pose in poses)


def test_the_camera_is_followed_past_one_unusable_frame():
    luma = scene(lambda i: (100 + 6 * i, 100), None)
    pictures = [luma(i) for i in range(16)]
    noise = np.random.default_rng(3).integers(0, 30, (HEIGHT, WIDTH))
    pictures[8] = np.clip(cv2.blur(pictures[8], (41, 5)).astype(int) + noise, 0, 255).astype(np.uint8)
    poses = follow("translation", pictures)
    assert not any(pose.cut for pose in poses[1:])
    assert abs(poses[-1].matrix[0, 2] - 90) < 6


@pytest.mark.parametrize(("full_size", "size", "most"), [(True, (480, 270), 1 / 3), (False, (320, 180), 0.5)])
def test_a_clip_of_720_lines_is_followed_precisely_enough(full_size, size, most):
    """Camera positions err by at most 1/3 pixel.

    Those for soft ghosts err by at most 1/8 pixel of the small planes.
    """

    def path(i):
        return 120 + 9.3 * i, 90 + 14 * np.sin(i / 6)

    texture = cv2.resize(ground(height=270, width=480), (1920, 1080), interpolation=cv2.INTER_CUBIC)
    camera = Camera("translation", 1280, 720, within=None if full_size else small_size(1280, 720))
    assert camera.size == size
    poses = [camera.step(reduced(view(texture, path(i), width=1280, height=720), size)) for i in range(30)]
    true = np.array([path(i) for i in range(30)]) - path(0)
    assert np.abs(np.array([pose.matrix[:2, 2] for pose in poses]) - true).max() < most


def test_small_planes_are_a_quarter_from_720_lines_on():
    sizes = {(1920, 1080): (480, 270), (1280, 720): (320, 180), (960, 540): (480, 270), (640, 360): (640, 360)}
    assert {size: small_size(*size) for size in sizes} == sizes


def test_the_analysis_size_keeps_the_shape_within_bounds():
    assert analysis_size(1920, 1080) == (480, 270)
    assert analysis_size(1080, 1920) == (270, 480)
    assert analysis_size(64, 48) == (64, 48)
    assert analysis_size(4000, 2) == (480, 8)


def test_two_poses_give_the_matrix_between_their_frames():
    texture = ground()
    poses = follow("translation", [view(texture, (100 + 4 * i, 120 - i)) for i in range(8)])
    moved = matrix_between(poses[2], poses[6])
    assert moved[:2, 2] == pytest.approx([-16, 4], abs=0.2)
