"""Report on one video: shots, keyframes and scores.

The gallery, the cut lists and the job's result are made from the report.
"""

from typing import Any, Literal

from pydantic import BaseModel, Field

from services.keyframes.selection.shots import Shot
from shared.declarations.figure import figure


class Keyframe(BaseModel):
    """A frame chosen to represent its shot."""

    file: str = Field(description="Name of the image in the output `keyframes`.", json_schema_extra=figure("picture_name"))
    thumbnail: str = Field(description="Name of the thumbnail (JPEG) in the output `files`.")
    timestamp_s: float = Field(description="Time of the frame in seconds.", json_schema_extra=figure("picture_time"))
    frame: int = Field(description="Number of the frame in the video, from 0.")
    shot: int = Field(description="`index` of the keyframe's shot.")
    score: float = Field(description="Overall rating, 0 to 1.", json_schema_extra=figure("picture_score"))
    reasons: list[str] = Field(description="Reasons for choosing this frame.")
    sharpness: float = Field(description="Sharpness relative to the sharpest frames of its shot, 0 to 1.")
    exposure: float = Field(description="Quality of the exposure, 0 to 1.")
    typical: float = Field(description="Closeness to the average picture of its shot, 0 to 1.")
    stillness: float = Field(description="Absence of motion, 0 (fast) to 1 (still).")
    like: list[int] = Field(default_factory=list, description="Shots whose keyframes were left out because they look like this one.")


class Scores(BaseModel):
    """Frame scores, for trying other thresholds without decoding again.

    In long videos each entry stands for a group of frames and holds the highest score of the group.
    """

    frames: list[int] = Field(description="Frame number of each score, which rates the change from the previous frame to this one.")
    times: list[float] = Field(description="Time of these frames in seconds.")
    values: dict[str, list[float]] = Field(description="Method -> its score at each of these frames.")


class Candidate(BaseModel):
    """A possible transition with its confidence.

    The candidate counts as a change of shot if its `confidence` reaches the threshold.
    """

    start_frame: int = Field(description="First frame of the transition. At a cut: the first frame of the new shot.")
    end_frame: int = Field(description="Frame after the last of the transition. At a cut: `start_frame`.")
    time_s: float = Field(description="Time in seconds at which the new shot would begin: the middle of the transition.")
    kind: Literal["cut", "fade", "dissolve"] = Field(description="Kind of transition; `dissolve` includes wipes.")
    confidence: float = Field(description="Confidence in the transition, 0 to 1.")


class VideoReport(BaseModel):
    """Shots, keyframes and scores of one video."""

    name: str = Field(description="File name of the video.")
    error: dict[str, Any] | None = Field(
        None, description="Problem details if this video could not be read; the other fields are then empty."
    )
    duration_s: float = Field(0.0, description="Length of the video in seconds.")
    frame_rate: str = Field("0/1", description='Frames per second of the video as an exact fraction, such as "30000/1001".')
    variable_frame_rate: bool = Field(False, description="Whether the time between frames varies.")
    constant_rate: str = Field("", description="Frames per second of cut lists, which need a constant rate. Empty: `frame_rate`.")
    start_timecode: str | None = Field(None, description="Timecode of the first frame, if the file has one, as 01:00:00:00.")
    width: int = Field(0, description="Width as displayed, in pixels.")
    height: int = Field(0, description="Height as displayed, in pixels.")
    frames: int = Field(0, description="Number of frames in the video.")
    audio_channels: int = Field(0, description="Channels of the first audio track; 0 without audio.")
    method: str = Field("", description="Method that found the shots.")
    threshold: float = Field(0.0, description="Threshold that was used.")
    min_shot: float = Field(0.0, description="Minimum length in seconds. Shorter shots were joined to the previous shot.")
    shots: list[Shot] = Field(default_factory=list, description="Shots in order, without gaps.")
    keyframes: list[Keyframe] = Field(default_factory=list, description="Keyframes in the order of the video.")
    candidates: list[Candidate] | None = Field(
        None,
        description="For methods that rate transitions rather than frames (`auto`): all rated transitions, to try other thresholds.",
    )
    scores: Scores | None = Field(None, description="Scores of the frames.")
