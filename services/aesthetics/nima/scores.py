"""Input preparation for NIMA, and scores from its output."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

RATINGS = np.arange(1, 11)


def prepared(pictures: Sequence[NDArray[np.uint8]], preprocessing: str) -> NDArray[np.float32]:
    """Stack n pictures into the network's input array.

    `pictures`: (224, 224, 3) uint8 each. Returns (n, 224, 224, 3) float32, from -1 to 1 for the preprocessing "symmetric", from 0 to 1
    for "unit".
    """
    batch = np.stack(pictures).astype(np.float32)
    if preprocessing == "unit":
        return batch / np.float32(255)
    return batch / np.float32(127.5) - np.float32(1)


def mean_and_spread(distribution: NDArray[np.floating]) -> tuple[float, float]:
    """Return the mean and standard deviation of a rating distribution.

    `distribution`: (10,), the probabilities of the ratings 1 to 10.
    """
    share = distribution.astype(np.float64)
    share = share / share.sum()
    mean = float(share @ RATINGS)
    return mean, float(np.sqrt(max(share @ (RATINGS - mean) ** 2, 0.0)))
