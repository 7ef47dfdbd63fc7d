"""matting.compare: compare backends on one clip, visually and by metrics."""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Self

import cv2
import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, Field, model_validator

from services.matting.backends.auto import check_needs, memory_bytes, missing, named
from services.matting.backends.chroma import ChromaOptions, clip_screen, no_screen
from services.matting.backends.difference import DifferenceOptions
from services.matting.backends.options import NetworkOptions
from services.matting.comparison.cost import Cost, measured
from services.matting.comparison.scores import Scores
from services.matting.comparison.shown_pictures import SHOWN_PICTURES
from services.matting.comparison.table import write_table
from services.matting.comparison.tiles import Grid
from services.matting.edges.options import EdgeOptions
from services.matting.matte import MatteParams, MatteResult, bytes_per_pixel, matte
from services.matting.params import BACKEND_LABELS, CLEAN_PLATE, FIRST_MASK, RESOLUTION_FIELD, BackendName
from services.matting.reading.aspect_ratios import ratio_problem
from services.matting.reading.sample import sample_of
from services.matting.reading.views import gray_size
from services.matting.subject.options import SubjectOptions
from shared.choices import OneOf, described
from shared.declarations.figure import figure
from shared.errors import Invalid
from shared.models.cache import model_cache
from shared.operation import Input, Kind, Operation, Progress, Silent, form
from shared.video import Frame, VideoInfo, read_frames
from shared.video.clip.clip_file import ClipFile, Target
from shared.video.clip.part import ClipPart
from shared.video.clip.rewrite import expected_frames, probe_clip
from shared.video.frames.from_rgb import color_picture
from shared.video.frames.scaling import scaled

_BEST_QUALITY = 100  # quality of the compared mattes' files
_RUNS_SHARE = 0.8  # share of the progress that the runs of all backends take; the comparison takes the rest


@dataclass(frozen=True)
class _Files:
    """Files of one backend's matte and composite."""

    alpha: Path
    composite: Path


class CompareParams(ClipPart, SubjectOptions, EdgeOptions, NetworkOptions, ChromaOptions, DifferenceOptions):
    """Params for a comparison: the backends, and options for all of them.

    The options are those of `matting.matte`.
    """

    backends: list[BackendName] = Field(
        ["rvm", "u2netp"],
        min_length=1,
        max_length=8,
        description="Backends to compare, in this order; names as in `matting.matte`.",
        title="Backends",
        json_schema_extra=form("basics", labels=BACKEND_LABELS),
    )
    resolution: Annotated[int | None, RESOLUTION_FIELD] = None
    show: Annotated[str, OneOf(SHOWN_PICTURES)] = Field(
        "composite",
        description=f"Pictures in the side-by-side video. {described(SHOWN_PICTURES.values(), colon=True)}.",
        title="Show",
        json_schema_extra=form("basics", labels={row.name: row.label for row in SHOWN_PICTURES.values()}),
    )

    @model_validator(mode="after")
    def _different(self) -> Self:
        if len(set(self.backends)) < len(self.backends):
            raise ValueError(f"backends {self.backends} must differ")
        return self


class ComparedBackend(BaseModel):
    """Metrics of one backend.

    Errors need the input `truth`; their units are those of the literature.
    """

    backend: str = Field(description="Name of the backend.")
    model: str | None = Field(description="Model of the backend, by its name in the catalog.")
    licence: str = Field(description="Licence of the model, or of the method.")
    commercial_use: bool = Field(description="Whether the licence allows commercial use.")
    library: str | None = Field(description="Library that ran the network.")
    precision: str | None = Field(description="Number format of the network's computation, as the library reports it.")
    device: str | None = Field(description="Device that ran the network.")
    resolution: str = Field(description="Width and height of the backend's input pictures, such as 1280x720.")
    frames_per_second: float = Field(
        description="Frames per second of the whole job: loading, decoding, matting and encoding a matte and a composite."
    )
    peak_memory_bytes: int = Field(description="Peak memory of the process during the job, in bytes.")
    coverage: float = Field(description="Mean of the matte over the clip, 0 to 1.")
    flicker: float | None = Field(description="Flicker: dtSSD against the previous matte, moved along the picture's motion, times 100.")
    mad: float | None = Field(description="Mean absolute difference, times 1000.")
    mse: float | None = Field(description="Mean squared error, times 1000.")
    grad: float | None = Field(description="Gradient error, divided by 1000.")
    conn: float | None = Field(description="Connectivity error, divided by 1000.")
    dtssd: float | None = Field(description="Temporal error (dtSSD), times 100.")


class CompareResult(BaseModel):
    """Table of metrics, one row per backend."""

    backends: list[ComparedBackend] = Field(description="Metrics of each backend, in the order of the request.")
    frames: int = Field(description="Number of frames that were compared.", json_schema_extra=figure("frame_count"))


def compare(
    params: CompareParams,
    *,
    video: Path,
    mask: Path | None,
    plate: Path | None,
    truth: Path | None,
    outputs: Mapping[str, Path],
    progress: Progress = Silent(),
) -> CompareResult:
    """Run `matting.matte` with each backend and compare the mattes.

    Writes the results side by side as `video`, and the figures as `table`. `mask`, `plate`: as in `matting.matte`; `truth`: a gray video of
    the true matte. Backends run one after the other, each as a whole job, with no model of another backend in memory. Raises the errors of
    `matte`, and Invalid for a truth of another aspect ratio than the video.
    """
    _refuse(params, {name: path for name, path in (("mask", mask), ("plate", plate)) if path is not None})
    info = probe_clip(video, params)
    _check_truth(truth, info)
    if "chroma" in params.backends and params.key is None:
        # Checked before any backend runs, so that no work is lost.
        sample = sample_of(video, params, info, mask=False, plate=None)
        if clip_screen(sample.pictures) is None:
            raise no_screen()
    with TemporaryDirectory(dir=outputs["video"].parent) as folder:
        runs: list[tuple[MatteResult, Cost]] = []
        files: list[_Files] = []
        for number, name in enumerate(params.backends):
            share = _RUNS_SHARE / len(params.backends)
            stage = progress.part(name, number * share, (number + 1) * share)
            files.append(_Files(Path(folder) / f"{number}-alpha.mp4", Path(folder) / f"{number}-composite.mp4"))
            runs.append(_run(params, name, video, mask, plate, files[-1], stage))
        scores = [Scores() for _ in params.backends]
        with ClipFile(Target(path=outputs["video"], format="h264", sound=True), video, info, params, progress) as file:
            cuts = frozenset(runs[0][0].cuts)
            frames = _compare_frames(params, info, video, files, truth, cuts, scores, file, progress.part("side by side", _RUNS_SHARE, 1))
    if truth and frames < runs[0][0].frames:
        progress.warn(f"The input truth is shorter than the clip: {frames} of {runs[0][0].frames} frames were compared.")
    rows = [_row(result, cost, score) for (result, cost), score in zip(runs, scores, strict=True)]
    write_table([row.model_dump() for row in rows], outputs["table"])
    return CompareResult(backends=rows, frames=frames)


def _refuse(params: CompareParams, inputs: Mapping[str, object]) -> None:
    """Raise Invalid if a required input is missing."""
    for name in params.backends:
        if name != "auto":
            check_needs(named(name).backend, mask="mask" in inputs, plate="plate" in inputs)
    if params.subject == "mask" and "mask" not in inputs:
        raise Invalid.field(
            "inputs.mask", "`subject` mask needs a mask", "`subject` mask needs a mask. Give one as `mask`, or choose another subject."
        )


def _check_truth(truth: Path | None, info: VideoInfo) -> None:
    """Raise Invalid if the true matte's aspect ratio differs from the clip's."""
    if truth is None:
        return
    matte_info = probe_clip(truth, ClipPart())
    problem = ratio_problem("truth", (matte_info.width, matte_info.height), (info.width, info.height))
    if problem:
        raise Invalid.field("inputs.truth", problem, f"The input {problem}.")


def _run(
    params: CompareParams, name: BackendName, video: Path, mask: Path | None, plate: Path | None, files: _Files, progress: Progress
) -> tuple[MatteResult, Cost]:
    shared = params.model_dump(exclude={"backends", "show", "quality"})
    single = MatteParams(**shared, backend=name, composite_over="checkerboard", quality=_BEST_QUALITY)
    model_cache().drop()
    with measured() as cost:
        result = matte(
            single,
            video=video,
            mask=mask,
            masks=None,
            plate=plate,
            background=None,
            outputs={"alpha": files.alpha, "composite": files.composite},
            progress=progress,
        )
    return result, cost


def _compare_frames(
    params: CompareParams,
    info: VideoInfo,
    video: Path,
    outputs: Sequence[_Files],
    truth: Path | None,
    cuts: frozenset[float],
    scores: Sequence[Scores],
    file: ClipFile,
    progress: Progress,
) -> int:
    """Measure all mattes, and write the backends' results side by side as a video.

    Reads the clip, the backends' mattes and the true matte together. `cuts`: seconds at which new shots begin. Returns the number of
    frames.
    """
    count, total = 0, expected_frames(info, params)
    grid = Grid(len(scores) + 1, info.width, info.height)
    names = ["source", *params.backends]
    with ExitStack() as stack:
        reader = stack.enter_context(read_frames(video, opaque=True, start=params.start or None, duration=params.duration, to_sdr8=True))
        alphas = [stack.enter_context(read_frames(files.alpha, prefetch=2)) for files in outputs]
        composites = [stack.enter_context(read_frames(files.composite, prefetch=2)) for files in outputs]
        # The true matte is that of the whole clip, so its part is read.
        true = [stack.enter_context(read_frames(truth, start=params.start or None, prefetch=2))] if truth else []
        for frame, *others in zip(reader, *alphas, *composites, *true, strict=False):
            rgb = frame.rgb()
            size = rgb.shape[1::-1]
            gray = frame.small_luma(*gray_size(*size))
            mattes = [_alpha(matte_frame, size) for matte_frame in others[: len(outputs)]]
            true_alpha = _alpha(others[-1], size) if true else None
            for score, alpha in zip(scores, mattes, strict=True):
                small = np.asarray(cv2.resize(alpha, gray.shape[::-1], interpolation=cv2.INTER_AREA), np.float32)
                score.add_flicker(gray, small, cut=float(frame.time) in cuts)
                if true_alpha is not None:
                    score.add_errors(alpha, true_alpha)
            results = zip(mattes, others[len(outputs) : 2 * len(outputs)], strict=True)
            tiles = [SHOWN_PICTURES[params.show].draw(alpha, composite) for alpha, composite in results]
            file.write(color_picture(grid.draw([rgb, *tiles], names), frame), frame)
            count += 1
            progress(min(count, total), total)
    return count


def _alpha(frame: Frame, size: tuple[int, int]) -> NDArray[np.float32]:
    """Convert a frame of a gray video to a matte, 0..1.

    `size`: (width, height) of the result.
    """
    luma = frame.luma()
    unit = 1 << (frame.picture.format.components[0].bits - 8)
    low, span = (0, 256 * unit - 1) if frame.color.range == "pc" else (16 * unit, 219 * unit)
    alpha = np.clip((luma.astype(np.float32) - low) / span, 0, 1).astype(np.float32)
    return scaled(alpha, size)


def _row(result: MatteResult, cost: Cost, scores: Scores) -> ComparedBackend:
    backend = result.backend
    return ComparedBackend(
        backend=backend.name,
        model=backend.model,
        licence=backend.licence,
        commercial_use=backend.commercial_use,
        library=backend.library,
        precision=backend.precision,
        device=backend.device,
        resolution=backend.resolution,
        frames_per_second=round(result.frames / max(cost.wall_s, 1e-6), 3),
        peak_memory_bytes=cost.peak_memory_bytes,
        coverage=result.coverage,
        **asdict(scores.means()),
    )


def missing_of(params: CompareParams) -> str | None:
    """Return the commands that install missing models and packages of the backends.

    Returns None if nothing is missing.
    """
    commands = dict.fromkeys(command for name in params.backends if (command := missing(name, params)))
    return " && ".join(commands) or None


COMPARE = Operation(
    name="matting.compare",
    title="Compare backends",
    summary="Compare matting backends on one video: side by side, and as a table",
    version=8,
    bytes_per_pixel=lambda _params: bytes_per_pixel(MatteParams()),
    process_bytes=lambda params: max(memory_bytes(name) for name in params.backends),
    refuse=_refuse,
    params=CompareParams,
    result=CompareResult,
    inputs={
        "video": Kind.VIDEO,
        "mask": FIRST_MASK,
        "plate": CLEAN_PLATE,
        "truth": Input(
            kind=Kind.VIDEO,
            optional=True,
            role="matte",
            example=True,
            title="True matte",
            description="True matte, against which errors are measured.",
        ),
    },
    outputs={"video": Kind.VIDEO, "table": Kind.ARCHIVE},
    run=compare,
    example=CompareParams(backends=["difference"], duration=1),
    unavailable=missing_of,
)
