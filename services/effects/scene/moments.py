"""Records of a frame: its place in the clip, its small planes, its picture, its mask."""

from dataclasses import dataclass
from fractions import Fraction

from services.effects.scene.motion_mask import Mask, Small
from shared.motion.camera import Pose
from shared.video import Frame


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Moment:
    """The place of a frame in its clip.

    `index` counts the frames of the used part and `shot` its shots, both from 0; `seconds` is source time; `pose` is the camera's.
    """

    index: int
    seconds: Fraction
    shot: int
    pose: Pose


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class View(Moment):
    """A moment with its small planes: Y, U, V (or Y) as uint8, (height, width, 3 or 1), in `small_size`."""

    small: Small


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SceneFrame(View):
    """A view with the decoded frame it was made from."""

    frame: Frame

    def without_frame(self) -> View:
        """Return the view alone, so that the frame's memory can be freed."""
        return View(index=self.index, seconds=self.seconds, shot=self.shot, pose=self.pose, small=self.small)

    def with_mask(self, mask: Mask) -> "MaskedFrame":
        """Return this frame with a mask, in place of any it had."""
        return MaskedFrame(
            index=self.index, seconds=self.seconds, shot=self.shot, pose=self.pose, small=self.small, frame=self.frame, mask=mask
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MaskedFrame(SceneFrame):
    """A frame with the mask of its subject: uint8 (height, width), 0 to 255, as large as the small planes or, from a matte, larger."""

    mask: Mask
