"""What the three operations take and what they answer. Every unit, limit and default stands here and nowhere else."""

from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from services.aesthetics.measures.blank_frames import Shows
from shared.operation import Params

MAX_SOURCES = 1000
"""Most videos or picture files of one job."""

MAX_LOOKS = 200_000
"""Most pictures that one job looks at: two and a half days at one a second."""

MAX_IMAGES = 10_000
"""Most pictures that one job writes."""

MAX_SHOTS = 100_000

PICTURE_FORMATS = {"jpeg": "jpg", ".jpeg": "jpg", ".jpg": "jpg", ".png": "png", ".webp": "webp"}


def _plain_format(given: Any) -> Any:
    """Formats as other programs name them, such as `.jpg`."""
    return PICTURE_FORMATS.get(given.lower(), given.lower()) if isinstance(given, str) else given


PictureFormat = Annotated[Literal["jpg", "png", "webp"], BeforeValidator(_plain_format)]
Model = Literal["inception-resnet-v2", "mobilenet-aesthetic", "mobilenet-technical"]


class PictureParams(Params):
    """How pictures are written."""

    format: PictureFormat = Field("jpg", description="File format of the pictures.")
    quality: int = Field(95, ge=1, le=100, description="Quality of JPEG and WebP, 1 to 100.")


class SampleParams(PictureParams):
    """Which frames of a video are looked at."""

    sample_rate: float = Field(1.0, ge=0.001, le=240, description="Frames a second that are looked at; at most every frame there is.")
    start: float = Field(0.0, ge=0, le=1e6, description="Seconds of each video to begin at.")
    duration: float | None = Field(None, gt=0, le=1e6, description="Seconds of each video to use from `start` on. Empty: all.")


class ScoreParams(SampleParams):
    """How pictures are scored."""

    scorer: Literal["nima", "technical", "both"] = Field(
        "both",
        description="What pictures are ranked by: `nima`, how people would rate them (a network, whose weights have to be installed); "
        "`technical`, sharpness, exposure, motion blur, noise and blank frames, which need no weights; `both`, since the network alone "
        "hardly tells apart pictures of one moment.",
    )
    technical_weight: float = Field(
        0.4, ge=0, le=1, description="Share of the technical score in the ranking by `both`; the network has the rest."
    )
    model: Model = Field(
        "inception-resnet-v2",
        description="Network that rates: `inception-resnet-v2` (the most exact), `mobilenet-aesthetic` (ten times as fast) or "
        "`mobilenet-technical` (trained on technical faults, not on taste).",
    )
    backend: Literal["auto", "openvino", "onnxruntime", "tensorflow"] = Field(
        "auto", description="What runs the network. `auto`: TensorFlow on a GPU that it can use, else OpenVINO, else onnxruntime."
    )
    precision: Literal["auto", "f32", "bf16", "f16"] = Field(
        "auto",
        description="Number format that the network computes in. `auto`: bf16 where the processor has it and the scores stay within 0.01 "
        "of those in f32, which depends on the weights and is found out once; f16 on a GPU; else f32. OpenVINO has bf16, TensorFlow f16.",
    )
    preprocessing: Literal["symmetric", "unit"] = Field(
        "symmetric",
        description="Range the network is fed: `symmetric`, -1 to 1, as it was trained; `unit`, 0 to 1 with Lanczos scaling, as "
        "PerfectFrameAI does.",
    )
    batch_size: int = Field(
        16, ge=1, le=1024, description="Pictures that the network is given at once, at most. Memory does not grow with it."
    )
    diversity: float = Field(
        0.01,
        ge=0,
        le=1,
        description="How much two chosen pictures must differ, of those that differ less the best is kept: 0 keeps all, 0.01 drops what "
        "looks the same, 0.1 keeps one picture of each view, 1 is black against white.",
    )
    contact_sheet: bool = Field(True, description="Whether to draw the chosen pictures on one sheet.")

    @model_validator(mode="after")
    def _precision_fits(self) -> Self:
        fits = {"bf16": ("auto", "openvino"), "f16": ("auto", "tensorflow")}
        if self.backend not in fits.get(self.precision, (self.backend,)):
            raise ValueError(f"precision {self.precision} is not computed by {self.backend}: choose another, or f32")
        return self


class Shot(BaseModel):
    """A shot of a video; more fields, such as `keyframes.detect` answers, are passed over."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    start_s: float = Field(ge=0, le=1e6, description="When it begins, in seconds.")
    end_s: float = Field(ge=0, le=1e6, description="When it is over, in seconds.")


class VideoShots(BaseModel):
    """The shots of one video; more fields, such as `keyframes.detect` answers, are passed over."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    shots: list[Shot] = Field(max_length=MAX_SHOTS, description="The shots, in order.")


class BestFramesParams(ScoreParams):
    """How frames are scored and grouped."""

    group_size: int = Field(5, ge=1, le=100_000, description="Frames in a group, one after the other; the best of each is kept.")
    group_by: Literal["time", "shot"] = Field("time", description="`time`: groups of `group_size` frames. `shot`: one group for each shot.")
    shots: list[VideoShots] | None = Field(
        None,
        min_length=1,
        max_length=MAX_SOURCES,
        description="For `group_by: shot`: the shots of each video, in the order of the videos, as `videos` in the result of "
        '`keyframes.detect`. In a pipeline: `{"from": "<step>.videos"}`.',
    )

    @model_validator(mode="after")
    def _shots_are_there(self) -> Self:
        if self.group_by == "shot" and self.shots is None:
            raise ValueError(
                "group_by shot needs shots: give the `videos` of a keyframes.detect result, or run the pipeline `best-frame-of-each-shot`, "
                "which does"
            )
        return self


class TopImagesParams(ScoreParams):
    """How pictures are scored, and how many are kept."""

    percent: float = Field(
        90.0,
        ge=0,
        le=100,
        description="Percentile of the scores that a picture must reach: 90 keeps the best tenth, 0 all of them.",
    )


class ExtractParams(SampleParams):
    """Which frames are written."""


class TechnicalScores(BaseModel):
    """The technical quality of a picture; each measure from 0 (bad) to 1 (good)."""

    score: float = Field(description="All of it, from 1 to 10.")
    sharpness: float = Field(description="How sharp it is, as far as it is free of noise.")
    exposure: float = Field(description="How well it is exposed.")
    steadiness: float = Field(description="How free of motion blur it is.")
    cleanness: float = Field(description="How free of noise it is.")
    shows: Shows = Field(description="What it shows: a picture, or a black, plain or title frame.")


class Item(BaseModel):
    """A chosen picture."""

    image: str = Field(description="Name of the picture in the output `images`.")
    source: str = Field(description="Name of the file that it comes from.")
    source_index: int = Field(description="Number of that file among the inputs, from 0.")
    timestamp_s: float | None = Field(description="When it is shown in its video, in seconds; null for a picture file.")
    rank: int = Field(description="1 for the best of all chosen pictures.")
    merit: float = Field(description="What it was ranked by, from 1 to 10: the score of the `scorer`.")
    score: float = Field(description="Mean of `distribution`, from 1 to 10; without the network the technical score.")
    std: float | None = Field(description="Standard deviation of `distribution`: how much people would disagree. Null without the network.")
    distribution: list[float] | None = Field(description="Probability of each rating from 1 to 10. Null without the network.")
    technical: TechnicalScores = Field(description="Technical quality.")
    group: int | None = Field(description="Number of its group in its video, from 0; null where there are no groups.")
    considered: int = Field(description="How many pictures it was chosen from.")
    reason: str = Field(description="Why it was chosen, in words.")


class SourceReport(BaseModel):
    """What became of one input file."""

    name: str = Field(description="Name of the file.")
    processed: bool = Field(description="Whether all of it was looked at.")
    looked_at: int = Field(description="Pictures looked at.")
    chosen: int = Field(description="Pictures written.")
    error: dict[str, Any] | None = Field(None, description="What was wrong with it, as problem details.")


class ModelUsed(BaseModel):
    """The network that rated."""

    name: str = Field(description="Its name in `reelwright models list`.")
    backend: str = Field(description="What ran it.")
    precision: str = Field(description="Number format it computed in.")
    device: str = Field(description="Where it ran.")
    licence: str = Field(description="Licence of the weights.")
    commercial_use: bool = Field(description="Whether that licence allows commercial use.")


class ChosenResult(BaseModel):
    """The pictures that were chosen."""

    items: list[Item] = Field(description="The chosen pictures, file by file, in the order of time.")
    sources: list[SourceReport] = Field(description="What became of each input file.")
    looked_at: int = Field(description="Pictures looked at.")
    left_out: int = Field(description="Pictures left out because they look like a better one (`diversity`).")
    model: ModelUsed | None = Field(description="The network that rated; null without.")
    scorer: str = Field(description="What pictures were ranked by.")


class TopImagesResult(ChosenResult):
    """The pictures that reached the percentile."""

    threshold: float | None = Field(description="The merit that had to be reached.")


class Extracted(BaseModel):
    """A frame that was written."""

    image: str = Field(description="Name of the picture in the output `images`.")
    source: str = Field(description="Name of its video.")
    source_index: int = Field(description="Number of its video among the inputs, from 0.")
    timestamp_s: float = Field(description="When it is shown, in seconds.")


class ExtractResult(BaseModel):
    """The frames that were written."""

    items: list[Extracted] = Field(description="The frames, video by video, in the order of time.")
    sources: list[SourceReport] = Field(description="What became of each video.")
