"""What the effects take and what they answer. Every unit, limit and default stands here and nowhere else."""

from typing import Literal, Self

from pydantic import BaseModel, Field, model_validator

from shared.video.clip.part import ClipPart

MAX_REACH_FRAMES, MAX_REACH_S = 1200, 60.0
"""The longest trail, from the frame to its last ghost."""


class SceneParams(ClipPart):
    """How the camera and the moving subject are told apart, and which part of the clip is used."""

    camera_model: Literal["none", "translation", "similarity", "homography"] = Field(
        "translation",
        description="How the camera may have moved: `none` (tripod), `translation` (pans, by phase correlation), `similarity` (zooms and "
        "rolls as well), `homography` (tilted views, too). The last two follow features and take longer.",
    )
    motion_threshold: int = Field(
        10, ge=1, le=50, description="Levels (of 255) that a pixel has to change by to count as moving: less finds more, and more noise."
    )


class MotionTrailsParams(SceneParams):
    """What the trail looks like."""

    layers: int = Field(6, ge=1, le=20, description="Ghosts of a trail; with `direction` both, as many on each side.")
    decay: float = Field(0.7, ge=0.05, le=0.98, description="Strength of each ghost as a part of that of the one before it.")
    spacing: float = Field(5.0, gt=0, le=240, description="Distance from one ghost to the next, in `spacing_unit`.")
    spacing_unit: Literal["frames", "seconds"] = Field(
        "frames", description="What `spacing` counts: `seconds` look the same at every frame rate."
    )
    ghost: Literal["glow", "shadow", "normal"] = Field(
        "glow",
        description="`glow`: overexposed, blooming ghosts, screened on; `shadow`: dark silhouettes, multiplied; `normal`: the pictures "
        "themselves, as a weighted mean.",
    )
    direction: Literal["behind", "ahead", "both"] = Field(
        "behind", description="Whether ghosts show where the subject was, where it will be, or both."
    )
    mask: bool = Field(
        False,
        description="Ghosts only of what moves and is in focus; the subject itself stays sharp on top. Without it, `normal` averages the "
        "whole picture, and the other styles take all that moves. A matte, where one is given, takes the place of this mask.",
    )
    focus_block: int = Field(
        31,
        ge=3,
        le=101,
        description="Side of the square that sharpness is measured over, in pixels of a picture 540 high; odd. For `mask`.",
    )
    tint: str | None = Field(
        None, pattern=r"^#[0-9a-fA-F]{6}$", description="Colour that the ghosts take on, such as `#40c0ff`. Empty: their own."
    )
    tint_strength: float = Field(0.8, ge=0, le=1, description="How far they take it on: 0 not at all, 1 altogether.")
    blur: float = Field(
        0.0,
        ge=0,
        le=20,
        description="Blur of the first ghost, in thousandths of the picture's diagonal; each further one has as much more.",
    )
    linear_light: bool = Field(
        False, description="Mix light instead of signal values, as a camera would: brighter glow, clearer highlights; several times slower."
    )

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.focus_block % 2 == 0:
            raise ValueError(f"focus_block {self.focus_block} is even: choose {self.focus_block - 1} or {self.focus_block + 1}")
        limit = MAX_REACH_FRAMES if self.spacing_unit == "frames" else MAX_REACH_S
        if self.layers * self.spacing > limit:
            raise ValueError(
                f"layers x spacing is {self.layers * self.spacing:g} {self.spacing_unit}, at most {limit:g}: "
                "take fewer layers or less spacing"
            )
        return self


class StrobeParams(SceneParams):
    """How often the subject is stamped, and how much of the scene the picture shows."""

    camera_model: Literal["none", "translation", "similarity", "homography"] = Field(
        "translation", description=SceneParams.model_fields["camera_model"].description
    )
    interval: float = Field(0.25, ge=0.02, le=60, description="Seconds between two stamps.")
    stamps: int = Field(24, ge=1, le=100, description="Most stamps that are there at once; then the oldest goes.")
    opacity: float = Field(1.0, ge=0.05, le=1, description="How opaque a stamp is.")
    canvas: float = Field(
        3.0, ge=1, le=6, description="How large the picture may grow along the camera's path, in widths and heights of a frame."
    )


class MotionTrailsResult(BaseModel):
    """What was written."""

    frames: int = Field(description="Frames in the output.")
    frame_rate: str = Field(description='Frames per second as an exact fraction, such as "30000/1001"; the average where it varies.')
    duration_s: float = Field(description="Seconds of video in the output.")
    cuts: list[float] = Field(description="Seconds of source time at which a new shot, and so a new trail, begins; the first 10,000.")
    unsure_frames: int = Field(description="Frames at which the camera's motion could not be measured and was carried on.")
    encoder: str = Field(description="Video encoder used.")


class StrobeResult(MotionTrailsResult):
    """What was written."""

    stamped: list[float] = Field(description="Seconds of source time of the stamps in the picture.")
    picture_width: int = Field(description="Width of the picture in pixels.")
    picture_height: int = Field(description="Height of the picture in pixels.")
