"""Anchors: frames to which other frames of a shot are aligned."""

from collections.abc import Generator
from contextlib import closing
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np

from services.background.clean_plate.warp import warped
from services.background.clip.planes import Planes, alpha_of, background_of, planes_420
from services.background.registration.alignment import Anchor
from services.background.registration.light import Light, light_between
from shared.errors import BrokenMedia
from shared.motion.camera import Camera, Matrix, matrix_between, overlap
from shared.operation import Progress
from shared.video import Frame, read_together, to_fraction
from shared.video.clip.part import ClipPart

_NEXT_ANCHOR = 0.6
"""Largest overlap of two neighbouring anchors, as a share of a frame."""
_MAX_ANCHORS = 16
_STEP_OVERLAP = 0.8
"""Overlap with the previous `Step` below which a frame becomes the next `Step`."""


@dataclass(frozen=True, slots=True, eq=False)
class Step:
    """A frame of the camera path: its time, shot and camera position.

    `matrix` (3, 3) maps pixels of the frame to pixels of the first frame of its shot.
    """

    time: Fraction
    shot: int
    matrix: Matrix


@dataclass(frozen=True, slots=True, eq=False)
class PlacedAnchor:
    """An anchor with its alignment to the reference frame.

    `matrix` maps the anchor's pixels to the reference frame's pixels. `light` changes the anchor's exposure and white balance to those of
    the reference frame.
    """

    step: Step
    anchor: Anchor
    planes: Planes
    matrix: Matrix
    light: Light


def camera_path(video: Path, matte: Path, part: ClipPart, progress: Progress, *, per_second: Fraction, expected: int) -> list[Step]:
    """Track the camera by a clip's background, and return its path in steps.

    Every frame is measured. Steps are the first frame at or after each time start + k / `per_second`, the first frame of each shot, and
    each frame that overlaps less than four fifths of the last step. `expected`: number of frames, for `progress`.
    """
    steps: list[Step] = []
    camera: Camera | None = None
    shot, count, moment = -1, 0, to_fraction(part.start)
    with closing(pairs(video, matte, part)) as frames:
        for frame, alpha in frames:
            camera = camera or Camera("homography", frame.width, frame.height)
            pose = camera.step(frame.small_luma(*camera.size), alpha_of(alpha, camera.size))
            shot += pose.cut
            step = Step(frame.time, shot, pose.matrix)
            sample = frame.time >= moment
            if sample or pose.cut or overlap(matrix_between(step, steps[-1]), (frame.width, frame.height)) < _STEP_OVERLAP:
                steps.append(step)
            while sample and moment <= frame.time:
                moment += 1 / per_second
            count += 1
            progress(min(count, expected), expected)
    return steps


def pairs(video: Path, matte: Path, part: ClipPart, *, per_second: Fraction | None = None) -> Generator[tuple[Frame, Frame], None, None]:
    """Yield a clip's frames, each with its matte frame.

    `per_second`: frames to yield per second; None for all frames.
    """
    with read_together(
        video, matte, opaque=True, start=part.start or None, duration=part.duration, per_second=per_second, to_sdr8=True, prefetch=3
    ) as frames:
        yield from ((frame, alpha) for frame, alpha in frames)


def pair_at(video: Path, matte: Path, time: Fraction) -> tuple[Frame, Frame]:
    """Return the frame that begins at `time`, in seconds, and the matte's frame.

    Raises BrokenMedia if no frame can be decoded at or after `time`.
    """
    with read_together(video, matte, opaque=True, start=time, duration=None, to_sdr8=True, prefetch=1) as frames:
        for frame, alpha in frames:
            return frame, alpha
    raise BrokenMedia(f"The frame of {video.name!r} at {float(time):.3f} s can be decoded only once. Export or upload it again.")


def place_anchors(video: Path, matte: Path, path: list[Step], reference: Step, *, grow: int) -> list[PlacedAnchor]:
    """Choose anchors in the reference frame's shot, and align each to the neighbouring anchor.

    The search starts at the reference and goes outwards. A static camera needs one anchor, the reference; a panning camera needs more.
    After an anchor that cannot be aligned, no further anchors are placed on that side.
    """
    frame, alpha = pair_at(video, matte, reference.time)
    planes = planes_420(frame)
    # The decoder reuses its arrays; an anchor keeps copies.
    planes = (planes[0].copy(), planes[1].copy(), planes[2].copy())
    size = frame.width, frame.height
    first = PlacedAnchor(reference, Anchor(planes[0], background_of(alpha_of(alpha, size), grow)), planes, np.eye(3), Light())
    shot = [step for step in path if step.shot == reference.shot]
    at = next(number for number, step in enumerate(shot) if step.time >= reference.time)
    placed = [first]
    for side in (shot[at + 1 :], shot[:at][::-1]):
        last = first
        for step in side:
            guess = matrix_between(step, last.step)
            if overlap(guess, size) > _NEXT_ANCHOR or len(placed) >= _MAX_ANCHORS:
                continue
            following = _placed(video, matte, step, last, grow=grow)
            if following is None:
                break
            placed.append(following)
            last = following
    return placed


def nearest(anchors: list[PlacedAnchor], step: Step, size: tuple[int, int]) -> PlacedAnchor:
    """Return the anchor that overlaps most with the frame of `step`.

    If several overlap equally, the first of them is returned. `size`: (width, height) of the frames.
    """
    return max(anchors, key=lambda placed: round(overlap(matrix_between(step, placed.step), size), 2))


def _placed(video: Path, matte: Path, step: Step, last: PlacedAnchor, *, grow: int) -> PlacedAnchor | None:
    frame, alpha = pair_at(video, matte, step.time)
    decoded = planes_420(frame)
    planes = (decoded[0].copy(), decoded[1].copy(), decoded[2].copy())
    background = background_of(alpha_of(alpha, (frame.width, frame.height)), grow)
    alignment = last.anchor.align(planes[0], background, matrix_between(step, last.step))
    if alignment is None:
        return None
    moved, common = warped(planes, background, alignment.matrix, last.planes[0].shape)
    light = light_between(moved, last.planes, np.minimum(common, last.anchor.background)).then(last.light)
    return PlacedAnchor(step, Anchor(planes[0], background), planes, np.asarray(last.matrix @ alignment.matrix, np.float64), light)
