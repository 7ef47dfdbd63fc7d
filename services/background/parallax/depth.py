"""Depth estimation with Depth Anything V2 Small.

Source: Yang et al., 2024.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from shared.models.cache import loaded, model_cache
from shared.models.devices.device import Device, torch_device
from shared.models.devices.gpu_lock import hold_gpu
from shared.models.files import model_files
from shared.operation import Progress

MODEL = "depth-anything-v2-small"
BYTES = 500 * 2**20
"""Memory of the loaded network while it runs."""
KEPT_BYTES = 200 * 1000**2
"""Memory that the network keeps after its work."""
_OUTLIERS = 0.01
"""Share of the nearest and of the farthest pixels, ignored when depth is scaled."""

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class _Network:
    processor: Any
    model: Any


def estimated_depth(rgb: NDArray[np.uint8], progress: Progress, *, alone: bool = False) -> Floats:
    """Estimate the inverse depth of a picture.

    `rgb`: uint8 (height, width, 3). `alone`: whether idle models leave the device first. Returns float32 (height, width) from 0 (far) to 1
    (near). Raises ModelMissing.
    """
    files = model_files(MODEL, progress)
    folder = files["config.json"].parent
    device = torch_device()
    with hold_gpu(device, progress):
        if alone:
            model_cache().drop(device)
        with loaded((MODEL, str(device)), lambda: _load(folder, device), size=BYTES, device=device) as network:
            raw = _run(network, rgb, device)
    return normalized(np.asarray(cv2.resize(raw, rgb.shape[1::-1], interpolation=cv2.INTER_CUBIC), np.float32))


def normalized(inverse: Floats) -> Floats:
    """Scale inverse depth to the range 0 to 1.

    Constant depth becomes 0.5.
    """
    low, high = (float(edge) for edge in np.quantile(inverse, (_OUTLIERS, 1 - _OUTLIERS)))
    if high - low < 1e-6:
        return np.full(inverse.shape, 0.5, np.float32)
    return np.asarray(np.clip((inverse - low) / (high - low), 0, 1), np.float32)


def _load(folder: Path, device: Device) -> _Network:
    from transformers import DepthAnythingForDepthEstimation
    from transformers.models.dpt.image_processing_pil_dpt import DPTImageProcessorPil

    processor = DPTImageProcessorPil.from_pretrained(folder, local_files_only=True)
    model = DepthAnythingForDepthEstimation.from_pretrained(folder, local_files_only=True, use_safetensors=True)
    placed: Any = model
    return _Network(processor, placed.to(str(device)).eval())


def _run(network: _Network, rgb: NDArray[np.uint8], device: Device) -> Floats:
    import torch
    from PIL import Image

    inputs = network.processor(images=Image.fromarray(rgb, "RGB"), return_tensors="pt")
    with torch.inference_mode():
        depth = network.model(pixel_values=inputs["pixel_values"].to(str(device))).predicted_depth
    return np.asarray(depth[0].float().cpu().numpy(), np.float32)
