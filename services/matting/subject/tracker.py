"""Tracking of a matte's subject by overlap and motion."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from services.matting.subject.regions import SOLID, Region, main_region, regions_of, without_specks
from shared.video.frames.scaling import scaled

Gray = NDArray[np.uint8]
Alpha = NDArray[np.float32]
First = Callable[[Sequence[Region]], Region | None]
"""Chooses the subject among the regions of a frame."""

_REACH = 0.04
"""Largest distance at which a new region joins the subject. It is a share of the picture's diagonal."""
_FADE = 0.08
"""Distance from the subject within which hair and blur are kept. It is a share of the picture's diagonal."""
_FLOW_LINES = 135  # largest shorter side of the pictures on which motion is measured, in pixels
_FAR = 1e6  # distance, in pixels, that stands for an empty region


@dataclass(frozen=True, slots=True, kw_only=True)
class _Previous:
    """The previous frame with its subject and other regions."""

    gray: Gray
    subject: Region
    rest: Region


class Tracker:
    """Tracker of one subject through the mattes of a clip.

    `first` chooses the subject in the first frame. After a cut, the main region becomes the subject. From frame to frame, the subject and
    the other regions are moved along the motion. A region that overlaps with both, as when two people cross, is divided: each pixel goes to
    the nearer of the two. Specks of the matte, such as strands of hair, do not count as other regions: they would cut holes into the
    subject.
    """

    def __init__(self, first: First) -> None:
        self._first = first
        self._flow = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_ULTRAFAST)
        self._started = False
        self._previous: _Previous | None = None
        """None until a subject is chosen."""
        self.lost = 0
        """Number of frames with regions, none of which was the subject."""
        self.rechosen = 0
        """Number of cuts after which the main region became the subject."""

    def gate(self, alpha: Alpha, gray: Gray, *, cut: bool) -> NDArray[np.float32]:
        """Return a factor per pixel that keeps only the subject of a matte.

        The factor is (h, w) float32 0..1, in the size of `gray`. `alpha` may have another size.
        """
        height, width = gray.shape
        small = scaled(alpha, (width, height))
        regions = regions_of(np.asarray(small, np.float32))
        if cut and self._started:
            self._previous = None
            self._first = main_region
            self.rechosen += 1
        self._started = True
        if self._previous is None:
            subject = self._first(regions)
            if subject is None:
                self.lost += bool(regions)
                return np.zeros((height, width), np.float32)
            rest = without_specks((small > SOLID) & ~subject)
        else:
            moved, others = self._moved(self._previous, gray)
            subject, rest = self._assigned(small > SOLID, regions, moved, without_specks(others))
        self._previous = _Previous(gray=gray, subject=subject, rest=rest)
        return self._soft_gate(subject, rest)

    def _moved(self, previous: _Previous, gray: Gray) -> tuple[Region, Region]:
        """Warp the previous frame's subject and other regions to this frame."""
        height, width = gray.shape
        factor = min(_FLOW_LINES / min(height, width), 1)
        size = max(round(width * factor), 16), max(round(height * factor), 16)
        now, before = (cv2.resize(picture, size, interpolation=cv2.INTER_AREA) for picture in (gray, previous.gray))
        flow = np.asarray(self._flow.calc(now, before, _no_flow()), np.float32)
        y, x = np.mgrid[0 : size[1], 0 : size[0]].astype(np.float32)
        labels = previous.subject.astype(np.uint8) + 2 * (previous.rest & ~previous.subject).astype(np.uint8)
        small = cv2.resize(labels, size, interpolation=cv2.INTER_NEAREST)
        moved = cv2.remap(small, x + flow[..., 0], y + flow[..., 1], cv2.INTER_NEAREST, borderMode=cv2.BORDER_REPLICATE)
        moved = cv2.resize(moved, (width, height), interpolation=cv2.INTER_NEAREST)
        return moved == 1, moved == 2

    def _assigned(self, solid: Region, regions: Sequence[Region], subject: Region, rest: Region) -> tuple[Region, Region]:
        """Divide a frame's `regions` into the subject and the rest.

        `solid`: mask of the pixels of all regions. `subject`, `rest`: the subject and the rest of the previous frame, moved to this frame.
        """
        if not subject.any():  # out of the picture or hidden: the main new region becomes the subject
            fresh = [region for region in regions if not (region & rest).any()]
            region = main_region(fresh)
            self.lost += bool(regions) and region is None
            new_subject = np.zeros_like(solid) if region is None else region
            return new_subject, without_specks(solid & ~new_subject)
        reach = _REACH * float(np.hypot(*solid.shape))
        to_subject, to_rest = _distance(subject), _distance(rest)
        nearer = to_subject <= to_rest
        new_subject = np.zeros_like(solid)
        for region in regions:
            if (region & subject).any():
                new_subject |= region & ~without_specks(region & ~nearer) if (region & rest).any() else region
            elif not (region & rest).any() and to_subject[region].min() <= reach and to_subject[region].min() <= to_rest[region].min():
                new_subject |= region
        if not new_subject.any():
            self.lost += bool(regions)
            # The subject keeps its last place, because the matte may miss it in a single frame only.
            return subject & ~solid, solid
        return new_subject, without_specks(solid & ~new_subject)

    @staticmethod
    def _soft_gate(subject: Region, rest: Region) -> NDArray[np.float32]:
        """Return a smooth factor, 1 at the subject and 0 at the rest.

        Pixels nearer to the rest than to the subject get 0. For all others, the factor falls with the distance from the subject.
        """
        if not subject.any():
            return np.zeros(subject.shape, np.float32)
        fade = _FADE * float(np.hypot(*subject.shape))
        to_subject, to_rest = _distance(subject), _distance(rest)
        side = np.clip((to_rest - to_subject) / 2 + 0.5, 0, 1)
        near = np.clip(2 - 2 * to_subject / fade, 0, 1)
        return np.asarray(side * near, np.float32)


def _distance(region: Region) -> NDArray[np.float32]:
    """Return each pixel's distance from a region.

    The distance is `_FAR` everywhere if the region is empty.
    """
    if not region.any():
        return np.full(region.shape, _FAR, np.float32)
    return np.asarray(cv2.distanceTransform((~region).astype(np.uint8), cv2.DIST_L2, 5), np.float32)


def _no_flow() -> Any:
    """Return None, typed as OpenCV's initial flow.

    OpenCV accepts None, but its type stubs do not.
    """
    return None
