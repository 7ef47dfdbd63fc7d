"""Computation of a frame's output pictures from its matte."""

from dataclasses import dataclass

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from services.matting.edges.edges import finished, refined
from services.matting.edges.options import EdgeOptions
from services.matting.output.foreground import foreground_of
from services.matting.output.foreground_files import FOREGROUND_FILES
from services.matting.output.limits import Limits
from services.matting.output.matte_formats import MATTE_FORMATS
from services.matting.output.options import OutputOptions
from services.matting.output.pictures import over, transparent_picture
from shared.video import Frame
from shared.video.frames.from_rgb import color_picture

Rgb = NDArray[np.uint8]
Alpha = NDArray[np.float32]

VISIBLE = 0.1
"""Alpha above which the subject is visible in a pixel."""
_ENLARGED = 1.6
"""Enlargement of a matte above which its edge is aligned with the picture. Used if the option `refine` is empty."""


@dataclass(frozen=True, slots=True, eq=False)
class BackendFrame:
    """A frame with the matte that a backend computed.

    `alpha` and `foreground` may have other sizes than the frame. `gate`: factor for alpha that keeps the subject, 0..1.
    """

    frame: Frame
    rgb: Rgb
    alpha: Alpha
    foreground: Rgb | None
    gate: Alpha | None


@dataclass(frozen=True, slots=True, eq=False)
class FinishedFrame:
    """Output pictures of one frame, with its subject's coverage.

    `pictures`: output name -> picture. `coverage`: mean of alpha. `visible`: share of pixels with alpha above 0.1.
    """

    frame: Frame
    pictures: dict[str, av.VideoFrame]
    coverage: float
    visible: float


class FrameFinisher:
    """Callable that computes the output pictures of a frame.

    Several threads may call it. `backdrop`: background of composites; None makes them transparent. `limits`: masks that are applied to the
    finished mattes.
    """

    def __init__(self, outputs: frozenset[str], files: OutputOptions, edges: EdgeOptions, backdrop: Rgb | None, limits: Limits) -> None:
        self._outputs, self._files, self._edges, self._backdrop, self._limits = outputs, files, edges, backdrop, limits

    def __call__(self, matted: BackendFrame) -> FinishedFrame:
        """Compute all output pictures of a frame.

        The matte is scaled to the frame, and the edge options are applied to it.
        """
        frame = matted.frame
        alpha = self._alpha(matted)
        pictures: dict[str, av.VideoFrame] = {}
        matte_format = MATTE_FORMATS[self._files.alpha_format]
        colors: Rgb | None = None
        if {"composite", "foreground"} & self._outputs or matte_format.transparent:
            colors = self._colors(matted, alpha)
        if colors is not None and matte_format.transparent:
            pictures["alpha"] = transparent_picture(colors, alpha, frame, matte_format.transparent)
        else:
            pictures["alpha"] = matte_format.picture(alpha)
        if colors is not None and "composite" in self._outputs:
            if self._backdrop is None:
                pictures["composite"] = transparent_picture(colors, alpha, frame, "yuva444p10le")
            else:
                pictures["composite"] = color_picture(over(colors, alpha, self._backdrop), frame)
        if colors is not None and (written := FOREGROUND_FILES[self._files.foreground].colours) is not None:
            pictures["foreground"] = color_picture(written(colors, alpha), frame)
        return FinishedFrame(frame, pictures, float(alpha.mean()), float(np.count_nonzero(alpha > VISIBLE) / alpha.size))

    def _alpha(self, matted: BackendFrame) -> Alpha:
        size = matted.frame.width, matted.frame.height
        alpha = matted.alpha
        scale = max(size[0] / alpha.shape[1], size[1] / alpha.shape[0])
        if alpha.shape != size[::-1]:
            alpha = np.asarray(cv2.resize(alpha, size, interpolation=cv2.INTER_LINEAR if scale >= 1 else cv2.INTER_AREA), np.float32)
        refine = self._edges.refine if self._edges.refine is not None else scale > _ENLARGED
        if refine:
            alpha = refined(alpha, matted.frame.luma(), scale=max(scale, 2))
        if matted.gate is not None:
            alpha = alpha * cv2.resize(matted.gate, size, interpolation=cv2.INTER_LINEAR)
        return self._limits.applied(np.ascontiguousarray(np.clip(finished(alpha, self._edges), 0, 1), np.float32))

    def _colors(self, matted: BackendFrame, alpha: Alpha) -> Rgb:
        size = matted.frame.width, matted.frame.height
        if matted.foreground is not None and matted.foreground.shape[1::-1] == size:
            return matted.foreground
        rgb = matted.rgb if matted.rgb.shape[1::-1] == size else matted.frame.rgb()
        if matted.foreground is None:
            return foreground_of(rgb, alpha)
        large = np.asarray(cv2.resize(matted.foreground, size, interpolation=cv2.INTER_LINEAR), np.uint8)
        # Where the subject is opaque, the frame has its colours at full sharpness.
        return np.asarray(cv2.blendLinear(rgb, large, np.clip(alpha * 8 - 7, 0, 1), np.clip(8 - alpha * 8, 0, 1)), np.uint8)
