"""A veil dims and lights its part of a picture; every other pixel is the source's."""

import numpy as np
import pytest

from services.effects.scene.pixels import Levels
from services.effects.trails.veil import Veil, lay_over

LEVELS = Levels((16.0, 128.0, 128.0), 219.0)
SMALL = (18, 32)


def shapes() -> tuple[tuple[int, int], ...]:
    return (72, 128), (36, 64), (36, 64)


def noise() -> tuple[np.ndarray, ...]:
    rng = np.random.default_rng(7)
    return tuple(rng.integers(16, 236, shape, np.uint8) for shape in shapes())


@pytest.mark.parametrize(("rows", "columns"), [((6, 12), (10, 22)), ((0, 18), (0, 32)), ((0, 5), (20, 32)), ((17, 18), (0, 1))])
def test_pixels_beside_a_veil_are_those_of_the_picture(rows, columns):
    picture, out = noise(), tuple(np.full(shape, 3, np.uint8) for shape in shapes())
    veil = np.zeros(SMALL, np.float32)
    veil[slice(*rows), slice(*columns)] = 0.5
    light = tuple(40 * veil for _ in picture)
    lay_over(out, picture, Veil(veil, light), (slice(0, SMALL[0]), slice(0, SMALL[1])), SMALL, LEVELS)
    for plane, target, floor in zip(picture, out, LEVELS.floor, strict=True):
        scale = plane.shape[0] // SMALL[0]
        near = np.zeros(plane.shape, np.bool_)
        near[max((rows[0] - 1) * scale, 0) : (rows[1] + 1) * scale, max((columns[0] - 1) * scale, 0) : (columns[1] + 1) * scale] = True
        assert (target[~near] == plane[~near]).all()
        covered = np.zeros(plane.shape, np.bool_)
        covered[rows[0] * scale + scale : rows[1] * scale - scale, columns[0] * scale + scale : columns[1] * scale - scale] = True
        expected = floor + (plane.astype(float) - floor) * 0.5 + 20
        assert np.abs(target[covered] - expected[covered]).max(initial=0) <= 2


def test_an_invisible_veil_leaves_the_picture():
    picture, out = noise(), tuple(np.full(shape, 3, np.uint8) for shape in shapes())
    nothing = np.zeros(SMALL, np.float32)
    lay_over(out, picture, Veil(nothing, (nothing, nothing, nothing)), (slice(0, SMALL[0]), slice(0, SMALL[1])), SMALL, LEVELS)
    assert all((target == plane).all() for target, plane in zip(out, picture, strict=True))
