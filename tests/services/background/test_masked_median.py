"""The masked median, compared with numpy's, and the removal of passing objects."""

import numpy as np
import pytest

from services.background.median.masked_median import NO_SAMPLE, masked_median
from services.background.median.sample_file import SampleFile
from services.background.median.transients import EndPixels, ends_of, remove_objects


@pytest.mark.parametrize("count", [1, 2, 3, 7, 40, 200, 256, 301])
def test_the_masked_median_equals_numpys_rounded_down(count: int) -> None:
    random = np.random.default_rng(count)
    samples = random.integers(0, NO_SAMPLE, (count, 500)).astype(np.uint8)
    hidden = random.random(samples.shape) < random.random(500)
    expected = np.ma.median(np.ma.masked_array(samples, hidden), axis=0)
    samples[hidden] = NO_SAMPLE
    counts = (~hidden).sum(axis=0).astype(np.uint16)
    median = masked_median(samples, counts)
    visible = counts > 0
    assert (median[visible] == np.floor(np.asarray(expected.filled(0))[visible])).all()
    assert (median[~visible] == NO_SAMPLE).all()


def test_samples_are_read_back_in_bands_of_rows() -> None:
    random = np.random.default_rng(1)
    samples = [tuple(random.integers(0, 255, shape).astype(np.uint8) for shape in ((37, 21), (19, 11), (19, 11))) for _ in range(4)]
    with SampleFile(21, 37, 5) as file:
        for sample in samples:
            file.add(sample)  # type: ignore[arg-type]
        for number in range(3):
            stack = np.concatenate([band.samples.reshape(4, band.rows, -1) for band in file.bands(number)], axis=1)
            assert (stack == np.stack([sample[number] for sample in samples])).all()


@pytest.mark.parametrize(("rest", "removed"), [(False, True), (True, False)])
def test_an_object_is_removed_whole_or_not_at_all(rest: bool, removed: bool) -> None:
    """A head in most samples is removed, unless a body would stay.

    The body is below the head.
    """
    head, body = (slice(40, 56), slice(40, 56)), (slice(56, 90), slice(34, 62))
    samples = []
    for number in range(30):
        luma = np.full((120, 100), 200, np.uint8)
        if 6 <= number < 24:
            luma[head] = 30
        if rest and number < 24:
            luma[body] = 30
        samples.append((luma, *[np.full((60, 50), 128, np.uint8)] * 2))
    with SampleFile(100, 120, 30) as file:
        for sample in samples:
            file.add(sample)
        stacks = [np.stack([sample[number] for sample in samples]) for number in range(3)]
        planes = tuple(np.sort(stack, axis=0)[15] for stack in stacks)
        ends = tuple(
            ends_of(stack.reshape(30, -1), np.full(stack[0].size, 30, np.uint16), plane.ravel(), chroma=number > 0)
            for number, (stack, plane) in enumerate(zip(stacks, planes, strict=True))
        )
        shaped = tuple(
            EndPixels(end.background.reshape(plane.shape), end.suspect.reshape(plane.shape))
            for end, plane in zip(ends, planes, strict=True)
        )
        assert shaped[0].suspect[head].all()
        covered = remove_objects(file, planes, shaped)
    assert covered.any() == removed
    assert (planes[0][head] == (200 if removed else 30)).all()
