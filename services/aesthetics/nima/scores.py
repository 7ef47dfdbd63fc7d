"""NIMA: how people would rate a picture, as ten probabilities. What is independent of the library that runs it.

Source: Talebi, Milanfar, "NIMA: Neural Image Assessment", 2017. A network for classification, without its head: average pooling, dropout,
a dense layer of ten, softmax. The networks were trained on pictures stretched to 224 by 224, in R, G, B from -1 to 1.
"""

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Architecture = Literal["inception-resnet-v2", "mobilenet"]

CATALOG_NAMES: dict[str, str] = {
    "inception-resnet-v2": "nima-inception-resnet-v2",
    "mobilenet-aesthetic": "nima-mobilenet-aesthetic",
    "mobilenet-technical": "nima-mobilenet-technical",
}
"""The param `model` -> its name in the catalog of models."""

ARCHITECTURES: dict[str, Architecture] = {
    "inception-resnet-v2": "inception-resnet-v2",
    "mobilenet-aesthetic": "mobilenet",
    "mobilenet-technical": "mobilenet",
}

RATINGS = np.arange(1, 11)


def prepared(pictures: Sequence[NDArray[np.uint8]], preprocessing: str) -> NDArray[np.float32]:
    """Pictures, (224, 224, 3) uint8 each, as the network is fed: (n, 224, 224, 3) from -1 to 1, or from 0 to 1 for "unit"."""
    batch = np.stack(pictures).astype(np.float32)
    if preprocessing == "unit":
        return batch / np.float32(255)
    return batch / np.float32(127.5) - np.float32(1)


def mean_and_spread(distribution: NDArray[np.floating]) -> tuple[float, float]:
    """Mean and standard deviation of ten probabilities of the ratings 1 to 10."""
    share = distribution.astype(np.float64)
    share = share / share.sum()
    mean = float(share @ RATINGS)
    return mean, float(np.sqrt(max(share @ (RATINGS - mean) ** 2, 0.0)))
