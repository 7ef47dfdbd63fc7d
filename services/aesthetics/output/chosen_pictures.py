"""The pictures that are chosen: written to files as they are found, so that none is held, and put together in the end."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from services.aesthetics.measures.near_duplicates import Impression, distinct
from services.aesthetics.output.contact_sheet import draw_sheet
from services.aesthetics.output.score_table import ScoreTable
from services.aesthetics.params import MAX_IMAGES, Item, ScoreParams, TechnicalScores
from services.aesthetics.reading.picture_files import Names
from services.aesthetics.reading.sources import Sources
from services.aesthetics.selection.reasons import reason
from services.aesthetics.selection.scoring import Scored
from shared.errors import Invalid
from shared.media.picture_zip import PictureZip
from shared.operation import Progress


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pick:
    row: int
    impression: Impression
    item: Item


class Picks:
    """What is chosen, with a folder for the picture files until the job's outputs are written."""

    def __init__(self, params: ScoreParams, sources: Sources, table: ScoreTable, folder: Path):
        self._params, self._sources, self._table, self._folder = params, sources, table, folder
        self._names = Names(params)
        self._picks: list[_Pick] = []

    def add(
        self,
        one: Scored,
        file: bytes,
        *,
        row: int,
        time_s: float | None,
        group: int | None,
        considered: int,
        chosen_from: str,
        ahead: float | None,
    ) -> None:
        """Choose a picture; `file`: in full size. `row`: its row in the table. Raises Invalid where there are too many."""
        if len(self._picks) == MAX_IMAGES:
            raise Invalid(f"More than {MAX_IMAGES} pictures would be written. Choose larger groups, or a higher percent.")
        look = one.look
        source = self._sources.all[look.source]
        name = self._names.of(look.name or source.path.name, time_s)
        (self._folder / name).write_bytes(file)
        measured = look.technical
        item = Item(
            image=name,
            source=source.path.name,
            source_index=look.source,
            timestamp_s=time_s,
            rank=1,
            merit=round(one.merit, 6),
            score=round(one.score, 6),
            std=None if one.std is None else round(one.std, 6),
            distribution=None if one.distribution is None else [round(share, 7) for share in one.distribution.tolist()],
            technical=TechnicalScores(
                score=round(measured.score, 4),
                sharpness=round(measured.sharpness, 4),
                exposure=round(measured.exposure, 4),
                steadiness=round(measured.steadiness, 4),
                cleanness=round(measured.cleanness, 4),
                shows=measured.shows,
            ),
            group=group,
            considered=considered,
            reason=reason(one, chosen_from=chosen_from, ahead=ahead),
        )
        self._picks.append(_Pick(row=row, impression=look.impression, item=item))

    def write(self, outputs: Mapping[str, Path], progress: Progress) -> tuple[list[Item], int]:
        """Leave near-duplicates out, rank the rest, and write every output. The items, and how many were left out."""
        like = distinct([pick.impression for pick in self._picks], [pick.item.merit for pick in self._picks], self._params.diversity)
        kept = [pick for pick, other in zip(self._picks, like, strict=True) if other is None]
        order = sorted(range(len(kept)), key=lambda index: (-kept[index].item.merit, index))
        ranks = {index: rank for rank, index in enumerate(order, start=1)}
        items = [pick.item.model_copy(update={"rank": ranks[index]}) for index, pick in enumerate(kept)]
        if items:
            with PictureZip(outputs["images"]) as archive:
                for done, (pick, item) in enumerate(zip(kept, items, strict=True), start=1):
                    archive.add(item.image, (self._folder / item.image).read_bytes())
                    self._table.choose(pick.row, item.image)
                    self._sources.all[item.source_index].chosen += 1
                    progress(done, len(items) + 2)
            if self._params.contact_sheet:
                draw_sheet(items, self._folder, outputs["sheet"])
        self._table.write(outputs["scores"], self._sources.all)
        progress(1, 1)
        return items, len(self._picks) - len(kept)
