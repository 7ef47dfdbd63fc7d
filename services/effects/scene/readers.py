"""Reading of clips with motion masks, matte masks or no masks."""

from collections.abc import Generator, Iterator
from pathlib import Path

import cv2
import numpy as np

from services.effects.scene.moments import MaskedFrame, SceneFrame
from services.effects.scene.motion_mask import Mask
from services.effects.scene.small_planes import reduced
from services.effects.scene.tracker import SceneTracker
from shared.video import Frame, read_frames, read_together
from shared.video.clip.part import ClipPart

SPECKS = 5e-5
"""Largest share of light pixels in a matte that shows no subject. Light pixels are then specks of noise."""


def read_scene(
    tracker: SceneTracker, video: Path, part: ClipPart, *, background: str, prefetch: int = 8
) -> Generator[SceneFrame, None, None]:
    """Yield the frames of a part of `video`, without masks."""
    start, duration = part.start or None, part.duration
    with read_frames(video, opaque=True, background=background, start=start, duration=duration, to_sdr8=True, prefetch=prefetch) as frames:
        yield from tracker.track(frames)


def read_moving(
    tracker: SceneTracker,
    video: Path,
    part: ClipPart,
    *,
    background: str,
    rate: float,
    threshold: int,
    focus_block: int | None = None,
) -> Generator[MaskedFrame, None, None]:
    """Yield the frames of a part of `video`, each with its motion mask.

    `rate`, `threshold`, `focus_block`: see `SceneTracker.mask`.
    """
    start, duration = part.start or None, part.duration
    with read_frames(video, opaque=True, background=background, start=start, duration=duration, to_sdr8=True) as frames:
        yield from tracker.mask(tracker.track(frames), rate=rate, threshold=threshold, focus_block=focus_block)


def read_matted(
    tracker: SceneTracker, video: Path, matte: Path, part: ClipPart, *, background: str, full_size: bool
) -> Generator[MaskedFrame, None, None]:
    """Yield frames of a part of `video` with masks from a matte.

    `matte`: a gray video, matched by time. `full_size`: whether the masks are for ghosts in full size. Such masks have half the clip's
    width and height, others the size of small planes.
    """
    start, duration = part.start or None, part.duration
    with read_together(video, matte, opaque=True, background=background, start=start, duration=duration, to_sdr8=True) as pairs:
        current: list[Frame] = []

        def frames() -> Iterator[Frame]:
            for frame, mask in pairs:
                current[:] = [mask]
                yield frame

        for frame in tracker.track(frames()):
            size = (-(-frame.frame.width // 2), -(-frame.frame.height // 2)) if full_size else tracker.size
            yield frame.with_mask(mask_of(current[0], size))


def is_black(matte: Path) -> bool:
    """Return whether no frame of a matte shows a subject.

    In such a frame, at most SPECKS of the pixels are lighter than middle gray.
    """
    with read_frames(matte) as frames:
        return not any(np.mean(mask_of(frame, (frame.width, frame.height)) > 127) > SPECKS for frame in frames)


def mask_of(frame: Frame, size: tuple[int, int]) -> Mask:
    """Convert a matte's frame to a mask of `size`.

    `size`: (width, height). Black becomes 0, white 255.
    """
    luma = reduced(frame.luma(), size)
    if frame.color.range == "pc":
        return np.asarray(luma, np.uint8)
    return np.asarray(cv2.LUT(luma, np.clip(np.rint((np.arange(256) - 16) * 255 / 219), 0, 255).astype(np.uint8)), np.uint8)
