"""Stamps: the subject cut out of a frame, to be laid into others of the same shot."""

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import cv2
import numpy as np

from services.effects.scene.moments import Moment
from services.effects.scene.pixels import Pixels, Planes
from services.effects.scene.warp import Weights, enlarged, mix_weighted, rectangle
from shared.motion.camera import Matrix, Pose, matrix_between, scale_matrix
from shared.video import Frame


@dataclass(frozen=True, slots=True, eq=False)
class Stamp:
    """A piece of a frame's `planes` with its left upper corner at `corner` (x, y), and the `mask` (0 to 255) of the whole frame."""

    seconds: float
    pose: Pose
    corner: tuple[int, int]
    planes: Planes
    mask: np.ndarray[tuple[int, int], np.dtype[np.uint8]]

    def to(self, target: Pose) -> Matrix:
        """The matrix (3, 3) from the stamp's pixels to those of the frame with the pose `target`."""
        corner = np.array([[1, 0, self.corner[0]], [0, 1, self.corner[1]], [0, 0, 1.0]])
        return matrix_between(self.pose, target) @ corner


def cut_out(moment: Moment, planes: Planes) -> Stamp | None:
    """The stamp of a moment; None if nothing moves in it."""
    assert moment.mask is not None
    found = rectangle(moment.mask > 127)
    if found is None:
        return None
    rows, columns = enlarged(found, moment.mask.shape, planes[0].shape)
    # A few more pixels for the mask's soft edge; an even corner, so that chroma lies where it lay.
    margin = 4 * -(-planes[0].shape[0] // moment.mask.shape[0])
    top, left = max(rows.start - margin, 0) // 2 * 2, max(columns.start - margin, 0) // 2 * 2
    bottom, right = min(rows.stop + margin, planes[0].shape[0]), min(columns.stop + margin, planes[0].shape[1])
    height, width = planes[0].shape
    pieces = []
    for plane in planes:
        across, down = plane.shape[1] / width, plane.shape[0] / height
        pieces.append(
            plane[
                round(top * down) : -(-bottom * plane.shape[0] // height), round(left * across) : -(-right * plane.shape[1] // width)
            ].copy()
        )
    return Stamp(float(moment.seconds), moment.pose, (left, top), tuple(pieces), moment.mask)


@dataclass(frozen=True, slots=True, eq=False)
class Stamped:
    """A moment of a clip, its frame, the stamps that are there by then, and the one it was made into, if it was."""

    moment: Moment
    frame: Frame
    stamps: tuple[Stamp, ...]
    own: Stamp | None


def stamped(moments: Iterable[Moment], pixels: Pixels, *, interval_s: float, most: int) -> Iterator[Stamped]:
    """Every moment with the stamps of its shot so far, at most `most`: one as soon as something moves, then one every `interval_s`."""
    held: deque[Stamp] = deque(maxlen=most)
    shot, due = -1, 0.0
    for moment in moments:
        assert moment.frame is not None
        now = float(moment.seconds)
        if moment.shot != shot:
            shot, due = moment.shot, now
            held.clear()
        before, own = tuple(held), None
        # A hair: frame times are rounded to their time base.
        if now >= due - 1e-3 and (own := cut_out(moment, pixels.planes(moment.frame))) is not None:
            held.append(own)
            due = max(due + interval_s, now + interval_s / 2) if before else now + interval_s
        yield Stamped(moment, moment.frame, before, own)


def lay_stamps(out: Planes, stamps: Iterable[Stamp], target: Pose, subject: Weights | None, *, opacity: float) -> None:
    """Lay stamps into planes of the pose `target`, the latest on top, and all of them behind the `subject` (0 to 1) of that frame."""
    height, width = out[0].shape
    for stamp in stamps:
        weights = stamp.mask.astype(np.float32) * np.float32(opacity / 255)
        own = scale_matrix(matrix_between(stamp.pose, target), weights.shape[1] / width, weights.shape[0] / height)
        if np.abs(own - np.eye(3)).max() > 0.05:
            weights = np.asarray(cv2.warpPerspective(weights, own, weights.shape[::-1], flags=cv2.INTER_LINEAR), np.float32)
        mix_weighted(out, stamp.planes, stamp.to(target), weights if subject is None else weights * (1 - subject))
