"""Everything this service can do."""

from services.aesthetics.best_frames import best_frames
from services.aesthetics.extract_frames import extract_frames
from services.aesthetics.nima.scores import CATALOG_NAMES
from services.aesthetics.params import (
    MAX_SOURCES,
    BestFramesParams,
    ChosenResult,
    ExtractParams,
    ExtractResult,
    ScoreParams,
    TopImagesParams,
    TopImagesResult,
)
from services.aesthetics.top_images import top_images
from shared.models.folder import to_install
from shared.operation import Input, Kind, Operation, Service

VIDEOS = Input(kind=Kind.VIDEO, many=True, optional=True, most=MAX_SOURCES)
PICTURES = Input(kind=Kind.IMAGE, also=Kind.IMAGES, many=True, optional=True, most=MAX_SOURCES)
CHOSEN = {"images": Kind.IMAGES, "scores": Kind.ARCHIVE, "sheet": Kind.IMAGE}


def missing_weights(params: ScoreParams) -> str | None:
    """The command that installs the network that `params` ask for, where it is missing."""
    return None if params.scorer == "technical" else to_install(CATALOG_NAMES[params.model])


BEST_FRAMES = Operation(
    name="aesthetics.best-frames",
    summary="Choose the best frame of each group of a video, and say why",
    params=BestFramesParams,
    result=ChosenResult,
    inputs={"video": VIDEOS, "images": PICTURES},
    needs=("video", "images"),
    outputs=CHOSEN,
    run=best_frames,
    example=BestFramesParams(scorer="technical"),
    unavailable=missing_weights,
)

TOP_IMAGES = Operation(
    name="aesthetics.top-images",
    summary="Choose the pictures whose scores reach a percentile, and say why",
    params=TopImagesParams,
    result=TopImagesResult,
    inputs={"images": PICTURES, "video": VIDEOS},
    needs=("images", "video"),
    outputs=CHOSEN,
    run=top_images,
    example=TopImagesParams(scorer="technical"),
    unavailable=missing_weights,
)

EXTRACT_FRAMES = Operation(
    name="aesthetics.extract-frames",
    summary="Write frames of videos as pictures, so many a second",
    params=ExtractParams,
    result=ExtractResult,
    inputs={"video": Input(kind=Kind.VIDEO, many=True, most=MAX_SOURCES)},
    outputs={"images": Kind.IMAGES},
    run=extract_frames,
    example=ExtractParams(),
)

OPERATIONS = (BEST_FRAMES, TOP_IMAGES, EXTRACT_FRAMES)

SERVICE = Service(
    name="aesthetics",
    title="Aesthetics",
    module=__name__,
    operations=OPERATIONS,
    commands="services.aesthetics.commands:add_commands",
)
