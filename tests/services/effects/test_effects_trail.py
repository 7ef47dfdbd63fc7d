"""Selection of the frames that form a trail."""

import itertools
from fractions import Fraction

import numpy as np
import pytest

from services.effects.scene.moments import Moment
from services.effects.trails.trail import TrailExtent, trails
from shared.motion.camera import Pose


def moments(count, *, shots=(), rate=30, times=None):
    shot = 0
    for index in range(count):
        shot += index in shots
        seconds = times[index] if times else Fraction(index, rate)
        yield index, Moment(index=index, seconds=seconds, shot=shot, pose=Pose(np.eye(3)))


def numbers(source, reach, max_held=10_000):
    """Return each frame's number, with the numbers of its ghosts."""
    layers_of = []
    for trail in trails(source, reach, max_held=max_held):
        assert trail.own.index == trail.picture
        layers_of.append((trail.picture, [(number, ghost.index) for number, ghost in trail.ghosts]))
    return layers_of


def reach(layers=3, spacing=4.0, *, seconds=False, direction="behind"):
    return TrailExtent(layers=layers, spacing=spacing, seconds=seconds, direction=direction)


def test_ghosts_of_a_full_trail_have_the_requested_spacing():
    ghosts = dict(numbers(moments(30), reach()))
    assert ghosts[12] == [(1, 8), (2, 4), (3, 0)]
    assert ghosts[29] == [(1, 25), (2, 21), (3, 17)]


def test_the_trail_grows_out_of_the_first_frame_without_a_jump():
    numbered = numbers(moments(30), reach(layers=6, spacing=5))
    assert numbered[0] == (0, [])
    lengths = [index - ghosts[-1][1] if ghosts else 0 for index, ghosts in numbered]
    assert lengths == [min(index, 30) for index in range(30)]
    assert numbered[12][1] == [(1, 10), (2, 8), (3, 6), (4, 4), (5, 2), (6, 0)]
    # From frame to frame no ghost's distance changes by more than one.
    for number in range(1, 7):
        away = [index - dict(ghosts).get(number, index) for index, ghosts in numbered]
        assert all(0 <= b - a <= 1 for a, b in itertools.pairwise(away))


def test_a_cut_starts_a_new_trail():
    ghosts = dict(numbers(moments(20, shots={10}), reach(layers=2, spacing=3)))
    assert ghosts[9] == [(1, 6), (2, 3)]
    assert ghosts[10] == []
    assert ghosts[12] == [(1, 11), (2, 10)]
    assert all(ghost >= 10 for index in range(10, 20) for _, ghost in ghosts[index])


def test_ghosts_ahead_close_in_at_the_end_of_a_shot():
    ghosts = dict(numbers(moments(20, shots={12}), reach(layers=2, spacing=3, direction="ahead")))
    assert ghosts[0] == [(1, 3), (2, 6)]
    assert ghosts[9] == [(1, 10), (2, 11)]
    assert ghosts[11] == []
    assert ghosts[12] == [(1, 15), (2, 18)]
    assert ghosts[19] == []


def test_a_trail_may_have_ghosts_behind_and_ahead():
    ghosts = dict(numbers(moments(20), reach(layers=2, spacing=2, direction="both")))
    assert ghosts[10] == [(1, 8), (2, 6), (1, 12), (2, 14)]


def test_seconds_give_the_same_trail_at_every_rate_and_with_uneven_times():
    slow = dict(numbers(moments(48, rate=24), reach(layers=2, spacing=0.25, seconds=True)))
    fast = dict(numbers(moments(120, rate=60), reach(layers=2, spacing=0.25, seconds=True)))
    assert slow[24] == [(1, 18), (2, 12)]
    assert fast[60] == [(1, 45), (2, 30)]
    times = [Fraction(n, 10) for n in (0, 1, 2, 6, 7, 10)]
    uneven = dict(numbers(moments(6, times=times), reach(layers=2, spacing=0.4, seconds=True)))
    assert uneven[5] == [(1, 3), (2, 2)]


@pytest.mark.parametrize("direction", ["behind", "ahead", "both"])
@pytest.mark.parametrize("seconds", [False, True])
def test_every_frame_comes_once_in_order(direction, seconds):
    chosen = reach(layers=4, spacing=0.1 if seconds else 3, seconds=seconds, direction=direction)
    ghosts = numbers(moments(57, shots={20, 21}), chosen)
    assert [index for index, _ in ghosts] == list(range(57))


def test_only_the_ghosts_of_one_trail_are_held():
    alive, most_alive = set(), 0

    class Counted(Moment):
        def __del__(self):
            alive.discard(self.index)

    def source():
        nonlocal most_alive
        for index in range(400):
            moment = Counted(index=index, seconds=Fraction(index, 30), shot=0, pose=Pose(np.eye(3)))
            alive.add(index)
            most_alive = max(most_alive, len(alive))
            yield index, moment

    chosen = reach(layers=3, spacing=5, direction="both")
    for _ in trails(source(), chosen, max_held=1000):
        pass
    assert most_alive <= chosen.frames(30) + 3
    alive.clear()
    most_alive = 0
    # A file that is denser than its rate says shortens the trail instead of growing the memory.
    for _ in trails(source(), reach(layers=3, spacing=100), max_held=40):
        pass
    assert most_alive <= 42
