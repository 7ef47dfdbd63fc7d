"""aesthetics.best-frames: the best picture of each group.

Groups are made of frames of videos or of picture files.
"""

import tempfile
from collections.abc import Iterable, Mapping
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, model_validator

from services.aesthetics.nima.network import network
from services.aesthetics.output.chosen_pictures import Choice, ChosenPictures
from services.aesthetics.output.score_table import ScoreTable
from services.aesthetics.params import CHOSEN_OUTPUTS, PICTURES, VIDEOS, ChosenResult, ScoreParams, missing_weights
from services.aesthetics.reading.sources import MAX_SOURCES, Sources, as_list, one_kind
from services.aesthetics.selection.groups import Grouping, VideoShots, by_number, by_shot
from services.aesthetics.selection.reasons import clock
from services.aesthetics.selection.scoring import ScoredView, scored
from shared.declarations.cards import LookCard
from shared.errors import Invalid
from shared.operation import Operation, Preset, Progress, Silent, form

_MAX_SPANS = 10
"""Maximum number of groups listed in a warning."""


class BestFramesParams(ScoreParams):
    """Params for scoring and grouping pictures."""

    group_size: int = Field(
        5,
        ge=1,
        le=100_000,
        description="Number of consecutive pictures in a group. The best picture of each group is kept.",
        title="Group size",
        json_schema_extra=form("basics"),
    )
    group_by: Literal["time", "shot"] = Field(
        "time",
        description="`time`: groups of `group_size` consecutive pictures. `shot`: one group per shot.",
        title="Group by",
        json_schema_extra=form("more", labels={"time": "Time", "shot": "Shot"}),
    )
    shots: list[VideoShots] | None = Field(
        None,
        min_length=1,
        max_length=MAX_SOURCES,
        description="Shots of each video, in the order of the videos; only for `group_by: shot`. Take `videos` of a `keyframes.detect` "
        'result; in a pipeline, `{"from": "<step>.videos"}`.',
        title="Shots",
        json_schema_extra=form("expert", taken_from=("keyframes.detect.videos",)),
    )

    @model_validator(mode="after")
    def _has_shots(self) -> Self:
        if self.group_by == "shot" and self.shots is None:
            raise ValueError(
                "`group_by` shot needs `shots`: give `videos` of a keyframes.detect result, or run the pipeline `best-frame-of-each-shot`"
            )
        return self


def best_frames(
    params: BestFramesParams,
    *,
    video: list[Path] | Path | None = None,
    images: list[Path] | Path | None = None,
    outputs: Mapping[str, Path],
    progress: Progress = Silent(),
) -> ChosenResult:
    """Write the best picture of each group.

    `outputs`: `images` (zip of the pictures), `scores` (zip of every score), `sheet` (PNG of the chosen pictures). Frames are grouped
    within their video, picture files in their given order. Every sampled frame is decoded once; only the best picture of the current group
    is held. An unreadable file is recorded in the result; if no file is readable, its error is raised. Raises ModelMissing, and Invalid
    for an empty part or for more pictures than MAX_VIEWS.
    """
    _refuse(params, {} if video is None else {"video": video})
    paths = one_kind(video, images)
    groupings = _groupings(params, videos=len(as_list(video)))
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=outputs["images"].parent, prefix=".best-")))
        sources = Sources(paths, params, progress.part("looking", 0, 0.97), videos=bool(as_list(video)))
        rater = stack.enter_context(network(params, progress)) if params.uses_network else None
        table = ScoreTable()
        choices = ChosenPictures(sources, table, folder, suffix=params.format)
        for source, views in sources.series(lanczos=params.lanczos):
            grouping = groupings[source.index] if groupings and source else by_number(params.group_size)
            with closing(views), closing(scored(views, rater, technical_share=params.technical_share)) as pictures:
                black = _choose(pictures, grouping, table, choices, params)
            if black:
                progress.warn(_black_warning(black, source.path.name if source else None))
        sources.raise_if_empty()
        items, left_out = choices.write(
            outputs, diversity=params.diversity, contact_sheet=params.contact_sheet, progress=progress.part("writing", 0.97, 1)
        )
        return ChosenResult.of(items, left_out, sources, rater, params)


def _refuse(params: BestFramesParams, inputs: Mapping[str, object]) -> None:
    """Raise Invalid if still pictures are to be grouped by shot."""
    if params.group_by == "shot" and "video" not in inputs:
        detail = "`group_by` shot works with videos only, not with pictures: choose `time`, which groups pictures in their order"
        raise Invalid.field("params.group_by", detail, f"{detail}.")


def _groupings(params: BestFramesParams, *, videos: int) -> list[Grouping]:
    """Return one function per video that groups its frames by shot.

    Returns an empty list for groups by time. `videos`: number of videos. Raises Invalid if the shots do not fit the videos.
    """
    if params.group_by == "time":
        return []
    groupings = [by_shot(video.shots) for video in params.shots or ()]
    if len(groupings) != videos:
        raise Invalid(
            f"`shots` has entries for {len(groupings)} videos, but {videos} videos are given: give one entry per video, in the same order."
        )
    return groupings


def _choose(
    pictures: Iterable[ScoredView], grouping: Grouping, table: ScoreTable, choices: ChosenPictures, params: BestFramesParams
) -> list[str]:
    """Choose the best picture of each group; return spans of black groups.

    The pictures are added to `choices`. Each picture is written as soon as its group ends. A group is black if all its pictures are, and
    none of them is chosen. Its span is a text with the first and the last time or name.
    """
    black = list[str]()
    group = _Group(None)
    for number, picture in enumerate(pictures):
        index = grouping(number, picture.view.time_s)
        row = table.add(picture, index)
        if index != group.index:
            black += group.close(choices, params)
            group = _Group(index)
        group.add(picture, row)
    return black + group.close(choices, params)


def _black_warning(spans: list[str], video: str | None) -> str:
    """Return the warning about groups that are entirely black."""
    groups = "One group shows" if len(spans) == 1 else f"{len(spans)} groups show"
    more = f" and {len(spans) - _MAX_SPANS} more" if len(spans) > _MAX_SPANS else ""
    where = f"{video}: " if video else ""
    return f"{where}{groups} only black, so no picture was chosen there: {', '.join(spans[:_MAX_SPANS])}{more}."


class _Group:
    """A group of pictures with its best picture so far.

    `index`: number of the group; None for pictures in no group. Black pictures are never the best.
    """

    def __init__(self, index: int | None) -> None:
        self.index = index
        self._best: tuple[ScoredView, int] | None = None
        self._next_merit: float | None = None
        self._count = 0
        self._first = self._last = ""

    def add(self, picture: ScoredView, row: int) -> None:
        """Add a picture. The first of several equally good pictures wins."""
        self._count += 1
        view = picture.view
        self._last = view.name or "" if view.time_s is None else clock(view.time_s)
        self._first = self._first or self._last
        if picture.view.technical.shows == "black":
            return
        if self._best is None:
            self._best = picture, row
        elif picture.merit > self._best[0].merit:
            self._best, self._next_merit = (picture, row), self._best[0].merit
        elif self._next_merit is None or picture.merit > self._next_merit:
            self._next_merit = picture.merit

    def close(self, choices: ChosenPictures, params: BestFramesParams) -> list[str]:
        """Add the group's best picture to `choices`; return the span of a black group.

        A group is black if all its pictures are. For other groups, the result is empty.
        """
        if self.index is None or self._count == 0:
            return []
        if self._best is None:
            return [self._span]
        picture, row = self._best
        of = f"Best of {self._count}"
        chosen_from = f"{of} pictures" if picture.view.time_s is None else f"{of} frames from {self._span}"
        if self._count == 1:
            chosen_from = "The only one of its group"
        choice = Choice(
            row=row,
            time_s=picture.view.time_s,
            group=self.index,
            considered=self._count,
            chosen_from=chosen_from,
            ahead=None if self._next_merit is None else picture.merit - self._next_merit,
        )
        choices.add(picture, picture.view.file(params), choice)
        return []

    @property
    def _span(self) -> str:
        """Text with the first and last time (or file name) of the group's pictures."""
        return self._first if self._count == 1 else f"{self._first} to {self._last}"


BEST_FRAMES = Operation(
    name="aesthetics.best-frames",
    bytes_per_pixel=lambda _params: 13,
    title="Best stills",
    presets=(
        Preset(
            name="best-stills",
            title="Best stills",
            sentence="The sharpest and best exposed pictures, each of another view.",
            params=BestFramesParams(scorer="technical", sample_rate=4.0, group_size=8),
        ),
        Preset(
            name="taste",
            title="As people like them",
            sentence="Also rated by a network that learned from people.",
            params=BestFramesParams(scorer="both", sample_rate=2.0),
        ),
        Preset(
            name="many",
            title="Many to choose from",
            sentence="Leaves out only what looks the same.",
            params=BestFramesParams(scorer="technical", sample_rate=4.0, group_size=4, diversity=0.1),
        ),
    ),
    summary="Choose the best frame of each group of a video, and give the reasons",
    params=BestFramesParams,
    result=ChosenResult,
    inputs={"video": VIDEOS, "images": PICTURES},
    needs=("video", "images"),
    outputs=CHOSEN_OUTPUTS,
    run=best_frames,
    look=LookCard(place=3, title="Best stills", icon="star"),
    refuse=_refuse,
    version=9,
    names_inputs=True,
    example=BestFramesParams(scorer="technical"),
    unavailable=missing_weights,
)
