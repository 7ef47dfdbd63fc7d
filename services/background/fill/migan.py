"""Hole filling with MI-GAN, a small generative network (Sargsyan et al., 2023)."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shared.models.cache import loaded
from shared.models.devices.device import CPU
from shared.models.files import model_files
from shared.operation import Progress

MODEL = "migan"
_BYTES = 300 * 2**20
_KEEP = 255


def fill_migan(picture: NDArray[np.uint8], hole: NDArray[np.uint8], progress: Progress) -> NDArray[np.uint8]:
    """Fill the holes of a picture with MI-GAN.

    `picture`: RGB, uint8 (height, width, 3). `hole`: uint8 (height, width), 255 in holes. The published graph takes pictures of any size;
    cropping around the hole and pasting the result are part of it. Raises ModelMissing.
    """
    path = next(iter(model_files(MODEL, progress).values()))
    with loaded((MODEL, "cpu"), lambda: _session(path), size=_BYTES, device=CPU) as session:
        image = np.ascontiguousarray(picture.transpose(2, 0, 1)[None])
        keep = np.where(hole > 0, 0, _KEEP).astype(np.uint8)[None, None]
        names = [port.name for port in session.get_inputs()]
        output = session.run(None, {names[0]: image, names[1]: keep})[0]
    filled = np.asarray(output, np.uint8)[0].transpose(1, 2, 0)
    return np.where(hole[..., None] > 0, filled, picture).astype(np.uint8)


def _session(path: Path) -> Any:
    import onnxruntime

    return onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
