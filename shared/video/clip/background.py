"""The background parameter of operations whose output has no transparency."""

from pydantic import Field

from shared.operation import Params, form
from shared.video.frames.display import BLACK


class OnBackground(Params):
    """Params with the colour to put behind transparent parts of the source."""

    background: str = Field(
        BLACK,
        pattern=r"^#[0-9a-fA-F]{6}$",
        description="Colour behind transparent parts of the clip, such as `#00ff00`, where the output has no transparency.",
        title="Background",
        json_schema_extra=form("expert", widget="colour"),
    )
