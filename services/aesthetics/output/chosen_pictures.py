"""Chosen pictures of a job, and the outputs made of them.

They are written to files as soon as they are chosen, and collected in the outputs at the end.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from services.aesthetics.measures.near_duplicates import Thumbnail, look_alikes
from services.aesthetics.output.contact_sheet import draw_sheet
from services.aesthetics.output.items import Item, TechnicalScores
from services.aesthetics.output.score_table import ScoreTable
from services.aesthetics.reading.picture_files import PictureNames
from services.aesthetics.reading.sources import Sources
from services.aesthetics.selection.reasons import reason
from services.aesthetics.selection.scoring import ScoredView
from shared.errors import Invalid
from shared.media.zip_files.picture_zip import PictureZip
from shared.operation import Progress

MAX_IMAGES = 10_000
"""Maximum number of pictures that one job writes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """Record of a chosen picture: its row, its group and the arguments of `reason`."""

    row: int
    """Row of the picture in the score table."""
    time_s: float | None
    """Time in the video in seconds; None for a picture file."""
    group: int | None
    """Number of the picture's group."""
    considered: int
    """Number of pictures from which this picture was chosen."""
    chosen_from: str
    """Text such as "Best of 5 frames"; see `reason`."""
    ahead: float | None
    """Difference in merit from the next-best picture; see `reason`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pick:
    row: int
    thumbnail: Thumbnail
    item: Item


class ChosenPictures:
    """Collector of chosen pictures, which writes the job's outputs.

    `folder`: temporary folder for the pictures. `suffix`: suffix of the picture files.
    """

    def __init__(self, sources: Sources, table: ScoreTable, folder: Path, *, suffix: str) -> None:
        self._sources, self._table, self._folder = sources, table, folder
        self._names = PictureNames(suffix)
        self._picks: list[_Pick] = []

    def add(self, picture: ScoredView, file: bytes, choice: Choice) -> None:
        """Add a chosen picture.

        `file`: the encoded picture in full size. Raises Invalid beyond MAX_IMAGES pictures.
        """
        if len(self._picks) == MAX_IMAGES:
            raise Invalid(f"More than {MAX_IMAGES} pictures would be written. Choose larger groups, or a higher percent.")
        view = picture.view
        source = self._sources.all[view.source]
        name = self._names.of(view.name or source.path.name, choice.time_s)
        (self._folder / name).write_bytes(file)
        item = Item(
            image=name,
            source=view.origin(source.path.name),
            source_index=view.source,
            timestamp_s=choice.time_s,
            rank=1,
            merit=round(picture.merit, 6),
            score=round(picture.score, 6),
            std=None if picture.std is None else round(picture.std, 6),
            distribution=None if picture.distribution is None else [round(share, 7) for share in picture.distribution.tolist()],
            technical=TechnicalScores.of(view.technical),
            group=choice.group,
            considered=choice.considered,
            reason=reason(picture, chosen_from=choice.chosen_from, ahead=choice.ahead),
        )
        self._picks.append(_Pick(row=choice.row, thumbnail=view.thumbnail, item=item))

    def write(self, outputs: Mapping[str, Path], *, diversity: float, contact_sheet: bool, progress: Progress) -> tuple[list[Item], int]:
        """Drop near-duplicates, rank the rest, and write the outputs.

        `diversity`: the `min_difference` of `look_alikes`. Returns the items and the number of dropped pictures.
        """
        like = look_alikes([pick.thumbnail for pick in self._picks], [pick.item.merit for pick in self._picks], diversity)
        unique = [pick for pick, twin in zip(self._picks, like, strict=True) if twin is None]
        order = sorted(range(len(unique)), key=lambda index: (-unique[index].item.merit, index))
        ranks = {index: rank for rank, index in enumerate(order, start=1)}
        items = [pick.item.model_copy(update={"rank": ranks[index]}) for index, pick in enumerate(unique)]
        if items:
            with PictureZip(outputs["images"]) as archive:
                for done, (pick, item) in enumerate(zip(unique, items, strict=True), start=1):
                    archive.add(item.image, (self._folder / item.image).read_bytes())
                    self._table.mark_chosen(pick.row, item.image)
                    self._sources.all[item.source_index].chosen += 1
                    progress(done, len(items) + 2)
            if contact_sheet:
                draw_sheet(items, self._folder, outputs["sheet"])
        self._table.write(outputs["scores"], self._sources.all)
        progress(1, 1)
        return items, len(self._picks) - len(unique)
