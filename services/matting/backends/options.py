"""Params of backends with a network."""

from typing import Literal

from pydantic import Field

from shared.operation import Params, form


class NetworkOptions(Params):
    """Params of backends with a network."""

    precision: Literal["auto", "f32", "bf16", "f16"] = Field(
        "auto",
        description="Number format of the network's computation. `auto`: bf16 on a processor that supports it, else f32, also on a GPU. "
        "The result states the format.",
        title="Precision",
        json_schema_extra=form("expert", labels={"auto": "Automatic", "f32": "32 bits", "bf16": "bfloat16", "f16": "16 bits"}),
    )
    downsample_ratio: float | None = Field(
        None,
        ge=0.05,
        le=1,
        description="For rvm: scale of the picture in which the network finds people. Empty: 512 pixels on the longer side.",
        title="Downsampling",
        json_schema_extra=form("expert"),
    )
    birefnet: Literal["auto", "general", "general-lite", "portrait"] = Field(
        "auto",
        description="For birefnet: the model to use. `auto`: the first installed model.",
        title="BiRefNet model",
        json_schema_extra=form(
            "expert", labels={"auto": "Automatic", "general": "General", "general-lite": "General, light", "portrait": "Portrait"}
        ),
    )
