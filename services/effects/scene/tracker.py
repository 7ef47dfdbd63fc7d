"""Tracking of a clip's scene: camera poses, shots and motion masks."""

from collections.abc import Generator, Iterable, Iterator

import cv2
import numpy as np

from services.effects.scene.concurrency import worker_count
from services.effects.scene.moments import MaskedFrame, SceneFrame, View
from services.effects.scene.motion_mask import Mask, completed, focused, moving
from services.effects.scene.neighbours import look_frames, neighbours
from services.effects.scene.small_planes import chroma_planes, reduced, small_size
from shared.motion.camera import Camera, Matrix, Model, Pose, matrix_between, scale_matrix
from shared.video import Frame, map_ordered

_MAX_CUTS = 10_000  # maximum number of cuts listed in the result


class SceneTracker:
    """Tracker of a clip's camera poses and shots.

    Takes frames of one size, in order. `cuts`: times in seconds at which new shots begin, the first 10,000. `unsure`: number of frames
    whose camera motion could not be measured and was extrapolated. `full_size`: whether whole frames are moved by the poses; for small
    planes, coarser poses are enough.
    """

    def __init__(self, width: int, height: int, *, model: Model, full_size: bool = True) -> None:
        self.width, self.height = width, height
        self.size = small_size(width, height)
        self._camera = Camera(model, width, height, within=None if full_size else self.size)
        self.cuts: list[float] = []
        self.unsure = 0

    def track(self, frames: Iterable[Frame]) -> Generator[SceneFrame, None, None]:
        """Yield each frame with its shot, pose and small planes."""
        shot = -1
        for index, frame in enumerate(frames):
            luma = reduced(frame.luma(), self.size)
            # Enlarged small planes would show no more than the small ones.
            measured = reduced(luma if self.size >= self._camera.size else frame.luma(), self._camera.size)
            pose = self._camera.step(np.asarray(measured, np.uint8))
            if pose.cut:
                shot += 1
                if index and len(self.cuts) < _MAX_CUTS:
                    self.cuts.append(float(frame.time))
            self.unsure += not pose.sure
            planes = [luma, *(reduced(plane, self.size) for plane in chroma_planes(frame))]
            small = np.asarray(cv2.merge(planes), np.uint8).reshape(*luma.shape, len(planes))
            yield SceneFrame(index=index, seconds=frame.time, shot=shot, pose=pose, small=small, frame=frame)

    def mask(self, frames: Iterable[SceneFrame], *, rate: float, threshold: int, focus_block: int | None) -> Iterator[MaskedFrame]:
        """Yield the frames, each with its motion mask.

        `rate`: frames per second. `threshold`: see `motion_mask.moving`. `focus_block`: side of the squares for measuring sharpness, in
        pixels at 540 lines; None keeps regions that are out of focus. Compares and holds frames up to twice LOOK_S seconds apart.
        """
        block = None if focus_block is None else round(focus_block * self.size[1] / 540) | 1

        def masked(pair: tuple[SceneFrame, list[View]]) -> MaskedFrame:
            frame, others = pair
            return frame.with_mask(self._moving(frame, others, threshold, block))

        return map_ordered(masked, neighbours(frames, look_frames(rate)), workers=worker_count(), ahead=2)

    def small_matrix(self, source: Pose, target: Pose) -> Matrix:
        """Return the matrix (3, 3) from one frame's small planes to another's.

        `source`, `target`: camera poses of the two frames.
        """
        return scale_matrix(matrix_between(source, target), self.size[0] / self.width, self.size[1] / self.height)

    def _moving(self, frame: SceneFrame, others: list[View], threshold: int, block: int | None) -> Mask:
        aligned = [(neighbour.small, self.small_matrix(neighbour.pose, frame.pose)) for neighbour in others]
        mask = moving(frame.small, aligned, threshold=threshold)
        return mask if block is None else completed(focused(mask, frame.small[:, :, 0], block=block))
