"""The endpoints of PerfectFrameAI, so that its clients only change the base URL: a configuration with two folders, a short reply.

The folders lie below `<data folder>/aesthetics/<owner>` (`public` without API keys). Unlike there, several extractions may run at once.
"""

from pathlib import Path
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Request
from pydantic import AliasChoices, BaseModel, ConfigDict, Field

from services.aesthetics.folders.folder_jobs import Extraction, Extractions
from services.aesthetics.folders.folders import (
    PICTURE_SUFFIXES,
    PROCESSED,
    VIDEO_SUFFIXES,
    check_originals,
    check_permissions,
    files_in,
    folder_within,
)
from services.aesthetics.operations import BEST_FRAMES, EXTRACT_FRAMES, TOP_IMAGES
from services.aesthetics.params import MAX_SOURCES, BestFramesParams, ExtractParams, Model, PictureFormat, TopImagesParams
from shared.errors import Invalid
from shared.http.json_route import JsonRoute
from shared.http.service import REFUSALS
from shared.media.disk import on_disk

BEST, TOP = "best_frames_extractor", "top_images_extractor"
Suffix = Annotated[str, Field(pattern=r"^\.[A-Za-z0-9]{1,8}$")]


class ExtractorConfig(BaseModel):
    """PerfectFrameAI's configuration, with its names and defaults; fields that say where its weights come from are passed over."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    input_directory: str = Field("input_directory", max_length=1000, description="Folder of the files, below the shared folder.")
    output_directory: str = Field("output_directory", max_length=1000, description="Folder that pictures are written into, likewise.")
    video_extensions: tuple[Suffix, ...] = Field(VIDEO_SUFFIXES, max_length=50, description="Suffixes of the files that are videos.")
    images_extensions: tuple[Suffix, ...] = Field(PICTURE_SUFFIXES, max_length=50, description="Suffixes of the files that are pictures.")
    processed_video_prefix: str = Field(
        PROCESSED, pattern=r"^[A-Za-z0-9_-]{1,60}$", description="What the names of processed videos are made to begin with."
    )
    batch_size: int = Field(100, ge=1, le=1024, description="Pictures that the network is given at once, at most.")
    compering_group_size: int = Field(
        5,
        ge=1,
        le=100_000,
        validation_alias=AliasChoices("compering_group_size", "group_size"),
        description="Frames in a group; the best of each is kept.",
    )
    top_images_percent: float = Field(
        90.0,
        ge=0,
        le=100,
        validation_alias=AliasChoices("top_images_percent", "percent"),
        description="Percentile of the scores that a picture must reach.",
    )
    images_output_format: PictureFormat = Field("jpg", description="File format of the pictures.")
    all_frames: bool = Field(False, description="Write every sampled frame, without rating any.")
    scorer: Literal["nima", "technical", "both"] = Field("nima", description="What pictures are ranked by, as in `best-frames`.")
    model: Model = Field("inception-resnet-v2", description="The network, as in `best-frames`.")

    @property
    def scoring(self) -> dict[str, Any]:
        """What both extractors take of it."""
        given = {"scorer": self.scorer, "model": self.model, "batch_size": self.batch_size, "format": self.images_output_format}
        return given | {"diversity": 0.0}


class Started(BaseModel):
    """The seed's answer, and where the job is found."""

    message: str = Field(examples=["'best_frames_extractor' started."])
    job_id: str | None = Field(description="The job; null where there was nothing to do.")
    files: list[str] = Field(description="Names of the files that are worked on.")
    refused: dict[str, str] = Field(description="Names of files that were not taken, with why.")


class Running(BaseModel):
    """An extraction that is not over."""

    extractor: str
    job_id: str
    files: list[str]


class ExtractorStatus(BaseModel):
    """What is being worked on."""

    active_extractor: str | None = Field(description="The extraction that was started last and is not over; null where there is none.")
    running: list[Running] = Field(description="All that are not over.")


def seed_routes(extractions: Extractions) -> APIRouter:
    """`/extractors/best_frames_extractor`, `/extractors/top_images_extractor` and `/status`."""
    router = APIRouter(tags=["aesthetics as PerfectFrameAI had it"], responses=REFUSALS, route_class=JsonRoute)

    @router.post(f"/extractors/{BEST}", summary="Extract the best frames of the videos in a folder")
    async def best_frames_extractor(request: Request, config: ExtractorConfig | None = None) -> Started:
        config = config or ExtractorConfig()
        extraction, files = await on_disk(_prepared, extractions, config, request.state.owner, BEST)
        if config.all_frames:
            every = ExtractParams(format=config.images_output_format)
            return _reply(*await extractions.start(extraction, files, EXTRACT_FRAMES, every, "video"))
        params = BestFramesParams(group_size=config.compering_group_size, **config.scoring)
        return _reply(*await extractions.start(extraction, files, BEST_FRAMES, params, "video"))

    @router.post(f"/extractors/{TOP}", summary="Extract the best pictures of a folder")
    async def top_images_extractor(request: Request, config: ExtractorConfig | None = None) -> Started:
        config = config or ExtractorConfig()
        params = TopImagesParams(percent=config.top_images_percent, **config.scoring)
        extraction, files = await on_disk(_prepared, extractions, config, request.state.owner, TOP)
        return _reply(*await extractions.start(extraction, files, TOP_IMAGES, params, "images"))

    @router.get("/status", summary="What is being extracted")
    async def status(request: Request) -> ExtractorStatus:
        running = await on_disk(extractions.running, request.state.owner)
        shown = [Running(extractor=one.extractor, job_id=one.job_id, files=[taken.name for taken in one.taken]) for one in running]
        return ExtractorStatus(active_extractor=shown[-1].extractor if shown else None, running=shown)

    return router


def _prepared(extractions: Extractions, config: ExtractorConfig, owner: str, extractor: str) -> tuple[Extraction, list[Path]]:
    """The extraction that a configuration asks for, and its files. Raises Invalid for folders that are not to be used, or have no file."""
    root = extractions.root(owner)
    given, wanted = folder_within(root, config.input_directory), folder_within(root, config.output_directory)
    check_permissions(given, wanted)
    videos = extractor == BEST
    if not videos:
        check_originals(given, wanted)
    prefix = config.processed_video_prefix if videos else ""
    suffixes = config.video_extensions if videos else config.images_extensions
    files = files_in(given, suffixes, but=prefix)
    if not files:
        marked = f" that does not begin with {prefix!r}" if prefix else ""
        raise Invalid(f"There is no file ({', '.join(suffixes)}){marked} in {config.input_directory!r}. Put some into {given}.")
    if len(files) > MAX_SOURCES:
        raise Invalid(f"There are {len(files)} files in {config.input_directory!r}; at most {MAX_SOURCES} are taken at once.")
    return Extraction(extractor=extractor, owner=owner, input_directory=given, output_directory=wanted, prefix=prefix), files


def _reply(extraction: Extraction, refused: dict[str, str]) -> Started:
    files = [taken.name for taken in extraction.taken]
    message = (
        f"'{extraction.extractor}' started." if files else "There is nothing to do: the files are worked on already, or cannot be read."
    )
    return Started(message=message, job_id=extraction.job_id or None, files=files, refused=refused)
