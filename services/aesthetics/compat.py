"""Endpoints compatible with PerfectFrameAI.

A client of PerfectFrameAI only changes its base URL: to `/v1/aesthetics` of the gateway, or to the gateway itself if its paths begin with
`/v2`. Folders are below `<data folder>/aesthetics/<owner>` (`public` without API keys).
Unlike in PerfectFrameAI, several extractions can run at once.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from pydantic import AliasChoices, BaseModel, ConfigDict, Field

from services.aesthetics.best_frames import BEST_FRAMES, BestFramesParams
from services.aesthetics.extract_frames import EXTRACT_FRAMES, ExtractParams
from services.aesthetics.folders.extractions import Extraction, Extractions
from services.aesthetics.folders.folder_files import (
    PICTURE_SUFFIXES,
    PROCESSED,
    VIDEO_SUFFIXES,
    check_originals,
    check_permissions,
    files_in,
    folder_within,
)
from services.aesthetics.nima.models import ModelName
from services.aesthetics.reading.picture_formats import FormatName
from services.aesthetics.reading.sources import MAX_SOURCES
from services.aesthetics.selection.scorers import ScorerName
from services.aesthetics.top_images import TOP_IMAGES, TopImagesParams
from shared.errors import Invalid
from shared.http.json_route import JsonRoute
from shared.http.operations.answers import REFUSALS
from shared.http.operations.known_query import refuse_unknown_query
from shared.media.disk import on_disk

BEST, TOP = "best_frames_extractor", "top_images_extractor"
Suffix = Annotated[str, Field(pattern=r"^\.[A-Za-z0-9]{1,8}$")]


class ExtractorConfig(BaseModel):
    """Configuration of an extraction, with PerfectFrameAI's names and defaults.

    Other fields, such as the source of the weights, are ignored.
    """

    model_config = ConfigDict(extra="ignore", frozen=True)

    input_directory: str = Field("input_directory", max_length=1000, description="Folder of the input files, below the shared folder.")
    output_directory: str = Field("output_directory", max_length=1000, description="Folder for the pictures, below the shared folder.")
    video_extensions: tuple[Suffix, ...] = Field(VIDEO_SUFFIXES, max_length=50, description="File suffixes of videos.")
    images_extensions: tuple[Suffix, ...] = Field(PICTURE_SUFFIXES, max_length=50, description="File suffixes of pictures.")
    processed_video_prefix: str = Field(
        PROCESSED, pattern=r"^[A-Za-z0-9_-]{1,60}$", description="Prefix that is added to the names of processed videos."
    )
    batch_size: int = Field(100, ge=1, le=1024, description="Maximum number of pictures that the network rates at once.")
    compering_group_size: int = Field(
        5,
        ge=1,
        le=100_000,
        validation_alias=AliasChoices("compering_group_size", "comparing_group_size", "group_size"),
        description="Number of frames in a group; the best of each is kept.",
    )
    top_images_percent: float = Field(
        90.0,
        ge=0,
        le=100,
        validation_alias=AliasChoices("top_images_percent", "percent"),
        description="Percentile of all scores that a picture must reach.",
    )
    images_output_format: FormatName = Field("jpg", description="File format of the pictures.")
    all_frames: bool = Field(False, description="Write every sampled frame, unrated.")
    scorer: ScorerName = Field("nima", description="Score that ranks the pictures, as in `best-frames`.")
    model: ModelName = Field("inception-resnet-v2", description="Network that rates pictures, as in `best-frames`.")

    @property
    def scoring(self) -> dict[str, Any]:
        """Params for scoring that both extractors share."""
        return {
            "scorer": self.scorer,
            "model": self.model,
            "batch_size": self.batch_size,
            "format": self.images_output_format,
            "diversity": 0.0,
        }


class Started(BaseModel):
    """PerfectFrameAI's response to a start, with the id of the job."""

    message: str = Field(examples=["'best_frames_extractor' started."])
    job_id: str | None = Field(description="Id of the job; null if there was nothing to do.")
    files: list[str] = Field(description="Names of the files that are being processed.")
    refused: dict[str, str] = Field(description="Names of refused files, with the reasons.")


class Running(BaseModel):
    """A running extraction: its extractor, job and files."""

    extractor: str
    job_id: str
    files: list[str]


class ExtractorStatus(BaseModel):
    """List of all running extractions."""

    active_extractor: str | None = Field(description="Extractor of the latest running extraction; null if there is none.")
    running: list[Running] = Field(description="All running extractions.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """A PerfectFrameAI version whose endpoints this service offers.

    `prefix`: prefix of the endpoints' paths. `picture_prefix`: prefix of the names of written pictures.
    """

    prefix: str
    picture_prefix: str


VERSIONS = (Version(prefix="", picture_prefix=""), Version(prefix="/v2", picture_prefix="image_"))


def perfectframe_routes(extractions: Extractions) -> APIRouter:
    """Create the router with PerfectFrameAI's endpoints.

    These are `/extractors/best_frames_extractor`, `/extractors/top_images_extractor` and `/status`, and the same below `/v2`.
    """
    router = APIRouter(
        tags=["aesthetics: endpoints of PerfectFrameAI"],
        responses=REFUSALS,
        route_class=JsonRoute,
        dependencies=[Depends(refuse_unknown_query)],
    )
    for version in VERSIONS:
        _add_routes(router, extractions, version)
    return router


def _add_routes(router: APIRouter, extractions: Extractions, version: Version) -> None:
    """Add the endpoints of one PerfectFrameAI version."""
    name = version.prefix.removeprefix("/") + "-" if version.prefix else ""

    @router.post(f"{version.prefix}/extractors/{BEST}", name=f"{name}{BEST}", summary="Extract the best frames of the videos in a folder")
    async def best_frames_extractor(request: Request, config: ExtractorConfig | None = None) -> Started:
        config = config or ExtractorConfig()
        extraction, files = await on_disk(_prepared, extractions, config, request.state.owner, BEST, version)
        if config.all_frames:
            frame_params = ExtractParams(format=config.images_output_format)
            return _reply(*await extractions.start(extraction, files, EXTRACT_FRAMES, frame_params, "video"))
        params = BestFramesParams(group_size=config.compering_group_size, **config.scoring)
        return _reply(*await extractions.start(extraction, files, BEST_FRAMES, params, "video"))

    @router.post(f"{version.prefix}/extractors/{TOP}", name=f"{name}{TOP}", summary="Extract the best pictures of a folder")
    async def top_images_extractor(request: Request, config: ExtractorConfig | None = None) -> Started:
        config = config or ExtractorConfig()
        params = TopImagesParams(percent=config.top_images_percent, **config.scoring)
        extraction, files = await on_disk(_prepared, extractions, config, request.state.owner, TOP, version)
        return _reply(*await extractions.start(extraction, files, TOP_IMAGES, params, "images"))

    @router.get(f"{version.prefix}/status", name=f"{name}status", summary="List running extractions")
    async def status(request: Request) -> ExtractorStatus:
        running = await on_disk(extractions.running, request.state.owner)
        reports = [
            Running(extractor=extraction.extractor, job_id=extraction.job_id, files=[file.name for file in extraction.files])
            for extraction in running
        ]
        return ExtractorStatus(active_extractor=reports[-1].extractor if reports else None, running=reports)


def _prepared(
    extractions: Extractions, config: ExtractorConfig, owner: str, extractor: str, version: Version
) -> tuple[Extraction, list[Path]]:
    """Create the extraction that `config` describes, and list the files to process.

    Raises Invalid for unusable folders, for a folder without files and for more than MAX_SOURCES files.
    """
    root = extractions.root(owner)
    source, target = folder_within(root, config.input_directory), folder_within(root, config.output_directory)
    check_permissions(source, target)
    videos = extractor == BEST
    if not videos:
        check_originals(source, target)
    prefix = config.processed_video_prefix if videos else ""
    suffixes = config.video_extensions if videos else config.images_extensions
    files = files_in(source, suffixes, ignored_prefix=prefix)
    if not files:
        marked = f" that does not begin with {prefix!r}" if prefix else ""
        raise Invalid(f"There is no file ({', '.join(suffixes)}){marked} in {config.input_directory!r}. Put some into {source}.")
    if len(files) > MAX_SOURCES:
        raise Invalid(f"There are {len(files)} files in {config.input_directory!r}; one extraction takes at most {MAX_SOURCES}.")
    extraction = Extraction(
        extractor=extractor,
        owner=owner,
        input_directory=source,
        output_directory=target,
        prefix=prefix,
        picture_prefix=version.picture_prefix,
    )
    return extraction, files


def _reply(extraction: Extraction, refused: dict[str, str]) -> Started:
    """Return PerfectFrameAI's response for a started extraction.

    `refused`: names of refused files, with the reasons.
    """
    files = [file.name for file in extraction.files]
    message = (
        f"'{extraction.extractor}' started."
        if files
        else "There is nothing to do: every file is already being processed, or cannot be read."
    )
    return Started(message=message, job_id=extraction.job_id or None, files=files, refused=refused)
