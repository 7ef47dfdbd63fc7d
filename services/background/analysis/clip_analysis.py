"""Measurement of a clip and its matte in one pass."""

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from services.background.analysis.camera_path import CameraPath, camera_path, shot_starts
from services.background.analysis.exposure import Tones, shot_exposures, subject_tones
from services.background.analysis.scene_light import BrightBackground, CameraHeight, LightFrom, camera_height, height_share
from shared.media_info import ColorInfo
from shared.motion.camera import Camera, Pose, analysis_size
from shared.operation import Progress
from shared.video import read_together
from shared.video.clip.part import ClipPart
from shared.video.frames.scaling import scaled


@dataclass(frozen=True, slots=True, eq=False)
class Analysis:
    """Measurements of a clip: camera path, exposure, light direction, camera height.

    `exposure`: (frames,), the subject's brightness relative to its shot's median, smoothed. `reference`: number of the reference frame of
    the longest shot. `color`: tags of the first frame as read, after tone mapping.
    """

    path: CameraPath
    exposure: NDArray[np.float64]
    light_from: LightFrom
    camera_height: CameraHeight
    reference: int
    reference_s: Fraction
    shots: int
    color: ColorInfo


def analyze(video: Path, alpha: Path, part: ClipPart, *, size: tuple[int, int], frames: int, smooth: int, progress: Progress) -> Analysis:
    """Measure camera path, exposure, light direction and camera height.

    `size`: (width, height) of the clip; `frames`: estimated number of frames; `smooth`: frames that exposure is averaged over. The clip is
    read at reduced size. Memory grows by about 1 kB per frame.
    """
    camera = Camera("similarity", *size)
    small = analysis_size(*size)
    poses: list[Pose] = []
    times: list[Fraction] = []
    tones: list[Tones | None] = []
    heights: list[float] = []
    background = BrightBackground()
    color = ColorInfo()
    pairs = read_together(video, alpha, opaque=True, start=part.start or None, duration=part.duration, to_sdr8=True, prefetch=4)
    with pairs as pairs:
        for frame, matte in pairs:
            color = color if poses else frame.color
            luma = frame.small_luma(*small)
            subject = scaled(matte.matte(), small)
            poses.append(camera.step(luma, subject))
            times.append(frame.time)
            tones.append(subject_tones(luma, subject))
            heights.append(height_share(subject))
            background.add(luma, subject)
            progress(min(len(poses), frames), frames)
    path, reference = camera_path(poses, *size)
    return Analysis(
        path=path,
        exposure=shot_exposures(tones, shot_starts(poses), smooth),
        light_from=background.light_from(),
        camera_height=camera_height(np.array(heights)),
        reference=reference,
        reference_s=times[reference] if times else Fraction(0),
        shots=sum(pose.cut for pose in poses),
        color=color,
    )
