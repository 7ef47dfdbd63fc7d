"""media.strip: make a picture of evenly spaced thumbnails of a clip."""

from fractions import Fraction
from pathlib import Path

import numpy as np
from PIL import Image
from pydantic import BaseModel, Field

from shared.operation import Kind, Operation, Params, Progress, Silent, form
from shared.video import probe_video, read_frames, to_fraction
from shared.video.clip.rewrite import rate_of

COLUMNS = 10
_JPEG_QUALITY = 80


class StripParams(Params):
    """Params of the tiles' number and size."""

    tiles: int = Field(
        60,
        ge=1,
        le=400,
        description="Number of evenly spaced tiles; at most one per frame.",
        title="Tiles",
        json_schema_extra=form("basics"),
    )
    tile_width: int = Field(
        160,
        ge=16,
        le=480,
        multiple_of=2,
        description="Width of a tile in pixels.",
        title="Tile width",
        json_schema_extra=form("basics", unit="px"),
    )


class StripTimes(BaseModel):
    """Grid and times of a strip's tiles."""

    columns: int = Field(description="Tiles in a row.")
    tile_width: int = Field(description="Width of a tile in pixels.")
    tile_height: int = Field(description="Height of a tile in pixels.")
    times_s: list[float] = Field(description="Time of each tile in seconds.")


class StripResult(StripTimes):
    """Summary of a written strip."""


def strip(params: StripParams, *, video: Path, outputs: dict[str, Path], progress: Progress = Silent()) -> StripResult:
    """Write a JPEG with rows of evenly spaced thumbnails (tiles) of a clip.

    Tile i is at column i % `columns` and row i / `columns` of `outputs["strip"]`. `outputs["times"]`: `StripTimes` as JSON. Only the frames
    of the tiles are decoded where the clip allows it. Raises UnsupportedMedia and BrokenMedia.
    """
    info = probe_video(video)
    for warning in info.warnings:
        progress.warn(warning)
    length = to_fraction(info.length_s)
    count = max(min(params.tiles, info.frames), 1)
    size = params.tile_width, max(round(params.tile_width * info.height / info.width), 2)
    per_second = max(count / length, Fraction(1, 1_000_000)) if length > 0 else rate_of(info)
    times = list[float]()
    tiles = list[np.ndarray[tuple[int, ...], np.dtype[np.uint8]]]()
    with read_frames(video, per_second=per_second, to_sdr8=True, opaque=True, prefetch=2) as frames:
        for frame in frames:
            tiles.append(frame.rgb(size))
            times.append(round(float(frame.time), 6))
            progress(min(len(tiles), count), count)
            if len(tiles) == count:
                break
    rows = -(-len(tiles) // COLUMNS)
    sheet = np.zeros((rows * size[1], min(COLUMNS, len(tiles)) * size[0], 3), np.uint8)
    for number, tile in enumerate(tiles):
        top, left = number // COLUMNS * size[1], number % COLUMNS * size[0]
        sheet[top : top + size[1], left : left + size[0]] = tile
    Image.fromarray(sheet).save(outputs["strip"], "JPEG", quality=_JPEG_QUALITY)
    result = StripResult(columns=min(COLUMNS, len(tiles)), tile_width=size[0], tile_height=size[1], times_s=times)
    outputs["times"].write_text(result.model_dump_json(), encoding="utf-8")
    progress(count, count)
    return result


STRIP = Operation(
    name="media.strip",
    bytes_per_pixel=lambda _params: 12,
    title="Strip",
    summary="Draw evenly spaced frames of a clip as tiles of one picture",
    params=StripParams,
    result=StripResult,
    inputs={"video": Kind.VIDEO},
    outputs={"strip": Kind.IMAGE, "times": Kind.JSON},
    is_tool=False,
    run=strip,
    version=4,
    example=StripParams(),
)
