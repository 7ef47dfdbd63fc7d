"""Params and result models shared by the matting operations."""

from typing import Annotated

from pydantic import BaseModel, Field

from services.matting.backends.table import BACKENDS, BY_NAME
from shared.choices import OneOf
from shared.operation import Input, Kind, form

BackendName = Annotated[str, OneOf(("auto", *BY_NAME))]
BACKEND_LABELS = {"auto": "Automatic"} | {row.name: row.title for row in BACKENDS}
BACKEND_FIELD = Field(
    description="Method that makes the matte. `auto` chooses by the inputs, the picture and the installed models, and gives its reason; "
    "it uses no model that forbids commercial use, except matanyone2 if you installed it and give a mask. "
    + " ".join(f"`{row.name}`: {row.description}." for row in BACKENDS),
    title="Backend",
    json_schema_extra=form("basics", labels=BACKEND_LABELS),
)  # fmt: skip
RESOLUTION_FIELD = Field(
    ge=64,
    le=4320,
    description="Shorter side of the backend's input pictures in pixels. Outputs keep the clip's size. Empty: automatic.",
    title="Resolution",
    json_schema_extra=form("more", unit="px"),
)


class BackendUsed(BaseModel):
    """Backend, network and device used for a result."""

    name: str = Field(description="Name of the backend.")
    reason: str = Field(description="Reason for choosing the backend.")
    model: str | None = Field(description="Model of the backend, by its name in the catalog.")
    licence: str = Field(description="Licence of the model, or of the method.")
    commercial_use: bool = Field(description="Whether the licence allows commercial use.")
    library: str | None = Field(description="Library that ran the network.")
    precision: str | None = Field(description="Number format of the network's computation, as the library reports it.")
    device: str | None = Field(description="Device that ran the network.")
    resolution: str = Field(description="Width and height of the backend's input pictures, such as 1280x720.")


FIRST_MASK = Input(
    kind=Kind.IMAGE,
    optional=True,
    role="mask",
    sets={"subject": "mask"},
    title="Mask",
    description="The subject on the first frame: white is the subject.",
)
CLEAN_PLATE = Input(
    kind=Kind.IMAGE, optional=True, role="plate", example=True, title="Clean plate", description="The scene without the subject."
)
