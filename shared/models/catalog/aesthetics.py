"""Catalog entries of the models that score pictures: NIMA."""

from shared.models.model import File, Model

IDEALO = "https://raw.githubusercontent.com/idealo/image-quality-assessment/master/models/MobileNet"


AESTHETICS: tuple[Model, ...] = (
    Model(
        name="nima-inception-resnet-v2",
        converts=True,
        title="NIMA, InceptionResNetV2",
        purpose="Predicts how people rate a picture, as probabilities of the ratings 1 to 10: the more exact of the two aesthetic scorers",
        services=("aesthetics",),
        source="https://huggingface.co/BKDDFS/nima_weights",
        repository="BKDDFS/nima_weights",
        files=(File(path="weights.h5", hub_path="weights.h5"),),
        licence="GPL-3.0",
        commercial_use=True,
        about_bytes=218_000_000,
        notes="The licence is that of PerfectFrameAI, which publishes the file; trained on AVA. Old Keras layout: load by order.",
    ),
    Model(
        name="nima-mobilenet-aesthetic",
        converts=True,
        title="NIMA, MobileNet, aesthetic",
        purpose="Predicts how people rate a picture, as probabilities of the ratings 1 to 10: the fast aesthetic scorer",
        services=("aesthetics",),
        source="https://github.com/idealo/image-quality-assessment",
        files=(File(path="weights_mobilenet_aesthetic_0.07.hdf5", url=f"{IDEALO}/weights_mobilenet_aesthetic_0.07.hdf5"),),
        licence="Apache-2.0",
        commercial_use=True,
        about_bytes=13_000_000,
        notes="Trained on AVA. Old Keras layout: load by order.",
    ),
    Model(
        name="nima-mobilenet-technical",
        converts=True,
        title="NIMA, MobileNet, technical",
        purpose="Predicts how people rate the technical quality of a picture, as probabilities of the ratings 1 to 10",
        services=("aesthetics",),
        source="https://github.com/idealo/image-quality-assessment",
        files=(File(path="weights_mobilenet_technical_0.11.hdf5", url=f"{IDEALO}/weights_mobilenet_technical_0.11.hdf5"),),
        licence="Apache-2.0",
        commercial_use=True,
        about_bytes=13_000_000,
        notes="Trained on TID2013. Old Keras layout: load by order.",
    ),
)
