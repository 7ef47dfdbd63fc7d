"""The masked median equals numpy's, and passing objects are found by time."""

import numpy as np
import pytest

from services.background.median.masked_median import NO_SAMPLE, masked_median
from services.background.median.sample_file import SampleFile


@pytest.mark.parametrize("count", [1, 2, 3, 7, 40, 200, 256, 301])
def test_it_equals_numpys_masked_median_rounded_down(count: int) -> None:
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


def test_samples_come_back_in_bands() -> None:
    random = np.random.default_rng(1)
    samples = [tuple(random.integers(0, 255, shape).astype(np.uint8) for shape in ((37, 21), (19, 11), (19, 11))) for _ in range(4)]
    with SampleFile(21, 37, 5) as file:
        for sample in samples:
            file.add(sample)  # type: ignore[arg-type]
        for number in range(3):
            stack = np.concatenate([band.samples.reshape(4, band.rows, -1) for band in file.bands(number)], axis=1)
            assert (stack == np.stack([sample[number] for sample in samples])).all()
