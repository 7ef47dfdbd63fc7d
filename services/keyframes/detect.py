"""keyframes.detect: find shots and keyframes of videos.

Writes keyframe images, cut lists and a gallery.
"""

import json
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal, TextIO

import numpy as np
from pydantic import BaseModel, Field

from services.keyframes.analysis.readable_frames import ReadablePart
from services.keyframes.detectors.cuts.content import CONTENTS
from services.keyframes.detectors.footage import Footage
from services.keyframes.detectors.frame_scores import SCORE_DIGITS
from services.keyframes.detectors.table import BY_NAME, DETECTORS, Detector, Method, frame_scores
from services.keyframes.detectors.transition import Floats, Transition
from services.keyframes.output.exports import write_lists
from services.keyframes.output.gallery import write_gallery
from services.keyframes.output.images import ImageFormat
from services.keyframes.output.keyframe_files import KeyframeFiles
from services.keyframes.output.report import Candidate, Scores, VideoReport
from services.keyframes.selection.choice import choose_keyframes
from services.keyframes.selection.drafts import Drafts
from services.keyframes.selection.shots import shots_between
from shared.choices import OneOf
from shared.declarations.figure import figure
from shared.errors import Invalid, OperationFailed, ReelwrightError
from shared.media.names import as_text, plain_stem
from shared.media.zip_files.writer import ZipWriter
from shared.models.folder import install_command
from shared.models.info import ModelUsed, model_used
from shared.operation import Input, Kind, Operation, Params, Preset, Progress, Silent, form
from shared.video import VideoInfo, conversion_warnings, probe_video
from shared.video.conversion_warnings import depth_of

MAX_VIDEOS = 100
"""Maximum number of videos of one job."""

_MAX_PARTS = 3
"""Maximum number of readable parts listed in the warning about a damaged video."""

_NUMBERS = 4096  # number of list items that are written at a time

MAX_SCORES = 20_000
"""Maximum number of scores, and of candidates, of one video in the result. The archive has the scores of every frame."""


class DetectParams(Params):
    """Params for shot detection and keyframe choice."""

    method: Method = Field(
        "auto",
        description="How shots are found. " + " ".join(f"`{detector.name}`: {detector.description}." for detector in DETECTORS),
        title="Method",
        json_schema_extra=form("basics", labels={detector.name: detector.label for detector in DETECTORS}),
    )
    threshold: float | None = Field(
        None,
        gt=0,
        le=max(detector.highest for detector in DETECTORS),
        description="Minimum score of a new shot. Lower values give more shots. Empty: the method's default. Default and highest "
        "score: " + ", ".join(f"`{detector.name}` {detector.threshold:g} of {detector.highest:g}" for detector in DETECTORS) + ".",
        title="Threshold",
        json_schema_extra=form("basics"),
    )
    min_shot: float = Field(
        0.0,
        ge=0,
        le=3600,
        description="Minimum length of a shot in seconds. Shorter shots are joined to the previous shot.",
        title="Shortest shot",
        json_schema_extra=form("more", unit="s"),
    )
    speed: Literal["full", "fast"] = Field(
        "full",
        description="`fast` skips parts in which packet sizes and the video's own keyframes show no change. A little less accurate. "
        "Only for `auto`.",
        title="Speed",
        json_schema_extra=form("more", labels={"full": "Every frame", "fast": "Fast"}),
    )
    max_keyframes: int = Field(
        200,
        ge=1,
        le=2000,
        description="Maximum number of keyframes per video. The best are kept.",
        title="Most keyframes",
        json_schema_extra=form("basics"),
    )
    min_gap: float = Field(
        0.0,
        ge=0,
        le=3600,
        description="Shortest time between two keyframes of a video, in seconds.",
        title="Shortest gap",
        json_schema_extra=form("more", unit="s"),
    )
    content: Annotated[str, OneOf(("auto", *CONTENTS))] = Field(
        "auto",
        description="What the videos show. `auto`: slides where nearly all frames stand still, else film. "
        + " ".join(f"`{content.name}`: {content.description}." for content in CONTENTS.values())
        + " Only for the method `auto`.",
        title="Content",
        json_schema_extra=form("more", labels={"auto": "Automatic"} | {content.name: content.label for content in CONTENTS.values()}),
    )
    deduplicate: bool = Field(
        False,
        description="Keep only the best of several similar keyframes, for example if the video returns to a shot.",
        title="Drop look-alikes",
        json_schema_extra=form("basics"),
    )
    format: ImageFormat = Field(
        "jpeg",
        description="Image format of the keyframes.",
        title="File format",
        json_schema_extra=form("more", labels={"jpeg": "JPEG", "png": "PNG", "webp": "WebP"}),
    )
    quality: int = Field(
        90,
        ge=1,
        le=100,
        description="Image quality of JPEG and WebP files, from 1 (smallest file) to 100 (best).",
        title="Quality",
        json_schema_extra=form("more"),
    )
    thumbnail_width: int = Field(
        320,
        ge=32,
        le=1280,
        description="Width of the thumbnails in pixels.",
        title="Thumbnail width",
        json_schema_extra=form("expert", unit="px"),
    )
    all_scores: bool = Field(
        False,
        description="Also compute the scores of all other methods, for `scores.json` in the output `files`. Takes slightly longer.",
        title="Scores of all methods",
        json_schema_extra=form("expert"),
    )

    @property
    def detector(self) -> Detector:
        """Table row of the chosen detector."""
        return BY_NAME[self.method]

    @property
    def effective_threshold(self) -> float:
        """The given threshold, or the detector's default."""
        return self.threshold or self.detector.threshold


class DetectResult(BaseModel):
    """Reports on all videos."""

    videos: list[VideoReport] = Field(
        description="One report per video, in the order of the inputs.", json_schema_extra=figure("clip_shots")
    )
    models: list[ModelUsed] = Field(default_factory=list, description="Models used, with their licences.")


@dataclass(frozen=True, slots=True)
class _Folders:
    """Temporary folders whose files become the outputs."""

    images: Path
    """Keyframe images."""
    files: Path
    """All other files, in one folder per video."""
    drafts: Path
    """Images of the current video that may become keyframes."""


def detect(params: DetectParams, *, video: list[Path] | Path, outputs: Mapping[str, Path], progress: Progress = Silent()) -> DetectResult:
    """Find the shots and keyframes of one or more videos.

    `outputs`: paths of the archive of images `keyframes`, of the archive `files` with lists, thumbnails and scores, and of the page
    `gallery`.

    Every video is scanned once at small size. Keyframes without a draft are then decoded again, in full size. A video that cannot be read
    gets a report with an `error`. Raises Invalid for more than MAX_VIDEOS videos. If no video can be read, raises the error of the video,
    or OperationFailed for several videos.
    """
    videos = [video] if isinstance(video, Path) else list(video)
    if not 1 <= len(videos) <= MAX_VIDEOS:
        raise Invalid(f"The job has {len(videos)} videos. Give 1 to {MAX_VIDEOS}.")
    reports: list[VideoReport] = []
    errors: list[ReelwrightError] = []
    # The temporary folder lies in the folder of the outputs, so that a killed job leaves nothing elsewhere.
    with tempfile.TemporaryDirectory(dir=outputs["files"].parent, prefix=".detect-") as temporary:
        folders = _Folders(*(Path(temporary, name) for name in ("keyframes", "files", "drafts")))
        folders.images.mkdir()
        folders.files.mkdir()
        for number, path in enumerate(videos):
            stage = progress.part(as_text(path.name), number / len(videos), (number + 1) / len(videos))
            title = _title(path, number if len(videos) > 1 else None)
            try:
                reports.append(_detect_in(path, params, title, folders, stage))
            except ReelwrightError as error:
                errors.append(error)
                shutil.rmtree(folders.files / title, ignore_errors=True)
                for image in folders.images.glob(f"{title}-*"):
                    image.unlink()
                progress.warn(f"{as_text(path.name)}: {error.detail}")
                reports.append(VideoReport(name=as_text(path.name), error=error.problem()))
        if len(errors) == len(videos):
            raise errors[0] if len(videos) == 1 else OperationFailed(f"None of the {len(videos)} videos could be read. {errors[0].detail}")
        write_gallery(reports, folders.files, outputs["gallery"])
        with ZipWriter(outputs["keyframes"], packed=False) as archive:
            archive.add_folder(folders.images)
        with ZipWriter(outputs["files"], packed=True) as archive:
            archive.add_folder(folders.files)
    progress(1, 1)
    model = params.detector.model
    return DetectResult(videos=reports, models=[model_used(model)] if model else [])


def _missing_model(params: DetectParams) -> str | None:
    """Return the command that installs the detector's model.

    Returns None if nothing is missing.
    """
    model = params.detector.model
    return install_command(model) if model else None


DETECT = Operation(
    name="keyframes.detect",
    bytes_per_pixel=lambda _params: 37,
    process_bytes=125 * 1000**2,
    title="Shots and keyframes",
    presets=(
        Preset(name="shots", title="One per shot", sentence="Finds every shot and its best picture.", params=DetectParams()),
        Preset(
            name="storyboard",
            title="Storyboard",
            sentence="At most twelve pictures that differ.",
            params=DetectParams(max_keyframes=12, deduplicate=True),
        ),
        Preset(name="fine", title="All cuts", sentence="Also finds soft and doubtful changes.", params=DetectParams(threshold=0.3)),
        Preset(name="fast", title="Quick look", sentence="For long recordings.", params=DetectParams(speed="fast")),
    ),
    version=12,
    summary="Find the shots of videos, pick a keyframe for each, and show both on a timeline",
    params=DetectParams,
    result=DetectResult,
    inputs={"video": Input(kind=Kind.VIDEO, many=True, title="Videos", description="One video, or several for a batch.")},
    outputs={"gallery": Kind.HTML, "keyframes": Kind.IMAGES, "files": Kind.ARCHIVE},
    run=detect,
    cut_in_previews=True,
    names_inputs=True,
    example=DetectParams(),
    unavailable=_missing_model,
)


def _detect_in(video: Path, params: DetectParams, title: str, folders: _Folders, progress: Progress) -> VideoReport:
    """Find the shots and keyframes of one video and write its files."""
    info = probe_video(video, hint="give a video, in which shots can be found")
    for warning in conversion_warnings(info, to_sdr8=True, written_as=None):
        progress.warn(f"{as_text(video.name)}: {warning}")
    threshold = params.effective_threshold
    shutil.rmtree(folders.drafts, ignore_errors=True)
    folders.drafts.mkdir()
    (folders.files / title / "thumbnails").mkdir(parents=True)
    keyframe_files = KeyframeFiles(
        title=title,
        images=folders.images,
        files=folders.files,
        drafts=folders.drafts,
        format=params.format,
        quality=params.quality,
        thumbnail_width=params.thumbnail_width,
    )
    drafts = Drafts(keyframe_files.write_draft, most=params.max_keyframes)
    footage = Footage(
        video=video,
        info=info,
        thumbnails=folders.files.parent / "thumbnails",
        progress=progress.part("scanning", 0, 0.9),
        fast=params.speed == "fast",
        all_measures=params.all_scores,
        content=params.content,
        holder=drafts if _scan_matches_images(info) else None,
    )
    detection = params.detector.detect(footage, threshold)
    scan, times = detection.scan, detection.scan.times
    if scan.readable:
        progress.warn(f"{as_text(video.name)}: the file is damaged. {_readable_parts(scan.readable)}; the rest could not be read.")
    shots = shots_between(detection.transitions, times, float(scan.end), min_shot_s=params.min_shot)
    choices = choose_keyframes(scan, shots, max_keyframes=params.max_keyframes, min_gap=params.min_gap, deduplicate=params.deduplicate)
    usable_drafts = set() if scan.readable else drafts.numbers
    report = VideoReport(
        name=as_text(video.name),
        duration_s=float(scan.end),
        frame_rate=info.frame_rate,
        variable_frame_rate=info.variable_frame_rate,
        constant_rate=info.constant_rate,
        start_timecode=info.start_timecode,
        width=info.width,
        height=info.height,
        frames=len(times),
        audio_channels=info.audio[0].channels if info.audio else 0,
        method=params.method,
        threshold=threshold,
        min_shot=params.min_shot,
        shots=shots,
        keyframes=keyframe_files.write(video, scan, choices, usable_drafts, progress.part("keyframes", 0.9, 1)),
        candidates=None if detection.candidates is None else _reported_candidates(detection.candidates, times),
        scores=_reported_scores(params.method, detection.scores, times),
    )
    write_lists(report, folders.files / title)
    others = frame_scores(scan) if params.all_scores else {}
    _write_scores({**others, params.method: detection.scores}, times, folders.files / title / "scores.json")
    return report


def _readable_parts(parts: Sequence[ReadablePart]) -> str:
    """List the readable parts of a damaged file in a sentence."""
    spans = [f"from {float(part.start):.2f} s to {float(part.end):.2f} s" for part in parts[:_MAX_PARTS]]
    more = f" and {len(parts) - _MAX_PARTS} more parts" if len(parts) > _MAX_PARTS else ""
    return f"Shots and keyframes were found in the parts {', '.join(spans)}{more}"


def _scan_matches_images(info: VideoInfo) -> bool:
    """Return whether scanned frames look the same as frames decoded again for images.

    The scan does not convert colours, and leaves out fields that deinterlacing needs.
    """
    return not (info.interlaced or info.color.hdr or depth_of(info.pixel_format) > 8)


def _reported_scores(method: str, scores: Floats, times: Sequence[float]) -> Scores:
    """Reduce scores (n,) to at most MAX_SCORES for the report.

    Frames form groups of equal size, and the highest score of each group stays.
    """
    group = -(-len(times) // MAX_SCORES) or 1
    highest = np.array([start + int(np.argmax(scores[start : start + group])) for start in range(0, len(times), group)])
    values = np.round(scores[highest].astype(float), SCORE_DIGITS).tolist()
    return Scores(frames=highest.tolist(), times=[times[frame] for frame in highest], values={method: values})


def _reported_candidates(candidates: list[Transition], times: Sequence[float]) -> list[Candidate]:
    """Convert the MAX_SCORES most confident candidates for the report, in frame order."""
    best = sorted(sorted(candidates, key=lambda candidate: -candidate.confidence)[:MAX_SCORES])
    return [
        Candidate(
            start_frame=transition.start,
            end_frame=transition.end,
            time_s=times[transition.middle],
            kind=transition.kind,
            confidence=transition.confidence,
        )
        for transition in best
        if transition.middle < len(times)
    ]


def _write_scores(scores: Mapping[str, Floats], times: Sequence[float], path: Path) -> None:
    """Write the scores of every frame as JSON."""
    with path.open("w") as file:
        file.write('{"frames": ')
        _write_numbers(range(len(times)), file)
        file.write(', "times": ')
        _write_numbers(times, file)
        file.write(', "values": {')
        for number, (method, values) in enumerate(scores.items()):
            file.write(f"{', ' if number else ''}{json.dumps(method)}: ")
            _write_numbers(np.round(values.astype(float), SCORE_DIGITS), file)
        file.write("}}")


def _write_numbers(numbers: Sequence[float] | Floats, file: TextIO) -> None:
    """Write `numbers` as a JSON list, piece by piece, to save memory."""
    file.write("[")
    for start in range(0, len(numbers), _NUMBERS):
        piece = json.dumps(np.asarray(numbers[start : start + _NUMBERS]).tolist())
        file.write(f"{', ' if start else ''}{piece[1:-1]}")
    file.write("]")


def _title(video: Path, number: int | None) -> str:
    """Return the base name of a video's output files.

    The name consists of the letters and digits of the video's own name, in any script, and, in a batch, its number.
    """
    plain = plain_stem(as_text(video.stem), default="video")
    return plain if number is None else f"{number + 1:03d}-{plain}"
