"""aesthetics.best-frames: videos or pictures -> the best picture of each group."""

import tempfile
from collections.abc import Iterable, Mapping
from contextlib import ExitStack, closing
from pathlib import Path

from services.aesthetics.nima.network import network
from services.aesthetics.output.chosen_pictures import Picks
from services.aesthetics.output.score_table import ScoreTable
from services.aesthetics.params import BestFramesParams, ChosenResult
from services.aesthetics.reading.sources import Sources
from services.aesthetics.selection.groups import Grouping, by_number, by_shot
from services.aesthetics.selection.reasons import clock
from services.aesthetics.selection.scoring import Scored, scored
from shared.errors import Invalid
from shared.operation import Progress, Silent


def best_frames(
    params: BestFramesParams,
    *,
    video: list[Path] | Path | None = None,
    images: list[Path] | Path | None = None,
    outputs: Mapping[str, Path],
    progress: Progress = Silent(),
) -> ChosenResult:
    """Write the best picture of each group to `images` (zip), every score to `scores` (archive), the chosen ones to `sheet` (PNG).

    Frames of a video are grouped within it, picture files in the order they are given. The frames that are looked at are decoded once; of
    each group only the best so far is held. A file that cannot be read is noted in the
    result; where none can, its error is raised. Raises ModelMissing, Invalid for a part that is not there or more pictures than MAX_LOOKS.
    """
    stage = progress.part("looking", 0, 0.97)
    paths = one_kind(video, images)
    if params.group_by == "shot" and not as_list(video):
        raise Invalid("group_by shot is for videos; pictures are grouped in the order they are given.")
    by_shots = [by_shot(one) for one in params.shots or ()] if params.group_by == "shot" else []
    if by_shots and len(by_shots) != len(paths):
        raise Invalid(f"shots are given for {len(by_shots)} videos, but there are {len(paths)}: give one list for each, in their order.")
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=outputs["images"].parent, prefix=".best-")))
        sources = Sources(paths, params, stage, videos=bool(as_list(video)))
        rater = stack.enter_context(network(params, progress)) if params.scorer != "technical" else None
        table = ScoreTable()
        picks = Picks(params, sources, table, folder)
        if sources.videos:
            for source in sources.readable():
                groups = by_shots[source.index] if by_shots else by_number(params.group_size)
                with closing(sources.looks(source, params)) as looks, closing(scored(looks, rater, params)) as found:
                    _choose(found, groups, table, picks, params)
        else:
            with closing(sources.all_pictures(params)) as looks, closing(scored(looks, rater, params)) as found:
                _choose(found, by_number(params.group_size), table, picks, params)
        sources.raise_if_nothing()
        items, left_out = picks.write(outputs, progress.part("writing", 0.97, 1))
        return ChosenResult(
            items=items,
            sources=[source.report() for source in sources.all],
            looked_at=sources.looked_at,
            left_out=left_out,
            model=rater.used if rater else None,
            scorer=params.scorer,
        )


def one_kind(video: list[Path] | Path | None, images: list[Path] | Path | None) -> list[Path]:
    """The videos, or the picture files. Raises Invalid where both are given."""
    if as_list(video) and as_list(images):
        raise Invalid("Give videos or pictures, not both in one job.")
    return as_list(video) or as_list(images)


def as_list(given: list[Path] | Path | None) -> list[Path]:
    """One path, several or none, as a list."""
    return [given] if isinstance(given, Path) else list(given or ())


def _choose(found: Iterable[Scored], groups: Grouping, table: ScoreTable, picks: Picks, params: BestFramesParams) -> None:
    """The best of each group of a series, written as soon as its group is over."""
    group = _Group(None)
    for number, one in enumerate(found):
        index = groups(number, one)
        row = table.add(one, index)
        if index != group.index:
            group.close(picks, params)
            group = _Group(index)
        group.add(one, row)
    group.close(picks, params)


class _Group:
    """The best picture of a group so far, and how far ahead it is."""

    def __init__(self, index: int | None):
        self.index = index
        self._best: tuple[Scored, int] | None = None
        self._next: float | None = None
        self._count = 0
        self._first_s: float | None = None
        self._last_s: float | None = None

    def add(self, one: Scored, row: int) -> None:
        """Another picture of the group; of equals the first stays the best."""
        self._count += 1
        self._last_s = one.look.time_s
        if self._best is None:
            self._best, self._first_s = (one, row), one.look.time_s
        elif one.merit > self._best[0].merit:
            self._best, self._next = (one, row), self._best[0].merit
        elif self._next is None or one.merit > self._next:
            self._next = one.merit

    def close(self, picks: Picks, params: BestFramesParams) -> None:
        """Choose the best."""
        if self.index is None or self._best is None:
            return
        one, row = self._best
        said = f"Best of {self._count} pictures" if self._count > 1 else "The only one of its group"
        if self._count > 1 and self._first_s is not None and self._last_s is not None:
            said = f"Best of {self._count} frames from {clock(self._first_s)} to {clock(self._last_s)}"
        ahead = None if self._next is None else one.merit - self._next
        picks.add(
            one,
            one.look.file(params),
            row=row,
            time_s=one.look.time_s,
            group=self.index,
            considered=self._count,
            chosen_from=said,
            ahead=ahead,
        )
