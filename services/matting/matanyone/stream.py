"""Frame-by-frame matting with MatAnyone in constant memory.

The network's memory holds five frames, so a clip needs no chunks. The package's own programs keep the whole clip. The steps here are
the same as in those programs, so that mattes are exactly equal.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from services.matting.matanyone.package import MatAnyone
from shared.errors import Invalid

Rgb = NDArray[np.uint8]
Mask = NDArray[np.uint8]
Alpha = NDArray[np.float32]

WARM_UP = 11
"""Number of steps that the network runs on a frame after getting its mask. The package's program runs as many."""
_PATCH, _MIN_PATCHES = 16, 30
"""Side of a patch in pixels, and minimum number of patches in a picture. The network's memory looks up the 30 most similar patches and
fails if there are fewer."""


def patches(width: int, height: int) -> int:
    """Return the number of patches into which the network divides a picture."""
    return math.ceil(width / _PATCH) * math.ceil(height / _PATCH)


def large_enough(width: int, height: int) -> tuple[int, int]:
    """Enlarge a size to at least 30 patches, at the same aspect ratio.

    A size that has enough patches stays.
    """
    factor = 1.0
    size = width, height
    while patches(*size) < _MIN_PATCHES:
        factor *= 1.05
        size = round(width * factor), round(height * factor)
    return size


class Stream:
    """Matting of one clip's subjects, frame by frame."""

    def __init__(self, matanyone: MatAnyone, precision: str = "f32") -> None:
        """Start matting a clip.

        `precision`: f32, bf16 or f16; other than f32, the network runs under torch's autocast.
        """
        self._matanyone, self._precision = matanyone, precision
        self._features = _FrameFeatures(matanyone.network)
        self._device = next(matanyone.network.parameters()).device
        self._cores: dict[str, Any] = {}

    def step(self, rgb: Rgb, masks: Mapping[str, Mask] | None = None) -> dict[str, Alpha]:
        """Return the next frame's mattes by subject name.

        `rgb`: (H, W, 3). `masks`: masks of subjects in this frame, (H, W), by name; a known subject starts again from its new mask. Mattes
        are (H, W); a subject has none before its first mask. Raises Invalid for a picture that is too small and a mask of another size.
        """
        import torch

        height, width = rgb.shape[:2]
        if patches(width, height) < _MIN_PATCHES:
            least = " x ".join(map(str, large_enough(width, height)))
            raise Invalid(f"MatAnyone cannot process pictures of {width} x {height} pixels: enlarge the clip to at least {least}.")
        for name, mask in (masks or {}).items():
            if mask.shape != rgb.shape[:2]:
                raise Invalid(f"The mask {name} has {mask.shape[1]} x {mask.shape[0]} pixels, but its frame has {width} x {height}.")
        self._features.forget()
        dtype = {"f32": None, "bf16": torch.bfloat16, "f16": torch.float16}[self._precision]
        autocast = torch.autocast(self._device.type, dtype=dtype or torch.bfloat16, enabled=dtype is not None)
        with torch.inference_mode(), autocast:
            image = torch.from_numpy(np.ascontiguousarray(rgb)).permute(2, 0, 1).to(self._device).float() / 255
            alphas = {name: self._start(name, image, mask) for name, mask in (masks or {}).items()}
            for name, core in self._cores.items():
                if name not in alphas:
                    alphas[name] = core.step(image)[1]
            return {name: alphas[name].float().clamp(0, 1).cpu().numpy() for name in self._cores}

    def _start(self, name: str, image: Any, mask: Mask) -> Any:
        import torch

        network = self._matanyone.network
        core = self._matanyone.core(network, cfg=network.cfg, image_feature_store=self._features, device=self._device)
        self._cores[name] = core
        core.step(image, torch.from_numpy(np.ascontiguousarray(mask)).float().to(self._device), objects=[1])
        for _ in range(WARM_UP):
            output = core.step(image, first_frame_pred=True)
        return output[1]


@dataclass
class _FrameFeatures:
    """Features of one frame, computed once and used for all its subjects and steps.

    Replaces the package's `ImageFeatureStore`, which encodes a frame again at each step: for each subject and each step of the warm-up.
    """

    network: Any
    features: tuple[Any, ...] | None = None

    def forget(self) -> None:
        """Discard the features of the last frame."""
        self.features = None

    def get_features(self, _index: int, image: Any, last_feats: Any = None) -> tuple[Any, ...]:  # noqa: ARG002 (the package's interface)
        return self._encoded(image)[:2]

    def get_key(self, _index: int, image: Any, last_feats: Any = None) -> tuple[Any, ...]:  # noqa: ARG002 (the package's interface)
        return self._encoded(image)[2:]

    def delete(self, _index: int) -> None:
        """Do nothing: other subjects still need the features."""

    def _encoded(self, image: Any) -> tuple[Any, ...]:
        if self.features is None:
            scales, pixels = self.network.encode_image(image, last_feats=None)
            self.features = (scales, pixels, *self.network.transform_key(scales[0]))
        return self.features
