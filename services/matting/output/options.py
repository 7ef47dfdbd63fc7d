"""Params of matting's output files."""

from typing import Annotated

from pydantic import Field

from services.matting.output.backdrop import BACKDROPS, COLOUR
from services.matting.output.foreground_files import FOREGROUND_FILES
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
        pattern=f"^({'|'.join(BACKDROPS)}|{COLOUR})$",
        description=f"Background of `composite`: a colour such as `#203040`, or a name. {described(BACKDROPS.values(), colon=True)}. "
        "A picture given as `background` replaces this setting.",
        title="Show over",
        json_schema_extra=form(
            "basics",
            widget="colour",
            labels={row.name: row.label for row in BACKDROPS.values()},
        ),
    )
    foreground: Annotated[str, OneOf(FOREGROUND_FILES)] = Field(
        "off",
        description=f"File of the subject's colours without background. {described(FOREGROUND_FILES.values(), colon=True)}.",
        title="Foreground",
        json_schema_extra=form("more", labels={row.name: row.label for row in FOREGROUND_FILES.values()}),
    )
    keep_times: bool = Field(
        False,
        description="Keep the clip's times if only a part is matted: `alpha` is black before the part, so that it fits the whole clip. "
        "Only for `alpha_format` gray.",
        title="Keep times",
        json_schema_extra=form("expert", role="keeps_times", only_with={"alpha_format": "gray"}),
    )
