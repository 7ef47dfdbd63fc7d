"""Hole filling with LaMa, an inpainting network.

Suvorov et al., 2021.
"""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shared.models.cache import loaded
from shared.models.devices.device import torch_device
from shared.models.devices.gpu_lock import hold_gpu
from shared.models.files import model_files
from shared.operation import Progress

MODEL = "lama"
_BYTES = 400 * 2**20
_MULTIPLE = 8


def fill_lama(picture: NDArray[np.uint8], hole: NDArray[np.uint8], progress: Progress) -> NDArray[np.uint8]:
    """Fill the holes of a picture with LaMa.

    `picture`: RGB, uint8 (height, width, 3). `hole`: uint8 (height, width), 255 in holes. Raises ModelMissing.
    """
    path = next(iter(model_files(MODEL, progress).values()))
    device = torch_device()
    with hold_gpu(device, progress), loaded((MODEL, str(device)), lambda: _load(path, device), size=_BYTES, device=device) as model:
        filled = _run(model, picture, hole, device)
    return np.where(hole[..., None] > 0, filled, picture).astype(np.uint8)


def _load(path: Path, device: Any) -> Any:
    import torch

    return torch.jit.load(str(path), map_location=str(device)).eval()  # type: ignore[no-untyped-call]


def _run(model: Any, picture: NDArray[np.uint8], hole: NDArray[np.uint8], device: Any) -> NDArray[np.uint8]:
    import torch

    height, width = hole.shape
    down, across = -height % _MULTIPLE, -width % _MULTIPLE
    padded = np.pad(picture, ((0, down), (0, across), (0, 0)), mode="symmetric")
    mask = np.pad((hole > 0).astype(np.float32), ((0, down), (0, across)), mode="symmetric")
    with torch.inference_mode():
        image = torch.from_numpy(padded.transpose(2, 0, 1)[None].astype(np.float32) / 255).to(str(device))
        output = model(image, torch.from_numpy(mask[None, None]).to(str(device)))
    filled = output[0].permute(1, 2, 0).float().cpu().numpy()[:height, :width]
    return np.asarray(np.clip(np.rint(filled * 255), 0, 255), np.uint8)
