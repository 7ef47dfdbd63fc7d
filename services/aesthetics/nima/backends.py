"""Table of backends that run NIMA, and the params that choose one."""

from dataclasses import dataclass
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from services.aesthetics.nima.models import NIMA_MODELS, ModelName
from shared.choices import OneOf
from shared.operation import Params, form


@dataclass(frozen=True, slots=True, kw_only=True)
class Backend:
    """A backend that runs NIMA, as a row of `BACKENDS`."""

    name: str
    """Name of the backend and of its Python package."""
    title: str
    """Name shown to users."""
    precisions: tuple[str, ...]
    """Number formats in which the backend computes, besides f32."""
    network_format: str | None
    """Format to which the network is converted, see `conversion.py`. None: the backend runs the Keras model."""


BACKENDS = {
    row.name: row
    for row in (
        Backend(name="openvino", title="OpenVINO", precisions=("bf16",), network_format="openvino"),
        Backend(name="onnxruntime", title="ONNX Runtime", precisions=(), network_format="onnx"),
        Backend(name="tensorflow", title="TensorFlow", precisions=("f16",), network_format=None),
    )
}
"""Name -> backend, in the order in which `auto` tries them on a processor."""

BackendName = Annotated[str, OneOf(("auto", *BACKENDS))]


class NetworkParams(Params):
    """Params that choose the NIMA network, its backend and precision."""

    model: ModelName = Field(
        "inception-resnet-v2",
        description="Network that rates pictures. " + "; ".join(f"`{row.name}`: {row.description}" for row in NIMA_MODELS.values()) + ".",
        title="Network",
        json_schema_extra=form(
            "expert",
            labels={row.name: row.label for row in NIMA_MODELS.values()},
        ),
    )
    backend: BackendName = Field(
        "auto",
        description="Library that runs the network. `auto`: TensorFlow on a GPU that it can use, otherwise the first that is installed of "
        + ", ".join(row.title for row in BACKENDS.values())
        + ".",
        title="Library",
        json_schema_extra=form("expert", labels={"auto": "Automatic"} | {row.name: row.title for row in BACKENDS.values()}),
    )
    precision: Literal["auto", "f32", "bf16", "f16"] = Field(
        "auto",
        description="Number format of the network's computation. `auto`: f16 on a GPU; bf16 on a processor that supports it, if scores "
        "stay within 0.01 of f32 (measured once for the weights); otherwise f32. OpenVINO has bf16, TensorFlow f16.",
        title="Precision",
        json_schema_extra=form("expert", labels={"auto": "Automatic", "f32": "32 bits", "bf16": "bfloat16", "f16": "16 bits"}),
    )
    preprocessing: Literal["symmetric", "unit"] = Field(
        "symmetric",
        description="Range of the network's input. `symmetric`: -1 to 1, as in training; `unit`: 0 to 1 with Lanczos scaling, as in "
        "PerfectFrameAI.",
        title="Preprocessing",
        json_schema_extra=form("expert", labels={"symmetric": "-1 to 1", "unit": "0 to 1"}),
    )
    batch_size: int = Field(
        16,
        ge=1,
        le=1024,
        description="Maximum number of pictures that the network rates at once. Does not affect memory.",
        title="Batch size",
        json_schema_extra=form("expert"),
    )

    @model_validator(mode="after")
    def _precision_fits(self) -> Self:
        if self.backend != "auto" and self.precision not in ("auto", "f32", *BACKENDS[self.backend].precisions):
            raise ValueError(f"backend {self.backend} does not support precision {self.precision}: choose f32, or another backend")
        return self
