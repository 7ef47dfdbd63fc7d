"""matting.mask: create a mask of an object marked by clicks, a box or strokes."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Self

import cv2
import numpy as np
from PIL import Image
from pydantic import BaseModel, Field, model_validator

from services.matting.backends.auto import Choice, choose, memory_bytes, missing, named
from services.matting.backends.backend import Mask, Rgb, Sample, Setup, View
from services.matting.backends.chroma import ChromaOptions
from services.matting.backends.difference import DifferenceOptions, plate_problem
from services.matting.backends.options import NetworkOptions
from services.matting.networks.engine import choose_engine
from services.matting.networks.sam import load_sam
from services.matting.params import BACKEND_FIELD, CLEAN_PLATE, RESOLUTION_FIELD, BackendName
from services.matting.reading.plate import plate_picture
from services.matting.reading.views import gray_size, scaled_rgb
from services.matting.subject.grabcut import grabcut
from services.matting.subject.mark_kinds import STROKES, UNMARKED, MarkKind, mark_kind
from services.matting.subject.pointing import Pointing
from services.matting.subject.regions import boxed_region, clicked_region, main_region, regions_of
from shared.declarations.figure import figure
from shared.errors import Invalid, ModelMissing
from shared.models.cache import loaded
from shared.models.devices.gpu_lock import hold_gpu
from shared.models.files import model_files
from shared.models.folder import installed
from shared.models.info import model_used
from shared.operation import Input, Kind, Operation, Progress, Silent, form
from shared.video import Frame, VideoInfo, frame_by_number, list_pictures, read_frames
from shared.video.clip.part import ClipPart
from shared.video.clip.rewrite import probe_clip

SAM = "sam2.1-tiny"
GRABCUT, GRABCUT_LICENCE = "grabcut", "Apache-2.0"
_SAM_BYTES = 1200 * 1024**2
_BYTES_PER_PIXEL = 100
_LOOKS = 3
"""Number of times that a network with memory gets the frame. The first result is the worst, because the memory is empty."""


class MaskParams(Pointing, NetworkOptions, ChromaOptions, DifferenceOptions):
    """Params that choose the frame, mark the object and shape the mask."""

    frame: int | None = Field(
        None,
        ge=0,
        description="Number of the frame, from 0. Give this or `time_s`.",
        title="Frame",
        json_schema_extra=form("more", widget="frame"),
    )
    time_s: float = Field(
        0,
        ge=0,
        le=1e6,
        description="Time of the frame in seconds, if `frame` is empty.",
        title="Time",
        json_schema_extra=form("basics", unit="s", widget="time"),
    )
    backend: Annotated[BackendName, BACKEND_FIELD] = "auto"
    resolution: Annotated[int | None, RESOLUTION_FIELD] = None

    @model_validator(mode="after")
    def _one_time(self) -> Self:
        if self.frame is not None and self.time_s:
            raise ValueError("give frame or time_s, not both")
        return self


class MaskResult(BaseModel):
    """Summary of the written mask."""

    method: str = Field(
        description="`sam2.1-tiny`, `grabcut`, or the backend whose matte was divided into regions.",
        json_schema_extra=figure("mask_method"),
    )
    licence: str = Field(description="Licence of the model, or of the method.")
    time_s: float = Field(description="Time of the frame in seconds.")
    width: int = Field(description="Width of the mask in pixels.")
    height: int = Field(description="Height of the mask in pixels.")
    coverage: float = Field(description="Share of the picture that the mask covers, 0 to 1.")


def mask(
    params: MaskParams,
    *,
    video: Path,
    plate: Path | None = None,
    marks: Path | None = None,
    output: Path,
    progress: Progress = Silent(),
) -> MaskResult:
    """Create a PNG mask of an object marked by clicks, box or strokes.

    `points`, `box` and `marks` mark the object. White is the object; without marks it is the main object of the frame. `plate`: picture of
    the scene without the object, for the backend `difference`. `marks`: picture of brush strokes, white on the object and black beside it.

    With the backend `auto`, GrabCut makes the mask from strokes. For clicks and boxes, the first of these methods that applies makes the
    mask: the plate, if it fits and a region at the marks differs from it; SAM 2.1 tiny, if it is installed; the matte of the backend that
    suits the frame, if it has a region at the marks; GrabCut. Without marks, or with another backend, the mask is a region of a backend's
    matte. Warns of a plate or strokes that are not used. Raises Invalid for a frame that does not exist, and if no object is found at the
    marks.
    """
    _refuse(params, {} if plate is None else {"plate": plate})
    info = probe_clip(video, ClipPart())
    for warning in info.warnings:
        progress.warn(warning)
    params.check_inside(info.width, info.height)
    frame = _frame(video, params.time_s, info) if params.frame is None else frame_by_number(video, params.frame, field="params.frame")
    clean = None if plate is None else plate_picture(plate, info.width, info.height)
    kind = mark_kind(params, strokes=params.backend == "auto" and marks is not None)
    if kind is STROKES:
        if clean is not None:
            progress.warn("The clean plate was not used: strokes mark the object.")
        region, method, licence = _by_grabcut(params, info, frame, marks), GRABCUT, GRABCUT_LICENCE
    elif params.backend == "auto" and kind is not UNMARKED:
        by_plate = None if clean is None else _by_plate(params, info, frame, clean, kind, progress)
        if by_plate is not None:
            region, method, licence = by_plate
        elif installed(SAM):
            region, method, licence = _by_sam(params, info, frame, progress), SAM, model_used(SAM).licence
        else:
            region, method, licence = _by_installed_backend(params, info, frame, progress)
    else:
        if marks is not None:
            progress.warn(f"The strokes were not used: only the backend auto uses them, not {params.backend}.")
        choice = _choice(params, frame, clean)
        if problem := choice.unused_plate(clean):
            progress.warn(f"The clean plate was not used: {problem}.")
            clean = None
        region, licence = _by_backend(params, choice, info, frame, clean, progress)
        method = choice.backend.name
    if not region.any():
        raise Invalid(f"{method} found no object {kind.place}. {kind.remedy}, or choose another backend.")
    encoded, data = cv2.imencode(".png", region)
    assert encoded
    output.write_bytes(data.tobytes())
    progress(1, 1)
    return MaskResult(
        method=method,
        licence=licence,
        time_s=float(frame.time),
        width=info.width,
        height=info.height,
        coverage=round(float(np.count_nonzero(region) / region.size), 5),
    )


def _refuse(params: MaskParams, inputs: Mapping[str, object]) -> None:
    """Raise Invalid if the backend cannot create the mask.

    A backend cannot create it if it needs a mask itself, or if it needs a plate and none is given.
    """
    if params.backend == "auto":
        return
    backend = named(params.backend).backend
    if backend.needs_mask:
        detail = f"the backend {backend.name} itself needs a mask"
        raise Invalid.field("params.backend", detail, f"{detail.capitalize()}. Choose another backend.")
    backend.check_plate(has_plate="plate" in inputs)


def _frame(video: Path, at: float, info: VideoInfo) -> Frame:
    if at >= info.length_s:
        detail = f"the video is only {info.length_s:.2f} s long, so it has no frame at {at:.2f} s"
        raise Invalid.field("params.time_s", detail, f"{detail.capitalize()}.")
    with read_frames(video, opaque=True, start=at, shown_at_start=True, prefetch=1, to_sdr8=True) as frames:
        return next(frames)


def _choice(params: MaskParams, frame: Frame, plate: Rgb | None) -> Choice:
    if params.backend != "auto":
        return named(params.backend)
    return choose(Sample(pictures=(frame.rgb(),), mask=False, plate=plate), params)


def _by_plate(
    params: MaskParams, info: VideoInfo, frame: Frame, plate: Rgb, kind: MarkKind, progress: Progress
) -> tuple[Mask, str, str] | None:
    """Find the marked region that differs from the plate, with its method and licence.

    Returns None, and warns, if the plate does not fit the frame or there is no such region.
    """
    problem = plate_problem(Sample(pictures=(frame.rgb(),), mask=False, plate=plate))
    if problem is None:
        choice = named("difference")
        region, licence = _by_backend(params, choice, info, frame, plate, progress, near=0)
        if region.any():
            return region, choice.backend.name, licence
        problem = f"nothing {kind.place} differs from it"
    progress.warn(f"The clean plate was not used: {problem}.")
    return None


def _by_sam(params: MaskParams, info: VideoInfo, frame: Frame, progress: Progress) -> Mask:
    files = model_files(SAM, progress)
    # SAM's weights are in files of their own beside the ONNX files, which are therefore not converted.
    engine = choose_engine("f32")
    size = info.width, info.height
    points, box = params.scaled_points(*size, size), params.scaled_box(*size, size)
    encoder, decoder = files["vision_encoder.onnx"], files["prompt_encoder_mask_decoder.onnx"]
    with (
        hold_gpu(engine.device, progress),
        loaded((SAM, engine), lambda: load_sam(encoder, decoder, engine), size=_SAM_BYTES, device=engine.device) as network,
    ):
        return network.mask(frame.rgb(), points, box)


def _by_installed_backend(params: MaskParams, info: VideoInfo, frame: Frame, progress: Progress) -> tuple[Mask, str, str]:
    """Find the marked region with an installed backend, or with GrabCut.

    GrabCut is used if no backend suits the frame, or if no region lies exactly under the clicks or in the box. Also returns the method and
    its licence.
    """
    try:
        choice = _choice(params, frame, None)
    except ModelMissing:
        return _by_grabcut(params, info, frame, None), GRABCUT, GRABCUT_LICENCE
    region, licence = _by_backend(params, choice, info, frame, None, progress, near=0)
    if region.any():
        return region, choice.backend.name, licence
    return _by_grabcut(params, info, frame, None), GRABCUT, GRABCUT_LICENCE


def _by_grabcut(params: MaskParams, info: VideoInfo, frame: Frame, marks: Path | None) -> Mask:
    size = info.width, info.height
    strokes = None if marks is None else np.asarray(cv2.resize(_strokes(marks), size, interpolation=cv2.INTER_NEAREST), np.uint8)
    return grabcut(frame.rgb(), params.scaled_points(*size, size), params.scaled_box(*size, size), strokes)


def _strokes(marks: Path) -> Mask:
    """Read the picture of strokes: white on the object, black beside it.

    Returns uint8 (h, w); transparent parts are gray.
    """
    image = list_pictures([marks])[0].image(alpha=True)
    if image.mode == "RGBA":
        image = Image.alpha_composite(Image.new("RGBA", image.size, (128, 128, 128, 255)), image)
    return np.asarray(image.convert("L"), np.uint8)


def _by_backend(
    params: MaskParams, choice: Choice, info: VideoInfo, frame: Frame, plate: Rgb | None, progress: Progress, *, near: int | None = None
) -> tuple[Mask, str]:
    """Find the marked regions in a backend's matte.

    `near`: largest distance in pixels between a click and its region; None for 2 % of the longer side. Also returns the licence of the
    model, or of the method.
    """
    backend = choice.backend
    width, height = backend.inference_size(info.width, info.height, params.resolution)
    size = info.width, info.height
    setup = Setup(width=width, height=height, frame_width=size[0], frame_height=size[1], frame_rate=1.0, frames=1, plate=plate)
    gray = frame.small_luma(*gray_size(*size))
    rgb = scaled_rgb(frame, (width, height))
    with backend.open(setup, params, progress) as opened:
        looks = (View(index, float(frame.time), rgb, gray, frame, index == 0) for index in range(_LOOKS if backend.steady else 1))
        *_, last = opened.mattes(looks)
        licence = model_used(opened.runtime.model).licence if opened.runtime else backend.licence
    alpha = np.asarray(cv2.resize(last.alpha, size, interpolation=cv2.INTER_LINEAR), np.float32)
    regions = regions_of(alpha)
    if (box := params.scaled_box(*size, size)) is not None:
        region = boxed_region(regions, box)
    elif params.points:
        region = clicked_region(regions, params.scaled_points(*size, size), near=max(size) // 50 if near is None else near)
    else:
        region = main_region(regions)
    return (np.zeros(alpha.shape, np.uint8) if region is None else np.asarray(region * np.uint8(255), np.uint8)), licence


def _process_bytes(params: MaskParams) -> int:
    """Estimate the memory of the job's process, in bytes."""
    by_sam = params.backend == "auto" and (params.points or params.box is not None) and installed(SAM)
    return memory_bytes(params.backend) + (_SAM_BYTES if by_sam else 0)


MASK = Operation(
    name="matting.mask",
    title="Mask by clicks",
    summary="Make a mask of the object that clicks or a box mark in one frame",
    params=MaskParams,
    result=MaskResult,
    inputs={
        "video": Kind.VIDEO,
        "plate": CLEAN_PLATE,
        "marks": Input(
            kind=Kind.IMAGE,
            optional=True,
            role="mask",
            title="Strokes",
            description="White on the object, black beside it, gray elsewhere.",
        ),
    },
    outputs={"mask": Kind.IMAGE},
    output_roles={"mask": "mask"},
    role="click_mask",
    run=mask,
    version=7,
    refuse=_refuse,
    example=MaskParams(backend="difference", time_s=1.0, points=[(0.13, 0.55, 1)]),
    unavailable=lambda params: missing(params.backend, params),
    bytes_per_pixel=lambda _params: _BYTES_PER_PIXEL,
    process_bytes=_process_bytes,
)
