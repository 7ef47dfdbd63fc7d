"""matting.matte: cut out the subject of a clip as matte, composite and foreground."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, closing
from dataclasses import replace
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Annotated

import numpy as np
from pydantic import BaseModel, Field

from services.matting.backends.auto import Choice, check_needs, choose, memory_bytes, missing, named
from services.matting.backends.backend import Mask, OpenedBackend, Rgb, Setup
from services.matting.backends.chroma import ChromaOptions
from services.matting.backends.difference import DifferenceOptions
from services.matting.backends.options import NetworkOptions
from services.matting.edges.options import EdgeOptions
from services.matting.output.backdrop import backdrop, picture_backdrop
from services.matting.output.finished_frames import FinishedFrame, FrameFinisher
from services.matting.output.foreground_files import FOREGROUND_FILES
from services.matting.output.limits import Limits
from services.matting.output.matte_formats import MATTE_FORMATS
from services.matting.output.matte_frames import MatteFrames
from services.matting.output.options import OutputOptions
from services.matting.output.pictures import gray_picture
from services.matting.output.quality_warnings import Tally, quality_warnings
from services.matting.params import BACKEND_FIELD, CLEAN_PLATE, FIRST_MASK, RESOLUTION_FIELD, BackendName, BackendUsed
from services.matting.reading.masks import Target as MaskTarget
from services.matting.reading.masks import fixed_mask, frame_times, given_masks
from services.matting.reading.plate import plate_picture
from services.matting.reading.sample import sample_of
from services.matting.reading.views import views_of
from services.matting.subject.first_frame import SUBJECTS, Marks
from services.matting.subject.options import SubjectOptions
from shared.declarations.figure import figure
from shared.errors import Invalid
from shared.models.info import model_used
from shared.operation import Input, Kind, Operation, Preset, Progress, Silent
from shared.video import VideoInfo, conversion_warnings, map_ordered, read_frames
from shared.video.clip.clip_file import PIXELS, ClipFile, Target
from shared.video.clip.empty_part import no_frame
from shared.video.clip.rewrite import expected_frames, probe_clip, rate_of
from shared.video.frames.scaling import scaled
from shared.video.writing.encoder_input import coded_size

_AUTOMATIC_STEADINESS = 0.6  # default of `steadiness` for backends that see one frame at a time
_FINISHERS, _AHEAD = 2, 2  # number of threads that compute output pictures, and of frames computed ahead


class MatteParams(OutputOptions, SubjectOptions, EdgeOptions, NetworkOptions, ChromaOptions, DifferenceOptions):
    """Params for matting: backend, subject, edges and outputs."""

    backend: Annotated[BackendName, BACKEND_FIELD] = "auto"
    resolution: Annotated[int | None, RESOLUTION_FIELD] = None


class MatteResult(BaseModel):
    """Summary of the outputs and the backend used."""

    backend: BackendUsed = Field(description="Backend that made the matte.")
    frames: int = Field(description="Number of frames that got a matte.", json_schema_extra=figure("frame_count"))
    duration_s: float = Field(description="Length of the outputs in seconds.", json_schema_extra=figure("result_length"))
    width: int = Field(description="Width of the outputs in pixels.")
    height: int = Field(description="Height of the outputs in pixels.")
    subject: str = Field(description="Subject that was kept.")
    coverage: float = Field(description="Mean of the matte over the clip, 0 to 1.")
    steadiness: float = Field(description="Strength of temporal smoothing.")
    cuts: list[float] = Field(description="Times in seconds at which new shots begin; the first 1,000.")
    encoder: str = Field(description="Video encoder of the matte.", json_schema_extra=figure("encoder"))


def matte(
    params: MatteParams,
    *,
    video: Path,
    mask: Path | None,
    masks: Path | None,
    plate: Path | None,
    background: Path | None,
    garbage: Path | None = None,
    core: Path | None = None,
    outputs: Mapping[str, Path],
    progress: Progress = Silent(),
) -> MatteResult:
    """Compute the matte of the subject in `video`.

    Writes the matte as `alpha`, the subject over another background as `composite`, and the subject's own colours as `foreground`.
    `mask`: picture of the subject on the first frame; `masks`: zip file of such pictures for later frames, named by frame or time;
    `plate`: picture of the scene without the subject; `background`: picture behind the subject; `garbage`, `core`: pictures that are white
    where the matte is 0, and 1, in every frame. The clip is read once, in memory that does not depend on its length: decoding, inference,
    the edges and encoding overlap. Times are those of the source; `composite` keeps the source's sound. Outputs have 8 bits per sample.

    Raises UnsupportedMedia and BrokenMedia for files, ModelMissing if weights are not installed, Invalid for a mask or part that does not
    fit. After a failure no output file exists.
    """
    _refuse(params, {name: path for name, path in (("mask", mask), ("plate", plate)) if path is not None})
    info = probe_clip(video, params)
    params.check_inside(info.width, info.height)
    clean = None if plate is None else plate_picture(plate, info.width, info.height)
    choice = _chosen(params, video, info, mask, clean, progress)
    target = _mask_target(choice, params, info, video)
    user_masks = given_masks(mask, masks, target, progress)
    for sentence in _unused_inputs(choice, clean, user_masks):
        progress.warn(sentence)
    if choice.unused_plate(clean):
        clean = None
    output_names = _written_outputs(params, background)
    never, always = fixed_mask(garbage, "garbage", target, progress), fixed_mask(core, "core", target, progress)
    setup = replace(
        _setup(choice, params, info, clean, output_names),
        garbage=_resized(never, target.scaled),
        core=_resized(always, target.scaled),
        sample=lambda: sample_of(video, params, info, mask=False, plate=None).pictures,
    )
    subject = _subject(params, choice, user_masks)
    for sentence in conversion_warnings(info, to_sdr8=True):
        progress.warn(sentence)
    behind, total = _backdrop(params, info, background, progress), expected_frames(info, params)
    with ExitStack() as stack:
        opened = stack.enter_context(choice.backend.open(setup, params, progress))
        files = {
            name: stack.enter_context(ClipFile(_target(name, params, outputs[name], behind), video, info, params, progress))
            for name in sorted(output_names)
        }
        first = SUBJECTS[subject].first(Marks(pointing=params, width=info.width, height=info.height, masks=user_masks.get(0)))
        mattes = MatteFrames(setup, steadiness=_steadiness(params, choice), first=first)
        finish = FrameFinisher(frozenset(output_names), params, params, behind, Limits(never, always))
        backend_frames = stack.enter_context(closing(mattes.frames(opened, views_of(video, params, setup, user_masks))))
        if params.keep_times and params.start:
            _write_black(files["alpha"], video, params.start, info)
        finished = stack.enter_context(closing(map_ordered(finish, backend_frames, workers=_FINISHERS, ahead=_AHEAD)))
        tally = _write(finished, files, total, progress)
        if not tally.frames:
            raise no_frame(params.start)
    width, height = coded_size(info.width, info.height, PIXELS[_target("alpha", params, outputs["alpha"], behind).format])
    for sentence in quality_warnings(choice.backend, subject, mattes.tracker, tally, follows_main=params.subject == "main"):
        progress.warn(sentence)
    progress(total, total)
    return MatteResult(
        backend=_used(choice, opened, setup),
        frames=tally.frames,
        duration_s=float(tally.end - tally.start),
        width=width,
        height=height,
        subject=subject,
        coverage=round(tally.coverage / tally.frames, 5),
        steadiness=mattes.steadiness,
        cuts=mattes.cuts,
        encoder=files["alpha"].encoder or "png",
    )


def _unused_inputs(choice: Choice, plate: Rgb | None, masks: Mapping[int, Mapping[str, Mask]]) -> Iterator[str]:
    """Yield warnings about inputs that the chosen backend does not use."""
    if problem := choice.unused_plate(plate):
        yield f"The clean plate was not used: {problem}."
    if any(masks) and not choice.backend.needs_mask:
        yield f"Only the mask of the first frame was used: the backend {choice.backend.name} cannot use masks of later frames."


def _write(finished: Iterable[FinishedFrame], files: Mapping[str, ClipFile], total: int, progress: Progress) -> Tally:
    """Write the pictures of each frame to the output files.

    Returns the totals. `total`: expected number of frames.
    """
    tally = Tally()
    for result in finished:
        frame = result.frame
        for name, picture in result.pictures.items():
            files[name].write(picture, frame)
        tally.add(result.coverage, result.visible, (frame.pts + frame.duration) * frame.time_base, frame.time)
        progress(min(tally.frames, total), total)
    return tally


def _steadiness(params: MatteParams, choice: Choice) -> float:
    automatic = 0.0 if choice.backend.steady else _AUTOMATIC_STEADINESS
    return automatic if params.steadiness is None else params.steadiness


def _chosen(params: MatteParams, video: Path, info: VideoInfo, mask: Path | None, plate: Rgb | None, progress: Progress) -> Choice:
    if params.backend != "auto":
        choice = named(params.backend)
    else:
        progress.part("choosing a backend", 0, 0)(0, 1)
        choice = choose(sample_of(video, params, info, mask=mask is not None, plate=plate), params)
    check_needs(choice.backend, mask=mask is not None, plate=plate is not None)
    return choice


def _refuse(params: MatteParams, inputs: Mapping[str, object]) -> None:
    """Raise Invalid if a required input is missing."""
    if params.backend != "auto":
        check_needs(named(params.backend).backend, mask="mask" in inputs, plate="plate" in inputs)
    if params.subject == "mask" and "mask" not in inputs:
        raise Invalid.field(
            "inputs.mask", "`subject` mask needs a mask", "`subject` mask needs a mask. Give one as `mask`, or choose another subject."
        )


def _resized(mask: Mask | None, size: tuple[int, int]) -> Mask | None:
    return None if mask is None else scaled(mask, size)


def _setup(choice: Choice, params: MatteParams, info: VideoInfo, plate: Rgb | None, outputs: set[str]) -> Setup:
    width, height = choice.backend.inference_size(info.width, info.height, params.resolution)
    colors = bool(outputs & {"composite", "foreground"}) or bool(MATTE_FORMATS[params.alpha_format].transparent)
    return Setup(
        width=width,
        height=height,
        frame_width=info.width,
        frame_height=info.height,
        frame_rate=float(rate_of(info)),
        frames=expected_frames(info, params),
        plate=plate,
        foreground=colors,
    )


def _mask_target(choice: Choice, params: MatteParams, info: VideoInfo, video: Path) -> MaskTarget:
    scaled = choice.backend.inference_size(info.width, info.height, params.resolution)
    return MaskTarget(
        width=info.width,
        height=info.height,
        scaled=scaled,
        rate=float(rate_of(info)),
        start_s=params.start,
        frames=expected_frames(info, params),
        times=partial(frame_times, video),
    )


def _subject(params: MatteParams, choice: Choice, masks: Mapping[int, Mapping[str, Mask]]) -> str:
    """Return the subject to keep: `params.subject`, or `mask` if a mask marks it.

    Applies if `params.subject` is `all` and the backend itself does not use the mask.
    """
    if params.subject == "all" and masks.get(0) and not choice.backend.needs_mask:
        return "mask"
    return params.subject


def _backdrop(params: MatteParams, info: VideoInfo, background: Path | None, progress: Progress) -> Rgb | None:
    if background is not None:
        return picture_backdrop(background, info.width, info.height, progress)
    draw = backdrop(params.composite_over).draw
    return None if draw is None else draw(info.width, info.height)


def _written_outputs(params: MatteParams, background: Path | None) -> set[str]:
    names = {"alpha"}
    if background is not None or backdrop(params.composite_over).composite:
        names.add("composite")
    if FOREGROUND_FILES[params.foreground].colours is not None:
        names.add("foreground")
    return names


def _target(name: str, params: MatteParams, path: Path, behind: Rgb | None) -> Target:
    if name == "alpha":
        return Target(path=path, format=MATTE_FORMATS[params.alpha_format].file, keep_times=params.keep_times)
    if name == "composite":
        return Target(path=path, format="prores" if behind is None else "h264", sound=True)
    return Target(path=path, format="h264")


def _write_black(file: ClipFile, video: Path, start: float, info: VideoInfo) -> None:
    """Write black frames before `start`, where no matte is computed.

    At most two frames, with the times of the clip's first two frames, so that readers can align matte and clip.
    """
    black = gray_picture(np.zeros((info.height, info.width), np.float32))
    with read_frames(video, duration=start, prefetch=2) as frames:
        for frame in islice(frames, 2):
            file.write(black, frame)


def _used(choice: Choice, opened: OpenedBackend, setup: Setup) -> BackendUsed:
    runtime = opened.runtime
    model = model_used(runtime.model) if runtime else None
    return BackendUsed(
        name=choice.backend.name,
        reason=choice.reason,
        model=model.name if model else None,
        licence=model.licence if model else choice.backend.licence,
        commercial_use=model.commercial_use if model else choice.backend.commercial_use,
        library=runtime.library if runtime else None,
        precision=runtime.precision if runtime else None,
        device=runtime.device if runtime else None,
        resolution=f"{setup.width}x{setup.height}",
    )


def bytes_per_pixel(params: MatteParams) -> float:
    """Estimate a job's memory in bytes per pixel of its clip's frames."""
    behind, names = backdrop(params.composite_over), _written_outputs(params, None)
    wide = bool(MATTE_FORMATS[params.alpha_format].transparent) or (behind.composite and behind.draw is None)
    return 280 + 60 * len(names) + 30 * wide


MATTE = Operation(
    name="matting.matte",
    bytes_per_pixel=bytes_per_pixel,
    process_bytes=lambda params: memory_bytes(params.backend),
    title="Cut out",
    presets=(
        Preset(name="subject", title="Cut out the subject", sentence="A matte of everything in front, over green.", params=MatteParams()),
        Preset(
            name="main",
            title="Main subject only",
            sentence="Keeps the large object near the middle.",
            params=MatteParams(subject="main", composite_over="checkerboard"),
        ),
        Preset(
            name="green-screen",
            title="Green screen",
            sentence="Keys a green or blue screen, with hair and veils.",
            params=MatteParams(backend="chroma", composite_over="checkerboard"),
        ),
        Preset(
            name="editing",
            title="For editing programs",
            sentence="ProRes 4444 with transparency.",
            params=MatteParams(alpha_format="prores", composite_over="none"),
        ),
    ),
    version=9,
    summary="Cut the subject out of a video: matte, composite and foreground colours",
    params=MatteParams,
    result=MatteResult,
    inputs={
        "video": Kind.VIDEO,
        "mask": FIRST_MASK,
        "masks": Input(
            kind=Kind.IMAGES,
            optional=True,
            title="Masks",
            description="Zip file of masks of several frames, each named by its frame number in the part (`120.png`) or its time "
            "(`4.8s.png`).",
        ),
        "plate": CLEAN_PLATE,
        "background": Input(
            kind=Kind.IMAGE, optional=True, role="backdrop", title="Background", description="Picture behind the subject in the composite."
        ),
        "garbage": Input(
            kind=Kind.IMAGE, optional=True, role="mask", title="Never subject", description="White where nothing belongs to the subject."
        ),
        "core": Input(
            kind=Kind.IMAGE,
            optional=True,
            role="mask",
            title="Always subject",
            description="White where everything belongs to the subject.",
        ),
    },
    outputs={"alpha": Kind.VIDEO, "composite": Kind.VIDEO, "foreground": Kind.VIDEO},
    output_roles={"alpha": "matte"},
    run=matte,
    refuse=_refuse,
    example=MatteParams(backend="difference", foreground="straight", duration=2),
    unavailable=lambda params: missing(params.backend, params),
    file_prefix=lambda result: f"{result.backend.name}_",
)
