"""What `keyframes.detect` takes and what it answers. Every unit, limit and default stands here and nowhere else."""

from typing import Any, Literal

from pydantic import BaseModel, Field

from shared.models.info import ModelUsed
from shared.operation import Params

MAX_VIDEOS = 100
"""Most videos of one job."""

MAX_SCORES = 20_000
"""Most score samples of one video in the result; the archive has those of every frame."""

SCORE_DIGITS = 4
"""Decimal places of the scores that are told."""

Method = Literal["auto", "adaptive", "content", "histogram", "difference", "fades", "transnet"]

DEFAULT_THRESHOLDS: dict[str, float] = {
    "auto": 0.5,
    "adaptive": 3.0,
    "content": 27.0,
    "histogram": 0.35,
    "difference": 30.0,
    "fades": 0.7,
    "transnet": 0.5,
}
"""The threshold of each method, in the unit of its own score."""


class DetectParams(Params):
    """How shots are found and which frames are kept."""

    method: Method = Field(
        "auto",
        description="What finds the shots. `auto`: everything below together, gradual transitions too, flashes and camera moves told. "
        "`adaptive`: change against that of the frames around. `content`: change of colour and edges. `histogram`: change of the spread "
        "of brightness. `difference`: mean change of the pixels. `fades`: to and from one colour only. `transnet`: a neural network.",
    )
    threshold: float | None = Field(
        None,
        gt=0,
        le=255,
        description="How much a score must reach for a cut; less gives more shots. In the unit of the method: `auto` and `transnet` 0 to 1 "
        "(0.5), `adaptive` times the change around (3), `content` and `difference` 0 to 255 (27, 30), `histogram` 0 to 1 (0.35), `fades` "
        "0 to 1, the share of the contrast that is gone (0.7). Empty: the figure in brackets.",
    )
    min_shot: float = Field(0.0, ge=0, le=3600, description="Seconds: a shot that would be shorter is joined to the one before it.")
    speed: Literal["full", "fast"] = Field(
        "full",
        description="`fast` looks at keyframes first, and between those only where the sizes of packets or the pictures point to a change. "
        "For `auto`.",
    )
    max_keyframes: int = Field(200, ge=1, le=2000, description="Most keyframes of one video; the best are kept.")
    min_gap: float = Field(0.0, ge=0, le=3600, description="Seconds that lie between two keyframes of a video at least.")
    deduplicate: bool = Field(False, description="Of keyframes that look alike, such as a shot that is returned to, keep the best only.")
    format: Literal["jpeg", "png", "webp"] = Field("jpeg", description="File format of the keyframes.")
    quality: int = Field(90, ge=1, le=100, description="Quality of JPEG and WebP, 1 to 100.")
    thumbnail_width: int = Field(320, ge=32, le=1280, description="Width of the thumbnails in pixels.")

    @property
    def cut_at(self) -> float:
        """The threshold that holds."""
        return self.threshold or DEFAULT_THRESHOLDS[self.method]


class Shot(BaseModel):
    """A run of frames between two transitions."""

    index: int = Field(description="Number of the shot, from 0.")
    start_s: float = Field(description="When its first frame is shown, in seconds.")
    end_s: float = Field(description="When its last frame is over, in seconds; the next shot's `start_s`.")
    start_frame: int = Field(description="Number of its first frame in the video, from 0.")
    end_frame: int = Field(description="Number of the frame after its last one: the next shot's `start_frame`.")
    kind: Literal["start", "cut", "fade", "dissolve"] = Field(
        description="How it begins: with the video, at a cut, at a fade (through one colour), a dissolve or a wipe. A gradual transition "
        "is divided at its middle."
    )
    transition_start_frame: int = Field(description="First frame of the transition it begins with. At a cut: `start_frame`.")
    transition_end_frame: int = Field(description="Frame after the transition's last one. At a cut: `start_frame`.")
    confidence: float = Field(description="How sure its beginning is, 0 to 1.")


class Keyframe(BaseModel):
    """A frame that stands for its shot."""

    file: str = Field(description="Name of the picture in the output `keyframes`.")
    thumbnail: str = Field(description="Name of the thumbnail (JPEG) in the output `files`.")
    timestamp_s: float = Field(description="When the frame is shown, in seconds.")
    frame: int = Field(description="Number of the frame in the video, from 0.")
    shot: int = Field(description="`index` of its shot.")
    score: float = Field(description="How good it is as a keyframe, 0 to 1.")
    reasons: list[str] = Field(description="Why it was chosen, in words.")
    sharpness: float = Field(description="Sharpness, 0 to 1, against the sharpest frame of its shot.")
    exposure: float = Field(description="How well exposed it is, 0 to 1.")
    typical: float = Field(description="How near it is to the average of its shot, 0 to 1.")
    stillness: float = Field(description="How little moves, 0 to 1.")
    like: list[int] = Field(default_factory=list, description="Shots whose keyframes were left out because they look like this one.")


class Scores(BaseModel):
    """The scores of the frames, so that a threshold can be moved without decoding again. Where groups of frames are put together, the
    highest is told."""

    frames: list[int] = Field(description="Number of the frame that each score belongs to: the change from the frame before to it.")
    times: list[float] = Field(description="When these frames are shown, in seconds.")
    values: dict[str, list[float]] = Field(description="Method -> its score at each of these frames.")


class Candidate(BaseModel):
    """What may be a change of shot: it is one where its `confidence` reaches the threshold."""

    start_frame: int = Field(description="First frame of the transition. At a cut: the first frame of the new shot.")
    end_frame: int = Field(description="Frame after the transition's last one. At a cut: `start_frame`.")
    time_s: float = Field(description="When the new shot would begin, in seconds: at the middle of the transition.")
    kind: Literal["cut", "fade", "dissolve"] = Field(description="What it is.")
    confidence: float = Field(description="How sure it is, 0 to 1.")


class VideoReport(BaseModel):
    """What was found in one video."""

    name: str = Field(description="Name of the video's file.")
    error: dict[str, Any] | None = Field(None, description="What was wrong with this video, as problem details; then nothing else is told.")
    duration_s: float = Field(0.0, description="Length in seconds.")
    frame_rate: str = Field("0/1", description="Frames per second, exactly, as a fraction.")
    variable_frame_rate: bool = Field(False, description="Whether the distance between frames varies.")
    start_timecode: str | None = Field(None, description="Timecode of the first frame that the file carries, as 01:00:00:00.")
    width: int = Field(0, description="Width as displayed, in pixels.")
    height: int = Field(0, description="Height as displayed, in pixels.")
    frames: int = Field(0, description="How many frames there are.")
    audio_channels: int = Field(0, description="Channels of its first sound track; 0 without sound.")
    method: str = Field("", description="What found the shots.")
    threshold: float = Field(0.0, description="The threshold that was used.")
    min_shot: float = Field(0.0, description="Seconds: shots shorter than this were joined to the one before.")
    shots: list[Shot] = Field(default_factory=list, description="The shots; they follow each other without gaps.")
    keyframes: list[Keyframe] = Field(default_factory=list, description="The keyframes, in the order of the video.")
    candidates: list[Candidate] | None = Field(
        None,
        description="Where `method` weighs transitions rather than frames: all it weighed, so that a threshold can be moved afterwards.",
    )
    scores: Scores | None = Field(None, description="The scores of the frames.")


class DetectResult(BaseModel):
    """What was found."""

    videos: list[VideoReport] = Field(description="One report per video, in the order they were given.")
    models: list[ModelUsed] = Field(default_factory=list, description="The models that were used, with their licences.")
