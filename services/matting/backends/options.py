"""Params of backends with a network."""

from typing import Annotated

from pydantic import Field

from services.matting.backends.birefnet_models import BIREFNET_CHOICES
from services.matting.networks.precisions import PRECISIONS
from shared.choices import OneOf, described
from shared.operation import Params, form


class NetworkOptions(Params):
    """Params of backends with a network."""

    precision: Annotated[str, OneOf(PRECISIONS)] = Field(
        "auto",
        description=f"Number format of the network's computation. {described(PRECISIONS.values(), colon=True)}. "
        "The result states the format.",
        title="Precision",
        json_schema_extra=form("expert", labels={row.name: row.label for row in PRECISIONS.values()}),
    )
    downsample_ratio: float | None = Field(
        None,
        ge=0.05,
        le=1,
        description="For rvm: scale of the picture in which the network finds people. Empty: 512 pixels on the longer side.",
        title="Downsampling",
        json_schema_extra=form("expert"),
    )
    birefnet: Annotated[str, OneOf(BIREFNET_CHOICES)] = Field(
        "auto",
        description=f"For birefnet: the model to use. {described(BIREFNET_CHOICES.values(), colon=True)}.",
        title="BiRefNet model",
        json_schema_extra=form("expert", labels={row.name: row.label for row in BIREFNET_CHOICES.values()}),
    )
