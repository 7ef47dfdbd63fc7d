"""Params of matte edges and temporal smoothing."""

from pydantic import Field

from shared.operation import Params, form


class EdgeOptions(Params):
    """Params of matte edges and temporal smoothing."""

    steadiness: float | None = Field(
        None, ge=0, le=1, description="How far mattes are smoothed over time, along the motion: 0 not at all. Empty: 0.6 for backends that "
        "look at single frames, 0 for the others.", title="Steadiness", json_schema_extra=form("more")
    )  # fmt: skip
    erode: float = Field(
        0,
        ge=0,
        le=50,
        description="Pixels of the output to take off the edge.",
        title="Erode",
        json_schema_extra=form("more", unit="px", clip_pixels=True),
    )
    dilate: float = Field(
        0,
        ge=0,
        le=50,
        description="Pixels of the output to add to the edge.",
        title="Dilate",
        json_schema_extra=form("more", unit="px", clip_pixels=True),
    )
    feather: float = Field(
        0,
        ge=0,
        le=100,
        description="Softness to add to the edge, in pixels of the output.",
        title="Feather",
        json_schema_extra=form("more", unit="px", clip_pixels=True),
    )
    gamma: float = Field(
        1,
        ge=0.1,
        le=10,
        description="Exponent of the matte's values: above 1 thins soft parts, below 1 thickens them.",
        title="Gamma",
        json_schema_extra=form("expert"),
    )
    holes: float = Field(
        0,
        ge=0,
        le=1,
        description="Fill holes inside the subject up to this share of the picture's area: 0.001 is a button, 1 is any hole.",
        title="Fill holes",
        json_schema_extra=form("expert"),
    )
    min_area: float = Field(
        0,
        ge=0,
        le=1,
        description="Remove blobs smaller than this share of the picture's area.",
        title="Remove blobs",
        json_schema_extra=form("expert"),
    )
    refine: bool | None = Field(
        None, description="Redraw soft edges along the edges of the picture (guided filter). Empty: only where the network saw far fewer "
        "pixels than the output has.", title="Refine edges", json_schema_extra=form("expert")
    )  # fmt: skip
