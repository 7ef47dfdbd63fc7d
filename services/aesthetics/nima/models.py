"""Tables of NIMA networks and their architectures.

Source: Talebi, Milanfar, "NIMA: Neural Image Assessment", 2017. A NIMA network consists of a classification network without its head,
followed by average pooling, dropout, a dense layer of ten units and softmax. The networks were trained on pictures stretched to 224 by 224,
with R, G and B from -1 to 1.
"""

from dataclasses import dataclass
from typing import Annotated

from shared.choices import OneOf

_MIB = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Architecture:
    """A network architecture, as a row of `ARCHITECTURES`."""

    name: str
    keras_name: str
    """Name of the function in `keras.applications`."""
    model_bytes: int
    """Memory of the loaded network."""
    picture_bytes: int
    """Memory for each picture of a batch."""


ARCHITECTURES = {
    row.name: row
    for row in (
        Architecture(
            name="inception-resnet-v2",
            keras_name="InceptionResNetV2",
            model_bytes=700 * _MIB,
            picture_bytes=40 * _MIB,
        ),
        Architecture(name="mobilenet", keras_name="MobileNet", model_bytes=150 * _MIB, picture_bytes=20 * _MIB),
    )
}
"""Name -> architecture."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NimaModel:
    """A trained NIMA network, as a row of `NIMA_MODELS`."""

    name: str
    label: str
    """Label in a form."""
    catalog_name: str
    """Name in `reelwright models list`."""
    architecture: str
    description: str


NIMA_MODELS = {
    row.name: row
    for row in (
        NimaModel(
            name="inception-resnet-v2",
            label="Most accurate",
            catalog_name="nima-inception-resnet-v2",
            architecture="inception-resnet-v2",
            description="the most accurate",
        ),
        NimaModel(
            name="mobilenet-aesthetic",
            label="Fast",
            catalog_name="nima-mobilenet-aesthetic",
            architecture="mobilenet",
            description="ten times as fast",
        ),
        NimaModel(
            name="mobilenet-technical",
            label="Technical faults",
            catalog_name="nima-mobilenet-technical",
            architecture="mobilenet",
            description="trained on technical faults instead of taste",
        ),
    )
}
"""Name -> network, in the order of the API reference."""

ModelName = Annotated[str, OneOf(NIMA_MODELS)]
