"""Stamps: cut-outs of the subject, drawn on other frames."""

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import cv2
import numpy as np

from services.effects.scene.moments import MaskedFrame
from services.effects.scene.motion_mask import Mask, share_seen
from services.effects.scene.pixels import Pixels, Planes
from services.effects.scene.warp import Weights, enlarged, mix_weighted, rectangle
from shared.motion.camera import Matrix, Pose, matrix_between, scale_matrix


@dataclass(frozen=True, slots=True, eq=False)
class Stamp:
    """A cut-out of the subject from one frame."""

    seconds: float
    """Time of the frame in the source."""
    pose: Pose
    corner: tuple[int, int]
    """Position (x, y) of the cut-out's upper left corner in the frame."""
    planes: Planes
    """Planes of the cut-out, which is a rectangle."""
    mask: Mask
    """Mask of the whole frame, 0 to 255."""

    @property
    def subject_share(self) -> float:
        """Share of the subject's area that the mask covers, 0 to 1.

        The subject's area is everything within its outline. A mask that covers only the subject's moving edges makes a hollow stamp.
        """
        return share_seen(self.mask)

    def matrix_to(self, target: Pose) -> Matrix:
        """Return the matrix from stamp pixels to pixels at pose `target`.

        The target pixels are those of a frame. The matrix is (3, 3).
        """
        corner = np.array([[1, 0, self.corner[0]], [0, 1, self.corner[1]], [0, 0, 1.0]])
        return np.asarray(matrix_between(self.pose, target) @ corner, np.float64)


def cut_out(frame: MaskedFrame, planes: Planes) -> Stamp | None:
    """Cut the subject out of a frame.

    Returns None if the frame's mask is empty. `planes`: planes of the frame.
    """
    area = rectangle(frame.mask > 127)
    if area is None:
        return None
    height, width = planes[0].shape
    rows, columns = enlarged(area, frame.mask.shape, planes[0].shape)
    # A margin for the mask's soft edge; an even corner, so that chroma samples stay aligned.
    margin = 4 * -(-height // frame.mask.shape[0])
    top, left = max(rows.start - margin, 0) // 2 * 2, max(columns.start - margin, 0) // 2 * 2
    bottom, right = min(rows.stop + margin, height), min(columns.stop + margin, width)
    pieces = []
    for plane in planes:
        across, down = plane.shape[1] / width, plane.shape[0] / height
        lines = slice(round(top * down), -(-bottom * plane.shape[0] // height))
        pieces.append(plane[lines, round(left * across) : -(-right * plane.shape[1] // width)].copy())
    return Stamp(float(frame.seconds), frame.pose, (left, top), tuple(pieces), frame.mask)


@dataclass(frozen=True, slots=True, eq=False)
class StampedFrame:
    """A frame with the stamps to draw on it."""

    frame: MaskedFrame
    stamps: tuple[Stamp, ...]
    """Stamps of earlier frames."""
    own: Stamp | None
    """Stamp made of this frame, if any."""


def stamped_frames(frames: Iterable[MaskedFrame], pixels: Pixels, *, interval_s: float, max_stamps: int) -> Iterator[StampedFrame]:
    """Yield every frame with the latest stamps of its shot, at most `max_stamps`.

    The first stamp of a shot is made as soon as something moves, and then another every `interval_s` seconds.
    """
    held: deque[Stamp] = deque(maxlen=max_stamps)
    shot, due = -1, 0.0
    for frame in frames:
        now = float(frame.seconds)
        if frame.shot != shot:
            shot, due = frame.shot, now
            held.clear()
        earlier, own = tuple(held), None
        # Frame times are rounded to their time base, hence the tolerance.
        if now >= due - 1e-3 and (own := cut_out(frame, pixels.planes(frame.frame))) is not None:
            held.append(own)
            due = max(due + interval_s, now + interval_s / 2) if earlier else now + interval_s
        yield StampedFrame(frame, earlier, own)


def lay_stamps(out: Planes, stamps: Iterable[Stamp], target: Pose, subject: Weights, *, opacity: float) -> None:
    """Draw `stamps` on a frame's planes `out`, behind the frame's own subject.

    Later stamps cover earlier ones. `target`: pose of the frame. `subject`: mask of the frame's own subject, float32 from 0 to 1.
    """
    height, width = out[0].shape
    for stamp in stamps:
        weights = stamp.mask.astype(np.float32) * np.float32(opacity / 255)
        small_matrix = scale_matrix(matrix_between(stamp.pose, target), weights.shape[1] / width, weights.shape[0] / height)
        if np.abs(small_matrix - np.eye(3)).max() > 0.05:
            weights = np.asarray(cv2.warpPerspective(weights, small_matrix, weights.shape[::-1], flags=cv2.INTER_LINEAR), np.float32)
        mix_weighted(out, stamp.planes, stamp.matrix_to(target), weights * (1 - subject))
