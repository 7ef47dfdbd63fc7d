"""keyframes.detect: videos -> shots, keyframes, scores, lists for other programs and a gallery."""

import json
import re
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from services.keyframes.analysis.scan import Measured
from services.keyframes.analysis.seek import frames_at
from services.keyframes.detectors.table import look_and_detect
from services.keyframes.detectors.transition import Transition
from services.keyframes.output.exports import write_files
from services.keyframes.output.gallery import write_gallery
from services.keyframes.output.images import SUFFIXES, write_picture, write_thumbnail
from services.keyframes.params import (
    MAX_SCORES,
    MAX_VIDEOS,
    SCORE_DIGITS,
    Candidate,
    DetectParams,
    DetectResult,
    Keyframe,
    Scores,
    VideoReport,
)
from services.keyframes.selection.choose import Choice, choose
from services.keyframes.selection.shots import shots_of
from shared.errors import Invalid, OperationFailed, ReelwrightError
from shared.media.names import as_text
from shared.media.zip_writer import ZipWriter
from shared.models.info import model_used
from shared.operation import Progress, Silent
from shared.video import conversion_warnings, probe_video


def detect(params: DetectParams, *, video: list[Path] | Path, outputs: Mapping[str, Path], progress: Progress = Silent()) -> DetectResult:
    """Find the shots of one video or several and write their keyframes (`keyframes`), lists (`files`) and a page (`gallery`).

    Each frame is looked at once, in small; only keyframes are decoded again, in full size. A video that cannot be read gets a report
    with its `error`; where none can be read, the error of the first is raised. Raises Invalid for more than MAX_VIDEOS.
    """
    videos = [video] if isinstance(video, Path) else list(video)
    if not 1 <= len(videos) <= MAX_VIDEOS:
        raise Invalid(f"{len(videos)} videos were given; 1 to {MAX_VIDEOS} are taken in one job.")
    reports: list[VideoReport] = []
    failures: list[ReelwrightError] = []
    # Beside the outputs: a job's temporary files lie in its folder, and go with it.
    with tempfile.TemporaryDirectory(dir=outputs["files"].parent, prefix=".detect-") as made:
        pictures, files = Path(made, "keyframes"), Path(made, "files")
        pictures.mkdir()
        files.mkdir()
        for number, path in enumerate(videos):
            stage = progress.part(as_text(path.name), number / len(videos), (number + 1) / len(videos))
            title = _title(path, number if len(videos) > 1 else None)
            try:
                reports.append(_detect_one(params, path, title, pictures, files, stage))
            except ReelwrightError as error:
                failures.append(error)
                shutil.rmtree(files / title, ignore_errors=True)
                for picture in pictures.glob(f"{title}-*"):
                    picture.unlink()
                progress.warn(f"{as_text(path.name)}: {error.detail}")
                reports.append(VideoReport(name=as_text(path.name), error=error.problem()))
        if len(failures) == len(videos):
            raise (
                failures[0]
                if len(videos) == 1
                else OperationFailed(f"None of the {len(videos)} videos could be read. {failures[0].detail}")
            )
        write_gallery(reports, files, outputs["gallery"])
        with ZipWriter(outputs["keyframes"], packed=False) as archive:
            archive.add_folder(pictures)
        with ZipWriter(outputs["files"], packed=True) as archive:
            archive.add_folder(files)
    progress(1, 1)
    models = [model_used("transnetv2")] if params.method == "transnet" else []
    return DetectResult(videos=reports, models=models)


def _detect_one(params: DetectParams, video: Path, title: str, pictures: Path, files: Path, progress: Progress) -> VideoReport:
    info = probe_video(video, hint="shots are found in a video")
    for sentence in conversion_warnings(info, to_sdr8=True, written_as=None):
        progress.warn(f"{as_text(video.name)}: {sentence}")
    measured, found = look_and_detect(video, info, params, pictures.parent / "tiny", progress.part("looking", 0, 0.9))
    times = measured.times
    shots = shots_of(found.transitions, times, float(measured.end), min_shot_s=params.min_shot)
    folder = files / title
    (folder / "thumbnails").mkdir(parents=True)
    keyframes = _write_keyframes(
        params, video, measured, choose(measured, shots, params), title, pictures, files, progress.part("keyframes", 0.9, 1)
    )
    report = VideoReport(
        name=as_text(video.name),
        duration_s=float(measured.end),
        frame_rate=info.frame_rate,
        variable_frame_rate=info.variable_frame_rate,
        start_timecode=info.start_timecode,
        width=info.width,
        height=info.height,
        frames=len(times),
        audio_channels=info.audio[0].channels if info.audio else 0,
        method=params.method,
        threshold=params.cut_at,
        min_shot=params.min_shot,
        shots=shots,
        keyframes=keyframes,
        candidates=_candidates(found.candidates, times),
        scores=_thinned(found.scores, params.method, times),
    )
    write_files(report, folder)
    _write_scores(found.scores, times, folder / "scores.json")
    return report


def _write_keyframes(
    params: DetectParams,
    video: Path,
    measured: Measured,
    choices: list[Choice],
    title: str,
    pictures: Path,
    files: Path,
    progress: Progress,
) -> list[Keyframe]:
    found = []
    exact = [int(measured.pts[choice.frame]) * measured.time_base for choice in choices]
    frames = frames_at(video, exact, to_sdr8=True)
    for number, (choice, time, frame) in enumerate(zip(choices, exact, frames, strict=True)):
        rgb = frame.rgb()
        name = f"{title}-{number + 1:04d}"
        one = Keyframe(
            file=name + SUFFIXES[params.format],
            thumbnail=f"{title}/thumbnails/{name}.jpg",
            timestamp_s=float(time),
            frame=choice.frame,
            shot=choice.shot,
            score=round(choice.score, 4),
            reasons=list(choice.reasons),
            like=list(choice.like),
            sharpness=round(choice.sharpness, 4),
            exposure=round(choice.exposure, 4),
            typical=round(choice.typical, 4),
            stillness=round(choice.stillness, 4),
        )
        write_picture(rgb, pictures / one.file, params)
        write_thumbnail(rgb, files / one.thumbnail, params)
        found.append(one)
        progress(number + 1, len(choices))
    return found


def _thinned(scores: Mapping[str, NDArray[np.float32]], method: str, times: list[float]) -> Scores:
    """The scores of the method, of groups of frames the highest where there are more than a result should carry."""
    values = scores[method]
    group = -(-len(times) // MAX_SCORES) or 1
    best = np.array([start + int(np.argmax(values[start : start + group])) for start in range(0, len(times), group)])
    return Scores(
        frames=best.tolist(), times=[times[at] for at in best], values={method: np.round(values[best].astype(float), SCORE_DIGITS).tolist()}
    )


def _candidates(found: list[Transition] | None, times: list[float]) -> list[Candidate] | None:
    """What was weighed; of more than a result should carry, the surest."""
    if found is None:
        return None
    kept = sorted(sorted(found, key=lambda one: -one.confidence)[:MAX_SCORES])
    return [
        Candidate(start_frame=one.start, end_frame=one.end, time_s=times[one.middle], kind=one.kind, confidence=one.confidence)
        for one in kept
        if one.middle < len(times)
    ]


def _write_scores(scores: Mapping[str, NDArray[np.float32]], times: list[float], path: Path) -> None:
    """The scores of every frame and every method that was computed."""
    with path.open("w") as file:
        json.dump({"frames": list(range(len(times))), "times": times}, file)
        # Method by method: all at once would take many times the memory.
        file.seek(file.tell() - 1)
        file.write(', "values": {')
        for number, (method, values) in enumerate(scores.items()):
            file.write(f"{', ' if number else ''}{json.dumps(method)}: {json.dumps(np.round(values.astype(float), 4).tolist())}")
        file.write("}}")


def _title(video: Path, number: int | None) -> str:
    """What a video's files are called: its name in plain letters, after its number in a batch."""
    plain = re.sub(r"[^A-Za-z0-9_-]+", "-", video.stem).strip("-")[:60] or "video"
    return plain if number is None else f"{number + 1:03d}-{plain}"
