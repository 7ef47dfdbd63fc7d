"""Interpolated frames, compared with the true frames.

Tested on synthetic motion, at every depth and layout, and where nothing can be matched.
"""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from services.speed_ramp.picture.flow.pair import FlowPair, Planes

Picture = NDArray[np.uint8]


def texture(width: int, height: int, seed: int = 0, grain: float = 2) -> Picture:
    """Draw noise whose smallest structures have the size `grain`.

    Large structures are stronger than small ones, as in real pictures.
    """
    noise = np.random.default_rng(seed)
    sizes = (grain, 2 * grain, 4 * grain, 8 * grain)
    total = sum(cv2.GaussianBlur(noise.normal(0, 1, (height, width)).astype(np.float32), (0, 0), size) * size**1.5 for size in sizes)
    return np.clip(120 + total / np.std(total) * 40, 16, 235).astype(np.uint8)


def panned(shift: int, *, width: int = 320, height: int = 180) -> Planes:
    """Cut luma and chroma planes from a picture, at `shift` from the left.

    `shift`: luma pixels; two of them are one chroma pixel.
    """
    luma, u, v = texture(width + 40, height, 1), texture(width // 2 + 20, height // 2, 2), texture(width // 2 + 20, height // 2, 3)
    half = shift // 2
    return luma[:, shift : shift + width], u[:, half : half + width // 2], v[:, half : half + width // 2]


def passing(at: int) -> Picture:
    """Draw a square `at` pixels from the left, on a fixed background."""
    picture = texture(320, 180, 4)
    picture[60:120, at : at + 60] = texture(60, 60, 5)
    return picture


def psnr(a: NDArray[Any], b: NDArray[Any]) -> float:
    return float(cv2.PSNR(np.ascontiguousarray(a), np.ascontiguousarray(b)))


def mixed(a: Picture, b: Picture) -> Picture:
    return cv2.addWeighted(np.ascontiguousarray(a), 0.5, np.ascontiguousarray(b), 0.5, 0)


@pytest.mark.parametrize("t", [0.25, 0.5, 0.75])
def test_a_pan_is_rebuilt_at_every_phase(t: float) -> None:
    before, after, true = panned(0), panned(16), panned(round(16 * t))
    for plane, expected in zip(FlowPair(before, after).at(t), true, strict=True):
        assert plane.shape == expected.shape
        assert plane.dtype == np.uint8
        assert psnr(plane, expected) > 36  # edges, of which one picture shows a part only, included


def test_what_passes_in_front_is_whole_and_what_it_uncovers_is_sharp() -> None:
    before, after, true = passing(100), passing(116), passing(108)
    middle = FlowPair([before], [after]).at(0.5)[0]
    assert psnr(middle, true) > psnr(mixed(before, after), true) + 9
    assert psnr(middle[65:115, 113:163], true[65:115, 113:163]) > 50  # the square itself
    assert psnr(middle[:, :80], true[:, :80]) > 50  # far from it nothing moves
    assert np.array_equal(before, passing(100))
    assert np.array_equal(after, passing(116))


def test_the_times_0_and_1_give_the_source_pictures() -> None:
    before, after = panned(0), panned(6)
    pair = FlowPair(before, after)
    assert all(a is b for a, b in zip(pair.at(0), before, strict=True))
    assert all(a is b for a, b in zip(pair.at(1), after, strict=True))


def test_a_time_near_an_end_gives_nearly_the_source_picture() -> None:
    before, after = panned(0), panned(6)
    assert psnr(FlowPair(before, after).at(0.02)[0], before[0]) > 36


def test_a_cut_shows_the_nearer_picture() -> None:
    before, after = [texture(320, 180, 6)], [texture(320, 180, 7)]
    pair = FlowPair(before, after)
    assert pair.cut
    assert not pair.still
    assert pair.at(0.4)[0] is before[0]
    assert pair.at(0.6)[0] is after[0]


def test_a_still_is_mixed_exactly() -> None:
    before = texture(320, 180, 8)
    after = before + np.uint8(1)
    pair = FlowPair([before], [after])
    assert pair.still
    assert not pair.cut
    assert np.array_equal(pair.at(0.25)[0], before)
    assert np.array_equal(pair.at(0.75)[0], after)


def test_ten_bits_give_the_same_as_eight() -> None:
    before, after = panned(0), panned(8)
    tens = [[p.astype(np.uint16) * 4 for p in planes] for planes in (before, after)]
    eight, ten = FlowPair(before, after).at(0.5), FlowPair(*tens, bits=10).at(0.5)
    for a, b in zip(eight, ten, strict=True):
        assert b.dtype == np.uint16
        assert np.abs(a.astype(int) * 4 - b).max() <= 6  # with eight bits, what is laid over each other is rounded each time


def test_no_sample_leaves_the_range_of_its_bits() -> None:
    edges = np.where(texture(320, 180) > 120, 1023, 0).astype(np.uint16)
    middle = FlowPair([edges[:, :300]], [edges[:, 8:308]], bits=10).at(0.3)[0]
    assert middle.max() == 1023
    assert middle.min() == 0


def test_interleaved_chroma_gives_the_same_as_separate_planes() -> None:
    before, after = panned(0), panned(10)
    separate = FlowPair(before, after).at(0.5)
    luma, chroma = FlowPair((before[0], np.dstack(before[1:])), (after[0], np.dstack(after[1:]))).at(0.5)
    assert np.array_equal(luma, separate[0])
    assert np.array_equal(chroma, np.dstack(separate[1:]))


def test_the_result_is_the_same_bit_for_bit_in_any_thread() -> None:
    before, after = panned(0), panned(12)
    threads = cv2.getNumThreads()
    try:
        cv2.setNumThreads(1)
        alone = FlowPair(before, after).at(0.5)
        cv2.setNumThreads(3)
        pair = FlowPair(before, after)
        with ThreadPoolExecutor(3) as pool:
            several = list(pool.map(pair.at, [0.5, 0.3, 0.5, 0.7, 0.5]))
    finally:
        cv2.setNumThreads(threads)
    for picture in several[::2]:
        assert all(np.array_equal(a, b) for a, b in zip(alone, picture, strict=True))


@pytest.mark.parametrize("size", [(1, 1), (2, 2), (17, 333), (641, 31), (1000, 563)])
def test_every_size_is_interpolated(size: tuple[int, int]) -> None:
    height, width = size[1], size[0]
    big = texture(width + 8, height + 8, 9)
    before, after = big[:height, :width], big[4 : 4 + height, 6 : 6 + width]
    middle = FlowPair([before], [after]).at(0.5)[0]
    assert middle.shape == (height, width)
    lowest, highest = int(min(before.min(), after.min())), int(max(before.max(), after.max()))
    assert lowest - 25 <= int(middle.min())
    assert int(middle.max()) <= highest + 25


@pytest.mark.parametrize("every", [1, 2, 4])
@pytest.mark.parametrize("size", [(17, 33), (5, 21), (9, 3), (641, 31)])
def test_chroma_of_any_size_moves_with_luma(size: tuple[int, int], every: int) -> None:
    width, height = size
    big = texture(width + 8, height, 9)
    before, after = big[:, :width], big[:, 8 : 8 + width]
    pair = FlowPair([before, before[::every, ::every]], [after, after[::every, ::every]])
    luma, chroma = pair.at(0.5)
    assert luma.shape == (height, width)
    assert chroma.shape == (-(-height // every), -(-width // every))
    # Chroma holds every n-th sample of luma here, so it must match luma there.
    assert np.abs(chroma.astype(int) - luma[::every, ::every]).mean() < 12


def test_pictures_that_do_not_fit_are_refused() -> None:
    first, other = texture(64, 48), texture(64, 50)
    with pytest.raises(ValueError, match="differ"):
        FlowPair([first], [other])
    with pytest.raises(ValueError, match="differ"):
        FlowPair([], [])
    with pytest.raises(ValueError, match="bits = 10"):
        FlowPair([first], [first], bits=10)
    with pytest.raises(ValueError, match="bits"):
        FlowPair([first.astype(np.float32)], [first.astype(np.float32)])
    with pytest.raises(ValueError, match=r"t = 1\.5"):
        FlowPair([first], [first]).at(1.5)
