"""Segment Anything 2.1 tiny, run from its ONNX files.

Ravi et al., 2024. It makes a mask of the object that clicks or a box mark.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from services.matting.networks.engine import Engine, onnx_session

Rgb = NDArray[np.uint8]
Mask = NDArray[np.uint8]

_SIDE = 1024
_MEAN = np.array([0.485, 0.456, 0.406], np.float32)
_SPREAD = np.array([0.229, 0.224, 0.225], np.float32)


@dataclass(frozen=True, kw_only=True, eq=False)
class Sam:
    """The loaded Segment Anything network.

    `mask(rgb, points, box)`: returns a mask, (height, width) uint8 0 or 255, for clicks (x, y, 1 or -1) and a box (left, top, right,
    bottom) or None, in pixels of the picture.
    """

    mask: Callable[[Rgb, Sequence[tuple[int, int, int]], tuple[int, int, int, int] | None], Mask]


def load_sam(encoder: Path, decoder: Path, engine: Engine) -> Sam:
    """Load the image encoder and the mask decoder.

    Both run in onnxruntime, because the weights are in separate files beside the ONNX files.
    """
    sessions = onnx_session(encoder, engine).session, onnx_session(decoder, engine).session

    def mask(rgb: Rgb, points: Sequence[tuple[int, int, int]], box: tuple[int, int, int, int] | None) -> Mask:
        height, width = rgb.shape[:2]
        square = cv2.resize(rgb, (_SIDE, _SIDE), interpolation=cv2.INTER_LINEAR).astype(np.float32) / 255
        pixels = ((square - _MEAN) / _SPREAD).transpose(2, 0, 1)[None]
        names = [output.name for output in sessions[0].get_outputs()]
        fed = dict(zip(names, sessions[0].run(names, {"pixel_values": np.ascontiguousarray(pixels, np.float32)}), strict=True))
        scale = np.array([_SIDE / width, _SIDE / height], np.float32)
        clicks = np.array([[x, y] for x, y, _ in points], np.float32).reshape(1, 1, -1, 2) * scale
        labels = np.array([1 if label == 1 else 0 for *_, label in points], np.int64).reshape(1, 1, -1)
        boxes = np.zeros((1, 0, 4), np.float32) if box is None else np.array([[box]], np.float32).reshape(1, 1, 4) * np.tile(scale, 2)
        prompts = {"input_points": clicks, "input_labels": labels, "input_boxes": boxes.astype(np.float32)} | fed
        inputs = {entry.name for entry in sessions[1].get_inputs()}
        scores, masks = sessions[1].run(["iou_scores", "pred_masks"], {key: value for key, value in prompts.items() if key in inputs})
        best = int(np.argmax(scores.reshape(-1)))
        logits = masks.reshape(-1, *masks.shape[-2:])[best].astype(np.float32)
        large = cv2.resize(logits, (width, height), interpolation=cv2.INTER_LINEAR)
        return np.asarray((large > 0) * 255, np.uint8)

    return Sam(mask=mask)
