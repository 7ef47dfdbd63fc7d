"""aesthetics.top-images: write the pictures that reach a score percentile.

Chooses from picture files or frames of videos.
"""

import tempfile
from collections.abc import Generator, Iterator, Mapping
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import islice
from pathlib import Path

import numpy as np
from pydantic import Field

from services.aesthetics.nima.network import network
from services.aesthetics.output.chosen_pictures import Choice, ChosenPictures
from services.aesthetics.output.score_table import ScoreTable
from services.aesthetics.params import CHOSEN_OUTPUTS, PICTURES, VIDEOS, ChosenResult, ScoreParams, missing_weights
from services.aesthetics.reading.picture_files import encoded
from services.aesthetics.reading.sampling import sampled
from services.aesthetics.reading.sources import Source, Sources, as_list, one_kind
from services.aesthetics.selection.scoring import ScoredView, scored
from shared.errors import BrokenMedia
from shared.operation import Operation, Preset, Progress, Silent, form
from shared.video import Frame, read_frames

_SEEK_COST_S = 4
"""Seconds of video that can be decoded in the time of one seek. Typically, it is half the distance between two keyframes."""


class TopImagesParams(ScoreParams):
    """Params for scoring pictures and choosing them by percentile."""

    percent: float = Field(
        90.0,
        ge=0,
        le=100,
        description="Percentile of all scores that a picture must reach: 90 keeps the best tenth, 0 keeps all.",
        title="Percentile",
        json_schema_extra=form("basics", unit="%"),
    )


class TopImagesResult(ChosenResult):
    """Result with the pictures that reached the percentile."""

    threshold: float | None = Field(description="Lowest score that was chosen: the score at `percent`.")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Candidate:
    """A scored picture whose pixels were released."""

    picture: ScoredView
    row: int
    """Row in the score table."""
    time: Fraction | None
    """Time of the frame in its video; None for a picture file."""


def top_images(
    params: TopImagesParams,
    *,
    images: list[Path] | Path | None = None,
    video: list[Path] | Path | None = None,
    outputs: Mapping[str, Path],
    progress: Progress = Silent(),
) -> TopImagesResult:
    """Write the pictures whose scores reach a percentile.

    Pictures are picture files or sampled frames. The percentile is that of all merits, interpolated linearly as by NumPy. `outputs`: as for
    `best_frames`. Only chosen pictures are read again, in full size. An unreadable file is recorded in the result; if no file is readable,
    its error is raised. Raises ModelMissing and Invalid.
    """
    paths = one_kind(video, images)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=outputs["images"].parent, prefix=".top-")))
        sources = Sources(paths, params, progress.part("looking", 0, 0.85), videos=bool(as_list(video)))
        rater = stack.enter_context(network(params, progress)) if params.uses_network else None
        table = ScoreTable()
        candidates: list[_Candidate] = []
        for _, views in sources.series(lanczos=params.lanczos):
            with closing(views), closing(scored(views, rater, technical_share=params.technical_share)) as pictures:
                candidates.extend(_candidate(picture, table.add(picture, None)) for picture in pictures)
        sources.raise_if_empty()
        threshold = float(np.percentile([candidate.picture.merit for candidate in candidates], params.percent))
        winners = [candidate for candidate in candidates if candidate.picture.merit >= threshold]
        choices = ChosenPictures(sources, table, folder, suffix=params.format)
        reading = progress.part("reading the chosen ones", 0.85, 0.97)
        for done, (winner, file) in enumerate(_in_full_size(winners, sources, params, progress), start=1):
            choice = Choice(
                row=winner.row,
                time_s=None if winner.time is None else float(winner.time),
                group=None,
                considered=len(candidates),
                chosen_from=f"Among the best {len(winners)} of {len(candidates)} (merit {threshold:.2f} or more)",
                ahead=None,
            )
            choices.add(winner.picture, file, choice)
            reading(done, len(winners))
        items, left_out = choices.write(
            outputs, diversity=params.diversity, contact_sheet=params.contact_sheet, progress=progress.part("writing", 0.97, 1)
        )
        return TopImagesResult.of(items, left_out, sources, rater, params, threshold=threshold)


def _candidate(picture: ScoredView, row: int) -> _Candidate:
    """Create a candidate from a scored picture, and release its pixels.

    `row`: row in the score table.
    """
    frame = picture.view.frame
    view = replace(picture.view, frame=None, small=np.empty((0, 0, 3), np.uint8))
    return _Candidate(picture=replace(picture, view=view), row=row, time=None if frame is None else frame.time)


def _in_full_size(
    winners: list[_Candidate], sources: Sources, params: TopImagesParams, progress: Progress
) -> Iterator[tuple[_Candidate, bytes]]:
    """Yield each chosen candidate with the encoded file of its full-size picture.

    Frames that cannot be decoded again are left out, with a warning.
    """
    if not sources.videos:
        yield from ((winner, winner.picture.view.file(params)) for winner in winners)
        return
    for source in sources.all:
        by_time = {winner.time: winner for winner in winners if winner.picture.view.source == source.index and winner.time is not None}
        if by_time:
            with closing(_frames_at(source, sorted(by_time), params)) as frames:
                for frame in frames:
                    yield by_time.pop(frame.time), encoded(frame.rgb(), params)
            if by_time:
                progress.warn(f"{source.path.name}: {len(by_time)} of the chosen frames could not be decoded again and are left out.")


def _frames_at(source: Source, times: list[Fraction], params: TopImagesParams) -> Generator[Frame, None, None]:
    """Yield the decodable frames of a video at `times`, in order.

    Seeks to each frame or samples the whole video again, whichever is cheaper.
    """
    if len(times) * _SEEK_COST_S * params.sample_rate < source.looked_at:
        for time in times:
            with read_frames(source.path, opaque=True, start=time, prefetch=1, to_sdr8=True) as frames, suppress(BrokenMedia):
                yield from (frame for frame in islice(frames, 1) if frame.time == time)
        return
    remaining = set(times)
    with closing(sampled(source.path, params)) as samples, suppress(BrokenMedia):
        for frame in samples:
            if frame.time in remaining:
                remaining.remove(frame.time)
                yield frame
            if frame.time >= times[-1]:
                return


TOP_IMAGES = Operation(
    name="aesthetics.top-images",
    bytes_per_pixel=lambda _params: 19,
    title="Top pictures",
    presets=(
        Preset(
            name="tenth",
            title="Best tenth",
            sentence="The sharpest tenth, each of another view.",
            params=TopImagesParams(scorer="technical", sample_rate=4.0),
        ),
        Preset(
            name="few",
            title="Only the very best",
            sentence="The sharpest of a hundred pictures.",
            params=TopImagesParams(scorer="technical", sample_rate=4.0, percent=99.0),
        ),
        Preset(
            name="half",
            title="Better half",
            sentence="Drops the worse half, and what looks the same.",
            params=TopImagesParams(scorer="technical", sample_rate=4.0, percent=50.0, diversity=0.1),
        ),
        Preset(
            name="taste",
            title="As people like them",
            sentence="Also rated by a network that learned from people.",
            params=TopImagesParams(scorer="both", sample_rate=2.0),
        ),
    ),
    summary="Choose the pictures whose scores reach a percentile, and give the reasons",
    params=TopImagesParams,
    result=TopImagesResult,
    inputs={"images": PICTURES, "video": VIDEOS},
    needs=("images", "video"),
    outputs=CHOSEN_OUTPUTS,
    run=top_images,
    version=9,
    names_inputs=True,
    example=TopImagesParams(scorer="technical"),
    unavailable=missing_weights,
)
