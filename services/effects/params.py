"""Params and result fields shared by both effects."""

from typing import Any, Self

from pydantic import BaseModel, Field

from services.effects.scene.tracker import SceneTracker
from shared.declarations.figure import figure
from shared.motion.camera import Model
from shared.operation import Progress, form
from shared.video import VideoInfo
from shared.video.clip.background import OnBackground
from shared.video.clip.rewrite import WrittenVideo, rate_of


class SubjectParams(OnBackground):
    """Params for separating the subject's motion from the camera's."""

    camera_model: Model = Field(
        "translation",
        description="Camera motion to compensate: `none` (tripod), `translation` (pans, measured by phase correlation), `similarity` (also "
        "zoom and roll) or `homography` (also tilted views). The last two track features and are slower.",
        title="Camera",
        json_schema_extra=form(
            "more",
            labels={"none": "Tripod", "translation": "Pans", "similarity": "Pans, zooms and rolls", "homography": "All, tilted views too"},
        ),
    )
    motion_threshold: int = Field(
        10,
        ge=1,
        le=50,
        description="Smallest change, in levels of 255, at which a pixel counts as moving. Lower values find more motion, and more noise.",
        title="Motion threshold",
        json_schema_extra=form("expert"),
    )


class EffectResult(BaseModel):
    """Summary of a video written by an effect."""

    frames: int = Field(description="Number of frames in the output.", json_schema_extra=figure("frame_count"))
    frame_rate: str = Field(
        description='Frames per second of the output as an exact fraction, such as "30000/1001"; the average if it varies.',
        json_schema_extra=figure("frame_rate"),
    )
    duration_s: float = Field(description="Length of the output in seconds.", json_schema_extra=figure("result_length"))
    cuts: list[float] = Field(description="Times of cuts in the source, in seconds, at which the effect starts anew; the first 10,000.")
    unsure_frames: int = Field(description="Frames at which the camera's motion could not be measured and was extrapolated.")
    encoder: str = Field(description="Video encoder used.", json_schema_extra=figure("encoder"))

    @classmethod
    def of(cls, summary: WrittenVideo, tracker: SceneTracker, info: VideoInfo, **more: Any) -> Self:
        """Create the result for a written video.

        `more`: fields of the subclass.
        """
        rate = rate_of(info)
        return cls(
            frames=summary.frames,
            frame_rate=f"{rate.numerator}/{rate.denominator}",
            duration_s=summary.duration_s,
            cuts=tracker.cuts,
            unsure_frames=tracker.unsure,
            encoder=summary.encoder,
            **more,
        )


def warn_if_unsure(tracker: SceneTracker, summary: WrittenVideo, progress: Progress) -> None:
    """Warn about frames whose camera motion could not be measured."""
    if tracker.unsure:
        progress.warn(f"The camera's motion could not be measured at {tracker.unsure} of {summary.frames} frames; it was extrapolated.")
