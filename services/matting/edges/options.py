"""Params of matte edges and temporal smoothing."""

from pydantic import Field

from shared.operation import Params, form


class EdgeOptions(Params):
    """Params of matte edges and temporal smoothing."""

    steadiness: float | None = Field(
        None, ge=0, le=1, description="Strength of temporal smoothing along the motion; 0 is off. Empty: 0.6 for "
        "single-frame backends, 0 for others.", title="Steadiness", json_schema_extra=form("more")
    )  # fmt: skip
    erode: float = Field(
        0,
        ge=0,
        le=50,
        description="Pixels to shrink the matte by, in the output's size.",
        title="Erode",
        json_schema_extra=form("more", unit="px", clip_pixels=True),
    )
    dilate: float = Field(
        0,
        ge=0,
        le=50,
        description="Pixels to grow the matte by, in the output's size.",
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
        None, description="Align soft edges with edges in the picture (guided filter). Empty: only if the backend's input is far smaller "
        "than the output.", title="Refine edges", json_schema_extra=form("expert")
    )  # fmt: skip
