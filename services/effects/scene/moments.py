"""Records of a frame at each processing step: position, small planes, picture, mask."""

from dataclasses import dataclass
from fractions import Fraction

from services.effects.scene.motion_mask import Mask, Small
from shared.motion.camera import Pose
from shared.video import Frame


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Moment:
    """Position of a frame: index, time, shot and camera pose."""

    index: int
    """Number of the frame in the used part of the clip, from 0."""
    seconds: Fraction
    """Time of the frame in the source."""
    shot: int
    """Number of the shot in the used part of the clip, from 0."""
    pose: Pose
    """Pose of the camera."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class View(Moment):
    """A frame's position, and its small planes: Y, U and V at reduced size."""

    small: Small
    """Small planes Y, U, V or only Y. They are uint8 (height, width, 3 or 1), in `small_size`."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SceneFrame(View):
    """A decoded frame with its position and small planes."""

    frame: Frame

    def without_frame(self) -> View:
        """Return the view alone, so that the decoded frame's memory can be freed."""
        return View(index=self.index, seconds=self.seconds, shot=self.shot, pose=self.pose, small=self.small)

    def with_mask(self, mask: Mask) -> "MaskedFrame":
        """Return the frame with `mask`, which replaces any earlier mask."""
        return MaskedFrame(
            index=self.index, seconds=self.seconds, shot=self.shot, pose=self.pose, small=self.small, frame=self.frame, mask=mask
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MaskedFrame(SceneFrame):
    """A frame with its subject's mask."""

    mask: Mask
    """Mask of the subject, uint8 (height, width), 0 to 255. It is as large as the small planes; a mask from a matte can be larger."""
