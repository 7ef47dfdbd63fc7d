"""Painting of a clip's new background from a prompt.

The background gets the depth of the clip's own scene.
"""

from contextlib import AbstractContextManager

import cv2
import numpy as np
from numpy.typing import NDArray

from services.background.analysis.scene_light import CameraHeight, LightFrom
from services.background.diffusion.paint import Plan, paint
from services.background.diffusion.pipeline import Pipeline
from services.background.parallax.depth import normalized
from services.background.stage.reference import Reference, extended, subject_mask, without_subject
from shared.operation import Progress

Floats = NDArray[np.float32]

_GROW = 40
"""Frame height divided by the number of pixels to grow the subject's mask. The mask then covers soft edges and shadows."""
_SMOOTH = 90
"""Frame height divided by the blur of the depth, in pixels. The blur keeps the room and removes the rest of the subject's outline."""
_LIGHT = {
    "left": "light from the left",
    "right": "light from the right",
    "above": "light from above",
    "below": "light from below",
    "front": "",
}
_HEIGHTS = {"low": "low camera angle", "eye level": "eye-level camera", "high": "high camera angle", "unknown": ""}


def described_scene(prompt: str, light_from: LightFrom, camera: CameraHeight) -> str:
    """Append the clip's light direction and camera height to a prompt."""
    return ", ".join(filter(None, (prompt.strip(), _LIGHT[light_from], _HEIGHTS[camera])))


def scene_depth(inverse: Floats, matte: NDArray[np.uint8], size: tuple[int, int]) -> Floats:
    """Return the scene's depth without the subject, extended to `size`.

    `inverse`: inverse depth of a frame, from 0 to 1, float32 (h, w); `matte`: uint8 of the same size. The frame lies in the middle of
    `size` (width, height), and its depth is continued smoothly around it.
    """
    height = inverse.shape[0]
    empty = without_subject(inverse[..., None], subject_mask(matte, max(height // _GROW, 2)))
    smooth = cv2.GaussianBlur(empty[..., 0], (0, 0), max(height / _SMOOTH, 1))
    return normalized(extended(np.asarray(smooth, np.float32)[..., None], *size)[..., 0])


def painted_place(
    loading: AbstractContextManager[Pipeline],
    plan: Plan,
    reference: Reference,
    depth: Floats | None,
    size: tuple[int, int],
    progress: Progress,
) -> NDArray[np.uint8]:
    """Paint a background of `size` (width, height), RGB uint8.

    `loading`: loads the pipeline and keeps it during the painting. `reference`: painting starts from the colours of this frame, without its
    subject. `depth`: result of `scene_depth`, which gives the background the layout of the clip's scene; None leaves the layout to the
    model. Raises ModelMissing, Unavailable.
    """
    mask = subject_mask(reference.matte, max(reference.matte.shape[0] // _GROW, 2))
    around = extended(without_subject(reference.rgb.astype(np.float32), mask), *size)
    start = np.clip(np.rint(around), 0, 255).astype(np.uint8)
    everywhere = np.full(start.shape[:2], 255, np.uint8)
    with loading as ready:
        return paint(ready, plan, start, everywhere, progress, depth=depth)
