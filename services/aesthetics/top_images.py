"""aesthetics.top-images: pictures or videos -> the pictures whose scores reach a percentile."""

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import numpy as np

from services.aesthetics.best_frames import as_list, one_kind
from services.aesthetics.nima.network import network
from services.aesthetics.output.chosen_pictures import Picks
from services.aesthetics.output.score_table import ScoreTable
from services.aesthetics.params import TopImagesParams, TopImagesResult
from services.aesthetics.reading.picture_files import encoded
from services.aesthetics.reading.small_views import sampled
from services.aesthetics.reading.sources import Source, Sources
from services.aesthetics.selection.scoring import Scored, scored
from shared.operation import Progress, Silent
from shared.video import Frame, read_frames

_SEEK_TAKES_S = 4
"""Seconds of video that one jump costs as much as, roughly: half the distance of two keyframes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Known:
    """A picture with its scores that holds no pixels in full size. `time`: of a video's frame."""

    one: Scored
    row: int
    time: Fraction | None


def top_images(
    params: TopImagesParams,
    *,
    images: list[Path] | Path | None = None,
    video: list[Path] | Path | None = None,
    outputs: Mapping[str, Path],
    progress: Progress = Silent(),
) -> TopImagesResult:
    """Write the pictures, or sampled frames, that reach the percentile `percent` of all merits: to `images`, with `scores` and `sheet`.

    The percentile is that of numpy: between two values, a linear share of both. Only the chosen ones are read again in full size. A file
    that cannot be read is noted in the result; where none can, its error is raised. Raises ModelMissing, Invalid.
    """
    paths = one_kind(video, images)
    stage = progress.part("looking", 0, 0.85)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=outputs["images"].parent, prefix=".top-")))
        sources = Sources(paths, params, stage, videos=bool(as_list(video)))
        rater = stack.enter_context(network(params, progress)) if params.scorer != "technical" else None
        table = ScoreTable()
        picks = Picks(params, sources, table, folder)
        known: list[_Known] = []
        series = [sources.looks(source, params) for source in sources.readable()] if sources.videos else [sources.all_pictures(params)]
        for looks in series:
            with closing(looks), closing(scored(looks, rater, params)) as found:
                known.extend(_without_pixels(one, table.add(one, None)) for one in found)
        sources.raise_if_nothing()
        threshold = float(np.percentile([each.one.merit for each in known], params.percent))
        chosen = [each for each in known if each.one.merit >= threshold]
        writing = progress.part("reading the chosen ones", 0.85, 0.97)
        for done, (each, file) in enumerate(_in_full(chosen, sources, params), start=1):
            said = f"Among the best {len(chosen)} of {len(known)} (merit {threshold:.2f} or more)"
            picks.add(
                each.one,
                file,
                row=each.row,
                time_s=None if each.time is None else float(each.time),
                group=None,
                considered=len(known),
                chosen_from=said,
                ahead=None,
            )
            writing(done, len(chosen))
        items, left_out = picks.write(outputs, progress.part("writing", 0.97, 1))
        return TopImagesResult(
            items=items,
            sources=[source.report() for source in sources.all],
            looked_at=sources.looked_at,
            left_out=left_out,
            model=rater.used if rater else None,
            scorer=params.scorer,
            threshold=threshold,
        )


def _without_pixels(one: Scored, row: int) -> _Known:
    frame = one.look.frame
    look = replace(one.look, frame=None, small=np.empty((0, 0, 3), np.uint8))
    return _Known(one=replace(one, look=look), row=row, time=None if frame is None else frame.time)


def _in_full(chosen: list[_Known], sources: Sources, params: TopImagesParams) -> Iterator[tuple[_Known, bytes]]:
    """The chosen pictures, each as a file, in order."""
    if not sources.videos:
        yield from ((each, each.one.look.file(params)) for each in chosen)
        return
    for source in sources.all:
        wanted = {each.time: each for each in chosen if each.one.look.source == source.index and each.time is not None}
        if wanted:
            with closing(_frames_at(source, sorted(wanted), params)) as frames:
                yield from ((wanted[frame.time], encoded(frame.rgb(), params)) for frame in frames)


def _frames_at(source: Source, times: list[Fraction], params: TopImagesParams) -> Iterator[Frame]:
    """The frames of a video at these times, by jumping to each, or by going through what was sampled once more where that is less."""
    if len(times) * _SEEK_TAKES_S * params.sample_rate < source.looked_at:
        for time in times:
            with read_frames(source.path, start=time, prefetch=1, to_sdr8=True) as frames:
                yield next(frames)
        return
    wanted = set(times)
    with closing(sampled(source.path, params)) as frames:
        for frame in frames:
            if frame.time in wanted:
                yield frame
            if frame.time >= times[-1]:
                return
