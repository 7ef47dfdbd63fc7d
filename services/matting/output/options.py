"""Params of matting's output files."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from services.matting.output.matte_formats import MATTE_FORMATS
from shared.choices import OneOf, described
from shared.operation import form
from shared.video.clip.part import ClipPart


class OutputOptions(ClipPart):
    """Params of matting's output files."""

    alpha_format: Annotated[str, OneOf(MATTE_FORMATS)] = Field(
        "gray",
        description=f"File of `alpha`. {described(MATTE_FORMATS.values(), colon=True)}.",
        title="Matte format",
        json_schema_extra=form("more", labels={row.name: row.label for row in MATTE_FORMATS.values()}),
    )
    composite_over: str = Field(
        "green",
        pattern=r"^(green|checkerboard|transparency|none|#[0-9a-fA-F]{6})$",
        description="Background of `composite`: `green`, a colour such as `#203040`, `checkerboard`, `transparency` "
        "(ProRes 4444), or `none` for no composite. A picture given as `background` replaces this setting.",
        title="Show over",
        json_schema_extra=form(
            "basics",
            widget="colour",
            labels={"green": "Green", "checkerboard": "Checkerboard", "transparency": "Transparent", "none": "No composite"},
        ),
    )
    foreground: Literal["off", "straight", "premultiplied"] = Field(
        "off",
        description="Write the subject's colours without background: `straight`, or `premultiplied` by the matte.",
        title="Foreground",
        json_schema_extra=form("more", labels={"off": "Off", "straight": "Straight", "premultiplied": "Premultiplied"}),
    )
    keep_times: bool = Field(
        False,
        description="Keep the clip's times if only a part is matted: `alpha` is black before the part, so that it fits the whole clip. "
        "Only for `alpha_format` gray.",
        title="Keep times",
        json_schema_extra=form("expert"),
    )

    @model_validator(mode="after")
    def _check_times(self) -> Self:
        if self.keep_times and self.alpha_format != "gray":
            raise ValueError(f"keep_times needs alpha_format gray, not {self.alpha_format}")
        return self
