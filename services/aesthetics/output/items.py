"""Records of chosen pictures in the result."""

from pydantic import BaseModel, Field

from services.aesthetics.measures.blank_frames import Shows
from services.aesthetics.measures.technical_quality import Technical
from shared.declarations.figure import figure


class TechnicalScores(BaseModel):
    """Technical measures of a picture in the result.

    Each measure is from 0 (bad) to 1 (good).
    """

    score: float = Field(description="Total technical score, from 1 to 10.")
    sharpness: float = Field(description="Sharpness, corrected for noise.")
    focus: float = Field(
        description="Sharpness of the sharpest part; high in a close-up in front of a soft background. Not part of `score`."
    )
    exposure: float = Field(description="Quality of the exposure.")
    steadiness: float = Field(description="Absence of motion blur.")
    cleanness: float = Field(description="Absence of noise.")
    shows: Shows = Field(description="Content of the frame: a picture, or a black, plain or title frame.")

    @classmethod
    def of(cls, measures: Technical) -> "TechnicalScores":
        """Create the record of a picture's measures, rounded."""
        return cls(
            score=round(measures.score, 4),
            sharpness=round(measures.sharpness, 4),
            focus=round(measures.focus, 4),
            exposure=round(measures.exposure, 4),
            steadiness=round(measures.steadiness, 4),
            cleanness=round(measures.cleanness, 4),
            shows=measures.shows,
        )


class Item(BaseModel):
    """A chosen picture in the result."""

    image: str = Field(description="Name of the picture in the output `images`.", json_schema_extra=figure("picture_name"))
    source: str = Field(description="Name of the input file; for a zip file, also the path of the picture in it: `photos.zip/a/b.jpg`.")
    source_index: int = Field(description="Number of the file among the inputs, from 0.")
    timestamp_s: float | None = Field(
        description="Time of the frame in its video, in seconds; null for a picture file.", json_schema_extra=figure("picture_time")
    )
    rank: int = Field(description="Rank among all chosen pictures, from 1 (best).")
    merit: float = Field(description="Score used for ranking, from 1 to 10, computed by the `scorer`.")
    score: float = Field(
        description="Mean of `distribution`, from 1 to 10; without the network, the technical score.",
        json_schema_extra=figure("picture_score"),
    )
    std: float | None = Field(description="Standard deviation of `distribution`: predicted disagreement. Null without the network.")
    distribution: list[float] | None = Field(description="Probability of each rating from 1 to 10. Null without the network.")
    technical: TechnicalScores = Field(description="Technical quality.")
    group: int | None = Field(description="Number of the picture's group in the video, from 0; null without groups.")
    considered: int = Field(description="Number of pictures from which this picture was chosen.")
    reason: str = Field(description="Reason for the choice, in words.")
