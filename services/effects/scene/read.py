"""Moments of a clip's file, with masks of what moves, or those of a matte's."""

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from services.effects.params import SceneParams
from services.effects.scene.moments import Moment, Scene, reduced
from services.effects.scene.motion_mask import Mask
from shared.video import Frame, read_frames, read_together


def moments_of(
    params: SceneParams,
    scene: Scene,
    *,
    video: Path,
    matte: Path | None,
    rate: float,
    masked: bool,
    look: bool = False,
    focus_block: int | None = None,
    fine_matte: bool = False,
) -> Iterator[Moment]:
    """The moments of the part of `video` that is used, with a mask each if they are to be `masked`; `look`: with small planes at least.

    `matte`: a gray video whose frames, by time, are the masks; `fine_matte`: in half of the clip's size rather than that of small planes,
    for ghosts in full size, which need none of those.
    `focus_block`: see `Scene.masked`.
    """
    start, duration = params.start or None, params.duration
    if matte is not None:
        with read_together(video, matte, start=start, duration=duration, to_sdr8=True) as pairs:
            shown: list[Frame] = []

            def frames() -> Iterator[Frame]:
                for frame, mask in pairs:
                    shown[:] = [mask]
                    yield frame

            for moment in scene.moments(frames(), look=not fine_matte):
                assert moment.frame is not None
                size = (-(-moment.frame.width // 2), -(-moment.frame.height // 2)) if fine_matte else scene.size
                moment.mask = mask_of(shown[0], size)
                yield moment
        return
    # Who only looks is as fast as the decoder, and has no use for a queue of large pictures.
    with read_frames(video, start=start, duration=duration, to_sdr8=True, prefetch=2 if look else 8) as found:
        moments = scene.moments(found, look=masked or look)
        yield from scene.masked(moments, rate=rate, threshold=params.motion_threshold, focus_block=focus_block) if masked else moments


def mask_of(frame: Frame, size: tuple[int, int]) -> Mask:
    """A matte's luma from black to white as 0 to 255, in `size` (width, height)."""
    luma = reduced(frame.luma(), size)
    if frame.color.range == "pc":
        return np.asarray(luma, np.uint8)
    return np.asarray(cv2.LUT(luma, np.clip(np.rint((np.arange(256) - 16) * 255 / 219), 0, 255).astype(np.uint8)), np.uint8)
